//! What keeps the log in shape: tickers that take over, days and ticks that go, jobs, and the rights to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use daira_core::port::{EventBus, Group, JobOutcome, Maintenance};
use daira_core::time::Timestamp;
use daira_store::postgres::PgMaintenance;
use daira_store::postgres::testing::Server;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{GROUP, QUICK, World, append, in_order, read};

async fn of_two_tickers_one_works_and_the_other_takes_over(server: Server) {
    let mut world = World::without_ticker(server).await;
    let first = world.start_ticker();
    append(&mut world.app().await, 1, 0).await;
    world.drain("a").await;
    let _second = world.start_ticker();
    for number in 1..30 {
        append(&mut world.app().await, 1, number).await;
        sleep(Duration::from_millis(20)).await;
    }
    world.drain("a").await;
    first.abort();
    append(&mut world.app().await, 1, 30).await;
    world.drain("a").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 31)]));
    let ticks: Vec<(i64, String)> = sqlx::query_as("select n, pg_snapshot_xmax(snap)::text from daira.tick order by n")
        .fetch_all(&mut world.worker().await)
        .await
        .unwrap();
    let ends: Vec<u64> = ticks.iter().map(|t| t.1.parse().unwrap()).collect();
    assert!(ends.is_sorted(), "a later tick never sees less");
    assert!(ticks.iter().map(|t| t.0).eq(0..i64::try_from(ticks.len()).unwrap()), "without gaps");
}

async fn days_go_when_all_are_past_and_only_a_rebuilding_group_is_left_behind(server: Server) {
    const REBUILDS: Group = Group { name: "rebuilds", rebuilds: true, ..GROUP };
    let world = World::new(server).await;
    let mut root = world.superuser().await;
    let upkeep = PgMaintenance::new(&world.store).keep_events(Duration::from_hours(24));
    let now = Timestamp::from_seconds(
        sqlx::query_scalar("select extract(epoch from now())::bigint").fetch_one(&mut root).await.unwrap(),
    );
    // Five days ago there was a day with events, and nobody has read since.
    sqlx::raw_sql(
        "set role daira_owner; select daira.ensure_partitions(now() - interval '5 days', 0); reset role;
         do $$ begin execute 'drop table daira.event_' || to_char((now() - interval '6 days') at time zone 'UTC', 'YYYYMMDD'); end $$",
    )
    .execute(&mut root)
    .await
    .unwrap();
    append(&mut world.app().await, 1, 0).await;
    world.drain("a").await;
    let _ = world.bus.next(REBUILDS, "r", 1).await.unwrap();
    world.bus.release(REBUILDS, "r").await.unwrap();
    sqlx::raw_sql("update daira.tick set since = since - interval '5 days', at = at - interval '5 days' where n > 0")
        .execute(&mut root)
        .await
        .unwrap();
    let days = |db: PgConnection| async move {
        let mut db = db;
        let count =
            sqlx::query_scalar::<_, i64>("select count(*) from pg_inherits where inhparent = 'daira.event'::regclass");
        count.fetch_one(&mut db).await.unwrap()
    };
    let before = days(world.worker().await).await;
    upkeep.expire(now).await.unwrap();
    assert_eq!(days(world.worker().await).await, before, "the group without a rebuild holds its days");
    assert!(!world.bus.is_parked(REBUILDS).await.unwrap());

    // A tick looks back to one before it, so it takes some until the group is past the day.
    let (mut number, mut gone) = (0, 0);
    while gone == 0 {
        number += 1;
        assert!(number < 20, "the day never goes");
        append(&mut world.app().await, 1, number).await;
        world.drain("a").await;
        gone = upkeep.expire(now).await.unwrap();
    }
    assert_eq!(days(world.worker().await).await, before - 1, "the day with its events goes");
    assert!(world.bus.is_parked(REBUILDS).await.unwrap(), "and the other one is parked");
    sleep(Duration::from_millis(60)).await;
    assert!(world.bus.next(REBUILDS, "r", 10).await.unwrap().is_none(), "a parked group gets nothing");
    assert!(!world.bus.unpark(REBUILDS).await.unwrap(), "it cannot go on where it stands");
    world.bus.skip(REBUILDS).await.unwrap();
    assert!(world.bus.is_parked(REBUILDS).await.unwrap());
    assert!(world.bus.unpark(REBUILDS).await.unwrap());
    append(&mut world.app().await, 1, number + 1).await;
    sleep(Duration::from_millis(400)).await;
    let batch = world.bus.next(REBUILDS, "r", 10).await.unwrap().unwrap();
    assert_eq!(batch.events().last().map(read), Some((1, number + 1)));
    drop(batch);
    assert_eq!(upkeep.ensure_partitions(now, 9).await.unwrap(), 9);
}

