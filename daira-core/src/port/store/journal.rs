//! What happened: the event log, the idempotency keys and the audit trail, written with the effect they speak of.

use async_trait::async_trait;

use crate::error::Result;
use crate::event::Event;
use crate::idempotency::{Claim, Keyed};
use crate::time::Timestamp;

/// One line of the audit trail: ids and codes only, never personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// What was done, `module.verb`.
    pub action: &'static str,
    /// Raw id of what it was done to.
    pub subject: i64,
    /// Further codes, such as a reason or the new state.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// Writes what happened, in the unit of its effect.
#[async_trait]
pub trait Journal: Send {
    /// Appends events to the log, in order. Call it after the aggregate's row is locked or inserted.
    async fn append(&mut self, events: &[Event]) -> Result<()>;
    /// Tries to take an idempotency key for the actor; held until the unit ends.
    async fn claim(&mut self, keyed: &Keyed) -> Result<Claim>;
    /// Stores the result of a claimed key, at most [`MAX_RESULT`](crate::idempotency::MAX_RESULT) bytes.
    async fn remember(&mut self, keyed: &Keyed, result: &[u8]) -> Result<()>;
    /// Adds a line to the audit trail, in the actor's name.
    async fn audit(&mut self, record: &AuditRecord) -> Result<()>;
}
