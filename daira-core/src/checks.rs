//! What the use cases of several modules check alike: who acts, what they wrote, under which key.
//!
//! A restricted account may read and may take back or protect (unfollow, delete, block, mute); what reaches others or makes
//! something new begins with [`acting`], which refuses it and holds the account's state until the unit ends. So may one that is
//! about to be erased.

use crate::account::{self, AccountRefusal, AccountState, Profile};
use crate::actor::Member;
use crate::error::{CommonRefusal, Error, Result};
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::port::UnitOfWork;
use crate::port::store::Lock;
use crate::text::{Bounds, TextError, clean};
use crate::time::Timestamp;

/// Binds a key, if there is one, to an operation and its request.
pub(crate) fn keyed(
    operation: &'static str,
    key: Option<IdempotencyKey>,
    request: &impl serde::Serialize,
) -> Option<Keyed> {
    key.map(|key| Keyed::new(operation, key, request))
}

/// The profile of a member who is about to reach others or to make something new, the account locked so that its state holds
/// until the unit ends. Every such use case begins with it, also those of other crates.
///
/// # Errors
/// `restricted` for a restricted account, [`AccountRefusal::Leaving`] for one that is about to be erased, [`AccountRefusal`] for
/// one that may not be used at all.
pub async fn acting(
    unit: &mut dyn UnitOfWork,
    member: &Member,
    now: Timestamp,
    restricted: impl Into<Error> + Send,
) -> Result<Profile> {
    let account = unit.accounts().account(member.account, Lock::Share).await?;
    let is_leaving = account.as_ref().is_some_and(|account| account.leaving_at.is_some());
    match account.map(|account| account.state) {
        Some(AccountState::Active | AccountState::Restricted) if is_leaving => Err(AccountRefusal::Leaving.into()),
        Some(AccountState::Active) => own_profile(unit, member).await,
        Some(AccountState::Suspended(until)) if until <= now && is_leaving => Err(AccountRefusal::Leaving.into()),
        Some(AccountState::Suspended(until)) if until <= now => own_profile(unit, member).await,
        Some(AccountState::Restricted) => Err(restricted.into()),
        Some(AccountState::Suspended(until)) => Err(account::policy::suspended(until, now)),
        Some(AccountState::Banned) => Err(AccountRefusal::Banned.into()),
        Some(AccountState::Deactivated | AccountState::Deleted) | None => Err(AccountRefusal::TokenInvalid.into()),
    }
}

/// Refuses what is based on another version than there is, and says which there is.
///
/// # Errors
/// [`CommonRefusal::Stale`].
pub(crate) fn based_on(expected: Option<i32>, current: i32) -> Result<()> {
    match expected {
        Some(expected) if expected != current => Err(Error::from(CommonRefusal::Stale).with_version(current)),
        _ => Ok(()),
    }
}

/// The profile that a member acts as.
///
/// # Errors
/// [`AccountRefusal::TokenInvalid`] when it is not theirs, or no more.
pub(crate) async fn own_profile(unit: &mut dyn UnitOfWork, member: &Member) -> Result<Profile> {
    let profile = unit.accounts().profile(member.profile, Lock::None).await?;
    profile.filter(|profile| profile.account == member.account).ok_or_else(|| AccountRefusal::TokenInvalid.into())
}

/// The rule for one kind of text, with a module's own refusals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<R> {
    /// The input field that a refusal names.
    pub(crate) field: &'static str,
    /// How long it may be.
    pub(crate) bounds: Bounds,
    /// Nothing readable in it.
    pub(crate) empty: R,
    /// More of it than allowed.
    pub(crate) too_long: R,
    /// It holds what could deceive a reader.
    pub(crate) forbidden: R,
}

impl<R: Copy + Into<Error>> Writing<R> {
    /// The text as it is kept.
    ///
    /// # Errors
    /// The rule's refusals, with its field.
    pub(crate) fn check(&self, input: &str) -> Result<String> {
        clean(input, self.bounds).map_err(|error| {
            let refusal: Error = match error {
                TextError::Empty | TextError::TooShort { .. } => self.empty.into(),
                TextError::TooLong { .. } | TextError::TooManyBytes { .. } => self.too_long.into(),
                _ => self.forbidden.into(),
            };
            refusal.on_field(self.field)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::PostRefusal;

    #[test]
    fn texts_are_refused_in_the_words_of_their_module() {
        let rule = Writing {
            field: "text",
            bounds: Bounds::paragraphs(1, 3),
            empty: PostRefusal::Empty,
            too_long: PostRefusal::TooLong,
            forbidden: PostRefusal::ForbiddenCharacter,
        };
        assert_eq!(rule.check("  أهو ").unwrap(), "أهو");
        for (input, refusal) in [
            ("", PostRefusal::Empty),
            ("\u{200B}", PostRefusal::Empty),
            ("أربعة", PostRefusal::TooLong),
            ("a\u{202E}b", PostRefusal::ForbiddenCharacter),
            ("a\u{0}b", PostRefusal::ForbiddenCharacter),
        ] {
            let error = rule.check(input).unwrap_err();
            assert_eq!((error.refusal(), error.field()), (Some(refusal), Some("text")), "{input:?}");
        }
    }
}
