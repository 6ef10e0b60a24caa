//! Pure decisions about accounts and sessions: who may log in and join, how long a session lives, and what a refresh
//! token is worth.

use core::time::Duration;

use super::{AccountRefusal, AccountState, Session};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::time::{Date, Timestamp};

/// How long somebody whose account is to be erased can come back after they were shut out.
const TO_COME_BACK: Duration = Duration::from_hours(7 * 24);

/// Nobody has been older, with room to spare.
const OLDEST: i32 = 130;

/// Whether somebody who proved the password may come in.
///
/// # Errors
/// [`AccountRefusal::Suspended`], which says for how long, and [`AccountRefusal::Banned`]; a deleted account answers as if the
/// proof were wrong.
pub fn may_log_in(state: AccountState, now: Timestamp) -> Result<()> {
    match state {
        AccountState::Deleted => Err(AccountRefusal::CredentialsInvalid.into()),
        AccountState::Banned => Err(AccountRefusal::Banned.into()),
        AccountState::Suspended(until) if now < until => Err(suspended(until, now)),
        _ => Ok(()),
    }
}

/// The refusal of somebody who is shut out until an instant.
pub(crate) fn suspended(until: Timestamp, now: Timestamp) -> Error {
    Error::from(AccountRefusal::Suspended).with_retry_after(until.since(now))
}

/// The state that logging in leaves an account in: sleep ends, and so does a suspension that is over.
pub fn state_after_log_in(state: AccountState, now: Timestamp) -> AccountState {
    match state {
        AccountState::Deactivated => AccountState::Active,
        AccountState::Suspended(until) if until <= now => AccountState::Active,
        other => other,
    }
}

/// Whether somebody born on a day may join.
///
/// # Errors
/// [`AccountRefusal::BirthDateInvalid`] for a day to come or too long ago, [`AccountRefusal::TooYoung`].
pub fn may_join(born: Date, now: Timestamp, minimum_age: i32) -> Result<()> {
    let refusal = match born.age_at(now) {
        age if !(0..=OLDEST).contains(&age) => AccountRefusal::BirthDateInvalid,
        age if age < minimum_age => AccountRefusal::TooYoung,
        _ => return Ok(()),
    };
    Err(Error::from(refusal).on_field("birthDate"))
}

/// Whether somebody may change how their account is reached and guarded: they proved themselves on this session a short while
/// ago.
///
/// # Errors
/// [`AccountRefusal::ProofNeeded`].
pub fn may_change_ways_in(session: &Session, now: Timestamp, proof_life: Duration) -> Result<()> {
    if now < session.proven_at + proof_life { Ok(()) } else { Err(AccountRefusal::ProofNeeded.into()) }
}

/// When an account is erased whose owner is shut out until an instant meanwhile: not before they had another week to come
/// back and stay.
pub fn postponed(leaving_at: Timestamp, until: Timestamp) -> Timestamp {
    leaving_at.max(until + TO_COME_BACK)
}

/// When a session ends unless it is refreshed: it may not idle too long, nor live too long altogether.
pub fn session_end(created_at: Timestamp, refreshed_at: Timestamp, settings: &Settings) -> Timestamp {
    (refreshed_at + settings.session_idle).min(created_at + settings.session_life)
}

/// What presenting a genuine refresh token of a living session comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refresh {
    /// It is the living one: the next generation begins.
    Rotate,
    /// It was spent just now, or its answer was lost: the living generation is answered once more. So any number of racing
    /// requests end with one and the same token.
    Repeat,
    /// It was spent before and its successor is in use: somebody else holds a copy, so the session ends.
    Reuse,
}

