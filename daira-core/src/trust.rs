//! How far an account is trusted, from 0 to 1, and what hangs on it: how much it may ask, follow and comment.
//!
//! ```text
//! facts of the store (age, phone, checked identity, strikes) ─▶ Trust ─▶ quotas, scaled
//! ```
//!
//! Trust is computed whenever it is needed and kept nowhere, so that it cannot drift: time raises it, and what staff did and
//! undid counts at once.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::actor::Member;
use crate::error::Result;
use crate::port::{Charge, Ports, Quota, Subject, UnitOfWork};
use crate::time::Timestamp;

/// An account is as old as it counts after this.
const GROWN: Duration = Duration::from_hours(90 * 24);

/// How long a strike counts.
pub const STRIKE_LIFE: Duration = Duration::from_hours(180 * 24);

/// What trust is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrustFacts {
    /// When the account was made.
    pub joined_at: Timestamp,
    /// Whether a phone number was confirmed: each serves one account.
    pub has_phone: bool,
    /// Whether the identity behind one of its faces was checked.
    pub is_verified: bool,
    /// How often within [`STRIKE_LIFE`] staff acted against the account or took down what it published, and did not take it back.
    pub strikes: u32,
}

/// How far an account is trusted, in thousandths from 0 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trust(u16);

impl Trust {
    /// That of somebody nothing bad is known of.
    pub const FULL: Self = Self(1_000);

    /// The trust that facts come to at an instant: 0.2 for having joined, up to 0.4 for age, evenly over 90 days, 0.15 for a
    /// phone number, 0.25 for a checked identity; and every strike takes two fifths of it away.
    pub fn of(facts: &TrustFacts, now: Timestamp) -> Self {
        let age = now.since(facts.joined_at).min(GROWN);
        let grown = 400 * age.as_secs() / GROWN.as_secs();
        let whole = 200 + grown + if facts.has_phone { 150 } else { 0 } + if facts.is_verified { 250 } else { 0 };
        // After 16 nothing is left.
        let kept = (0..facts.strikes.min(16)).fold(whole, |trust, _| trust * 3 / 5);
        Self(u16::try_from(kept.min(1_000)).unwrap_or(1_000))
    }

    /// In thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// What is left of a quota for what reaches others: all of it at full trust, evenly less below, never less than a
    /// twentieth, so that nobody is locked out by it.
    pub fn of_reach(self, quota: Quota) -> Quota {
        quota.scaled(u32::from(self.0.max(50)))
    }

    /// What is left of a quota for what only costs work: half of it at no trust at all.
    pub fn of_work(self, quota: Quota) -> Quota {
        quota.scaled(500 + u32::from(self.0) / 2)
    }
}

/// What may be done so often by one account, the less it is trusted the less often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Velocity {
    /// Following somebody, or asking to.
    Follow,
    /// Commenting.
    Comment,
}

impl Velocity {
    /// For one request, however often its unit runs.
    pub(crate) const fn once(self) -> Count {
        Count { what: self, counted: AtomicBool::new(false) }
    }
}

/// What one request counts for.
#[derive(Debug)]
pub(crate) struct Count {
    what: Velocity,
    counted: AtomicBool,
}

