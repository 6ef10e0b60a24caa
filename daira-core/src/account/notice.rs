//! What owners are told when the way into their account changes: by mail, to the address that was theirs before.

use super::{Mailing, MailingKind, mail};
use crate::locale::Locale;
use crate::port::Message;

/// A subject and a text.
type Words = (&'static str, &'static str);

/// The notice that a mailing is; nothing for one that does more than tell.
pub(super) fn notice(mailing: &Mailing) -> Option<Message> {
    let (arabic, english) = words(mailing.kind)?;
    let (subject, text) = match mailing.locale {
        Locale::Ar => arabic,
        Locale::En => english,
    };
    Some(mail::message(mailing.to.as_str(), subject, text.to_owned(), &mailing.id))
}

/// In Arabic and in English.
fn words(kind: MailingKind) -> Option<(Words, Words)> {
    Some(match kind {
        MailingKind::PasswordReset
        | MailingKind::NewEmail
        | MailingKind::LogInCode
        | MailingKind::NewPhone
        | MailingKind::Sanctioned
        | MailingKind::SanctionLifted
        | MailingKind::TakenDown
        | MailingKind::DeletionAsked => return None,
        MailingKind::PasswordChanged => (
            (
                "كلمة السر بتاعتك على دايرة اتغيّرت",
                "كلمة سر حسابك على دايرة اتغيّرت دلوقتي، وكل الأجهزة التانية خرجت منه.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، اطلب كلمة سر جديدة من صفحة تسجيل الدخول حالاً.\n",
            ),
            (
                "Your DAIRA password was changed",
                "The password of your DAIRA account was changed just now, and all other devices are logged out.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, ask for a new password on the log-in page at once.\n",
            ),
        ),
        MailingKind::EmailChanged => (
            (
                "إيميل حسابك على دايرة اتغيّر",
                "حسابك على دايرة بقى بإيميل تاني، والإيميل ده مابقاش بتاعه.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: كلّم الدعم حالاً من الإيميل ده.\n",
            ),
            (
                "The address of your DAIRA account was changed",
                "Your DAIRA account has another e-mail address now; this one is no longer its.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: write to our support from this address at once.\n",
            ),
        ),
        MailingKind::SecondFactorOn => (
            (
                "التأكيد بخطوتين اشتغل على حسابك على دايرة",
                "من دلوقتي الدخول لحسابك على دايرة محتاج كلمة السر وكود من تطبيق الأكواد. احتفظ بأكواد الطوارئ في مكان أمان.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: غيّر كلمة السر وكلّم الدعم حالاً.\n",
            ),
            (
                "Two-step log-in is on for your DAIRA account",
                "From now on, logging in to your DAIRA account takes your password and a code of your authenticator app. Keep your recovery codes in a safe place.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: change your password and write to our support at once.\n",
            ),
        ),
        MailingKind::SecondFactorOff => (
            (
                "التأكيد بخطوتين وقف على حسابك على دايرة",
                "من دلوقتي الدخول لحسابك على دايرة بكلمة السر بس.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: غيّر كلمة السر وشغّل التأكيد بخطوتين تاني حالاً.\n",
            ),
            (
                "Two-step log-in is off for your DAIRA account",
                "From now on, logging in to your DAIRA account takes your password alone.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: change your password and turn two-step log-in on again at once.\n",
            ),
        ),
        MailingKind::RecoveryCodeUsed => (
            (
                "كود طوارئ من حسابك على دايرة اتستخدم",
                "حد استخدم كود من أكواد الطوارئ بتاعة حسابك على دايرة، والكود ده مابقاش ينفع تاني.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، غيّر كلمة السر واطلب أكواد طوارئ جديدة حالاً.\n",
            ),
            (
                "A recovery code of your DAIRA account was used",
                "One of the recovery codes of your DAIRA account was used just now; it works no more.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, change your password and ask for new recovery codes at once.\n",
            ),
        ),
        MailingKind::RecoveryCodesRenewed => (
            (
                "أكواد الطوارئ بتاعة حسابك على دايرة اتغيّرت",
                "اتعملت أكواد طوارئ جديدة لحسابك على دايرة، والقديمة مابقتش تنفع.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: غيّر كلمة السر حالاً.\n",
            ),
            (
                "Your DAIRA account has new recovery codes",
                "New recovery codes were made for your DAIRA account; the old ones work no more.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: change your password at once.\n",
            ),
        ),
        MailingKind::PasskeyAdded
        | MailingKind::PasskeyRemoved
        | MailingKind::PasskeyCopied
        | MailingKind::AppConnected
        | MailingKind::Erased
        | MailingKind::ExportReady => return of_passkeys_and_apps(kind),
        MailingKind::PhoneChanged | MailingKind::IdentityLinked | MailingKind::IdentityUnlinked => {
            return of_numbers_and_identities(kind);
        }
    })
}

