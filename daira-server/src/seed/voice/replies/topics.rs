//! Comments that know what the post is about, and mentions that call a friend to look.

use super::super::PostKind::{Ask, Invite, Joke, Joy, Poll, Promo, Say, Show, Tip, Vent, Verse};
use super::super::Topic;
use super::{Remark, ar, az, en, mx};

/// What people write under a post on the given topic.
pub(super) const fn remarks(topic: Topic) -> &'static [Remark] {
    match topic {
        Topic::Daily => DAILY,
        Topic::Football => FOOTBALL,
        Topic::Food => FOOD,
        Topic::Transport => TRANSPORT,
        Topic::Study => STUDY,
        Topic::Work => WORK,
        Topic::Weddings => WEDDINGS,
        Topic::Ramadan => RAMADAN,
        Topic::Sahel => SAHEL,
        Topic::Alexandria => ALEX,
        Topic::Tech => TECH,
        Topic::Photo => PHOTO,
        Topic::Jokes => JOKES,
        Topic::Asking => ASKING,
        Topic::Street => STREET,
        Topic::Shop => SHOP,
        Topic::Verse => VERSES,
        Topic::Weather => WEATHER,
        Topic::Music => MUSIC,
        Topic::Cinema => CINEMA,
        Topic::Reels => REELS,
        Topic::Coffee => COFFEE,
        Topic::Bargains => BARGAINS,
        Topic::Cats => CATS,
    }
}

const DAILY: &[Remark] = &[
    ar("البيوت المصرية كلها بيت واحد والله").on(&[Say, Joke, Vent, Poll]),
    ar("ماما عندنا نفس النسخة بالظبط").on(&[Say, Joke]),
    ar("قعدة البلكونة دي متتقدرش بتمن").on(&[Say]),
    az("nafs el beit nafs el seenario 😂").on(&[Say, Joke, Vent, Poll]),
    en("every Egyptian household, honestly").on(&[Say, Joke, Poll]),
    mx("home sweet home بكل الدوشة").on(&[Say, Joke, Vent]),
];

const FOOTBALL: &[Remark] = &[
    ar("اللي جاي أحسن بإذن الله").on(&[Vent]),
    ar("الروح الرياضية حلوة، مبروك للي كسب").on(&[Joy, Say]),
    ar("التحكيم برضه كان عليه العين").on(&[Vent]),
    ar("مدرب كبير ضاع في صفحتنا دي 😂"),
    ar("أنا مع الفريق التاني بس كلامك صح"),
    az("el match el gai beta3na inshallah").on(&[Vent, Say]),
    az("el defa3 lazem yetzabat el awel").on(&[Vent]),
    en("win or lose, still ours").on(&[Vent, Say, Joy]),
    mx("what a match، قلبي وقف").on(&[Joy, Vent]),
];

const FOOD: &[Remark] = &[
    ar("بالهنا والشفا 😋").on(&[Say, Joy, Show]),
    ar("جوعتونا والله").on(&[Say, Joy, Show, Tip]),
    ar("تسلم الإيد اللي عملت").on(&[Joy, Show, Say]),
    ar("الريحة وصلت {area}").on(&[Say, Joy, Show]),
    ar("العنوان فين بسرعة").on(&[Tip, Show]),
    az("go3t w ana lessa wakel 😂").on(&[Say, Joy, Show, Tip, Joke]),
    az("bel hana wel shefa").on(&[Say, Joy, Show]),
    en("now I'm hungry, thanks").on(&[Say, Joy, Show, Tip]),
    mx("recipe please، متتأخر<ش|يش>").on(&[Joy, Show]),
];

