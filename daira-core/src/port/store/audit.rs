//! The audit trail as a chain: what is sealed, what is not, and what is let go. Lines are written by the
//! [`Journal`](super::Journal), in the unit of their effect.

use async_trait::async_trait;

use crate::error::Result;
use crate::record::{AuditLine, Month, Seal};
use crate::time::Timestamp;

/// Keeps seals. For the platform's own actors only; nobody changes or removes a line or a seal.
#[async_trait]
pub trait AuditRepository: Send {
    /// The last seal; who asks is the only one to seal until the unit ends.
    async fn last_seal(&mut self) -> Result<Option<Seal>>;
    /// The last line under any seal that was made before an instant: none at or before it comes any more. Zero when there
    /// is none.
    async fn settled(&mut self, before: Timestamp) -> Result<i64>;
    /// Lines of a month after `settled` that no seal covers, by number, at most `limit`.
    async fn unsealed(&mut self, month: Month, settled: i64, limit: u32) -> Result<Vec<AuditLine>>;
    /// How many lines of a month after `settled` no seal covers.
    async fn count_waiting(&mut self, month: Month, settled: i64) -> Result<u64>;
    /// Lines of a month up to `settled` that no seal covers, by number, at most `limit`.
    async fn strays(&mut self, month: Month, settled: i64, limit: u32) -> Result<Vec<i64>>;
    /// Adds a seal.
    async fn append_seal(&mut self, seal: &Seal) -> Result<()>;
    /// Seals after a number, in order, at most `limit`.
    async fn seals(&mut self, after: i64, limit: u32) -> Result<Vec<Seal>>;
    /// The lines under a seal that are there, by number.
    async fn lines_of(&mut self, seal: &Seal) -> Result<Vec<AuditLine>>;
    /// Months that there is something of, from the oldest on.
    async fn months(&mut self) -> Result<Vec<Month>>;
    /// How many lines of a month are there.
    async fn count_lines(&mut self, month: Month) -> Result<u64>;
    /// How many lines of a month are under seals.
    async fn count_sealed(&mut self, month: Month) -> Result<u64>;
    /// Whether a seal says that a month was let go.
    async fn is_let_go(&mut self, month: Month) -> Result<bool>;
    /// Removes the lines of a month that a seal says is let go; `false` when it cannot be had without waiting, or when no
    /// seal says so.
    async fn drop_month(&mut self, month: Month) -> Result<bool>;
}
