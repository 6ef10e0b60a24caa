//! What takes too long is ended, what collides is done again, and how long somebody waited for a connection is told.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use daira_core::actor::Actor;
use daira_core::error::ErrorKind;
use daira_core::id::PostId;
use daira_core::port::store::{Access, Lock};
use daira_core::port::{Group, Ports, Store as _};
use daira_core::testkit::fixture::{Fixture, PLATFORM};
use daira_store::postgres::PgStore;
use daira_store::postgres::testing::{Server, TestDatabase};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::conformance::{ports, ports_over};

/// Sets something for a role's sessions in this database, as an operator would for the role.
async fn set(database: &TestDatabase, role: &str, what: &str) {
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let sql = format!("alter role {role} in database {} set {what}", database.name());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
}

/// The limits that every session of the programs' roles begins with.
async fn sessions_have_limits(server: Server) {
    let database = server.database().await.unwrap();
    for (url, statement) in [(database.config().app_url, "5s"), (database.config().worker_url, "1min")] {
        let mut session = PgConnection::connect(&url).await.unwrap();
        for (limit, value) in
            [("statement_timeout", statement), ("lock_timeout", "3s"), ("idle_in_transaction_session_timeout", "30s")]
        {
            let sql = AssertSqlSafe(format!("show {limit}"));
            assert_eq!(sqlx::query_scalar::<_, String>(sql).fetch_one(&mut session).await.unwrap(), value, "{limit}");
        }
    }
}

/// Holds a post, and tells how an attempt at it ends meanwhile.
async fn kept_from(server: Server, limits: &[&str]) -> ErrorKind {
    let database = server.database().await.unwrap();
    for limit in limits {
        set(&database, "daira_app", limit).await;
    }
    let store = database.store().await.unwrap();
    let world = Fixture::new(ports_over(&store));
    let mona = world.person("mona").await;
    let post = world.post(&mona, "محجوز").await;
    let mut holder = store.begin(&PLATFORM).await.unwrap();
    holder.posts().post(post.id, Lock::Update).await.unwrap();
    let mut unit = store.begin(&mona.actor()).await.unwrap();
    let ended = unit.posts().post(post.id, Lock::Update).await.unwrap_err();
    drop((unit, holder));
    let mut unit = store.begin(&mona.actor()).await.unwrap();
    assert!(unit.posts().post(post.id, Lock::Update).await.unwrap().is_some(), "and later it is to be had");
    ended.kind()
}

async fn a_lock_and_a_statement_are_not_waited_for_without_end(server: Server) {
    assert_eq!(kept_from(server, &["lock_timeout = '100ms'"]).await, ErrorKind::Unavailable);
    assert_eq!(kept_from(server, &["lock_timeout = 0", "statement_timeout = '100ms'"]).await, ErrorKind::Unavailable);
}

/// A unit that its process forgot holds nobody up, and takes nobody else's connection with it.
async fn a_unit_that_idles_is_ended(server: Server) {
    let database = server.database().await.unwrap();
    set(&database, "daira_app", "idle_in_transaction_session_timeout = '200ms'").await;
    let mut config = database.config();
    config.app_connections = 1;
    let store = PgStore::connect(&config).await.unwrap();
    let world = Fixture::new(ports_over(&store));
    let mona = world.person("mona").await;
    let post = world.post(&mona, "منسي").await;
    let mut forgotten = store.begin(&mona.actor()).await.unwrap();
    assert!(forgotten.posts().post(post.id, Lock::Update).await.unwrap().is_some());
    // The platform waits for the row for longer than its owner may idle.
    let mut other = store.begin(&PLATFORM).await.unwrap();
    assert!(other.posts().post(post.id, Lock::Update).await.unwrap().is_some());
    other.commit().await.unwrap();
    assert_eq!(forgotten.posts().post(post.id, Lock::None).await.unwrap_err().kind(), ErrorKind::Unavailable);
    drop(forgotten);
    assert!(world.sees(&mona.actor(), &post).await);
}

