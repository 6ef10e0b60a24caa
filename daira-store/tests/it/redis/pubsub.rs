//! What nodes tell each other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daira_core::port::{Heard, PubSub, Subscription, Topic};
use daira_core::testkit::pubsub::Nodes;
use daira_store::redis::{Redis, RedisPubSub};
use tokio::task::JoinSet;

use super::{CLUSTER, ONE, SENTINEL, UPSET, connect, prefix};
use crate::wire::{Wire, variable};

/// Nodes, and what looks after their connections.
pub(crate) struct Attended {
    _tasks: JoinSet<()>,
}

async fn two_nodes(name: &str) -> (Nodes, Attended) {
    let (address, prefix) = (variable(name), prefix());
    let mut tasks = JoinSet::new();
    let mut node = async || attended(connect(&address, &prefix).await, &mut tasks);
    let nodes = Nodes { one: node().await, other: node().await };
    (nodes, Attended { _tasks: tasks })
}

fn attended(redis: Redis, tasks: &mut JoinSet<()>) -> Arc<RedisPubSub> {
    let pubsub = Arc::new(RedisPubSub::new(redis));
    let attendant = pubsub.clone();
    tasks.spawn(async move { attendant.attend().await });
    pubsub
}

mod one {
    use super::*;
    async fn setup() -> (Nodes, (Attended, tokio::sync::RwLockReadGuard<'static, ()>)) {
        let shared = UPSET.read().await;
        let (nodes, attended) = two_nodes(ONE).await;
        (nodes, (attended, shared))
    }
    daira_core::pubsub_kit!(redis_pubsub, setup().await);
}

mod sentinel {
    use super::*;
    async fn setup() -> (Nodes, (Attended, tokio::sync::RwLockReadGuard<'static, ()>)) {
        let shared = UPSET.read().await;
        let (nodes, attended) = two_nodes(SENTINEL).await;
        (nodes, (attended, shared))
    }
    daira_core::pubsub_kit!(sentinel_pubsub, setup().await);
}

daira_core::pubsub_kit!(cluster_pubsub, two_nodes(CLUSTER).await);

/// Until a message is heard that somebody keeps telling; says whether a gap came before it.
async fn heard_again(listener: &mut Box<dyn Subscription>, speaker: &RedisPubSub) -> bool {
    let mut gap = false;
    for _ in 0..200 {
        // Whoever speaks may be cut off as well.
        let _ = speaker.publish(&[(Topic::Sessions, Bytes::from_static(b"again"))]).await;
        match listener.next(Duration::from_millis(100)).await {
            Heard::Message(_) => return gap,
            Heard::Gap => gap = true,
            Heard::Silence => {}
        }
    }
    panic!("nothing is heard any more");
}

/// The wire of a listener is cut, falls silent, and is whole again: it is told that it may have missed something, and hears.
#[tokio::test]
async fn a_lost_wire_is_a_gap_and_then_goes_on() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    let prefix = prefix();
    let mut tasks = JoinSet::new();
    let listening = attended(connect(&format!("redis://{}", wire.address), &prefix).await, &mut tasks);
    let speaking = attended(connect(&variable(ONE), &prefix).await, &mut tasks);
    let mut listener = listening.subscribe(Topic::Sessions).await;
    heard_again(&mut listener, &speaking).await;

    wire.set_whole(false).await;
    assert!(matches!(gap(&mut listener).await, Heard::Gap), "a cut is noticed");
    wire.set_whole(true).await;
    heard_again(&mut listener, &speaking).await;

    wire.fall_silent(true).await;
    assert!(matches!(gap(&mut listener).await, Heard::Gap), "silence is noticed");
    wire.fall_silent(false).await;
    heard_again(&mut listener, &speaking).await;
}

/// What comes instead of messages.
async fn gap(listener: &mut Box<dyn Subscription>) -> Heard {
    loop {
        match listener.next(Duration::from_secs(20)).await {
            Heard::Message(_) => {}
            heard => return heard,
        }
    }
}

/// A node that starts while Redis is away listens all the same, and hears when Redis is there.
#[tokio::test]
async fn a_node_may_listen_first() {
    let _shared = UPSET.read().await;
    let wire = Wire::to(variable(ONE).strip_prefix("redis://").unwrap()).await;
    wire.set_whole(false).await;
    let prefix = prefix();
    let mut tasks = JoinSet::new();
    let early = attended(Redis::at(&format!("redis://{}", wire.address), &prefix).unwrap(), &mut tasks);
    let mut listener = early.subscribe(Topic::Sessions).await;
    assert!(matches!(gap(&mut listener).await, Heard::Gap));
    assert!(early.publish(&[(Topic::Sessions, Bytes::new())]).await.is_err());
    wire.set_whole(true).await;
    let speaking = attended(connect(&variable(ONE), &prefix).await, &mut tasks);
    heard_again(&mut listener, &speaking).await;
}

/// Nothing is asked of Redis any more that nobody listens to.
#[tokio::test]
async fn channels_without_listeners_are_left() {
    let _shared = UPSET.read().await;
    let prefix = prefix();
    let mut tasks = JoinSet::new();
    let node = attended(connect(&variable(ONE), &prefix).await, &mut tasks);
    let listener = node.subscribe(Topic::Sessions).await;
    let client = redis::Client::open(variable(ONE)).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let mut channels = async || {
        let mut ask = redis::cmd("PUBSUB");
        ask.arg("CHANNELS").arg(format!("{prefix}*"));
        ask.query_async::<Vec<String>>(&mut raw).await.unwrap()
    };
    assert_eq!(channels().await, [format!("{prefix}sessions")]);
    drop(listener);
    for _ in 0..100 {
        if channels().await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the channel is still listened to");
}
