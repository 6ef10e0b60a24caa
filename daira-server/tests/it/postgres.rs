//! GraphQL over a real PostgreSQL: every name that others rely on, statements counted, and work that is given up.

use std::cell::Cell;
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::http::StatusCode;
use daira_core::id::PostId;
use daira_core::post::CreatePost;
use daira_core::reaction::{ReactionKind, Target};
use daira_core::secret::Secret;
use daira_core::testkit::fixture::Fixture;
use daira_server::graphql::GraphqlSettings;
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::harness::{Person, Stage};
use crate::real::Real;

async fn every_name_works(server: Server) {
    let stage = Real::on(server, HttpSettings::default()).await;
    let (mona, joined) = (stage.join("mona").await, stage.join("omar").await);
    let log_in = json!({ "email": "omar@example.com", "password": "kahraba nour shams", "device": "Phone" });
    let tokens = "tokens { accessToken refreshToken accessExpiresAt }";
    let phone = stage.done(None, "logIn", log_in, tokens).await["tokens"].clone();
    let refresh = json!({ "refreshToken": phone["refreshToken"] });
    let fresh = stage.done(None, "refreshSession", refresh, tokens).await["tokens"].clone();
    let omar = Person { token: fresh["accessToken"].as_str().unwrap().to_owned(), ..joined };
    stage.done(Some(&omar), "follow", json!({ "profileId": mona.id }), "outcome").await;
    stage.settle().await;
    let mut posts = Vec::new();
    for text in ["صباح الفل يا #مصر", "3ayez arou7 el ahly", "good morning"] {
        posts.push(stage.publish(&mona, json!({ "text": text })).await);
    }
    stage.settle().await;

    let page = "edges { cursor node { id text author { handle } } } pageInfo { hasNextPage endCursor }";
    for feed in ["homeFeed", "followingFeed"] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        for expected in [2, 1] {
            let document = format!("query ($after: String) {{ {feed}(first: 2, after: $after) {{ {page} }} }}");
            let reply = stage.ask_with(Some(&omar), &document, json!({ "after": after })).await;
            let answer = reply.data(&format!("/{feed}"));
            let edges = answer["edges"].as_array().unwrap();
            assert_eq!(edges.len(), expected, "{answer}");
            seen.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()));
            after = answer["pageInfo"]["endCursor"].clone();
            assert_eq!(answer["pageInfo"]["hasNextPage"], expected == 2);
        }
        seen.sort();
        assert_eq!(seen, posts, "{feed}");
    }
    stage.state.services.feed.recorder().flush(&stage.ports).await.unwrap();
    let document = "query ($id: ID!) { whyThis(post: $id) { source sentences } node(id: $id) { __typename id } \
                    me { profile { handle } } search(query: \"mon\", types: [PROFILE, HASHTAG], first: 5) { edges { node { ... on Profile { handle } } } pageInfo { endCursor } } }";
    let reply = stage.ask_with(Some(&omar), document, json!({ "id": posts[0] })).await;
    assert_eq!(reply.json().get("errors"), None, "{}", reply.text);
    assert_eq!(reply.data("/whyThis/source"), "FOLLOW");
    assert_eq!(reply.data("/node"), json!({ "__typename": "Post", "id": posts[0] }));
    assert_eq!(reply.data("/me/profile/handle"), "omar");
    assert_eq!(reply.data("/search/edges"), json!([{ "node": { "handle": "mona" } }]));
    let after = json!({ "after": reply.data("/search/pageInfo/endCursor") });
    let rest = "query ($after: String) { search(query: \"mon\", first: 5, after: $after) { edges { cursor } } }";
    assert_eq!(stage.ask_with(Some(&omar), rest, after).await.data("/search/edges"), json!([]));
}

#[tokio::test]
async fn every_name_works_on_the_oldest_postgresql() {
    Box::pin(every_name_works(Server::Pg15)).await;
}

#[tokio::test]
async fn every_name_works_on_the_newest_postgresql() {
    Box::pin(every_name_works(Server::Pg18)).await;
}

thread_local! {
    /// How many statements this thread sent. A test and what it serves are one thread.
    static SENT: Cell<usize> = const { Cell::new(0) };
}

/// Counts the statements that the driver tells of.
struct Statements;

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            SENT.set(SENT.get() + 1);
        }
    }
}

/// Counts from now on.
fn count_statements() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Statements)).unwrap();
    });
}

/// Somebody in a crowd: thirty people who follow and are followed, a hundred and twenty posts, and a post of one's own under
/// which all of them comment and react. Every list is longer than a page of ten.
async fn crowd(stage: &Real) -> (Person, String) {
    let reader = stage.join("reader").await;
    let services = &stage.state.services;
    let actor = services.accounts.authenticate(&Secret::new(reader.token.as_str())).await.unwrap();
    let busy = stage.publish(&reader, json!({ "text": "يا جماعة #صباح" })).await;
    let own: PostId = busy.parse().unwrap();
    let world = Fixture::new(stage.ports.clone());
    for n in 0..30 {
        let author = world.person(format!("author{n}").as_str()).await;
        services.graph.follow(&actor, author.id, None).await.unwrap();
        let author = author.actor();
        services.graph.follow(&author, reader.id.parse().unwrap(), None).await.unwrap();
        services.comments.create(&author, own, None, &format!("تعليق {n}"), None).await.unwrap();
        services.reactions.react(&author, Target::Post(own), ReactionKind::Love, None).await.unwrap();
        for m in 0..4 {
            let text = format!("بوست {n} {m} يا @reader #صباح #صباح{n}");
            services.posts.create(&author, &CreatePost::public(text), None).await.unwrap();
        }
    }
    stage.settle().await;
    (reader, busy)
}

