//! Behind a pooler in transaction mode: many clients take turns on few connections of the server, and nobody's rights stay
//! behind on one for the next.

use core::time::Duration;
use std::collections::BTreeSet;

use daira_core::actor::Actor;
use daira_core::error::{ErrorKind, Result};
use daira_core::id::{Id as _, PostId};
use daira_core::port::Store;
use daira_core::port::store::{Access, Lock};
use daira_core::post::Visibility;
use daira_core::testkit::fixture::{Person, Writing};
use daira_store::postgres::PgStore;
use daira_store::postgres::testing::Server;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Guarded;

/// The pooler's connections for one role to one database.
const SERVERS: usize = 6;

async fn learns(store: &PgStore, actor: &Actor, post: PostId) -> Result<bool> {
    Ok(store.begin(actor).await?.posts().post(post, Lock::None).await?.is_some())
}

/// One of many clients: now one person, now another, now nobody, who commit, fail, give up and drop their units.
async fn client(store: PgStore, own: Vec<(Actor, PostId)>, nth: usize) {
    for round in 0..60 {
        let (actor, post) = own[(nth + round) % own.len()].clone();
        assert!(learns(&store, &actor, post).await.unwrap(), "one's own");
        match round % 5 {
            0 => {
                let mut unit = store.begin(&actor).await.unwrap();
                assert!(unit.posts().post(post, Lock::Share).await.unwrap().is_some());
                unit.commit().await.unwrap();
            }
            1 => {
                let mut view = store.read(&actor, Access::Read).await.unwrap();
                assert_eq!(view.posts().cards(&[post]).await.unwrap().len(), 1);
            }
            2 => {
                // Given up at any moment: while it opens, while it asks, while it holds.
                let work = async {
                    let mut unit = store.begin(&actor).await.unwrap();
                    drop(unit.posts().post(post, Lock::Share).await);
                    core::future::pending::<()>().await;
                };
                let moment = Duration::from_micros(u64::try_from(round * 37 + nth).unwrap() % 3_000);
                assert!(timeout(moment, work).await.is_err());
            }
            _ => drop(store.begin(&actor).await.unwrap()),
        }
        for (other, _) in own.iter().filter(|(_, theirs)| *theirs != post).take(3) {
            assert!(!learns(&store, other, post).await.unwrap(), "another's");
        }
        assert!(!learns(&store, &Actor::Anonymous, post).await.unwrap(), "nobody's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn security_48_49_a_pooled_connection_keeps_nothing_of_who_used_it() {
    let guarded = Guarded::new(Server::Pg15).await;
    let mut own = Vec::new();
    for name in ["mona", "ali", "salma", "omar", "nour"] {
        let person: Person = guarded.world.person(name).await;
        let private = Writing::new("لي").visible(Visibility::Private);
        own.push((person.actor(), guarded.world.post(&person, private).await.id));
    }
    let config = guarded.database.pooled().unwrap();
    let mut clients = JoinSet::new();
    for nth in 0..4 {
        // Each a process of its own, to the pooler.
        let store = PgStore::connect(&config).await.unwrap();
        for task in 0..4 {
            clients.spawn(client(store.clone(), own.clone(), nth * 4 + task));
        }
    }
    // Clients that die in the middle of a transaction, with somebody's rights.
    let member = own[0].0.member().unwrap();
    let (profile, account) = (member.profile.raw(), member.account.raw());
    for _ in 0..20 {
        let mut dying = PgConnection::connect(&config.app_url).await.unwrap();
        let set = format!("begin; set local daira.profile = '{profile}'; set local daira.account = '{account}'");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut dying).await.unwrap();
        drop(dying);
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    // Every connection that was used, each asked what it knows.
    let (mut servers, mut asking) = (BTreeSet::new(), Vec::new());
    for _ in 0..SERVERS {
        let mut raw = PgConnection::connect(&config.app_url).await.unwrap();
        let ask = "begin; select pg_backend_pid(), coalesce(current_setting('daira.profile', true), ''),
                          coalesce(current_setting('daira.account', true), ''), current_user::text, (select count(*) from pg_prepared_statements where name <> '')";
        let told = sqlx::raw_sql(ask).fetch_one(&mut raw).await.unwrap();
        servers.insert(told.get::<i32, _>(0));
        let left =
            (told.get::<String, _>(1), told.get::<String, _>(2), told.get::<String, _>(3), told.get::<i64, _>(4));
        assert_eq!(left, (String::new(), String::new(), "daira_app".to_owned(), 0));
        // Its transaction keeps the server's connection to itself, so the next one asks another.
        asking.push(raw);
    }
    assert_eq!(servers.len(), SERVERS, "all that there are");
    let mut admin = guarded.admin().await;
    let there: Vec<i32> = sqlx::query_scalar(
        "select pid from pg_stat_activity where datname = current_database() and usename = 'daira_app' and pid = any($1)",
    )
    .bind(servers.into_iter().collect::<Vec<_>>())
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!(there.len(), SERVERS, "sixteen clients at once shared six connections");
}

/// Why `statement_cache` is zero there: names of statements are the server connection's, and clients meet on those.
#[tokio::test(flavor = "multi_thread")]
async fn security_59_statements_with_names_do_not_pass_a_pooler() {
    let guarded = Guarded::new(Server::Pg15).await;
    let mona = guarded.world.person("mona").await;
    let post = guarded.world.post(&mona, Writing::new("لي")).await.id;
    let mut config = guarded.database.pooled().unwrap();
    config.statement_cache = 64;
    let (one, other) = (PgStore::connect(&config).await.unwrap(), PgStore::connect(&config).await.unwrap());
    assert!(learns(&one, &mona.actor(), post).await.unwrap());
    assert_eq!(learns(&other, &mona.actor(), post).await.unwrap_err().kind(), ErrorKind::Internal);
    config.statement_cache = 0;
    let (one, other) = (PgStore::connect(&config).await.unwrap(), PgStore::connect(&config).await.unwrap());
    for store in [&one, &other, &one, &other] {
        assert!(learns(store, &mona.actor(), post).await.unwrap());
    }
}
