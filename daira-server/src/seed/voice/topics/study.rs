//! Study: exams, lectures, the thanaweya year of a younger sibling, graduation.

use super::super::PostKind::{Ask, Joke, Joy, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Vent, "الامتحان بعد {3-6} أيام وأنا لسه بعمل جدول المذاكرة.. الجدول شكله حلو جدا الصراحة"),
    ar(Ask, "حد معاه ملخص {subject} لآخر {3-5} محاضرات؟ الدكتور داخل بسرعة الصوت"),
    ar(Joke, "فتحت الكتاب قفلته تاني، الواحد ميحبش يتدخل في حياة حد"),
    ar(Joy, "نجحت في {subject} يا جمااااعة!! أنا وهي كان بينا قصة طويلة وانتهت على خير 🎉"),
    ar(Say, "أختي في تالتة ثانوي، والبيت كله داخل الامتحان معاها. ممنوع التليفزيون، ممنوع الضحك، ممنوع التنفس"),
    ar(Tip, "جربوا تذاكروا {25-45:5} دقيقة وترتاحوا {5-10:5}، من غير موبايل خالص. فرقت معايا أكتر من أي كورس"),
    ar(Vent, "الدكتور قال \"الامتحان هييجي من المنهج\".. وإحنا اللي كنا خايفين ييجي من برنامج الطبخ"),
    ar(Ask, "مين هنا خلص {college} يقول لي السنة الأولى صعبة ولا بيخوفونا وخلاص؟"),
    ar(Say, "مكتبة الكلية الساعة {8-9} الصبح: هدوء، ريحة ورق، وحد نايم على {subject}").morning(),
    ar(Joke, "سألوني هتعمل{|ي} إيه بعد التخرج؟ قلت هنام. قالوا وبعدين؟ قلت هصحى أكمل"),
    ar(Say, "كل التوفيق لكل اللي عندهم امتحانات، افتكروا إنكم تعبتوا وربنا مبيضيعش تعب حد 🤲"),
    ar(Vent, "السيكشن {8-9} الصبح ده مين اللي اخترعه؟ عايز{|ة} أقعد معاه قعدة هادية"),
    ar(Tip, "اللي داخل أولى جامعة: صاحبوا اللي بيكتب ورا الدكتور، وهاتوا له حاجة ساقعة كل أسبوع. استثمار مضمون"),
    ar(Joy, "مناقشة مشروع التخرج خلصت النهارده.. {4-5} سنين عدوا في لمح البصر. شكرا لكل واحد استحملني ❤️"),
    ar(
        Say,
        "رسالة لأي حد في ثانوية عامة السنة دي، من {واحد|واحدة} عد{ى|ت} عليها وكان{|ت} فاكر{|ة} إن الدنيا هتقف.\n\nأنا مجبتش المجموع اللي كنت عايز{ه|اه}. قعدت يومين مبكلمش حد، وكنت حاسس{|ة} إني خيبت أمل البيت كله. بابا دخل عليا بطبق فاكهة، حطه جنبي وقال: كل{|ي} يا حبيب{ي|تي}، الدنيا مش شهادة. وخرج.\n\nدخلت كلية مكنتش في بالي، وطلعت أحلى حاجة حصلت لي. عرفت ناس، واتعلمت حاجات، ولقيت شغل بحبه.\n\nذاكروا واتعبوا، ده واجبنا. بس متخلوش رقم يقول لكم إنتوا مين. اشربوا مية، ناموا كويس، وصلوا وادعوا كل واحد بطريقته، واللي جاي أحسن بإذن الله.",
    ),
    ar(
        Tip,
        "تجربتي مع مذاكرة {subject} بعد ما شلتها مرة وطلعت بعدها بتقدير:\n\nأول حاجة بطلت ألخص الكتاب كله. كنت بنسخ مش بذاكر. بقيت أقرا الجزء، أقفل، وأشرحه بصوت عالي للحيطة. الحيطة عندنا دلوقتي معاها دبلومة.\n\nتاني حاجة الامتحانات القديمة. حلوها قبل ما تخلصوا المنهج مش بعده، علشان تعرفوا الدكتور دماغه رايحة فين.\n\nتالت حاجة جروب صغير، {3-4} بالكتير. أكتر من كده بيقلب رحلة.\n\nوأخيرا النوم ليلة الامتحان أهم من الفصل الأخير. صدقوني أنا جربت الاتنين.\n\nربنا يوفق الجميع، واللي عنده طريقة تانية يكتبها تحت ينوبه ثواب {tag}",
    ),
    az(Vent, "3andy {2-4} midterms f osboo3 wa7ed w lessa ma3raftesh esm el doctor 🙂"),
    az(Ask, "7ad ma3ah recordings bta3et {subject}? w yeb2a kesebt da3wa 7elwa mny"),
    az(Joke, "fata7t el lecture 3la speed 2x, kont {3ayez|3ayza} afham b sor3a.. ma fehemtesh b sor3a 😂"),
    az(Joy, "el nateega zaharet w ne7e7t!! {subject} khalas entahet mn 7ayaty lel abad 🎉"),
    az(Say, "akhoya el sagheer thanaweya 3amma el sanady, da3awatko lena e7na mesh leeh howa bas 😂"),
    az(Tip, "elly beyzaker bel leil: neamo {6-7} sa3at 2abl el emte7an, el mo5 mesh battareyya betesh7en fe 10 de2ay2"),
    az(Vent, "el section da kan momken yeb2a email. bgd"),
    az(
        Say,
        "a7san 7aga fel kolleya el as7ab elly btet3araf 3aleihom fe tabor el matbakh aw fel assignments el met2akhara",
    ),
    en(Vent, "my study plan is color coded, laminated, and completely ignored"),
    en(Ask, "anyone at {college} willing to share notes for {subject}? I will pay in snacks"),
    en(Joke, "professor said the exam is open book. I would need the book to be open to me first"),
    en(Joy, "submitted the thesis. going to sleep until {2-4} pm for the next week"),
    en(Say, "the whole building goes quiet during thanaweya exams. even the street vendors lower their voices"),
    mx(Vent, "الـ deadline بكرة وأنا لسه بختار الـ font 🫠"),
    mx(Joke, "group project: أنا عملت الشغل، وهم عملوا group"),
    mx(Ask, "حد أخد course {subject} online ومستفيد؟ عايز{|ة} review صريحة"),
    mx(Joy, "official: خلصت آخر امتحان في حياتي الجامعية! الـ feeling مش طبيعي ❤️🎓"),
    mx(Say, "ليلة الامتحان كل حاجة بتبقى interesting إلا المادة نفسها"),
    az(Joke, "el doctor: el emte7an sahl. el emte7an: 😈"),
    az(Tip, "sawaro el sabbora odam el doctor 3ady, howa nafso mesh hayeftekerha bokra"),
    en(Vent, "group of five, one laptop charger, zero introductions written. due tomorrow"),
    az(
        Tip,
        "le kol wa7ed dakhel awel sana, kalam kont atmanna 7ad y2olholy:\n\n1- mesh lazem teb2a mashhoor mn awel esboo3. kollena kan shaklena taye7.\n2- el as7ab el 7a2ee2eyeen beyegoo f tabor el matbakh w fel sectionat el fadya, mesh fel 7aflat.\n3- es2al. el doctor beyeb2a mabsoot lama 7ad yes2al, 7atta lw shaklo mesh keda.\n4- el layla elly abl el tasleem mesh layla shoghl, di lelet teba3a w ahwa.\n5- nam. bgd nam.\n6- kalem ahlak, homma mestanneyen mokalma mnk aktar mn el nateega.\n\nw lw {subject} tel3et s3ba fel awel, ma3lesh. kolena keda. {tag}",
    ),
];
