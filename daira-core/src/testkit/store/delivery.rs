//! Deliveries to people outside.

use core::time::Duration;

use super::world;
use crate::account::{Delivery, Due};
use crate::actor::Actor;
use crate::id::{ChallengeId, SessionId};
use crate::port::Ports;
use crate::testkit::fixture::{Fixture, PLATFORM};
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);

async fn put(world: &Fixture, due: Due, at: Timestamp) {
    let mut unit = world.unit(&PLATFORM).await;
    unit.deliveries().put_delivery(due, at).await.unwrap();
    unit.commit().await.unwrap();
}

async fn take(world: &Fixture, now: Timestamp, until: Timestamp, limit: u32) -> Vec<Delivery> {
    let mut unit = world.unit(&PLATFORM).await;
    let taken = unit.deliveries().take_deliveries(now, until, limit).await.unwrap();
    unit.commit().await.unwrap();
    taken
}

/// A delivery is noted once, taken when it is due, counts its tries, is put off, and goes.
pub async fn a_delivery_is_tried_until_it_is_done(ports: &Ports) {
    let world = world(ports);
    let now = world.tick();
    for due in [
        Due::Registration(world.draw::<ChallengeId>()),
        Due::Mailing(world.draw::<ChallengeId>()),
        Due::CopyNotice(world.draw::<SessionId>()),
        Due::DeviceNotice(world.draw::<SessionId>()),
    ] {
        put(&world, due, now).await;
        put(&world, due, now - MINUTE).await;
        assert_eq!(take(&world, now - MINUTE, now, 10).await, [], "what is noted stays as it is");
        let first = Delivery { due, tries: 1, since: now, at: now + MINUTE };
        assert_eq!(take(&world, now, now + MINUTE, 10).await, [first]);
        assert_eq!(take(&world, now, now + MINUTE, 10).await, [], "it is somebody's for now");
        let second = Delivery { tries: 2, at: now + MINUTE * 2, ..first };
        assert_eq!(take(&world, now + MINUTE, now + MINUTE * 2, 10).await, [second], "who took it died");
        let mut unit = world.unit(&PLATFORM).await;
        unit.deliveries().postpone_delivery(due, now + MINUTE * 9).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(take(&world, now + MINUTE * 8, now + MINUTE * 20, 10).await, []);
        assert_eq!(take(&world, now + MINUTE * 9, now + MINUTE * 20, 10).await.len(), 1);
        let mut unit = world.unit(&PLATFORM).await;
        unit.deliveries().delete_delivery(due).await.unwrap();
        unit.deliveries().delete_delivery(due).await.unwrap();
        unit.deliveries().postpone_delivery(due, now).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(take(&world, now + MINUTE * 60, now + MINUTE * 61, 10).await, []);
    }
}

/// What is due longest goes first, and no more than was asked for.
pub async fn deliveries_go_in_the_order_they_are_due(ports: &Ports) {
    let world = world(ports);
    let now = world.tick();
    let due: Vec<Due> = (0..4).map(|_| Due::Mailing(world.draw::<ChallengeId>())).collect();
    for (n, due) in (0..4).zip(&due) {
        put(&world, *due, now - MINUTE * n).await;
    }
    let mut order = Vec::new();
    for expected in [3, 1, 0] {
        let taken = take(&world, now, now + MINUTE, 3).await;
        assert_eq!(taken.len(), expected);
        order.extend(taken.into_iter().map(|delivery| delivery.due));
    }
    assert!(order.iter().eq(due.iter().rev()));
}

/// Two who take at the same time never get the same.
pub async fn a_delivery_is_taken_by_one(ports: &Ports) {
    let world = world(ports);
    let now = world.tick();
    for _ in 0..6 {
        put(&world, Due::Mailing(world.draw::<ChallengeId>()), now).await;
    }
    let takers = (0..3).map(|_| {
        ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move { unit.deliveries().take_deliveries(now, now + MINUTE, 4).await })
        })
    });
    let taken = futures_util::future::join_all(takers).await;
    let mut all: Vec<Due> = taken.into_iter().flat_map(|taken| taken.unwrap()).map(|delivery| delivery.due).collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!((all.len(), count), (6, 6));
}

/// Nobody but the platform notes, takes or removes a delivery.
pub async fn deliveries_are_the_platforms(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let (now, due) = (world.tick(), Due::Mailing(world.draw::<ChallengeId>()));
    put(&world, due, now).await;
    for actor in [mona.actor(), Actor::Anonymous] {
        assert!(world.unit(&actor).await.deliveries().put_delivery(due, now).await.is_err(), "{actor:?}");
        assert!(world.unit(&actor).await.deliveries().take_deliveries(now, now, 1).await.is_err(), "{actor:?}");
        assert!(world.unit(&actor).await.deliveries().postpone_delivery(due, now).await.is_err(), "{actor:?}");
        assert!(world.unit(&actor).await.deliveries().delete_delivery(due).await.is_err(), "{actor:?}");
    }
    assert_eq!(take(&world, now, now + MINUTE, 10).await.len(), 1);
}
