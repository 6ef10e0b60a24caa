//! Who asks: for one transaction only, and nobody when nobody said so.

use core::time::Duration;
use std::sync::Arc;

use daira_core::actor::Actor;
use daira_core::error::ErrorKind;
use daira_core::id::{Id as _, PostId};
use daira_core::port::Store;
use daira_core::port::store::{Access, Lock};
use daira_core::post::Visibility;
use daira_core::testkit::fixture::Writing;
use daira_store::postgres::PgStore;
use daira_store::postgres::testing::Server;
use sqlx::Connection as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{FORBIDDEN, Guarded, attempt, count};

async fn security_47_without_a_context_nothing_private_is_there(server: Server) {
    let guarded = Guarded::new(server).await;
    let (mona, ali) = (guarded.world.person("mona").await, guarded.world.person("ali").await);
    let circle = guarded.world.circle(&mona, "شلة", &[&ali]).await.id;
    guarded.world.mute(&mona, &ali, true, false).await;
    guarded.world.request(&ali, &mona).await;
    guarded.world.block(&mona, &guarded.world.person("eve").await).await;
    guarded.world.follow(&ali, &mona).await;
    guarded.world.published(&mona, Writing::new("لي").visible(Visibility::Followers)).await;
    for visibility in [Visibility::Private, Visibility::Circle(circle), Visibility::Mentioned] {
        guarded.world.post(&mona, Writing::new("لي").visible(visibility).mention(&ali)).await;
    }
    let mut admin = guarded.admin().await;
    let mut nobody = guarded.app().await;
    for private in [
        "account",
        "credential",
        "session",
        "block",
        "mute",
        "circle",
        "circle_member",
        "follow_request",
        "inbox",
        "affinity",
        "page_served",
        "feed_session",
        "notification",
        "notification_marker",
        "post",
    ] {
        let table = format!("daira.{private}");
        let filled = ["account", "block", "mute", "circle", "circle_member", "follow_request", "inbox", "post"];
        assert!(!filled.contains(&private) || count(&mut admin, &table).await > 0, "{private} has something to hide");
        let read = attempt(&mut nobody, &format!("select * from {table}")).await;
        assert!(read.as_ref().map_or_else(|code| code == FORBIDDEN, |rows| *rows == 0), "{table}: {read:?}");
    }
    for garbage in ["mona", "1.5", "99999999999999999999", "1 or true"] {
        let sql = format!("begin; set local daira.profile = '{garbage}'; select * from daira.post");
        let refused = attempt(&mut nobody, &sql).await;
        assert!(
            refused.as_ref().is_err_and(|code| ["22P02", "22003"].contains(&code.as_str())),
            "{garbage}: {refused:?}"
        );
        assert_eq!(attempt(&mut nobody, "rollback").await, Ok(0));
    }
    let forged = format!("set daira.profile = '{}'; select * from daira.session", mona.id.raw());
    assert_eq!(attempt(&mut nobody, &forged).await, Ok(0), "a face alone opens nothing of the account");
}

/// A store with one connection for people, and a private post of the first of two people.
async fn narrow(guarded: &Guarded, statement_timeout: Option<Duration>) -> PgStore {
    let mut config = guarded.database.config();
    config.app_connections = 1;
    config.statement_timeout = statement_timeout;
    config.acquire_timeout = Duration::from_secs(20);
    PgStore::connect(&config).await.unwrap()
}

async fn learns(store: &PgStore, actor: &Actor, post: PostId) -> bool {
    store.begin(actor).await.unwrap().posts().post(post, Lock::None).await.unwrap().is_some()
}

async fn security_48_a_connection_keeps_nothing_of_who_used_it(server: Server) {
    let guarded = Guarded::new(server).await;
    let (mona, ali) = (guarded.world.person("mona").await, guarded.world.person("ali").await);
    let post = guarded.world.post(&mona, Writing::new("لي").visible(Visibility::Private)).await.id;
    let store = narrow(&guarded, None).await;
    for _ in 0..20 {
        assert!(learns(&store, &mona.actor(), post).await);
        for other in [ali.actor(), Actor::Anonymous] {
            assert!(!learns(&store, &other, post).await, "the next one on the connection");
        }
        let mut unit = store.begin(&mona.actor()).await.unwrap();
        assert!(unit.posts().post(post, Lock::Update).await.unwrap().is_some());
        unit.commit().await.unwrap();
        let mut view = store.read(&ali.actor(), Access::Read).await.unwrap();
        assert!(view.posts().cards(&[post]).await.unwrap().is_empty());
    }
    let used =
        "pg_stat_activity where datname = current_database() and usename = 'daira_app' and application_name = 'daira'";
    assert!(count(&mut guarded.admin().await, used).await >= 1);
    // What is said outside a transaction is lost, not kept for the next: nothing but `set local` is ever said.
    let mut raw = guarded.app().await;
    let mut tx = raw.begin().await.unwrap();
    let sql = "select set_config('daira.profile', '7', true)";
    sqlx::query(sql).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let left: Option<String> = sqlx::query_scalar("select nullif(current_setting('daira.profile', true), '')")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(left, None);
}

