//! The event bus over the in-memory world's log.
//!
//! A group's place in each lane is the id of the last event it is through with; it moves in the commit that carries the
//! effects. A new group begins at the oldest event kept. Consumers hold lanes by leases with an epoch that every batch
//! raises, so that of two batches over the same events only the younger can commit.

mod batch;

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{Either, select};

use super::store::{Lease, Letter, Logged, MemoryStore, MemoryUnit, Shared, State, World};
use crate::actor::Actor;
use crate::error::Result;
use crate::event::{Envelope, Event, LANES, lane};
use crate::port::{DeadLetter, Delivered, EventBatch, EventBus, Group, Lag};
use crate::time::Timestamp;

pub(crate) use batch::MemoryBatch;

/// How long a consumer keeps its lanes without asking for a batch.
const LEASE: Duration = Duration::from_secs(30);

/// The in-memory [`EventBus`]: it reads the log of a [`MemoryStore`]. A new group begins at the oldest event kept, and a
/// consumer that asks for nothing for half a minute loses its lanes.
#[derive(Clone)]
pub struct MemoryBus {
    shared: Arc<Shared>,
}

impl core::fmt::Debug for MemoryBus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryBus").finish_non_exhaustive()
    }
}

impl MemoryBus {
    /// Reads the log of a store's world.
    pub fn new(store: &MemoryStore) -> Self {
        Self { shared: Arc::clone(&store.shared) }
    }
}

impl World {
    fn position(&self, group: &str, lane: i16) -> i64 {
        self.positions.get(&(group.to_owned(), lane)).map_or(0, |p| p.event)
    }

    /// The newest event's id.
    pub(crate) fn head(&self) -> i64 {
        self.log.last().map_or(0, |last| last.id)
    }

    /// Whether a group has seen an event, or never will because it does not read its topic.
    pub(crate) fn is_past(&self, group: Group, event: &Logged) -> bool {
        !group.topics.contains(&event.topic) || event.id <= self.position(group.name, lane(event.key))
    }

    /// A group's letters, oldest first.
    fn letters_of(&self, group: &str) -> impl Iterator<Item = &Letter> {
        self.letters.from((group.to_owned(), 0)).take_while(move |letter| letter.group == group)
    }

    /// Keys of a group behind whose dead letter later events wait.
    fn dead_keys(&self, group: &str) -> BTreeSet<i64> {
        self.letters_of(group).filter(|letter| !letter.parked).map(|letter| letter.key).collect()
    }

    /// Events that a group is to get, with the number of failures before: parked ones whose key has no dead letter left,
    /// then the log's news. And how far into the log that reaches.
    fn due(&self, group: Group, lanes: &BTreeSet<i16>, max: usize) -> (Vec<(Logged, u16)>, i64) {
        let dead = self.dead_keys(group.name);
        let released = self.letters_of(group.name).filter(|l| l.parked && !dead.contains(&l.key));
        let again = released.filter_map(|letter| Some((self.log.get(&letter.event)?.clone(), letter.attempts)));
        let mut due: Vec<_> = again.filter(|(event, _)| lanes.contains(&lane(event.key))).take(max).collect();
        let behind = lanes.iter().map(|lane| self.position(group.name, *lane)).min().unwrap_or_default();
        let wanted = |event: &&Logged| lanes.contains(&lane(event.key)) && !self.is_past(group, event);
        let mut news = self.log.from(behind + 1).filter(wanted).peekable();
        let mut through = behind;
        while let Some(event) = news.next_if(|_| due.len() < max) {
            through = event.id;
            due.push((event.clone(), 0));
        }
        if news.peek().is_none() {
            through = self.head();
        }
        due.sort_by_key(|(event, _)| event.id);
        (due, through)
    }

    /// All events whose effects a group has not made: undelivered ones, and letters.
    pub(crate) fn outstanding(&self, group: Group) -> impl Iterator<Item = (&Logged, u16)> {
        let letters = self.letters_of(group.name);
        let buried = letters.filter_map(|letter| Some((self.log.get(&letter.event)?, letter.attempts)));
        buried.chain(self.log.iter().filter(move |event| !self.is_past(group, event)).map(|event| (event, 0)))
    }
}

/// An event as a group gets it; the reason why not, when this version cannot read it.
pub(crate) fn delivered(event: &Logged, attempts: u16) -> Result<Delivered> {
    let envelope = Envelope { id: event.id, kind: event.kind, key: event.key, time: event.at };
    Ok(Delivered { envelope, event: Event::decode(event.kind, &event.payload)?, attempts })
}

impl State {
    /// Takes all lanes that nobody else holds, each under a new epoch.
    fn take_lanes(&mut self, group: Group, owner: &str, now: Timestamp) -> BTreeSet<i16> {
        let mut taken = BTreeSet::new();
        for lane in 0..LANES {
            let lease = self.leases.entry((group.name.to_owned(), lane)).or_insert_with(|| Lease {
                owner: owner.to_owned(),
                epoch: 0,
                until: now,
            });
            if lease.owner == owner || lease.until <= now {
                *lease = Lease { owner: owner.to_owned(), epoch: lease.epoch + 1, until: now + LEASE };
                taken.insert(lane);
            }
        }
        taken
    }

    /// Changes the letters of a group in a commit of its own.
    fn settle(&mut self, change: impl FnOnce(&mut World) -> Result<bool>) -> Result<bool> {
        let mut world = self.world.clone();
        let changed = change(&mut world)?;
        if changed {
            self.replace(world);
        }
        Ok(changed)
    }
}

