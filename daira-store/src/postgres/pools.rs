//! How the pools are, for who measures: connections, and how long somebody waited for one.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a pool is like at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolState {
    /// Whom it is for: `app`, `questions`, `worker` or `replica`.
    pub name: &'static str,
    /// The most connections that it makes.
    pub most: u32,
    /// How many there are.
    pub size: u32,
    /// How many of those nobody uses.
    pub idle: u32,
    /// How long it took to be given a connection, since the store was opened.
    pub waits: Waits,
}

/// Bounds of the classes that waits are counted in; longer ones are in none but the count.
pub const WAIT_BOUNDS: [Duration; 8] = [
    Duration::from_micros(100),
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(10),
];

/// How often and how long somebody waited for a connection, in vain or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Waits {
    /// How often.
    pub count: u64,
    /// How long in all.
    pub sum: Duration,
    /// How many took longer than the bound before, and no longer than the [bound](WAIT_BOUNDS) of that number.
    pub within: [u64; WAIT_BOUNDS.len()],
}

/// Counts waits. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    count: AtomicU64,
    nanos: AtomicU64,
    within: [AtomicU64; WAIT_BOUNDS.len()],
}

impl Waiting {
    /// Somebody waited, in vain or not.
    pub(super) fn waited(&self, time: Duration) {
        // Each number is right by itself; who reads them between two additions sees a wait by halves.
        self.0.count.fetch_add(1, Ordering::Relaxed);
        self.0.nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some((_, class)) = WAIT_BOUNDS.iter().zip(&self.0.within).find(|(bound, _)| time <= **bound) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> Waits {
        Waits {
            count: self.0.count.load(Ordering::Relaxed),
            sum: Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed)),
            within: self.0.within.each_ref().map(|class| class.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fall_into_classes() {
        let waiting = Waiting::default();
        for time in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(2), Duration::from_mins(1)] {
            waiting.waited(time);
        }
        let waits = waiting.read();
        assert_eq!((waits.count, waits.sum), (4, Duration::from_millis(60_003)));
        assert_eq!(waits.within, [1, 1, 1, 0, 0, 0, 0, 0]);
    }
}
