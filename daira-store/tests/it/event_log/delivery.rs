//! Which events are delivered: late commits, open writers, held snapshots, inverted transaction ids, what was rolled back, and
//! one transaction larger than any batch.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use daira_core::port::EventBus;
use daira_store::postgres::testing::Server;
use sqlx::Connection as _;
use tokio::time::sleep;

use super::{GROUP, World, append, apply, in_order, next};

async fn security_87_a_late_commit_is_delivered(server: Server) {
    let world = World::new(server).await;
    let (mut early, mut late) = (world.app().await, world.app().await);
    let mut open = late.begin().await.unwrap();
    append(&mut open, 1, 0).await;
    append(&mut early, 2, 0).await;
    assert_eq!(world.drain("a").await, [(2, 0)], "an open transaction holds up nobody");
    append(&mut early, 3, 0).await;
    open.commit().await.unwrap();
    let mut rest = world.drain("a").await;
    rest.sort_unstable();
    assert_eq!(rest, [(1, 0), (3, 0)], "the smaller id came later and is not skipped");
}

async fn security_87_a_writer_held_open_for_twenty_seconds_holds_up_nobody(server: Server) {
    let world = World::new(server).await;
    let (mut held, mut writer) = (world.app().await, world.app().await);
    let mut open = held.begin().await.unwrap();
    sqlx::raw_sql("set local idle_in_transaction_session_timeout = 0").execute(&mut *open).await.unwrap();
    append(&mut open, 1, 0).await;
    let (begun, mut number) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(20) {
        let mut rolled_back = writer.begin().await.unwrap();
        append(&mut rolled_back, 2, 1_000_000 + number).await;
        rolled_back.rollback().await.unwrap();
        append(&mut writer, 2, number).await;
        number += 1;
        let mut batch = next(&world.bus, "a", 100).await;
        assert_eq!(apply(batch.as_mut()).await, [(2, number - 1)]);
        batch.commit().await.unwrap();
        sleep(Duration::from_millis(200)).await;
    }
    append(&mut open, 1, 1).await;
    open.commit().await.unwrap();
    assert_eq!(world.drain("a").await, [(1, 0), (1, 1)]);
    in_order(&world.effects().await, &BTreeMap::from([(1, 2), (2, number)]));
}

/// What a plan says it touched: the buffers of its topmost node.
fn buffers(plan: &[String]) -> i64 {
    let line =
        plan.iter().find(|line| line.trim_start().starts_with("Buffers: ")).unwrap_or_else(|| panic!("{plan:#?}"));
    line.split_whitespace().filter_map(|word| word.split_once('=')).filter_map(|(_, n)| n.parse::<i64>().ok()).sum()
}

