//! The mails of a registration, composed: a language and facts in, subject and text out.
//!
//! Whoever registers chooses the address, so a mail holds nothing that they wrote: no name and no handle could carry an
//! advertisement to a stranger.

use super::{Email, Registration};
use crate::locale::Locale;
use crate::port::Message;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The mail with the code that proves the mailbox. `now` decides how many minutes it says are left.
pub fn code(registration: &Registration, code: &Secret, now: Timestamp) -> Message {
    let minutes = registration.expires_at.since(now).as_secs().div_ceil(60);
    let code = code.expose();
    let (subject, text) = match registration.locale {
        Locale::Ar => (
            "كود تأكيد حسابك على دايرة",
            format!(
                "أهلاً بيك في دايرة!\n\nالكود بتاعك: {code}\n\nاكتبه في التطبيق عشان تكمّل التسجيل. الكود صالح لمدة {} دقيقة.\n\
                 ما تديش الكود ده لأي حد، حتى لو قالك إنه من دايرة.\n\nلو مش إنت اللي سجّلت، تجاهل الرسالة دي وما حدش هيقدر يستخدم إيميلك.\n",
                arabic_digits(minutes)
            ),
        ),
        Locale::En => (
            "Your DAIRA confirmation code",
            format!(
                "Welcome to DAIRA!\n\nYour code: {code}\n\nEnter it in the app to finish joining. It is valid for {minutes} minutes.\n\
                 Do not give it to anyone, not even to someone who says they are from DAIRA.\n\n\
                 If you did not ask to join, ignore this mail: nobody can use your address without the code.\n"
            ),
        ),
    };
    message(&registration.email, subject, text, registration)
}

/// The mail to an address that has an account already: nobody else learns of it.
pub fn already_joined(registration: &Registration, locale: Locale) -> Message {
    let (subject, text) = match locale {
        Locale::Ar => (
            "عندك حساب على دايرة بالفعل",
            "حد حاول يعمل حساب جديد على دايرة بالإيميل ده، بس إنت عندك حساب بالفعل.\n\n\
             لو ده إنت، سجّل دخولك بالإيميل وكلمة السر بتاعتك.\nلو مش إنت، مش محتاج تعمل حاجة: حسابك زي ما هو وما حدش دخله.\n",
        ),
        Locale::En => (
            "You already have a DAIRA account",
            "Someone tried to make a new DAIRA account with this address, which already has one.\n\n\
             If it was you, log in with your e-mail and password.\nIf it was not, there is nothing to do: your account is unchanged and nobody got in.\n",
        ),
    };
    message(&registration.email, subject, text.to_owned(), registration)
}

fn message(to: &Email, subject: &str, text: String, registration: &Registration) -> Message {
    Message {
        to: Secret::new(to.as_str()),
        subject: subject.to_owned(),
        text: Secret::new(text),
        key: registration.id.to_string(),
    }
}

fn arabic_digits(number: u64) -> String {
    let arabic = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(0x660 + digit)).unwrap_or(c);
    number.to_string().chars().map(arabic).collect()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::id::{ChallengeId, Id};
    use crate::text::Handle;
    use crate::time::Date;

    fn registration(locale: Locale) -> Registration {
        Registration {
            id: ChallengeId::from_raw(9),
            email: Email::new("mona@example.com").unwrap(),
            password_hash: "secret-hash".to_owned(),
            handle: Handle::existing("buy.cheap.pills").unwrap(),
            name: "http://evil.example".to_owned(),
            birth_date: Date::new(2000, 1, 1).unwrap(),
            locale,
            attempts: 0,
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH + Duration::from_mins(15),
        }
    }

    #[test]
    fn the_code_is_told_in_the_persons_language() {
        let now = Timestamp::EPOCH + Duration::from_millis(1);
        let (ar, en) = (
            code(&registration(Locale::Ar), &Secret::new("004217"), now),
            code(&registration(Locale::En), &Secret::new("004217"), now),
        );
        assert!(ar.text.expose().contains("004217") && ar.text.expose().contains("١٥ دقيقة"), "{}", ar.text.expose());
        assert!(en.text.expose().contains("004217") && en.text.expose().contains("15 minutes"));
        assert!(
            !ar.subject.contains("004217") && !format!("{ar:?}").contains("004217"),
            "lock screens and logs show subjects"
        );
        assert_eq!((ar.to.expose(), ar.key.as_str()), ("mona@example.com", "chl_0000000000009"));
    }

    #[test]
    fn nothing_that_a_stranger_wrote_is_sent() {
        for locale in [Locale::Ar, Locale::En] {
            let code = code(&registration(locale), &Secret::new("004217"), Timestamp::EPOCH);
            for mail in [code, already_joined(&registration(locale), locale)] {
                for written in ["pills", "evil", "secret-hash"] {
                    assert!(!mail.subject.contains(written) && !mail.text.expose().contains(written));
                }
            }
        }
        assert!(!already_joined(&registration(Locale::En), Locale::En).text.expose().contains("004217"));
    }
}
