//! Limits that nodes count together.

use std::sync::Arc;
use std::time::Duration;

use daira_core::error::ErrorKind;
use daira_core::id::{AccountId, Id};
use daira_core::memory::WallClock;
use daira_core::port::{Charge, Clock, Quota, RateLimiter, Subject};
use daira_core::testkit::limiter::Limiters;
use daira_store::redis::{Redis, RedisLimiter};

use super::{CLUSTER, ONE, SENTINEL, UPSET, connect, prefix};
use crate::wire::variable;

/// Two nodes on the same keys.
async fn two_nodes(name: &str) -> Limiters {
    let (address, prefix) = (variable(name), prefix());
    let node = async || Arc::new(RedisLimiter::new(connect(&address, &prefix).await));
    Limiters { limiter: node().await, other: node().await, clock: Arc::new(WallClock) }
}

daira_core::limiter_kit!(redis_limiter, (two_nodes(ONE).await, UPSET.read().await));
daira_core::limiter_kit!(sentinel_limiter, (two_nodes(SENTINEL).await, UPSET.read().await));
daira_core::limiter_kit!(cluster_limiter, two_nodes(CLUSTER).await);

fn charge(account: i64, quota: Quota) -> Charge {
    Charge { limit: "x", subject: Subject::Account(AccountId::from_raw(account)), quota, cost: 1, strict: true }
}

/// What a script leaves behind lives no longer than its bucket takes to be full.
#[tokio::test]
async fn nothing_is_kept_for_longer_than_it_matters() {
    let prefix = prefix();
    let limiter = RedisLimiter::new(connect(&variable(ONE), &prefix).await);
    limiter.charge(&[charge(1, Quota::new(10, Duration::from_mins(10)))]).await.unwrap();
    let client = redis::Client::open(variable(ONE)).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut raw).await.unwrap();
    let subject = Subject::Account(AccountId::from_raw(1));
    assert_eq!(keys, [format!("{prefix}limit:{{{subject}}}:x")]);
    let life: i64 = redis::cmd("PTTL").arg(&keys[0]).query_async(&mut raw).await.unwrap();
    assert!((1..=60_000).contains(&life), "{life} ms");
}

/// A server that forgot the script is told it again.
#[tokio::test]
async fn a_forgotten_script_is_loaded_again() {
    let _alone = UPSET.write().await;
    let limiter = RedisLimiter::new(connect(&variable(ONE), &prefix()).await);
    let client = redis::Client::open(variable(ONE)).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    for _ in 0..2 {
        redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut raw).await.unwrap();
        assert_eq!(limiter.charge(&[charge(1, Quota::an_hour(5))]).await.unwrap().len(), 1);
    }
}

/// A master that moves is followed.
#[tokio::test]
async fn a_moved_master_is_found() {
    let _alone = UPSET.write().await;
    let address = variable(SENTINEL);
    let limiter = RedisLimiter::new(connect(&address, &prefix()).await);
    limiter.charge(&[charge(1, Quota::an_hour(5))]).await.unwrap();
    let (sentinels, name) = address.strip_prefix("redis+sentinel://").unwrap().split_once('/').unwrap();
    let client = redis::Client::open(format!("redis://{}", sentinels.split(',').next().unwrap())).unwrap();
    let mut sentinel = client.get_multiplexed_async_connection().await.unwrap();
    let mut ask = async |words: &[&str]| {
        let mut command = redis::cmd("SENTINEL");
        command.arg(words);
        command.query_async::<redis::Value>(&mut sentinel).await
    };
    let before = ask(&["get-master-addr-by-name", name]).await.unwrap();
    ask(&["failover", name]).await.unwrap();
    let clock = WallClock;
    let mut after = before.clone();
    for _ in 0..300 {
        after = ask(&["get-master-addr-by-name", name]).await.unwrap();
        if after != before {
            break;
        }
        clock.sleep(Duration::from_millis(100)).await;
    }
    assert_ne!(before, after, "the master did not move");
    let mut last = None;
    for _ in 0..300 {
        last = Some(limiter.charge(&[charge(2, Quota::an_hour(5))]).await);
        if last.as_ref().is_some_and(Result::is_ok) {
            break;
        }
        clock.sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(last.unwrap().unwrap()[0].quota, Quota::an_hour(5));
}

#[tokio::test]
async fn nobody_there_is_told() {
    for address in
        ["redis://127.0.0.1:9", "redis+cluster://127.0.0.1:9", "redis+sentinel://127.0.0.1:9/daira", "nonsense"]
    {
        let Ok(redis) = Redis::at(address, "t:") else {
            assert_eq!(address, "nonsense");
            continue;
        };
        assert_eq!(redis.ready().await.unwrap_err().kind(), ErrorKind::Unavailable, "{address}");
    }
}
