//! The log of breaches in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::{NumberedNote, OF_ACCOUNT};
use crate::error::Result;
use crate::id::{BreachId, Id};
use crate::port::store::{BreachRepository, Lock};
use crate::record::{Breach, BreachNote};
use crate::time::Timestamp;

#[async_trait]
impl BreachRepository for MemoryUnit {
    async fn insert_breach(&mut self, breach: &Breach) -> Result<()> {
        self.platform_only()?;
        self.change().breaches.insert(*breach, "breach.insert")
    }

    async fn breach(&mut self, id: BreachId, _: Lock) -> Result<Option<Breach>> {
        self.platform_only()?;
        Ok(self.world.breaches.get(&id).copied())
    }

    async fn update_breach(&mut self, breach: &Breach) -> Result<()> {
        self.platform_only()?;
        self.change().breaches.put(*breach, "breach.update").map(drop)
    }

    async fn breaches(&mut self, open_only: bool) -> Result<Vec<Breach>> {
        self.platform_only()?;
        let mut all: Vec<Breach> = self.world.breaches.iter().copied().collect();
        all.retain(|breach| !open_only || breach.closed_at.is_none());
        all.sort_by_key(|breach| (breach.known_at, breach.id));
        Ok(all)
    }

    async fn purge_breaches(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        let old = |breach: &Breach| breach.closed_at.is_some_and(|at| at < before);
        let gone = self.change().breaches.take(limit as usize, old);
        for breach in &gone {
            self.change().breach_notes.take_by(OF_ACCOUNT, (breach.id.raw(), 0));
        }
        Ok(gone.len() as u64)
    }

    async fn add_breach_note(&mut self, note: &BreachNote) -> Result<()> {
        self.platform_only()?;
        let number = self.world.breach_notes.count(OF_ACCOUNT, (note.breach.raw(), 0));
        self.change().breach_notes.insert(NumberedNote { number, note: note.clone() }, "breach.note")
    }

    async fn breach_notes(&mut self, id: BreachId) -> Result<Vec<BreachNote>> {
        self.platform_only()?;
        Ok(self.world.breach_notes.by(OF_ACCOUNT, (id.raw(), 0)).map(|note| note.note.clone()).collect())
    }
}
