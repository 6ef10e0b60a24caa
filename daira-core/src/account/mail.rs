//! The mails of accounts, composed: a language and facts in, subject and text out.
//!
//! Whoever asks for one may choose the address, so a mail holds nothing that they wrote: no name and no handle could carry an
//! advertisement to a stranger.

use super::{Account, Mailing, Registration, Session};
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
    message(registration.email.as_str(), subject, text, &registration.id)
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
    message(registration.email.as_str(), subject, text.to_owned(), &registration.id)
}

/// The mail with the token that lets choose a new password.
pub fn password_reset(mailing: &Mailing, token: &Secret, now: Timestamp) -> Message {
    let minutes = mailing.expires_at.since(now).as_secs().div_ceil(60);
    let token = token.expose();
    let (subject, text) = match mailing.locale {
        Locale::Ar => (
            "اختار كلمة سر جديدة لحسابك على دايرة",
            format!(
                "حد طلب كلمة سر جديدة لحسابك على دايرة.\n\nلو ده إنت، انسخ السطر ده في التطبيق واختار كلمة سر جديدة:\n\n{token}\n\n\
                 السطر صالح لمدة {} دقيقة ومرة واحدة بس، وكل الأجهزة التانية هتخرج من حسابك.\n\
                 ما تديهوش لأي حد، حتى لو قالك إنه من دايرة.\n\nلو مش إنت، تجاهل الرسالة دي: كلمة السر بتاعتك زي ما هي.\n",
                arabic_digits(minutes)
            ),
        ),
        Locale::En => (
            "Choose a new password for DAIRA",
            format!(
                "Someone asked for a new password for your DAIRA account.\n\nIf it was you, copy this line into the app and choose one:\n\n{token}\n\n\
                 It works once and for {minutes} minutes, and logs all your other devices out.\n\
                 Do not give it to anyone, not even to someone who says they are from DAIRA.\n\n\
                 If it was not you, ignore this mail: your password is unchanged.\n"
            ),
        ),
    };
    message(mailing.to.as_str(), subject, text, &mailing.id)
}

/// The mail to an address that has no account, when somebody wants a new password for one.
pub fn nobody_here(mailing: &Mailing) -> Message {
    let (subject, text) = match mailing.locale {
        Locale::Ar => (
            "مفيش حساب على دايرة بالإيميل ده",
            "حد طلب كلمة سر جديدة لحساب على دايرة بالإيميل ده، بس مفيش حساب بيه.\n\n\
             لو ده إنت، يمكن سجّلت بإيميل تاني. لو مش إنت، مش محتاج تعمل حاجة.\n",
        ),
        Locale::En => (
            "No DAIRA account has this address",
            "Someone asked for a new password for a DAIRA account with this address, which has none.\n\n\
             If it was you, perhaps you joined with another address. If it was not, there is nothing to do.\n",
        ),
    };
    message(mailing.to.as_str(), subject, text.to_owned(), &mailing.id)
}

/// The mail with the code that moves an account to this address.
pub fn new_email(mailing: &Mailing, code: &Secret, now: Timestamp) -> Message {
    let minutes = mailing.expires_at.since(now).as_secs().div_ceil(60);
    let code = code.expose();
    let (subject, text) = match mailing.locale {
        Locale::Ar => (
            "كود تأكيد إيميلك الجديد على دايرة",
            format!(
                "الكود بتاعك: {code}\n\nاكتبه في التطبيق عشان الإيميل ده يبقى بتاع حسابك. الكود صالح لمدة {} دقيقة.\n\
                 ما تديش الكود ده لأي حد، حتى لو قالك إنه من دايرة.\n\nلو مش إنت اللي طلبت، تجاهل الرسالة دي.\n",
                arabic_digits(minutes)
            ),
        ),
        Locale::En => (
            "Your code for your new DAIRA address",
            format!(
                "Your code: {code}\n\nEnter it in the app to make this the address of your account. It is valid for {minutes} minutes.\n\
                 Do not give it to anyone, not even to someone who says they are from DAIRA.\n\n\
                 If you did not ask for it, ignore this mail.\n"
            ),
        ),
    };
    message(mailing.to.as_str(), subject, text, &mailing.id)
}

/// The mail with the code that lets in.
pub fn log_in_code(mailing: &Mailing, code: &Secret, now: Timestamp) -> Message {
    let minutes = mailing.expires_at.since(now).as_secs().div_ceil(60);
    let code = code.expose();
    let (subject, text) = match mailing.locale {
        Locale::Ar => (
            "كود الدخول لحسابك على دايرة",
            format!(
                "الكود بتاعك: {code}\n\nاكتبه في التطبيق عشان تدخل حسابك. الكود صالح لمدة {} دقيقة ومرة واحدة بس.\n\
                 ما تديش الكود ده لأي حد، حتى لو قالك إنه من دايرة.\n\nلو مش إنت اللي طلبته، تجاهل الرسالة دي: من غير الكود ما حدش هيدخل.\n",
                arabic_digits(minutes)
            ),
        ),
        Locale::En => (
            "Your DAIRA log-in code",
            format!(
                "Your code: {code}\n\nEnter it in the app to log in. It works once and for {minutes} minutes.\n\
                 Do not give it to anyone, not even to someone who says they are from DAIRA.\n\n\
                 If you did not ask for it, ignore this mail: nobody gets in without the code.\n"
            ),
        ),
    };
    message(mailing.to.as_str(), subject, text, &mailing.id)
}

