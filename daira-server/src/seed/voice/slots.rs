//! What stands in the holes of a line, and the hashtags of each topic.
//!
//! A slot has one list for each of Arabic, Arabizi and English. Where it belongs to the person (their cat, their club,
//! what they sell), the three lists are translations of each other in the same order, so that the cat keeps its name
//! when the writer changes script.

use super::{Script, Topic};

/// A slot and its fillers.
#[derive(Debug)]
pub(super) struct Slot {
    name: &'static str,
    /// Belongs to the person; the number says which of the person's traits chooses it.
    pub(super) own: Option<u32>,
    arabic: &'static [&'static str],
    arabizi: &'static [&'static str],
    english: &'static [&'static str],
}

impl Slot {
    /// The fillers that suit a script.
    pub(super) const fn fillers(&self, script: Script) -> &'static [&'static str] {
        match script {
            Script::Masry | Script::Mixed => self.arabic,
            Script::Arabizi => self.arabizi,
            Script::English => self.english,
        }
    }
}

/// The slot of that name.
pub(super) fn slot(name: &str) -> Option<&'static Slot> {
    SLOTS.iter().find(|slot| slot.name == name)
}

type Words = &'static [&'static str];

/// A slot that is drawn anew for every post.
const fn any(name: &'static str, arabic: Words, arabizi: Words, english: Words) -> Slot {
    Slot { name, own: None, arabic, arabizi, english }
}

/// A slot that stays with the person, chosen by the trait of that number.
const fn own(name: &'static str, by: u32, arabic: Words, arabizi: Words, english: Words) -> Slot {
    Slot { name, own: Some(by), arabic, arabizi, english }
}

