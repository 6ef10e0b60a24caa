//! Getting around: the metro, the microbus, the Ring Road, taxis and the train.

use super::super::PostKind::{Ask, Invite, Joke, Joy, Say, Tip, Vent};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Vent, "الدائري واقف من أول {ring} لحد آخره، ناس نزلت تشرب شاي وأنا منهم").cairo(),
    ar(Joke, "سواق الميكروباص قال \"كرسي ورا يا أستاذ{|ة}\" وطلع الكرسي ده حالة نفسية مش كرسي"),
    ar(Say, "محطة {station} الساعة {5-6} المغرب.. اللي بيدخل العربية مبيدخلش بمزاجه، بيتشال").cairo(),
    ar(Ask, "من {area} لـ{spot} أركب إيه يا جماعة من غير ما أغير {3-4} مرات؟"),
    ar(Vent, "الأجرة زادت جنيه، والباقي برضه \"مفيش فكة والله\""),
    ar(Joy, "لقيت مكان فاضي وقعدت من أول محطة لآخر محطة. عمري ما هنسى اليوم ده").cairo(),
    ar(Tip, "اللي رايح ناحية {ring} يبعد عنها دلوقتي، فيه حادثة بسيطة والحمد لله محدش حصل له حاجة، بس الطريق ضايع").cairo(),
    ar(Say, "أجدع ناس في البلد اللي بيعدوا الأجرة من ورا لقدام ويحسبوا الباقي وهم بيكلموا في التليفون"),
    ar(Joke, "الـ GPS قال لي \"وصلت\".. وصلت فين يا ابني ده أنا في وسط كوبري"),
    ar(Say, "سواق التاكسي النهارده مشغل فيروز وسايق على مهله.. حسيت إني في فيلم"),
    ar(Vent, "مستني{|ة} الأتوبيس من {25-50:5} دقيقة، عدى {3-5} في الناحية التانية وولا واحد في ناحيتي"),
    ar(Ask, "قطر {city} بيقوم في ميعاده الأيام دي ولا آخد معايا كتاب؟"),
    ar(Say, "عربية السيدات الساعة {8-9} الصبح: {3-5} خناقات و{3-5} صحوبيات جديدة ووصفة كيكة").cairo(),
    ar(Tip, "لو مشواركم قريب امشوها. من {area} لـ{spot} طلعت {20-40:5} دقيقة مشي، وبالعربية ساعة"),
    ar(
        Say,
        "مشوار الرجوع من الشغل النهارده كان حلقة من مسلسل.\n\nركبت ميكروباص، والسواق شغال شرح في جيوسياسة الكون كله من أول الفراعنة. راجل ورا بيعارضه في كل جملة، وست كبيرة شايلة بطيخة بتقول لهم: خلصوا واوعوا البطيخة.\n\nعند المطب البطيخة فلتت! الميكروباص كله نزل يدور عليها تحت الكراسي، واحد مسكها من قدام ورفعها زي كاس العالم، والناس كلها سقفت. السواق قال لها: علشان خاطر البطيخة دي الأجرة عليا يا حاجة.\n\nنزلت آخر الخط وأنا بضحك لوحدي في الشارع. والله البلد دي مفيش فيها مشوار ممل.",
    ),
    ar(
        Tip,
        "تجميعة نصايح المترو من {واحد راكبه|واحدة راكباه} كل يوم من سنين:\n\n1- اشتروا الكارت ومتقفوش في طابور التذاكر.\n2- العربيات اللي في النص دايما أزحم، امشوا لآخر الرصيف.\n3- في محطات التبديل اطلعوا على اليمين وسيبوا الشمال للمستعجل.\n4- الشنطة قدام مش ورا.\n5- لو حد كبير وقف جنبك متعملش نفسك نايم، إحنا شايفينك.\n6- السماعات نعمة. استعملوها، مش لازم كلنا نسمع نفس الأغنية.\n\nزودوا عليها في الكومنتات، وخصوصا بتوع خط {line}.",
    )
    .cairo(),
    az(Vent, "el da2ery wa2ef w el mehwar wa2ef w ana kaman {wa2ef|wa2fa} ma3ahom 🙂").cairo(),
    az(Joke, "el microbus feeh 14 korsy w e7na 19 w el sawwa2 bey2ol \"lessa fadl wa7ed\""),
    az(Ask, "7ad ye2olly aro7 {spot} mn {area} ezay mn gher el zahma? 3andy ma3ad el sa3a {4-6}"),
    az(Say, "el metro el naharda kan fady. fady ya gama3a. 7aset enny fe 7elm").cairo(),
    az(Vent, "wa2fa 3arabeya saff tany f {area} ba2alha {3-4} sa3at w sa7ebha rad \"nazel 7alan\""),
    az(Joy, "wesselt fel ma3ad!!! awel marra men sanateen, lazem nekteb el tareekh"),
    az(Say, "sawwa2 el taxi 7akaly 2eset 7ayato kolaha w fel akher 2aly \"khaleeha 3alaya\" w taba3an dafa3t 😂"),
    az(Tip, "khodo el metro le7ad {station} w kamelo mashy, awfar w asra3 mn ay 7aga").cairo(),
    en(Vent, "the Ring Road and I have been in a long term relationship for the past two hours").cairo(),
    en(Joke, "microbus logic: there is always room for one more, and it is always on my lap"),
    en(Say, "today's taxi driver gave me marriage advice, stock tips and a mint. five stars"),
    en(Ask, "what's the least painful way from {area} to {spot} around {4-6} pm?"),
    en(Joy, "got a seat on the metro at rush hour. buying a lottery ticket next").cairo(),
    mx(Vent, "traffic update: واقفين. ده الـ update كله"),
    mx(Say, "الـ playlist خلصت مرتين وأنا لسه في نفس الـ exit بتاع {ring} 🙃").cairo(),
    mx(Joke, "google maps بيقول 20 دقيقة، {mname} السواق بيقول \"فركة كعب\"، والحقيقة ساعة ونص"),
    mx(Invite, "فيه حد بيعمل carpool من {area} الصبح؟ sharing البنزين طبعا"),
    mx(Tip, "pro tip: اطلعوا قبل {6-7} الصبح، الشوارع بتبقى بلد تانية خالص"),
    az(Joke, "el sawwa2: \"awel el share3?\" ana: \"la2 akhero\". nazzelny f share3 tany khales"),
    az(Say, "a7la mokalma btesma3ha bel sodfa fel microbus: \"ana khalas wesselt\" w e7na lessa fel mawkaf"),
    en(Say, "you know a city by its microbus hand signs. I speak three governorates fluently"),
    az(
        Say,
        "yom tawel awy el naharda w lazem a7keeh.\n\nrekebt el microbus mn {area} w ana met2akhar{|a} aslan, w el sawwa2 mesha8al om kalthoum 3al akher. noss el tare2 el 3arabeya wa2fet. kolena nezelna nezo2, w gamby ragel labes badla kamla w bey2ol \"ana 3andy interview ya gama3a\".\n\nfa el nas etgannenet. wa7da 3adaletlo el karafatta, wa7ed edalo barfan, w el sawwa2 wa22aflo taxi w dafa3lo el ogra w 2allo \"lamma to2bad ab2a e3zemny\".\n\nba3d sa3teen la2eto ba3et 3al group elly 3amalnah fel microbus (ah 3amalna group): et2ebel! el sawwa2 rad b voice kolo zaghareet.\n\nana wesselt shoghly met2akhar{|a} sa3a, w el modeer sa2alny leh. 7aketlo. 2al: khalas, el marra di bas.",
    ),
];
