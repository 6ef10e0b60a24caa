//! Habits of spelling and decoration that make one writer sound unlike another.
//!
//! In: a finished text. Out: the same text as this person would have typed it — without hamzas, with a final alef
//! maqsura for yaa, with Eastern digits, with `5` for `kh`, with a stretched word, with their emoji. Handles after `@`
//! are never touched.

use super::super::draw::Draw;
use super::{PostKind, Script};

/// A person's habits.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "habits are independent of each other")]
pub(crate) struct Quirks {
    /// Types alef without hamza: انا for أنا.
    bare_alef: bool,
    /// Types a final yaa without dots: فى for في.
    dotless_yaa: bool,
    /// Types haa for taa marbuta: حاجه for حاجة.
    bare_haa: bool,
    /// Types Eastern Arabic digits: ٥ for 5.
    eastern_digits: bool,
    /// Types `5` for `kh` in Arabizi.
    five: bool,
    /// Starts English sentences with a capital letter.
    capitals: bool,
    /// Stretches words now and then.
    stretches: bool,
    /// What stands after a last word.
    stop: &'static str,
    /// Which of the emoji and sayings of a mood are this person's own.
    taste: usize,
}

impl Quirks {
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        Self {
            bare_alef: draw.percent(55),
            dotless_yaa: draw.percent(14),
            bare_haa: draw.percent(12),
            eastern_digits: draw.percent(25),
            five: draw.percent(35),
            capitals: draw.percent(40),
            stretches: draw.percent(35),
            stop: draw.word(&["", "", "", "", "", ".", "..", "..", "!"]),
            taste: draw.below(60),
        }
    }

    /// One of this person's two favourites in a list.
    pub(super) fn favourite(&self, list: &[&'static str], draw: &mut Draw) -> &'static str {
        let index = (self.taste + draw.below(2)).checked_rem(list.len()).unwrap_or(0);
        list.get(index).copied().unwrap_or_default()
    }

    /// Ends a text the way this person does, unless it ends in a sign, a hashtag or a mention already.
    pub(super) fn end(&self, text: &mut String) {
        let word = text.split_whitespace().next_back().unwrap_or_default();
        if !word.starts_with(['#', '@']) && word.chars().next_back().is_some_and(char::is_alphabetic) {
            text.push_str(self.stop);
        }
    }

    /// Spells a text the way this person does.
    pub(super) fn spell(&self, text: &str, script: Script, draw: &mut Draw) -> String {
        let stretch = self.stretches && draw.percent(30);
        let mut out = String::with_capacity(text.len() + 8);
        for token in text.split_inclusive(char::is_whitespace) {
            let word = token.trim_end();
            let gap = token.get(word.len()..).unwrap_or_default();
            if word.starts_with('@') || word.starts_with('#') && word.is_ascii() {
                out.push_str(word);
            } else if script == Script::Arabizi && self.five {
                out.push_str(&word.replace("kh", "5"));
            } else if stretch && let Some(long) = stretched(word) {
                out.push_str(long);
            } else {
                out.extend(self.letters(word, script));
            }
            out.push_str(gap);
        }
        if script == Script::English && self.capitals { capitalised(&out) } else { out }
    }

    fn letters<'a>(&'a self, word: &'a str, script: Script) -> impl Iterator<Item = char> + 'a {
        // A word in Latin letters keeps its Latin digits.
        let eastern_digits = self.eastern_digits
            && script == Script::Masry
            && !word.contains(|letter: char| letter.is_ascii_alphabetic());
        let mut letters = word.chars().peekable();
        std::iter::from_fn(move || {
            let letter = letters.next()?;
            let last = letters.peek().is_none_or(|next| !next.is_alphabetic());
            Some(match letter {
                'أ' | 'إ' | 'آ' if self.bare_alef => 'ا',
                'ي' if self.dotless_yaa && last => 'ى',
                'ة' if self.bare_haa => 'ه',
                '0'..='9' if eastern_digits => eastern(letter),
                other => other,
            })
        })
    }
}

/// The Eastern Arabic form of a digit.
fn eastern(digit: char) -> char {
    const DIGITS: [char; 10] = ['٠', '١', '٢', '٣', '٤', '٥', '٦', '٧', '٨', '٩'];
    digit.to_digit(10).and_then(|value| DIGITS.get(value as usize).copied()).unwrap_or(digit)
}

/// The drawn-out form of a word that people draw out.
fn stretched(word: &str) -> Option<&'static str> {
    Some(match word {
        "جدا" => "جداااا",
        "أوي" | "اوي" => "اوووي",
        "خالص" => "خااالص",
        "بجد" => "بجددد",
        "كتير" => "كتيييير",
        "حلو" => "حلوووو",
        "حلوة" => "حلووووة",
        "يا" => "يااا",
        "awy" => "awyyyy",
        "gdn" => "gedaaan",
        "bgd" => "begaaad",
        "kteer" => "kteeeer",
        "helwa" => "helwaaaa",
        "so" => "sooo",
        "really" => "reallyyy",
        _ => return None,
    })
}

