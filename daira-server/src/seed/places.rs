//! Where people live: the 27 governorates, their chief town and some of its neighbourhoods.

use super::voice::Script;

/// A name in Arabic and in Latin letters.
pub(crate) type Both = (&'static str, &'static str);

/// A governorate and what is said about it in posts.
#[derive(Debug)]
pub(crate) struct Governorate {
    /// Its name, for the profile.
    pub(crate) name: Both,
    /// The town people mean when they name it in a sentence.
    pub(crate) city: Both,
    /// How many of a thousand people live there, in this world.
    pub(crate) weight: usize,
    /// Neighbourhoods and squares.
    pub(crate) areas: &'static [Both],
}

impl Governorate {
    /// Cairo, Giza and Qalyubia share the metro and the Ring Road.
    pub(crate) fn is_greater_cairo(&self) -> bool {
        matches!(self.name.1, "Cairo" | "Giza" | "Qalyubia")
    }

    /// Has the sea, the tram and its own jokes.
    pub(crate) fn is_alexandria(&self) -> bool {
        self.name.1 == "Alexandria"
    }
}

/// The form of a name that suits a script.
pub(crate) const fn in_script(both: Both, script: Script) -> &'static str {
    match script {
        Script::Masry | Script::Mixed => both.0,
        Script::Arabizi | Script::English => both.1,
    }
}

const fn gov(name: Both, city: Both, weight: usize, areas: &'static [Both]) -> Governorate {
    Governorate { name, city, weight, areas }
}