impl Count {
    /// Counts what reaches others against the account of whoever does it, the first time that it gets here. It comes within the
    /// unit, once it is certain that the request is no repeat of one that was counted.
    ///
    /// # Errors
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal), with when to come again.
    pub(crate) async fn charge(
        &self,
        ports: &Ports,
        unit: &mut dyn UnitOfWork,
        member: &Member,
        now: Timestamp,
    ) -> Result<()> {
        if self.counted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let limits = &ports.settings.limits;
        let (limit, quota) = match self.what {
            Velocity::Follow => ("follow.account", limits.follows),
            Velocity::Comment => ("comment.account", limits.comments),
        };
        let facts = unit.accounts().trust_facts(member.account, now - STRIKE_LIFE).await?;
        let trust = facts.map_or(Trust(0), |facts| Trust::of(&facts, now));
        let subject = Subject::Account(member.account);
        let charge = Charge { limit, subject, quota: trust.of_reach(quota), cost: 1, strict: false };
        ports.limiter.admit(&[charge]).await?;
        self.counted.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JOINED: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const NEW: TrustFacts = TrustFacts { joined_at: JOINED, has_phone: false, is_verified: false, strikes: 0 };

    fn days(days: u64) -> Timestamp {
        JOINED + Duration::from_hours(24 * days)
    }

    #[test]
    fn trust_grows_with_time_and_proofs_and_shrinks_with_strikes() {
        let of = |facts: TrustFacts, now| Trust::of(&facts, now).thousandths();
        assert_eq!((of(NEW, JOINED), of(NEW, days(45)), of(NEW, days(90)), of(NEW, days(900))), (200, 400, 600, 600));
        let known = TrustFacts { has_phone: true, ..NEW };
        let checked = TrustFacts { is_verified: true, ..known };
        assert_eq!((of(known, JOINED), of(checked, JOINED), of(checked, days(90))), (350, 600, 1_000));
        let struck = |strikes| of(TrustFacts { strikes, ..checked }, days(90));
        assert_eq!((struck(1), struck(2), struck(3), struck(u32::MAX)), (600, 360, 216, 0));
        assert_eq!(of(NEW, JOINED - Duration::from_hours(1)), 200, "a clock that runs behind");
    }

    #[test]
    fn quotas_follow_trust_and_never_end() {
        let quota = Quota::a_day(500);
        let reach = |trust| Trust(trust).of_reach(quota).burst();
        assert_eq!((reach(1_000), reach(600), reach(200), reach(0)), (500, 300, 100, 25));
        assert_eq!(Trust(0).of_reach(Quota::a_minute(1)).burst(), 1);
        let work = |trust| Trust(trust).of_work(Quota::a_minute(60_000)).burst();
        assert_eq!((work(1_000), work(200), work(0)), (60_000, 36_000, 30_000));
        assert_eq!(Trust(0).of_reach(quota).period(), quota.period());
    }

    #[test]
    fn a_request_counts_once_however_often_its_unit_runs() {
        use crate::actor::Actor;
        use crate::id::{AccountId, Id, ProfileId, SessionId};

        let done = async {
            let ports = Ports::in_memory();
            let member = Member {
                account: AccountId::from_raw(1),
                profile: ProfileId::from_raw(2),
                session: SessionId::from_raw(3),
            };
            let mut unit = ports.store.begin(&Actor::Member(member)).await.unwrap();
            let now = ports.clock.now();
            let again = Velocity::Comment.once();
            for _ in 0..100 {
                again.charge(&ports, unit.as_mut(), &member, now).await.unwrap();
            }
            // Nobody known is trusted for nothing: a twentieth of sixty.
            for left in [true, true, false] {
                let one = Velocity::Comment.once();
                assert_eq!(one.charge(&ports, unit.as_mut(), &member, now).await.is_ok(), left);
            }
        };
        futures_util::FutureExt::now_or_never(done).unwrap();
    }

    proptest! {
        #[test]
        fn more_is_never_less(age in 0..200_u64, phone: bool, verified: bool, strikes in 0..20_u32) {
            let facts = TrustFacts { has_phone: phone, is_verified: verified, strikes, ..NEW };
            let trust = Trust::of(&facts, days(age));
            prop_assert!(trust <= Trust::FULL);
            prop_assert!(Trust::of(&facts, days(age + 1)) >= trust);
            let known = TrustFacts { has_phone: true, is_verified: true, ..facts };
            let struck = TrustFacts { strikes: strikes + 1, ..facts };
            prop_assert!(Trust::of(&known, days(age)) >= trust && Trust::of(&struck, days(age)) <= trust);
        }
    }
}
