//! The messages of accounts to phones, composed: a language and facts in, a few words out. Like the mails they hold nothing that
//! a stranger wrote.

use super::{Mailing, MailingKind, Phone};
use crate::locale::Locale;
use crate::port::Text;
use crate::secret::Secret;

/// The message with a code. `again` is how many went to the number shortly before.
pub fn code(mailing: &Mailing, number: &Phone, code: Secret, again: usize) -> Text {
    let digits = code.expose();
    let words = match mailing.locale {
        Locale::Ar => format!("كود دايرة: {digits}\nما تديهوش لأي حد."),
        Locale::En => format!("DAIRA code: {digits}\nDo not give it to anyone."),
    };
    Text { again, ..text(mailing, number, words, Some(code)) }
}

/// The notice that a mailing to a number is; nothing for one that does more than tell.
pub(super) fn notice(mailing: &Mailing, number: &Phone) -> Option<Text> {
    let words = match (mailing.kind, mailing.locale) {
        (MailingKind::PhoneChanged, Locale::Ar) => {
            "الرقم ده مابقاش بتاع حسابك على دايرة. لو مش إنت اللي غيّرته، غيّر كلمة السر حالاً."
        }
        (MailingKind::PhoneChanged, Locale::En) => {
            "This number is no longer that of your DAIRA account. If it was not you, change your password at once."
        }
        _ => return None,
    };
    Some(text(mailing, number, words.to_owned(), None))
}

fn text(mailing: &Mailing, number: &Phone, words: String, code: Option<Secret>) -> Text {
    let (to, words) = (Secret::new(number.as_str()), Secret::new(words));
    Text { to, code, words, locale: mailing.locale, again: 0, key: mailing.id.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ChallengeId, Id};
    use crate::time::Timestamp;

    #[test]
    fn a_code_is_told_in_the_persons_language_and_in_one_message() {
        let number = Phone::new("01001234567").unwrap();
        let mailing = |kind, locale| Mailing {
            id: ChallengeId::from_raw(9),
            kind,
            to: number.clone().into(),
            account: None,
            locale,
            attempts: 0,
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
        };
        for locale in [Locale::Ar, Locale::En] {
            let sent = code(&mailing(MailingKind::LogInCode, locale), &number, Secret::new("004217"), 2);
            assert!(sent.words.expose().contains("004217") && sent.words.expose().chars().count() <= 70, "one message");
            assert_eq!((sent.to.expose(), sent.again, sent.key.as_str()), ("+201001234567", 2, "chl_0000000000009"));
            assert!(!format!("{sent:?}").contains("4217") && !format!("{sent:?}").contains("+20"));
            let told = notice(&mailing(MailingKind::PhoneChanged, locale), &number).unwrap();
            assert!(told.code.is_none() && told.words.expose() != sent.words.expose());
            assert!(notice(&mailing(MailingKind::NewPhone, locale), &number).is_none());
        }
    }
}
