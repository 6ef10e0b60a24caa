//! 2: at the seam between two sources items are lost for good.

use std::sync::atomic::{AtomicBool, Ordering};

use daira_core::id::{Id as _, PostId};
use daira_core::page::Limit;
use daira_core::port::store::CounterField;
use daira_core::testkit::fixture::{PLATFORM, Person};
use daira_store::postgres::testing::Server;
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::platform::{Platform, last_cursor, on_each_server, posts};

const THRESHOLD: i64 = 4;

/// How many posts are delivered, and how many are looked up.
async fn ways(db: &mut PgConnection) -> (i64, i64) {
    sqlx::query_as("select count(*) filter (where delivery = 1), count(*) filter (where delivery = 2) from daira.post")
        .fetch_one(db)
        .await
        .unwrap()
}

/// Waits until the author counts as one who is looked up, or as one who is not.
async fn counted(platform: &Platform, author: &Person, above: bool) {
    loop {
        let mut unit = platform.world.unit(&PLATFORM).await;
        let followers = unit.counters().value(CounterField::ProfileFollowers, author.id.raw()).await.unwrap();
        if (followers >= THRESHOLD) == above {
            return;
        }
        drop(unit);
        platform.ports.bus.wait(std::time::Duration::from_millis(20)).await;
    }
}

async fn failure_02_an_author_who_crosses_the_threshold_both_ways_loses_nothing(server: Server) {
    let platform = Platform::with(server, |ports| ports.settings_mut().pull_threshold = THRESHOLD).await;
    let (star, reader) = (platform.world.person("star").await, platform.world.person("reader").await);
    let crowd = platform.people("crowd", 5).await;
    platform.follow(&reader, &star).await;
    let stop = CancellationToken::new();
    let mut running = JoinSet::from_iter([platform.runner().run(stop.clone())]);
    let posting = AtomicBool::new(true);
    let publish = async {
        let mut db = platform.superuser().await;
        let mut published = Vec::new();
        // Until both ways are well tried.
        while let (pushed, pulled) = ways(&mut db).await
            && pushed.min(pulled) < 15
        {
            assert!(published.len() < 2_000, "{pushed} delivered, {pulled} looked up");
            published.insert(0, platform.publish(&star, &format!("بوست {}", published.len())).await);
        }
        posting.store(false, Ordering::SeqCst);
        published
    };
    let cross = async {
        let mut crossings = 0;
        while posting.load(Ordering::SeqCst) || crossings < 4 {
            for one in &crowd {
                platform.follow(one, &star).await;
            }
            counted(&platform, &star, true).await;
            for one in &crowd {
                platform.unfollow(one, &star).await;
            }
            counted(&platform, &star, false).await;
            crossings += 2;
        }
        crossings
    };
    let read = async {
        while posting.load(Ordering::SeqCst) {
            let seen = platform.following(&reader, 7).await;
            assert!(seen.is_sorted_by(|newer, older| newer > older), "once each and in order, at any moment: {seen:?}");
        }
    };
    let (published, crossings, ()) = tokio::join!(publish, cross, read);
    stop.cancel();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    platform.settle().await;
    assert!(crossings >= 4);
    let mut expected: Vec<PostId> = published;
    expected.sort_unstable_by(|left, right| right.cmp(left));
    assert_eq!(platform.following(&reader, 9).await, expected, "nothing lost, nothing doubled");
}

async fn failure_02_forgetting_what_is_cached_changes_nothing_but_time(server: Server) {
    let platform = Platform::new(server).await;
    let reader = platform.world.person("reader").await;
    let authors = platform.people("author", 5).await;
    let mut published = Vec::new();
    for author in &authors {
        platform.world.follow(&reader, author).await;
    }
    for number in 0..40 {
        published.push(platform.world.published(&authors[number % 5], format!("بوست {number}").as_str()).await.id);
    }
    let size = Limit::new(10).unwrap();
    let first = platform.feed.home(&reader.actor(), size, None).await.unwrap();
    let after = last_cursor(&platform.feed, &first);
    // A second page from a process that knows nothing, then everything that was kept of the session is thrown away.
    let other = platform.other_feed().await;
    let second = other.home(&reader.actor(), size, after.as_deref()).await.unwrap();
    let mut db = platform.superuser().await;
    assert_eq!(sqlx::query("delete from daira.feed_session").execute(&mut db).await.unwrap().rows_affected(), 1);
    let again = platform.other_feed().await.home(&reader.actor(), size, after.as_deref()).await.unwrap();
    assert_eq!(posts(&second), posts(&again), "the same page, made anew");
    let (mut seen, mut page) = ([posts(&first), posts(&again)].concat(), again);
    while page.has_next {
        let after = last_cursor(&platform.feed, &page);
        page = platform.other_feed().await.home(&reader.actor(), size, after.as_deref()).await.unwrap();
        seen.extend(posts(&page));
    }
    seen.sort_unstable();
    published.sort_unstable();
    assert_eq!(seen, published, "every post once, whoever served which page");
}

on_each_server!(
    failure_02_an_author_who_crosses_the_threshold_both_ways_loses_nothing,
    failure_02_forgetting_what_is_cached_changes_nothing_but_time,
);