const TRANSPORT: &[Remark] = &[
    ar("توصل<|ي> بالسلامة").on(&[Vent]),
    ar("أنا وراك<|ي> بتلات عربيات على ما أعتقد").on(&[Vent]),
    ar("الطريق ده محتاج طبق اليوم وخيمة").on(&[Vent, Tip]),
    ar("السواقين دول فلاسفة مظلومين").on(&[Joke, Say]),
    az("ana fe nafs el za7ma, ta3ala neshrab shay").on(&[Vent]),
    az("rabena <ma3ak|ma3aky>, el tare2 wa2ef mn el sob7").on(&[Vent, Tip]),
    en("see you all there in two hours").on(&[Vent]),
    mx("stay safe، الطريق صعب").on(&[Vent, Tip]),
];

const STUDY: &[Remark] = &[
    ar("ربنا يوفقك"),
    ar("شد<|ي> حيلك، هانت").on(&[Vent, Ask]),
    ar("فكرت<|ي>ني بأيام الكلية، كانت أحلى أيام"),
    ar("دعواتي لكل الطلبة والله"),
    ar("المادة دي شايلة نص الدفعة").on(&[Vent, Ask, Tip, Joke]),
    az("rabena <ma3ak|ma3aky> inshallah temtyaz").on(&[Vent, Ask]),
    az("ana lessa mafata7tesh el ketab 🙂").on(&[Vent, Joke, Ask]),
    en("you've got this").on(&[Vent, Ask]),
    mx("good luck، بالتوفيق يا رب").on(&[Vent, Ask]),
];

const WORK: &[Remark] = &[
    ar("ربنا يرزقك بالأحسن").on(&[Ask, Vent, Joy]),
    ar("كل الشركات عندها نفس الشخص ده").on(&[Vent, Joke]),
    ar("بالتوفيق في اللي جاي").on(&[Joy, Ask]),
    ar("المرتب نفسه بيضحك علينا").on(&[Vent, Joke]),
    az("e7na nafs el sherka wala eh? 😂").on(&[Vent, Joke]),
    az("bel tawfee2 ya rab").on(&[Joy, Ask]),
    en("every office has one").on(&[Vent, Joke]),
    mx("corporate life في جملة واحدة").on(&[Vent, Joke]),
];

const WEDDINGS: &[Remark] = &[
    ar("ربنا يتمم بخير ويجعلها جوازة العمر").on(&[Joy]),
    ar("زغروطة كبيرة من {gov} 🎉").on(&[Joy]),
    ar("عقبال عندك").on(&[Joy, Say]),
    ar("العيلة المصرية مدرسة"),
    az("lolololoy 🎉").on(&[Joy]),
    az("o2bal <3andak|3andek> ya rab").on(&[Joy, Say]),
    en("may they be happy always").on(&[Joy]),
    mx("the zaffa كانت أحلى حاجة أكيد").on(&[Joy, Say]),
];

const RAMADAN: &[Remark] = &[
    ar("ربنا يبلغنا رمضان كلنا"),
    ar("وحشتني اللمة دي أوي"),
    ar("كل سنة وانتوا طيبين"),
    ar("القطايف متتعايرش بالعدد").on(&[Joke, Poll, Say]),
    az("kol sana w ento tayebeen"),
    az("allahom balleghna ramadan"),
    en("the best month on this street"),
    mx("Ramadan vibes وحشتني 🌙"),
];

const SAHEL: &[Remark] = &[
    ar("خدونا معاكم في الشنطة").on(&[Show, Joy, Say]),
    ar("البحر وحشني"),
    ar("ادفع<|ي> وانت<|ي> ساكت<|ة> زينا 😂").on(&[Vent, Joke]),
    ar("الميه دي بتغسل التعب").on(&[Show, Joy]),
    az("khodoona ma3ako").on(&[Show, Joy, Say]),
    az("el ba7r wa7ashny awy"),
    en("take me there right now").on(&[Show, Joy, Say]),
    mx("the vibes عالمية فعلا").on(&[Show, Joy, Say]),
];