/// Begins every sentence with a capital; a stop inside a word, as in a handle, ends none.
fn capitalised(text: &str) -> String {
    let (mut starts, mut ended) = (true, false);
    text.chars()
        .map(|letter| {
            let capital = starts && letter.is_ascii_lowercase();
            if letter.is_whitespace() {
                starts |= ended || letter == '\n';
            } else {
                starts = false;
                ended = matches!(letter, '.' | '?' | '!');
            }
            if capital { letter.to_ascii_uppercase() } else { letter }
        })
        .collect()
}

/// Emoji that suit a mood.
pub(super) const fn emoji(kind: PostKind) -> &'static [&'static str] {
    match kind {
        PostKind::Say => &["❤️", "🙂", "🌿", "☕", "🤍", "😌"],
        PostKind::Joy => &["🎉", "❤️", "🥹", "😍", "🙌", "💃"],
        PostKind::Vent => &["🙃", "😭", "😤", "💔", "🙂", "🫠"],
        PostKind::Ask => &["🙏", "👀", "🤔"],
        PostKind::Poll => &["🤔", "👇", "👀", "😅"],
        PostKind::Invite => &["🙌", "👀", "✨", "😄"],
        PostKind::Tip => &["👌", "💡", "✅", "😉"],
        PostKind::Joke => &["😂", "🤣", "😅", "😂😂", "💀"],
        PostKind::Promo => &["🛍️", "✨", "🎁", "💌", "🔥"],
        PostKind::Lost => &["🙏"],
        PostKind::Verse => &["🌙", "🖤", "🍂", "🤍"],
        PostKind::Show => &["✨", "📸", "😍", "🤍", "🌸", "🔥"],
    }
}

/// Words that may open a post of this kind.
pub(super) const fn openings(kind: PostKind, script: Script) -> &'static [&'static str] {
    match (script, kind) {
        (Script::Masry, PostKind::Say) => &["يا جماعة،", "بصوا،", "على فكرة،"],
        (Script::Masry, PostKind::Vent) => &["لا بجد،", "يا جماعة والله", "حد يفهمني،", "أنا تعبت،"],
        (Script::Masry, PostKind::Ask) => &["سؤال يا جماعة:", "محتاج{|ة} مساعدتكم:", "يا أهل {gov}،", "بعد إذنكم،"],
        (Script::Masry, PostKind::Poll) => &["سؤال على الماشي:", "قولوا لي رأيكم:", "من غير خناق:"],
        (Script::Masry, PostKind::Tip) => &["معلومة على السريع:", "للمهتمين:", "خدوها مني:"],
        (Script::Masry, PostKind::Joy) => &["افرحوا معايا:", "خبر حلو:", "يا بشر،"],
        (Script::Arabizi, PostKind::Say) => &["ya gama3a,", "bosso,", "3ala fekra,"],
        (Script::Arabizi, PostKind::Vent) => &["la2 bgd,", "ya rabby,", "khalas ana te3ebt,"],
        (Script::Arabizi, PostKind::Ask) => &["so2al:", "ya ahl {gov},", "ba3d eznoko,"],
        (Script::Arabizi, PostKind::Poll) => &["so2al 3al sare3:", "ra2yoko eh:"],
        (Script::Arabizi, PostKind::Tip) => &["ma3looma 3al sare3:", "lel mohtameen:"],
        (Script::Arabizi, PostKind::Joy) => &["yaaaay", "5abar 7elw:", "ya nas"],
        (Script::English, PostKind::Say) => &["honestly,", "thinking about it again:", "small thing, but"],
        (Script::English, PostKind::Vent) => &["okay,", "today's episode:"],
        (Script::English, PostKind::Ask | PostKind::Poll) => {
            &["quick question:", "help a friend out:", "people of {gov}:"]
        }
        (Script::English, PostKind::Tip) => &["friendly reminder:", "free advice:"],
        (Script::English, PostKind::Joy) => &["good news:", "you guys,"],
        (Script::Mixed, PostKind::Say | PostKind::Vent) => &["guys،", "seriously،", "honestly،"],
        (Script::Mixed, PostKind::Ask | PostKind::Poll) => &["guys سؤال:", "quick question:"],
        (Script::Mixed, PostKind::Joy) => &["omg", "good news:"],
        _ => &[],
    }
}

