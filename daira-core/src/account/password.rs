//! Which passwords are good enough: length, and not one that everybody tries first. A password in, a refusal or nothing out.
//!
//! **Form.** A password is compared as RFC 8265 (`OpaqueString`) prepares it: every space character becomes U+0020, then
//! NFC. So it does not matter whether a keyboard sends `أ` as one character or two. NFKC is deliberately not used: it
//! would merge passwords that look different (`①` and `1`) and make them weaker.
//!
//! **Rules.** 10 characters or more (code points, as NIST SP 800-63B counts them), at most 1,024 bytes, any script, no rules
//! of composition. Refused is what is guessed first: a line of `password/common.txt` or `password/breached.txt`, or two of the
//! former, with up to six digits or signs, a date, a phone number or a national number before and after; digits alone, but for
//! very many; a short unit repeated; a run along the alphabet or the digits; anything that holds our name, the person's handle
//! or the name in their e-mail address. These comparisons see the *folded* password ([`fold`]), so `Pass-Word`, `PASSWORD` and
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
const COMMON: &str = include_str!("password/common.txt");

/// The same of what was found in breaches, as far as it is not there.
const BREACHED: &str = include_str!("password/breached.txt");

/// Names of the house.
const HOUSE: &[&str] = &["daira", "دايرة", "دائرة"];

/// How many digits and signs before or behind a common password do not make it better.
const MAX_TAIL: usize = 6;

/// Up to so many digits alone are a date, or a number that somebody has: of a phone, a card, a state.
const MAX_DIGITS: usize = 16;

/// The shortest word that two common ones are looked for in, and the longest text.
const PAIR: core::ops::RangeInclusive<usize> = 3..=40;

/// How what is no hash begins; hashes begin with `$`.
const NO_PASSWORD: char = '!';

/// The longest unit whose repetition is no password.
const MAX_UNIT: usize = 6;

/// A personal word of fewer characters may stand inside a password.
const MIN_WORD: usize = 4;

/// What stands in the place of a hash where an account has no password: no password hashes to it, and no two are the same, so
/// what is bound to it ends with it as it would with a hash.
pub fn none(random: [u8; 16]) -> String {
    format!("{NO_PASSWORD}{}", data_encoding::HEXLOWER.encode(&random))
}

/// Whether a stored hash is of a password, rather than what stands in its place.
pub fn is_some(hash: &str) -> bool {
    !hash.starts_with(NO_PASSWORD)
}

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
    let behind = guess.trim_start_matches(is_sign);
    let stem = behind.trim_end_matches(is_sign);
    let (head, _) = guess.split_at(guess.len() - behind.len());
    let (_, tail) = behind.split_at(stem.len());
    let is_dressed = is_dressing(head) && is_dressing(tail);
    repeats
        || is_run(&letters)
        || is_known(guess)
        || (stem.is_empty() && digits(guess).len() <= MAX_DIGITS)
        || (is_dressing(tail) && is_known(guess.trim_end_matches(is_sign)))
        || (is_dressed && (is_known(stem) || is_pair(stem)))
}

/// Whether it is what people put around a word: a few digits and signs, or a number that is known of them.
fn is_dressing(signs: &str) -> bool {
    let digits = digits(signs);
    signs.len() <= MAX_TAIL || (signs.len() - digits.len() <= MAX_TAIL && (is_date(&digits) || is_own_number(&digits)))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Whether eight digits may be a day, its year in front or at the end.
fn is_date(digits: &str) -> bool {
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<u16>().ok()).unwrap_or(0);
    let year = |from: usize| (1900..=2100).contains(&number(from, from + 4));
    let parts = |one: u16, other: u16| (1..=31).contains(&one) && (1..=31).contains(&other) && one.min(other) <= 12;
    digits.len() == 8
        && ((year(0) && parts(number(4, 6), number(6, 8))) || (year(4) && parts(number(0, 2), number(2, 4))))
}

/// Whether these are the digits of an Egyptian mobile phone, with or without the country's, or of a national number.
fn is_own_number(digits: &str) -> bool {
    let national = digits.strip_prefix("002").or_else(|| digits.strip_prefix('2')).unwrap_or(digits);
    let is_mobile = |text: &str| text.len() == 11 && ["010", "011", "012", "015"].iter().any(|at| text.starts_with(at));
    is_mobile(digits) || is_mobile(national) || (digits.len() == 14 && digits.starts_with(['2', '3']))
}

/// Whether it is two common words, one behind the other: there are fewer of those than of guesses that an attacker has.
fn is_pair(word: &str) -> bool {
    let starts = || word.char_indices().map(|(at, _)| at);
    starts().count() <= *PAIR.end()
        && starts().skip(*PAIR.start()).any(|at| {
            let (one, other) = word.split_at(at);
            other.chars().count() >= *PAIR.start() && is_listed(COMMON, one) && is_listed(COMMON, other)
        })
}

fn is_known(guess: &str) -> bool {
    is_listed(COMMON, guess) || is_listed(BREACHED, guess)
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
fn is_listed(list: &str, guess: &str) -> bool {
    let mut rest = list;
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
        for list in [COMMON, BREACHED] {
            let lines: Vec<&str> = list.lines().collect();
            assert!(lines.len() >= 3_000, "{}", lines.len());
            assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "sorted by bytes, each once");
            for line in lines {
                assert_eq!(guess(line), line, "kept folded");
                assert!(is_listed(list, line), "{line}");
                let beside = [format!("{line}\u{10FFFF}"), format!("\u{1}{line}")];
                assert!(!beside.iter().any(|other| is_listed(list, other)), "{line}");
            }
            assert!(!is_listed(list, ""));
        }
        assert!(BREACHED.lines().all(|line| !is_listed(COMMON, line)), "each in one list");
    }

    #[test]
    fn security_04_what_was_found_in_breaches_is_refused() {
        for password in
            ["mustangs1967", "Mustangs-2026", "123hellokitty!!", "Rammstein99", "Scarface.1983", "12345trustnoone"]
        {
            assert_eq!(refusal(password), Some(AccountRefusal::PasswordCommon), "{password}");
        }
    }

    #[test]
    fn security_04_what_egyptians_type_first_is_refused() {
        let tried = [
            "Mo7amed-2001",
            "3abdelrahman",
            "ba7ebak ya7abibi",
            "ahmedmohamed",
            "el2ahly1907!",
            "محمد أحمد ٢٠٠٥",
            "Zamalek 25/01/2011",
            "25012011zamalek",
            "ahmed01012345678",
            "+201001234567",
            "ماما وبابا ١٢٣",
            "٠١٢٢٣٤٥٦٧٨٩",
            "29901011234567",
            "01/01/1990",
            "1990-12-31",
            "عبدالرحمن01512345678",
            "kelmet el ser 123",
            "يا رب يا رب",
            "fatma 19950607",
            "4111 1111 1111 1111",
        ];
        let passed: Vec<&str> = tried.into_iter().filter(|password| refusal(password).is_none()).collect();
        assert!(passed.is_empty(), "{passed:?}");
        for password in [
            "ahmed yel3ab fel share3",
            "zamalek 99999999",
            "قهوة سادة عالنيل",
            "8471 0295 6613 9427 5508",
            "kahwa w shai 19952006",
        ] {
            assert_eq!(refusal(password), None, "{password}");
        }
    }

    #[test]
    fn security_04_what_everybody_tries_is_refused() {
        let tried = [
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
        ];
        let passed: Vec<&str> = tried.into_iter().filter(|password| refusal(password).is_none()).collect();
        assert!(passed.is_empty(), "{passed:?}");
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
