//! Delivery of messages to people outside the platform.

use async_trait::async_trait;

use crate::error::Result;
use crate::secret::Secret;

/// One message to one address.
#[derive(Debug, Clone)]
pub struct Message {
    /// The address, for mail `name@host`.
    pub to: Secret,
    /// The subject line.
    pub subject: String,
    /// The plain text; it may hold a code and is therefore secret.
    pub text: Secret,
    /// The same message keeps the same key through retries.
    pub key: String,
}

/// A way to reach people: mail today; messages and push later.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Hands the message over; success means the next hop has taken responsibility for it.
    async fn send(&self, message: &Message) -> Result<()>;
}