/// Readers and writers of a partitioned table go on while partitions are made; one that is being read is not dropped, and
/// nobody waits behind whoever would drop it.
async fn partitions_come_and_go_around_open_readers(server: Server) {
    let world = World::without_ticker(server).await;
    let mut root = world.superuser().await;
    let upkeep = PgMaintenance::new(&world.store);
    let seconds = "select extract(epoch from now())::bigint";
    let now = Timestamp::from_seconds(sqlx::query_scalar(seconds).fetch_one(&mut root).await.unwrap());
    sqlx::raw_sql("set role daira_owner; select daira.ensure_partitions(now() - interval '30 days', 0); reset role")
        .execute(&mut root)
        .await
        .unwrap();
    let read = "select count(*) from daira.event";
    let mut reader = world.worker().await;
    let mut reading = reader.begin().await.unwrap();
    sqlx::raw_sql(read).execute(&mut *reading).await.unwrap();
    let mut writer = world.app().await;
    let mut writing = writer.begin().await.unwrap();
    append(&mut writing, 1, 0).await;
    // Ahead: while both are open.
    assert_eq!(upkeep.ensure_partitions(now, 40).await.unwrap(), 40);
    append(&mut writing, 1, 1).await;
    writing.commit().await.unwrap();

    // Behind: it gives way, and others read and write meanwhile.
    let others = async {
        let (mut app, mut worker) = (world.app().await, world.worker().await);
        for number in 2..40 {
            append(&mut app, 1, number).await;
            sqlx::raw_sql(read).execute(&mut worker).await.unwrap();
            sleep(Duration::from_millis(20)).await;
        }
    };
    let log = "select count(*) from pg_inherits where inhparent = 'daira.event'::regclass";
    let mut days = async || sqlx::query_scalar::<_, i64>(log).fetch_one(&mut root).await.unwrap();
    let before = days().await;
    let (gone, ()) = tokio::join!(upkeep.expire(now), others);
    gone.unwrap();
    assert_eq!(days().await, before, "what is read stays");
    sqlx::raw_sql(read).execute(&mut *reading).await.unwrap();
    reading.rollback().await.unwrap();
    assert!(upkeep.expire(now).await.unwrap() >= 1, "and goes the next time");
    assert!(days().await < before);
}

async fn spent_ticks_go_and_those_that_lanes_stand_on_stay(server: Server) {
    let mut world = World::new(server).await;
    let mut app = world.app().await;
    for number in 0..40 {
        append(&mut app, 1, number).await;
        sleep(Duration::from_millis(30)).await;
    }
    world.drain("a").await;
    world.tasks.shutdown().await;
    let mut root = world.superuser().await;
    sqlx::raw_sql(
        "update daira.tick set at = at - interval '2 hours'; update daira.position set at = at - interval '2 hours'",
    )
    .execute(&mut root)
    .await
    .unwrap();
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql);
    let before: i64 = count("select count(*) from daira.tick").fetch_one(&mut root).await.unwrap();
    assert!(before > 20);
    append(&mut app, 1, 40).await;
    // A new process: it does not renew what the old one held.
    world.bus = world.other_bus();
    let world = world.with_ticker();
    let begun = Instant::now();
    while count("select count(*) from daira.tick").fetch_one(&mut root).await.unwrap() > 6 {
        assert!(begun.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(50)).await;
    }
    let dangling =
        "select count(*) from (select distinct on (grp, lane) tick from daira.position order by grp, lane, tick desc) p
                    where not exists (select from daira.tick t where t.n = p.tick)";
    assert_eq!(count(dangling).fetch_one(&mut root).await.unwrap(), 0);
    assert_eq!(
        count("select count(*) from daira.position").fetch_one(&mut root).await.unwrap(),
        16,
        "one for each lane"
    );
    assert_eq!(world.drain("b").await, [], "the lanes are the other owner's until its lease is over");
    sleep(QUICK.lease).await;
    world.drain("b").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 41)]));
}