const SLOTS: &[Slot] = &[
    own(
        "club",
        0,
        &["الأهلي", "الزمالك", "الأهلي", "الزمالك", "الأهلي", "الإسماعيلي", "الاتحاد", "المصري"],
        &["el ahly", "el zamalek", "el ahly", "el zamalek", "el ahly", "el ismaily", "el etti7ad", "el masry"],
        &["Ahly", "Zamalek", "Ahly", "Zamalek", "Ahly", "Ismaily", "Al Ittihad", "Al Masry"],
    ),
    own(
        "clubtag",
        0,
        &["#الأهلي", "#الزمالك", "#الأهلي", "#الزمالك", "#الأهلي", "#الإسماعيلي", "#الاتحاد_السكندري", "#النادي_المصري"],
        &["#ElAhly", "#ElZamalek", "#Al_Ahly", "#Zamalek", "#ElAhly", "#Ismaily", "#Etti7ad", "#ElMasry"],
        &["#AlAhly", "#Zamalek", "#ElAhly", "#ElZamalek", "#Al_Ahly", "#Ismaily", "#AlIttihad", "#AlMasry"],
    ),
    own(
        "cat",
        1,
        &["مشمشة", "لوزة", "بسبوسة", "سكرة", "فلفلة", "زيتونة", "بندقة", "لولي", "كراميلا", "ملوخية"],
        &[
            "meshmesha",
            "loza",
            "basboosa",
            "sokkara",
            "felfela",
            "zatoona",
            "bondo2a",
            "lolly",
            "karamella",
            "molokheya",
        ],
        &[
            "Meshmesha",
            "Loza",
            "Basbousa",
            "Sokkara",
            "Felfela",
            "Zatouna",
            "Bondo2a",
            "Lolly",
            "Caramella",
            "Molokheya",
        ],
    ),
    own(
        "goods",
        2,
        &[
            "الشموع المعطرة",
            "إكسسوارات النحاس",
            "شنط الكروشيه",
            "المجات المطبوعة",
            "النباتات الصغيرة",
            "النوتات الهاند ميد",
            "الكريمات الطبيعية",
            "لعب الخشب",
        ],
        &[
            "shemoo3",
            "accessories na7as",
            "shonat crochet",
            "magat matboo3a",
            "nabatat zeena",
            "nootat w agendat",
            "kremat tabee3eya",
            "le3ab khashab",
        ],
        &[
            "scented candles",
            "brass jewellery",
            "crochet bags",
            "printed mugs",
            "little plants",
            "hand-bound notebooks",
            "natural creams",
            "wooden toys",
        ],
    ),
    own(
        "cafe",
        3,
        &["القهوة اللي على الناصية", "قهوة المحطة", "كافيه السطوح", "القهوة اللي ورا السوق", "قهوة الميدان"],
        &[
            "el ahwa elly 3al nasya",
            "ahwet el ma7atta",
            "cafe el sotoo7",
            "el ahwa elly wara el soo2",
            "ahwet el midan",
        ],
        &["the corner ahwa", "the station ahwa", "the rooftop café", "the ahwa behind the market", "the square's ahwa"],
    ),
    own(
        "college",
        4,
        &["تجارة", "هندسة", "طب", "حقوق", "آداب", "علوم", "صيدلة"],
        &["tegara", "handasa", "teb", "7o2oo2", "adab", "3oloom", "saydala"],
        &["Commerce", "Engineering", "Medicine", "Law", "Arts", "Science", "Pharmacy"],
    ),
    own(
        "subject",
        4,
        &["المحاسبة", "الميكانيكا", "التشريح", "القانون التجاري", "النقد", "الإحصا", "الكيميا العضوية"],
        &["el mo7asba", "el mechanica", "el tashree7", "el qanoon el togary", "el na2d", "el e7sa", "el organic"],
        &["accounting", "mechanics", "anatomy", "commercial law", "criticism", "statistics", "organic chemistry"],
    ),
    any(
        "dish",
        &["كشري", "محشي", "ملوخية", "حواوشي", "مسقعة", "فتة", "طاجن بامية", "سمك سنجاري", "مكرونة بشاميل", "كبدة"],
        &["koshary", "ma7shy", "molokheya", "7awawshy", "mesa22a3a", "fatta", "tagen bamya", "samak singary"],
        &["koshari", "mahshi", "molokheya", "hawawshi", "mesa22a3a", "fatta", "okra stew", "grilled fish"],
    ),
    any(
        "dishf",
        &["الملوخية", "الفتة", "المسقعة", "صينية البشاميل"],
        &["el molokheya", "el fatta", "el mesa22a3a", "seneyet el bechamel"],
        &["the molokheya", "the fatta", "the moussaka"],
    ),
    any(
        "sweet",
        &["رز بلبن", "بسبوسة", "كنافة", "أم علي", "قطايف", "عاشورا"],
        &["roz belaban", "basboosa", "konafa", "om 3aly", "atayef"],
        &["rice pudding", "basbousa", "konafa", "om ali"],
    ),
    any(
        "drink",
        &["السحلب", "الكركديه", "التمر هندي", "السوبيا"],
        &["sahlab", "karkadeh", "tamr hendy", "sobya"],
        &["sahlab", "karkadeh", "sobya"],
    ),
    any(
        "station",
        &["الشهداء", "العتبة", "السادات", "الدقي", "جامعة القاهرة", "سراي القبة", "المرج الجديدة", "حلوان"],
        &[
            "el shohadaa",
            "el 3ataba",
            "el sadat",
            "el do22y",
            "game3et el qahera",
            "saray el 2obba",
            "el marg",
            "7elwan",
        ],
        &["Shohadaa", "Attaba", "Sadat", "Dokki", "Cairo University", "Saray el Kobba"],
    ),
    any("line", &["حلوان", "شبرا", "العباسية"], &["7elwan", "shobra", "el 3abbaseya"], &["Helwan", "Shubra"]),
    any(
        "ring",
        &["المريوطية", "المنيب", "الأوتوستراد", "المرج", "صفط", "القطامية"],
        &["el maryouteya", "el moneeb", "el autostrad", "el marg", "saft", "el qattameya"],
        &["Maryouteya", "Moneeb", "the Autostrad", "Marg"],
    ),
    any(
        "city",
        &["أسيوط", "المنيا", "طنطا", "المنصورة", "الأقصر"],
        &["assiut", "el menya", "tanta"],
        &["Luxor", "Tanta"],
    ),
    any(
        "trip",
        &["دهب", "سيوة", "أسوان", "الأقصر", "الفيوم", "نويبع", "رشيد"],
        &["dahab", "siwa", "aswan", "lo2sor", "el fayoum", "nuweiba3"],
        &["Dahab", "Siwa", "Aswan", "Luxor", "Fayoum", "Nuweiba"],
    ),
    any(
        "market-cairo",
        &["وكالة البلح", "العتبة", "الموسكي", "خان الخليلي", "سوق الجمعة"],
        &["wekalet el bala7", "el 3ataba", "el mosky", "khan el khalili"],
        &["Wekalet el Balah", "Attaba", "Mosky", "Khan el Khalili"],
    ),
    any(
        "market-alexandria",
        &["زنقة الستات", "المنشية", "سوق راتب"],
        &["zan2et el setat", "el mansheya"],
        &["Zan2et el Setat", "Manshia"],
    ),
    any(
        "market",
        &["السوق القديم", "سوق البلد", "شارع المحلات"],
        &["el soo2 el adeem", "soo2 el balad", "share3 el ma7allat"],
        &["the old market", "the town market"],
    ),
    any(
        "singer",
        &["أم كلثوم", "فيروز", "عبد الحليم", "محمد منير", "ليلى مراد", "وردة"],
        &["om kalthoum", "fayrouz", "3abd el 7aleem", "mounir", "warda"],
        &["Om Kalthoum", "Fairuz", "Mounir", "Warda"],
    ),
    any(
        "genre",
        &["كوميدي", "رعب", "بوليسي", "أكشن", "قديم"],
        &["comedy", "ro3b", "bolisy", "action", "adeem"],
        &["comedy", "horror", "crime"],
    ),
    any(
        "hobby",
        &["بادل", "تنس", "اسكواش", "بسكت", "فولي", "شطرنج"],
        &["padel", "tennis", "squash", "basket", "volley"],
        &["padel", "tennis", "squash", "basketball", "volleyball"],
    ),
    any(
        "animal",
        &["بطة", "سلحفاة", "باندا", "فيل", "ديناصور"],
        &["batta", "sol7efa", "panda", "feel"],
        &["a duck", "a turtle", "a panda"],
    ),
    any(
        "weekday",
        &["كل سبت", "كل تلات", "كل خميس"],
        &["kol yom sabt", "kol yom talat", "kol yom khamees"],
        &["every Saturday", "every Tuesday"],
    ),
    any("nawa", &["المكنسة", "قاسم", "الفيضة الكبيرة", "الكرم"], &["el maknasa", "qasem"], &["Maknasa", "Qassem"]),
    any("alexfood", &["محطة الرمل", "بحري", "كليوباترا"], &["ma7attet el raml", "ba7ary"], &["Raml Station", "Bahary"]),
];

