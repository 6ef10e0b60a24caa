//! The neighbourhood: lost and found, power and water, good neighbours, small alerts.

use super::super::PostKind::{Ask, Joy, Lost, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Lost, "لقيت بطاقة ورخصة باسم \"{mname} {surname}\" في {spot}، اللي يعرف صاحبهم يكلمني وهوصلهم له لحد البيت"),
    ar(Lost, "ضاعت مني محفظة [بني/سودا] بين {area} و{spot}، الفلوس حلال على اللي لقاها بس محتاج{|ة} الورق اللي فيها 🙏"),
    ar(Lost, "قطة شيرازي بيضا تايهة في {area} من امبارح، بتخاف من الصوت العالي. صاحبتها صغيرة ومبطلتش عياط"),
    ar(Lost, "مفاتيح عربية وميدالية على شكل [كورة/سلحفاة/بيت صغير] واقعين عند مدخل {spot}، سبتهم مع البواب"),
    ar(
        Lost,
        "راجل كبير تايه عند {area}، بيقول اسمه عم {mname} ومش فاكر العنوان. قاعد معانا وشرب شاي وبخير، شيروا يمكن حد من أهله يشوف",
    ),
    ar(
        Joy,
        "رجعت لي شنطتي اللي نسيتها في التاكسي!! السواق لف {3-4} مرات على {area} لحد ما لقى العمارة. لسه فيه ناس كده ❤️",
    ),
    ar(Vent, "المية قاطعة في {area} من {3-6} ساعات، حد عارف راجعة إمتى ولا نعبي من السبيل؟"),
    ar(Ask, "فيه حد النور قاطع عنده في {area} ولا احنا بس اللي ربنا كرمنا؟"),
    ar(Tip, "تنبيه لأهل {area}: فيه حفر جديد على ناصية الشارع من غير علامات، خلوا بالكم بالليل وخصوصا اللي راكب عجلة"),
    ar(Say, "عم {mname} البواب زرع ريحان في كل جردل فاضي قدام العمارة. الشارع بقت ريحته جنينة"),
    ar(Joy, "شباب {area} نزلوا نضفوا الجنينة ودهنوا الدكك في يوم واحد. تسلم إيديكم يا رجالة ويا بنات 👏"),
    ar(Vent, "كل يوم نفس العربية راكنة قدام باب الجراج ومكتوب عليها \"آسف مستعجل\".. مستعجل من امبارح يا باشا؟"),
    ar(Lost, "سماعة بيضا في علبة عليها استيكر {animal} ضاعت في {spot}. تمنها مش مهم بس هدية غالية عليا"),
    ar(Ask, "مين يعرف صيدلية فاتحة دلوقتي في {area} وبتوصل؟ ضروري لو سمحتم").night(),
    ar(Tip, "فيه حملة تبرع بالدم بكرة في {spot} من {9-10} الصبح للعصر. نص ساعة وكوباية عصير وممكن تنقذ حد"),
    ar(
        Say,
        "أحكي لكم على شارعنا في {area} علشان محدش بيكتب عن الحاجات دي.\n\nعندنا أم {mname} بتاعة الخضار، حافظة مين فينا بيحب الخيار صغير ومين عنده سكر. وعندنا عم {mname2} المكوجي، لو لقى جنيه في جيب القميص بيربطه في منديل ويبعته. وعندنا ولاد بيلعبوا كورة وبيقفوا لوحدهم لما حد كبير يعدي.\n\nالأسبوع اللي فات الدور الرابع حصلت عنده ماسورة بالليل، وفي {15-20:5} دقيقة كان عنده {6-9} رجالة بالجرادل وستات بالخيش، وواحد جايب عدته ومبياخدش فلوس من جيرانه.\n\nأنا عارف{|ة} إن الدنيا بقت صعبة والناس بقت تقفل بابها على نفسها، بس لسه فيه شوارع بتسأل عليك{|ي} لو غبت يومين. خافوا على شوارعكم دي، دي ثروة.",
    ),
    az(Lost, "la2et mobile f {spot} w el battareyya fasla, lw betaa3 7ad yewsefly el gerab w sorat el lock screen"),
    az(Lost, "day3 menny kees feeh {3-5} kotob koleya f microbus {area}, elly yla2eeh yekallemny rabena yekremo 🙏"),
    az(Vent, "el kahraba et2at3et w ana fel dor el {7-9} w el asanser feeh gary w 2osset 7ayato"),
    az(Ask, "7ad samee3 el soot da f {area} wala ana bas? zay tabl baladi bas mn ta7t el ard").night(),
    az(
        Joy,
        "el nas elly fel share3 2afo ma3 3am {mname} lama wa2e3 w wesslo lel mostashfa w fedlo ma3ah. ba7ebko ya {area} ❤️",
    ),
    az(Tip, "ya ahl {area} el soo2 el gedeed ba2a {weekday}, khodar taza w as3aro ma32oola. hato shonatko"),
    az(Say, "el share3 da beetna bardo, 7ot mayya lel 2otat w oul sabah el kheir lel bawab w etfarrag"),
    en(Lost, "found a small silver bracelet near {spot}. describe the charm on it and it's yours"),
    en(Lost, "lost a grey backpack on the bus to {area}, it has my notes and nothing worth stealing. please share"),
    en(Joy, "neighbours I've never met carried my fridge up {4-6} floors tonight. I owe this street a lot of tea"),
    en(Vent, "water is out in {area} again. currently washing my face with bottled water like a celebrity"),
    en(Tip, "free blood pressure check at the pharmacy in {area} this week, take your parents"),
    mx(Lost, "missing: كلب golden اسمه سيمبا، اختفى عند {spot}، friendly جدا وعليه collar أزرق"),
    mx(Ask, "حد في {area} عنده drill يسلفهولي ساعة؟ هرجعه ومعاه كيكة، deal؟"),
    mx(Vent, "street update: الحفر رجع، الـ parking راح، وصبري في الطريق"),
    mx(Joy, "update بخصوص القطة: رجعت البيت safe ونايمة على اللابتوب 😭❤️ شكرا لكل اللي شير"),
    mx(Tip, "reminder لأهل {area}: بكرة فيه تطعيم للقطط والكلاب free عند العيادة اللي جنب المدرسة"),
    az(Lost, "la2et mafatee7 3arabeya f {spot} gamb el saydaleya, ma3 el saydaly delwa2ty"),
    az(
        Say,
        "3am {mname} beta3 el khodar byeb3at el batates ma3 el welad w yektebha 3ala wara2a, el seka lessa b kheir",
    ),
    en(Say, "the whole street in {area} knows my exam results before I do. free service"),
];