fn of_numbers_and_identities(kind: MailingKind) -> Option<(Words, Words)> {
    Some(match kind {
        MailingKind::PhoneChanged => (
            (
                "رقم الموبايل بتاع حسابك على دايرة اتغيّر",
                "رقم الموبايل اللي بتدخل بيه حسابك على دايرة اتضاف أو اتغيّر أو اتشال دلوقتي.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: غيّر كلمة السر وراجع الرقم حالاً.\n",
            ),
            (
                "The phone number of your DAIRA account was changed",
                "The phone number that you can log in to your DAIRA account with was added, changed or removed just now.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: change your password and look at the number at once.\n",
            ),
        ),
        MailingKind::IdentityLinked => (
            (
                "طريقة دخول جديدة لحسابك على دايرة",
                "حساب ليك عند موقع تاني اتربط بحسابك على دايرة، واللي يدخل بيه هناك يدخل حسابك هنا من غير كلمة السر.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: فك الربط من الإعدادات وغيّر كلمة السر حالاً.\n",
            ),
            (
                "A new way into your DAIRA account",
                "An account of yours elsewhere was linked with your DAIRA account just now. Whoever signs in there gets in here without your password.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: unlink it in the settings and change your password at once.\n",
            ),
        ),
        MailingKind::IdentityUnlinked => (
            (
                "طريقة دخول اتشالت من حسابك على دايرة",
                "اتفك ربط حساب ليك عند موقع تاني بحسابك على دايرة، ومابقاش ينفع تدخل بيه. الأجهزة اللي داخلة حسابك زي ما هي.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: غيّر كلمة السر وراجع أجهزتك حالاً.\n",
            ),
            (
                "A way into your DAIRA account was removed",
                "An account of yours elsewhere was unlinked from your DAIRA account just now; nobody gets in with it any more. Devices that are logged in stay so.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: change your password and look at your devices at once.\n",
            ),
        ),
        _ => return None,
    })
}

