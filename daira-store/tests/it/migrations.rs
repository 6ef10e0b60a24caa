//! An upgrade must not stop the service: what a migration may not do once a release is out, and how migrations behave when
//! somebody is in their way, when two programs begin at once, and when they are cut off.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daira_core::error::ErrorKind;
use daira_core::secret::Secret;
use daira_store::postgres::testing::Server;
use daira_store::postgres::{Bootstrap, gate, migrate, migrate_to, schema_state};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// The last migration of the first release: it lays an empty database, so nobody waits for it.
const FIRST_RELEASE: u32 = 4;

/// What a statement may not do to a table that is in use, and what to do instead.
const RULES: &[(&str, &[&str], &[&str])] = &[
    // (why, words that must all be there, words any of which make it harmless)
    (
        "an index is built concurrently, in a file of its own marked `-- no-transaction`, once there are rows",
        &["create", "index"],
        &["concurrently", "-- before the first release"],
    ),
    ("an index goes concurrently", &["drop index"], &["concurrently"]),
    ("an index is rebuilt concurrently", &["reindex"], &["concurrently"]),
    (
        "a column's type is not changed: add another and fill it in a job",
        &["alter table", "alter column", " type "],
        &[],
    ),
    (
        "a column becomes not null by a check that is added `not valid` and validated later",
        &["alter table", "set not null"],
        &[],
    ),
    ("a new column is nullable or has a constant default", &["alter table", "add column", "not null"], &["default"]),
    ("a default that is computed for each row rewrites the table", &["alter table", "add column", "default", "("], &[]),
    (
        "a constraint is added `not valid` and validated by a later statement",
        &["alter table", "add constraint", "check"],
        &["not valid"],
    ),
    (
        "a foreign key is added `not valid` and validated by a later statement",
        &["alter table", "references"],
        &["not valid"],
    ),
    (
        "a unique key is made of an index that was built concurrently",
        &["alter table", "add", "unique"],
        &["using index"],
    ),
    (
        "a primary key is made of an index that was built concurrently",
        &["alter table", "add", "primary key"],
        &["using index"],
    ),
    ("nothing is renamed: running programs know the old name", &["alter table", "rename"], &[]),
    (
        "what running programs may still use goes one release later, and says so: `-- unused since`",
        &["drop table"],
        &["unused since"],
    ),
    (
        "what running programs may still use goes one release later, and says so: `-- unused since`",
        &["drop column"],
        &["unused since"],
    ),
    ("rows are filled in by a job, in portions", &["update daira."], &[]),
    ("rows are removed by a job, in portions", &["delete from daira."], &[]),
    ("rewriting a table locks everybody out", &["vacuum full"], &[]),
    ("rewriting a table locks everybody out", &["cluster "], &[]),
    ("nobody locks a whole table", &["lock table"], &[]),
    ("nobody empties a table", &["truncate "], &[]),
    ("a materialized view is refreshed concurrently", &["refresh materialized view"], &["concurrently"]),
];

/// The statements of a script in lower case, each with the comment before it; bodies of functions are left out.
fn statements(script: &str) -> Vec<String> {
    let bodies: Vec<&str> = script.split("$$").step_by(2).collect();
    let mut text = bodies.join(" body ").to_lowercase();
    while let Some((before, rest)) = text.split_once("begin atomic") {
        text = format!("{before} body; {}", rest.split_once("\nend;").map_or("", |(_, after)| after));
    }
    text.split(';').map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|s| !s.is_empty()).collect()
}

/// What is wrong with a migration of a later release.
fn lint(script: &str) -> Vec<&'static str> {
    let mut made = BTreeSet::new();
    let mut wrong = Vec::new();
    for statement in statements(script) {
        let words: Vec<&str> = statement.split_whitespace().collect();
        if let Some(at) = words.windows(2).position(|w| w == ["create", "table"]) {
            made.extend(words.get(at + 2).map(|name| (*name).to_owned()));
        }
        // Nobody waits for a table that this very migration makes.
        if words.iter().any(|word| made.contains(word.split('(').next().unwrap_or_default())) {
            continue;
        }
        let breaks = |(_, all, none): &&(&str, &[&str], &[&str])| {
            all.iter().all(|part| statement.contains(part)) && !none.iter().any(|part| statement.contains(part))
        };
        wrong.extend(RULES.iter().filter(breaks).map(|rule| rule.0));
    }
    wrong
}