/// The mail to an address that has an account, when another account wants it.
pub fn already_used(mailing: &Mailing, locale: Locale) -> Message {
    let (subject, text) = match locale {
        Locale::Ar => (
            "حد حاول يستخدم إيميلك على دايرة",
            "حد حاول ينقل حساب تاني على دايرة للإيميل ده، بس الإيميل ده بتاع حسابك.\n\nمش محتاج تعمل حاجة: حسابك زي ما هو.\n",
        ),
        Locale::En => (
            "Someone tried to use your address on DAIRA",
            "Someone tried to move another DAIRA account to this address, which is that of yours.\n\n\
             There is nothing to do: your account is unchanged.\n",
        ),
    };
    message(mailing.to.as_str(), subject, text.to_owned(), &mailing.id)
}

/// The notice that a copy of a session's refresh token was used, which ended the session.
pub fn token_copied(account: &Account, session: &Session) -> Message {
    let (subject, text) = match account.locale {
        Locale::Ar => (
            "خرّجنا جهاز من حسابك على دايرة",
            "حد استخدم نسخة قديمة من دخولك على دايرة، فخرّجنا الجهاز ده من حسابك احتياطي.\n\n\
             سجّل دخولك تاني، ولو شاكك إن حد معاه جهازك أو نسخة منه، غيّر كلمة السر: كل الأجهزة التانية هتخرج.\n",
        ),
        Locale::En => (
            "We logged a device out of your DAIRA account",
            "An old copy of one of your log-ins was used, so we logged that device out to be safe.\n\n\
             Log in again. If somebody may have your device or a copy of it, change your password: that logs all other devices out.\n",
        ),
    };
    message(account.email.as_str(), subject, text.to_owned(), &session.id)
}

/// The mail after a log-in on a device that was not known: when and about where. What the device calls itself was typed by
/// whoever logged in, and is in the list of devices alone.
pub fn new_device(account: &Account, session: &Session) -> Message {
    let (at, place) = (session.created_at, session.place.as_ref().map(|place| place.name(account.locale)));
    let (subject, text) = match account.locale {
        Locale::Ar => (
            "دخول جديد على حسابك على دايرة",
            format!(
                "حد سجّل دخوله على حسابك من جهاز ما نعرفوش.\n\nالوقت: {at}\nالمكان بالتقريب: {}\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، خرّج الجهاز ده من قائمة الأجهزة في الإعدادات وغيّر كلمة السر.\n",
                place.unwrap_or("مش معروف")
            ),
        ),
        Locale::En => (
            "A new log-in to your DAIRA account",
            format!(
                "Someone logged in to your account on a device that we do not know.\n\nTime: {at}\nApproximate place: {}\n\n\
                 If it was you, there is nothing to do.\nIf it was not, end that device in the list of devices in your settings and change your password.\n",
                place.unwrap_or("unknown")
            ),
        ),
    };
    message(account.email.as_str(), subject, text, &format!("{}-new", session.id))
}

/// The notice that the account is going to be erased, and when.
pub(super) fn deletion_asked(mailing: &Mailing, at: Timestamp) -> Message {
    let day = at.in_cairo();
    let day = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    let (subject, text) = match mailing.locale {
        Locale::Ar => (
            "حسابك على دايرة هيتحذف",
            format!(
                "طلبت حذف حسابك على دايرة، وخلاص ماحدش شايفه. هنحذفه نهائيًا بكل اللي فيه يوم {day}.\n\n\
                 لو غيّرت رأيك، سجّل دخولك قبل اليوم ده والغي الحذف، وكل حاجة هترجع زي ما كانت.\n\
                 لو مش إنت اللي طلبت، حد دخل حسابك: سجّل دخولك والغي الحذف وغيّر كلمة السر حالاً.\n"
            ),
        ),
        Locale::En => (
            "Your DAIRA account will be deleted",
            format!(
                "You asked us to delete your DAIRA account, and nobody sees it any more. On {day} we delete it for good, with everything in it.\n\n\
                 If you change your mind, log in before that day and keep it: everything will be as it was.\n\
                 If it was not you, somebody is in your account: log in, keep it, and change your password at once.\n"
            ),
        ),
    };
    message(mailing.to.as_str(), subject, text, &mailing.id)
}

pub(crate) fn message(to: &str, subject: &str, text: String, key: &dyn core::fmt::Display) -> Message {
    Message { to: Secret::new(to), subject: subject.to_owned(), text: Secret::new(text), key: key.to_string() }
}

fn arabic_digits(number: u64) -> String {
    let arabic = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(0x660 + digit)).unwrap_or(c);
    number.to_string().chars().map(arabic).collect()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::account::Email;
    use crate::id::{ChallengeId, Id};
    use crate::text::Handle;
    use crate::time::Date;

    fn registration(locale: Locale) -> Registration {
        Registration {
            id: ChallengeId::from_raw(9),
            email: Email::new("mona@example.com").unwrap(),
            identity: None,
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