const ALEX: &[Remark] = &[
    ar("اسكندرية كمان وكمان"),
    ar("ريحة البحر وصلت"),
    ar("أيوة يا جدعان"),
    az("alex ya gameela"),
    en("I miss this city every single day"),
    mx("Alex is a mood طول السنة"),
];

const TECH: &[Remark] = &[
    ar("جربت<|ي> تقفله وتفتحه؟ 😂").on(&[Vent, Ask]),
    ar("معلومة مهمة، لازم أهالينا تعرفها").on(&[Tip]),
    ar("البرمجة 10% كود و90% دعاء"),
    az("<garrab te3mel|garraby te3mely> restart").on(&[Vent, Ask]),
    az("nafs el bug 3andy mn shahr").on(&[Vent, Joy, Say]),
    en("it's always a typo").on(&[Vent, Joy]),
    mx("backup يا جماعة backup").on(&[Vent, Tip]),
];

const PHOTO: &[Remark] = &[
    ar("العين قبل العدسة، تسلم").on(&[Show, Joy]),
    ar("كادر مظبوط جدا").on(&[Show]),
    ar("الضوء لوحده حكاية").on(&[Show]),
    ar("فين المكان ده؟").on(&[Show]),
    ar("خلفية للموبايل بعد إذنك").on(&[Show]),
    az("tslam <3einak|3einek>").on(&[Show]),
    az("fen da?? {3ayez|3ayza} aroo7").on(&[Show]),
    en("the light here, wow").on(&[Show]),
    en("wallpaper material").on(&[Show]),
    mx("location please؟ لازم أروح").on(&[Show]),
    ar("بأي كاميرا دي؟").on(&[Show]),
    ar("الأبيض وإسود كان هيبقى تحفة كمان").on(&[Show]),
    az("el framing helw awy").on(&[Show]),
    en("that composition though").on(&[Show]),
    mx("lighting مظبوط بالمللي").on(&[Show]),
];

const JOKES: &[Remark] = &[
    ar("جدي كان بيقولها من سنة ستين").on(&[Joke]),
    ar("سجلتها في قايمة النكت البايخة المحترمة").on(&[Joke]),
    ar("طب عندي واحدة أبوخ منها").on(&[Joke, Poll]),
    az("3andy wa7da abwakh menha").on(&[Joke, Poll]),
    en("dad joke certified").on(&[Joke]),
    mx("10/10 وفيهم خصم على البواخة").on(&[Joke]),
];

const ASKING: &[Remark] = &[
    ar("سؤال مهم والله، مستني{|ة} الردود").on(&[Ask, Poll]),
    ar("اللي عنده خبرة يتكلم، احنا بنسمع").on(&[Ask]),
    ar("كل واحد وتجربته، بس أنا كنت مبسوط{|ة}").on(&[Tip, Say]),
    az("so2al fe el gon").on(&[Ask, Poll]),
    en("great question, grabbing tea").on(&[Ask, Poll]),
    mx("poll ده ولا خناقة؟ 😂").on(&[Poll]),
];

const STREET: &[Remark] = &[
    ar("الناس دي طول عمرها جدعة").on(&[Joy, Say]),
    ar("شكرا على التنبيه، كنت لسه نازل{|ة}").on(&[Tip]),
    ar("عندنا نفس الموضوع في الشارع").on(&[Vent, Ask]),
    az("nafs el 7aga 3andena fel share3").on(&[Vent, Ask]),
    en("thanks for the heads-up").on(&[Tip]),
    mx("good neighbours رزق بجد").on(&[Joy, Say]),
];

const SHOP: &[Remark] = &[
    ar("شغل إيد يفرح القلب").on(&[Promo, Joy, Say]),
    ar("دعم المشاريع الصغيرة واجب 💪"),
    ar("كبر<|ي> وافتح<|ي> فرع في {gov} بقى").on(&[Promo, Joy, Say]),
    az("support el mashro3at el so8ayara ❤️"),
    en("support small, always"),
    mx("handmade with love وباين عليها"),
];

