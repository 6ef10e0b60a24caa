//! Weddings and the wider family: invitations, zaffas, aunts, newborns.

use super::super::PostKind::{Ask, Joke, Joy, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Joy, "النهارده فرح أغلى {صاحب|صاحبة} عندي، {مبروك يا عريس|مبروك يا أحلى عروسة} وعقبال كل اللي نفسه ❤️💍"),
    ar(Joke, "الفرح الساعة {7-8}، يعني العروسة توصل {10-11}، يعني البوفيه 12 ونص، يعني كلوا قبل ما تنزلوا"),
    ar(Joke, "طنط في كل فرح: عقبالك.\nأنا: الله يخليكي.\nطنط: أنا بتكلم جد على فكرة.\nأنا: وأنا بجري على البوفيه"),
    ar(Ask, "قاعة كويسة لـ{100-250:50} فرد في {gov} وسعرها يتبلع؟ لابن خالتي وهو منهار"),
    ar(Say, "زغاريط الجيران ملت العمارة كلها، معرفش عندهم إيه بس فرحت معاهم"),
    ar(Joy, "بقيت {عمو|عمتو} رسمي! نونو صغنن {3-4} كيلو، وقلب العيلة كله اتخطف 👶💙"),
    ar(Vent, "شيلت أطباق وكراسي من العصر، وفي آخر الفرح قالوا لي \"إنت{|ي} كنت{|ي} فين محدش شافك؟\""),
    ar(
        Tip,
        "للعرسان: المصور يتحجز قبل القاعة، والجزمة المريحة أهم من الورد. خدوها من {واحد|واحدة} حضر{|ت} {20-40:5} فرح السنة دي",
    ),
    ar(Say, "أحلى فقرة في أي فرح لما جدو يقوم يرقص بالعصاية والدنيا كلها تعمل دايرة حواليه"),
    ar(Ask, "هدية جواز عملية بحدود {500-1500:250} جنيه ومتكونش طقم كوبايات؟ عندهم {5-9} أطقم"),
    ar(Say, "ماما وخالتي على التليفون بقالهم ساعة وربع، وبعدين ماما قفلت وقالت: \"خالتك بتسلم عليك{|ي}\". بس كده"),
    ar(Joke, "جروب العيلة: {40-90:10} صورة صباح الخير، {3-5} وصفات، وسؤال واحد كل سنة: مين ساكن فين؟"),
    ar(Joy, "كتب كتاب أختي كان النهارده. ماما عيطت، بابا عمل نفسه بيكلم في التليفون علشان محدش يشوفه"),
    ar(Vent, "الكوافير قال {3-4} ساعات، ودخلنا القاعة والناس بتسلم وهي ماشية"),
    ar(
        Say,
        "حكاية فرح ابن عمي امبارح، علشان تتوثق.\n\nالنور قطع في نص الزفة. الدي جي سكت، والناس وقفت مش فاهمة. ثانيتين بالظبط وخالي طلع طبلة من العربية، محدش عارف لحد دلوقتي الطبلة كانت بتعمل إيه في العربية، وستات العيلة مسكوا الفلاشات وبقوا بيغنوا.\n\nغنوا أغاني عمري ما سمعتها، بتاعة أفراح زمان، والعريس والعروسة بيرقصوا في نور الموبايلات والكل بيسقف على الواحدة. ستي وهي عندها {75-85} سنة كانت حافظة كل كلمة.\n\nالنور رجع بعد {20-40:5} دقيقة، والدي جي شغل المزيكا تاني، والناس كلها بقت تقول له: اقفل اقفل!\n\nكان أحلى جزء في الليلة كلها. ربنا يسعدهم ويهنيهم ❤️",
    ),
    ar(
        Say,
        "بمناسبة موسم الأفراح، كلمة من القلب.\n\nمش لازم نص مليون علشان اتنين بيحبوا بعض يبدأوا حياتهم. حضرت أفراح في قاعات تبرق ومحدش فيها كان مبسوط، وحضرت فرح على سطوح بيت في {spot}، شوية لمض ملونة وكراسي من الفراشة وصواني من إيد الجيران، والناس رقصت لحد الفجر.\n\nالعريس كان لابس بدلة أخوه، والعروسة فستانها مأجراه، وضحكتهم كانت منورة الشارع كله. دلوقتي بقالهم {4-9} سنين ولسه لما بيحكوا على اليوم ده بيقولوا كان أحلى يوم.\n\nسهلوها على بعض يا جماعة. اللي هيفضل في الذاكرة مش عدد أصناف البوفيه، اللي هيفضل مين كان جنبك وهو فرحان بجد.",
    ),
    az(Joy, "mabrooook le a7la 3rosa fel donya, el far7 kan to7fa w ana sawty ra7 ❤️"),
    az(Joke, "tante: 3o2balak{|ek}\nana: yarab\ntante: emta tayeb?\nana: tante el buffet fata7 😂"),
    az(Ask, "7ad ye3raf photographer kwayes w se3ro ma32ool lefar7 so8ayar f {gov}?"),
    az(Say, "mafish ay 7aga betgma3 el 3eila zay far7 w ba3do khena2a 3la meen hayewasal meen 😂"),
    az(Vent, "el ka3b kesebny w el far7 lessa ma bada2sh.. {4-6} sa3at wa2fa 3ala regly").female(),
    az(Joy, "akhty walladet el naharda! bent 2amar zay {khalha|khaletha} taba3an 💕"),
    az(Tip, "akl 2abl ma tenzelo lel far7 ya gama3a, el buffet byefta7 lama teb2o nesto esmoko"),
    az(Say, "geddo ra2as fel far7 a7san mn kol el shabab, el ragel da mesh beye3gaz"),
    en(Say, "Egyptian weddings: you arrive late and are still two hours early"),
    en(Joke, "the auntie network knew about my cousin's engagement before my cousin did"),
    en(Joy, "my best friend got married tonight and I ugly cried through the whole zaffa"),
    en(Ask, "gift ideas for newlyweds who already own {6-9} tea sets?"),
    en(Vent, "the DJ is so loud that my phone just detected an earthquake"),
    mx(Joy, "officially {خال|خالة} 💙 اللي عنده نصايح للـ newborns يتفضل"),
    mx(Joke, "الـ dress code مكتوب formal، خالي جه بالجلابية وطلع أشيك واحد في الفرح"),
    mx(Ask, "حد يرشح makeup artist كويسة في {gov}؟ natural look please مش عايزين {3-5} طبقات").female(),
    mx(Say, "wedding season mode: on. رجلي راحت، وصوتي راح، ومرتبي سبقهم"),
    mx(Vent, "الـ plus one بتاعي هو شاحن الموبايل علشان القعدة طويلة 🙃"),
    az(Say, "el zaffa f share3na el naharda kan feeha {3-5} tobool w ana 3andy emte7an w mesh za3lan{|a}"),
    az(Joke, "sorat el far7: ana fel khalfeya bakol"),
    en(Joke, "wedding playlist: thirty minutes of romance, four hours of folk percussion, one aunt who never sat down"),
];
