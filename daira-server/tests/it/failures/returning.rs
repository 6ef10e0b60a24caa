//! 1: a timeline that lives only in a trimmed cache is empty for whoever comes back.

use std::sync::Arc;
use std::time::Duration;

use daira_core::memory::{ManualClock, WallClock};
use daira_core::page::Limit;
use daira_core::port::Clock as _;
use daira_store::postgres::testing::Server;

use crate::platform::{Platform, last_cursor, on_each_server, posts};

async fn failure_01_who_comes_back_after_weeks_finds_full_pages(server: Server) {
    // Six weeks ago; the days of then are made as the job made them then.
    let now = WallClock.now();
    let clock = Arc::new(ManualClock::new(now - Duration::from_hours(24 * 42)));
    let platform = Platform::with(server, |ports| ports.clock = clock.clone()).await;
    let mut db = platform.superuser().await;
    sqlx::query("select daira.ensure_partitions(now() - interval '42 days', 1)").execute(&mut db).await.unwrap();
    let reader = platform.world.person("reader").await;
    let authors = platform.people("author", 6).await;
    for author in &authors {
        platform.follow(&reader, author).await;
    }
    platform.settle().await;
    let mut published = Vec::new();
    for number in 0..60 {
        clock.advance(Duration::from_secs(30));
        published.insert(0, platform.publish(&authors[number % 6], &format!("بوست {number}")).await);
    }
    platform.settle().await;
    let inbox = "select count(*) from daira.inbox";
    assert_eq!(sqlx::query_scalar::<_, i64>(inbox).fetch_one(&mut db).await.unwrap(), 60);

    // Since then nobody of them has written, and the days of their inbox go.
    clock.set(now);
    platform.ports.maintenance.expire(now).await.unwrap();
    assert_eq!(
        sqlx::query_scalar::<_, i64>(inbox).fetch_one(&mut db).await.unwrap(),
        0,
        "nothing is left in the inbox"
    );

    assert_eq!(platform.following(&reader, 20).await, published, "every post, in order, in full pages");
    let first = platform.feed.home(&reader.actor(), Limit::new(20).unwrap(), None).await.unwrap();
    assert_eq!((first.items.len(), first.has_next), (20, true), "the first page of home is full at once");
    let (mut seen, mut page) = (posts(&first), first);
    while page.has_next {
        let after = last_cursor(&platform.feed, &page);
        page = platform.feed.home(&reader.actor(), Limit::new(20).unwrap(), after.as_deref()).await.unwrap();
        seen.extend(posts(&page));
    }
    seen.sort_unstable();
    published.sort_unstable();
    assert_eq!(seen, published, "home has all of them, once");
}

on_each_server!(failure_01_who_comes_back_after_weeks_finds_full_pages);