const VERSES: &[Remark] = &[
    ar("بحب لما تكتب<|ي> بالعامية كده").on(&[Verse, Say]),
    ar("شجعت<|ي>ني أرجع أكتب تاني").on(&[Verse, Say]),
    az("<ekteb|ektebi> lena kol yom").on(&[Verse, Say]),
    en("you should read these out loud somewhere").on(&[Verse, Say]),
];

const WEATHER: &[Remark] = &[
    ar("عندنا في {area} نفس الجو"),
    ar("جو بطانية وسحلب رسمي").on(&[Say, Joy]),
    ar("المهم محدش ينسى الغسيل").on(&[Vent, Say, Show]),
    az("3andena f {gov} shams 3ady gdn").on(&[Say, Vent, Ask]),
    en("meanwhile my laundry is still outside").on(&[Vent, Say]),
    mx("hoodie season والحمد لله").on(&[Joy, Say, Show]),
];

const MUSIC: &[Remark] = &[
    ar("ذوق عالي والله").on(&[Say, Tip, Show]),
    ar("شغلتها دلوقتي وأنا بقرا الكلام").on(&[Say, Tip]),
    ar("الطرب الأصيل مبيقدمش").on(&[Say, Tip, Show]),
    az("<zo2ak|zo2ek> 7elw awy").on(&[Say, Tip, Show]),
    en("adding this to my playlist").on(&[Say, Tip]),
    mx("goosebumps، مش كلام").on(&[Say, Joy, Show]),
];

const CINEMA: &[Remark] = &[
    ar("اسم الفيلم إيه بالله عليك<|ي>؟").on(&[Tip, Say, Vent]),
    ar("شفته مرتين وهشوفه التالتة").on(&[Tip, Say]),
    ar("زمن الفن الجميل").on(&[Say]),
    az("esm el film eh?").on(&[Tip, Say, Vent]),
    en("no spoilers please, I'm on episode two").on(&[Tip, Vent, Say]),
    mx("underrated فعلا، محدش بيتكلم عنه").on(&[Tip]),
];

const REELS: &[Remark] = &[
    ar("الجزء التاني فين؟").on(&[Show, Joke]),
    ar("شفته خمس مرات 😂").on(&[Show, Joke]),
    ar("تيتة نجمة الفيديو بلا منافس").on(&[Show, Joke]),
    az("part 2 please mesh ader astanna").on(&[Show, Joke]),
    en("the ending sent me").on(&[Show, Joke]),
    mx("content نضيف وضحك من القلب").on(&[Show, Joke, Joy]),
];

const COFFEE: &[Remark] = &[
    ar("صباحك قهوة مظبوطة ☕").on(&[Say, Show]),
    ar("اعمل<|ي> حسابي في فنجان"),
    ar("الوش أهم من القهوة").on(&[Say, Tip, Joy]),
    az("<e3mel|e3mely> 7esaby f fongan"),
    en("pour me one"),
    mx("coffee people يفهموا بعض"),
];

const BARGAINS: &[Remark] = &[
    ar("الباقات بتخلص قبل ما تبدأ").on(&[Vent, Ask]),
    ar("لقطة والله، مبروك عليك<|ي>").on(&[Joy]),
    ar("علموني الفصال ده").on(&[Joy, Tip]),
    az("fein el makan da bsor3a abl ma yekhlas").on(&[Joy, Tip]),
    en("teach me your ways").on(&[Joy, Tip]),
    mx("best deal السنة دي").on(&[Joy]),
];

