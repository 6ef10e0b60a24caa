//! The kit of [`Presence`].

use core::time::Duration;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::id::{Id, ProfileId};
use crate::port::{Clock, Node, Presence};

super::kit! { $
    /// Runs the [`presence`](crate::testkit::presence) kit on an adapter: `presence_kit!(name, rooms)`.
    presence_kit, "presence", single {
        presence: whoever_is_said_is_there_until_they_leave, who_left_one_node_may_be_on_another,
            a_node_that_died_is_forgotten, the_last_word_counts, many_are_asked_for_at_once, nodes_do_not_hinder_each_other,
            nobody_at_all;
    }
}

/// How long what is to stay holds.
const LONG: Duration = Duration::from_hours(1);
/// How long what is to end holds.
const SHORT: Duration = Duration::from_millis(300);
const HERE: Node = Node([1; 8]);
const THERE: Node = Node([2; 8]);

/// What the kit is run on. Nobody else is there.
#[derive(Clone)]
pub struct Rooms {
    /// The adapter under test.
    pub one: Arc<dyn Presence>,
    /// The same as another node has it; the same again where there is only one node.
    pub other: Arc<dyn Presence>,
    /// A clock by which beats end.
    pub clock: Arc<dyn Clock>,
}

impl core::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rooms")
    }
}

fn who<const N: usize>(profiles: [i64; N]) -> Vec<ProfileId> {
    profiles.into_iter().map(ProfileId::from_raw).collect()
}

/// Waits until somebody is gone.
async fn gone(rooms: &Rooms, profile: i64) {
    for _ in 0..100 {
        if rooms.other.present(&who([profile])).await.is_empty() {
            return;
        }
        rooms.clock.sleep(Duration::from_millis(50)).await;
    }
    panic!("a beat never ends");
}

/// Whoever is said to be there is there, for all nodes, until they leave.
pub async fn whoever_is_said_is_there_until_they_leave(rooms: &Rooms) {
    rooms.one.beat(HERE, &who([1, 2]), LONG).await;
    assert_eq!(rooms.one.present(&who([3, 2, 1])).await, who([1, 2]));
    assert_eq!(rooms.other.present(&who([1])).await, who([1]));
    rooms.one.leave(HERE, &who([1])).await;
    assert_eq!(rooms.other.present(&who([1, 2])).await, who([2]));
}

/// Whoever is on two nodes is there until they left both.
pub async fn who_left_one_node_may_be_on_another(rooms: &Rooms) {
    rooms.one.beat(HERE, &who([1]), LONG).await;
    rooms.other.beat(THERE, &who([1]), LONG).await;
    rooms.one.leave(HERE, &who([1])).await;
    rooms.one.leave(HERE, &who([1])).await;
    assert_eq!(rooms.one.present(&who([1])).await, who([1]));
    rooms.other.leave(THERE, &who([1])).await;
    assert!(rooms.one.present(&who([1])).await.is_empty());
}

/// A node that says nothing any more has nobody when its last word has ended; those on other nodes stay.
pub async fn a_node_that_died_is_forgotten(rooms: &Rooms) {
    rooms.one.beat(HERE, &who([1, 2]), SHORT).await;
    rooms.other.beat(THERE, &who([2]), LONG).await;
    gone(rooms, 1).await;
    assert_eq!(rooms.one.present(&who([1, 2])).await, who([2]));
    rooms.other.leave(THERE, &who([2])).await;
    assert!(rooms.one.present(&who([1, 2])).await.is_empty(), "the dead node's word has ended as well");
}

/// A beat begins anew, for longer or for shorter than the one before it; a node that ends later does not keep another one's.
pub async fn the_last_word_counts(rooms: &Rooms) {
    rooms.one.beat(HERE, &who([1, 2]), SHORT).await;
    rooms.one.beat(HERE, &who([2]), LONG).await;
    rooms.one.beat(HERE, &who([3]), LONG).await;
    rooms.one.beat(HERE, &who([3]), SHORT).await;
    rooms.one.beat(THERE, &who([3]), LONG).await;
    rooms.one.leave(THERE, &who([3])).await;
    gone(rooms, 1).await;
    gone(rooms, 3).await;
    assert_eq!(rooms.one.present(&who([1, 2, 3])).await, who([2]));
}

/// As many as a page shows, some of them twice.
pub async fn many_are_asked_for_at_once(rooms: &Rooms) {
    let all: Vec<ProfileId> = (0..600).map(ProfileId::from_raw).collect();
    let even: Vec<ProfileId> = all.iter().copied().step_by(2).collect();
    rooms.one.beat(HERE, &even, LONG).await;
    let asked: Vec<ProfileId> = all.iter().rev().chain(&all).copied().collect();
    assert_eq!(rooms.other.present(&asked).await, even);
    rooms.one.leave(HERE, &all).await;
    assert!(rooms.other.present(&asked).await.is_empty());
}

/// Many nodes say and leave at once.
pub async fn nodes_do_not_hinder_each_other(rooms: &Rooms) {
    let node = |n: u8| async move {
        let room = if n.is_multiple_of(2) { &rooms.one } else { &rooms.other };
        room.beat(Node([n; 8]), &who([1, 2]), LONG).await;
        room.leave(Node([n; 8]), &who([2])).await;
    };
    join_all((0..30).map(node)).await;
    assert_eq!(rooms.one.present(&who([1, 2])).await, who([1]));
    let last = who([1]);
    join_all((0..30).map(|n| rooms.one.leave(Node([n; 8]), &last))).await;
    assert!(rooms.other.present(&who([1, 2])).await.is_empty());
}

/// Nobody is said, asked for or leaves.
pub async fn nobody_at_all(rooms: &Rooms) {
    rooms.one.beat(HERE, &[], LONG).await;
    rooms.one.leave(HERE, &[]).await;
    rooms.one.leave(HERE, &who([9])).await;
    assert!(rooms.one.present(&[]).await.is_empty() && rooms.one.present(&who([9])).await.is_empty());
}