async fn security_87_the_cost_is_flat_under_a_held_snapshot(server: Server) {
    let world = World::new(server).await;
    let mut reader = world.superuser().await;
    let mut snapshot = reader.begin().await.unwrap();
    sqlx::raw_sql(
        "set transaction isolation level repeatable read; select count(*) from daira.event, daira.position, daira.tick",
    )
    .execute(&mut *snapshot)
    .await
    .unwrap();
    let mut writer = world.app().await;
    let (mut costs, mut number) = (Vec::new(), 0);
    for _ in 0..8 {
        // Many small batches: each leaves positions and ticks behind that no vacuum may remove.
        for _ in 0..40 {
            let mut some = writer.begin().await.unwrap();
            for key in 0..16 {
                append(&mut some, key, number).await;
            }
            some.commit().await.unwrap();
            number += 1;
            let mut delivered = 0;
            while delivered < 16 {
                let mut batch = next(&world.bus, "a", 100).await;
                delivered += apply(batch.as_mut()).await.len();
                batch.commit().await.unwrap();
            }
        }
        for key in 0..16 {
            append(&mut writer, key, number).await;
        }
        number += 1;
        // The same work for every measurement: one window of sixteen events.
        let sixteen =
            |line: &String| line.contains("Sort") && ["rows=16 ", "rows=16.00 "].iter().any(|n| line.contains(n));
        let mut plan: Vec<String> = Vec::new();
        for _ in 0..500 {
            plan = world.bus.explain(GROUP, "a").await.unwrap();
            if plan.iter().any(sixteen) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        assert!(plan.iter().any(sixteen), "{plan:#?}");
        costs.push(buffers(&plan));
        let mut delivered = 0;
        while delivered < 16 {
            let mut batch = next(&world.bus, "a", 100).await;
            delivered += apply(batch.as_mut()).await.len();
            batch.commit().await.unwrap();
        }
    }
    // The index grows a level now and then; what must not show is that the log has doubled.
    let (half, last) = (costs[costs.len() / 2 - 1], costs[costs.len() - 1]);
    assert!(last <= half + half / 4, "buffers per window: {costs:?}");
    println!("buffers per window {costs:?}");
    snapshot.rollback().await.unwrap();
    in_order(&world.effects().await, &(0..16).map(|key| (key, number)).collect());
}

async fn security_58_a_window_leaves_other_days_out(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    world.drain("a").await;
    append(&mut world.app().await, 1, 1).await;
    sleep(Duration::from_millis(300)).await;
    let plan = world.bus.explain(GROUP, "a").await.unwrap();
    let removed: Vec<_> = plan.iter().filter(|line| line.contains("Subplans Removed")).collect();
    assert!(!removed.is_empty(), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{plan:#?}");
}

async fn security_87_inverted_transaction_ids_keep_the_order_of_an_aggregate(server: Server) {
    let world = World::new(server).await;
    let (mut one, mut other) = (world.app().await, world.app().await);
    for round in 0..5 {
        let mut elder = one.begin().await.unwrap();
        let elder_id: String =
            sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *elder).await.unwrap();
        let mut younger = other.begin().await.unwrap();
        append(&mut younger, 1, 2 * round).await;
        let younger_id: String =
            sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *younger).await.unwrap();
        assert!(elder_id.parse::<u64>().unwrap() < younger_id.parse::<u64>().unwrap());
        younger.commit().await.unwrap();
        // Sometimes a tick lies between the two, sometimes not.
        sleep(Duration::from_millis(40 * u64::try_from(round % 2).unwrap())).await;
        append(&mut elder, 1, 2 * round + 1).await;
        elder.commit().await.unwrap();
    }
    world.drain("a").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 10)]));
}

async fn security_86_what_is_rolled_back_never_was_and_what_is_dropped_comes_again(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    let mut tx = app.begin().await.unwrap();
    append(&mut tx, 1, 99).await;
    tx.rollback().await.unwrap();
    append(&mut app, 1, 0).await;
    for _ in 0..3 {
        let mut batch = next(&world.bus, "a", 10).await;
        assert_eq!(apply(batch.as_mut()).await, [(1, 0)]);
    }
    world.drain("a").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn one_huge_transaction_comes_in_pages(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    let mut tx = app.begin().await.unwrap();
    let counts: BTreeMap<i64, i64> = (1..=50).map(|key| (key, 200)).collect();
    for number in 0..200 {
        for key in 1..=50 {
            append(&mut tx, key, number).await;
        }
    }
    tx.commit().await.unwrap();
    let mut delivered = 0;
    for turn in 0.. {
        // Another process goes on in the middle, again and again.
        let (bus, owner) = (world.other_bus(), format!("reader-{turn}"));
        for _ in 0..7 {
            let Some(mut batch) = bus.next(GROUP, &owner, 300).await.unwrap() else { break };
            assert!(batch.events().len() <= 300);
            delivered += apply(batch.as_mut()).await.len();
            batch.commit().await.unwrap();
        }
        bus.release(GROUP, &owner).await.unwrap();
        if delivered >= 10_000 {
            break;
        }
        assert!(turn < 200, "{delivered} delivered");
    }
    assert_eq!(delivered, 10_000);
    in_order(&world.effects().await, &counts);
}

on_each_server!(
    security_87_a_late_commit_is_delivered,
    security_87_a_writer_held_open_for_twenty_seconds_holds_up_nobody,
    security_87_the_cost_is_flat_under_a_held_snapshot,
    security_58_a_window_leaves_other_days_out,
    security_87_inverted_transaction_ids_keep_the_order_of_an_aggregate,
    security_86_what_is_rolled_back_never_was_and_what_is_dropped_comes_again,
    one_huge_transaction_comes_in_pages,
);
