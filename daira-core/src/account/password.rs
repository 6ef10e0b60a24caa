//! Which passwords are good enough: length, and not one that everybody tries first. A password in, a refusal or nothing out.
//!
//! **Form.** A password is compared as RFC 8265 (`OpaqueString`) prepares it: every space character becomes U+0020, then
//! NFC. So it does not matter whether a keyboard sends `أ` as one character or two. NFKC is deliberately not used: it
//! would merge passwords that look different (`①` and `1`) and make them weaker.
//!
//! **Rules.** 10 characters or more (code points, as NIST SP 800-63B counts them), at most 1,024 bytes, any script, no rules
//! of composition. Refused is what is guessed first: a line of `common_passwords.txt`, with up to six digits or signs after
//! it; a short unit repeated; a run along the alphabet or the digits; anything that holds our name, the person's handle or
//! the name in their e-mail address. These comparisons see the *folded* password ([`fold`]), so `Pass-Word`, `PASSWORD` and
//! `كلمة السر`, `كلمه السر` are the same guess.

use unicode_normalization::UnicodeNormalization;

use super::AccountRefusal;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::text::fold;

/// The fewest characters, in code points of the prepared form.
pub const MIN_PASSWORD: usize = 10;

/// The most bytes, as typed.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// Folded, one a line, sorted by bytes; some are shorter than a password may be, because digits are often put behind them.
const COMMON: &str = include_str!("common_passwords.txt");

/// Names of the house.
const HOUSE: &[&str] = &["daira", "دايرة", "دائرة"];

/// How many digits and signs behind a common password do not make it better.
const MAX_TAIL: usize = 6;

/// The longest unit whose repetition is no password.
const MAX_UNIT: usize = 6;

/// A personal word of fewer characters may stand inside a password.
const MIN_WORD: usize = 4;

/// The form in which a password is hashed and compared.
///
/// ```
/// use daira_core::account::password::prepare;
/// assert_eq!(prepare("cafe\u{301}\u{A0}crème"), "café crème");
/// ```
pub fn prepare(password: &str) -> String {
    const SPACES: [char; 5] = ['\u{A0}', '\u{1680}', '\u{202F}', '\u{205F}', '\u{3000}'];
    let is_space = |c: char| SPACES.contains(&c) || ('\u{2000}'..='\u{200A}').contains(&c);
    password.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect()
}

/// Checks a new password. `personal` are words an attacker would try for this person: the handle, the e-mail's name.
///
/// # Errors
/// [`AccountRefusal::PasswordShort`], [`AccountRefusal::PasswordLong`] or [`AccountRefusal::PasswordCommon`].
pub fn check(password: &Secret, personal: &[&str]) -> Result<()> {
    let refuse = |refusal: AccountRefusal| Err(Error::from(refusal).on_field("password"));
    if password.expose().len() > MAX_PASSWORD_BYTES {
        return refuse(AccountRefusal::PasswordLong);
    }
    let prepared = prepare(password.expose());
    if prepared.chars().count() < MIN_PASSWORD {
        return refuse(AccountRefusal::PasswordShort);
    }
    let guess = guess(&prepared);
    if is_common(&guess) || is_personal(&guess, personal) {
        return refuse(AccountRefusal::PasswordCommon);
    }
    Ok(())
}

/// What spellings of one guess have in common: folded, without what people put between words.
fn guess(text: &str) -> String {
    fold(text).as_str().chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '_' | '-')).collect()
}

fn is_common(guess: &str) -> bool {
    let letters: Vec<char> = guess.chars().collect();
    let repeats = (1..=MAX_UNIT.min(letters.len() / 2))
        .any(|unit| letters.iter().skip(unit).eq(letters.iter().take(letters.len() - unit)));
    let stem = guess.trim_end_matches(is_sign);
    let tail = guess.chars().count() - stem.chars().count();
    repeats || is_run(&letters) || is_listed(guess) || (tail <= MAX_TAIL && is_listed(stem))
}

fn is_personal(guess: &str, personal: &[&str]) -> bool {
    let bare = guess.trim_matches(is_sign);
    HOUSE.iter().chain(personal).map(|word| self::guess(word)).any(|word| {
        !word.is_empty()
            && (bare == word.trim_matches(is_sign) || (word.chars().count() >= MIN_WORD && guess.contains(&word)))
    })
}

fn is_sign(c: char) -> bool {
    c.is_ascii_digit() || c.is_ascii_punctuation()
}

/// Whether every character follows its predecessor by one, upwards or downwards; 0 follows 9.
fn is_run(letters: &[char]) -> bool {
    let follows = |a: char, b: char| u32::from(a) + 1 == u32::from(b) || (a, b) == ('9', '0');
    let pairs = || letters.iter().copied().zip(letters.iter().copied().skip(1));
    pairs().all(|(a, b)| follows(a, b)) || pairs().all(|(a, b)| follows(b, a))
}

