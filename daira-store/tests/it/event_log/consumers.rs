//! Who gets them: consumers that share lanes, race for them, are slow, are killed, or come back to life.

use std::collections::BTreeMap;
use std::time::Duration;

use daira_core::error::ErrorKind;
use daira_core::port::EventBus;
use daira_core::port::store::{CounterDelta, CounterField};
use daira_store::postgres::testing::Server;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{GROUP, QUICK, World, append, apply, drain, effect, in_order, next, read};

/// Writers that lock what they write about, as services do: ids, transaction ids and commits come in any order.
async fn write(url: String, writer: i64, keys: i64, rounds: i64) {
    let mut db = PgConnection::connect(&url).await.unwrap();
    for round in 0..rounds {
        let mut tx = db.begin().await.unwrap();
        if round % 3 == 0 {
            sqlx::query("select pg_current_xact_id()").execute(&mut *tx).await.unwrap();
        }
        let key = 1 + (round * 7 + writer * 3) % keys;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(key).execute(&mut *tx).await.unwrap();
        let next = sqlx::query_scalar("select coalesce(max(reactions), 0) from daira.post_counter where post = $1");
        let number: i64 = next.bind(key).fetch_one(&mut *tx).await.unwrap();
        append(&mut tx, key, number).await;
        if round % 11 == 10 {
            tx.rollback().await.unwrap();
            continue;
        }
        let count = "insert into daira.post_counter as c (post, reactions) values ($1, 1) on conflict (post) do update set reactions = c.reactions + 1";
        sqlx::query(count).bind(key).execute(&mut *tx).await.unwrap();
        if round % 5 == 0 {
            sleep(Duration::from_millis(30)).await;
        }
        tx.commit().await.unwrap();
    }
}

impl World {
    /// How many events each key has, as the writers counted.
    async fn written(&self) -> BTreeMap<i64, i64> {
        let rows: Vec<(i64, i64)> = sqlx::query_as("select post, reactions from daira.post_counter")
            .fetch_all(&mut self.worker().await)
            .await
            .unwrap();
        rows.into_iter().collect()
    }
}

async fn security_87_three_consumers_keep_the_order_of_every_key(server: Server) {
    let world = World::new(server).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        writers.spawn(write(world.config.worker_url.clone(), writer, 40, 250));
    }
    let mut readers = JoinSet::new();
    for owner in ["a", "b", "c"] {
        let bus = world.other_bus();
        readers.spawn(async move { (owner, drain(&bus, owner, Duration::from_secs(2)).await.len()) });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let shares: Vec<_> = readers.join_all().await;
    let written = world.written().await;
    in_order(&world.effects().await, &written);
    assert_eq!(shares.iter().map(|(_, n)| i64::try_from(*n).unwrap()).sum::<i64>(), written.values().sum::<i64>());
    assert!(shares.iter().all(|(_, n)| *n > 0), "every consumer has lanes: {shares:?}");
}