/// Hashtags of a topic: in Arabic letters, in Latin letters. Spellings vary on purpose.
pub(super) const fn tags(topic: Topic) -> (Words, Words) {
    match topic {
        Topic::Daily => (&["#يوميات", "#البيت_المصري", "#حياتنا"], &["#yawmeyat", "#EgyptianLife", "#7ayatna"]),
        Topic::Transport => (&["#مواصلات", "#الدائري", "#مترو_الأنفاق"], &["#Mowaslat", "#RingRoad", "#metro"]),
        Topic::Asking => (&["#سؤال", "#ترشيحات", "#حد_يعرف"], &["#so2al", "#Recommendations", "#AskEgypt"]),
        Topic::Street => (&["#حينا", "#مفقودات", "#جيراننا"], &["#7ayena", "#LostAndFound", "#neighbours"]),
        Topic::Weather => (&["#الطقس", "#مطر", "#شتا"], &["#weather", "#Matar", "#sheta"]),
        Topic::Football => (&["#كورة", "#الدوري_المصري", "#الدورى_المصرى"], &["#kora", "#EgyptianLeague", "#ElDawry"]),
        Topic::Food => (&["#أكل", "#اكل_مصري", "#كشري"], &["#EgyptianFood", "#akl", "#koshary"]),
        Topic::Study => (&["#ثانوية_عامة", "#مذاكرة", "#جامعة"], &["#thanaweya", "#mozakra", "#StudyGram"]),
        Topic::Work => (&["#شغل", "#وظايف", "#فريلانس"], &["#shoghl", "#Jobs", "#freelance"]),
        Topic::Weddings => (&["#أفراح", "#فرح", "#عقبالكم"], &["#afra7", "#EgyptianWedding", "#zaffa"]),
        Topic::Ramadan => (&["#رمضان", "#رمضان_كريم", "#فانوس"], &["#Ramadan", "#ramadan_kareem", "#fanous"]),
        Topic::Sahel => (&["#الساحل", "#مصيف", "#البحر"], &["#Sahel", "#ElSahel", "#summer"]),
        Topic::Alexandria => (&["#اسكندرية", "#الإسكندرية", "#الكورنيش"], &["#Alexandria", "#Alex", "#eskendereya"]),
        Topic::Tech => (&["#تكنولوجيا", "#برمجة", "#تقنية"], &["#tech", "#Programming", "#barmaga"]),
        Topic::Photo => (&["#تصوير", "#فوتوغرافيا", "#شوارع_مصر"], &["#photography", "#StreetsOfEgypt", "#tasweer"]),
        Topic::Jokes => (&["#نكتة", "#نكت", "#ضحك"], &["#nokta", "#nokat", "#de7k"]),
        Topic::Shop => (&["#هاند_ميد", "#مشروع_صغير", "#شغل_يدوي"], &["#handmade", "#SupportLocal", "#small_business"]),
        Topic::Verse => (&["#خواطر", "#شعر_عامي", "#كلام"], &["#5awater", "#poetry", "#khawater"]),
        Topic::Music => (&["#مزيكا", "#طرب", "#أغاني"], &["#mazzika", "#music", "#tarab"]),
        Topic::Cinema => (&["#سينما", "#أفلام", "#افلام_زمان"], &["#cinema", "#Aflam", "#movies"]),
        Topic::Reels => (&["#ريلز", "#يوم_في_حياتي", "#كواليس"], &["#reels", "#vlog", "#DayInMyLife"]),
        Topic::Coffee => (&["#قهوة", "#قهوة_الصبح", "#القهوة"], &["#ahwa", "#coffee", "#2ahwa"]),
        Topic::Bargains => (&["#توفير", "#عروض", "#باقات_النت"], &["#tawfeer", "#Thrift", "#3orood"]),
        Topic::Cats => (&["#قطط", "#قطتي", "#تبني"], &["#cats", "#otat", "#AdoptDontShop"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_person_is_translated_one_to_one() {
        for slot in SLOTS.iter().filter(|slot| slot.own.is_some()) {
            assert_eq!(slot.arabic.len(), slot.arabizi.len(), "{}", slot.name);
            assert_eq!(slot.arabic.len(), slot.english.len(), "{}", slot.name);
        }
        assert!(
            SLOTS.iter().all(|slot| !slot.arabic.is_empty() && !slot.arabizi.is_empty() && !slot.english.is_empty())
        );
    }
}
