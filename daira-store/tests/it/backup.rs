//! What was backed up comes back whole, with its guards up, and life goes on in it: from a dump, and from a copy of the files.

use std::fs;
use std::path::Path;
use std::process::Command;

use daira_core::port::Group;
use daira_core::secret::Secret;
use daira_core::testkit::fixture::Fixture;
use daira_store::postgres::testing::Server;
use daira_store::postgres::{Bootstrap, PgBus, PgStore, PgStoreConfig, gate, schema_state};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::conformance::ports_over;
use crate::event_log::QUICK;
use crate::failover::{Yard, delivered, told};

const GROUP: Group = Group { name: "backup", topics: &["daira.post.v1"], rebuilds: false };

/// Writes and delivers an event, on a log that ticks.
async fn lives(store: &PgStore, config: &PgStoreConfig, number: i64) {
    let bus = PgBus::new(store, QUICK);
    let mut ticking = JoinSet::new();
    ticking.spawn(PgBus::ticker(&config.worker_url).unwrap().run(core::future::pending()));
    told(store, number).await;
    assert_eq!(delivered(&bus, GROUP).await, [number], "each event once");
    // Left as a process leaves it that ends in order.
    daira_core::port::EventBus::release(&bus, GROUP, "one").await.unwrap();
    ticking.shutdown().await;
}

async fn says(url: &str, sql: String) {
    let mut db = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
}

/// An address as others read it, without what only our driver knows.
fn plain(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// As `docs/OPERATIONS.md` tells it. The newest version's programs come without `pg_dump`, and an older one refuses its server.
#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_restored_with_guards_and_log() {
    let database = Server::Pg15.database().await.unwrap();
    let store = database.store().await.unwrap();
    let world = Fixture::new(ports_over(&store));
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let post = world.published(&mona, "محفوظ").await;
    lives(&store, &database.config(), 1).await;
    let before = world.cards(&ali.actor(), &[post.id]).await;

    let bin = std::env::var_os("DAIRA_TEST_PG15_BIN").expect("`cargo xtask services up` says where the programs are");
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(Path::new(&bin).join(program)).args(arguments).output().unwrap();
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let file = std::env::temp_dir().join(format!("daira-dump-{}", std::process::id()));
    let dump = file.display().to_string();
    run(
        "pg_dump",
        &["--format=custom", "--role=daira_backup", "--file", &dump, "--dbname", plain(&database.admin_url())],
    );

    let (admin, name) = (database.admin_url(), format!("{}_restored", database.name()));
    says(&admin, format!("create database {name} owner daira_owner template template0 encoding 'UTF8'")).await;
    let closing = "revoke all on database NAME from public; grant connect on database NAME to daira_app, daira_worker, daira_backup";
    says(&admin, closing.replace("NAME", &name)).await;
    let url = admin.replace(database.name(), &name);
    run("pg_restore", &["--exit-on-error", "--dbname", plain(&url), &dump]);
    says(&url, "set role daira_owner; select daira.restart_event_log()".to_owned()).await;

    let mut config = database.config();
    config.app_url = config.app_url.replace(database.name(), &name);
    config.worker_url = config.worker_url.replace(database.name(), &name);
    assert!(schema_state(&config.worker_url).await.unwrap().pending.is_empty());
    assert!(gate::inspect(&config.app_url).await.unwrap().is_empty(), "every guard is up");
    let restored = PgStore::connect(&config).await.unwrap();
    let world = Fixture::new(ports_over(&restored));
    assert_eq!(world.cards(&ali.actor(), &[post.id]).await, before);
    lives(&restored, &config, 2).await;
    restored.close().await;
    says(&admin, format!("drop database {name} with (force)")).await;
    fs::remove_file(file).unwrap();
}

/// Roles under row security see some rows: a dump by them says so and fails, instead of looking whole.
#[tokio::test(flavor = "multi_thread")]
async fn security_61_a_dump_that_would_miss_rows_fails() {
    let database = Server::Pg15.database().await.unwrap();
    let bin = std::env::var_os("DAIRA_TEST_PG15_BIN").expect("`cargo xtask services up` says where the programs are");
    let admin = database.admin_url();
    for role in ["daira_app", "daira_worker"] {
        let role = format!("--role={role}");
        let arguments = [role.as_str(), "--schema=daira", "--table=daira.post", "--dbname", plain(&admin)];
        let dumped = Command::new(Path::new(&bin).join("pg_dump")).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&dumped.stderr);
        assert!(!dumped.status.success() && told.contains("row-level security"), "{role}: {told}");
    }
}

/// A copy of the files of a server that runs and is written to, made between the two calls that PostgreSQL has for that.
async fn a_copy_of_the_files_is_started_elsewhere(server: Server) {
    let yard = Yard::new(server);
    yard.set_up("one");
    let admin = format!("postgres://postgres@127.0.0.1:{}/postgres", yard.start("one", ""));
    let plan = Bootstrap::new("daira", Secret::new("app"), Secret::new("worker"));
    let config = plan.run(&admin).await.unwrap();
    let store = PgStore::connect(&config).await.unwrap();
    let world = Fixture::new(ports_over(&store));
    let mona = world.person("mona").await;
    let first = world.post(&mona, "قبل").await;
    lives(&store, &config, 1).await;
    let mut session = PgConnection::connect(&admin).await.unwrap();
    sqlx::raw_sql("select pg_backup_start('daira', true)").execute(&mut session).await.unwrap();
    let second = world.post(&mona, "وقت النسخ").await;
    yard.copy("one", "two", "");
    let label: String =
        sqlx::query_scalar("select labelfile from pg_backup_stop(false)").fetch_one(&mut session).await.unwrap();
    let third = world.post(&mona, "بعد النسخ").await;
    // The log up to the end of the copy belongs to it; what came later may be in it or not.
    yard.copy("one", "two", "pg_wal");
    yard.give("two", "backup_label", &label);
    store.close().await;
    drop(session);
    yard.control("one", &["stop", "-m", "immediate"]);

    let admin = format!("postgres://postgres@127.0.0.1:{}/postgres", yard.start("two", ""));
    let config = plan.addresses(&admin).unwrap();
    let restored = PgStore::connect(&config).await.unwrap();
    let world = Fixture::new(ports_over(&restored));
    let found = world.cards(&mona.actor(), &[first.id, second.id, third.id]).await;
    assert!(found.len() >= 2 && found.iter().any(|card| card.post.id == second.id), "{found:?}");
    assert!(gate::inspect(&config.app_url).await.unwrap().is_empty(), "every guard is up");
    lives(&restored, &config, 2).await;
    restored.close().await;
}

on_each_server!(a_copy_of_the_files_is_started_elsewhere);