/// Questions have connections of their own, outside of any transaction.
async fn security_48_49_a_question_keeps_nothing_of_who_asked(server: Server) {
    let guarded = Guarded::new(server).await;
    let (mona, ali) = (guarded.world.person("mona").await, guarded.world.person("ali").await);
    let post = guarded.world.post(&mona, Writing::new("لي").visible(Visibility::Private)).await.id;
    let post = guarded.world.candidate(post).await;
    let store = narrow(&guarded, None).await;
    let sees = async |actor: &Actor| !store.cards(actor, &[post]).await.unwrap().is_empty();
    for round in 0..50_u64 {
        assert!(sees(&mona.actor()).await);
        // A client that hangs up at any moment.
        let hung_up = timeout(Duration::from_micros(20 * round), store.cards(&mona.actor(), &[post])).await;
        drop(hung_up);
        for other in [ali.actor(), Actor::Anonymous] {
            assert!(!sees(&other).await, "the next one on the connection, round {round}");
        }
    }
    // The server ends all its connections, as a restart does: the next question does not notice.
    let cut =
        "(select pid from pg_stat_activity where datname = current_database() and usename = 'daira_app' offset 0) other
               where pg_terminate_backend(pid)";
    assert!(count(&mut guarded.admin().await, cut).await >= 1);
    assert!(sees(&mona.actor()).await);
    store.close().await;
    assert_eq!(store.cards(&mona.actor(), &[post]).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

async fn security_49_a_thousand_broken_units_leave_no_context_behind(server: Server) {
    const LIMIT: Duration = Duration::from_millis(400);
    let guarded = Guarded::new(server).await;
    let mona = guarded.world.person("mona").await;
    let post = guarded.world.post(&mona, Writing::new("لي").visible(Visibility::Private)).await;
    let store = Arc::new(narrow(&guarded, Some(LIMIT)).await);
    let mut admin = guarded.admin().await;
    let (actor, id) = (mona.actor(), post.id);
    for round in 0..1_000_u64 {
        match round % 4 {
            _ if round % 25 == 24 => {
                // Waits for a row until the statement's time is over.
                let mut holder = admin.begin().await.unwrap();
                sqlx::query("select from daira.post where id = $1 for update")
                    .bind(id.raw())
                    .execute(&mut *holder)
                    .await
                    .unwrap();
                let late = store.begin(&actor).await.unwrap().posts().post(id, Lock::Update).await;
                assert_eq!(late.unwrap_err().kind(), ErrorKind::Unavailable);
                holder.rollback().await.unwrap();
            }
            0 => {
                let mut unit = store.begin(&actor).await.unwrap();
                assert!(unit.posts().post(id, Lock::Share).await.unwrap().is_some());
            }
            1 => {
                let mut unit = store.begin(&actor).await.unwrap();
                assert_eq!(unit.posts().insert(&post).await.unwrap_err().kind(), ErrorKind::IdCollision);
                assert!(unit.commit().await.is_err());
            }
            2 => {
                // Given up at any moment: while it opens, while it asks, while it holds.
                let work = async {
                    let mut unit = store.begin(&actor).await.unwrap();
                    drop(unit.posts().post(id, Lock::Share).await);
                    core::future::pending::<()>().await;
                };
                assert!(timeout(Duration::from_micros(round * 7 % 3_000), work).await.is_err());
            }
            _ => {
                let (store, actor) = (Arc::clone(&store), actor.clone());
                let mut tasks = JoinSet::new();
                tasks.spawn(async move {
                    let mut unit = store.begin(&actor).await.unwrap();
                    assert!(unit.posts().post(id, Lock::Share).await.unwrap().is_some());
                    // A panic that tells nobody: a thousand of them would drown the output.
                    std::panic::resume_unwind(Box::new(()));
                });
                assert!(tasks.join_next().await.unwrap().unwrap_err().is_panic());
            }
        }
        assert!(!learns(&store, &Actor::Anonymous, id).await, "round {round}");
    }
    assert!(learns(&store, &actor, id).await, "and the connection still serves");
}

on_each_server!(
    security_47_without_a_context_nothing_private_is_there,
    security_48_a_connection_keeps_nothing_of_who_used_it,
    security_48_49_a_question_keeps_nothing_of_who_asked,
    security_49_a_thousand_broken_units_leave_no_context_behind,
);
