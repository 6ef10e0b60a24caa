//! Idempotency keys: the same request sent twice has one effect and one answer.
//!
//! A key belongs to an actor and an operation and lives for 24 hours. What is stored is the use case's own result
//! (ids and a code, at most 512 bytes), in the transaction of its effect; the transport renders it anew under today's
//! policy. Refusals roll back and are not stored. See [`Ports::transact_once`](crate::port::Ports::transact_once).

use core::time::Duration;

use sha2::{Digest, Sha256};

use crate::error::{CommonRefusal, Result};

/// How long a key is remembered.
pub const LIFETIME: Duration = Duration::from_hours(24);

/// The largest result that is stored, in bytes.
pub const MAX_RESULT: usize = 512;

/// A client's key: 1 to 128 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a client's key.
    ///
    /// # Errors
    /// [`CommonRefusal::KeyInvalid`].
    pub fn new(key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() || key.len() > 128 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(crate::Error::from(CommonRefusal::KeyInvalid).on_field("idempotencyKey"));
        }
        Ok(Self(key))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A keyed request: which operation, under which key, with which content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Keyed {
    /// The operation's stable name, for instance `post.create`.
    pub operation: &'static str,
    /// The client's key.
    pub key: IdempotencyKey,
    /// SHA-256 of the request's content: another content under the same key is refused.
    pub request: [u8; 32],
}

impl Keyed {
    /// Binds a key to an operation and the request's content, given as its serialised form.
    pub fn new(operation: &'static str, key: IdempotencyKey, request: &impl serde::Serialize) -> Self {
        // Inputs are plain data; one that cannot be serialised would hash like an empty request, never panic.
        let bytes = serde_json::to_vec(request).unwrap_or_default();
        Self { operation, key, request: Sha256::digest(&bytes).into() }
    }
}

/// What the journal answers to a keyed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// First time: do it, then remember the result.
    Fresh,
    /// Done before, with this stored result.
    Replay(Vec<u8>),
    /// The same key is being worked on right now.
    InFlight,
    /// The same key came with another request.
    Reused,
}