#[test]
fn failure_10_a_locking_migration_is_refused() {
    for bad in [
        "create index post_text on daira.post (text);",
        "create unique index post_text on daira.post (text);",
        "drop index daira.post_author;",
        "alter table daira.post alter column kind type integer;",
        "alter table daira.post alter column warning set not null;",
        "alter table daira.post add column mood text not null;",
        "alter table daira.post add column seed double precision default random();",
        "alter table daira.post add constraint short check (char_length(text) < 10);",
        "alter table daira.media add constraint owner_there foreign key (owner) references daira.profile;",
        "alter table daira.hashtag add unique (spelling);",
        "alter table daira.mute add primary key (muter, muted);",
        "alter table daira.post rename column text to body;",
        "drop table daira.mute;",
        "alter table daira.post drop column warning;",
        "update daira.post set kind = 0;",
        "delete from daira.post where deleted_at is not null;",
        "vacuum full daira.post;",
        "cluster daira.post using post_author;",
        "lock table daira.post;",
        "truncate daira.tick;",
        "refresh materialized view daira.top;",
        "reindex table daira.post;",
        "select 1; -- and then\n CREATE INDEX late ON daira.post (id);",
    ] {
        assert_eq!(lint(bad).len(), 1, "{bad}: {:?}", lint(bad));
    }
    for good in [
        "-- no-transaction\ncreate index concurrently post_text on daira.post (text);",
        "create table daira.mood (post bigint primary key, mood text not null); create index mood_text on daira.mood (mood);",
        "alter table daira.post add column mood smallint;",
        "alter table daira.post add column mood smallint not null default 0;",
        "alter table daira.post add constraint short check (char_length(text) < 10) not valid;",
        "alter table daira.post validate constraint short;",
        "create or replace function daira.one() returns void language plpgsql as $$ begin update daira.post set kind = 0; end $$;",
        "create function daira.two() returns void language sql begin atomic\n update daira.post set kind = 0;\nend; select 1;",
        "-- unused since 0.3\nalter table daira.post drop column mood;",
        "create policy p on daira.post for select to daira_app using (true);",
    ] {
        assert!(lint(good).is_empty(), "{good}: {:?}", lint(good));
    }
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    let mut later = 0;
    for file in folder.map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let number: u32 = name.split('_').next().unwrap().parse().unwrap();
        later = later.max(number);
        if number > FIRST_RELEASE {
            assert_eq!(lint(&std::fs::read_to_string(&file).unwrap()), [""; 0], "{name}");
        }
    }
    assert!(later >= FIRST_RELEASE);
}

/// A database as an operator makes it before the first start: owned, and empty.
struct Empty {
    admin: String,
    url: String,
    name: String,
}

impl Empty {
    async fn new(server: Server, purpose: &str) -> Self {
        // The cluster's roles come with any database that the tests make.
        drop(server.database().await.unwrap());
        let admin = server.admin_url().unwrap();
        let name = format!("daira_{purpose}_{}_{server:?}", std::process::id()).to_lowercase();
        let url = format!("{}/{name}", admin.rsplit_once('/').unwrap().0);
        let empty = Self { admin, url, name };
        empty.say(format!("create database {} owner daira_owner", empty.name)).await;
        empty
    }

    async fn say(&self, sql: String) {
        let mut db = PgConnection::connect(&self.admin).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }

    async fn gone(self) {
        self.say(format!("drop database {} with (force)", self.name)).await;
    }
}

/// What the log was told.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs migrations as a program of its own would: another thread, another runtime, another connection.
fn elsewhere(url: &str) -> std::thread::JoinHandle<daira_core::Result<()>> {
    let url = url.to_owned();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(migrate(&url))
    })
}

async fn failure_10_two_programs_migrate_at_once(server: Server) {
    let empty = Empty::new(server, "twice").await;
    let pending = schema_state(&empty.url).await.unwrap().pending;
    assert!(pending.len() >= usize::try_from(FIRST_RELEASE).unwrap());
    let both = [elsewhere(&empty.url), elsewhere(&empty.url)];
    for program in both {
        program.join().unwrap().unwrap();
    }
    migrate(&empty.url).await.unwrap();
    assert!(schema_state(&empty.url).await.unwrap().pending.is_empty());
    assert!(gate::inspect(&empty.url).await.unwrap().is_empty());
    let mut db = PgConnection::connect(&empty.url).await.unwrap();
    let runs: i64 =
        sqlx::query_scalar("select count(*) from public._sqlx_migrations").fetch_one(&mut db).await.unwrap();
    assert_eq!(runs, i64::try_from(pending.len()).unwrap(), "each ran once");
    drop(db);
    empty.gone().await;
}

async fn a_database_is_upgraded_in_steps(server: Server) {
    let empty = Empty::new(server, "steps").await;
    for version in [2, 2, 3] {
        migrate_to(&empty.url, version).await.unwrap();
        let pending = schema_state(&empty.url).await.unwrap().pending;
        assert_eq!(pending.first().map(|next| next.0), Some(version + 1));
    }
    let refused = migrate_to(&empty.url, 9_999).await.unwrap_err();
    assert!(std::error::Error::source(&refused).unwrap().to_string().contains("no migration 9999"));
    migrate_to(&empty.url, 1).await.unwrap();
    assert_eq!(schema_state(&empty.url).await.unwrap().pending[0].0, 4, "what ran is not taken back");
    migrate(&empty.url).await.unwrap();
    assert!(gate::inspect(&empty.url).await.unwrap().is_empty());
    empty.gone().await;
}

