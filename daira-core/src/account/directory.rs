//! What one node remembers of sessions, so that an access token costs no question and a revoked one still ends at once.
//!
//! Two things are held: members of recently seen sessions, which may be forgotten at any time, and every session revoked
//! within the last access token's life, which may not. Somebody calls [`SessionDirectory::poll`] every [`POLL_EVERY`];
//! how long ago that last worked decides what a token is worth by itself ([`Freshness`]).

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::actor::{Actor, Member};
use crate::error::Result;
use crate::id::SessionId;
use crate::port::Ports;
use crate::port::store::Access;
use crate::recent::Recent;
use crate::time::Timestamp;
use crate::trust::Trust;

/// How often revocations are to be polled.
pub const POLL_EVERY: Duration = Duration::from_millis(250);

/// A poll this young is the truth.
const FRESH: Duration = Duration::from_secs(1);

/// Polls older than this mean that the truth is out of reach.
const BLIND: Duration = Duration::from_secs(5);

/// How far back an ordinary poll looks behind the one before: units commit after the instant that they write.
const OVERLAP: Duration = Duration::from_secs(10);

/// How far back a wide poll looks, once every [`WIDE_EVERY`]: for nodes whose clock runs behind by minutes.
const SKEW: Duration = Duration::from_mins(6);
const WIDE_EVERY: Duration = Duration::from_secs(5);

/// How many sessions' members are remembered.
const REMEMBERED: usize = 65_536;

/// How much the list of revocations can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Polled within a second: what is remembered holds.
    Fresh,
    /// Not polled for a moment, or not at all: the store is asked about every token.
    Stale,
    /// Polled before, but not for five seconds: nobody is let in.
    Blind,
}

/// A node's memory of sessions. Shared by reference.
pub struct SessionDirectory {
    members: Recent<SessionId, (Member, Trust, i32)>,
    revocations: Mutex<Revocations>,
}

#[derive(Default)]
struct Revocations {
    at: HashMap<SessionId, Timestamp>,
    polled: Option<Timestamp>,
    polled_wide: Option<Timestamp>,
}

impl Default for SessionDirectory {
    fn default() -> Self {
        Self { members: Recent::new(REMEMBERED), revocations: Mutex::default() }
    }
}

impl fmt::Debug for SessionDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revocations = self.revocations();
        f.debug_struct("SessionDirectory")
            .field("revoked", &revocations.at.len())
            .field("polled", &revocations.polled)
            .finish_non_exhaustive()
    }
}

impl SessionDirectory {
    /// Learns of sessions that were revoked anywhere. The first call, which readiness waits for, loads all that matter.
    ///
    /// # Errors
    /// The store's; what was known before stays known.
    pub async fn poll(&self, ports: &Ports) -> Result<()> {
        let now = ports.clock.now();
        let life = ports.settings.access_token_life + SKEW;
        let (since, wide) = self.horizon(now, life);
        let revoked = ports.store.read(&Actor::Anonymous, Access::Read).await?.accounts().revoked_since(since).await?;
        for (session, _) in &revoked {
            self.members.remove(session);
        }
        let mut revocations = self.revocations();
        revocations.at.extend(revoked);
        revocations.polled = revocations.polled.max(Some(now));
        if wide {
            // A token outlives its session's end by its own life at most; then its entry has done its work.
            revocations.at.retain(|_, at| now < *at + life);
            revocations.polled_wide = revocations.polled_wide.max(Some(now));
        }
        Ok(())
    }

    /// Since when the next poll has to look, and whether it is a wide one.
    fn horizon(&self, now: Timestamp, life: Duration) -> (Timestamp, bool) {
        let revocations = self.revocations();
        match (revocations.polled, revocations.polled_wide) {
            (Some(polled), Some(wide)) if now < wide + WIDE_EVERY => (polled - OVERLAP, false),
            // After a long silence everything since the last poll counts, and of older ones what a slow clock wrote.
            (Some(polled), _) => (polled.min(now) - SKEW, true),
            (None, _) => (now - life, true),
        }
    }