const CATS: &[Remark] = &[
    ar("ما شاء الله، ربنا يحفظها").on(&[Show, Joy, Say]),
    ar("هي اللي مربياكم مش العكس").on(&[Show, Joke, Vent, Say]),
    ar("بوسوها لي").on(&[Show, Joy]),
    ar("نظرة اللي دافعة الإيجار 😂").on(&[Show, Joke, Vent]),
    az("ya rouuu7y 3aleiha").on(&[Show, Joy]),
    az("heya sa7bet el beit khalas").on(&[Show, Joke, Vent, Say]),
    en("tell her she's perfect").on(&[Show, Joy]),
    mx("royalty 👑 واحنا الخدم").on(&[Show, Joke, Vent, Say]),
];

/// Calls a friend to the post; what stands in `<|>` is the friend's gender.
pub(super) const CALLS: &[Remark] = &[
    ar("{mention} تعال<ى|ي> شوف<|ي>"),
    ar("{mention} مش ده كلامك بالظبط؟").on(&[Say, Vent, Poll, Tip]),
    ar("{mention} ده إنت<|ي> 😂").on(&[Joke, Vent]),
    ar("{mention} فاكر<|ة>؟").on(&[Say, Joke, Show]),
    ar("{mention} لازم نعمل كده").on(&[Tip, Show]),
    ar("{mention} أهو مش أنا لوحدي اللي بقول").on(&[Say, Vent, Tip]),
    ar("{mention} رأيك إيه؟").on(&[Poll, Ask, Promo, Tip, Invite]),
    az("{mention} <ta3ala shoof|ta3aly shofy>"),
    az("{mention} da <enta|enty> 😂").on(&[Joke, Vent]),
    az("{mention} mesh da elly kont <ba2ollak|ba2ollek> 3aleih?").on(&[Tip, Promo]),
    az("{mention} nero7 emta?").on(&[Invite, Show, Tip]),
    en("{mention} this is you").on(&[Joke, Vent]),
    en("{mention} we need to talk about this").on(&[Say, Poll, Vent]),
    en("{mention} remember?").on(&[Say, Show, Joke]),
    mx("{mention} literally إنت<|ي>").on(&[Joke, Vent]),
    mx("{mention} next time لازم نروح").on(&[Show, Tip, Invite]),
];

/// What the author answers to a kind word.
pub(super) const THANKS: &[Remark] = &[
    ar("تسلم<|ي> يا رب"),
    ar("حبيب<ي|تي> ❤️").close(),
    ar("ربنا يخليك<|ي>"),
    ar("نورت<|ي>"),
    ar("ده من ذوقك والله"),
    ar("كلامك فرحني والله"),
    ar("شكرا جدا بجد"),
    az("<7abibi|7abibty> ❤️").close(),
    az("teslam<|y> ya rab"),
    az("rabena <ye5aleek|ye5aleeky>"),
    az("nawwart<|y>"),
    en("thank you so much"),
    en("you're too kind"),
    mx("thank you يا رب تسلم<|ي>"),
    mx("love you ❤️ ربنا يخليك<|ي>").close(),
];

/// What the author answers to a question.
pub(super) const DETAILS: &[Remark] = &[
    ar("بعت <لك|ليكي> رسالة"),
    ar("هقول <لك|ليكي> التفاصيل خاص"),
    ar("شوف<|ي> الرسايل"),
    ar("هكتب لكم بوست عن الموضوع قريب"),
    az("ba3at<lak|lek> DM"),
    az("<shoof|shoofy> el rasayel"),
    en("sent you the details"),
    en("check your messages"),
    mx("بعت <لك|ليكي> في الـ DM"),
    mx("details في الرسايل"),
];

/// What the author answers to a laugh or to company in misery.
pub(super) const AGREES: &[Remark] = &[
    ar("😂😂 حصل"),
    ar("بالظبط كده"),
    ar("والله ما حد فاهمني غيرك"),
    ar("كلنا في الهوا سوا"),
    az("bezzabt 😂"),
    az("wallahy ma 7ad fahemny gheir<ak|ek>"),
    en("haha exactly"),
    en("glad I'm not alone"),
    mx("haha بالظبط"),
    mx("same boat كلنا"),
];
