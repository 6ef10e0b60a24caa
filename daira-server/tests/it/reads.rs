//! What an operation reads: as few look-ups as the question needs, however many items a page has.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use daira_server::http::HttpSettings;
use serde_json::json;

use crate::harness::Stage;
use crate::stores::{Counting, Seen};

async fn world(people: usize) -> (Stage, crate::harness::Person, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let counter = Arc::clone(&seen);
    let stage = Stage::over(HttpSettings::default(), |store| Arc::new(Counting(store, counter)));
    let reader = stage.join("reader").await;
    for n in 0..people {
        let author = stage.join(&format!("author{n}")).await;
        stage.done(Some(&reader), "follow", json!({ "profileId": author.id }), "outcome").await;
        stage.publish(&author, json!({ "text": format!("بوست {n} يا @reader") })).await;
    }
    stage.settle().await;
    (stage, reader, seen)
}

#[tokio::test]
async fn security_70_look_ups_do_not_grow_with_the_page() {
    let (stage, reader, seen) = world(30).await;
    let document = "query ($n: Int!) { homeFeed(first: $n) { edges { cursor node { text viewerReaction counters { reactions } \
                    author { handle avatar { id } counters { followers } relation { follows } } mentions { handle counters { posts } } } } } }";
    let mut counts = Vec::new();
    for n in [1, 10, 30] {
        seen.take();
        let reply = stage.ask_with(Some(&reader), document, json!({ "n": n })).await;
        assert_eq!(reply.data("/homeFeed/edges").as_array().map(Vec::len), Some(n));
        assert_eq!(reply.data("/homeFeed/edges/0/node/mentions/0/handle"), "reader");
        counts.push(seen.take());
    }
    assert_eq!(counts[1], counts[2], "{counts:?}");
    assert!(
        counts.iter().all(|count| *count <= 6),
        "candidates, cards, counters (of two levels), relations, mentioned people: {counts:?}"
    );
}

#[tokio::test]
async fn the_home_feed_alone_costs_two_look_ups() {
    let (stage, reader, seen) = world(5).await;
    let document = "{ homeFeed(first: 20) { edges { cursor node { id text createdAt author { handle name } counters { reactions comments } viewerReaction } } pageInfo { hasNextPage endCursor } } }";
    seen.take();
    let reply = stage.ask_as(&reader, document).await;
    assert_eq!(reply.data("/homeFeed/edges").as_array().map(Vec::len), Some(5));
    assert_eq!(seen.take(), 2, "candidates and cards");
}

#[tokio::test]
async fn an_operation_never_holds_two_views() {
    let (stage, reader, seen) = world(3).await;
    seen.most_open.store(0, Ordering::SeqCst);
    let document = "{ me { profile { handle counters { following } } } homeFeed { edges { node { author { counters { posts } } } } } \
                    search(query: \"author\") { edges { node { ... on Profile { handle relation { follows } } } } } newPostsCount(since: \"2026-01-01T00:00:00Z\") }";
    let reply = stage.ask_as(&reader, document).await;
    assert_eq!(reply.json().get("errors"), None);
    assert_eq!(reply.data("/search/edges/0/node/relation/follows"), true);
    assert_eq!(seen.most_open.load(Ordering::SeqCst), 1);
    assert_eq!(seen.open.load(Ordering::SeqCst), 0, "and gives back the one it held");
}

#[tokio::test]
async fn a_mutation_shows_the_truth_after_the_change() {
    let (stage, reader, _) = world(1).await;
    let document = "mutation { a: updateProfile(input: { bio: \"الأولى\" }) { profile { bio } } b: updateProfile(input: { bio: \"التانية\" }) { profile { bio } } }";
    let reply = stage.ask_as(&reader, document).await;
    assert_eq!(
        reply.json()["data"],
        json!({ "a": { "profile": { "bio": "الأولى" } }, "b": { "profile": { "bio": "التانية" } } })
    );
}
