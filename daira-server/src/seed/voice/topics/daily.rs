//! Everyday life: home, the building, the family, the small things.

use super::super::PostKind::{Ask, Joke, Joy, Poll, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Vent, "صحيت على صوت بتاع الروبابيكيا كالعادة، المنبه الرسمي بتاع {area}").morning(),
    ar(Say, "نزلت أجيب عيش، رجعت بعيش وجبنة رومي وشيكولاتة ومن غير الباقي 🙂"),
    ar(Say, "اللي عنده طاقة النهارده يقول لي جابها منين، أنا من السرير للكنبة ومن الكنبة للسرير"),
    ar(Vent, "الأسانسير عطلان بقاله {3-6} أيام وأنا في الدور ال{6-11}.. رجلي بقت رجل لاعب كورة"),
    ar(
        Say,
        "[كوباية شاي بالنعناع/كوباية شاي كشري/فنجان قهوة مظبوط] والشباك مفتوح وهوا خفيف.. مش محتاج{|ة} حاجة تاني من الدنيا",
    ),
    ar(Poll, "هو أنا لوحدي اللي بقعد ساعة أدور على الموبايل وهو في إيدي؟"),
    ar(
        Joke,
        "أمي: {افتح|افتحي} الشباك يدخل هوا.\nبعدها بدقيقتين: {اقفل|اقفلي} الشباك دخل تراب.\nالقرار النهائي لسه تحت الدراسة 😂",
    ),
    ar(Ask, "حد عنده رقم [سباك/كهربائي/نجار] شاطر وبييجي في ميعاده في {area}؟ عارف{|ة} إني بطلب المستحيل"),
    ar(Joy, "النهارده رتبت أوضتي كلها ولقيت {50-200:50} جنيه في جاكيت الشتا. أسعد {واحد|واحدة} في {gov}"),
    ar(Say, "مفيش أحلى من قعدة البلكونة بعد المغرب، لا تليفزيون ولا موبايل، بس ناس بتضحك تحت في الشارع"),
    ar(Vent, "قررت أنام بدري. الساعة دلوقتي {2-4} الفجر وبتفرج على واحد بيصلح غسالة قديمة").night(),
    ar(Tip, "نصيحة ببلاش: الحاجة اللي هتخلص في دقيقتين اعملوها دلوقتي، متأجلوهاش.\nأنا بقولها لنفسي قبلكم"),
    ar(Say, "جارتنا طلعت لنا طبق {sweet} لسه سخن.. الدنيا لسه بخير يا جماعة ❤️"),
    ar(Vent, "النور قطع وأنا في آخر عشر دقايق في الغسالة. اللي فات من عمري كوم والعشر دقايق دول كوم"),
    ar(
        Say,
        "النهارده حصل موقف بسيط بس فضل معايا طول اليوم.\n\nكنت واقف{|ة} في طابور الفرن، والدنيا حر والناس متضايقة، وقدامي راجل كبير بيعد الفكة في إيده وناقصه جنيهين. قبل ما حد يتكلم، ولد صغير ورا خالص مد إيده وقال: خد يا عم الحاج، كملهم.\nالطابور كله سكت ثانية وبعدها كل الناس بقت بتضحك وتهزر مع بعض كإنهم يعرفوا بعض من سنين.\n\nالراجل صمم ياخد رقم أبو الولد علشان يرجع له الجنيهين! والولد يقول له يا حاج دول جنيهين، والراجل يقول له دول دين يا ابني.\n\nرجعت البيت بالعيش ومعايا ابتسامة مش راضية تروح. بنشوف ناس كتير متعصبة كل يوم، فحبيت أحكي لكم على الناس الحلوة كمان.",
    ),
    ar(
        Vent,
        "يوميات محاولة خلصان ورقة واحدة بس:\n\nالساعة {9-10} الصبح: شباك {3-5}.\nشباك {3-5} قال لي اطلع فوق. فوق قال لي انزل تحت هات صورة البطاقة. نزلت أصور البطاقة، بتاع التصوير قافل بيصلي. استنيت. صورت. طلعت. قال لي محتاج كمان طابع. نزلت جبت الطابع. طلعت. قال لي السيستم واقع.\n\nقعدت على الكرسي جنب راجل بيشرب شاي قال لي: أول مرة؟ قلت له آه. قال لي: باين عليك{|ي}، وقسم معايا سندوتش.\n\nالسيستم قام الساعة واحدة والحمد لله خلصت، وعرفت قصة حياة عم {mname} كلها من أول ما اتجوز لحد ما طلع معاش. يوم ضايع ومكسب صاحب جديد 😅",
    ),
    az(Say, "nafsy as7a yom men gher ma 7ad yes2alny \"hanakol eh?\" 😂"),
    az(Vent, "el gar elly fo2na beyn2el 3afsh kol yom el sa3a {1-3} bel leil.. howa beyn2elo feen yegma3a???").night(),
    az(Ask, "7ad ye3raf makwagy kwayes f {area}? elly kont bat3amel ma3ah 7ara2ly el amees"),
    az(Joy, "el naharda mama 3amlet {dish} mn gher ma atlob.. ana el {ibn|bent} el mofaddal{|a} rasmy 😌"),
    az(Joke, "ana: hanam badry el naharda\nbardo ana el sa3a {2-4}: ya tara el 7alazon byenam ezay?").night(),
    az(Say, "shay ba3d el 3asr + balakona + mafish mawa3eed = el sa3ada"),
    az(Vent, "el net 2ate3 w el mayya 2at3a w el asanser 3atlan.. combo kamel el 7amdulellah 🙂"),
    az(Say, "ba7eb awy sot el share3 el sobh badry 2abl ma el nas tes7a, ka2en el donya leesa b tebtedy").morning(),
    az(
        Tip,
        "ya gama3a elly bey2agel 7aga bseeta mn zaman ye3melha el naharda. ana sala7t 7anafeyet el matbakh w 7asset eny mohandes{|a} 😂",
    ),
    en(Say, "living in {area} means falling asleep to car horns and somehow missing them when you travel"),
    en(Vent, "third day without an elevator. my legs have filed a formal complaint"),
    en(Joke, "my mom doesn't need a search engine, she has my aunt"),
    en(Joy, "found {50-200:50} pounds in an old jacket. I am now the rich cousin"),
    en(
        Poll,
        "does anyone else's family use the guest living room for actual guests only? I have been allowed in there maybe four times in my life",
    ),
    mx(Say, "الـ me time بتاعي بقى إني أقعد في البلكونة بالشاي وأعمل mute لكل الجروبات"),
    mx(Vent, "عملت to do list فيها {4-9} حاجات، خلصت منها واحدة: إني أعمل to do list"),
    mx(Joke, "بابا بعت لي voice note {4-9} دقايق علشان يقول لي \"كلمني لما تفضى\" 😭😂"),
    mx(Say, "current mood: قاعد{|ة} على الكنبة وباكل لب وبفكر أغير حياتي من بكرة"),
    mx(Joy, "finally ركبنا التكييف الجديد! أنا من هنا ورايح مش بفتح باب الأوضة لحد"),
    az(Say, "mama lessa betkhaby el shokolata f nafs el makan mn 3eshreen sana w kolena 3arfeen w saktin"),
    az(Vent, "dawart 3al sharger noss sa3a w tele3 fel kees elly f eedy"),
    en(Say, "half of adulthood is asking \"who left this light on\" to an empty flat"),
];