async fn security_89_chaos_loses_and_repeats_nothing(server: Server) {
    // Batches are dropped half done, leases are stolen, connections are cut, consumers go and come.
    let world = World::new(server).await;
    let mut writers = JoinSet::new();
    for writer in 0..3 {
        writers.spawn(write(world.config.worker_url.clone(), writer, 25, 300));
    }
    let mut readers = JoinSet::new();
    for owner in 0..3_u64 {
        let bus = world.other_bus();
        readers.spawn(async move {
            let name = format!("chaos-{owner}");
            for turn in 0..120_u64 {
                let Some(mut batch) = bus.next(GROUP, &name, 7).await.unwrap_or_default() else {
                    bus.wait(Duration::from_millis(20)).await;
                    continue;
                };
                for event in batch.events().iter().map(read).collect::<Vec<_>>() {
                    if batch.unit().journal().append(&[effect(event)]).await.is_err() {
                        break;
                    }
                }
                match (turn * 7 + owner) % 10 {
                    0 => drop(batch),
                    1 => {
                        bus.release(GROUP, &name).await.unwrap();
                        assert!(batch.commit().await.is_err(), "a lane given up is not moved");
                    }
                    _ => drop(batch.commit().await),
                }
            }
        });
    }
    let mut cutter = world.superuser().await;
    for _ in 0..10 {
        sleep(Duration::from_millis(250)).await;
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'daira_worker' and application_name = 'daira' and state = 'idle in transaction' limit 1")
            .execute(&mut cutter)
            .await
            .unwrap();
        sqlx::query("update daira.member set until = now() where owner = (select max(owner) from daira.member)")
            .execute(&mut cutter)
            .await
            .unwrap();
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    while let Some(done) = readers.join_next().await {
        done.unwrap();
    }
    world.drain("last").await;
    sleep(QUICK.lease).await;
    world.drain("last").await;
    in_order(&world.effects().await, &world.written().await);
}

async fn two_consumers_share_the_lanes_and_never_one_of_them(server: Server) {
    let world = World::new(server).await;
    let (one, other) = (world.other_bus(), world.other_bus());
    for _ in 0..10 {
        let _ = tokio::join!(one.next(GROUP, "one", 10), other.next(GROUP, "other", 10));
        sleep(Duration::from_millis(60)).await;
    }
    let shares = |db: PgConnection| async move {
        let mut db = db;
        let rows: Vec<(Option<String>, i64)> =
            sqlx::query_as("select owner, count(*) from daira.lease group by owner order by owner")
                .fetch_all(&mut db)
                .await
                .unwrap();
        rows
    };
    let held = shares(world.worker().await).await;
    assert_eq!(held, [(Some("one".to_owned()), 8), (Some("other".to_owned()), 8)]);
    other.release(GROUP, "other").await.unwrap();
    sleep(Duration::from_millis(60)).await;
    let _ = one.next(GROUP, "one", 10).await.unwrap();
    assert_eq!(shares(world.worker().await).await, [(Some("one".to_owned()), 16)], "what is released is taken at once");
}

async fn a_stolen_lease_commits_nothing(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    let slow = world.other_bus();
    let mut batch = next(&slow, "slow", 10).await;
    assert_eq!(apply(batch.as_mut()).await, [(1, 0)]);
    // Nobody renews it, so its lanes go to somebody else, who does the work.
    sleep(QUICK.lease + Duration::from_millis(200)).await;
    assert_eq!(world.drain("quick").await, [(1, 0)]);
    let refused = batch.commit().await.unwrap_err();
    assert_eq!((refused.kind(), refused.operation()), (ErrorKind::Serialization, "bus.lease_lost"));
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn an_attended_batch_outlives_its_lease(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    let mut batch = next(&world.bus, "slow", 10).await;
    apply(batch.as_mut()).await;
    sleep(QUICK.lease * 2).await;
    assert!(drain(&world.other_bus(), "quick", Duration::from_millis(500)).await.is_empty());
    batch.commit().await.unwrap();
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn security_89_a_killed_consumer_neither_loses_nor_repeats(server: Server) {
    let world = World::new(server).await;
    for number in 0..5 {
        append(&mut world.app().await, 1, number).await;
    }
    let mut dying = next(&world.other_bus(), "dying", 100).await;
    apply(dying.as_mut()).await;
    let cut = "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and usename = 'daira_worker' and state = 'idle in transaction') cut";
    let cut: i64 = sqlx::query_scalar(cut).fetch_one(&mut world.superuser().await).await.unwrap();
    assert_eq!(cut, 1);
    assert!(dying.commit().await.is_err());
    assert!(world.effects().await.is_empty());
    sleep(QUICK.lease).await;
    assert_eq!(world.drain("heir").await.len(), 5);
    in_order(&world.effects().await, &BTreeMap::from([(1, 5)]));
}

async fn security_89_what_is_delivered_three_times_counts_once(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    for number in 0..30 {
        append(&mut app, 1 + number % 6, number / 6).await;
    }
    let (mut deliveries, mut counted) = (0, 0);
    while counted < 30 {
        let mut batch = next(&world.bus, "a", 7).await;
        let keys: Vec<i64> = batch.events().iter().rev().map(|event| read(event).0).collect();
        for subject in &keys {
            let delta = CounterDelta { field: CounterField::PostReactions, subject: *subject, delta: 1 };
            batch.unit().counters().apply(&[delta]).await.unwrap();
        }
        deliveries += 1;
        if deliveries % 3 == 0 {
            batch.commit().await.unwrap();
            counted += keys.len();
        }
    }
    assert_eq!(world.written().await, (1..=6).map(|key| (key, 5)).collect());
}

async fn one_batch_at_a_time_moves_a_lane(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    let (mut first, mut second) = (next(&world.bus, "a", 10).await, next(&world.bus, "a", 10).await);
    apply(first.as_mut()).await;
    apply(second.as_mut()).await;
    first.commit().await.unwrap();
    assert!(second.commit().await.is_err(), "both had the same events");
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

on_each_server!(
    security_87_three_consumers_keep_the_order_of_every_key,
    security_89_chaos_loses_and_repeats_nothing,
    two_consumers_share_the_lanes_and_never_one_of_them,
    a_stolen_lease_commits_nothing,
    an_attended_batch_outlives_its_lease,
    security_89_a_killed_consumer_neither_loses_nor_repeats,
    security_89_what_is_delivered_three_times_counts_once,
    one_batch_at_a_time_moves_a_lane,
);
