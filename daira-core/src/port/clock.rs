//! Time and chance as ports, so that tests can set both.

use core::time::Duration;

use async_trait::async_trait;

use crate::id::{Id, Shard, compose};
use crate::time::Timestamp;

/// The time of day and the passing of time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds.
    fn now(&self) -> Timestamp;
    /// Returns after a while: back-off and pauses go through here.
    async fn sleep(&self, duration: Duration);
}

/// Randomness: the source of ids, shards and secrets.
pub trait IdSource: Send + Sync {
    /// Fills the buffer with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn IdSource {
    /// Unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }

    /// A new id for something that a profile on `shard` owns.
    pub fn draw<I: Id>(&self, at: Timestamp, shard: Shard) -> I {
        I::from_raw(compose(at, shard, u16::from_be_bytes(self.bytes())))
    }

    /// The shard of a new profile.
    pub fn shard(&self) -> Shard {
        Shard::from_random(u16::from_be_bytes(self.bytes()))
    }
}
