//! What nodes keep together, and what becomes of who waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daira_core::error::Result;
use daira_core::memory::{ManualClock, MemoryPubSub, RandomIds, WallClock};
use daira_core::port::{Cache, CacheKey, Cached};
use daira_core::read_through::{Lives, ReadThrough};
use daira_core::testkit::cache::Caches;
use daira_store::redis::{Redis, RedisCache};
use futures_util::future::join_all;

use super::{CLUSTER, ONE, SENTINEL, UPSET, connect, prefix};
use crate::wire::{Wire, variable};

/// Two nodes on the same keys.
async fn two_nodes(name: &str) -> Caches {
    let (address, prefix) = (variable(name), prefix());
    let node = async || {
        let redis = connect(&address, &prefix).await;
        Arc::new(RedisCache::new(redis, Arc::new(WallClock), Arc::new(RandomIds)))
    };
    Caches { one: node().await, other: node().await, clock: Arc::new(WallClock) }
}

daira_core::cache_kit!(redis_cache, (two_nodes(ONE).await, UPSET.read().await));
daira_core::cache_kit!(sentinel_cache, (two_nodes(SENTINEL).await, UPSET.read().await));
daira_core::cache_kit!(cluster_cache, two_nodes(CLUSTER).await);

fn key(id: &str) -> CacheKey {
    CacheKey::new("test", 1, id).unwrap()
}

/// A cache over a wire, on a clock that stands still: what failed is left alone until it is moved.
async fn over(wire: &Wire) -> (Arc<RedisCache>, Arc<ManualClock>) {
    let redis = connect(&format!("redis://{}", wire.address), &prefix()).await;
    let clock = Arc::new(ManualClock::default());
    (Arc::new(RedisCache::new(redis, clock.clone(), Arc::new(RandomIds))), clock)
}

async fn look(cache: &RedisCache, id: &str) -> Cached {
    cache.get(&[key(id)]).await.remove(0)
}

/// Asks the truth for many things at once and over again, through what nodes keep; says how often it was asked.
async fn truth_asked(cache: &Arc<RedisCache>, clock: &Arc<ManualClock>, what: &str) -> usize {
    let far: Arc<dyn Cache> = cache.clone();
    let through = &ReadThrough::new(far, Arc::new(MemoryPubSub::default()), clock.clone(), Arc::new(RandomIds), 1);
    let asked = &Arc::new(AtomicUsize::new(0));
    let ask = |n: usize| async move {
        let lives = Lives { found: Duration::from_mins(5), missing: Duration::from_secs(10) };
        let asked = Arc::clone(asked);
        let load = async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Result::Ok(Some(n.to_string().into()))
        };
        let answer = through.get(&key(&format!("{what}_{n}")), lives, load).await.unwrap();
        assert_eq!(answer, Some(n.to_string().into()), "what is answered never hangs on Redis");
    };
    for _ in 0..3 {
        join_all((0..50).map(ask)).await;
    }
    asked.load(Ordering::SeqCst)
}

/// Until it is asked again, which is a second after it failed.
async fn is_back(cache: &RedisCache, clock: &ManualClock) {
    assert_eq!(look(cache, "back").await, Cached::default(), "it is left alone");
    for _ in 0..20 {
        clock.advance(Duration::from_secs(1));
        if look(cache, "back").await.stamp.is_some() {
            return;
        }
    }
    panic!("it is never asked again");
}

#[tokio::test]
async fn a_cut_wire_is_as_if_nothing_were_kept() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    let (cache, clock) = over(&wire).await;
    assert_eq!(truth_asked(&cache, &clock, "whole").await, 50);
    let kept = look(&cache, "whole_7").await;
    assert!(kept.value.is_some());

    wire.set_whole(false).await;
    assert_eq!(look(&cache, "whole_7").await, Cached::default());
    assert_eq!(truth_asked(&cache, &clock, "whole").await, 150);
    assert!(!cache.put(&key("whole_7"), kept.stamp.unwrap(), "x".into(), Duration::from_secs(9)).await.unwrap());
    cache.forget(&[key("whole_7")]).await;

    wire.set_whole(true).await;
    is_back(&cache, &clock).await;
    assert_eq!(look(&cache, "whole_7").await, kept, "what could not be forgotten is kept until its life is over");
    assert_eq!(truth_asked(&cache, &clock, "whole").await, 0);
}

#[tokio::test]
async fn nobody_waits_for_a_wire_that_is_silent_but_those_who_find_out() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    let (cache, clock) = over(&wire).await;
    assert!(look(&cache, "a").await.stamp.is_some());
    wire.fall_silent(true).await;
    // Each of these would wait by itself if nobody remembered: for half a minute together, and longer with each more.
    assert_eq!(truth_asked(&cache, &clock, "silent").await, 150);
    for n in 0..100 {
        assert_eq!(look(&cache, &n.to_string()).await, Cached::default());
    }
    wire.fall_silent(false).await;
    is_back(&cache, &clock).await;
    assert_eq!(truth_asked(&cache, &clock, "silent").await, 50);
}

/// A cache that is emptied costs asking again and nothing else.
#[tokio::test]
async fn what_is_flushed_is_asked_for_again() {
    let _shared = UPSET.read().await;
    let prefix = prefix();
    let cache =
        Arc::new(RedisCache::new(connect(&variable(ONE), &prefix).await, Arc::new(WallClock), Arc::new(RandomIds)));
    let clock = Arc::new(ManualClock::default());
    assert_eq!(truth_asked(&cache, &clock, "x").await, 50);
    assert_eq!(truth_asked(&cache, &clock, "x").await, 0);
    let client = redis::Client::open(variable(ONE)).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut raw).await.unwrap();
    assert_eq!(keys.len(), 50);
    for key in &keys {
        let life: i64 = redis::cmd("PTTL").arg(key).query_async(&mut raw).await.unwrap();
        assert!((1..=300_000).contains(&life), "{key} lives for {life} ms");
    }
    redis::cmd("DEL").arg(&keys).query_async::<()>(&mut raw).await.unwrap();
    assert_eq!(truth_asked(&cache, &clock, "x").await, 50);
}

/// Whatever else is found under a key is as good as nothing, and is left alone.
#[tokio::test]
async fn what_is_not_ours_is_nothing() {
    let _shared = UPSET.read().await;
    let prefix = prefix();
    let redis = connect(&variable(ONE), &prefix).await;
    let cache = RedisCache::new(redis, Arc::new(WallClock), Arc::new(RandomIds));
    let client = redis::Client::open(variable(ONE)).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let name = format!("{prefix}cache:test:1:{{a}}");
    redis::cmd("SET").arg(&name).arg("short").query_async::<()>(&mut raw).await.unwrap();
    assert_eq!(look(&cache, "a").await, Cached::default());
}

/// A node may start while Redis is away.
#[tokio::test]
async fn nobody_there_is_nothing_kept() {
    for address in ["redis://127.0.0.1:9", "redis+cluster://127.0.0.1:9", "redis+sentinel://127.0.0.1:9/daira"] {
        let redis = Redis::at(address, "t:").unwrap();
        let cache = RedisCache::new(redis, Arc::new(WallClock), Arc::new(RandomIds));
        assert_eq!(cache.get(&[key("a"), key("b")]).await, vec![Cached::default(); 2], "{address}");
        cache.forget(&[key("a")]).await;
    }
}
