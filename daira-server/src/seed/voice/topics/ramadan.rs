//! Ramadan: the countdown, iftar and suhoor, lanterns, memories; no preaching.

use super::super::PostKind::{Ask, Invite, Joke, Poll, Say, Show, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Say, "وحشني رمضان.. وحشني صوت المدفع، وزحمة ما قبل المغرب، والشارع الفاضي ساعة الفطار"),
    ar(Poll, "مين بدأ العد التنازلي لرمضان من دلوقتي غيري؟ 🌙"),
    ar(Say, "أول ليلة رمضان لما العيال تعلق الزينة بين البلكونات وكل واحد فاكر نفسه مهندس كهربا"),
    ar(Joke, "في رمضان أمي بتسأل \"هتفطروا إيه بكرة؟\" واحنا لسه بناكل القطايف"),
    ar(Show, "جبت فانوس صغير من {market} بـ{80-200:20} جنيه، وحاسس{|ة} إني عندي {6-9} سنين"),
    ar(Tip, "قمر الدين: يتنقع من بالليل، يتضرب في الخلاط، معلقة مية ورد، وتلاجة. ومحدش يزود سكر بالله عليكم"),
    ar(Say, "عم {mname} المسحراتي كان بينادي علينا واحد واحد بالاسم. كنت بستنى اسمي زي جايزة"),
    ar(Poll, "كنافة بالمانجا ولا بالكريمة؟ العيلة عندنا منقسمة ومحتاجين رأي شعبي"),
    ar(Joke, "المقاومة في رمضان سهلة لحد ما تعدي على محل بلح الشام وهو بيقلي"),
    ar(Say, "أحلى سحور في الدنيا: فول، زبادي، جبنة بطماطم، وقعدة مع ناس ملهاش غرض غير إنها تقعد معاك"),
    ar(Tip, "اللي بيجهز شنط رمضان في {area}، لو ناقصكم إيدين تعبي وتوزع احنا {4-8} وجاهزين، ابعتوا لي"),
    ar(Vent, "قبل المغرب بعشر دقايق كل الناس بتسوق كإنها بتصور فيلم أكشن. بالراحة يا جماعة، الأكل مش هيطير"),
    ar(
        Say,
        "أكتر مشهد بحبه: شباب واقفين في الإشارة ساعة المغرب بيوزعوا تمر وعصير على العربيات، ومسلم ومسيحي واقفين مع بعض ❤️",
    ),
    ar(Joke, "أنا في الفطار: مش قادر{|ة} آكل حاجة.\nأنا بعد ساعة: هي القطايف خلصت؟"),
    ar(
        Say,
        "رمضان زمان عند بيت جدي في {gov}.\n\nالترابيزة الكبيرة مكانتش بتكفينا، فكنا نفرش على الأرض. الصغيرين شغلانتهم يقفوا في البلكونة يسمعوا المدفع ويجروا يقولوا \"ضرب! ضرب!\" وكل يوم حد فينا يكدب ويضرب قبل المعاد، وجدي يضحك ويقول لسه دقيقتين يا كدابين.\n\nبعد الفطار الشاي بالنعناع والفوازير، وبعدها ننزل بالفوانيس نلف على بيوت الجيران، وكل بيت يدينا حاجة: بلح، مكسرات، ربع جنيه فضة.\n\nكبرنا وكل واحد بقى في حتة، بس لسه كل سنة بنتجمع مرة في نفس البيت ونفرش على الأرض، مع إن الترابيزة دلوقتي تكفينا. بنقول الأكل على الأرض طعمه تاني.",
    ),
    ar(
        Tip,
        "خطة عزومة رمضان لـ{12-14} فرد من غير ما حد ينهار في المطبخ:\n\n- قبلها بيومين: المحشي يتقور والكفتة تتبل وتتلف وتدخل الفريزر.\n- قبلها بيوم: الحلو. أم علي أو كنافة، أي حاجة تتسخن في آخر لحظة.\n- الصبح: السلطات تتقطع من غير ليمون ولا ملح.\n- بعد العصر: الرز، والفرن ياخد صواني مش صينية صينية.\n- قبل المغرب بربع ساعة: كله يقعد! اللي على النار على النار.\n\nوأهم بند: كل ضيف بيسأل \"أجيب حاجة معايا؟\" قولوا له آه، هات مشروبات. متقولوش لا شكرا علشان شكلكم.\n\nالمواعين على الرجالة. دي مفيهاش نقاش 😌 {tag}",
    ),
    az(Say, "wa7ashtny el lamma bta3et el fetar w mama betez3a2 \"el adan! 7ado yefta7 el shorba\" 🌙"),
    az(Joke, "ana fe ramadan: hakhes\nbardo ana: {3ayez|3ayza} el atayef elly bel 2eshta w elly bel mekassarat"),
    az(Invite, "7ad ye3mel ma3aya countdown le ramadan? w hanebda2 tegheez el zeena emta?"),
    az(Tip, "el sobya el beity a7la mn bta3et barra 100 marra: roz, gooz hend, laban w vanilla, w talag kteer"),
    az(Say, "a7la 7aga el share3 abl el maghreb be khams da2aye2, sokoot ka2en el donya wa2efet"),
    az(Show, "fanoos gdeed mn {market}, el bayya3 2al {80-200:20} w khadto be nos el taman, ana fakhor{|a} b nafsy 😂"),
    az(Vent, "mosalsalat ramadan bete3red kolaha fel wa2t da leh? ana 3andy 3eineen etneen bas"),
    en(Say, "nothing on earth is as quiet as a Cairo street one minute after the maghrib cannon"),
    en(Joke, "my Ramadan plan was to eat light. then the atayef saw me"),
    en(Ask, "where do you buy a proper tin fanous these days, not the plastic singing ones?"),
    en(
        Show,
        "string lights between the balconies, paper lanterns, kids arguing about who holds the ladder. love this street",
    ),
    mx(Joke, "رمضان diet: بفطر على تمرة، وبعدها الـ diet بيفطر عليا"),
    mx(Say, "سحور مع الأصحاب في {spot} is my love language"),
    mx(Tip, "خشاف بدل soda على الفطار، trust me، المعدة هتدعي لكم"),
    mx(Ask, "حد عنده idea لزينة رمضان DIY للبلكونة؟ budget صغير وحماس كبير ✨"),
    az(Say, "share3 el mo3ez f ramadan ba3d el tarawee7.. el nas w el nour w el dosha el 7elwa"),
    az(Poll, "konafa wala atayef? w meen fel beit beye3melha a7la?"),
    en(Say, "my favourite sound is thirty spoons starting at the same second"),
];
