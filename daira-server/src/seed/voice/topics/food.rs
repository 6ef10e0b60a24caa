//! Food: koshari, foul, molokheya, feteer, home cooking and places to eat.

use super::super::PostKind::{Ask, Joke, Joy, Poll, Say, Show, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Say, "طبق كشري كمالة، دقة زيادة وشطة على خفيف.. كده اليوم اتظبط"),
    ar(Ask, "أحسن [كشري/حواوشي/كبدة/فول وطعمية] في {spot} من غير مجاملات؟ {جعان|جعانة} ومحتار{|ة}"),
    ar(Joke, "الملوخية من غير شهقة زي الفرح من غير زغاريط، قانونيا باطلة"),
    ar(Show, "فطار الجمعة عند تيتة: فول بالزيت الحار، طعمية سخنة، جبنة قديمة بالطماطم، وعيش لسه طالع.. #فطار"),
    ar(Vent, "دفعت {150-400:50} جنيه في ساندوتش حجم كف إيدي ومعاه بطاطساية ونص. الله يسامحكم"),
    ar(Tip, "سر البشاميل اللي مبيكلكعش: اللبن سخن والدقيق متحمص، وتقليب من غير ما تردوا على الموبايل. من أمي ليكم"),
    ar(Say, "ريحة {dish} واصلة من عند الجيران وأنا في الدايت من امبارح بس.. ادعوا لي"),
    ar(Joy, "أول مرة أعمل محشي لوحدي ويطلع متساوي! صورته قبل ما يخلص وهو خلص في {5-9} دقايق"),
    ar(Poll, "سؤال مهم هيفرق ناس كتير: البسلة بالجزر ولا من غير؟"),
    ar(Show, "فطير مشلتت من إيد مرات عمي، عسل أسود وجبنة قريش.. [ومفيش كلام تاني/والله ما محتاج شرح] 🤤"),
    ar(Say, "أنا من الناس اللي بتاكل الطعمية وهي خارجة من الزيت وتحرق لسانها كل مرة ومبتتعلمش"),
    ar(
        Tip,
        "عم {mname} بتاع الفول اللي على ناصية {area}، من قبل الساعة {7-8} الصبح، والبصل والجرجير هدية. لحقوه قبل ما يخلص",
    ),
    ar(Vent, "طلبت أكل من ساعتين، المندوب قال لي \"أنا تحت البيت\" من ساعة.. هو تحت بيت مين طيب؟"),
    ar(Joke, "الدايت بتاعي ماشي تمام: نازل{|ة} كيلو ومزود{|ة} {2-3} ومتصالح{|ة} مع نفسي"),
    ar(
        Tip,
        "طريقة الكشري في البيت زي بتاع المحلات بالظبط، بعد ما جربت {5-9} مرات:\n\n- العدس البني يتسلق لوحده نص سوا، ومية السلق دي كنز متترميش.\n- الرز بالشعرية يتعمل بمية العدس، كده اللون يطلع مظبوط.\n- المكرونة يتقطع وشها في شوية زيت وتوم.\n- التقلية: بصل جوانح، رشة نشا، زيت غزير، ونار هادية، وتشيله قبل ما يسمر بثانية لإنه بيكمل لوحده.\n- الصلصة: طماطم، توم كتير، خل، كمون، كزبرة ناشفة، وتتسبك على مهلها.\n- الدقة: توم وخل وليمون ومية مغلية وملح وكمون.\n\nوأهم حاجة: الحمص متنقع من بالليل.\nلو حد جرب يقول لي طلع معاه إزاي، ولو باظ أنا معملتش حاجة 😂 {tag}",
    ),
    ar(
        Say,
        "كل ما أشم ريحة تقلية التوم والكزبرة أرجع {8-10} سنين لورا.\n\nتيتة واقفة في المطبخ الصغير، والراديو شغال، والشباك مفتوح على المنور. كانت تقول لنا محدش يدخل عليا وأنا بعمل الطشة، واحنا كلنا واقفين ورا الباب مستنيين الشهقة علشان نضحك.\n\nكان عندها حلة واحدة بس للملوخية، مدغدغة ومتلحمة مرتين، ومكانتش بترضى تغيرها. تقول الحلة دي حافظة الطعم.\n\nدلوقتي الحلة عندي. جبت حلل جديدة أشكال وألوان، ولسه الملوخية مبتطلعش مظبوطة غير فيها. طلع عندها حق، الله يرحمها.",
    ),
    az(Say, "koshary belel fel bard + sho2fet 3esh = therapy bel masry 😌").night(),
    az(Ask, "a7san {dish} f {spot}? {3ayez|3ayza} ekteraa7at mn nas garrabet fe3lan mesh e3lanat"),
    az(Joke, "el diet hayebda2 bokra. bokra da yom f el mosta2bal msh ma3rof emta 😂"),
    az(Joy, "3amalt {dishf} lewa7dy le awel marra w tel3et teganen!! mama 2alet \"msh we7sha\" ya3ny 10/10"),
    az(Vent, "leh koll el mat3am ba2et te7ot sos 3la kol 7aga? {3ayez|3ayza} akol ferakh bta3mha ferakh bas"),
    az(Show, "feteer meshaltet w 3asal eswed w geb2a 2adeema.. ana rasmy mesh {2ader|2adra} a2oom 🤤"),
    az(Tip, "el foul bel zeit el 7ar 3la nasyet {area} 2abl el sa3a {8-9} el sobh.. b3d keda mat2olosh ma2oltelkosh"),
    az(Say, "mafish akla bete7el mashakel el beit zay {dish}, da ra2y el 3elmy"),
    en(Say, "koshari is proof that carbs on carbs on carbs was the right answer all along"),
    en(Ask, "best place for {dish} near {area}? asking for a friend who is me and who is starving"),
    en(Joke, "grandma asked if I was hungry. I said no. anyway here is my second plate"),
    en(Show, "Friday breakfast: foul, ta3meya straight out of the oil, and tea strong enough to hold the spoon up"),
    en(Vent, "paid {180-420:20} pounds for a burger that was mostly lettuce and confidence"),
    mx(Show, "الـ breakfast اللي يستاهل الصحيان بدري: فول إسكندراني وطعمية وبتنجان مخلل 😋"),
    mx(Say, "healthy lifestyle لحد ما ريحة {dish} توصل من المطبخ"),
    mx(Tip, "hidden gem في {spot}: محل صغير بيعمل {dish} خيااال، مفيش قعدة بس takeaway"),
    mx(Ask, "عايز{|ة} recipe سهلة لـ{dish} لحد مبيعرفش يطبخ، step by step كإني طفل لو سمحتم"),
    mx(Joke, "ماما شافتني باكل salad قالت لي: ده أكل الضيوف قبل الأكل، فين الأكل؟ 😂"),
    az(Say, "tab2 molokheya sokhn w roz be she3reya.. ana mesh me7tag{|a} 7aga tany"),
    az(Poll, "el koshary: da22a aktar wala shatta aktar? w mt2olosh el etneen"),
    en(Poll, "serious question: feteer sweet or feteer with old cheese? choose carefully"),
    en(
        Say,
        "My grandmother never owned a measuring cup. The recipe for her molokheya was: some of this, enough of that, and \"until it looks at you\".\n\nWhen I moved out I called her every Friday to get it right. She would put the phone next to the pot so I could hear how it should sound. I burned the garlic four weeks in a row and she laughed so hard the neighbours came to check.\n\nOn the fifth Friday I sent her a photo. She zoomed in for a long time, I could hear her breathing, and then she said: good, now it is looking at you.\n\nI still can't explain what that means. But every time I cook it, there is one second when I know exactly what she was talking about.",
    ),
];