#[async_trait]
impl EventBus for MemoryBus {
    async fn next(&self, group: Group, owner: &str, max: usize) -> Result<Option<Box<dyn EventBatch>>> {
        let now = self.shared.clock.now();
        let mut state = self.shared.lock();
        state.groups.insert(group.name, group);
        let lanes = state.take_lanes(group, owner, now);
        let (due, through) = state.world.due(group, &lanes, max.max(1));
        if due.is_empty() {
            return Ok(None);
        }
        let epoch = |lane: i16| Some((lane, state.leases.get(&(group.name.to_owned(), lane))?.epoch));
        let epochs = lanes.into_iter().filter_map(epoch).collect();
        let unit = MemoryUnit::open(&self.shared, &state, Actor::System(group.name));
        drop(state);
        Ok(Some(Box::new(MemoryBatch::open(unit, group, epochs, through, &due, now)?)))
    }

    async fn release(&self, group: Group, owner: &str) -> Result<()> {
        let now = self.shared.clock.now();
        for ((name, _), lease) in &mut self.shared.lock().leases {
            if name == group.name && lease.owner == owner {
                lease.until = now;
                lease.owner.clear();
                lease.epoch += 1;
            }
        }
        Ok(())
    }

    async fn wait(&self, patience: Duration) {
        let seen = self.shared.lock().world.head();
        let news = poll_fn(|context| {
            let mut state = self.shared.lock();
            if state.world.head() > seen {
                return Poll::Ready(());
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        });
        match select(news, self.shared.clock.sleep(patience)).await {
            Either::Left(((), _)) | Either::Right(((), _)) => {}
        }
    }

    async fn lag(&self, group: Group) -> Result<Lag> {
        let now = self.shared.clock.now();
        let world = self.shared.lock().world.clone();
        let mut lag =
            Lag { dead: i64::try_from(world.letters_of(group.name).count()).unwrap_or(i64::MAX), ..Lag::default() };
        for event in world.log.iter().filter(|event| !world.is_past(group, event)) {
            lag.events += 1;
            lag.oldest = lag.oldest.max(now.since(event.at));
        }
        Ok(lag)
    }

    async fn dead_letters(&self, group: &str, after: Option<i64>, limit: u32) -> Result<Vec<DeadLetter>> {
        let world = self.shared.lock().world.clone();
        let letters = world.letters_of(group).filter(|letter| after.is_none_or(|after| letter.event > after));
        let whole = letters.filter_map(|letter| {
            let event = world.log.get(&letter.event)?;
            Some(DeadLetter {
                group: letter.group.clone(),
                event: letter.event,
                kind: event.kind.to_owned(),
                key: event.key,
                payload: event.payload.clone(),
                time: event.at,
                attempts: letter.attempts,
                reason: letter.reason.clone(),
                parked: letter.parked,
                at: letter.at,
            })
        });
        Ok(whole.take(limit as usize).collect())
    }

    async fn replay(&self, group: &str, event: i64) -> Result<bool> {
        self.shared.lock().settle(|world| {
            let Some(letter) = world.letters.get(&(group.to_owned(), event)).filter(|l| !l.parked).cloned() else {
                return Ok(false);
            };
            world.letters.put(Letter { parked: true, ..letter }, "bus.replay")?;
            Ok(true)
        })
    }

    async fn drop_letter(&self, group: &str, event: i64) -> Result<bool> {
        self.shared.lock().settle(|world| Ok(world.letters.remove(&(group.to_owned(), event)).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::memory::ManualClock;
    use crate::port::Clock;
    use crate::settings::Settings;

    const GROUP: Group = Group { name: "posts", topics: &["daira.post.v1"], rebuilds: false };

    fn log(store: &MemoryStore, id: i64, payload: Vec<u8>) {
        let event =
            Logged { id, kind: "daira.post.v1.created", topic: "daira.post.v1", key: 1, payload, at: Timestamp::EPOCH };
        let mut state = store.shared.lock();
        let mut world = state.world.clone();
        world.log.put(event, "test.log").unwrap();
        state.replace(world);
    }

    /// Memory never waits, so a test needs no runtime.
    fn now<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    #[test]
    fn what_cannot_be_read_is_buried_and_its_key_waits() {
        let store = MemoryStore::new(Arc::new(ManualClock::default()), &Settings::default());
        let bus = MemoryBus::new(&store);
        log(&store, 1, vec![0xff; 7]);
        log(&store, 2, Vec::new());
        let mut batch = now(bus.next(GROUP, "a", 10)).unwrap().unwrap();
        assert_eq!(batch.events().iter().map(|e| e.envelope.id).collect::<Vec<_>>(), [2]);
        assert_eq!(now(batch.parked_keys()).unwrap(), [1]);
        now(batch.bury(2, 0, "waits for 1", true)).unwrap();
        now(batch.commit()).unwrap();
        let letters = now(bus.dead_letters(GROUP.name, None, 10)).unwrap();
        assert_eq!(
            letters.iter().map(|l| (l.event, l.attempts, l.parked)).collect::<Vec<_>>(),
            [(1, 1, false), (2, 0, true)]
        );
        assert!(letters[0].decode().is_err() && letters[1].decode().is_ok());
        assert_eq!(letters[0].payload, [0xff; 7]);
    }

    #[test]
    fn lanes_of_a_consumer_that_went_silent_are_taken_over() {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(clock.clone(), &Settings::default());
        let bus = MemoryBus::new(&store);
        log(&store, 1, Vec::new());
        let silent = now(bus.next(GROUP, "a", 10)).unwrap().unwrap();
        assert!(now(bus.next(GROUP, "b", 10)).unwrap().is_none());
        clock.set(clock.now() + LEASE);
        now(now(bus.next(GROUP, "b", 10)).unwrap().unwrap().commit()).unwrap();
        assert!(now(silent.commit()).is_err());
    }
}