fn of_passkeys_and_apps(kind: MailingKind) -> Option<(Words, Words)> {
    Some(match kind {
        MailingKind::Erased => (
            (
                "حسابك على دايرة اتحذف",
                "زي ما طلبت، حذفنا حسابك على دايرة بكل اللي فيه، ودي آخر رسالة مننا.\n\n\
                 الإيميل ده مابقاش عندنا. لو حبيت ترجع، سجّل من الأول في أي وقت.\n",
            ),
            (
                "Your DAIRA account is deleted",
                "As you asked, your DAIRA account is deleted with everything in it. This is our last mail to you.\n\n\
                 We do not keep this address. Should you want to come back, join anew at any time.\n",
            ),
        ),
        MailingKind::AppConnected => (
            (
                "تطبيق جديد اتوصّل بحسابك على دايرة",
                "سمحت لتطبيق إنه يستخدم بروفايل من بروفايلاتك على دايرة. تقدر تشوف التطبيقات المتوصلة وتفصلها من الإعدادات.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: افصل التطبيق وغيّر كلمة السر حالاً.\n",
            ),
            (
                "An app was connected to your DAIRA account",
                "An app was allowed to use one of your DAIRA profiles just now. In the settings you can see which apps are connected and disconnect them.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: disconnect the app and change your password at once.\n",
            ),
        ),
        MailingKind::PasskeyAdded => (
            (
                "مفتاح مرور جديد على حسابك على دايرة",
                "اتضاف مفتاح مرور جديد لحسابك على دايرة، واللي معاه يقدر يدخل حسابك من غير كلمة السر.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: امسح المفتاح وغيّر كلمة السر حالاً.\n",
            ),
            (
                "A new passkey for your DAIRA account",
                "A passkey was added to your DAIRA account just now. Whoever has it gets in without your password.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: remove the passkey and change your password at once.\n",
            ),
        ),
        MailingKind::PasskeyRemoved => (
            (
                "مفتاح مرور اتمسح من حسابك على دايرة",
                "اتمسح مفتاح مرور من حسابك على دايرة، ومابقاش ينفع تدخل بيه.\n\n\
                 لو ده إنت، مش محتاج تعمل حاجة.\nلو مش إنت، حد دخل حسابك: غيّر كلمة السر حالاً.\n",
            ),
            (
                "A passkey of your DAIRA account was removed",
                "A passkey was removed from your DAIRA account just now; nobody gets in with it any more.\n\n\
                 If it was you, there is nothing to do.\nIf it was not, somebody is in your account: change your password at once.\n",
            ),
        ),
        MailingKind::PasskeyCopied => (
            (
                "حد استخدم نسخة من مفتاح مرور بتاعك على دايرة",
                "حد حاول يدخل حسابك على دايرة بنسخة من مفتاح مرور بتاعك، وماسمحناش بيه.\n\n\
                 امسح المفتاح ده من حسابك واعمل واحد جديد.\n",
            ),
            (
                "A copy of one of your DAIRA passkeys was used",
                "Somebody tried to get into your DAIRA account with a copy of one of your passkeys, and we did not let them.\n\n\
                 Remove that passkey from your account and make a new one.\n",
            ),
        ),
        MailingKind::ExportReady => (
            (
                "نسخة بياناتك على دايرة جاهزة",
                "نسخة من كل اللي محفوظ عنك على دايرة بقت جاهزة. افتح التطبيق ونزّلها خلال أيام، قبل ما تتمسح.\n\n\
                 لو مش إنت اللي طلبتها، حد دخل حسابك: غيّر كلمة السر حالاً.\n",
            ),
            (
                "Your DAIRA data is ready",
                "A copy of everything that DAIRA keeps of you is ready. Open the app and download it within days, before it is removed.\n\n\
                 If you did not ask for it, somebody is in your account: change your password at once.\n",
            ),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Email;
    use crate::id::{ChallengeId, Id};
    use crate::time::Timestamp;

    const KINDS: [MailingKind; 19] = [
        MailingKind::PasswordReset,
        MailingKind::NewEmail,
        MailingKind::PasswordChanged,
        MailingKind::EmailChanged,
        MailingKind::SecondFactorOn,
        MailingKind::SecondFactorOff,
        MailingKind::RecoveryCodeUsed,
        MailingKind::RecoveryCodesRenewed,
        MailingKind::PasskeyAdded,
        MailingKind::PasskeyRemoved,
        MailingKind::PasskeyCopied,
        MailingKind::AppConnected,
        MailingKind::LogInCode,
        MailingKind::NewPhone,
        MailingKind::PhoneChanged,
        MailingKind::Erased,
        MailingKind::ExportReady,
        MailingKind::IdentityLinked,
        MailingKind::IdentityUnlinked,
    ];

    #[test]
    fn every_notice_has_words_of_its_own_in_both_languages() {
        let mailing = |kind, locale| Mailing {
            id: ChallengeId::from_raw(9),
            kind,
            to: Email::new("mona@example.com").unwrap().into(),
            account: None,
            locale,
            attempts: 0,
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
        };
        let mut subjects = std::collections::BTreeSet::new();
        for kind in KINDS {
            for locale in [Locale::Ar, Locale::En] {
                let told = notice(&mailing(kind, locale));
                assert_eq!(told.is_some(), kind.is_notice(), "{kind:?}");
                let Some(told) = told else { continue };
                let is_arabic = told.text.expose().chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c));
                assert_eq!(is_arabic, locale == Locale::Ar, "{kind:?}");
                assert!(subjects.insert(told.subject), "{kind:?} is called like another");
            }
        }
    }
}