/// Looks a line up by halving the file at line boundaries, so that nothing is built or held for it.
fn is_listed(guess: &str) -> bool {
    let mut rest = COMMON;
    while !rest.is_empty() {
        let (before, from_middle) = split_near_middle(rest);
        let (line, after) = from_middle.split_once('\n').unwrap_or((from_middle, ""));
        match guess.cmp(line) {
            core::cmp::Ordering::Equal => return !guess.is_empty(),
            core::cmp::Ordering::Less => rest = before,
            core::cmp::Ordering::Greater => rest = after,
        }
    }
    false
}

/// Splits before the line that holds the middle byte.
fn split_near_middle(text: &str) -> (&str, &str) {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = text.get(..middle).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
    text.split_at(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(password: &str) -> Option<AccountRefusal> {
        check(&Secret::new(password), &["mona.ali", "mona"]).err().and_then(|e| e.refusal())
    }

    #[test]
    fn security_04_the_list_is_long_sorted_folded_and_found() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 3_000, "{}", lines.len());
        assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "sorted by bytes, each once");
        for line in lines {
            assert_eq!(guess(line), line, "kept folded");
            assert!(is_listed(line), "{line}");
            assert!(!is_listed(&format!("{line}\u{10FFFF}")) && !is_listed(&format!("\u{1}{line}")), "{line}");
        }
        assert!(!is_listed(""));
    }

    #[test]
    fn security_04_what_everybody_tries_is_refused() {
        for password in [
            "password123",
            "PASSWORD2026!",
            "P@ssw0rd1234",
            "Pass-Word-99",
            "qwertyuiop",
            "1q2w3e4r5t6y",
            "1234567890",
            "٠١٢٣٤٥٦٧٨٩",
            "0987654321",
            "abcdefghijkl",
            "aaaaaaaaaa",
            "abcabcabcabc",
            "1212121212",
            "ahmed ahmed",
            "mohamed1990",
            "Mahmoud_2001",
            "Zamalek1911!",
            "el ahly 1907",
            "iloveyou2026",
            "بحبك يا مصر",
            "كلمة المرور",
            "كلمه السر ١٢٣",
            "الحمد لله ٢٠٢٦",
            "ضصثقفغعهخحج",
            "محمد رسول الله",
            "01012345678",
            "7abibi2024",
        ] {
            assert_eq!(refusal(password), Some(AccountRefusal::PasswordCommon), "{password}");
        }
    }

    #[test]
    fn security_04_the_house_and_the_persons_own_names_are_refused() {
        for password in [
            "i live in daira",
            "دائرتي الجميلة دائرة",
            "mona.ali.kahwa",
            "MONAALI-and-tea",
            "xx mona xx yy",
            "**mona**1234",
        ] {
            assert_eq!(refusal(password), Some(AccountRefusal::PasswordCommon), "{password}");
        }
        let short_handle = |password| check(&Secret::new(password), &["ali"]).is_ok();
        assert!(
            short_handle("california dreaming") && !short_handle("ali-19871987"),
            "three letters occur in many words"
        );
    }

    #[test]
    fn security_02_length_is_counted_in_characters_and_bounded_in_bytes() {
        assert_eq!(refusal("كلب صغير"), Some(AccountRefusal::PasswordShort));
        assert_eq!(refusal("kahwa bkm"), Some(AccountRefusal::PasswordShort));
        assert_eq!(refusal("e\u{301}tagèresx"), Some(AccountRefusal::PasswordShort), "counted after composition");
        assert_eq!(refusal(&format!("{} x", "كوباية شاي ".repeat(60))), Some(AccountRefusal::PasswordLong));
        assert_eq!(refusal(&format!("x{}", "y".repeat(1 << 20))), Some(AccountRefusal::PasswordLong));
    }

    #[test]
    fn security_02_long_arabic_and_emoji_passwords_pass() {
        let sixty_four = "قهوة سادة على النيل وقت المغرب 🌙 مع صحاب العمر كلهم يوم الخميس ✨";
        assert!(sixty_four.chars().count() >= 64);
        for password in [sixty_four, "correct horse battery", "3ayez agri 3al bahr", "🐪🌴🏜🐪🌊🦅🐈🌙", "x7#Kq!vBz2mm"]
        {
            assert_eq!(refusal(&format!("{password}🐫🌵")), None, "{password}");
        }
    }

    proptest! {
        #[test]
        fn preparing_is_idempotent(text in "\\PC{0,40}") {
            let once = prepare(&text);
            prop_assert_eq!(prepare(&once), once);
        }

        #[test]
        fn every_answer_is_typed(text in any::<String>(), word in any::<String>()) {
            if let Err(error) = check(&Secret::new(text), &[&word]) {
                prop_assert!(error.refusal::<AccountRefusal>().is_some());
            }
        }

        #[test]
        fn random_passwords_pass(text in "[b-ln-zB-LN-Z0-9]{16,64}") {
            // Without `a` and `m` no personal word can come up by chance; the list is missed with all but certainty.
            prop_assert_eq!(refusal(&text), None);
        }
    }
}
