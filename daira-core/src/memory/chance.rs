//! Two sources of randomness: the operating system's, and one that a seed determines.

use core::sync::atomic::{AtomicU64, Ordering};

use rand::Rng;

use crate::port::IdSource;
use crate::secret::Key;

/// Unpredictable bytes from the thread's generator, which the operating system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

/// Bytes that a seed determines, for tests that must repeat: HMAC-SHA-256 over a counter. The same in every version.
#[derive(Debug)]
pub struct SeededIds {
    key: Key,
    drawn: AtomicU64,
}

impl SeededIds {
    /// The sequence of this seed, from its beginning.
    pub fn new(seed: u64) -> Self {
        Self { key: Key::new([0; 32]).derive(&format!("seed {seed}")), drawn: AtomicU64::new(0) }
    }
}

impl IdSource for SeededIds {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = self.key.tag(&[&self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes()]);
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
    }
}
