//! Two clocks: the machine's own, and one that stands still until it is set.

use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use core::task::Poll;
use core::time::Duration;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::port::Clock;
use crate::time::Timestamp;

/// The machine's clock. It needs no runtime: one helper thread wakes all sleepers.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

#[async_trait]
impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this adapter is where the time of day comes from")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH + since
    }

    async fn sleep(&self, duration: Duration) {
        futures_timer::Delay::new(duration).await;
    }
}

/// A clock for tests: it moves when it is told to, and whoever sleeps moves it and goes on at once, after letting other
/// tasks run.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that shows this instant.
    pub fn new(at: Timestamp) -> Self {
        Self { micros: AtomicI64::new(at.as_micros()) }
    }

    /// Sets it, forward or back.
    pub fn set(&self, at: Timestamp) {
        self.micros.store(at.as_micros(), Ordering::SeqCst);
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// Shows 2026-11-23T18:00:00Z, an evening in Cairo.
    fn default() -> Self {
        Self::new(Timestamp::from_seconds(1_795_456_800))
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        let yielded = AtomicBool::new(false);
        poll_fn(|context| {
            if yielded.swap(true, Ordering::Relaxed) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_an_evening_in_cairo() {
        assert_eq!(ManualClock::default().now(), Timestamp::parse("2026-11-23T18:00:00Z").unwrap());
        assert_eq!(ManualClock::default().now().in_cairo().hour, 20);
    }
}
