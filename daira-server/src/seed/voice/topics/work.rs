//! Work: the office, meetings, freelancing, first salaries, looking for a job.

use super::super::PostKind::{Ask, Joke, Joy, Poll, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Vent, "اجتماع ساعتين علشان نحدد ميعاد اجتماع.. قلبي معاكم يا موظفين الوطن"),
    ar(Joy, "اتقبلت في الشغل الجديد يا جماعة! الحمد لله بعد {3-8} شهور تدوير. اللي زهقان متيأسوش ❤️"),
    ar(Joke, "المدير: عايز شغلك يبقى فيه روح.\nأنا: روحي أنا طيب خدها وسيبني أروح بدري"),
    ar(Ask, "شركة صغيرة في {spot} محتاجة محاسب أو محاسبة خبرة سنة على الأقل، اللي يعرف حد يبعت لي"),
    ar(Say, "أول مرتب ليا جبت بيه لأمي [شبشب طبي/خلاط/طقم كوبايات]، كانت فرحانة بيه كإنه عربية"),
    ar(Vent, "الساعة {9-10} بالليل والجروب بتاع الشغل لسه \"صباح الخير يا شباب فيه تعديل بسيط\"").night(),
    ar(Tip, "قبل أي إنترفيو: اقروا عن الشركة، جهزوا سؤالين تسألوهم، ووصلوا بدري {15-20:5} دقيقة. بس كده نص المشوار"),
    ar(Say, "فنجان القهوة الأول في المكتب قبل ما حد ييجي هو المرتب الحقيقي").morning(),
    ar(Ask, "اللي بيشتغل فريلانس: بتسعروا شغلكم بالساعة ولا بالمشروع؟ أنا تهت"),
    ar(Joke, "قالوا لي \"إحنا هنا عيلة واحدة\" وفعلا، محدش بيرد على حد وكله بيتخانق على الريموت"),
    ar(Say, "زميلي النهارده غطى مكاني من غير ما أطلب. الناس الجدعة في الشغل رزق والله"),
    ar(Vent, "العميل عايز اللوجو \"بسيط بس مليان، وهادي بس يلفت\". وأنا عايز{|ة} أعيط بس بهدوء"),
    ar(Tip, "خلوا عندكم فايل تكتبوا فيه كل حاجة عملتوها في الشغل أول بأول. هتدعوا لي وقت التقييم"),
    ar(Joy, "أول مشروع باسمي خلص واتسلم، والعميل قال كلمة حلوة. يومين نوم بقى 😴"),
    ar(
        Say,
        "بقالي سنة سايب{|ة} الوظيفة الثابتة وشغال{|ة} لحسابي، وناس كتير بتسألني ندمت ولا لا. هحكي بصراحة.\n\nأول {3-4} شهور كانت خضة. مفيش مرتب آخر الشهر، وكل ما التليفون يرن قلبي يقع. كنت بصحى بدري وألبس وأقعد على السفرة كإني في المكتب علشان أقنع نفسي إني بشتغل.\n\nاتعلمت إني أقول لا، وإني أكتب كل اتفاق على ورق حتى لو مع صاحبي، وإني أشيل جزء من أي فلوس تيجي وأنساه.\n\nالمكسب؟ بفطر مع أهلي، وبنزل أتمشى العصر، وبختار مع مين أشتغل. الخسارة؟ محدش بيديني إجازة غير نفسي، ونفسي دي مدير رخم.\n\nمش مناسبة لكل الناس، بس أنا مبسوط{|ة} الحمد لله.",
    ),
    ar(
        Vent,
        "أنواع الناس في أي شغل، اختاروا انتوا أنهي واحد:\n\n- اللي بيقول \"سؤال سريع\" وبيقعد ساعة.\n- اللي بيجيب فطار للمكتب كله، وده لازم يتعمل له تمثال.\n- اللي بيبعت إيميل وبعدها ييجي يقول لك: شفت الإيميل؟\n- اللي عنده مفتاح التكييف وبيتحكم في مصير الشعوب.\n- اللي بيختفي الساعة {2-3} وبيظهر الساعة {4-5} ومحدش عارف كان فين.\n- اللي بيخلص شغله في ساكت وعمره ما اتكلم في اجتماع، وهو أصلا اللي شايل المكان.\n\nأنا في يوم واحد بقدر أكون {3-4} منهم عادي جدا 😂 {mention} ده إنت{|ي} رقم واحد صح؟",
    ),
    az(Vent, "meeting el sa3a {9-10} el sobh 3shan ne2ol sabah el kheir l ba3d 🙂").morning(),
    az(Joy, "2ebelt fel shoghl el gedeeeed!! el 7amdulellah, da3wetko wesslet 🎉"),
    az(Ask, "7ad ye3raf makan bey3mel remote fe3lan mesh \"remote bas te3ady 3aleina kol yom\"?"),
    az(Joke, "el manager: kollena team wa7ed\nbardo el manager: meen elly 3amal keda? 😂"),
    az(Tip, "e3melo update lel CV 7atta lw mabsoteen f shoghloko, mat3rafosh el forsa teegy emta"),
    az(Say, "a7la la7za fel yom lama a2fel el laptop w asma3 soto w howa by2fel. music."),
    az(Vent, "el 3ameel ba3at ta3deel raqam {11-19} w 2al \"da akher wa7ed inshallah\""),
    az(Say, "elly 3ando zameel beygeeb fetar yom el khamees ye7afez 3aleih, dol nas nadra"),
    en(Joke, "per my last email, I am also tired"),
    en(Vent, "nothing ages you like \"can you share your screen\" when you have {20-60:10} tabs open"),
    en(Joy, "signed the offer today. {4-9} months of rejection emails and one yes. keep going, people"),
    en(Ask, "freelancers in Egypt, how do you politely chase an invoice that is {30-60:10} days late?"),
    en(Tip, "write the meeting notes before the meeting. you already know what they are going to say"),
    mx(Vent, "الـ manager قال quick call وقعدنا ساعة و{20-40:10} دقيقة"),
    mx(Joke, "work life balance: بشتغل في البيت وأنام في الشغل"),
    mx(Joy, "got promoted النهارده! أول حد كلمته كان بابا، قال لي \"طب والمرتب زاد كام؟\" 😂❤️"),
    mx(Ask, "محتاجين junior designer في {spot}، hybrid ومواعيد مرنة، ابعتوا الـ portfolio في الـ DM"),
    mx(Say, "coffee first، إيميلات بعدين، قرارات مصيرية بعد الغدا"),
    az(Poll, "tero7o el office {3-4} ayam wala remote kollo? ana remote bas bel sedfa"),
    az(Joy, "el client 2al \"zay ma kont 3ayez bezabt\" mn awel marra. hab3at el gomla di lel 3eila kolaha"),
    en(Say, "every office in Egypt is held together by one tea lady and one person who knows the printer"),
    en(
        Tip,
        "Things I learned in {3-5} years of working in small teams in {gov}, in no order:\n\n- The person who makes the tea knows the real schedule.\n- Say \"I don't know yet\" early. It costs nothing on Sunday and a lot on Thursday.\n- Write down what was agreed while everyone is still in the room, then read it out loud. Half the fights never happen.\n- If somebody covers for you, tell their boss, not only them.\n- Nobody remembers the slides. Everybody remembers who stayed calm when the power went out.\n- Go home. The work will be there, it has nowhere else to go.\n\nAdd yours below, I am collecting them for the new people who start with us next month.",
    ),
];
