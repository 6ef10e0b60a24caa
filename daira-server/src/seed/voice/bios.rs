//! What people say about themselves: one phrase for each interest, and some for nobody in particular.

use super::{Script, Topic};

/// The phrase of an interest.
pub(crate) const fn of_interest(topic: Topic, script: Script) -> &'static str {
    let (arabic, arabizi, english) = phrases(topic);
    match script {
        Script::Masry | Script::Mixed => arabic,
        Script::Arabizi => arabizi,
        Script::English => english,
    }
}

/// An interest in Masry, Arabizi and English.
const fn phrases(topic: Topic) -> (&'static str, &'static str, &'static str) {
    match topic {
        Topic::Daily => ("يوميات على خفيف", "yawmeyat 3ala khafeef", "small daily things"),
        Topic::Transport => ("خبير{|ة} مواصلات بالعافية", "khabeer{|a} mowaslat bel 3afya", "expert in being stuck"),
        Topic::Asking => ("بسأل أكتر ما بجاوب", "bas2al aktar ma bagawib", "full of questions"),
        Topic::Street => ("{ابن|بنت} {area}", "{ebn|bent} {area}", "from {area}, always"),
        Topic::Weather => ("حزب الشتا", "7ezb el sheta", "team winter"),
        Topic::Football => (
            "[{club} في الدم/{club} وبس/مدرب {club} من على الكنبة]",
            "[{club} fel dam/{club} w bas]",
            "[{club} till the last minute/sofa manager of {club}]",
        ),
        Topic::Food => (
            "[باكل وبحكي على اللي باكله/كشري كمالة/مطبخ أمي مدرستي]",
            "[bakol w ba7ky 3al akl/koshary kamala/foodie 3ala addy]",
            "[I eat, then I write about it/koshari first/home cook, loud kitchen]",
        ),
        Topic::Study => ("{college} على ما تفرج", "{college} 3ala ma tefreg", "{college} student, allegedly"),
        Topic::Work => (
            "[موظف{|ة} الصبح، بني آدم بالليل/فريلانسر على باب الله/شغل شغل شغل]",
            "[mowazaf{|a} el sob7, bany adam belleil/freelancer]",
            "[nine to five, then life/freelancing from corners]",
        ),
        Topic::Weddings => (
            "[أول {واحد|واحدة} على الدانس فلور/عيلة كبيرة وصوتها عالي/معزوم{|ة} دايما]",
            "[awel {wa7ed|wa7da} 3al dance floor/ma3zoom{|a} dayman]",
            "[here for the zaffa/big loud family]",
        ),
        Topic::Ramadan => (
            "[بعد الأيام على رمضان 🌙/قطايف بالقشطة أولا/ليالي رمضان كلها]",
            "[ba3ed el ayam 3ala ramadan 🌙/atayef w sohoor]",
            "[waiting for Ramadan nights 🌙/lanterns and late suhoor]",
        ),
        Topic::Sahel => (
            "[قلبي على البحر/مستني{|ة} الصيف/ملح وشمس]",
            "[alby 3al ba7r/mestanny{|a} el seif]",
            "[sea person in a city/summer all year]",
        ),
        Topic::Alexandria => (
            "[اسكندراني{|ة} أبا عن جد/{ابن|بنت} البحر/هوا اسكندرية]",
            "[eskandarany{|a} aban 3an gedd/hawa alex]",
            "[Alexandria born and windblown/corniche walker]",
        ),
        Topic::Tech => (
            "[بكتب كود وبدعي/مبرمج{|ة} بالنهار/بصلح راوتر العيلة كلها]",
            "[baktb code w bad3y/developer w basalla7 wifi el 3eila]",
            "[I write code and hope/software, sometimes working]",
        ),
        Topic::Photo => (
            "[مصور{|ة} شوارع على قدي/بدور على الضوء/صور وحكايات]",
            "[street photographer 3ala addy/basawar el nas w el shawari3]",
            "[street photos, mostly light/film and phone]",
        ),
        Topic::Jokes => (
            "[نكت بايخة بضمان/هزار من غير زعل/بضحك على نكتي الأول]",
            "[nokat baykha b daman/bahazar w mabaz3alsh]",
            "[certified bad jokes/laughing at my own jokes]",
        ),
        Topic::Shop => (
            "{goods} شغل إيد، الطلب في الرسايل",
            "{goods} handmade, DM lel talab",
            "{goods}, handmade. orders by message",
        ),
        Topic::Verse => (
            "[بكتب اللي مبعرفش أقوله/سطور على الهامش/شوية شعر وشوية شاي]",
            "[baktb elly mab3rafsh a2olo/5awater belleil]",
            "[short lines, long nights/poems on receipts]",
        ),
        Topic::Music => (
            "[سميع{|ة} قديم{|ة}/عود وسطوح/مزيكا طول اليوم]",
            "[sammee3{|a} adeem{|a}/mazzika tool el yom]",
            "[records, oud, rooftops/one song on repeat]",
        ),
        Topic::Cinema => (
            "[أفلام قديمة وفشار/أبيض وإسود/بتفرج للتتر]",
            "[aflam adeema w feshar/movie nights]",
            "[old films and popcorn/stays for the credits]",
        ),
        Topic::Reels => (
            "[بصور يومي وخلاص/فيديوهات على قد الحال/كواليس حياتي]",
            "[basawar yomy w khalas/videos 3ala addy]",
            "[I film my day/short videos, long stories]",
        ),
        Topic::Coffee => (
            "[مظبوط لو سمحت/قهوة قبل الكلام/محوج وسادة]",
            "[mazboot law sama7t/ahwa abl el kalam]",
            "[mazboot, please/powered by Turkish coffee]",
        ),
        Topic::Bargains => (
            "[ملك{|ة} الفصال/بحوش وبصرف اللي بحوشه/لقطات وعروض]",
            "[{malek|maleket} el fesal/3orood w tawfeer]",
            "[never pays full price/thrift first]",
        ),
        Topic::Cats => (
            "[بشتغل عند {cat}/قطط وزرع/{مربي|مربية} {cat}]",
            "[bashtaghal 3and {cat}/otat w zar3]",
            "[{cat}'s personal assistant/cats and plants]",
        ),
    }
}

/// Phrases for anybody.
pub(crate) const fn for_anybody(script: Script) -> &'static [&'static str] {
    match script {
        Script::Masry => &[
            "على باب الله",
            "{gov} وبس",
            "ساكن{|ة} {area}",
            "هنا علشان أضحك",
            "مفيش حاجة مستعجلة",
            "من {area} وراجع{|ة} لها",
            "الدنيا بسيطة بس احنا اللي بنعقدها",
        ],
        Script::Arabizi => {
            &["{gov} w bas", "mn {area} b kol fakhr", "hena 3shan ad7ak", "3ala bab allah", "ay 7aga w kol 7aga"]
        }
        Script::English => {
            &["{gov}", "{area}, {gov}", "here for the comments", "soft heart, loud laugh", "opinions and tea"]
        }
        Script::Mixed => {
            &["{gov} based", "living my best life على قد ما بقدر", "just {gov} things", "half عقل half قهوة"]
        }
    }
}
