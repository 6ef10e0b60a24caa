//! The event bus over the log in PostgreSQL: ticks as snapshots, lanes under leases, effects and positions in one
//! transaction.
//!
//! How an event travels. A unit of work appends it ([`Journal::append`](daira_core::port::store::Journal::append)). The
//! [`Ticker`] writes down what a reader can see just then and notifies. A consumer's [`next`](EventBus::next) reads what
//! the newest tick sees and its lanes' last tick did not, and opens a unit for the effects; committing the batch locks the
//! leases, compares their epochs and inserts the lanes' new positions in that unit.
//!
//! | file | is about |
//! |---|---|
//! | `tick`, `ticker` | snapshots written down, and who writes them |
//! | `window` | the events between two ticks: the query |
//! | `seat` | which lanes a consumer holds and how far they are |
//! | `batch` | effects and position in one transaction |
//! | `letter` | dead letters, parked followers, and their way back |
//! | `lag`, `park`, `sweep`, `attend` | how far behind; falling behind for good; tidying up; listening and staying alive |
//!
//! Past a pooler in transaction mode everything here works; the ticker and the attendant want an address of the server
//! itself.

mod attend;
mod batch;
pub(super) mod lag;
mod letter;
mod park;
mod seat;
mod sweep;
mod tick;
mod ticker;
mod window;

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::Notify;

pub use attend::Attendant;
use daira_core::actor::Actor;
use daira_core::error::{ErrorKind, Result};
use daira_core::port::{DeadLetter, EventBatch, EventBus, Group, Lag};
use daira_core::secret::Secret;
pub use ticker::Ticker;

use super::error::fault;
use super::hosts::Hosts;
use super::store::{BEGIN, PgStore};
use super::wire::{Pool, Wire};
use batch::{PgBatch, Source};
use seat::Seat;
use window::Row;

/// Where the ticker's notices go.
const CHANNEL: &str = "daira_tick";
/// A consumer that has not asked for this long is not kept alive by the attendant any more: it hangs.
const PATIENCE: Duration = Duration::from_mins(10);

/// The bus's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusSettings {
    /// A consumer that was not renewed for this long is dead, and its lanes are free.
    pub lease: Duration,
    /// How often lanes are shared out, and the positions of lanes without events written.
    pub settle: Duration,
    /// How often readers look when no notice comes.
    pub poll: Duration,
}

impl Default for BusSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), settle: Duration::from_secs(1), poll: Duration::from_millis(250) }
    }
}

type Seats = HashMap<(&'static str, String), (Arc<tokio::sync::Mutex<Seat>>, Instant)>;

struct Shared {
    store: PgStore,
    settings: BusSettings,
    seats: Mutex<Seats>,
    news: Notify,
}

/// The event bus in PostgreSQL. Cloning is cheap. See the [module](self).
#[derive(Clone)]
pub struct PgBus(Arc<Shared>);

impl fmt::Debug for PgBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgBus").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl PgBus {
    /// Reads the log of a store.
    pub fn new(store: &PgStore, settings: BusSettings) -> Self {
        Self(Arc::new(Shared { store: store.clone(), settings, seats: Mutex::default(), news: Notify::new() }))
    }

    /// A ticker for the log. `url` leads to the server itself, past any pooler, as the role of the workers.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for an address that is none.
    pub fn ticker(url: &str) -> Result<Ticker> {
        Hosts::parse(url, "ticker.address").map(Ticker::new)
    }

    /// What listens for ticks and keeps this bus's members alive, over an address as for [`ticker`](Self::ticker).
    pub fn attendant(&self, url: &Secret) -> Attendant {
        Attendant { bus: self.clone(), url: url.clone() }
    }

    /// Wakes all that wait: there may be something new.
    pub fn poke(&self) {
        self.0.news.notify_waiters();
    }

    /// How Postgres reads the next window of a consumer's lanes, with the buffers it touches: for people who look after the
    /// database. Empty without lanes.
    ///
    /// # Errors
    /// The store's faults.
    pub async fn explain(&self, group: Group, owner: &str) -> Result<Vec<String>> {
        let seat = self.seat(group, owner);
        let mut seat = seat.lock().await;
        seat.settle(self.pool(), &self.0.settings).await?;
        seat.explain(self.pool()).await
    }

    fn settings(&self) -> &BusSettings {
        &self.0.settings
    }

    fn pool(&self) -> &Pool {
        self.0.store.worker_pool()
    }

    fn seat(&self, group: Group, owner: &str) -> Arc<tokio::sync::Mutex<Seat>> {
        let mut seats = self.0.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let (seat, asked) = seats.entry((group.name, owner.to_owned())).or_insert_with(|| {
            let seat = Seat::new(group, owner);
            (Arc::new(tokio::sync::Mutex::new(seat)), Instant::now())
        });
        *asked = Instant::now();
        Arc::clone(seat)
    }

    /// Keeps this bus's living members alive.
    /// Lets consumers of this process look at their dead letters next; those of other processes do when they settle.
    async fn look_at_letters(&self, group: &str) {
        let chairs: Vec<_> = {
            let seats = self.0.seats.lock().unwrap_or_else(PoisonError::into_inner);
            seats.iter().filter(|((name, _), _)| *name == group).map(|(_, (chair, _))| Arc::clone(chair)).collect()
        };
        for chair in chairs {
            chair.lock().await.letters_due = true;
        }
        self.poke();
    }

    async fn renew(&self) -> Result<()> {
        let (groups, owners): (Vec<&str>, Vec<String>) = {
            let seats = self.0.seats.lock().unwrap_or_else(PoisonError::into_inner);
            let living = seats.iter().filter(|(_, (_, asked))| asked.elapsed() < PATIENCE);
            living.map(|((group, owner), _)| (*group, owner.clone())).unzip()
        };
        let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
        seat::renew(self.pool(), &groups, &owners, self.0.settings.lease).await
    }
}

