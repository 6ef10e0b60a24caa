//! Phone numbers, and what people are reached by: an e-mail address or a number.

use phonenumber::country::Id as Country;
use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type};

use super::{AccountRefusal, Email};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::time::Timestamp;

/// The longest text that is read as a number, in bytes: digits of Arabic take two, and some write spaces in between.
const MAX_TYPED: usize = 64;

/// The number of a phone that can be carried about, as the world writes it: `+201001234567`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people type it: Arabic-Indic digits, spaces, hyphens and brackets are fine, and a number without its
    /// country is one of Egypt.
    ///
    /// # Errors
    /// [`AccountRefusal::PhoneInvalid`] for what is no number of a mobile phone.
    pub fn new(text: &str) -> Result<Self> {
        let refuse = || Error::from(AccountRefusal::PhoneInvalid).on_field("phone");
        let digits = digits(text).ok_or_else(refuse)?;
        let number = phonenumber::parse(Some(Country::EG), &digits).map_err(|_| refuse())?;
        let carried = matches!(number.number_type(&DATABASE), Type::Mobile | Type::FixedLineOrMobile);
        if !carried || !number.is_valid() {
            return Err(refuse());
        }
        Ok(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// Takes a stored number at its word.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code of its country, for instance 20 for Egypt; some are of several countries.
    pub fn country_code(&self) -> u16 {
        phonenumber::parse(None, &self.0).map_or(0, |number| number.code().value())
    }

    /// Whether its country has this code.
    pub fn is_of(&self, country: u16) -> bool {
        self.country_code() == country
    }
}

impl core::fmt::Debug for Phone {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// What was typed in digits of today's phones, a plus in front where there was one; nothing for what holds anything else.
fn digits(text: &str) -> Option<String> {
    if text.len() > MAX_TYPED {
        return None;
    }
    let mut digits = String::with_capacity(16);
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => {
                digits.push(char::from_digit(u32::from(c) & 0xf, 10)?);
            }
            '+' | '\u{ff0b}' if digits.is_empty() => digits.push('+'),
            // Marks of direction come along when a number is copied out of an Arabic text.
            ' '
            | '\u{a0}'
            | '-'
            | '('
            | ')'
            | '.'
            | '/'
            | '\u{2010}'..='\u{2015}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {}
            _ => return None,
        }
    }
    Some(digits)
}

/// A number that an account is reached by, proved by a code that was sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPhone {
    /// Whose it is.
    pub account: AccountId,
    /// The number; no two accounts have the same.
    pub number: Phone,
    /// When it was proved.
    pub verified_at: Timestamp,
}

/// What somebody is reached by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// By mail.
    Email(Email),
    /// By phone.
    Phone(Phone),
}

impl Contact {
    /// Reads what was typed where either will do.
    ///
    /// # Errors
    /// [`AccountRefusal::EmailInvalid`] for a text with an `@`, else [`AccountRefusal::PhoneInvalid`].
    pub fn new(text: &str) -> Result<Self> {
        if text.contains('@') { Email::new(text).map(Self::Email) } else { Phone::new(text).map(Self::Phone) }
    }

    /// The address or the number.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// The address, where it is one.
    pub fn email(&self) -> Option<&Email> {
        match self {
            Self::Email(email) => Some(email),
            Self::Phone(_) => None,
        }
    }
}

impl From<Email> for Contact {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

impl From<Phone> for Contact {
    fn from(phone: Phone) -> Self {
        Self::Phone(phone)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_one_spelling_however_it_is_typed() {
        for typed in [
            "01001234567",
            " 0100 123 4567 ",
            "+20 100 123 4567",
            "0020-100-123-4567",
            "٠١٠٠١٢٣٤٥٦٧",
            "+٢٠ ١٠٠ ١٢٣ ٤٥٦٧",
            "۰۱۰۰۱۲۳۴۵۶۷",
            "\u{202a}+20\u{a0}(100) 123.4567\u{202c}",
            "＋201001234567",
        ] {
            assert_eq!(Phone::new(typed).unwrap().as_str(), "+201001234567", "{typed}");
        }
        for (typed, read) in [
            ("01112345678", "+201112345678"),
            ("01212345678", "+201212345678"),
            ("01512345678", "+201512345678"),
            ("+966 50 123 4567", "+966501234567"),
            ("+1 202 555 0123", "+12025550123"),
        ] {
            assert_eq!(Phone::new(typed).unwrap().as_str(), read, "{typed}");
        }
    }

    #[test]
    fn what_is_no_mobile_phone_is_refused() {
        for typed in [
            "",
            "+",
            "0100123456",
            "010012345678",
            "01312345678",
            "0227354111",
            "19777",
            "122",
            "0800 000 0000",
            "+999 123 456 789",
            "01001234567 ext 5",
            "tel:+201001234567;phone-context=x",
            "01001234567+",
            "++201001234567",
            "zero one",
            &"0".repeat(1 << 20),
        ] {
            let refused = Phone::new(typed).unwrap_err();
            assert_eq!(refused.refusal(), Some(AccountRefusal::PhoneInvalid), "{typed}");
        }
    }

    #[test]
    fn a_number_is_of_its_country() {
        let phone = Phone::new("01001234567").unwrap();
        assert!(phone.is_of(20) && !phone.is_of(2) && !phone.is_of(1) && !phone.is_of(21));
        assert_eq!(Phone::new("+1 202 555 0123").unwrap().country_code(), 1);
        assert_eq!(Phone::from_stored("nonsense".to_owned()).country_code(), 0);
        assert!(!format!("{phone:?}").contains("100"));
    }

    #[test]
    fn an_address_has_an_at() {
        assert_eq!(Contact::new(" Mona@Example.com").unwrap().as_str(), "mona@example.com");
        assert_eq!(Contact::new("٠١٠٠١٢٣٤٥٦٧").unwrap().as_str(), "+201001234567");
        assert_eq!(Contact::new("mona@").unwrap_err().refusal(), Some(AccountRefusal::EmailInvalid));
        assert_eq!(Contact::new("mona").unwrap_err().refusal(), Some(AccountRefusal::PhoneInvalid));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), digits in "[+0-9 ]{0,40}") {
            for text in [text, digits] {
                if let Ok(phone) = Phone::new(&text) {
                    prop_assert_eq!(Phone::new(phone.as_str()).unwrap(), phone, "a number is its own spelling");
                }
            }
        }
    }
}
