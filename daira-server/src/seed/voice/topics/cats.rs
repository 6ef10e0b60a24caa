//! Cats, dogs and balcony birds: the true owners of the flat.

use super::super::PostKind::{Ask, Joke, Joy, Poll, Say, Show, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Show, "{cat} نايمة على الغسيل اللي لسه مكوي. القانون عندنا لصالحها"),
    ar(Joke, "{cat} بتصحيني {5-6} الفجر علشان تاكل، وبعدها تنام. أنا شغال{|ة} عندها بلقمتي"),
    ar(Ask, "دكتور بيطري أمين في {spot}؟ {cat} مبتاكلش من امبارح وأنا مش على بعضي"),
    ar(Show, "قطط {area} كل واحدة حاجزة كبوت عربية. توزيع عادل"),
    ar(Tip, "قبل ما تدوروا العربية في الشتا خبطوا على الكبوت، القطط بتنام جنب الموتور السخن"),
    ar(Vent, "اشتريت لـ{cat} سرير بـ{200-400:50} جنيه، نايمة في الكرتونة بتاعته"),
    ar(Joy, "القطة اللي كنا بنأكلها تحت البيت ولدت {3-5}! واحدة منهم شبه {mname} جارنا بالظبط"),
    ar(Ask, "حد يتبنى قط صغير {3-4} شهور، متعلم على الرملة وبيحب الحضن؟ في {gov}"),
    ar(Say, "بابا كان رافض القطة تدخل البيت. دلوقتي بيقوم من مكانه علشان متصحاش"),
    ar(Joke, "القطة بصت لي وأنا باكل تونة، حسيت إني أنا اللي سرقتها منها"),
    ar(Show, "عصافير البلكونة بقت تقف على إيد ماما. هي بتكلمهم وهم بيردوا، واحنا لا"),
    ar(Vent, "{cat} رمت الفازة وبصت لي كإني أنا اللي حاططها غلط"),
    ar(Say, "الكلب البلدي اللي في شارعنا بيوصل بنات المدرسة لحد الناصية كل يوم ويرجع. مرتبه عضمة وسمعة طيبة"),
    ar(Tip, "طبق مية نضيفة قدام الباب مبيكلفش حاجة. الحر على الحيوانات أصعب"),
    ar(
        Say,
        "قصة {cat} وازاي بقت صاحبة البيت.\n\nمن {3-5} سنين لقيتها في كرتونة تحت كوبري في {spot}، قد كف الإيد وبتعيط بصوت عربية نقل. أخدتها ليلة واحدة بس، ده كان الاتفاق مع ماما.\n\nالليلة الأولى نامت في شبشب بابا. التانية على مخدة أخويا. التالتة ماما قالت: \"بكرة تمشي، بس هاتوا لها لبن علشان البرد\". الرابعة ماما سمتها.\n\nدلوقتي عندها كرسي في الصالون محدش بيقعد عليه، وطبق بورد أغلى من أطباقنا، وبابا بيقرا لها الجرنان. لما بتتعب البيت كله بيسكت.\n\nلما حد يسألني جبتوها منين بقول جات زيارة ونسيت تروح.",
    ),
    ar(Poll, "قطكم بيكره إيه من غير سبب؟ {cat} عندها مشكلة شخصية مع المقشة"),
    az(Show, "{cat} 2a3da 3al laptop fe nos el meeting, el modeer 2al \"sabah el kheir ya fandem\" 😂"),
    az(Ask, "7ad ye3raf vet f {gov} mesh beyghaly? {cat} me7taga tat3eem"),
    az(Joke, "{cat} betkallem el 7eita el sa3a {3-4} el fagr. aw el 7eita betkallemha, mesh {3aref|3arfa} anhy as3ab")
        .night(),
    az(Joy, "etbannet ottet el share3 rasmy, ba2a 3andaha esm w taba2 w masoolyeen"),
    az(Vent, "sha3r fel ahwa, sha3r fel akl, sha3r fel laptop. ana {3ayesh|3aysha} f otta"),
    az(Tip, "matrmosh 3adm el ferakh lel kelab ya gama3a beye2zeehom, roz w shorba a7san kteer"),
    az(Say, "el kalb el balady azka kalb fel 3alam w da mesh ra2y da 7a2e2a"),
    az(Show, "el moza bta3et el share3 mestannyany kol yom 3and el koshk, wa7da feena {mo7tag|me7taga} el tany ❤️"),
    en(Show, "{cat} has selected my clean laundry as today's office"),
    en(Joke, "I don't own a cat, I rent space in {cat}'s apartment"),
    en(Ask, "any shelter near {area} that takes old blankets? I have a big bag and a small car"),
    en(Joy, "the street cat I've been feeding for {3-7} months finally let me pet her. best review I ever got"),
    en(Vent, "bought a {200-500:50} pound cat bed. she sleeps in the box it came in"),
    mx(Show, "{cat} in her villain era، رمت الموبايل من على الترابيزة وبصت لي"),
    mx(Joke, "my cat: بتنام 18 ساعة.\nبرضه هي: تعبانة من الشغل"),
    mx(Ask, "adoption post: قطتين أخوات، متطعمين وfriendly جدا، يفضل سوا. {gov}"),
    mx(Tip, "pet owners: النباتات دي toxic للقطط: الزنبق والصبار، خلوا بالكم"),
    mx(Joy, "gotcha day بتاع {cat} النهارده! سنة كاملة من الخربشة والحب 🎂"),
    az(Say, "{cat} lama bet3ayat 3al bab w afta7laha w matokhrogsh. lazem yeb2a feeh sabab falsafy"),
    az(Tip, "kalamo el vet abl ma teddo ay dawa bashary lel otat, fe 7agat momken tedorraha"),
    en(Say, "nobody has ever been as happy to see me as the street dog who saw me once with a sandwich"),
];
