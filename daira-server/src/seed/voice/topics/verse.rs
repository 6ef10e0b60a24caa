//! Short poems and lines of our own making, in Masry rhyme and in prose.

use super::super::PostKind::{Poll, Say, Verse};
use super::super::{Line, ar, az, en, mx};

pub(super) const LINES: &[Line] = &[
    ar(Verse, "يا شارع طويل ومفيش في آخرك حد\nخليك ماشي معايا، أنا برضه ماليش حد"),
    ar(Verse, "قلبي كان شباك\nوانت كنت الهوا\nفتحته.. طار الستار\nقفلته.. طرت أنا"),
    ar(
        Verse,
        "علمتني الدنيا أكتب بالرصاص\nعلشان اللي بيغلط له حق يمسح\nوعلمتني أمي أضحك في الزحمة\nعلشان اللي تعبان يلاقي حد يفرح",
    ),
    ar(Verse, "كل ما أقول خلاص نسيت\nألاقي ريحة القهوة فاكرة"),
    ar(Verse, "النيل ماشي على مهله من آلاف السنين\nواحنا مستعجلين على فين؟"),
    ar(Verse, "مش كل اللي سكت رضي\nومش كل اللي ضحك نسي\nفيه ناس بتعدي من وسط النار\nوتقول لك: الجو حر شوية بس"),
    ar(Verse, "يا قمر سهران لوحدك فوق\nانزل اشرب شاي معايا\nانت عندك سما بحالها\nوأنا عندي كرسي وحكايا").night(),
    ar(Verse, "كبرنا يا صاحبي\nوبقينا نفرح بالنوم\nونخاف من مكالمة بعد نص الليل"),
    ar(Verse, "الحنين: إنك تعدي من شارعهم القديم\nوتبص على بلكونة مبقتش بتاعة حد تعرفه"),
    ar(Say, "كتبت سطرين ومسحت تلاتة. كده أنا مديون للورقة بسطر"),
    ar(Verse, "بيتنا القديم كان ضيق\nبس الضحكة كانت بتلف فيه براحتها"),
    ar(Verse, "سيب لي من صوتك حتة\nأحطها في جيب الجاكيت\nيمكن الشتا يبقى أهون"),
    ar(Poll, "أكتر سطر فضل في دماغكم وعمره ما طلع منها؟ شعر، أغنية، كلمة من حد.. أي حاجة"),
    ar(Verse, "اللي بيحبك بجد\nهيعرف من \"ألو\"\nإنك مش تمام"),
    ar(
        Verse,
        "جواب لنفسي وأنا عندي {9-10} سنين:\n\nإزيك يا صغير{|ة}؟ لسه بتخبي الشيكولاتة في درج الكراريس؟\nعايز{|ة} أقول لك إن السلم اللي كنا بنخاف منه في الضلمة طلع {15-19} درجة بس، والوحش اللي تحته طلع عجلة قديمة.\nوإن الشجرة اللي قدام المدرسة لسه واقفة، بس احنا اللي بقينا أطول.\n\nعايز{|ة} أقول لك إن اللي خاصمك عشان البلية رجع وبقى أعز صاحب، وإن ستي كان عندها حق في كل حاجة، حتى في حكاية الجزمة المقلوبة.\n\nهتزعل{|ي} شوية في السكة، وهتضحك{|ي} أكتر. هتقع{|ي} وتقوم{|ي} وتلاقي إيدين كتير مكنتش على البال.\n\n{متستعجلش|متستعجليش} تكبر{|ي}. الموضوع مكانش مستاهل الجري ده كله.\n\nوخلي بالك من الضحكة دي، لسه محتاجينها هنا.",
    ),
    ar(
        Verse,
        "في المحطة راجل شايل شنطة هدوم قديمة\nوبيبص في الساعة كل شوية\nوالقطر متأخر\nوهو مش متضايق خالص.\n\nسألته: مستعجل يا حاج؟\nقال لي: لا والله، أنا بقالي {20-40:5} سنة متأخر\nوالقطر ده أول حاجة تتأخر عليا وأبقى مبسوط.\n\nقلت له: رايح فين؟\nقال لي: رايح أصالح أخويا.\nوحضرت كلام كتير.. ومحتاج شوية وقت كمان\nعلشان أنساه كله\nوأقول له وحشتني وبس.",
    ),
    az(Verse, "sakten w el kalam kteer\nzay ba7r 2odam seyyad ma3ndosh shabaka"),
    az(Verse, "enta el sot elly badawar 3aleih fel za7ma\nw lama ala2eeh.. bansa kont 3ayez a2ol eh"),
    az(Verse, "ya leil khalleek shwaya\nlessa 3andy 7agat mat2aletsh").night(),
    az(Verse, "kol wa7ed fena shayel balad soghayyara\nfeeha share3 wa7ed w nas mesheyet"),
    az(Say, "el kalam el 7elw byegy w ana fel microbus w ma3ndeesh wara2a, w lama awsal byerga3 lewa7do"),
    az(Poll, "7ad lessa byekteb gawabat bel 2alam? {3ayez|3ayza} 7ad ab3atlo w yeb3atly, bgd"),
    az(Verse, "mesh kol el toro2 betwassal\nfeeh toro2 bas bet3allemak temshy"),
    az(Verse, "el donya 3amla zay el shay\nlazem testanna sokkarha yenzel"),
    en(Verse, "the city hums in a key\nonly the sleepless know"),
    en(Verse, "I kept your umbrella.\nit has not rained since.\nneither of us is sorry"),
    en(Verse, "grandmother's radio:\nhalf a song, half a storm,\nand her hand keeping time"),
    en(Verse, "some doors close softly\nso you can hear the next one"),
    en(Say, "wrote a poem on a metro ticket and the machine ate it. harsh critic"),
    mx(Verse, "you said \"later\"\nوأنا من يومها\nبعد الـ laters على صوابعي"),
    mx(Verse, "قلبي على airplane mode\nبس لسه مستني رسالة"),
    mx(Verse, "home is not a place\nhome هو صوت المفتاح في الباب الساعة {7-9}"),
    mx(Say, "الـ notes app عندي نصها قوائم طلبات ونصها شعر، والاتنين محدش بيقراهم"),
    mx(Verse, "slowly slowly\nزي الشمس وهي بتطلع من ورا الغسيل"),
    az(Verse, "el balakona el fadya\nlessa 3aleiha kobayet shay\nka2en sa7ebha haygy"),
    az(Verse, "basseet le nafsy fel meraya\n2oltelha kefaya\n2alet: lessa"),
    en(Verse, "we measure distance\nin cups of tea gone cold\nbetween two phone calls"),
];
