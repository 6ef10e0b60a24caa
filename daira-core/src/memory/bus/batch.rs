//! A batch of events with the unit that their effects join.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::delivered;
use crate::error::{Error, ErrorKind, Result};
use crate::memory::store::{Letter, Logged, MemoryUnit, Position, World};
use crate::port::{Delivered, EventBatch, Group, Savepoint, UnitOfWork};
use crate::time::Timestamp;

/// See the [module](self).
pub(crate) struct MemoryBatch {
    unit: MemoryUnit,
    group: Group,
    /// The lanes it covers and the epochs it holds them under.
    epochs: BTreeMap<i16, u64>,
    events: Vec<Delivered>,
    points: u32,
    point: Option<World>,
    now: Timestamp,
}

impl MemoryBatch {
    /// Takes what is due: the lanes move up to `through`, events leave the letters that they come from, and what cannot be
    /// read becomes a letter.
    pub(crate) fn open(
        mut unit: MemoryUnit,
        group: Group,
        epochs: BTreeMap<i16, u64>,
        through: i64,
        due: &[(Logged, u16)],
        now: Timestamp,
    ) -> Result<Self> {
        let world = unit.change();
        for lane in epochs.keys() {
            world
                .positions
                .put(Position { group: group.name.to_owned(), lane: *lane, event: through }, "bus.position")?;
        }
        let mut events = Vec::with_capacity(due.len());
        let mut unread = Vec::new();
        for (event, attempts) in due {
            unit.change().letters.remove(&(group.name.to_owned(), event.id));
            match delivered(event, *attempts) {
                Ok(event) => events.push(event),
                Err(error) => unread.push((event, attempts + 1, error.to_string())),
            }
        }
        let mut batch = Self { unit, group, epochs, events, points: 0, point: None, now };
        for (event, attempts, reason) in unread {
            batch.put_letter(event.id, event.key, attempts, &reason, false)?;
        }
        Ok(batch)
    }

    fn put_letter(&mut self, event: i64, key: i64, attempts: u16, reason: &str, parked: bool) -> Result<()> {
        let (group, reason) = (self.group.name.to_owned(), reason.to_owned());
        let letter = Letter { group, event, key, reason, parked, attempts, at: self.now };
        self.unit.change().letters.put(letter, "bus.bury").map(drop)
    }
}

#[async_trait]
impl EventBatch for MemoryBatch {
    fn events(&self) -> &[Delivered] {
        &self.events
    }

    fn unit(&mut self) -> &mut dyn UnitOfWork {
        &mut self.unit
    }

    async fn savepoint(&mut self) -> Result<Savepoint> {
        self.points += 1;
        self.point = Some(self.unit.world.clone());
        Ok(Savepoint(self.points))
    }

    async fn rollback_to(&mut self, point: Savepoint) -> Result<()> {
        match self.point.clone().filter(|_| point.0 == self.points) {
            Some(world) => {
                *self.unit.change() = world;
                Ok(())
            }
            None => Err(Error::new(ErrorKind::Internal, "bus.savepoint")),
        }
    }

    async fn bury(&mut self, event: i64, attempts: u16, reason: &str, parked: bool) -> Result<()> {
        let key = self.events.iter().find(|e| e.envelope.id == event).map(|e| e.envelope.key);
        let key = key.ok_or_else(|| Error::new(ErrorKind::Internal, "bus.bury"))?;
        self.put_letter(event, key, attempts, reason, parked)
    }

    async fn parked_keys(&mut self) -> Result<Vec<i64>> {
        let dead = self.unit.world.dead_keys(self.group.name);
        let mut keys: Vec<i64> = self.events.iter().map(|e| e.envelope.key).filter(|key| dead.contains(key)).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let Self { unit, group, epochs, .. } = *self;
        unit.commit_if(|state| {
            let holds = |(lane, epoch): (&i16, &u64)| {
                state.leases.get(&(group.name.to_owned(), *lane)).is_some_and(|lease| lease.epoch == *epoch)
            };
            if epochs.iter().all(holds) { Ok(()) } else { Err(Error::new(ErrorKind::Serialization, "bus.lease_lost")) }
        })
    }
}