/// Judges a genuine token by its generation. Its immediate predecessor is forgiven while nobody used the successor's access
/// token, or within `grace` of the rotation.
pub fn refresh(session: &Session, generation: i32, now: Timestamp, grace: Duration) -> Refresh {
    if generation == session.generation {
        return Refresh::Rotate;
    }
    let is_last = generation == session.generation.saturating_sub(1);
    let is_unused = session.seen_generation < session.generation;
    if is_last && (is_unused || now < session.rotated_at + grace) { Refresh::Repeat } else { Refresh::Reuse }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{AccountId, Id, ProfileId, SessionId};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const GRACE: Duration = Duration::from_secs(10);

    fn session(generation: i32, seen_generation: i32, rotated_at: Timestamp) -> Session {
        Session {
            id: SessionId::from_raw(1),
            account: AccountId::from_raw(2),
            profile: ProfileId::from_raw(3),
            device: String::new(),
            salt: [0; 16],
            generation,
            seen_generation,
            rotated_at,
            created_at: Timestamp::EPOCH,
            proven_at: Timestamp::EPOCH,
            last_used_at: rotated_at,
            expires_at: NOW + GRACE,
            revoked_at: None,
            granted: None,
            place: None,
            known_device: true,
        }
    }

    fn refusal(result: Result<()>) -> Option<AccountRefusal> {
        result.err().and_then(|e| e.refusal())
    }

    #[test]
    fn a_proof_holds_for_a_while() {
        let proven = Session { proven_at: NOW, ..session(1, 1, NOW) };
        let life = Duration::from_mins(10);
        let almost = NOW + life - Duration::from_micros(1);
        assert!(may_change_ways_in(&proven, NOW, life).is_ok() && may_change_ways_in(&proven, almost, life).is_ok());
        let late = may_change_ways_in(&proven, NOW + life, life);
        assert_eq!(refusal(late), Some(AccountRefusal::ProofNeeded));
    }

    #[test]
    fn states_decide_who_comes_in_and_who_wakes() {
        use AccountState::{Active, Banned, Deactivated, Deleted, Restricted, Suspended};
        let later = NOW + Duration::from_secs(1);
        for (state, refused, after) in [
            (Active, None, Active),
            (Restricted, None, Restricted),
            (Deactivated, None, Active),
            (Suspended(NOW), None, Active),
            (Suspended(later), Some(AccountRefusal::Suspended), Suspended(later)),
            (Banned, Some(AccountRefusal::Banned), Banned),
            (Deleted, Some(AccountRefusal::CredentialsInvalid), Deleted),
        ] {
            assert_eq!(refusal(may_log_in(state, NOW)), refused, "{state:?}");
            assert_eq!(state_after_log_in(state, NOW), after, "{state:?}");
        }
    }

    #[test]
    fn a_suspension_takes_nobody_the_time_to_come_back() {
        let week = Duration::from_hours(7 * 24);
        let later = NOW + Duration::from_hours(60 * 24);
        assert_eq!(postponed(later, NOW), later, "over long before");
        assert_eq!(postponed(NOW, later), later + week);
        assert_eq!(postponed(later, later), later + week);
    }

    #[test]
    fn age_is_checked_on_the_day() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        let born = |y, m, d| refusal(may_join(Date::new(y, m, d).unwrap(), now, 13));
        assert_eq!(born(2013, 11, 24), None);
        assert_eq!(born(2013, 11, 25), Some(AccountRefusal::TooYoung));
        assert_eq!(born(2026, 11, 24), Some(AccountRefusal::TooYoung));
        assert_eq!(born(2026, 11, 25), Some(AccountRefusal::BirthDateInvalid));
        assert_eq!(born(1896, 1, 1), None);
        assert_eq!(born(1895, 1, 1), Some(AccountRefusal::BirthDateInvalid));
    }

    #[test]
    fn a_session_ends_by_idling_and_by_age() {
        let settings = Settings::default();
        assert_eq!(session_end(NOW, NOW, &settings), NOW + settings.session_idle);
        let late = NOW + settings.session_life - Duration::from_secs(1);
        assert_eq!(session_end(NOW, late, &settings), NOW + settings.session_life);
    }

    #[test]
    fn a_spent_token_is_forgiven_once_and_briefly() {
        let long_ago = NOW - Duration::from_hours(24);
        assert_eq!(refresh(&session(5, 4, long_ago), 5, NOW, GRACE), Refresh::Rotate);
        assert_eq!(refresh(&session(5, 4, long_ago), 4, NOW, GRACE), Refresh::Repeat, "the answer was lost");
        assert_eq!(refresh(&session(5, 5, NOW - GRACE), 4, NOW, GRACE), Refresh::Reuse, "the successor is in use");
        assert_eq!(refresh(&session(5, 5, NOW), 4, NOW, GRACE), Refresh::Repeat, "a race between two tabs");
        assert_eq!(refresh(&session(5, 4, NOW), 3, NOW, GRACE), Refresh::Reuse, "never the one before that");
    }

    proptest! {
        #[test]
        fn only_the_living_generation_goes_on_and_old_ones_never_pass(
            generation in 50..1_000_000, back in -50..50_i32, seen in 0..50_i32, age in 0..60_u64,
        ) {
            let session = session(generation, generation - seen, NOW - Duration::from_secs(age));
            let verdict = refresh(&session, generation - back, NOW, GRACE);
            prop_assert_eq!(verdict == Refresh::Rotate, back == 0);
            prop_assert!((0..2).contains(&back) || verdict == Refresh::Reuse, "neither older nor from a future that was undone");
        }
    }
}
