//! Reads that may lag behind, from a replica: how new it is known to be, and who may not be served there yet.
//!
//! ```text
//! the watch, again and again:  ask the primary where its log is ── wait for the replica to have replayed that ── "as new as then"
//! a unit of a member ends:     remember when
//! a member reads:              as new as their last unit? read there. Not yet known? ask now, wait a moment. Else: the primary.
//! ```
//!
//! So nobody misses what they wrote themselves, nobody sees what is older than the limit, and where anything is not known,
//! the primary answers. What is remembered is a moment per account for as long as the limit: whatever is older than that is on
//! every replica that may serve at all.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use daira_core::actor::Actor;
use daira_core::id::Id as _;
use sqlx::Row as _;

use super::shared::Shared;
use super::wire::{Pool, Wire};

/// How often a replica that is behind is asked again while somebody waits for it.
const AGAIN: Duration = Duration::from_millis(2);
/// The write-ahead log's pages begin with a head, of at most so many bytes.
const PAGE_HEAD: u64 = 40;
/// How large they are.
const PAGE: u64 = 8_192;

/// A place in the write-ahead log, on the timeline that began with the last promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    timeline: u32,
    at: u64,
}

impl Place {
    /// The timeline in hexadecimal, and the place as Postgres writes it: `1/16/B374D848`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(|part| u32::from_str_radix(part, 16).ok());
        let (timeline, high, low) = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Self { timeline, at: u64::from(high) << 32 | u64::from(low) })
    }

    /// Whether who has replayed up to here has all up to another place. On another timeline nobody knows: a replica that did
    /// not follow a promotion may have more log than the new primary, and other.
    pub(super) fn covers(self, other: Self) -> bool {
        self.is_on_timeline_of(other) && self.at >= other.at
    }

    /// Whether no server was promoted between the two.
    pub(super) fn is_on_timeline_of(self, other: Self) -> bool {
        self.timeline == other.timeline
    }

    /// Where the last record ends that was written before this. A primary says where the next one will begin, which is behind
    /// the head of a page when the last one filled the page before; a replica that has replayed all says where that ended.
    fn end_before(self) -> Self {
        let in_page = self.at % PAGE;
        let at = if in_page <= PAGE_HEAD { self.at - in_page } else { self.at };
        Self { at, ..self }
    }
}

/// When members' units ended that may not be on the replica yet. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Ended(Arc<Mutex<Moments>>);

#[derive(Debug)]
struct Moments {
    /// Those since `since`, and those from the time as long before.
    young: HashMap<i64, Instant>,
    old: HashMap<i64, Instant>,
    since: Instant,
    keep: Duration,
}

impl Ended {
    fn new(keep: Duration) -> Self {
        Self(Arc::new(Mutex::new(Moments { young: HashMap::new(), old: HashMap::new(), since: Instant::now(), keep })))
    }

    fn lock(&self) -> MutexGuard<'_, Moments> {
        // Whatever a panicking thread left is a moment or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A unit of an account ended just now, or may have.
    pub(super) fn note(&self, account: i64) {
        let mut moments = self.lock();
        let now = Instant::now();
        if now.duration_since(moments.since) > moments.keep {
            moments.old = core::mem::take(&mut moments.young);
            moments.since = now;
        }
        moments.young.insert(account, now);
    }

    /// When the account's last unit ended, if that may matter.
    fn of(&self, account: i64) -> Option<Instant> {
        let moments = self.lock();
        moments.young.get(&account).or_else(|| moments.old.get(&account)).copied()
    }
}

/// A replica.
#[derive(Clone)]
pub(super) struct Replica(Arc<Inner>);

struct Inner {
    pool: Pool,
    shared: Shared,
    ended: Ended,
    max_lag: Duration,
    patience: Duration,
    /// The replica has all that was committed by then.
    as_of: Mutex<Option<Instant>>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("pool", &self.0.pool).field("as_of", &self.as_of()).finish_non_exhaustive()
    }
}

