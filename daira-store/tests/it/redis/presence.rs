//! Who is there, for all nodes, and while nobody can say.

use std::sync::Arc;
use std::time::Duration;

use daira_core::id::{Id, ProfileId};
use daira_core::memory::{ManualClock, WallClock};
use daira_core::port::{Node, Presence};
use daira_core::testkit::presence::Rooms;
use daira_store::redis::{Redis, RedisPresence};

use super::{CLUSTER, ONE, SENTINEL, UPSET, connect, prefix};
use crate::wire::{Wire, variable};

/// Two nodes on the same keys.
async fn two_nodes(name: &str) -> Rooms {
    let (address, prefix) = (variable(name), prefix());
    let node = async || Arc::new(RedisPresence::new(connect(&address, &prefix).await, Arc::new(WallClock)));
    Rooms { one: node().await, other: node().await, clock: Arc::new(WallClock) }
}

daira_core::presence_kit!(redis_presence, (two_nodes(ONE).await, UPSET.read().await));
daira_core::presence_kit!(sentinel_presence, (two_nodes(SENTINEL).await, UPSET.read().await));
daira_core::presence_kit!(cluster_presence, two_nodes(CLUSTER).await);

const LONG: Duration = Duration::from_hours(1);
const NODE: Node = Node([1; 8]);

#[tokio::test]
async fn security_118_while_the_wire_is_cut_nobody_is_there_and_nobody_waits() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    // It stands still: what failed is left alone until it is moved.
    let clock = Arc::new(ManualClock::default());
    let redis = connect(&format!("redis://{}", wire.address), &prefix()).await;
    let presence = RedisPresence::new(redis, clock.clone());
    let mona = [ProfileId::from_raw(1)];
    let back = async || {
        for _ in 0..20 {
            clock.advance(Duration::from_secs(1));
            if presence.present(&mona).await == mona {
                return;
            }
        }
        panic!("nobody ever comes back");
    };
    presence.beat(NODE, &mona, LONG).await;
    assert_eq!(presence.present(&mona).await, mona);

    wire.set_whole(false).await;
    assert!(presence.present(&mona).await.is_empty());
    presence.beat(NODE, &mona, LONG).await;
    presence.leave(NODE, &mona).await;
    wire.set_whole(true).await;
    assert!(presence.present(&mona).await.is_empty(), "it is left alone for a while");
    back().await;

    wire.fall_silent(true).await;
    // Each of these would wait by itself if nobody remembered.
    for _ in 0..100 {
        assert!(presence.present(&mona).await.is_empty());
    }
    wire.fall_silent(false).await;
    back().await;
}

/// What is kept of somebody goes by itself when the last word about them has ended.
#[tokio::test]
async fn nothing_is_kept_of_who_is_gone() {
    let _shared = UPSET.read().await;
    let prefix = prefix();
    let presence = RedisPresence::new(connect(&variable(ONE), &prefix).await, Arc::new(WallClock));
    let [mona, karim] = [1, 2].map(ProfileId::from_raw);
    presence.beat(NODE, &[mona, karim], Duration::from_secs(45)).await;
    presence.beat(Node([2; 8]), &[mona], Duration::from_secs(5)).await;
    presence.leave(NODE, &[karim]).await;
    let client = redis::Client::open(variable(ONE)).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut raw).await.unwrap();
    assert_eq!(keys, [format!("{prefix}presence:{{{mona}}}")]);
    let life: i64 = redis::cmd("PTTL").arg(&keys[0]).query_async(&mut raw).await.unwrap();
    assert!((5_001..=45_000).contains(&life), "{life} ms");
}

#[tokio::test]
async fn nobody_there_is_nobody_present() {
    for address in ["redis://127.0.0.1:9", "redis+cluster://127.0.0.1:9", "redis+sentinel://127.0.0.1:9/daira"] {
        let presence = RedisPresence::new(Redis::at(address, "t:").unwrap(), Arc::new(WallClock));
        let mona = [ProfileId::from_raw(1)];
        presence.beat(NODE, &mona, LONG).await;
        assert!(presence.present(&mona).await.is_empty(), "{address}");
        presence.leave(NODE, &mona).await;
    }
}
