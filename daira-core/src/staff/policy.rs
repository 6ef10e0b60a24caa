//! What staff may do that no table tells: on whom, in which session, for how long.

use core::time::Duration;

use super::{Permission, StaffRefusal, StaffRole};
use crate::account::{AccountRefusal, AccountState, Passkey, SecondFactor, Session};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::time::Timestamp;

/// The longest suspension that ends by itself.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// Whether somebody's role counts in this session: their account has a second factor, and had it when they proved themselves
/// on the session last, which took it. It never counts for an app of somebody else's.
///
/// # Errors
/// [`StaffRefusal::NotAllowed`], [`StaffRefusal::FactorMissing`], [`AccountRefusal::ProofNeeded`].
pub fn may_act(factor: Option<&SecondFactor>, passkeys: &[Passkey], session: &Session) -> Result<()> {
    if session.granted.is_some() {
        return Err(StaffRefusal::NotAllowed.into());
    }
    let device = factor.and_then(SecondFactor::confirmed).and_then(|device| device.confirmed_at);
    // The oldest of what guards the account without a break: since then no proof did without.
    let since = device.into_iter().chain(passkeys.iter().map(|passkey| passkey.created_at)).min();
    match since {
        None => Err(StaffRefusal::FactorMissing.into()),
        Some(since) if since < session.proven_at => Ok(()),
        Some(_) => Err(AccountRefusal::ProofNeeded.into()),
    }
}

/// Whether staff of a rank may act on somebody: not on themselves, and on staff of a lower rank only. The platform itself
/// (no account) may on everybody.
///
/// # Errors
/// [`StaffRefusal::OutOfReach`].
pub fn may_reach(actor: Option<(AccountId, StaffRole)>, whom: AccountId, rank: Option<StaffRole>) -> Result<()> {
    match actor {
        None => Ok(()),
        Some((account, role)) if account != whom && rank.is_none_or(|rank| rank < role) => Ok(()),
        Some(_) => Err(StaffRefusal::OutOfReach.into()),
    }
}

/// Whether staff of a rank may change, lift or take back what was done by somebody of a rank: not what somebody above them did.
/// What the platform itself did takes nothing but the permission.
///
/// # Errors
/// [`StaffRefusal::OutOfReach`].
pub fn may_undo(actor: Option<(AccountId, StaffRole)>, by: Option<StaffRole>) -> Result<()> {
    match (actor, by) {
        (Some((_, role)), Some(rank)) if role < rank => Err(StaffRefusal::OutOfReach.into()),
        _ => Ok(()),
    }
}

/// What it takes to bring an account into a state, or out of it again; nothing for a state that is not staff's to change.
pub fn permission_for(state: AccountState) -> Option<Permission> {
    match state {
        AccountState::Restricted => Some(Permission::Restrict),
        AccountState::Suspended(_) => Some(Permission::Suspend),
        AccountState::Banned => Some(Permission::Ban),
        AccountState::Active | AccountState::Deactivated | AccountState::Deleted => None,
    }
}

