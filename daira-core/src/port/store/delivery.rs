//! Deliveries to people outside the platform.

use async_trait::async_trait;

use crate::account::{Delivery, Due};
use crate::error::Result;
use crate::time::Timestamp;

/// Changes what is to be delivered. For the platform's own actors only.
#[async_trait]
pub trait DeliveryRepository: Send {
    /// Notes that something is due from an instant on; what is noted already stays as it is.
    async fn put_delivery(&mut self, due: Due, at: Timestamp) -> Result<()>;
    /// Takes what is due at `now`, longest due first, at most `limit`: each counts one try more and is not due again before
    /// `until`, so that nobody else takes it meanwhile and what dies with who took it comes back. What somebody else is taking is
    /// left out.
    async fn take_deliveries(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Delivery>>;
    /// Puts a delivery off to an instant.
    async fn postpone_delivery(&mut self, due: Due, at: Timestamp) -> Result<()>;
    /// Removes a delivery that is done, or given up.
    async fn delete_delivery(&mut self, due: Due) -> Result<()>;
}
