//! The relational truth in memory: a copy-on-write world behind one mutex.
//!
//! A unit of work changes a clone of the world and puts it in the place of the one it began from; when another unit was
//! faster, its commit is [`ErrorKind::Serialization`] and `transact` runs it again. That makes every unit serialisable,
//! so locks have nothing to do here. It is built for tests and small embedded worlds: one commit wins at a time.
//!
//! Row security has its likeness: a member writes only their own rows, the platform's own tables take only
//! [`Actor::System`], and what a repository loads is what row security would let through. Such a write fails with
//! [`ErrorKind::Internal`], because a use case that attempts it has a bug.
//!
//! A part of the platform ([`Actor::System`]) sees everything that is not deleted.

mod account;
mod app;
mod audit;
mod breach;
mod comment;
mod consent;
mod counter;
mod delivery;
mod erasure;
mod export;
mod factor;
mod feed;
mod graph;
mod journal;
mod media;
mod notification;
mod phone;
mod post;
mod reaction;
mod rows;
mod search;
mod staff;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use async_trait::async_trait;

use rows::KeyName;
pub(crate) use rows::{Letter, Logged, Position};
use world::Viewer;
pub(crate) use world::World;

use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ProfileId};
use crate::port::Clock;
use crate::port::store::{
    Access, AccountReads, AccountRepository, AppReads, AppRepository, AuditRecord, AuditRepository, BreachRepository,
    CommentReads, CommentRepository, ConsentRepository, CounterRepository, DeliveryRepository, ErasureRepository,
    ExportRepository, FactorRepository, FeedReads, FeedRepository, GraphReads, GraphRepository, Journal, MediaReads,
    MediaRepository, NotificationReads, NotificationRepository, PhoneRepository, PostReads, PostRepository,
    ReactionReads, ReactionRepository, SearchReads, StaffReads, StaffRepository,
};
use crate::port::{Group, ReadView, Store, UnitOfWork};
use crate::settings::Settings;
use crate::time::Timestamp;

/// A consumer's hold on one lane of the log.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) owner: String,
    pub(crate) epoch: u64,
    pub(crate) until: Timestamp,
}

/// A job's run, or when the next is due.
#[derive(Debug, Clone)]
pub(crate) struct JobLease {
    pub(crate) owner: Option<String>,
    pub(crate) until: Timestamp,
    pub(crate) due: Timestamp,
}

/// Everything that units, views and the bus share.
#[derive(Default)]
pub(crate) struct State {
    version: u64,
    pub(crate) world: World,
    /// Idempotency keys that open units hold.
    held: BTreeSet<KeyName>,
    pub(crate) leases: BTreeMap<(String, i16), Lease>,
    /// Every group that ever asked for events.
    pub(crate) groups: BTreeMap<&'static str, Group>,
    pub(crate) jobs: BTreeMap<String, JobLease>,
    /// Readers of the log who wait for something new.
    pub(crate) waiting: Vec<Waker>,
}

impl State {
    /// Puts a changed world in place and wakes who waits for it.
    pub(crate) fn replace(&mut self, world: World) {
        self.version += 1;
        self.world = world;
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) inbox_days: u16,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A world is replaced whole, so one that a panicking thread left behind is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The in-memory [`Store`]; clones share one world. Units of work are serialisable: of two that overlap and write, the
/// later commit fails with [`ErrorKind::Serialization`] and [`Ports::transact`](crate::port::Ports::transact) runs it again.
#[derive(Clone)]
pub struct MemoryStore {
    pub(crate) shared: Arc<Shared>,
}

impl core::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryStore").field("version", &self.shared.lock().version).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty world. The clock times events and idempotency keys, as the database's own would; of the settings it
    /// takes how many days an inbox reaches back.
    pub fn new(clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        Self { shared: Arc::new(Shared { clock, inbox_days: settings.inbox_days, state: Mutex::default() }) }
    }

