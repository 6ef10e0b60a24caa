//! Cinema and series: old black-and-white films, the queue, spoilers, the sofa.

use super::super::PostKind::{Ask, Invite, Joke, Joy, Poll, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Say, "فيلم أبيض وإسود، لب سوبر، وبطانية. الخميس اتحل"),
    ar(Ask, "رشحوا لي فيلم {genre} يتشاف مع العيلة من غير ما حد يكح فجأة ويقوم يجيب مية"),
    ar(Vent, "اللي قاعد ورايا في السينما حكى الفيلم كله قبل ما يحصل. كان ناقص يطلع يمثل"),
    ar(Joke, "في أفلامنا البطل بياخد {3-5} رصاصات ويقول جملة طويلة، وأنا لو اتخبطت في ترابيزة بنادي ماما"),
    ar(Joy, "أول فيلم قصير ليا اتعرض النهارده في نادي سينما في {spot}! {20-60:10} متفرج ضحكوا في المكان الصح"),
    ar(Poll, "إيه الجملة اللي كل ما تعدي في فيلم تقولوها قبل الممثل؟"),
    ar(Say, "عادل إمام لما يبص من غير ما يتكلم، القاعة كلها بتضحك. دي مدرسة لوحدها"),
    ar(Tip, "السينما الصغيرة اللي في {spot} حفلة {10-11} الصبح بنص التمن وفاضية، كإنك مأجر{|ة} القاعة"),
    ar(Vent, "خلصت المسلسل في ليلتين ودلوقتي قاعد{|ة} في الفراغ. ألاقي ناس زيهم فين؟"),
    ar(Joke, "ماما بتتفرج على المسلسل وبتزعق للبطلة \"متفتحيش الباب!\" وبعدين تقول لنا هو أنا قلت حاجة"),
    ar(Say, "الموسيقى التصويرية هي اللي بتعيط، احنا بنعيط معاها مجاملة"),
    ar(Poll, "نهاية مفتوحة ولا نهاية سعيدة؟ وليه النهاية السعيدة بقت عيب؟"),
    ar(Joy, "شفت فيلم طفولتي على شاشة كبيرة أخيرا.. طلعت حافظ{|ة} حتى الكحة"),
    ar(Vent, "نص ساعة بختار فيلم، نص ساعة إعلان، ونمت في التتر"),
    ar(
        Say,
        "ليه بحب السينما المصرية القديمة؟\n\nعلشان الناس فيها بتتكلم. بيقعدوا على ترابيزة سفرة ويتكلموا {4-6} دقايق من غير قطعة واحدة، وانت مش عايز تقوم. علشان البيوت شكل بيوتنا: بوفيه فيه كوبايات محدش بيشرب فيها، وصورة كبيرة لجد متعصب.\n\nعلشان الأدوار التانية. البواب والخادمة وصاحب القهوة، كل واحد فيهم داخل بجملة وطالع وانت فاكره سنين.\n\nوعلشان كل مرة بيشتغل واحد منهم على التليفزيون، بابا بيدخل الأوضة صدفة، يقول \"أنا شفته مية مرة\"، ويقعد يكمله للآخر.\n\nقولوا لي فيلم لازم أشوفه منهم وممكن يكون فاتني. مش المشهورين أوي، التانيين. {tag}",
    ),
    ar(Tip, "قبل أي فيلم {genre} اقفلوا الموبايل وخلوا الأوضة ضلمة. فرق كبير بين إنك تتفرج وإنك تقلب"),
    az(Ask, "film {genre} yekhally el wa7ed ynam mabsoot? mesh {3ayez|3ayza} nakad el naharda"),
    az(Joke, "ana: episode wa7da w anam\nel sa3a {3-5}: who needs sleep ya3ny").night(),
    az(Vent, "7ad 7ara2ly akher 7al2a fel group bta3 el 3eila. el 3eila ya gama3a!!"),
    az(
        Say,
        "el aflam el adeema feeha nas bete2oom mn el noum tefta7 el shebak w tghanny 3ady gdn, ana ba7eb el mazag da",
    ),
    az(Joy, "et2abelt f warshet el sinario!! sana men el ketaba fel delma w a5eran"),
    az(Tip, "cinema {spot} 3andohom 3oroud 7elwa wast el osboo3, w el feshar mesh b so3r el shabka"),
    az(Joke, "el batal ye2fez mn el 3omara w y2oom yengaz shoghlo, w ana el sellem el mota7arrek bey5awefny"),
    en(Say, "nobody does a kitchen-table argument like Egyptian cinema"),
    en(Ask, "which classic Egyptian film should a beginner start with? I have a free weekend and tissues"),
    en(Joke, "I don't have trust issues, I just watched that finale"),
    en(Vent, "phone brightness at full in row three. sir, that is a lighthouse"),
    en(
        Joy,
        "our short film got into the student festival in {gov}. budget: {400-900:100} pounds and one aunt's living room",
    ),
    mx(Vent, "no spoilers لو سمحتم، أنا لسه في الحلقة {3-6} وعايش{|ة} في هدوء"),
    mx(Tip, "underrated فيلم {genre} اتفرجت عليه امبارح، الـ ending خلاني أقعد ساكت{|ة} شوية. هقول اسمه في الكومنتات"),
    mx(Joke, "الـ remake زي أكل امبارح لما يتسخن في الميكروويف، بيشبع بس لا"),
    mx(Invite, "movie night في {spot} آخر الأسبوع، مين جاي؟ الفشار عليا والاختيار democratic"),
    mx(Say, "post credit scene بتاعة حياتي: أنا بدور على الشبشب"),
    az(Say, "a7san makan fel cinema akher saff, {teshoof|teshoofy} el film w el nas"),
    az(Poll, "film tefdal {teshoofo|teshoofeeh} 100 marra? ana ekhteyary ma3roof: adeem w abyad w eswed"),
    en(Say, "old Egyptian films taught me three things: courage, timing, and how to slam a door"),
];
