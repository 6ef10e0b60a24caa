//! Football: matches, the café, five-a-side, the two big clubs; banter without insult.

use super::super::PostKind::{Ask, Invite, Joke, Joy, Poll, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Joy, "كسبناااا {2-4}-{0-1} 🔥🔥 مبروك لكل جماهير {club} {clubtag}"),
    ar(Vent, "نلعب ماتش كامل في نص ملعبهم ونخسر من كورة واحدة.. قلبي تعبني والله {clubtag}"),
    ar(Ask, "الماتش الساعة كام النهارده وعلى أنهي قناة؟ وهنتفرج فين يا شباب {area}؟"),
    ar(Say, "صوت القهوة لما الكورة تخش الجون.. مفيش في الدنيا صوت زيه"),
    ar(Joke, "بابا مبيتكلمش معايا غير في حالتين: لما {club} يكسب، ولما {club} يخسر"),
    ar(Say, "{club} في الدم، كسبان خسران، إحنا وراه لآخر دقيقة {clubtag}"),
    ar(Vent, "الحكم ده محتاج نضارة، وأنا محتاج{|ة} حد يهديني، والماتش لسه في الشوط الأول"),
    ar(Poll, "تشكيل {club} للماتش الجاي من وجهة نظركم؟ أنا شايف{|ة} نلعب بمهاجمين من الأول"),
    ar(Joy, "أول مرة أدخل الاستاد من سنين.. أول ما شفت النجيلة الخضرا جسمي قشعر ❤️"),
    ar(
        Invite,
        "ناقصنا واحد للخماسي النهارده الساعة {7-10} بالليل في {area}، بنلعب على خفيف وكلنا لياقتنا صفر. مين جاي؟",
    ),
    ar(Say, "أجمل حاجة في ماتش القمة إن العيلة كلها بتتجمع، نصنا أحمر ونصنا أبيض، وآخر الليل كلنا بناكل مع بعض #القمة"),
    ar(Tip, "لو هتتفرجوا على الماتش في كافيه روحوا قبلها بساعة ونص، وإلا هتسمعوه من بره على الرصيف"),
    ar(Say, "يا رب ماتش النهارده يعدي على خير، أنا مش قادر{|ة} آكل من القلق {clubtag}"),
    ar(Joke, "كل المصريين عندهم شغلانتين: شغلانته الأساسية، ومدرب {club}"),
    ar(
        Say,
        "قصة أول ماتش حضرته في حياتي.\n\nكان عندي {7-9} سنين وجدي، الله يرحمه، صحاني بدري وقال لي: النهارده هتشوف{|ي} حاجة عمرك ما هتنساها. ركبنا أتوبيس ومترو ومشينا كتير، وأنا ماسك{|ة} في إيده والناس كلها لابسة تيشرتات وبتغني.\n\nأول ما طلعنا من السلم وشفت الملعب حسيت إن الدنيا وسعت. معرفش اتفرجت على الماتش ولا على جدي وهو بيتفرج. لما جبنا الجون شالني ورماني في الهوا وهو عنده {60-70} سنة!\n\nخسرنا يومها في الآخر، ورجعنا واحنا ساكتين، وقال لي جملة واحدة: اللي يحب حاجة يحبها وهي خسرانة.\n\nمن يومها كل ما {club} يلعب بحس إن جدي قاعد جنبي. {clubtag}",
    ),
    ar(
        Vent,
        "تحليل سريع للماتش من على الكنبة، والكنبة أصدق أنباءً:\n\n1- بدأنا كويس أول ربع ساعة وبعدين كل واحد قرر يلعب لوحده.\n2- الجناح بيجري حلو بس كإنه نازل يلحق المترو، بيوصل ومبيعرفش نزل ليه.\n3- التغييرات اتأخرت لحد ما أنا نفسي كنت هنزل ألعب.\n4- الدفاع.. مش هتكلم عن الدفاع علشان أعصابي.\n\nومع ده كله، الروح في آخر عشر دقايق كانت تفرح، ولو لعبنا الماتش كله بالروح دي نكسب أي حد. نقفل الصفحة ونركز في اللي جاي، والدوري طويل {clubtag}",
    ),
    az(Joy, "goooooal!!! ana sawty ra7 w el geran zamanhom 3arfo en {club} keseb 🔥 {clubtag}"),
    az(Vent, "el match da khad men 3omry {5-9} sneen.. leh keda ya {club} leh 💔"),
    az(Invite, "7ad nazel yetfarag 3la el match 3la el ahwa? ana f {spot} w 7agez tarabeza"),
    az(Joke, "a3ed afham mama el offside ba2aly sa3a, fel akher 2alet: \"tab ma yel3abo kolohom odam el gon\" 😂"),
    az(Say, "el khomasy el naharda kan 3alamy, gebt {3-4} egwan w gebt kaman shad 3adaly"),
    az(
        Poll,
        "meen a7san wa7ed le3eb lel club men weghet nazarko? ana 3andy ra2y bas {khayef|khayfa} mnko 😅 {clubtag}",
    ),
    az(Say, "sa7by beyshaga3 el ferqa el tanya w e7na lessa as7ab mn {11-15} sana, el kora 7elwa keda"),
    az(Vent, "kol mara a2ol khalas mesh hatfarag tany.. w kol mara awel wa7ed 2a3ed odam el shasha"),
    en(Joy, "what a comeback! never doubted {club} (I doubted them for 85 minutes) {clubtag}"),
    en(Say, "nothing beats watching the game in an ahwa in {spot}, {3-5} generations shouting at the same screen"),
    en(Invite, "looking for a five-a-side group around {area}, any level, I mostly run and complain"),
    en(Joke, "my fitness level: celebrated one goal, needed a substitution"),
    en(Vent, "we had {60-70}% possession and zero ideas. next match please {clubtag}"),
    mx(Joy, "الـ comeback بتاعة النهارده دي لازم تتدرس! {clubtag} 🔥"),
    mx(Vent, "الـ VAR خد وقت أطول من محاضرة الإحصا وفي الآخر no penalty 🙃"),
    mx(Say, "match day vibes: تيشيرت {club}، سندوتشين كبدة، وضغط دم عالي"),
    mx(Ask, "مين عنده تذكرة زيادة للماتش الجاي؟ DM me please، والثمن الأصلي طبعا"),
    mx(Joke, "قلت هعمل cardio، طلع الفرجة على {club} محسوبة cardio 😂"),
    az(Say, "el ahwa kolaha sektet fel penalty, 7atta el shisha wa2fet"),
    az(Joke, "baba fel match: mesh hatfarag tany. baba ba3d de2ee2a: shoot ya ebny shoooot"),
    en(Say, "grew up thinking the whole street was one family. it was just derby night"),
];