/// What people let a short text trail off with; a favourite of its writer.
pub(super) const fn trails(script: Script) -> &'static [&'static str] {
    match script {
        Script::Masry => &[" والله", ".. وبس كده", ".. عادي يعني", " بقى", " بجد", "، الحمد لله"],
        Script::Arabizi => &[" wallahy", " bgd", " ya3ny", " ba2a", ".. w bas keda"],
        Script::English => &[", honestly", ".. anyway", ", no notes", ", that's it"],
        Script::Mixed => &[".. anyway", " بجد", ".. that's it"],
    }
}

/// How a friend is brought into a post: as company, or as one who will know.
pub(super) const fn nods(kind: PostKind, script: Script) -> &'static [&'static str] {
    match (kind, script) {
        (PostKind::Joy | PostKind::Show, Script::Masry) => &["مع {mention}", "أنا و{mention}"],
        (PostKind::Joy | PostKind::Show, Script::Arabizi) => &["ma3 {mention}", "ana w {mention}"],
        (PostKind::Joy | PostKind::Show, _) => &["with {mention}", "ft. {mention}"],
        (_, Script::Masry) => &["{mention} شايف<|ة>؟", "{mention} البوست ده ليك<|ي>", "صح يا {mention}؟"],
        (_, Script::Arabizi) => &["{mention} <shayef|shayfa>?", "{mention} da <leek|leeky>", "sa7 ya {mention}?"],
        (_, Script::English) => &["cc {mention}", "{mention} you'd get it"],
        (_, Script::Mixed) => &["{mention} you know", "cc {mention}"],
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::draw::Stream;
    use super::*;

    fn plain() -> Quirks {
        Quirks {
            bare_alef: false,
            dotless_yaa: false,
            bare_haa: false,
            eastern_digits: false,
            five: false,
            capitals: false,
            stretches: false,
            stop: "..",
            taste: 0,
        }
    }

    fn spelt(quirks: Quirks, script: Script, text: &str) -> String {
        quirks.spell(text, script, &mut Draw::new(1, Stream::People))
    }

    #[test]
    fn habits_change_the_spelling_and_nothing_else() {
        let masry = |quirks| spelt(quirks, Script::Masry, "أنا في {حاجة} 15 @ali_khalil إيه؟");
        assert_eq!(masry(plain()), "أنا في {حاجة} 15 @ali_khalil إيه؟");
        assert_eq!(masry(Quirks { bare_alef: true, ..plain() }), "انا في {حاجة} 15 @ali_khalil ايه؟");
        assert_eq!(masry(Quirks { dotless_yaa: true, ..plain() }), "أنا فى {حاجة} 15 @ali_khalil إيه؟");
        assert_eq!(masry(Quirks { bare_haa: true, ..plain() }), "أنا في {حاجه} 15 @ali_khalil إيه؟");
        assert_eq!(masry(Quirks { eastern_digits: true, ..plain() }), "أنا في {حاجة} ١٥ @ali_khalil إيه؟");
        let five = Quirks { five: true, ..plain() };
        assert_eq!(spelt(five, Script::Arabizi, "khalas ya @khaled #akhbar"), "5alas ya @khaled #akhbar");
        let capitals = Quirks { capitals: true, ..plain() };
        assert_eq!(spelt(capitals, Script::English, "so it is. and\nthen? @a.b yes"), "So it is. And\nThen? @a.b yes");
    }

    #[test]
    fn a_stop_stands_only_after_a_word() {
        let ended = |text: &str| {
            let mut text = text.to_owned();
            plain().end(&mut text);
            text
        };
        assert_eq!(ended("كلام"), "كلام..");
        assert_eq!(ended("ليه؟"), "ليه؟");
        assert_eq!(ended("كلام #قهوة"), "كلام #قهوة");
        assert_eq!(ended("❤️"), "❤️");
    }
}
