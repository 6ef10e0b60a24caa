//! The event log, idempotency keys and the audit trail in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::{AuditLine, KeyName, Logged, StoredKey, actor_name};
use super::world::World;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::idempotency::{Claim, Keyed, LIFETIME, MAX_RESULT};
use crate::port::store::{AuditRecord, Journal};
use crate::time::Timestamp;

impl World {
    /// Forgets keys past their life; answers how many.
    pub(crate) fn expire_keys(&mut self, now: Timestamp) -> usize {
        self.keys.take(usize::MAX, |key| key.at < now - LIFETIME).len()
    }
}

#[async_trait]
impl Journal for MemoryUnit {
    async fn append(&mut self, events: &[Event]) -> Result<()> {
        let at = self.shared.clock.now();
        for event in events {
            // Whoever commits first owns the next number: a unit that lost the race is run again.
            let id = self.world.log.last().map_or(1, |last| last.id + 1);
            let (kind, topic, key) = (event.kind(), event.topic(), event.key());
            self.change().log.insert(Logged { id, kind, topic, key, payload: event.encode(), at }, "event.append")?;
        }
        Ok(())
    }

    async fn claim(&mut self, keyed: &Keyed) -> Result<Claim> {
        let name = KeyName::new(&self.actor, keyed);
        let remembered_from = self.shared.clock.now() - LIFETIME;
        let mut state = self.shared.lock();
        if !self.held.contains(&name) && !state.held.insert(name.clone()) {
            return Ok(Claim::InFlight);
        }
        self.held.insert(name.clone());
        // The newest truth, not this unit's snapshot: the key may have been used since the unit began.
        let claim = match state.world.keys.get(&name).filter(|stored| stored.at >= remembered_from) {
            Some(stored) if stored.request == keyed.request => Claim::Replay(stored.result.clone()),
            Some(_) => Claim::Reused,
            None => Claim::Fresh,
        };
        Ok(claim)
    }

    async fn remember(&mut self, keyed: &Keyed, result: &[u8]) -> Result<()> {
        let name = KeyName::new(&self.actor, keyed);
        if result.len() > MAX_RESULT || !self.held.contains(&name) {
            return Err(Error::new(ErrorKind::Internal, "idempotency.remember"));
        }
        let at = self.shared.clock.now();
        let stored = StoredKey { name, request: keyed.request, result: result.to_vec(), at };
        self.change().keys.put(stored, "idempotency.remember").map(drop)
    }

    async fn audit(&mut self, record: &AuditRecord) -> Result<()> {
        // Numbers are never given again, not even those of months that were let go.
        let sealed = self.world.seals.iter().filter_map(|seal| seal.ids.last()).max().unwrap_or(0);
        let number = self.world.audit.last().map_or(0, |last| last.number).max(sealed) + 1;
        let actor = actor_name(&self.actor);
        self.change().audit.insert(AuditLine { number, actor, record: record.clone() }, "audit.append")
    }
}
