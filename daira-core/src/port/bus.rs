//! The event bus: consumer groups over the event log, delivered at least once, with effects exactly once.
//!
//! A batch comes with an open unit of work. The consumer writes its effects into that unit, and committing the batch
//! moves the group's position in the same transaction: a killed consumer neither loses nor repeats an effect. Within a
//! key, events come in order; a dead letter parks later events of its key until it is replayed or dropped.

use core::time::Duration;

use async_trait::async_trait;

use super::UnitOfWork;
use crate::error::Result;
use crate::event::{Envelope, Event};
use crate::time::Timestamp;

/// A consumer group: who reads, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Group {
    /// Its stable name, for instance `fan-out`.
    pub name: &'static str,
    /// The topics it reads.
    pub topics: &'static [&'static str],
    /// Whether it can rebuild its effects from the rows: such a group never holds old days of the log.
    pub rebuilds: bool,
}

/// An event as a group gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// Its id, type, key and time.
    pub envelope: Envelope,
    /// What happened.
    pub event: Event,
    /// How often its delivery to this group failed before.
    pub attempts: u16,
}

/// A point in a batch's unit that its effects can be rolled back to. Only the latest one of a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Savepoint(pub u32);

/// How far a group is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Lag {
    /// Events not yet delivered.
    pub events: i64,
    /// Age of the oldest of them.
    pub oldest: Duration,
    /// Dead letters, parked followers included.
    pub dead: i64,
}

/// An event that could not be processed, with all that is needed to try again. Its payload is kept as it was written: an
/// event that this version cannot read is among the reasons to end here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The group that failed.
    pub group: String,
    /// The event's id in the log.
    pub event: i64,
    /// Its type, for instance `daira.post.v1.created`.
    pub kind: String,
    /// The raw id of its aggregate.
    pub key: i64,
    /// Its protobuf payload.
    pub payload: Vec<u8>,
    /// When it was appended.
    pub time: Timestamp,
    /// How often its delivery to the group failed.
    pub attempts: u16,
    /// Why; for one that merely waits behind another of its key, what it waits for.
    pub reason: String,
    /// Whether it only waits: behind a dead letter of its key, or, with none left, to be delivered again.
    pub parked: bool,
    /// When it became one.
    pub at: Timestamp,
}

impl DeadLetter {
    /// Reads the event.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) when this version cannot.
    pub fn decode(&self) -> Result<Event> {
        Event::decode(&self.kind, &self.payload)
    }
}

/// Reads the event log in groups.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// The next batch of a group for the consumer named `owner`, at most about `max` events; nothing when there is none
    /// now or all lanes are held by others.
    async fn next(&self, group: Group, owner: &str, max: usize) -> Result<Option<Box<dyn EventBatch>>>;
    /// Gives up this consumer's lanes at once, so that others need not wait for its leases to lapse.
    async fn release(&self, group: Group, owner: &str) -> Result<()>;
    /// Returns when there may be something new, or after `patience`.
    async fn wait(&self, patience: Duration);
    /// How far a group is behind.
    async fn lag(&self, group: Group) -> Result<Lag>;
    /// Dead letters of a group, oldest first, after an event id.
    async fn dead_letters(&self, group: &str, after: Option<i64>, limit: u32) -> Result<Vec<DeadLetter>>;
    /// Puts a dead letter and what is parked behind it back, to be delivered again. Says whether there was one.
    async fn replay(&self, group: &str, event: i64) -> Result<bool>;
    /// Drops a dead letter and releases what is parked behind it. Says whether there was one.
    async fn drop_letter(&self, group: &str, event: i64) -> Result<bool>;
    /// Whether a group that [rebuilds](Group::rebuilds) fell behind the oldest kept day: events are gone that it never
    /// saw. It gets nothing until it was [moved](Self::skip), has rebuilt its effects from the rows and is
    /// [let go on](Self::unpark).
    async fn is_parked(&self, _group: Group) -> Result<bool> {
        Ok(false)
    }
    /// Moves a parked group to the oldest event kept; it stays parked, so that it can rebuild what lies before.
    async fn skip(&self, _group: Group) -> Result<()> {
        Ok(())
    }
    /// Lets a parked group go on after its rebuild. Says whether it may: with `false` it fell behind again meanwhile.
    async fn unpark(&self, _group: Group) -> Result<bool> {
        Ok(true)
    }
}

/// A batch of events with the unit of work that their effects join.
#[async_trait]
pub trait EventBatch: Send {
    /// The events, in order of the log. One that this version cannot read is not among them: the bus buries it itself.
    fn events(&self) -> &[Delivered];
    /// The unit that effects go into.
    fn unit(&mut self) -> &mut dyn UnitOfWork;
    /// Marks a point to roll back to, in place of the one before.
    async fn savepoint(&mut self) -> Result<Savepoint>;
    /// Undoes all effects since the point.
    async fn rollback_to(&mut self, point: Savepoint) -> Result<()>;
    /// Sends an event to the dead letters after so many failed attempts, or parks it behind one of its key.
    async fn bury(&mut self, event: i64, attempts: u16, reason: &str, parked: bool) -> Result<()>;
    /// Keys of this batch that have a dead letter already: their events are to be parked.
    async fn parked_keys(&mut self) -> Result<Vec<i64>>;
    /// Makes effects and position durable together.
    ///
    /// # Errors
    /// When the lease was lost meanwhile: nothing happened then, somebody else has the events.
    async fn commit(self: Box<Self>) -> Result<()>;
}