/// Two units lock two rows in opposite orders: the database ends one of them, and it is done again.
async fn a_deadlock_is_untangled_and_both_are_done(server: Server) {
    let (ports, _database) = ports(server).await;
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let (one, two) = (world.post(&mona, "1").await.id, world.post(&mona, "2").await.id);
    let (met, tries) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let mut both = JoinSet::new();
    for posts in [[one, two], [two, one]] {
        let (ports, met, tries) = (ports.clone(), Arc::clone(&met), Arc::clone(&tries));
        both.spawn(async move { lock_both(&ports, posts, &met, &tries).await });
    }
    while let Some(done) = both.join_next().await {
        assert!(done.unwrap());
    }
    assert!(tries.load(Ordering::Relaxed) >= 3, "one of them was begun again");
}

async fn lock_both(ports: &Ports, posts: [PostId; 2], met: &Barrier, tries: &AtomicU32) -> bool {
    let done = ports.transact(&PLATFORM, |mut unit| {
        Box::pin(async move {
            let first = unit.posts().post(posts[0], Lock::Update).await?;
            // In the first try of each, both hold one before either asks for the other.
            if tries.fetch_add(1, Ordering::Relaxed) < 2 {
                met.wait().await;
            }
            Ok(first.is_some() && unit.posts().post(posts[1], Lock::Update).await?.is_some())
        })
    });
    done.await.unwrap()
}

/// On a standing snapshot a row that somebody else changed cannot be changed: that is told as what can be tried again.
async fn a_unit_that_cannot_be_put_in_order_may_be_tried_again(server: Server) {
    const GROUP: Group = Group { name: "order", topics: &["daira.post.v1"], rebuilds: true };
    let (ports, _database) = ports(server).await;
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let post = world.post(&mona, "قبل").await;
    let (mut unit, _) = ports.maintenance.snapshot(&Actor::System("order"), GROUP, 10).await.unwrap();
    world.edit(&post, |post| post.text.push('!')).await;
    let refused = unit.posts().post(post.id, Lock::Update).await.unwrap_err();
    assert!(refused.kind() == ErrorKind::Serialization && refused.is_retryable(), "{refused:?}");
}

async fn a_full_pool_is_told_and_its_waits_are_counted(server: Server) {
    let database = server.database().await.unwrap();
    let mut config = database.config();
    (config.app_connections, config.acquire_timeout) = (2, Duration::from_millis(150));
    let store = PgStore::connect(&config).await.unwrap();
    let app = || store.pools().into_iter().find(|pool| pool.name == "app").unwrap();
    let before = app();
    assert_eq!((before.most, before.size - before.idle), (2, 0));
    let held = [store.begin(&Actor::Anonymous).await.unwrap(), store.begin(&Actor::Anonymous).await.unwrap()];
    let full = app();
    assert_eq!((full.size, full.idle, full.waits.count), (2, 0, before.waits.count + 2));
    assert_eq!(store.begin(&Actor::Anonymous).await.map(drop).unwrap_err().kind(), ErrorKind::Unavailable);
    let waits = app().waits;
    assert_eq!(waits.count, full.waits.count + 1, "in vain, and counted");
    assert!(waits.sum >= full.waits.sum + Duration::from_millis(150));
    assert_eq!(waits.within.iter().sum::<u64>(), waits.count);
    drop(held);
    assert!(store.read(&Actor::Anonymous, Access::Read).await.is_ok());
    let names: Vec<_> = store.pools().iter().map(|pool| pool.name).collect();
    assert_eq!(names, ["app", "questions", "worker"]);
    // Questions have connections of their own.
    let world = Fixture::new(ports_over(&store));
    let mona = world.person("mona").await;
    let post = world.candidate(world.post(&mona, "سؤال").await.id).await;
    store.cards(&mona.actor(), &[post]).await.unwrap();
    let questions = store.pools()[1];
    assert_eq!((questions.most, questions.size, questions.idle, questions.waits.count), (1, 1, 1, 1));
}

on_each_server!(
    sessions_have_limits,
    a_lock_and_a_statement_are_not_waited_for_without_end,
    a_unit_that_idles_is_ended,
    a_deadlock_is_untangled_and_both_are_done,
    a_unit_that_cannot_be_put_in_order_may_be_tried_again,
    a_full_pool_is_told_and_its_waits_are_counted,
);
