//! 4: counters drift and go negative, and a clamp hides it.

use daira_core::id::Id as _;
use daira_core::port::store::{CounterField, Lock};
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::testkit::fixture::PLATFORM;
use daira_store::postgres::testing::Server;
use daira_worker::Consumer as _;
use daira_worker::consume::Counters;
use daira_worker::job::ReconcileCounters;
use prometheus_client::registry::Registry;

use crate::platform::{Platform, on_each_server};

async fn value(platform: &Platform, field: CounterField, subject: i64) -> i64 {
    platform.world.unit(&PLATFORM).await.counters().value(field, subject).await.unwrap()
}

async fn failure_04_an_event_that_is_applied_again_counts_once(server: Server) {
    let platform = Platform::new(server).await;
    let (mona, fans) = (platform.world.person("mona").await, platform.people("fan", 3).await);
    for fan in &fans {
        platform.follow(fan, &mona).await;
    }
    // A process that applied everything and died before its commit, three times.
    for owner in ["a", "b", "c"] {
        let mut applied = 0;
        while applied < 3 {
            match platform.ports.bus.next(Counters::GROUP, owner, 100).await.unwrap() {
                Some(mut batch) => {
                    let events = batch.events().to_vec();
                    Counters.apply(&events, batch.unit()).await.unwrap();
                    applied += events.len();
                }
                None => platform.ports.bus.wait(std::time::Duration::from_millis(20)).await,
            }
        }
        platform.ports.bus.release(Counters::GROUP, owner).await.unwrap();
    }
    assert_eq!(value(&platform, CounterField::ProfileFollowers, mona.id.raw()).await, 0);
    platform.settle().await;
    platform.settle().await;
    assert_eq!(value(&platform, CounterField::ProfileFollowers, mona.id.raw()).await, 3);
}

async fn failure_04_drift_below_zero_is_not_clamped_but_measured_and_mended(server: Server) {
    let platform = Platform::new(server).await;
    let (mona, ali) = (platform.world.person("mona").await, platform.world.person("ali").await);
    let post = platform.publish(&mona, "صباحو").await;
    let reactions = ReactionService::new(platform.ports.clone());
    platform.settle().await;
    // A bug of yesterday left the counter far off.
    platform.world.count(CounterField::PostReactions, post.raw(), -5).await;
    reactions.react(&ali.actor(), Target::Post(post), ReactionKind::Like, None).await.unwrap();
    platform.settle().await;
    assert_eq!(value(&platform, CounterField::PostReactions, post.raw()).await, -4, "it is what it is");
    reactions.unreact(&ali.actor(), Target::Post(post), None).await.unwrap();
    platform.settle().await;
    assert_eq!(value(&platform, CounterField::PostReactions, post.raw()).await, -5);
    reactions.react(&ali.actor(), Target::Post(post), ReactionKind::Love, None).await.unwrap();

    // One event is still on its way: the row has it already, and it will not be counted twice.
    let mut registry = Registry::default();
    let job = ReconcileCounters::default();
    daira_worker::Job::register(&job, &mut registry);
    daira_worker::Job::run(&job, &platform.ports).await.unwrap();
    platform.settle().await;
    assert_eq!(value(&platform, CounterField::PostReactions, post.raw()).await, 1);
    let mut measured = String::new();
    prometheus_client::encoding::text::encode(&mut measured, &registry).unwrap();
    assert!(measured.contains("daira_counter_drift_total{field=\"PostReactions\"} 1\n"), "{measured}");
    daira_worker::Job::run(&job, &platform.ports).await.unwrap();
    assert_eq!(value(&platform, CounterField::PostReactions, post.raw()).await, 1, "what is right is left alone");
}

/// Deleting what is counted, and the same thing twice, at the same time.
async fn failure_04_races_for_one_edge_count_it_once(server: Server) {
    let platform = Platform::new(server).await;
    let (mona, ali) = (platform.world.person("mona").await, platform.world.person("ali").await);
    let post = platform.publish(&mona, "مين معايا").await;
    let reactions = ReactionService::new(platform.ports.clone());
    for _ in 0..5 {
        let (actor, target) = (ali.actor(), Target::Post(post));
        let twice = futures_util::future::join_all((0..6).map(|n| {
            let (reactions, actor) = (&reactions, &actor);
            async move {
                if n % 3 == 2 {
                    reactions.unreact(actor, target, None).await.map(drop)
                } else {
                    reactions.react(actor, target, ReactionKind::Like, None).await
                }
            }
        }));
        for done in twice.await {
            done.unwrap();
        }
    }
    platform.settle().await;
    let mut db = platform.superuser().await;
    let rows: i64 = sqlx::query_scalar("select count(*) from daira.reaction").fetch_one(&mut db).await.unwrap();
    assert_eq!(value(&platform, CounterField::PostReactions, post.raw()).await, rows);
    let mut unit = platform.world.unit(&PLATFORM).await;
    assert!(unit.posts().post(post, Lock::None).await.unwrap().is_some());
}

on_each_server!(
    failure_04_an_event_that_is_applied_again_counts_once,
    failure_04_drift_below_zero_is_not_clamped_but_measured_and_mended,
    failure_04_races_for_one_edge_count_it_once,
);