    /// The audit trail so far: who, and what was recorded.
    pub fn audit_trail(&self) -> Vec<(String, AuditRecord)> {
        let world = self.shared.lock().world.clone();
        world.audit.iter().map(|line| (line.actor.clone(), line.record.clone())).collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(MemoryUnit::open(&self.shared, &self.shared.lock(), actor.clone())))
    }

    async fn read(&self, actor: &Actor, _: Access) -> Result<Box<dyn ReadView>> {
        let world = self.shared.lock().world.clone();
        Ok(Box::new(MemoryView { shared: Arc::clone(&self.shared), viewer: Viewer::of(actor), world }))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// An open unit: a clone of the world, and the version it was cloned from.
pub(crate) struct MemoryUnit {
    shared: Arc<Shared>,
    actor: Actor,
    base: u64,
    pub(crate) world: World,
    changed: bool,
    held: BTreeSet<KeyName>,
}

impl MemoryUnit {
    pub(crate) fn open(shared: &Arc<Shared>, state: &State, actor: Actor) -> Self {
        let (base, world) = (state.version, state.world.clone());
        Self { shared: Arc::clone(shared), actor, base, world, changed: false, held: BTreeSet::new() }
    }

    /// The world to write to.
    pub(crate) fn change(&mut self) -> &mut World {
        self.changed = true;
        &mut self.world
    }

    /// Commits after a last check under the lock.
    pub(crate) fn commit_if(mut self, check: impl FnOnce(&State) -> Result<()>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        check(&state)?;
        if self.changed && state.version != self.base {
            drop(state);
            return Err(Error::new(ErrorKind::Serialization, "memory.commit"));
        }
        for name in core::mem::take(&mut self.held) {
            state.held.remove(&name);
        }
        if self.changed {
            state.replace(core::mem::take(&mut self.world));
        }
        Ok(())
    }

    fn viewer(&self) -> Viewer {
        Viewer::of(&self.actor)
    }

    /// The likeness of row security for rows that belong to a profile.
    fn may_write(&self, owners: &[ProfileId]) -> Result<()> {
        let own = match &self.actor {
            Actor::System(_) | Actor::Staff(_) => true,
            Actor::Member(member) => owners.contains(&member.profile),
            Actor::Anonymous => false,
        };
        if own { Ok(()) } else { Err(denied()) }
    }

    /// The same for rows that belong to an account.
    fn may_write_account(&self, account: AccountId) -> Result<()> {
        match &self.actor {
            Actor::Member(member) if member.account == account => Ok(()),
            Actor::System(_) | Actor::Staff(_) => Ok(()),
            Actor::Member(_) | Actor::Anonymous => Err(denied()),
        }
    }

    /// For what only the platform itself may do.
    fn platform_only(&self) -> Result<()> {
        self.may_write(&[])
    }
}

fn denied() -> Error {
    Error::new(ErrorKind::Internal, "memory.row_security")
}

impl Drop for MemoryUnit {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            let mut state = self.shared.lock();
            state.held.retain(|name| !self.held.contains(name));
        }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnit {
    fn accounts(&mut self) -> &mut dyn AccountRepository {
        self
    }
    fn factors(&mut self) -> &mut dyn FactorRepository {
        self
    }
    fn phones(&mut self) -> &mut dyn PhoneRepository {
        self
    }
    fn deliveries(&mut self) -> &mut dyn DeliveryRepository {
        self
    }
    fn apps(&mut self) -> &mut dyn AppRepository {
        self
    }
    fn graph(&mut self) -> &mut dyn GraphRepository {
        self
    }
    fn posts(&mut self) -> &mut dyn PostRepository {
        self
    }
    fn comments(&mut self) -> &mut dyn CommentRepository {
        self
    }
    fn reactions(&mut self) -> &mut dyn ReactionRepository {
        self
    }
    fn media(&mut self) -> &mut dyn MediaRepository {
        self
    }
    fn notifications(&mut self) -> &mut dyn NotificationRepository {
        self
    }
    fn feed(&mut self) -> &mut dyn FeedRepository {
        self
    }
    fn counters(&mut self) -> &mut dyn CounterRepository {
        self
    }
    fn staff(&mut self) -> &mut dyn StaffRepository {
        self
    }
    fn erasures(&mut self) -> &mut dyn ErasureRepository {
        self
    }
    fn consents(&mut self) -> &mut dyn ConsentRepository {
        self
    }
    fn breaches(&mut self) -> &mut dyn BreachRepository {
        self
    }
    fn exports(&mut self) -> &mut dyn ExportRepository {
        self
    }
    fn audits(&mut self) -> &mut dyn AuditRepository {
        self
    }
    fn journal(&mut self) -> &mut dyn Journal {
        self
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.commit_if(|_| Ok(()))
    }
}

/// A snapshot of the world for one actor.
struct MemoryView {
    shared: Arc<Shared>,
    viewer: Viewer,
    world: World,
}

#[async_trait]
impl ReadView for MemoryView {
    fn accounts(&mut self) -> &mut dyn AccountReads {
        self
    }
    fn apps(&mut self) -> &mut dyn AppReads {
        self
    }
    fn graph(&mut self) -> &mut dyn GraphReads {
        self
    }
    fn posts(&mut self) -> &mut dyn PostReads {
        self
    }
    fn comments(&mut self) -> &mut dyn CommentReads {
        self
    }
    fn reactions(&mut self) -> &mut dyn ReactionReads {
        self
    }
    fn media(&mut self) -> &mut dyn MediaReads {
        self
    }
    fn notifications(&mut self) -> &mut dyn NotificationReads {
        self
    }
    fn feed(&mut self) -> &mut dyn FeedReads {
        self
    }
    fn search(&mut self) -> &mut dyn SearchReads {
        self
    }
    fn staff(&mut self) -> &mut dyn StaffReads {
        self
    }
}
