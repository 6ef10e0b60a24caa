//! Small businesses: offers, orders, thanks to customers, the life of a one-person shop.

use super::super::PostKind::{Ask, Joke, Joy, Poll, Promo, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(
        Promo,
        "وصلت كولكشن {goods} الجديدة 🎁 الأسعار من {60-150:10} جنيه والتوصيل لكل المحافظات. الطلب في رسايل الصفحة",
    ),
    ar(Promo, "عرض نهاية الأسبوع على {goods}: اشتري اتنين والتالتة بنص التمن. الكمية محدودة وأنا اللي بغلف بإيدي 😅"),
    ar(
        Joy,
        "النهارده الأوردر رقم {100-900:100}! بدأت بترابيزة في أوضتي ودلوقتي الترابيزة مش مكفية. شكرا لكل واحد وثق فيا ❤️",
    ),
    ar(Promo, "{goods} شغل يدوي، كل قطعة غير التانية، وممكن نكتب الاسم اللي تحبوه. التسليم خلال {3-5} أيام في {gov}"),
    ar(Vent, "\"ممكن السعر؟\" والسعر مكتوب في الصورة وفي الكلام وفي أول كومنت وعلى قلبي"),
    ar(Poll, "أنهي لون أحلى للتغليف الجديد: كحلي ولا كريمي؟ الأغلبية هتمشي كلامها"),
    ar(Tip, "لأصحاب المشاريع الصغيرة: صوروا جنب الشباك الصبح، خلفية سادة، من غير فلاش. مبيعاتي زادت من الحتة دي بس"),
    ar(Promo, "بمناسبة موسم الهدايا عملنا بوكسات فيها {goods} وكارت مكتوب بخط الإيد، من {150-300:50} جنيه 💌"),
    ar(Say, "زبونة بعتت لي صورة أمها وهي بتفتح الهدية. قعدت أعيط على كراتين الشحن زي {الأهبل|الهبلة}"),
    ar(Joke, "أنا صاحب{|ة} المشروع، والمحاسب{|ة}، وخدمة العملاء، والمندوب ساعات، واللي بيتخصم له في الآخر أنا برضه"),
    ar(Promo, "آخر {4-9} قطع من {goods} قبل ما نقفل الطلبات للأسبوع ده، واللي حاجز يأكد النهارده لو سمحتم"),
    ar(Joy, "أول مرة نشارك في بازار وكنت مرعوب{|ة}، والحمد لله رجعنا بالشنط فاضية والقلب مليان"),
    ar(Ask, "شركة شحن محترمة بتوصل الصعيد والوجه البحري ومبتضيعش الحاجة؟ تجارب حقيقية بس"),
    ar(Promo, "اللي سأل على {goods}: رجعت تاني بعد ما خلصت في يومين 🔥 أول {15-25:5} طلب شحنهم علينا"),
    ar(
        Say,
        "حكاية المشروع باختصار، علشان ناس كتير بتسأل بدأنا ازاي.\n\nمن {3-5} سنين كنت بعمل {goods} هدايا لأصحابي بس. واحدة صاحبتنا حطت صورة على صفحتها، وتاني يوم لقيت {7-9} رسايل عايزين زيها. مكنتش عارف{|ة} أسعر، بعت أول كام طلب بخسارة وأنا مبسوط{|ة}!\n\nالشحنة الأولى اتكسرت في الطريق. عملتها من الأول وبعتها على حسابي ومعاها جواب اعتذار. صاحبتها لحد النهارده أكتر واحدة بتجيب لنا ناس.\n\nاتعلمت إن الأمانة أرخص إعلان، وإن التغليف نص البيعة، وإن اللي بيفاصل ممكن يبقى أحسن زبون.\n\nلسه صغيرين، ولسه كل حاجة بتتعمل على ترابيزة السفرة في {area}، بس كل طلب جديد بفرح بيه زي أول واحد. شكرا ليكم بجد {tag}",
    ),
    az(Promo, "new drop!! {goods} gdeeda kolaha handmade 💕 el as3ar mn {90-200:10} geneh w el shipping le kol masr"),
    az(Promo, "sale 3ala {goods} lehad akher el osboo3, {20-40:10}% khasm 7a2ee2y mesh kalam 😂 DM lel talab"),
    az(Joy, "ba3etna awel order barra {gov}!! el 7elm byekbar ya gama3a 😭❤️"),
    az(Vent, "el 3ameel: momken a2al? ana: da so3r el takalef. el 3ameel: momken a2al mn a2al? 🙂"),
    az(Poll, "atla3 live awarreeko el {goods} el gedeeda el sa3a {8-10} belleil? meen hay7dar?"),
    az(
        Tip,
        "e7sebo so3r el wa2t bta3ko ya as7ab el handmade, mesh el khamat bas. ana et3allemtaha bel tare2a el sa3ba",
    ),
    az(Say, "a7la sot fel donya: notification \"you have a new order\""),
    az(Promo, "akher {3-8} 2eta3 mn {goods} w ba3d keda hane2fel lel tagheez. elly 3ayez yel7a2"),
    en(Promo, "restocked: {goods}, all handmade in {area}. from {90-250:10} EGP, delivery all over Egypt"),
    en(Promo, "weekend offer on {goods}: buy two, pick a third for half the price. message me to order"),
    en(Joy, "{200-900:100} orders since we started on a kitchen table. thank you for trusting a tiny shop"),
    en(Vent, "\"is this the final price?\" yes. it was also the first price"),
    en(Tip, "pack it as if the courier plays football with it. he does"),
    mx(Promo, "pre-order مفتوح على {goods} لحد آخر الأسبوع، والـ packaging الجديد خطف قلبنا إحنا نفسنا 🤍"),
    mx(Promo, "giveaway! بوكس فيه {goods} لـ 2 winners، اعملوا mention لحد بتحبوه وهنختار بعد {3-5} أيام 🎁"),
    mx(Joke, "small business owner ومكتبي هو السرير والـ warehouse تحته"),
    mx(Poll, "feedback please: الـ logo القديم ولا الجديد؟ متجاملوش والله هستحمل"),
    mx(Joy, "first bazaar وخلصنا sold out قبل المغرب!! إحنا مش مصدقين 😭"),
    az(Say, "ba8allef {goods} w basma3 om kalthoum, el order beyetla3 feeh 7ob mn gher fa2da"),
    az(Joke, "el nas: el mashro3 el khas rayaha w 7orreya. ana el sa3a {2-4} el fagr ba2ta3 scotch"),
    en(Say, "someone ordered {goods} for a friend she hasn't spoken to in years. I wrapped that one twice"),
];