impl Replica {
    /// One that serves while it is at most `max_lag` behind, and that is waited for at most for `patience`.
    pub(super) fn new(pool: Pool, shared: Shared, max_lag: Duration, patience: Duration) -> Self {
        let (ended, as_of) = (Ended::new(max_lag), Mutex::default());
        Self(Arc::new(Inner { pool, shared, ended, max_lag, patience, as_of }))
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// What its readers share, which is not what those of the primary do: both are true as of their own server.
    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(super) fn ended(&self) -> &Ended {
        &self.0.ended
    }

    /// As of when it is known to have everything.
    pub(super) fn as_of(&self) -> Option<Instant> {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.as_of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has everything as of then.
    pub(super) fn reached(&self, then: Instant) {
        let mut as_of = self.lock();
        *as_of = (*as_of).max(Some(then));
    }

    /// Nothing is known of it any more.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    /// Opens a transaction for who reads, if it may serve them now; else the primary must.
    pub(super) async fn open(
        &self,
        primary: &Pool,
        actor: &Actor,
        opening: impl AsyncFnOnce(&Pool) -> daira_core::error::Result<Wire>,
    ) -> Option<Wire> {
        let as_of = self.as_of().filter(|as_of| as_of.elapsed() <= self.0.max_lag)?;
        let late = tokio::time::timeout(self.0.patience, async {
            if let Actor::Member(me) = actor
                && self.0.ended.of(me.account.raw()).is_some_and(|ended| ended >= as_of)
            {
                self.catch_up(primary).await?;
            }
            match opening(&self.0.pool).await {
                Ok(wire) => Some(wire),
                Err(error) => {
                    tracing::debug!(%error, "the replica cannot be read: the primary answers");
                    self.forget();
                    None
                }
            }
        });
        late.await.ok().flatten()
    }

    /// Waits until it has everything that is committed by now.
    async fn catch_up(&self, primary: &Pool) -> Option<()> {
        let now = Instant::now();
        let wanted = written(primary).await.ok()??;
        loop {
            if replayed(&self.0.pool).await.ok()??.covers(wanted) {
                self.reached(now);
                return Some(());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Up to where the primary has written its log, what is not yet on its disk included.
pub(super) async fn written(primary: impl sqlx::PgExecutor<'_>) -> sqlx::Result<Option<Place>> {
    let asked = "select left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '/' || pg_current_wal_insert_lsn()";
    let told = sqlx::raw_sql(asked).fetch_one(primary).await?;
    Ok(Place::parse(told.try_get(0)?).map(Place::end_before))
}

/// Up to where a replica shows what it was sent; nothing, when it is none any more.
pub(super) async fn replayed(replica: impl sqlx::PgExecutor<'_>) -> sqlx::Result<Option<Place>> {
    let asked = "select case when pg_is_in_recovery()
                             then to_hex(greatest(c.timeline_id, r.min_recovery_end_timeline)) || '/' || pg_last_wal_replay_lsn() end
                 from pg_control_checkpoint() c, pg_control_recovery() r";
    let told: Option<String> = sqlx::raw_sql(asked).fetch_one(replica).await?.try_get(0)?;
    Ok(told.as_deref().and_then(Place::parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_ordered_as_postgres_writes_them() {
        let place = |text| Place::parse(text).unwrap();
        assert_eq!(place("0000000A/16/B374D848"), Place { timeline: 10, at: 0x16_B374_D848 });
        assert!(place("1/1/0").covers(place("1/0/FFFFFFFF")) && place("1/0/A").covers(place("1/0/A")));
        assert!(!place("1/0/9").covers(place("1/0/A")));
        assert!(!place("1/0/F").covers(place("2/0/A")), "it did not follow the promotion");
        for none in ["", "1/16", "1/16/", "1/x/1", "1/1/100000000", "1/1/1/1"] {
            assert_eq!(Place::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_log_that_ends_with_its_page_ends_before_the_next_head() {
        let end = |text| Place::parse(text).unwrap().end_before().at;
        assert_eq!(end("1/0/2018"), 0x2000, "behind the head of a page");
        assert_eq!(end("1/0/1000028"), 0x100_0000, "behind that of a file");
        assert_eq!(end("1/0/2000"), 0x2000);
        assert_eq!(end("1/0/2030"), 0x2030, "a record ends there");
    }

    #[test]
    fn moments_are_kept_for_as_long_as_they_matter_and_not_much_longer() {
        let ended = Ended::new(Duration::from_hours(1));
        ended.note(7);
        let first = ended.of(7).unwrap();
        ended.note(7);
        assert!(ended.of(7).unwrap() >= first && ended.of(8).is_none());
        let ended = Ended::new(Duration::ZERO);
        for account in 0..100 {
            ended.note(account);
            std::thread::sleep(Duration::from_micros(1));
        }
        let kept = {
            let moments = ended.lock();
            moments.young.len() + moments.old.len()
        };
        assert!(kept < 100, "{kept}");
        assert!(ended.of(99).is_some());
    }
}
