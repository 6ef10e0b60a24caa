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

/// What the next hop said to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It has taken responsibility for it.
    Over,
    /// It never will: there is no use in trying again. Why, for the log: by numbers and names of its own, without the address
    /// and without anything of the message.
    Refused(String),
}

/// A way to reach people: mail today; push later.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Hands the message over. An error is a refusal for now: the same message may be handed over later.
    async fn send(&self, message: &Message) -> Result<Handed>;
}
