//! The kit of [`PubSub`].

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::id::{Id, ProfileId};
use crate::port::{Heard, MAX_SIGNAL, PubSub, Subscription, Topic};

super::kit! { $
    /// Runs the [`pubsub`](crate::testkit::pubsub) kit on an adapter: `pubsub_kit!(name, nodes)`.
    pubsub_kit, "pubsub", single {
        pubsub: what_is_told_is_heard_by_all, topics_are_apart, bytes_arrive_as_they_were_in_order,
            nobody_hears_what_was_before, nodes_hear_each_other, a_slow_listener_is_told_of_the_gap,
            patience_ends_in_silence, whoever_left_is_no_hindrance, too_much_is_refused, many_topics_at_once;
    }
}

/// How long a case waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a case waits for what must not come.
const SHORT: Duration = Duration::from_millis(150);

/// What the kit is run on. Nobody else uses their topics.
#[derive(Clone)]
pub struct Nodes {
    /// The adapter under test.
    pub one: Arc<dyn PubSub>,
    /// The same as another node has it; the same again where there is only one node.
    pub other: Arc<dyn PubSub>,
}

impl core::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Nodes")
    }
}

fn topic(profile: i64) -> Topic {
    Topic::Notifications(ProfileId::from_raw(profile))
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// The next message; gaps that a connection begins with are passed over.
async fn message(listener: &mut Box<dyn Subscription>) -> Bytes {
    loop {
        match listener.next(PATIENCE).await {
            Heard::Message(message) => return message,
            Heard::Gap => {}
            Heard::Silence => panic!("nothing was heard"),
        }
    }
}

/// Nothing but gaps.
async fn is_silent(listener: &mut Box<dyn Subscription>) -> bool {
    loop {
        match listener.next(SHORT).await {
            Heard::Message(_) => return false,
            Heard::Gap => {}
            Heard::Silence => return true,
        }
    }
}

/// Listens when what is told is sure to be heard: some adapters take a moment to be connected.
async fn attentive(nodes: &Nodes, node: &Arc<dyn PubSub>, topic: Topic) -> Box<dyn Subscription> {
    let mut listener = node.subscribe(topic).await;
    for _ in 0..100 {
        nodes.one.publish(&[(topic, text("ready?"))]).await.unwrap();
        match listener.next(SHORT).await {
            Heard::Message(_) => {
                // What else was sent meanwhile.
                while !is_silent(&mut listener).await {}
                return listener;
            }
            Heard::Gap | Heard::Silence => {}
        }
    }
    panic!("nobody can be heard");
}

/// Every listener of a topic hears every message.
pub async fn what_is_told_is_heard_by_all(nodes: &Nodes) {
    let mut first = attentive(nodes, &nodes.one, topic(1)).await;
    let mut second = attentive(nodes, &nodes.one, topic(1)).await;
    while !is_silent(&mut first).await {}
    nodes.one.publish(&[(topic(1), text("أهلا"))]).await.unwrap();
    assert_eq!(message(&mut first).await, text("أهلا"));
    assert_eq!(message(&mut second).await, text("أهلا"));
    assert!(is_silent(&mut first).await && is_silent(&mut second).await, "a message was heard twice");
}

/// Nobody hears what is about something else.
pub async fn topics_are_apart(nodes: &Nodes) {
    let mut mona = attentive(nodes, &nodes.one, topic(1)).await;
    let mut sessions = attentive(nodes, &nodes.one, Topic::Sessions).await;
    nodes.one.publish(&[(topic(2), text("to Ali"))]).await.unwrap();
    assert!(is_silent(&mut mona).await && is_silent(&mut sessions).await);
    nodes.one.publish(&[(Topic::Sessions, text("s")), (topic(1), text("m"))]).await.unwrap();
    assert_eq!((message(&mut mona).await, message(&mut sessions).await), (text("m"), text("s")));
}

/// Empty, every byte, and the largest; in the order they were told.
pub async fn bytes_arrive_as_they_were_in_order(nodes: &Nodes) {
    let mut listener = attentive(nodes, &nodes.one, topic(1)).await;
    let told = [Bytes::new(), (0..=255).collect(), vec![0; MAX_SIGNAL].into(), text("'; drop --\\ \n\r")];
    for message in &told {
        nodes.one.publish(&[(topic(1), message.clone())]).await.unwrap();
    }
    for expected in &told {
        assert_eq!(&message(&mut listener).await, expected);
    }
    let many: Vec<_> = (0..20_u8).map(|n| (topic(1), Bytes::from(vec![n]))).collect();
    nodes.one.publish(&many).await.unwrap();
    for (_, expected) in &many {
        assert_eq!(&message(&mut listener).await, expected);
    }
}

/// Messages are not kept for those who come later.
pub async fn nobody_hears_what_was_before(nodes: &Nodes) {
    let mut early = attentive(nodes, &nodes.one, topic(1)).await;
    nodes.one.publish(&[(topic(1), text("before"))]).await.unwrap();
    assert_eq!(message(&mut early).await, text("before"));
    let mut late = nodes.one.subscribe(topic(1)).await;
    assert!(is_silent(&mut late).await);
}

/// What one node tells is heard on the other, both ways.
pub async fn nodes_hear_each_other(nodes: &Nodes) {
    let mut here = attentive(nodes, &nodes.one, topic(1)).await;
    let mut there = attentive(nodes, &nodes.other, topic(1)).await;
    while !is_silent(&mut here).await {}
    nodes.one.publish(&[(topic(1), text("hence"))]).await.unwrap();
    assert_eq!((message(&mut here).await, message(&mut there).await), (text("hence"), text("hence")));
    nodes.other.publish(&[(topic(1), text("thence"))]).await.unwrap();
    assert_eq!((message(&mut here).await, message(&mut there).await), (text("thence"), text("thence")));
}

/// Memory is bounded: a listener that does not listen loses messages and is told so, and hears what comes after.
pub async fn a_slow_listener_is_told_of_the_gap(nodes: &Nodes) {
    let mut slow = attentive(nodes, &nodes.one, topic(1)).await;
    let mut quick = attentive(nodes, &nodes.one, topic(2)).await;
    for _ in 0..10 {
        let flood: Vec<_> = (0..100_u8).map(|n| (topic(1), Bytes::from(vec![n]))).collect();
        nodes.one.publish(&flood).await.unwrap();
    }
    nodes.one.publish(&[(topic(2), text("the end"))]).await.unwrap();
    assert_eq!(message(&mut quick).await, text("the end"), "nobody waits for the slow");
    assert!(matches!(slow.next(PATIENCE).await, Heard::Gap), "the gap is told first");
    let mut heard = 0;
    while !is_silent(&mut slow).await {
        heard += 1;
    }
    assert!(heard <= 200, "{heard} messages were kept");
    nodes.one.publish(&[(topic(1), text("after"))]).await.unwrap();
    assert_eq!(message(&mut slow).await, text("after"));
}

/// Nothing comes, and the listener gets the word.
pub async fn patience_ends_in_silence(nodes: &Nodes) {
    let mut listener = attentive(nodes, &nodes.one, topic(1)).await;
    assert_eq!(listener.next(Duration::from_millis(20)).await, Heard::Silence);
    assert_eq!(listener.next(Duration::ZERO).await, Heard::Silence);
}

/// A listener that went away changes nothing for the others.
pub async fn whoever_left_is_no_hindrance(nodes: &Nodes) {
    let mut stays = attentive(nodes, &nodes.one, topic(1)).await;
    drop(attentive(nodes, &nodes.one, topic(1)).await);
    while !is_silent(&mut stays).await {}
    nodes.one.publish(&[(topic(1), text("still here"))]).await.unwrap();
    assert_eq!(message(&mut stays).await, text("still here"));
}

/// A message has a size that every adapter can carry.
pub async fn too_much_is_refused(nodes: &Nodes) {
    assert!(nodes.one.publish(&[(topic(1), vec![0; MAX_SIGNAL + 1].into())]).await.is_err());
    nodes.one.publish(&[]).await.unwrap();
}

/// Many people on one node, each hearing their own.
pub async fn many_topics_at_once(nodes: &Nodes) {
    let mut last = attentive(nodes, &nodes.other, topic(1_000)).await;
    let mut listeners = join_all((0..200).map(|n| nodes.other.subscribe(topic(n)))).await;
    // The others were asked for after the last, and what is asked for is answered in order.
    drop(attentive(nodes, &nodes.other, topic(1_001)).await);
    let told: Vec<_> = (0..200_i64).map(|n| (topic(n), Bytes::from(n.to_be_bytes().to_vec()))).collect();
    nodes.one.publish(&told).await.unwrap();
    for (listener, (_, expected)) in listeners.iter_mut().zip(&told) {
        assert_eq!(&message(listener).await, expected);
    }
    assert!(is_silent(&mut last).await);
}
