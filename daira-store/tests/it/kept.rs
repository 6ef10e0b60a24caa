//! That what is kept of ties, cards and counters rests on what Postgres notes of their changes: without any one of the triggers, the kit's
//! case fails.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};

use daira_core::id::Id as _;
use daira_core::port::Ports;
use daira_core::port::store::{Candidate, CounterDelta, CounterField, Signals};
use daira_core::post::{Post, Visibility};
use daira_core::testkit::fixture::{Fixture, PLATFORM, Person};
use daira_core::testkit::store::feed::{
    candidates_follow_every_change_of_ties, cards_follow_every_change, signals_carry_counters,
};
use daira_store::postgres::testing::Server;
use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

async fn a_post_deleted_by_hand_is_gone(ports: &Ports, admin: &mut PgConnection) {
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let post = world.published(&mona, "1").await;
    let shown = async || {
        let found = world.ports.store.candidates(&ali.actor(), world.now(), 1).await.unwrap();
        world.ports.store.cards(&ali.actor(), &found).await.unwrap().len()
    };
    assert_eq!(shown().await, 1);
    sqlx::query("delete from daira.post where id = $1").bind(post.id.raw()).execute(admin).await.unwrap();
    assert_eq!(shown().await, 0);
}

/// A change that begins before what is kept was read, and commits after later ones were told.
async fn a_change_that_commits_late_is_told(server: Server) {
    let (ports, _database) = ports(server).await;
    let world = Fixture::new(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let early = world.published(&mona, "قبل").await;
    let mut other = world.published(&mona, "1").await;
    let shown = async || {
        let found = world.ports.store.candidates(&ali.actor(), world.now(), 2).await.unwrap();
        let mut cards = world.ports.store.cards(&ali.actor(), &found).await.unwrap();
        cards.sort_by_key(|card| card.post.id);
        cards.into_iter().map(|card| (card.post.text.clone(), card.counters.reactions)).collect::<Vec<_>>()
    };
    let of = |text: &str, reactions: i64| (text.to_owned(), reactions);
    let reactions = |post: &Post| CounterDelta { field: CounterField::PostReactions, subject: post.id.raw(), delta: 1 };
    let mut late = world.unit(&PLATFORM).await;
    let edited = Post { text: "بعد".into(), version: early.version + 1, ..early.clone() };
    late.posts().update(&edited, None).await.unwrap();
    late.counters().apply(&[reactions(&early)]).await.unwrap();
    for n in 2..20 {
        assert_eq!(shown().await, [of("قبل", 0), of(&other.text, n - 2)]);
        other = world.edit(&other, |post| post.text = n.to_string()).await;
        world.count(CounterField::PostReactions, other.id.raw(), 1).await;
        assert_eq!(shown().await, [of("قبل", 0), of(&n.to_string(), n - 1)]);
    }
    late.commit().await.unwrap();
    assert_eq!(shown().await, [of("بعد", 1), of("19", 18)]);
}

/// Whatever is written while others read: who asks after a commit is shown it.
async fn nobody_is_shown_what_was_before_a_commit(server: Server) {
    const EDITS: usize = 60;
    let (ports, _database) = ports(server).await;
    let world = Fixture::new(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let mut posts = Vec::new();
    for _ in 0..4 {
        posts.push(world.published(&mona, "0").await);
    }
    // The number that each post's text had reached when it was committed last.
    let committed: Vec<AtomicUsize> = posts.iter().map(|_| AtomicUsize::new(0)).collect();
    let open = AtomicUsize::new(posts.len());
    let write = async |at: usize| {
        let mut post = posts[at].clone();
        for n in 1..=EDITS {
            post = world.edit(&post, |post| post.text = n.to_string()).await;
            world.count(CounterField::PostReactions, post.id.raw(), 1).await;
            committed[at].store(n, Ordering::SeqCst);
        }
        open.fetch_sub(1, Ordering::SeqCst);
    };
    let read = async || {
        let mut pages = 0;
        while open.load(Ordering::SeqCst) > 0 {
            let before: Vec<usize> = committed.iter().map(|n| n.load(Ordering::SeqCst)).collect();
            let found = world.ports.store.candidates(&ali.actor(), world.now(), 4).await.unwrap();
            let cards = world.ports.store.cards(&ali.actor(), &found).await.unwrap();
            assert_eq!(cards.len(), 4);
            for (post, before) in posts.iter().zip(before) {
                let card = cards.iter().find(|card| card.post.id == post.id).unwrap();
                for shown in [card.post.text.parse().unwrap(), usize::try_from(card.counters.reactions).unwrap()] {
                    assert!(shown >= before, "{shown} where {before} was committed");
                }
            }
            pages += 1;
        }
        pages
    };
    let (.., first, second, third) = tokio::join!(write(0), write(1), write(2), write(3), read(), read(), read());
    assert!(first.min(second).min(third) > 10, "{first}, {second} and {third} pages");
}

/// Between finding and showing, the author removes a follower, then edits the post for followers only; another reader's page
/// comes by that edit meanwhile.
async fn nobody_is_shown_what_was_written_after_they_were_removed(server: Server) {
    let (ports, _database) = ports(server).await;
    let world = Fixture::new(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    for reader in [&ali, &sara] {
        world.follow(reader, &mona).await;
    }
    let post = world.published(&mona, "for all").await;
    let find = async |who: &Person| world.ports.store.candidates(&who.actor(), world.now(), 1).await.unwrap();
    let show = async |who: &Person, found: &[Candidate]| {
        let cards = world.ports.store.cards(&who.actor(), found).await.unwrap();
        cards.first().map(|card| card.post.text.clone())
    };
    let found = find(&ali).await;
    assert_eq!(show(&ali, &found).await.as_deref(), Some("for all"));
    world.unfollow(&ali, &mona).await;
    let secret = |post: &mut Post| (post.text, post.visibility) = ("for few".into(), Visibility::Followers);
    world.edit(&post, secret).await;
    for _ in 0..2 {
        assert_eq!(show(&sara, &find(&sara).await).await.as_deref(), Some("for few"));
    }
    assert_eq!(show(&ali, &found).await, None);
}

async fn what_is_deleted_by_hand_is_gone(server: Server) {
    let (ports, database) = ports(server).await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    a_post_deleted_by_hand_is_gone(&ports, &mut admin).await;
}

/// Impressions that rank otherwise than before are a change: what the trigger asks and what the kernel rounds agree.
async fn every_step_of_impressions_is_noted(server: Server) {
    let database = server.database().await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let written = "insert into daira.post_counter (post, impressions)
        select 1000000 * d + n, n from unnest(array[1, 7, 8, 60, 900]) d, generate_series(0, 4200) n";
    sqlx::raw_sql(written).execute(&mut admin).await.unwrap();
    let added = "update daira.post_counter set impressions = impressions + post / 1000000";
    sqlx::raw_sql(added).execute(&mut admin).await.unwrap();
    let rows = "select post % 1000000, impressions, version > 1 from daira.post_counter";
    let rows: Vec<(i64, i64, bool)> = sqlx::query_as(rows).fetch_all(&mut admin).await.unwrap();
    for (before, after, noted) in &rows {
        let step = Signals::in_steps(*before) != Signals::in_steps(*after);
        assert!(!step || *noted, "{before} to {after}");
    }
    let unnoted = rows.iter().filter(|(_, _, noted)| !noted).count();
    assert!(unnoted > 5_000, "most small changes are none: {unnoted}");
}

async fn a_change_that_is_not_noted_is_noticed(server: Server) {
    for (function, triggers) in
        [("ties_changed", 8), ("card_changed", 3), ("counter_changed", 1), ("counters_changed", 1)]
    {
        let all = format!(
            "select tgrelid::regclass::text, tgname::text from pg_trigger where tgfoid = 'daira.{function}'::regproc"
        );
        let (_ports, database) = ports(server).await;
        let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
        let all: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(all)).fetch_all(&mut admin).await.unwrap();
        assert_eq!(all.len(), triggers);
        for (table, trigger) in all {
            let (ports, database) = ports(server).await;
            let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
            let off = AssertSqlSafe(format!("alter table {table} disable trigger {trigger}"));
            sqlx::raw_sql(off).execute(&mut admin).await.unwrap();
            let case = async {
                match (function, &*trigger) {
                    ("ties_changed", _) => candidates_follow_every_change_of_ties(&ports).await,
                    ("counter_changed" | "counters_changed", _) => signals_carry_counters(&ports).await,
                    (_, "card_gone") => a_post_deleted_by_hand_is_gone(&ports, &mut admin).await,
                    _ => cards_follow_every_change(&ports).await,
                }
            };
            let looked = AssertUnwindSafe(case).catch_unwind().await;
            assert!(looked.is_err(), "nothing noticed that {trigger} of {table} is off");
        }
    }
}

on_each_server!(
    a_change_that_commits_late_is_told,
    nobody_is_shown_what_was_before_a_commit,
    nobody_is_shown_what_was_written_after_they_were_removed,
    what_is_deleted_by_hand_is_gone,
    every_step_of_impressions_is_noted,
    a_change_that_is_not_noted_is_noticed
);
