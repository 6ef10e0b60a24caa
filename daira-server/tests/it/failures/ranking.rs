//! 9: ranks that are rewritten by the thousand, and jobs that lock each other out over them.

use std::sync::Arc;
use std::time::Duration;

use daira_core::id::Id as _;
use daira_core::memory::{ManualClock, WallClock};
use daira_core::page::Limit;
use daira_core::port::Clock as _;
use daira_core::port::store::{CounterDelta, CounterField};
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::testkit::fixture::PLATFORM;
use daira_store::postgres::testing::Server;

use super::statements::Statements;
use crate::platform::{Platform, on_each_server, posts};

/// Whether a statement changes rows.
fn writes(statement: &str) -> bool {
    let statement = statement.to_lowercase();
    ["insert into", "update daira", "delete from"].iter().any(|word| statement.contains(word))
}

async fn failure_09_time_changes_ranks_and_nothing_is_rewritten(server: Server) {
    let clock = Arc::new(ManualClock::new(WallClock.now()));
    let platform = Platform::with(server, |ports| ports.clock = clock.clone()).await;
    let (reader, fans) = (platform.world.person("reader").await, platform.people("fan", 3).await);
    let (mona, ali) = (platform.world.person("mona").await, platform.world.person("ali").await);
    platform.world.follow(&reader, &mona).await;
    platform.world.follow(&reader, &ali).await;
    let liked = platform.publish(&mona, "بوست بيعجب الناس").await;
    for fan in &fans {
        let reactions = ReactionService::new(platform.ports.clone());
        reactions.react(&fan.actor(), Target::Post(liked), ReactionKind::Love, None).await.unwrap();
    }
    clock.advance(Duration::from_hours(18));
    let fresh = platform.publish(&ali, "لسه نازل").await;
    let (log, _guard) = Statements::open();
    platform.settle().await;
    let consumed = log.take();
    let rewritten =
        consumed.iter().filter(|s| writes(s) && (s.contains("update daira.post ") || s.contains("update daira.inbox")));
    assert_eq!(rewritten.count(), 0, "what three reactions and a post changed: {consumed:#?}");

    let home = async || posts(&platform.feed.home(&reader.actor(), Limit::new(10).unwrap(), None).await.unwrap());
    log.take();
    assert_eq!(home().await, [fresh, liked], "now the young one is first");
    clock.advance(Duration::from_hours(24));
    assert_eq!(home().await, [liked, fresh], "a day later the liked one is");
    let read = log.take();
    assert!(!read.is_empty() && !read.iter().any(|statement| writes(statement)), "{read:#?}");

    let mut db = platform.superuser().await;
    let ranks: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'daira' and column_name ~ '(rank|score|hot)'",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    assert!(ranks.is_empty(), "no rank is stored that could have to be rewritten: {ranks:?}");
}

async fn failure_09_batches_that_meet_over_counters_never_wait_in_a_ring(server: Server) {
    let platform = Platform::new(server).await;
    let people = platform.people("person", 6).await;
    let fields = [CounterField::ProfileFollowers, CounterField::ProfileFollowing, CounterField::ProfilePosts];
    let batch = async |shift: usize| {
        for round in 0..40 {
            let deltas: Vec<CounterDelta> = (0..people.len())
                .map(|n| {
                    let (field, person) = (fields[(n + shift) % 3], &people[(n * 5 + shift + round) % people.len()]);
                    CounterDelta { field, subject: person.id.raw(), delta: 1 }
                })
                .collect();
            // Without the retries that would cover it up.
            let mut unit = platform.ports.store.begin(&PLATFORM).await.unwrap();
            unit.counters().apply(&deltas).await.expect("no deadlock");
            unit.commit().await.unwrap();
        }
    };
    tokio::join!(batch(0), batch(1), batch(2));
    let mut db = platform.superuser().await;
    let sum: i64 = sqlx::query_scalar("select sum(posts + followers + following)::bigint from daira.profile_counter")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(sum, 3 * 40 * 6);
}

on_each_server!(
    failure_09_time_changes_ranks_and_nothing_is_rewritten,
    failure_09_batches_that_meet_over_counters_never_wait_in_a_ring,
);
