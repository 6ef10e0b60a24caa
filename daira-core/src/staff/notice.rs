//! What staff did, told to the person by mail: what, why and until when, in their language. Composed from what holds when the
//! mail is sent; what was undone meanwhile is not told.

use super::{Reason, Takedown, Target};
use crate::account::{Account, AccountState, Mailing, MailingKind, mail};
use crate::error::Result;
use crate::locale::Locale;
use crate::port::store::Lock;
use crate::port::{Message, UnitOfWork};

/// The mail that is due; nothing when there is nothing to tell any more. The unit is the platform's own.
pub(crate) async fn notice(unit: &mut dyn UnitOfWork, mailing: &Mailing) -> Result<Option<Message>> {
    let Some(id) = mailing.account else { return Ok(None) };
    let Some(account) = unit.accounts().account(id, Lock::None).await? else { return Ok(None) };
    let words = match mailing.kind {
        MailingKind::Sanctioned => unit.staff().sanction(id).await?.and_then(|s| sanctioned(&account, s.why.reason)),
        MailingKind::SanctionLifted => (account.state == AccountState::Active).then(|| lifted(mailing.locale)),
        MailingKind::TakenDown => {
            unit.staff().takedown_told_by(mailing.id).await?.map(|takedown| taken_down(&takedown, mailing.locale))
        }
        _ => None,
    };
    Ok(words.map(|(subject, text)| mail::message(mailing.to.as_str(), subject, text, &mailing.id)))
}

fn sanctioned(account: &Account, reason: Reason) -> Option<(&'static str, String)> {
    let locale = account.locale;
    let why = reason.text(locale);
    Some(match (account.state, locale) {
        (AccountState::Restricted, Locale::Ar) => (
            "حسابك على دايرة متقيّد",
            format!("حسابك على دايرة بقى للقراية بس دلوقتي.\n\nالسبب: {why}.\n\nلو شايف إن ده غلط، كلّم الدعم.\n"),
        ),
        (AccountState::Restricted, Locale::En) => (
            "Your DAIRA account is restricted",
            format!(
                "Your DAIRA account can read, but not post, for now.\n\nBecause of: {why}.\n\n\
                 If you think that this is wrong, write to our support.\n"
            ),
        ),
        (AccountState::Suspended(until), Locale::Ar) => (
            "حسابك على دايرة موقوف",
            format!("حسابك على دايرة موقوف لغاية {until}.\n\nالسبب: {why}.\n\nلو شايف إن ده غلط، كلّم الدعم.\n"),
        ),
        (AccountState::Suspended(until), Locale::En) => (
            "Your DAIRA account is suspended",
            format!(
                "Your DAIRA account is suspended until {until}.\n\nBecause of: {why}.\n\n\
                 If you think that this is wrong, write to our support.\n"
            ),
        ),
        (AccountState::Banned, Locale::Ar) => (
            "حسابك على دايرة اتحظر",
            format!("حسابك على دايرة اتحظر نهائيًا.\n\nالسبب: {why}.\n\nلو شايف إن ده غلط، كلّم الدعم.\n"),
        ),
        (AccountState::Banned, Locale::En) => (
            "Your DAIRA account is banned",
            format!(
                "Your DAIRA account is closed for good.\n\nBecause of: {why}.\n\n\
                 If you think that this is wrong, write to our support.\n"
            ),
        ),
        (AccountState::Active | AccountState::Deactivated | AccountState::Deleted, _) => return None,
    })
}

fn lifted(locale: Locale) -> (&'static str, String) {
    let (subject, text) = match locale {
        Locale::Ar => ("حسابك على دايرة رجع زي ما كان", "حسابك على دايرة رجع شغال زي الأول. نوّرت.\n"),
        Locale::En => ("Your DAIRA account works again", "Your DAIRA account works again as before. Welcome back.\n"),
    };
    (subject, text.to_owned())
}

fn taken_down(takedown: &Takedown, locale: Locale) -> (&'static str, String) {
    let why = takedown.why.reason.text(locale);
    let what = match (takedown.target, locale) {
        (Target::Post(_), Locale::Ar) => "بوست ليك",
        (Target::Post(_), Locale::En) => "one of your posts",
        (Target::Comment(_), Locale::Ar) => "كومنت ليك",
        (Target::Comment(_), Locale::En) => "one of your comments",
        (Target::Name(_), Locale::Ar) => "اسم بروفايلك",
        (Target::Name(_), Locale::En) => "the name of your profile",
        (Target::Picture(_), Locale::Ar) => "صورة بروفايلك",
        (Target::Picture(_), Locale::En) => "the picture of your profile",
    };
    match locale {
        Locale::Ar => (
            "شلنا حاجة من بروفايلك على دايرة",
            format!("شلنا {what}، وماحدش غيرك شايفها.\n\nالسبب: {why}.\n\nلو شايف إن ده غلط، كلّم الدعم.\n"),
        ),
        Locale::En => (
            "We took something of yours down on DAIRA",
            format!(
                "We took down {what}; nobody but you sees it any more.\n\nBecause of: {why}.\n\n\
                 If you think that this is wrong, write to our support.\n"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Email;
    use crate::id::{AccountId, ChallengeId, CommentId, Id, PostId, ProfileId};
    use crate::staff::Why;
    use crate::time::{Date, Timestamp};

    fn account(state: AccountState, locale: Locale) -> Account {
        Account {
            id: AccountId::from_raw(1),
            email: Email::new("mona@example.com").unwrap(),
            state,
            leaving_at: None,
            birth_date: Date::new(1990, 1, 1).unwrap(),
            locale,
            created_at: Timestamp::EPOCH,
            version: 1,
        }
    }

    #[test]
    fn every_notice_tells_its_reason_in_both_languages() {
        let until = Timestamp::from_seconds(1_800_000_000);
        let arabic = |text: &str| text.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c));
        let profile = ProfileId::from_raw(3);
        for locale in [Locale::Ar, Locale::En] {
            for reason in Reason::ALL {
                for state in [AccountState::Restricted, AccountState::Suspended(until), AccountState::Banned] {
                    let (subject, text) = sanctioned(&account(state, locale), *reason).unwrap();
                    assert!(text.contains(reason.text(locale)) && arabic(&text) == (locale == Locale::Ar));
                    assert_eq!(arabic(subject), locale == Locale::Ar);
                    assert_eq!(text.contains(&until.to_string()), matches!(state, AccountState::Suspended(_)));
                }
                let targets = [
                    Target::Post(PostId::from_raw(1)),
                    Target::Comment(CommentId::from_raw(2)),
                    Target::Name(profile),
                    Target::Picture(profile),
                ];
                for target in targets {
                    let why = Why { reason: *reason, reference: None };
                    let notice = ChallengeId::from_raw(9);
                    let (owner, at) = (profile, Timestamp::EPOCH);
                    let takedown = Takedown { target, owner, by: None, why, at, kept: None, notice };
                    assert!(taken_down(&takedown, locale).1.contains(reason.text(locale)));
                }
            }
            assert_eq!(arabic(&lifted(locale).1), locale == Locale::Ar);
        }
        assert_eq!(sanctioned(&account(AccountState::Active, Locale::Ar), Reason::Hate), None);
    }
}
