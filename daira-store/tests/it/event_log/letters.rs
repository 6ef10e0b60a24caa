//! What cannot be delivered: poison, the events that wait behind it, the way back, and how far behind a group is.

use std::collections::BTreeMap;
use std::time::Duration;

use daira_core::actor::Actor;
use daira_core::error::ErrorKind;
use daira_core::event::{Event, lane};
use daira_core::port::{EventBus, Maintenance};
use daira_store::postgres::PgMaintenance;
use daira_store::postgres::testing::Server;
use sqlx::Connection as _;
use tokio::time::sleep;

use super::{GROUP, World, append, effect, in_order, next, read};

async fn poison_is_buried_its_key_waits_and_comes_back(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    append(&mut app, 1, 0).await;
    append(&mut app, 2, 0).await;
    append(&mut app, 1, 1).await;
    let mut seen = 0;
    while seen < 3 {
        let mut batch = next(&world.bus, "a", 10).await;
        let parked = batch.parked_keys().await.unwrap();
        for event in batch.events().to_vec() {
            seen += 1;
            if read(&event) == (1, 0) {
                let point = batch.savepoint().await.unwrap();
                batch.unit().journal().append(&[effect((1, 0))]).await.unwrap();
                batch.rollback_to(point).await.unwrap();
                batch.bury(event.envelope.id, 5, "it does not agree with me\0", false).await.unwrap();
            } else if event.envelope.key == 1 {
                batch.bury(event.envelope.id, 0, "waits", true).await.unwrap();
            } else {
                assert!(parked.is_empty());
                batch.unit().journal().append(&[effect(read(&event))]).await.unwrap();
            }
        }
        batch.commit().await.unwrap();
    }
    assert_eq!(world.effects().await, BTreeMap::from([(2, vec![0])]), "other keys go on");
    let letters = world.bus.dead_letters("test", None, 10).await.unwrap();
    assert_eq!(
        letters.iter().map(|l| (l.key, l.attempts, l.parked)).collect::<Vec<_>>(),
        [(1, 5, false), (1, 0, true)]
    );
    assert_eq!(
        (letters[0].reason.as_str(), letters[0].kind.as_str()),
        ("it does not agree with me", "daira.post.v1.created")
    );
    assert!(matches!(letters[0].decode().unwrap(), Event::PostCreated(e) if e.author_id == 0));
    assert_eq!(world.bus.dead_letters("test", Some(letters[0].event), 10).await.unwrap().len(), 1);
    assert_eq!(world.bus.lag(GROUP).await.unwrap().dead, 2);

    // A later event of the key finds it blocked.
    append(&mut app, 1, 2).await;
    let mut batch = next(&world.bus, "a", 10).await;
    assert_eq!(batch.parked_keys().await.unwrap(), [1]);
    let late = batch.events()[0].envelope.id;
    batch.bury(late, 0, "waits", true).await.unwrap();
    batch.commit().await.unwrap();
    assert!(world.drain("a").await.is_empty(), "what is parked stays so");

    // It still fails when it is tried again: buried again, the others wait on.
    assert!(world.bus.replay("test", letters[0].event).await.unwrap());
    assert!(!world.bus.replay("test", letters[0].event).await.unwrap(), "once");
    assert!(!world.bus.drop_letter("test", letters[1].event).await.unwrap(), "one that only waits is no dead letter");
    let mut batch = next(&world.bus, "a", 1).await;
    assert!(batch.parked_keys().await.unwrap().is_empty());
    assert_eq!(batch.events().iter().map(read).collect::<Vec<_>>(), [(1, 0)]);
    batch.bury(letters[0].event, 6, "still not", false).await.unwrap();
    batch.commit().await.unwrap();
    assert!(world.drain("a").await.is_empty());
    assert_eq!(world.bus.dead_letters("test", None, 10).await.unwrap()[0].attempts, 6);

    // Replayed, all of the key comes, in order.
    assert!(world.bus.replay("test", letters[0].event).await.unwrap());
    assert_eq!(world.drain("a").await, [(1, 0), (1, 1), (1, 2)]);
    in_order(&world.effects().await, &BTreeMap::from([(1, 3), (2, 1)]));
    assert!(world.bus.dead_letters("test", None, 10).await.unwrap().is_empty());
}

