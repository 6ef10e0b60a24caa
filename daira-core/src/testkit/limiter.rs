//! The kit of [`RateLimiter`].

use core::time::Duration;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::id::{AccountId, Id};
use crate::port::{Bucket, Charge, Clock, Quota, RateLimiter, Subject};

super::kit! { $
    /// Runs the [`limiter`](crate::testkit::limiter) kit on an adapter: `limiter_kit!(name, limiters)`.
    limiter_kit, "limiter", single {
        limiter: a_burst_passes_and_the_next_waits, coming_when_told_is_enough,
            uneven_quotas_hold_their_burst, a_refusal_takes_nothing,
            an_edge_of_time_doubles_nothing, limits_and_subjects_are_apart, costs_add_up, more_than_the_whole_is_the_whole,
            the_first_refusal_ends_it, nothing_asked_is_nothing_taken, racing_charges_pass_no_more_than_the_burst,
            two_nodes_count_together;
    }
}

/// What the kit is run on. No bucket of theirs was used before.
#[derive(Clone)]
pub struct Limiters {
    /// The limiter under test.
    pub limiter: Arc<dyn RateLimiter>,
    /// The same limits as another node sees them; the same limiter again where there is only one node.
    pub other: Arc<dyn RateLimiter>,
    /// The clock that they go by, more or less.
    pub clock: Arc<dyn Clock>,
}

impl core::fmt::Debug for Limiters {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Limiters")
    }
}

impl Limiters {
    /// One limiter for one node.
    pub fn alone(limiter: Arc<dyn RateLimiter>, clock: Arc<dyn Clock>) -> Self {
        Self { other: Arc::clone(&limiter), limiter, clock }
    }

    async fn one(&self, charge: Charge) -> Bucket {
        one(self.limiter.as_ref(), charge).await
    }
}

async fn one(limiter: &dyn RateLimiter, charge: Charge) -> Bucket {
    let buckets = limiter.charge(&[charge]).await.unwrap();
    assert_eq!(buckets.len(), 1);
    buckets[0]
}

fn subject(account: i64) -> Subject {
    Subject::Account(AccountId::from_raw(account))
}

fn charge(limit: &'static str, account: i64, quota: Quota, cost: u32) -> Charge {
    Charge { limit, subject: subject(account), quota, cost, strict: true }
}

/// All of a burst may come at once; what comes then is told how long to wait, which is less than the whole period.
pub async fn a_burst_passes_and_the_next_waits(limiters: &Limiters) {
    let ask = charge("burst", 1, Quota::an_hour(5), 1);
    for left in (0..5).rev() {
        let bucket = limiters.one(ask).await;
        assert_eq!((bucket.is_refused(), bucket.remaining(), bucket.quota), (false, left, ask.quota));
        assert!(bucket.full_in <= ask.quota.period());
    }
    let bucket = limiters.one(ask).await;
    assert!(bucket.is_refused() && bucket.remaining() == 0);
    assert!(bucket.wait <= Duration::from_mins(12) && bucket.wait > Duration::from_mins(11), "{:?}", bucket.wait);
}

/// Whoever waits as long as they were told, and no longer, gets what they asked for.
pub async fn coming_when_told_is_enough(limiters: &Limiters) {
    let ask = charge("told", 1, Quota::new(4, Duration::from_secs(2)), 2);
    let mut last = limiters.one(ask).await;
    // However slow the machine: sooner or later asking is faster than the flow.
    for _ in 0..100_000 {
        if last.is_refused() {
            break;
        }
        last = limiters.one(ask).await;
    }
    assert!(last.is_refused() && last.wait <= Duration::from_secs(1), "{:?}", last.wait);
    limiters.clock.sleep(last.wait).await;
    assert!(!limiters.one(ask).await.is_refused());
}

/// All of a burst passes, and what is left is told right, also where the period does not divide by it.
pub async fn uneven_quotas_hold_their_burst(limiters: &Limiters) {
    for (account, burst, hours) in [(1, 7, 1), (2, 13, 24), (3, 3, 1), (4, 11, 7)] {
        let quota = Quota::new(burst, Duration::from_hours(hours));
        for left in (0..burst).rev() {
            let bucket = limiters.one(charge("uneven", account, quota, 1)).await;
            assert_eq!((bucket.is_refused(), bucket.remaining()), (false, left), "{burst} in {hours} hours");
        }
        assert!(limiters.one(charge("uneven", account, quota, 1)).await.is_refused());
    }
}

/// Asking in vain costs nothing: the wait does not grow.
pub async fn a_refusal_takes_nothing(limiters: &Limiters) {
    let ask = charge("vain", 1, Quota::an_hour(1), 1);
    limiters.one(ask).await;
    let first = limiters.one(ask).await;
    for _ in 0..20 {
        let again = limiters.one(ask).await;
        assert!(again.is_refused() && again.wait <= first.wait);
    }
}