#[tokio::test]
async fn security_70_statements_do_not_grow_with_the_page() {
    let mut stage = Real::on(Server::Pg15, HttpSettings::default()).await;
    let (reader, busy) = crowd(&stage).await;
    stage.be_quiet().await;
    count_statements();
    let author = "author { handle avatar { id } counters { followers } relation { follows } }";
    let post = format!("text viewerReaction counters {{ reactions }} mentions {{ handle }} media {{ alt }} {author}");
    let person = "handle name counters { posts } relation { followedBy } avatar { id }";
    let pages = [
        // Twice as many candidates are ranked; where the reader's own sources have fewer, one more statement finds others'.
        ("/homeFeed", 50, format!("homeFeed(first: $n) {{ edges {{ cursor node {{ {post} }} }} }}")),
        ("/followingFeed", 100, format!("followingFeed(first: $n) {{ edges {{ cursor node {{ {post} }} }} }}")),
        (
            "/hashtag/posts",
            100,
            format!("hashtag(tag: \"صباح\") {{ posts(first: $n) {{ edges {{ node {{ {post} }} }} }} }}"),
        ),
        (
            "/me/profile/followers",
            30,
            format!("me {{ profile {{ followers(first: $n) {{ edges {{ node {{ {person} }} }} }} }} }}"),
        ),
        (
            "/me/profile/following",
            30,
            format!("me {{ profile {{ following(first: $n) {{ edges {{ node {{ {person} }} }} }} }} }}"),
        ),
        (
            "/search",
            30,
            format!("search(query: \"author\", first: $n) {{ edges {{ node {{ ... on Profile {{ {person} }} }} }} }}"),
        ),
        (
            "/post/comments",
            30,
            format!(
                "post(id: \"{busy}\") {{ comments(first: $n) {{ edges {{ node {{ text {author} post {{ id }} parent {{ id }} }} }} }} }}"
            ),
        ),
        (
            "/post/reactions",
            30,
            format!("post(id: \"{busy}\") {{ reactions(first: $n) {{ edges {{ kind node {{ {person} }} }} }} }}"),
        ),
        (
            "/notifications",
            60,
            "notifications(first: $n) { edges { node { text actors { handle } post { text } comment { text } } } }"
                .to_owned(),
        ),
    ];
    for (path, most, page) in pages {
        let mut counts = Vec::new();
        for n in [10, most] {
            SENT.set(0);
            let document = format!("query ($n: Int!) {{ {page} }}");
            let reply = stage.ask_with(Some(&reader), &document, json!({ "n": n })).await;
            assert_eq!(reply.json().get("errors"), None, "{}", reply.text);
            assert_eq!(reply.data(&format!("{path}/edges")).as_array().map(Vec::len), Some(n), "{path}");
            counts.push(SENT.get());
        }
        assert!(counts[0] > 0 && counts[0] == counts[1], "{path} asks the database more for more items: {counts:?}");
    }
}

#[tokio::test]
async fn security_69_what_takes_too_long_does_not_run_on_in_the_database() {
    let stage = Real::on(Server::Pg15, HttpSettings::default()).await;
    let mona = stage.join("mona").await;
    // The same with less patience: joining and reading on must not hang on how fast this machine is.
    let graphql = GraphqlSettings { timeout: Duration::from_millis(300), ..GraphqlSettings::default() };
    let settings = HttpSettings { graphql, ..HttpSettings::default() };
    let hasty = Stage::on(settings, stage.ports.clone(), Arc::default());
    let mut admin = PgConnection::connect(&stage.database.admin_url()).await.unwrap();
    // Another connection looks: what runs is shown as it was at the beginning of a transaction.
    let mut looking = PgConnection::connect(&stage.database.admin_url()).await.unwrap();
    let mut holding = admin.begin().await.unwrap();
    // Whoever reads posts now waits.
    sqlx::query("lock table daira.post in access exclusive mode").execute(&mut *holding).await.unwrap();
    let reply = hasty.ask_as(&mona, "{ homeFeed { edges { node { text } } } }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "graphql.timed_out"));
    // The lock is still held, so what was asked ends by being cancelled, or never.
    let mut left = i64::MAX;
    for _ in 0..1_200 {
        let running = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'daira_app' \
                       and state <> 'idle'";
        left = sqlx::query_scalar(running).fetch_one(&mut looking).await.unwrap();
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(left, 0, "nothing is left behind");
    holding.rollback().await.unwrap();
    let reply = stage.ask_as(&mona, "{ homeFeed { edges { node { text } } } }").await;
    assert_eq!(reply.data("/homeFeed/edges"), json!([]), "and the connection serves on");
}
