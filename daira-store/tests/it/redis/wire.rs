//! A wire to Redis that is cut, slow, and whole again.

use std::sync::Arc;
use std::time::Duration;

use super::{ONE, UPSET, connect, prefix};
use crate::wire::{Wire, variable};
use daira_core::error::ErrorKind;
use daira_core::id::{AccountId, Id};
use daira_core::memory::{FallbackLimiter, WallClock};
use daira_core::port::{Charge, Clock, Quota, RateLimiter, Subject};
use daira_store::redis::{Redis, RedisLimiter};

fn charge(limit: &'static str, strict: bool) -> Charge {
    Charge { limit, subject: Subject::Account(AccountId::from_raw(1)), quota: Quota::an_hour(2), cost: 1, strict }
}

/// A limiter over the wire, as programs have it.
async fn over(wire: &Wire) -> FallbackLimiter {
    let redis = connect(&format!("redis://{}", wire.address), &prefix()).await;
    FallbackLimiter::new(Arc::new(RedisLimiter::new(redis)), Arc::new(WallClock))
}

#[tokio::test]
async fn security_78_a_cut_wire_leaves_local_limits_and_no_tries_of_passwords() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    let limiter = over(&wire).await;
    assert!(!limiter.charge(&[charge("log_in", true)]).await.unwrap()[0].is_refused());
    wire.set_whole(false).await;
    let mut refused = Vec::new();
    for _ in 0..3 {
        refused.push(limiter.charge(&[charge("door", false)]).await.unwrap()[0].is_refused());
    }
    assert_eq!(refused, [false, false, true], "this node counts for itself");
    let strict = limiter.charge(&[charge("log_in", true)]).await.unwrap_err();
    assert_eq!(strict.kind(), ErrorKind::Unavailable);

    wire.set_whole(true).await;
    let again = async || match limiter.charge(&[charge("log_in", true)]).await {
        Ok(buckets) => Some(buckets[0].remaining()),
        Err(_) => None,
    };
    let mut left = None;
    for _ in 0..100 {
        left = again().await;
        if left.is_some() {
            break;
        }
        WallClock.sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left, Some(0), "what was counted before is remembered");
}

#[tokio::test]
async fn a_slow_wire_is_given_up() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    let limiter = over(&wire).await;
    wire.slow_down(Duration::from_mins(30)).await;
    // Whoever waited for the wire would be here for half an hour.
    for _ in 0..5 {
        limiter.charge(&[charge("door", false)]).await.unwrap();
    }
}

/// A server that falls silent and comes back elsewhere under its name: the old connection is given up, not waited for.
#[tokio::test]
async fn a_silent_wire_is_replaced() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    let redis = connect(&format!("redis://{}", wire.address), &prefix()).await;
    let limiter = RedisLimiter::new(redis);
    assert!(limiter.charge(&[charge("x", true)]).await.is_ok());
    wire.fall_silent(true).await;
    assert_eq!(limiter.charge(&[charge("x", true)]).await.unwrap_err().kind(), ErrorKind::Unavailable);
    wire.fall_silent(false).await;
    assert!(limiter.charge(&[charge("x", true)]).await.is_ok(), "on a connection of its own");
}

/// A node starts while Redis is away, and counts with the others when it is there.
#[tokio::test]
async fn a_node_may_start_first() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    wire.set_whole(false).await;
    let redis = Redis::at(&format!("redis://{}", wire.address), &prefix()).unwrap();
    let limiter = FallbackLimiter::new(Arc::new(RedisLimiter::new(redis)), Arc::new(WallClock));
    assert!(limiter.charge(&[charge("log_in", true)]).await.is_err());
    assert!(limiter.charge(&[charge("door", false)]).await.is_ok());
    wire.set_whole(true).await;
    WallClock.sleep(Duration::from_millis(1_100)).await;
    assert!(limiter.charge(&[charge("log_in", true)]).await.is_ok());
}