/// There is no window whose end gives all of the burst anew: a tenth of the period later about a tenth of it is there.
pub async fn an_edge_of_time_doubles_nothing(limiters: &Limiters) {
    let ask = charge("edge", 1, Quota::new(100, Duration::from_secs(8)), 100);
    limiters.one(ask).await;
    limiters.clock.sleep(Duration::from_millis(800)).await;
    let refused = limiters.one(ask).await;
    assert!(refused.is_refused(), "less than the period has passed");
    assert!((9..100).contains(&refused.remaining()), "{}", refused.remaining());
}

/// One person's use is not another's, and one limit is not another.
pub async fn limits_and_subjects_are_apart(limiters: &Limiters) {
    let quota = Quota::an_hour(1);
    limiters.one(charge("apart", 1, quota, 1)).await;
    assert!(limiters.one(charge("apart", 1, quota, 1)).await.is_refused());
    assert!(!limiters.one(charge("apart", 2, quota, 1)).await.is_refused());
    assert!(!limiters.one(charge("apart.more", 1, quota, 1)).await.is_refused());
    for subject in [
        Subject::Address("203.0.113.1".parse().unwrap()),
        Subject::Address("2001:db8::".parse().unwrap()),
        Subject::Session(crate::id::SessionId::from_raw(1)),
        Subject::Digest([1; 16]),
    ] {
        let ask = Charge { subject, ..charge("apart", 1, quota, 1) };
        assert!(!limiters.one(ask).await.is_refused(), "{subject:?}");
        assert!(limiters.one(ask).await.is_refused(), "{subject:?}");
    }
}

/// What costs more takes more; a request that fits is let in after one that did not.
pub async fn costs_add_up(limiters: &Limiters) {
    let quota = Quota::an_hour(10);
    let ask = |cost| charge("costs", 1, quota, cost);
    assert_eq!(limiters.one(ask(7)).await.remaining(), 3);
    assert!(limiters.one(ask(4)).await.is_refused());
    assert_eq!(limiters.one(ask(3)).await.remaining(), 0);
    assert_eq!(limiters.one(ask(0)).await.remaining(), 0, "what costs nothing always passes");
}

/// What costs more than can ever be there passes when all of it is there.
pub async fn more_than_the_whole_is_the_whole(limiters: &Limiters) {
    let ask = charge("whole", 1, Quota::an_hour(10), u32::MAX);
    assert!(!limiters.one(ask).await.is_refused());
    assert!(limiters.one(charge("whole", 1, ask.quota, 1)).await.is_refused());
}

/// Several are looked at in order: those before the first refusal stay taken, those behind it are not touched.
pub async fn the_first_refusal_ends_it(limiters: &Limiters) {
    let quota = Quota::an_hour(2);
    let [first, narrow, last] = [
        charge("row.first", 1, quota, 1),
        charge("row.narrow", 1, Quota::an_hour(1), 1),
        charge("row.last", 1, quota, 1),
    ];
    let all = [first, narrow, last];
    let passed = limiters.limiter.charge(&all).await.unwrap();
    assert_eq!(passed.iter().map(Bucket::is_refused).collect::<Vec<_>>(), [false, false, false]);
    assert_eq!(passed.iter().map(Bucket::remaining).collect::<Vec<_>>(), [1, 0, 1]);
    let refused = limiters.limiter.charge(&all).await.unwrap();
    assert_eq!(refused.iter().map(Bucket::is_refused).collect::<Vec<_>>(), [false, true]);
    assert!(limiters.one(first).await.is_refused(), "what stood before was taken");
    assert!(!limiters.one(last).await.is_refused(), "what stood behind was not");
}

/// No charge, no answer, no effect.
pub async fn nothing_asked_is_nothing_taken(limiters: &Limiters) {
    assert!(limiters.limiter.charge(&[]).await.unwrap().is_empty());
}

/// However many ask at the same time, on however many nodes, the burst passes and nothing more.
pub async fn racing_charges_pass_no_more_than_the_burst(limiters: &Limiters) {
    let ask = charge("race", 1, Quota::an_hour(20), 1);
    let asks = (0..60).map(|n| {
        let limiter = if n % 2 == 0 { &limiters.limiter } else { &limiters.other };
        one(limiter.as_ref(), ask)
    });
    let passed = join_all(asks).await.iter().filter(|bucket| !bucket.is_refused()).count();
    assert_eq!(passed, 20);
}

/// What one node let in counts on the other.
pub async fn two_nodes_count_together(limiters: &Limiters) {
    let ask = charge("nodes", 1, Quota::an_hour(2), 1);
    assert_eq!(limiters.one(ask).await.remaining(), 1);
    assert_eq!(one(limiters.other.as_ref(), ask).await.remaining(), 0);
    assert!(limiters.one(ask).await.is_refused());
}
