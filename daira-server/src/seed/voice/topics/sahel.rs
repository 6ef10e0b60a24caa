//! Summer and the North Coast: the sea, the trips, the bills, the longing for both.

use super::super::PostKind::{Ask, Invite, Joke, Joy, Poll, Say, Show, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Show, "الميه فيروزي والهوا شمالي والموبايل صامت.. متدوروش عليا"),
    ar(Vent, "زجاجة مية في الساحل بـ{50-90:10} جنيه.. هشرب من البحر بقى"),
    ar(Joke, "صاحبي راح الساحل يومين ورجع بيتكلم عن \"الطيبين\" و\"الأشرار\" كإنه راجع من ملحمة"),
    ar(Ask, "شاليه لـ{5-7} أفراد {3-4} أيام في [مارينا/سيدي عبد الرحمن/الضبعة/رأس الحكمة] بسعر بني آدمين؟"),
    ar(Say, "البحر بالليل حاجة تانية، مفيش غير صوت الموج وناس بتتكلم بصوت واطي كإنها خايفة تصحيه"),
    ar(Tip, "اللي طالع على طريق الساحل: املوا البنزين قبل البوابات، وهاتوا سندوتشات من البيت. هتوفروا تمن ليلة كاملة"),
    ar(Joy, "أول غطسة في السنة! الميه متلجة والقلب وقف ثانية بس رجع مبسوط 🌊"),
    ar(Vent, "رجعت من المصيف محروق{|ة} ومفلس{|ة} ومش عايز{|ة} أكلم حد. إجازة عايزة إجازة"),
    ar(Say, "مصيف زمان: عربية واحدة فيها {8-10} أفراد، وحلة محشي، وبطيخة، وعوامة منفوخة من قبل ما نتحرك"),
    ar(Poll, "مرسى مطروح ولا الساحل؟ وليه؟ جاوبوا بالعقل مش بالعاطفة"),
    ar(Show, "غروب النهارده على الشط.. مفيش فلتر والله 🌅"),
    ar(Joke, "قلت هقرا كتاب على البحر. قريت الإهداء ونمت، وصحيت نص وشي أحمر"),
    ar(Say, "في الشتا بحس إن الصيف كان حلم، والدليل الوحيد عليه حبة رملة في الشنطة"),
    ar(Joy, "اتفقنا على المصيف، والمعجزة إن {5-8} أشخاص وافقوا على نفس الميعاد! هيتدون في التاريخ"),
    ar(
        Say,
        "يوميات رحلة اليوم الواحد اللي عملناها الأسبوع اللي فات:\n\nاتجمعنا الساعة {4-5} الفجر، يعني اتحركنا {7-8}، لإن {fname} نسيت الشاحن و{mname} نسي نفسه نايم. في السكة وقفنا {3-5} مرات: فطار، شاي، صورة مع الجمل، وحمام، وحمام تاني.\n\nوصلنا والشمس في نص السما. رمينا الشنط وجرينا على الميه بهدومنا، واحد فينا نزل بالموبايل في جيبه، الله يرحمه كان موبايل شهم.\n\nاتغدينا رز وسمك على الرملة، ولعبنا راكيت، وخسرت {3-6} أشواط بشرف. وقت الغروب سكتنا كلنا فجأة، محدش قال نسكت، بس سكتنا.\n\nرجعنا كلنا نايمين على كتاف بعض والسواق صاحي بالعافية بقدرة الشاي. مصاريف اليوم أقل من قعدة كافيه. نعيدها؟",
    ),
    az(Show, "el mayya 3amla zay el ezaz w el gaw fel 3aly.. bgd alby 🌊"),
    az(Joke, "el sahel el taieb w el sahel el shereer, w ana fel sahel el tefs 😂"),
    az(Invite, "meen nazel sahel el weekend w 3ando makan fel 3arabeya? hashel el shnat 3ala regly 3ady"),
    az(Vent, "{300-600:50} geneh 3la shezlong?? da ana kont a3od 3al raml w atfarrag 3aleih a7san"),
    az(Say, "el ba7r beysma3 w mabeyradesh, w da kol elly ana {me7tago|me7tagah}"),
    az(Joy, "khadt agaza a5eraaaan, yom wa7ed bas ba7r w shams w wala email 😭❤️"),
    az(Tip, "el shat el 3am el sobh badry abl el sa3a {8-9} beyeb2a fady w el mayya hadya, b3d keda enso"),
    az(Say, "kol sana a2ol mesh hasayef w kol sana arga3 b shanta malyana raml"),
    en(Show, "salt in my hair, sand in my bag, zero unread messages"),
    en(Joke, "went to Sahel for two days, came back with a tan and a payment plan"),
    en(Say, "the best part of any beach trip is the foul sandwich on the road at 6 am"),
    en(Ask, "quiet beach suggestions for people who don't want a DJ next to their towel?"),
    mx(Show, "bgd the vibes fel sahel 3alamya، الـ sunset النهارده خد قلبي ومشي"),
    mx(Vent, "الـ beach entrance بقى محتاج تقسيط على {12-24:6} شهر 🙃"),
    mx(Joke, "out of office: لو الموضوع urgent كلموا البحر"),
    mx(Ask, "حد عمل road trip لمطروح؟ عايز{|ة} itinerary يومين وأماكن أكل مش touristy"),
    mx(Say, "summer body مش جاهز، بس الـ summer appetite جاهز من مارس"),
    az(Say, "el ba7r elsob7 w el nas nayma.. da el sahel elly ana bageelo"),
    az(Vent, "{11-14} shanta w el 3arabeya so8ayara w lessa khalto gaya"),
    en(Vent, "the beach chair cost more than the trip. I sat on it very carefully"),
    mx(
        Say,
        "okay storytime: آخر يوم في المصيف قررنا نعمل sunrise swim، يعني نصحى قبل الشمس ونكون واقعيين مع نفسنا مرة واحدة في السنة.\n\nطبعا من {5-8} أشخاص صحي اتنين، أنا و{fname}، وكلب من الشط قرر ينضم للـ team. البحر كان flat تماما، ولا موجة، والسما لونها بيتغير كل دقيقة كإن حد بيجرب filters.\n\nقعدنا في الميه من غير كلام حوالي نص ساعة. وبعدين سمعنا بتاع الفريسكا بينادي من بعيد، الساعة ستة الصبح! جرينا عليه واحنا مبلولين، مكانش معانا كاش، قال لنا: خدوا، وبكرة ادفعوا. قلنا له احنا ماشيين النهارده. قال: يبقى السنة الجاية.\n\nso now I legally have to go back next summer علشان عليا اتنين فريسكا. best debt ever.",
    ),
];