async fn a_job_runs_once_over_all_processes(server: Server) {
    let world = World::without_ticker(server).await;
    let upkeep = PgMaintenance::new(&world.store);
    let (every, lease) = (Duration::from_millis(300), Duration::from_millis(400));
    let mut claims = JoinSet::new();
    for owner in 0..8 {
        let upkeep = upkeep.clone();
        claims.spawn(async move {
            upkeep.begin_job("purge", &format!("p{owner}"), every, lease).await.unwrap().then_some(owner)
        });
    }
    let winners: Vec<i32> = claims.join_all().await.into_iter().flatten().collect();
    let [winner] = winners[..] else { panic!("{winners:?}") };
    upkeep.end_job("purge", "somebody else", JobOutcome::Done).await.unwrap();
    assert!(!upkeep.begin_job("purge", "late", every, lease).await.unwrap(), "it runs");
    upkeep.end_job("purge", &format!("p{winner}"), JobOutcome::Done).await.unwrap();
    assert!(!upkeep.begin_job("purge", "late", every, lease).await.unwrap(), "it is not due");
    sleep(every).await;
    assert!(upkeep.begin_job("purge", "late", every, lease).await.unwrap());
    upkeep.end_job("purge", "late", JobOutcome::Failed).await.unwrap();
    assert!(upkeep.begin_job("purge", "again", every, lease).await.unwrap(), "a failed run is due at once");
    sleep(lease).await;
    assert!(upkeep.begin_job("purge", "heir", every, lease).await.unwrap(), "a lost run is due when its lease is over");
}

async fn the_log_cannot_be_read_or_changed_by_those_who_write_it(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    append(&mut app, 1, 0).await;
    for forbidden in [
        "select * from daira.event",
        "update daira.event set key = 2",
        "delete from daira.event",
        "truncate daira.event",
        "insert into daira.event (xid, lane, key, topic, kind, payload) values ('3', 1, 1, 't', 'k', '')",
        "insert into daira.event (at, lane, key, topic, kind, payload) values (now() - interval '1 hour', 1, 1, 't', 'k', '')",
        "select * from daira.dead_letter",
        "insert into daira.tick (n, snap, since, top) values (9999, '1:1:', now(), 0)",
        "select daira.expire_events('1 day')",
        "select daira.restart_event_log()",
    ] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut app).await.unwrap_err();
        assert_eq!(
            refused.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned)).as_deref(),
            Some("42501"),
            "{forbidden}"
        );
    }
    for forbidden in ["update daira.event set key = 2", "delete from daira.event", "select daira.restart_event_log()"] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut world.worker().await).await.unwrap_err();
        assert_eq!(
            refused.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned)).as_deref(),
            Some("42501"),
            "{forbidden}"
        );
    }
}

on_each_server!(
    of_two_tickers_one_works_and_the_other_takes_over,
    days_go_when_all_are_past_and_only_a_rebuilding_group_is_left_behind,
    partitions_come_and_go_around_open_readers,
    spent_ticks_go_and_those_that_lanes_stand_on_stay,
    a_job_runs_once_over_all_processes,
    the_log_cannot_be_read_or_changed_by_those_who_write_it,
);