async fn an_index_whose_building_was_cut_off_is_built_anew(server: Server) {
    const INDEX: &str = "strike_subject";
    let empty = Empty::new(server, "cut_off").await;
    migrate_to(&empty.url, 17).await.unwrap();
    let mut other = PgConnection::connect(&empty.url).await.unwrap();
    let mut busy = other.begin().await.unwrap();
    sqlx::raw_sql("lock table daira.strike in row exclusive mode").execute(&mut *busy).await.unwrap();
    let program = elsewhere(&empty.url);
    let mut db = PgConnection::connect(&empty.url).await.unwrap();
    let is_valid = "select (select indisvalid from pg_index where indexrelid = to_regclass('daira.' || $1))";
    let is_valid = async |db: &mut PgConnection| -> Option<bool> {
        sqlx::query_scalar(is_valid).bind(INDEX).fetch_one(db).await.unwrap()
    };
    while is_valid(&mut db).await.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query like '%create index concurrently%'";
    sqlx::raw_sql(kill).execute(&mut db).await.unwrap();
    assert!(program.join().unwrap().is_err());
    assert_eq!(is_valid(&mut db).await, Some(false), "half of it is left behind");
    busy.rollback().await.unwrap();
    migrate(&empty.url).await.unwrap();
    assert_eq!(is_valid(&mut db).await, Some(true));
    // The program died and its index was built all the same: nothing says that it ran.
    sqlx::raw_sql("delete from public._sqlx_migrations where version = 18").execute(&mut db).await.unwrap();
    migrate(&empty.url).await.unwrap();
    assert!(schema_state(&empty.url).await.unwrap().pending.is_empty());
    drop((db, other));
    empty.gone().await;
}

async fn failure_10_a_migration_gives_way_and_goes_on_later(server: Server) {
    let empty = Empty::new(server, "later").await;
    let mut other = PgConnection::connect(&empty.url).await.unwrap();
    let mut busy = other.begin().await.unwrap();
    sqlx::raw_sql("create schema daira").execute(&mut *busy).await.unwrap();
    let refused = migrate(&empty.url).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "it waits for a lock no longer than its limit: {refused:?}");
    busy.rollback().await.unwrap();
    let mut db = PgConnection::connect(&empty.url).await.unwrap();
    let left: bool = sqlx::query_scalar("select to_regnamespace('daira') is null").fetch_one(&mut db).await.unwrap();
    assert!(left, "half a migration is none");
    migrate(&empty.url).await.unwrap();
    assert!(gate::inspect(&empty.url).await.unwrap().is_empty());
    drop((other, db));
    empty.gone().await;
}

/// A slow statement is written into the log as it is, and a migration is a whole file.
async fn migrations_are_not_printed_into_the_log(server: Server) {
    let (empty, log) = (Empty::new(server, "quiet").await, Log::default());
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(move || writer.clone());
    let listening = tracing::subscriber::set_default(subscriber.finish());
    PgConnection::connect(&empty.url).await.unwrap().execute("select 'heard'").await.unwrap();
    migrate(&empty.url).await.unwrap();
    drop(listening);
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(said.contains("heard"), "statements of others are told of: {said}");
    assert!(!said.contains("create"), "{said}");
    empty.gone().await;
}

async fn a_changed_or_newer_schema_is_refused_by_name(server: Server) {
    let database = server.database().await.unwrap();
    let url = database.admin_url();
    let mut db = PgConnection::connect(&url).await.unwrap();
    for (change, told) in [
        ("update public._sqlx_migrations set checksum = '\\x00' where version = 2", "migration 2 was changed"),
        (
            "insert into public._sqlx_migrations (version, description, success, checksum, execution_time) values (99, 'later', true, '\\x00', 1)",
            "newer than this program: it has migration 99",
        ),
    ] {
        let mut tx = db.begin().await.unwrap();
        sqlx::raw_sql(change).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let refused = migrate(&url).await.unwrap_err();
        let source = std::error::Error::source(&refused).unwrap().to_string();
        assert!(refused.kind() == ErrorKind::Internal && source.contains(told), "{source}");
        sqlx::raw_sql("delete from public._sqlx_migrations where version > 4 or checksum = '\\x00'")
            .execute(&mut db)
            .await
            .unwrap();
    }
    let plan = Bootstrap::new("No Name", Secret::new("a"), Secret::new("b"));
    assert_eq!(plan.run(&url).await.unwrap_err().operation(), "bootstrap.database_name");
    assert_eq!(migrate("nowhere").await.unwrap_err().operation(), "bootstrap.address");
}

on_each_server!(
    failure_10_two_programs_migrate_at_once,
    an_index_whose_building_was_cut_off_is_built_anew,
    a_database_is_upgraded_in_steps,
    failure_10_a_migration_gives_way_and_goes_on_later,
    migrations_are_not_printed_into_the_log,
    a_changed_or_newer_schema_is_refused_by_name,
);