impl PgBus {
    /// What a seat is to deliver next, if there is anything.
    async fn look(&self, seat: &mut Seat, max: usize) -> Result<Option<(Vec<Row>, Source)>> {
        seat.settle(self.pool(), &self.0.settings).await?;
        let lanes = seat.lanes();
        if lanes.is_empty() {
            return Ok(None);
        }
        if seat.letters_due {
            let limit = i64::try_from(max.max(1)).unwrap_or(i64::MAX);
            let rows = letter::deliverable(self.pool(), seat.group.name, &lanes, limit).await?;
            seat.letters_due = !rows.is_empty();
            if seat.letters_due {
                return Ok(Some((rows, Source::Letters(seat.turn()))));
            }
        }
        let found = seat.advance(self.pool(), &self.0.settings, max).await?;
        Ok(found.map(|(rows, step)| (rows, Source::Log(step))))
    }
}

/// A transaction of the bus's own, on its own tables.
async fn begin(db: &Pool) -> Result<Wire> {
    db.begin(BEGIN).await.map_err(|e| fault("bus.begin", e))
}

#[async_trait]
impl EventBus for PgBus {
    async fn next(&self, group: Group, owner: &str, max: usize) -> Result<Option<Box<dyn EventBatch>>> {
        let chair = self.seat(group, owner);
        loop {
            let mut seat = chair.lock().await;
            seat.follow(self.0.store.moves());
            let found = self.look(&mut seat, max).await;
            if found.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unavailable) {
                // Behind one address another server may answer next, and lack what this one had not been sent.
                seat.reset();
            }
            let Some((rows, source)) = found? else { return Ok(None) };
            drop(seat);
            let unit = Box::new(self.0.store.unit(&Actor::System(group.name), BEGIN).await?);
            let batch = PgBatch::open(group, self.0.settings, Arc::clone(&chair), unit, source, rows).await?;
            if !batch.events().is_empty() {
                return Ok(Some(Box::new(batch)));
            }
            // Nothing in it could be read: all of it is among the dead letters now.
            Box::new(batch).commit().await?;
        }
    }

    async fn release(&self, group: Group, owner: &str) -> Result<()> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner).remove(&(group.name, owner.to_owned()));
        seat::leave(self.pool(), group.name, owner).await?;
        self.poke();
        Ok(())
    }

    async fn wait(&self, patience: Duration) {
        // A notice may come just before this begins; the next look is never far.
        let _ = tokio::time::timeout(patience.min(self.0.settings.poll), self.0.news.notified()).await;
    }

    async fn lag(&self, group: Group) -> Result<Lag> {
        lag::lag(self.pool(), group).await
    }

    async fn dead_letters(&self, group: &str, after: Option<i64>, limit: u32) -> Result<Vec<DeadLetter>> {
        letter::list(self.pool(), group, after, limit).await
    }

    async fn replay(&self, group: &str, event: i64) -> Result<bool> {
        let done = letter::replay(self.pool(), group, event).await?;
        self.look_at_letters(group).await;
        Ok(done)
    }

    async fn drop_letter(&self, group: &str, event: i64) -> Result<bool> {
        let done = letter::drop_letter(self.pool(), group, event).await?;
        self.look_at_letters(group).await;
        Ok(done)
    }

    async fn is_parked(&self, group: Group) -> Result<bool> {
        park::is_parked(self.pool(), group.name).await
    }

    async fn skip(&self, group: Group) -> Result<()> {
        let mut tx = begin(self.pool()).await?;
        park::skip(&mut tx, group.name).await?;
        tx.commit().await.map_err(|e| fault("bus.skip", e))
    }

    async fn unpark(&self, group: Group) -> Result<bool> {
        park::unpark(self.pool(), group.name).await
    }
}