    /// How much the list of revocations can be trusted at an instant.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        match self.revocations().polled {
            Some(polled) if now.since(polled) <= FRESH => Freshness::Fresh,
            Some(polled) if now.since(polled) > BLIND => Freshness::Blind,
            Some(_) | None => Freshness::Stale,
        }
    }

    /// Whether somebody polls here.
    pub(super) fn was_polled(&self) -> bool {
        self.revocations().polled.is_some()
    }

    /// Whether a session is known to be revoked.
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.revocations().at.contains_key(&session)
    }

    /// The member of a session and how far they were trusted then, if a token of this generation or a newer one was seen here before.
    pub(super) fn member(&self, session: SessionId, generation: i32) -> Option<(Member, Trust)> {
        let found = self.members.get(&session).filter(|(_, _, seen)| generation <= *seen);
        found.map(|(member, trust, _)| (member, trust))
    }

    /// Remembers the member of a session whose token of this generation was resolved.
    pub(super) fn remember(&self, member: Member, trust: Trust, generation: i32) {
        self.members.insert(member.session, (member, trust, generation));
    }

    /// Notes a revocation that this node made itself, without waiting for the poll.
    pub(super) fn revoke(&self, session: SessionId, at: Timestamp) {
        self.revocations().at.insert(session, at);
        self.members.remove(&session);
    }

    fn revocations(&self) -> MutexGuard<'_, Revocations> {
        self.revocations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, Id, ProfileId};

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const LIFE: Duration = Duration::from_mins(21);

    fn polled(polled: Timestamp, wide: Timestamp) -> SessionDirectory {
        let directory = SessionDirectory::default();
        *directory.revocations() = Revocations { at: HashMap::new(), polled: Some(polled), polled_wide: Some(wide) };
        directory
    }

    #[test]
    fn trust_wanes_with_the_age_of_the_last_poll() {
        let ms = |ms| START + Duration::from_millis(ms);
        assert_eq!(SessionDirectory::default().freshness(START), Freshness::Stale, "never polled");
        let directory = polled(START, START);
        for (at, freshness) in [
            (0, Freshness::Fresh),
            (1_000, Freshness::Fresh),
            (1_001, Freshness::Stale),
            (5_000, Freshness::Stale),
            (5_001, Freshness::Blind),
        ] {
            assert_eq!(directory.freshness(ms(at)), freshness, "{at} ms");
        }
        assert_eq!(
            directory.freshness(START - Duration::from_secs(9)),
            Freshness::Fresh,
            "a clock set back is no reason to lock out"
        );
    }

    #[test]
    fn every_poll_overlaps_and_some_look_far_back() {
        let second = Duration::from_secs(1);
        assert_eq!(
            SessionDirectory::default().horizon(START, LIFE),
            (START - LIFE, true),
            "the first loads a token's life"
        );
        assert_eq!(polled(START, START).horizon(START + second, LIFE), (START - OVERLAP, false));
        assert_eq!(polled(START, START - WIDE_EVERY).horizon(START, LIFE), (START - SKEW, true));
        assert_eq!(
            polled(START, START).horizon(START + LIFE, LIFE),
            (START - SKEW, true),
            "nothing of the silence is missed"
        );
    }

    #[test]
    fn a_members_older_tokens_count_and_newer_ones_ask_again() {
        let directory = SessionDirectory::default();
        let member = Member {
            account: AccountId::from_raw(1),
            profile: ProfileId::from_raw(2),
            session: SessionId::from_raw(3),
        };
        directory.remember(member, Trust::FULL, 4);
        assert_eq!(directory.member(member.session, 3), Some((member, Trust::FULL)));
        assert_eq!(directory.member(member.session, 4), Some((member, Trust::FULL)));
        assert_eq!(directory.member(member.session, 5), None, "its first use has to be noted in the store");
        directory.revoke(member.session, START);
        assert!(directory.is_revoked(member.session) && directory.member(member.session, 4).is_none());
    }
}
