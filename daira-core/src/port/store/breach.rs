//! The log of breaches.

use async_trait::async_trait;

use super::Lock;
use crate::error::Result;
use crate::id::BreachId;
use crate::record::{Breach, BreachNote};
use crate::time::Timestamp;

/// Keeps breaches and what is noted of them. For the platform's own actors only; notes are only added.
#[async_trait]
pub trait BreachRepository: Send {
    /// Adds a breach.
    async fn insert_breach(&mut self, breach: &Breach) -> Result<()>;
    /// A breach.
    async fn breach(&mut self, id: BreachId, lock: Lock) -> Result<Option<Breach>>;
    /// Changes when it was reported and closed.
    async fn update_breach(&mut self, breach: &Breach) -> Result<()>;
    /// All of them, or those that are not closed, in the order in which they became known.
    async fn breaches(&mut self, open_only: bool) -> Result<Vec<Breach>>;
    /// Removes breaches that were closed before an instant, with their notes, at most `limit`; answers how many.
    async fn purge_breaches(&mut self, before: Timestamp, limit: u32) -> Result<u64>;
    /// Adds a note.
    async fn add_breach_note(&mut self, note: &BreachNote) -> Result<()>;
    /// The notes of a breach, oldest first.
    async fn breach_notes(&mut self, id: BreachId) -> Result<Vec<BreachNote>>;
}