async fn a_dropped_letter_releases_its_key(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    append(&mut app, 1, 0).await;
    let mut batch = next(&world.bus, "a", 10).await;
    let poison = batch.events()[0].envelope.id;
    batch.bury(poison, 1, "no", false).await.unwrap();
    batch.commit().await.unwrap();
    append(&mut app, 1, 1).await;
    let mut batch = next(&world.bus, "a", 10).await;
    let follower = batch.events()[0].envelope.id;
    batch.bury(follower, 0, "waits", true).await.unwrap();
    batch.commit().await.unwrap();
    assert!(world.bus.drop_letter("test", poison).await.unwrap());
    assert_eq!(world.drain("a").await, [(1, 1)]);
}

async fn what_cannot_be_read_is_buried_and_blocks_its_key_alone(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    let mut tx = app.begin().await.unwrap();
    sqlx::query("insert into daira.event (lane, key, topic, kind, payload) values ($1, 1, 'daira.post.v1', 'daira.post.v9.sung', '\\x00')")
        .bind(lane(1))
        .execute(&mut *tx)
        .await
        .unwrap();
    append(&mut tx, 1, 0).await;
    append(&mut tx, 2, 0).await;
    tx.commit().await.unwrap();
    let mut batch = next(&world.bus, "a", 10).await;
    assert_eq!(batch.events().iter().map(read).collect::<Vec<_>>(), [(1, 0), (2, 0)]);
    assert_eq!(batch.parked_keys().await.unwrap(), [1]);
    let follower = batch.events()[0].envelope.id;
    batch.bury(follower, 0, "waits", true).await.unwrap();
    batch.commit().await.unwrap();
    let letters = world.bus.dead_letters("test", None, 10).await.unwrap();
    assert_eq!(
        (letters[0].kind.as_str(), letters[0].parked, letters[0].payload.as_slice()),
        ("daira.post.v9.sung", false, &[0_u8][..])
    );
    assert!(letters[0].decode().is_err());
    assert!(letters[1].parked);
}

async fn lag_is_told(server: Server) {
    let world = World::new(server).await;
    assert_eq!(world.bus.lag(GROUP).await.unwrap().events, 0, "nobody reads yet");
    world.drain("a").await;
    append(&mut world.app().await, 1, 0).await;
    append(&mut world.app().await, 2, 0).await;
    sqlx::raw_sql("insert into daira.event (lane, key, topic, kind, payload) values (3, 1, 'daira.other.v1', 'x', '')")
        .execute(&mut world.app().await)
        .await
        .unwrap();
    sleep(Duration::from_millis(1_100)).await;
    let lag = world.bus.lag(GROUP).await.unwrap();
    assert_eq!(lag.events, 2);
    assert!(lag.oldest >= Duration::from_secs(1) && lag.oldest < Duration::from_mins(1), "{lag:?}");
    let (unit, pending) = PgMaintenance::new(&world.store).snapshot(&Actor::System("test"), GROUP, 10).await.unwrap();
    drop(unit);
    assert_eq!(pending.iter().map(read).collect::<Vec<_>>(), [(1, 0), (2, 0)]);
    let far = PgMaintenance::new(&world.store).snapshot(&Actor::System("test"), GROUP, 1).await.err().unwrap();
    assert_eq!(far.kind(), ErrorKind::Unavailable);
    world.drain("a").await;
    assert_eq!(world.bus.lag(GROUP).await.unwrap(), daira_core::port::Lag::default());
}

on_each_server!(
    poison_is_buried_its_key_waits_and_comes_back,
    a_dropped_letter_releases_its_key,
    what_cannot_be_read_is_buried_and_blocks_its_key_alone,
    lag_is_told,
);