/// Whether a suspension may end at an instant.
///
/// # Errors
/// [`StaffRefusal::UntilInvalid`].
pub fn may_last(until: Timestamp, now: Timestamp) -> Result<()> {
    if now < until && until <= now + LONGEST {
        Ok(())
    } else {
        Err(Error::from(StaffRefusal::UntilInvalid).on_field("until"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Authenticator;
    use crate::id::{AppId, Id, PasskeyId, ProfileId, SessionId};
    use crate::oauth::{Granted, Scopes};
    use crate::port::PublicPart;

    const T: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn me() -> AccountId {
        AccountId::from_raw(1)
    }

    fn session(proven_at: Timestamp) -> Session {
        Session {
            id: SessionId::from_raw(1),
            account: me(),
            profile: ProfileId::from_raw(2),
            device: String::new(),
            salt: [0; 16],
            generation: 1,
            seen_generation: 0,
            rotated_at: T,
            created_at: T,
            proven_at,
            last_used_at: T,
            expires_at: T + Duration::from_hours(1),
            revoked_at: None,
            granted: None,
            place: None,
            known_device: true,
        }
    }

    fn app(confirmed_at: Option<Timestamp>) -> SecondFactor {
        let authenticator = Some(Authenticator { sealed: Vec::new(), begun_at: T, confirmed_at, step: 0 });
        SecondFactor { authenticator, ..SecondFactor::none(me()) }
    }

    fn passkey(created_at: Timestamp) -> Passkey {
        let public = PublicPart { credential: Vec::new(), key: Vec::new() };
        Passkey { id: PasskeyId::from_raw(1), account: me(), public, name: String::new(), created_at, used_at: None }
    }

    #[test]
    fn a_role_counts_where_a_second_factor_was_proved() {
        let (minute, later) = (Duration::from_mins(1), T + Duration::from_mins(1));
        let code = |outcome: Result<()>| outcome.err().map(|error| error.refused_as().code);
        let (missing, unproven) = (Some("staff.second_factor_missing"), Some("auth.proof_needed"));
        assert_eq!(code(may_act(None, &[], &session(later))), missing);
        assert_eq!(code(may_act(Some(&app(None)), &[], &session(later))), missing, "one that was never shown to work");
        assert_eq!(code(may_act(Some(&app(Some(T))), &[], &session(T - minute))), unproven, "logged in before it");
        assert_eq!(code(may_act(Some(&app(Some(T))), &[], &session(T))), unproven);
        assert_eq!(code(may_act(Some(&app(Some(T))), &[], &session(later))), None);
        assert_eq!(code(may_act(None, &[passkey(T)], &session(later))), None);
        let granted = Some(Granted { app: AppId::from_raw(1), scopes: Scopes::NONE });
        let lent = Session { granted, ..session(later) };
        assert_eq!(
            code(may_act(None, &[passkey(T)], &lent)),
            Some("staff.not_allowed"),
            "an app acts for nobody's role"
        );
        let newer = app(Some(later + minute));
        assert_eq!(code(may_act(Some(&newer), &[passkey(T)], &session(later))), None, "the older one was asked for");
        assert_eq!(code(may_act(Some(&newer), &[], &session(later))), unproven, "what was taken away proves nothing");
    }

    #[test]
    fn staff_reach_down_only() {
        use StaffRole::{Admin, Moderator, SeniorModerator};
        let other = AccountId::from_raw(9);
        let reaches = |role, rank| may_reach(Some((me(), role)), other, rank).is_ok();
        assert!(
            reaches(Moderator, None) && reaches(SeniorModerator, Some(Moderator)) && reaches(Admin, Some(Moderator))
        );
        assert!(
            !reaches(Moderator, Some(Moderator)) && !reaches(Moderator, Some(Admin)) && !reaches(Admin, Some(Admin))
        );
        assert!(may_reach(Some((me(), Admin)), me(), None).is_err(), "nobody acts on themselves");
        assert!(may_reach(None, other, Some(Admin)).is_ok());
    }

    #[test]
    fn what_somebody_above_did_is_not_undone_from_below() {
        use StaffRole::{Admin, Moderator, SeniorModerator};
        let undoes = |role, rank| may_undo(Some((AccountId::from_raw(9), role)), rank).is_ok();
        assert!(undoes(Moderator, Some(Moderator)) && undoes(Admin, Some(SeniorModerator)) && undoes(Moderator, None));
        assert!(!undoes(Moderator, Some(SeniorModerator)) && !undoes(SeniorModerator, Some(Admin)));
        assert!(may_undo(None, Some(Admin)).is_ok() && may_undo(None, None).is_ok());
    }

    #[test]
    fn suspensions_end_within_a_year() {
        let second = Duration::from_secs(1);
        for (until, good) in [(T, false), (T + second, true), (T + LONGEST, true), (T + LONGEST + second, false)] {
            assert_eq!(may_last(until, T).is_ok(), good);
        }
    }
}
