//! The kit of [`Clock`].

use core::time::Duration;
use std::sync::Arc;

use futures_util::future::join;

use crate::port::Clock;
use crate::time::Timestamp;

super::kit! { $
    /// Runs the [`clock`](crate::testkit::clock) kit on an adapter: `clock_kit!(name, clock)`.
    clock_kit, "clock", single {
        clock: time_does_not_run_back, sleeping_takes_its_time, sleepers_do_not_hold_each_other_up;
    }
}

/// Two looks in a row never go back, and lie in an age that ids can name.
pub async fn time_does_not_run_back(clock: &Arc<dyn Clock>) {
    let mut last = Timestamp::parse("2025-01-01T00:00:00Z").unwrap();
    for _ in 0..1_000 {
        let now = clock.now();
        assert!(now >= last);
        last = now;
    }
    assert!(last < Timestamp::parse("2090-01-01T00:00:00Z").unwrap());
}

/// Whoever slept wakes no earlier than they wished.
pub async fn sleeping_takes_its_time(clock: &Arc<dyn Clock>) {
    for ms in [0, 1, 30] {
        let (before, wish) = (clock.now(), Duration::from_millis(ms));
        clock.sleep(wish).await;
        // The clock on the wall may be set while somebody sleeps; a millisecond is no lie.
        assert!(clock.now().since(before) + Duration::from_millis(1) >= wish);
    }
}

/// A long sleep keeps nobody else from waking.
pub async fn sleepers_do_not_hold_each_other_up(clock: &Arc<dyn Clock>) {
    let before = clock.now();
    join(clock.sleep(Duration::from_millis(60)), clock.sleep(Duration::from_millis(60))).await;
    assert!(clock.now().since(before) < Duration::from_secs(30));
}
