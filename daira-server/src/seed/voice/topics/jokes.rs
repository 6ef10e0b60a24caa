//! Jokes, nokta style: short scenes with a turn, about nobody in particular.

use super::super::PostKind::{Joke, Poll, Say};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Joke, "واحد بخيل وقع من الدور العاشر، وهو معدي على شباك بيتهم زعق لمراته: متعمليش حسابي في الغدا"),
    ar(Joke, "مدرس سأل الولد: إيه الفرق بين الفيل والنملة؟ قال له: النملة ممكن تطلع على ضهر الفيل.. جرب حضرتك العكس"),
    ar(Joke, "واحد راح للدكتور قال له: يا دكتور أنا بنسى كل حاجة.\nقال له: من إمتى؟\nقال له: من إمتى إيه؟"),
    ar(Joke, "واحد كسلان كسب رحلة حوالين العالم، سأل: طب ومفيش حتة تانية؟"),
    ar(
        Joke,
        "اتنين كسلانين نايمين تحت شجرة، واحد قال: يا ريت المانجة تقع في بقي. التاني قال: يا ريت انت تسكت علشان مقولش آه",
    ),
    ar(Joke, "واحدة بتسأل جوزها: بتحبني قد إيه؟ قال لها: قد الشحن على خمسة في المية وانتي الفيشة"),
    ar(Joke, "مرة ميكروباص اتجوز أتوبيس، خلفوا توك توك وطلع عنيد لجده"),
    ar(Joke, "واحد اشترى ساعة ضد المية، عطش عليها"),
    ar(Joke, "الابن: بابا يعني إيه \"تفاهم\"؟\nالأب: يعني أنا وأمك نتناقش ونعمل اللي هي عايزاه"),
    ar(Joke, "زبون: الشوربة فيها دبانة!\nالجرسون: وطي صوتك يا أستاذ، الباقيين هيطلبوا زيها"),
    ar(Joke, "واحد سأل صاحبه: نمت كام ساعة؟ قال له: معرفش كنت نايم"),
    ar(Joke, "بيقولك الفلوس مبتجيبش السعادة.. طب سيبوني أزعل وأنا راكب تاكسي"),
    ar(Joke, "مرة كوسة اشتركت في الجيم، طلعت خيارة"),
    ar(Joke, "مدير بيسأل المتقدم للشغل: بتعرف تشتغل تحت ضغط؟ قال له: أنا ساكن فوق فرن يا فندم"),
    ar(
        Joke,
        "جدي كان عنده حمار ذكي جدا اسمه بندق، والقصة دي حقيقية بنسبة خمسين في المية.\n\nكل يوم جدي يروح السوق ويرجع نايم على العربية، وبندق عارف السكة لوحده. في يوم جدي قابل واحد صاحبه في السوق وقعدوا يتكلموا، وبندق زهق ومشي.\n\nرجع البيت، ستي فتحت الباب لقت العربية والخضار وبندق، من غير جدي. صوتت، والبلد كلها طلعت تدور.\n\nجدي رجع بالليل ماشي لقى النسوان بيعيطوا والرجالة بالكشافات. سألهم: مين مات؟ قالوا له: إنت!\nبص لبندق وقال له: طب كنت استنى آخد الخبر بنفسي.\n\nبيقولوا من ساعتها وبندق مبيتحركش غير لما يبص وراه مرتين 😂",
    ),
    ar(Poll, "أكتر نكتة بايخة سمعتوها وضحكتوا عليها غصب عنكم؟ مستني{|ة} في الكومنتات والجايزة احترامي"),
    ar(Say, "نص نكت البلد بتبدأ بـ\"مرة واحد\" وأنا نفسي أعرف الواحد ده لقى وقت لكل ده إمتى"),
    az(Joke, "marra wa7ed bekheel 3azam nas 3al 3asha, 2alohom matetkesfosh.. fa raw7o"),
    az(
        Joke,
        "el doctor: lazem temshy 5 kilo kol yom\nba3d osboo3 rann 3aleih: ya doctor ana 3and el hadra, arga3 ezay? 😂",
    ),
    az(Joke, "wa7ed beys2al mrato \"fein el ful?\" 2alet \"fel tallaga gamb kalam emak\""),
    az(
        Joke,
        "marra tamatmaya mesheyet fel share3 et3aset, ba2et salsa. {3aref|3arfa} ennaha adeema bas ana lessa bad7ak",
    ),
    az(Joke, "ebny e3mel 7aga mofeeda\n- 7ader ya baba, hanam 3shan mat2aleksh 3al kahraba"),
    az(Joke, "wa7ed ra7 yeshtery mraya, lamma shaf nafso 2al: la2 dy mosta3mala 😭😂"),
    az(Joke, "as2al sa7by \"3amel eh?\" ye2oly \"7aga keda w mesh keda\". fehemt kol 7aga"),
    az(Say, "el 3eila kolaha bted7ak 3la noktet {mname} msh 3shan heya 7elwa, 3shan howa beyd7ak abl ma ykamelha"),
    en(Joke, "I told my plants I was on vacation so they would stop expecting things from me"),
    en(Joke, "my phone autocorrects \"koshari\" to \"kosher\" and now my messages are very confusing"),
    en(Joke, "asked the pharmacist for something for a headache. he offered me his manager"),
    en(Joke, "Egyptian GPS: turn right at the koshk that used to be there"),
    en(Say, "explaining an Egyptian joke in English takes three minutes and loses one friend"),
    mx(Joke, "واحد راح interview سألوه: where do you see yourself in 5 years؟ قال: في المراية"),
    mx(Joke, "الـ wifi بتاعنا اسمه \"متسألش\" وكل ضيف يقعد ساعة مش فاهم"),
    mx(Joke, "my bank account: اهدى بس.\nأنا قدام الـ sale: ده استثمار"),
    mx(Joke, "plot twist: المنبه كان صح وأنا اللي غلط"),
    mx(Joke, "بابا دخل على الـ video call بالفانلة الحملات وقال للمدير: براحة {عليه ده ابني|عليها دي بنتي} 😭"),
    az(Joke, "marra sanduk zbala 7ab sanduk zbala, et2ablo 3and 3arabeyet el nadafa"),
    az(Joke, "wa7ed keslan gedan gab ibn sammah \"ba3dein\""),
    en(Joke, "my gym and I have an understanding: I pay, it doesn't judge"),
];
