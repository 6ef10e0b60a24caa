//! What keeps the truth in shape: partitions ahead, expiry, jobs that run once over all processes, and a standing
//! snapshot to prove derived state against.

use core::time::Duration;

use async_trait::async_trait;

use super::{Delivered, Group, UnitOfWork};
use crate::actor::Actor;
use crate::error::Result;
use crate::id::PostId;
use crate::time::Timestamp;

/// How a run of a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobOutcome {
    /// It did all it had to; the next run is due a full interval after this one began.
    Done,
    /// It failed, or its process is stopping: whoever asks next may run it.
    Failed,
}

/// How far a back-fill is: what a change of the schema asks of rows that were there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Its name, in commands.
    pub name: String,
    /// What it fills in.
    pub about: String,
    /// How many rows it went over.
    pub rows: u64,
    /// Whether it may go on.
    pub state: BackfillState,
}

/// Whether a back-fill may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackfillState {
    /// Somebody is at it, or will be.
    Running,
    /// Somebody said that it is to wait.
    Paused,
    /// Nothing is left to be filled in.
    Done,
}

/// Keeps the truth in shape. For the platform's own actors only. Leases and days are by the adapter's own clock; `now`
/// serves what is dated by [`Clock`](super::Clock), such as ids.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Makes the partitions of today and of the `days` after it, wherever tables are dropped by age; answers how many
    /// whole days ahead the least covered table is.
    async fn ensure_partitions(&self, now: Timestamp, days: u16) -> Result<u16>;

    /// Drops what is past its time: whole days of the event log that every group has passed, of inboxes, idempotency
    /// keys and the like, and the log's spent bookkeeping. Answers how many partitions went. What cannot be had
    /// without waiting stays for the next time.
    async fn expire(&self, now: Timestamp) -> Result<u32>;

    /// Opens a unit of work whose statements all see one snapshot, with the group's events in that snapshot whose
    /// effects are not: undelivered ones and dead letters. Derived state is proved against rows less these. A unit that
    /// changes what others changed since fails with [`Serialization`](crate::error::ErrorKind::Serialization).
    ///
    /// # Errors
    /// [`Unavailable`](crate::error::ErrorKind::Unavailable) when the group is more than `most` events behind.
    async fn snapshot(&self, actor: &Actor, group: Group, most: u32) -> Result<(Box<dyn UnitOfWork>, Vec<Delivered>)>;

    /// Living posts that are delivered by push, in order of id after one, at most `limit`: what a fan-out that lost
    /// events rebuilds from.
    async fn pushed_posts(&self, after: PostId, limit: u32) -> Result<Vec<PostId>>;

    /// The back-fills of this program's schema, in order.
    async fn backfills(&self) -> Result<Vec<Backfill>>;

    /// Does a portion of the first back-fill that is running and that nobody else is at: at most `rows`, and how far it got, in
    /// one transaction. Answers how far it is then; nothing when there is none.
    async fn fill(&self, rows: u32) -> Result<Option<Backfill>>;

    /// Lets a back-fill wait between two portions, or go on where it was; `false` when there is none of this name. Once this
    /// returned no portion is under way.
    async fn pause_backfill(&self, name: &str, paused: bool) -> Result<bool>;

    /// Takes the next run of a job for `owner`, if nobody runs it and its last run began at least `every` ago. The run
    /// is the owner's alone until `lease` is over.
    async fn begin_job(&self, name: &str, owner: &str, every: Duration, lease: Duration) -> Result<bool>;

    /// Makes the owner's run its own for `lease` from now on; `false` when it lost the run meanwhile.
    async fn keep_job(&self, name: &str, owner: &str, lease: Duration) -> Result<bool>;

    /// Ends the owner's run of a job; nothing happens when it lost the lease meanwhile.
    async fn end_job(&self, name: &str, owner: &str, outcome: JobOutcome) -> Result<()>;
}