/// The governorates of Egypt.
pub(crate) const GOVERNORATES: [Governorate; 27] = [
    gov(
        ("القاهرة", "Cairo"),
        ("القاهرة", "Cairo"),
        330,
        &[
            ("المعادي", "Maadi"),
            ("مدينة نصر", "Nasr City"),
            ("مصر الجديدة", "Heliopolis"),
            ("شبرا", "Shubra"),
            ("وسط البلد", "Downtown"),
            ("الزمالك", "Zamalek"),
            ("التجمع", "Tagamoa"),
            ("حلوان", "Helwan"),
            ("عين شمس", "Ain Shams"),
            ("المطرية", "Matareya"),
            ("السيدة زينب", "Sayeda Zeinab"),
            ("العباسية", "Abbaseya"),
            ("حدايق القبة", "Hadayek el Kobba"),
            ("المقطم", "Mokattam"),
            ("الرحاب", "Rehab"),
        ],
    ),
    gov(
        ("الجيزة", "Giza"),
        ("الجيزة", "Giza"),
        170,
        &[
            ("الدقي", "Dokki"),
            ("المهندسين", "Mohandessin"),
            ("الهرم", "Haram"),
            ("فيصل", "Faisal"),
            ("إمبابة", "Imbaba"),
            ("أكتوبر", "October"),
            ("الشيخ زايد", "Sheikh Zayed"),
            ("العجوزة", "Agouza"),
            ("المنيل", "Manial"),
        ],
    ),
    gov(
        ("الإسكندرية", "Alexandria"),
        ("اسكندرية", "Alex"),
        130,
        &[
            ("سموحة", "Smouha"),
            ("سيدي جابر", "Sidi Gaber"),
            ("ميامي", "Miami"),
            ("محطة الرمل", "Raml Station"),
            ("بحري", "Bahary"),
            ("العجمي", "Agami"),
            ("جليم", "Gleem"),
            ("لوران", "Louran"),
            ("كليوباترا", "Cleopatra"),
        ],
    ),
    gov(
        ("القليوبية", "Qalyubia"),
        ("بنها", "Banha"),
        50,
        &[("شبرا الخيمة", "Shubra el Kheima"), ("الفلل", "el Villal"), ("الأهرام", "el Ahram"), ("الخانكة", "Khanka")],
    ),
    gov(
        ("الدقهلية", "Dakahlia"),
        ("المنصورة", "Mansoura"),
        50,
        &[("المشاية", "el Mashaya"), ("توريل", "Toriel"), ("حي الجامعة", "Hay el Gam3a"), ("جديلة", "Gedela")],
    ),
    gov(
        ("الشرقية", "Sharqia"),
        ("الزقازيق", "Zagazig"),
        40,
        &[
            ("القومية", "el Qawmeya"),
            ("فلل الجامعة", "Villal el Gam3a"),
            ("العاشر", "el 3asher"),
            ("المحافظة", "el Mohafza"),
        ],
    ),
    gov(
        ("الغربية", "Gharbia"),
        ("طنطا", "Tanta"),
        35,
        &[("شارع البحر", "share3 el Bahr"), ("الاستاد", "el Estad"), ("سعيد", "Sa3id"), ("المحلة", "Mahalla")],
    ),
    gov(
        ("المنوفية", "Menoufia"),
        ("شبين الكوم", "Shebin"),
        25,
        &[("البر الشرقي", "el Barr el Shar2y"), ("ميدان شرف", "midan Sharaf"), ("قويسنا", "Quesna")],
    ),
    gov(
        ("البحيرة", "Beheira"),
        ("دمنهور", "Damanhour"),
        22,
        &[("شبرا دمنهور", "Shubra Damanhour"), ("أبو الريش", "Abo el Reesh"), ("كفر الدوار", "Kafr el Dawwar")],
    ),
    gov(
        ("كفر الشيخ", "Kafr El Sheikh"),
        ("كفر الشيخ", "Kafr el Sheikh"),
        15,
        &[("سخا", "Sakha"), ("دسوق", "Desouk"), ("شارع النبوي", "share3 el Nabawy")],
    ),
    gov(
        ("دمياط", "Damietta"),
        ("دمياط", "Domyat"),
        15,
        &[("راس البر", "Ras el Bar"), ("الكورنيش", "el Corniche"), ("دمياط الجديدة", "New Domyat")],
    ),
    gov(
        ("بورسعيد", "Port Said"),
        ("بورسعيد", "Port Said"),
        20,
        &[("حي الشرق", "Hay el Shar2"), ("بورفؤاد", "Port Fouad"), ("حي العرب", "Hay el 3arab")],
    ),
    gov(
        ("الإسماعيلية", "Ismailia"),
        ("الإسماعيلية", "Ismailia"),
        18,
        &[("الشيخ زايد", "Sheikh Zayed"), ("نمرة ستة", "Nemra 6"), ("حي السلام", "Hay el Salam")],
    ),
    gov(
        ("السويس", "Suez"),
        ("السويس", "Suez"),
        15,
        &[("بورتوفيق", "Port Tawfik"), ("الأربعين", "el Arb3een"), ("الملاحة", "el Mallaha")],
    ),
    gov(
        ("الفيوم", "Faiyum"),
        ("الفيوم", "Fayoum"),
        15,
        &[("السواقي", "el Sawa2y"), ("الحادقة", "el Hadqa"), ("المسلة", "el Mesalla")],
    ),
    gov(
        ("بني سويف", "Beni Suef"),
        ("بني سويف", "Beni Suef"),
        12,
        &[("مقبل", "Mo2bel"), ("الغمراوي", "el Ghamrawy"), ("شرق النيل", "Shar2 el Nil")],
    ),
    gov(
        ("المنيا", "Minya"),
        ("المنيا", "Menya"),
        18,
        &[("أرض سلطان", "Ard Sultan"), ("شلبي", "Shalaby"), ("الحبشي", "el Habashy")],
    ),
    gov(
        ("أسيوط", "Assiut"),
        ("أسيوط", "Assiut"),
        18,
        &[("النميس", "el Nemeis"), ("فريال", "Ferial"), ("الوليدية", "el Waleedeya")],
    ),
    gov(
        ("سوهاج", "Sohag"),
        ("سوهاج", "Sohag"),
        12,
        &[("الشهيد", "el Shaheed"), ("الزهراء", "el Zahraa"), ("أخميم", "Akhmim")],
    ),
    gov(
        ("قنا", "Qena"),
        ("قنا", "Qena"),
        9,
        &[("الشئون", "el Sho2oon"), ("المنشية", "el Mansheya"), ("نجع حمادي", "Nag3 Hammadi")],
    ),
    gov(
        ("الأقصر", "Luxor"),
        ("الأقصر", "Luxor"),
        10,
        &[("الكرنك", "el Karnak"), ("البر الغربي", "el Barr el Gharby"), ("شارع التليفزيون", "share3 el Television")],
    ),
    gov(
        ("أسوان", "Aswan"),
        ("أسوان", "Aswan"),
        12,
        &[("غرب سهيل", "Gharb Soheil"), ("الكورنيش", "el Corniche"), ("أطلس", "Atlas")],
    ),
    gov(
        ("البحر الأحمر", "Red Sea"),
        ("الغردقة", "Hurghada"),
        10,
        &[("الدهار", "el Dahar"), ("السقالة", "Sekalla"), ("الممشى", "el Mamsha")],
    ),
    gov(
        ("مطروح", "Matrouh"),
        ("مطروح", "Matrouh"),
        8,
        &[("الكورنيش", "el Corniche"), ("عجيبة", "3ageeba"), ("شارع اسكندرية", "share3 Eskendereya")],
    ),
    gov(
        ("جنوب سيناء", "South Sinai"),
        ("شرم", "Sharm"),
        8,
        &[("نعمة", "Na3ma"), ("السوق القديم", "Old Market"), ("الهضبة", "el Hadaba")],
    ),
    gov(
        ("شمال سيناء", "North Sinai"),
        ("العريش", "Arish"),
        5,
        &[("الضاحية", "el Dahya"), ("المساعيد", "el Masa3eed"), ("شارع البحر", "share3 el Bahr")],
    ),
    gov(
        ("الوادي الجديد", "New Valley"),
        ("الخارجة", "Kharga"),
        5,
        &[("البساتين", "el Basateen"), ("السوق", "el Soo2"), ("الداخلة", "Dakhla")],
    ),
];
