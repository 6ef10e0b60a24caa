//! Making a database ready: roles, the database itself, and its migrations. For the embedded cluster, for operators and
//! for tests; safe to repeat, and safe when several processes do it at once.
//!
//! ```no_run
//! # async fn example() -> daira_core::Result<()> {
//! use daira_core::secret::Secret;
//! use daira_store::postgres::{Bootstrap, PgStore};
//!
//! let plan = Bootstrap::new("daira", Secret::new("of the app"), Secret::new("of the worker"));
//! let config = plan.run("postgres://postgres:secret@127.0.0.1/postgres").await?;
//! let store = PgStore::connect(&config).await?;
//! # Ok(()) }
//! ```

use std::borrow::Cow;
use std::time::Duration;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::secret::Secret;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::config::PgStoreConfig;
use super::error::fault;
use super::hosts::Hosts;

/// The schema's migrations, in order; they ship inside the program.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");
const ROLES: &str = include_str!("roles.sql");
/// The list of what ran is not made by any migration, and belongs into a backup.
const AFTERWARDS: &str = "grant select on public._sqlx_migrations to daira_backup";
/// The lock under which roles, databases and schemas are made: any number will do, as long as nothing else uses it.
const LOCK: i64 = 0x0064_6169_7261;
/// The role that serves people.
const APP: &str = "daira_app";
/// The role of consumers and jobs.
const WORKER: &str = "daira_worker";

/// What to make ready.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    database: String,
    app_password: Secret,
    worker_password: Secret,
}

impl Bootstrap {
    /// A database of this name, and the passwords that the two programs' roles get.
    pub fn new(database: impl Into<String>, app_password: Secret, worker_password: Secret) -> Self {
        Self { database: database.into(), app_password, worker_password }
    }

    /// Makes roles, database and schema, as a superuser of the cluster (or somebody who may create roles and
    /// databases), and says how to connect.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when nobody answers, [`ErrorKind::Internal`] for a database name other than
    /// `a-z 0-9 _` and for what [`migrate`] refuses.
    pub async fn run(&self, admin_url: &str) -> Result<PgStoreConfig> {
        let admin = address(admin_url)?;
        self.prepare(&admin).await?;
        run_migrations(&hosts(admin_url)?.map(|options| options.database(&self.database)), None).await?;
        Ok(self.config(&admin))
    }

    /// How to connect to what was made by an earlier [`run`](Self::run), without touching it.
    ///
    /// # Errors
    /// For an address that is none.
    pub fn addresses(&self, admin_url: &str) -> Result<PgStoreConfig> {
        address(admin_url).map(|admin| self.config(&admin))
    }

    /// How a store connects to what was made.
    pub(super) fn config(&self, admin: &PgConnectOptions) -> PgStoreConfig {
        PgStoreConfig::new(self.url(admin, APP, &self.app_password), self.url(admin, WORKER, &self.worker_password))
    }

    async fn prepare(&self, admin: &PgConnectOptions) -> Result<()> {
        const OPERATION: &str = "bootstrap.prepare";
        check_name(&self.database)?;
        let failed = |e| fault(OPERATION, e);
        let mut connection = admin.connect().await.map_err(failed)?;
        sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await.map_err(failed)?;
        sqlx::raw_sql(ROLES).execute(&mut connection).await.map_err(failed)?;
        for (role, password) in [(APP, &self.app_password), (WORKER, &self.worker_password)] {
            set_password(&mut connection, role, password).await.map_err(failed)?;
        }
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(&self.database)
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        if !exists {
            // The name is checked above.
            let create =
                format!("create database {} owner daira_owner encoding 'UTF8' template template0", self.database);
            sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.map_err(failed)?;
            sqlx::raw_sql(AssertSqlSafe(closing(&self.database))).execute(&mut connection).await.map_err(failed)?;
        }
        connection.close().await.map_err(failed)
    }

    fn url(&self, admin: &PgConnectOptions, role: &str, password: &Secret) -> String {
        let options = admin.clone().database(&self.database).username(role).password(password.expose());
        options.to_url_lossy().to_string()
    }
}

/// Brings an existing database up to this program's schema, as its owner (`daira_owner`) or somebody who may become it.
/// One at a time over all processes; each migration is one transaction, but those that build an index while others work.
///
/// # Errors
/// [`ErrorKind::Internal`] when the database is newer than this program or a migration was changed after it ran.
pub async fn migrate(owner_url: &str) -> Result<()> {
    run_migrations(&hosts(owner_url)?, None).await
}

/// The same up to one migration, that one included: for upgrades in steps. What is behind it stays as it is.
///
/// # Errors
/// As [`migrate`], and [`ErrorKind::Internal`] for a migration that this program does not have.
pub async fn migrate_to(owner_url: &str, version: i64) -> Result<()> {
    if !MIGRATIONS.version_exists(version) {
        return Err(Error::new(ErrorKind::Internal, "migrate.run")
            .with_source(format!("this program has no migration {version}; nothing was changed")));
    }
    run_migrations(&hosts(owner_url)?, Some(version)).await
}

/// How far a database is from this program's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaState {
    /// The migrations that it still lacks, in order, with what they are about.
    pub pending: Vec<(i64, Cow<'static, str>)>,
    /// Migrations that ran on it and that this program does not know: it is newer.
    pub unknown: Vec<i64>,
    /// The major version of the server that it is on, if there is one.
    pub server: Option<u32>,
}

impl SchemaState {
    /// That of a database that is not there yet.
    pub fn nothing() -> Self {
        Self::after(&[], None)
    }

    /// That of a database on which these migrations ran.
    fn after(done: &[i64], server: Option<u32>) -> Self {
        let pending = MIGRATIONS.iter().filter(|m| !done.contains(&m.version));
        Self {
            pending: pending.map(|m| (m.version, m.description.clone())).collect(),
            unknown: done.iter().copied().filter(|done| MIGRATIONS.iter().all(|m| m.version != *done)).collect(),
            server,
        }
    }
}

/// How far a database is from this program's schema; any of the program's roles may ask, through a pooler as well.
///
/// # Errors
/// [`ErrorKind::Unavailable`] when nobody answers.
pub async fn schema_state(url: &str) -> Result<SchemaState> {
    const OPERATION: &str = "migrate.state";
    let (_, mut connection) = hosts(url)?.primary().await.map_err(|e| fault(OPERATION, e))?;
    let facts =
        "select current_setting('server_version_num')::integer, to_regclass('public._sqlx_migrations') is not null";
    let facts = sqlx::raw_sql(facts).fetch_one(&mut connection).await.map_err(|e| fault(OPERATION, e))?;
    let server: i32 = facts.try_get(0).map_err(|e| fault(OPERATION, e))?;
    let known: bool = facts.try_get(1).map_err(|e| fault(OPERATION, e))?;
    let mut done: Vec<i64> = Vec::new();
    if known {
        let all = sqlx::raw_sql("select version from public._sqlx_migrations where success");
        for row in all.fetch_all(&mut connection).await.map_err(|e| fault(OPERATION, e))? {
            done.push(row.try_get(0).map_err(|e| fault(OPERATION, e))?);
        }
    }
    connection.close().await.map_err(|e| fault(OPERATION, e))?;
    Ok(SchemaState::after(&done, u32::try_from(server / 10_000).ok()))
}

async fn run_migrations(database: &Hosts, to: Option<i64>) -> Result<()> {
    const OPERATION: &str = "migrate.run";
    let (_, mut connection) = database.primary().await.map_err(|e| fault(OPERATION, e))?;
    // Whoever connects, everything belongs to the owner.
    sqlx::raw_sql("set role daira_owner; set client_min_messages = warning")
        .execute(&mut connection)
        .await
        .map_err(|e| fault(OPERATION, e))?;
    turn(&mut connection).await.map_err(|e| fault(OPERATION, e))?;
    drop_broken_indexes(&mut connection).await.map_err(|e| fault(OPERATION, e))?;
    let wanted = MIGRATIONS.iter().filter(|m| to.is_none_or(|to| m.version <= to));
    let mut before = None;
    for alone in wanted {
        if alone.no_tx {
            run_to(&mut connection, before, "2s").await?;
            // It waits for whoever is at work, and nobody queues behind it.
            run_to(&mut connection, Some(alone.version), "0").await?;
        }
        before = Some(alone.version);
    }
    // No migration waits long for a table while others queue behind it.
    run_to(&mut connection, to, "2s").await?;
    sqlx::raw_sql(AFTERWARDS).execute(&mut connection).await.map_err(|e| fault(OPERATION, e))?;
    connection.close().await.map_err(|e| fault(OPERATION, e))
}

/// Waits for the others who make schemas to be done. Asking over and over, for a statement that waits has a snapshot, and an
/// index that is built concurrently waits for all snapshots.
async fn turn(connection: &mut PgConnection) -> sqlx::Result<()> {
    loop {
        let asked = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *connection);
        if asked.await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What is left behind by a concurrent build that was cut off; it is built anew. What is being rebuilt at this moment has a name of
/// PostgreSQL's own, and stays.
async fn drop_broken_indexes(connection: &mut PgConnection) -> sqlx::Result<()> {
    let broken = "select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
                  where not i.indisvalid and c.relkind = 'i' and c.relnamespace = to_regnamespace('daira')
                    and c.relname !~ '_cc(new|old)[0-9]*$'";
    for index in sqlx::query_scalar::<_, String>(broken).fetch_all(&mut *connection).await? {
        sqlx::raw_sql(AssertSqlSafe(format!("drop index concurrently {index}"))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Runs what is missing up to a version, or all of it; no statement waits longer for a lock.
async fn run_to(connection: &mut PgConnection, version: Option<i64>, patience: &str) -> Result<()> {
    let set = AssertSqlSafe(format!("set lock_timeout = '{patience}'"));
    sqlx::raw_sql(set).execute(&mut *connection).await.map_err(|e| fault("migrate.run", e))?;
    let run = match version {
        Some(version) => MIGRATIONS.run_to(version, connection).await,
        None => MIGRATIONS.run(connection).await,
    };
    run.map_err(migration_fault)
}

/// A number that differs when the schema does.
#[cfg(feature = "testing")]
pub(super) fn fingerprint() -> u64 {
    let bytes = MIGRATIONS.iter().flat_map(|m| m.checksum.iter()).chain(ROLES.as_bytes()).chain(AFTERWARDS.as_bytes());
    // FNV-1a: it tells schemas apart, nobody attacks it.
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What closes a database of this name to all but the program's roles.
pub(super) fn closing(database: &str) -> String {
    format!(
        "revoke all on database {database} from public; grant connect on database {database} to daira_app, daira_worker, daira_backup"
    )
}

fn migration_fault(error: MigrateError) -> Error {
    const OPERATION: &str = "migrate.run";
    match error {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => fault(OPERATION, cause),
        MigrateError::VersionMissing(version) => Error::new(ErrorKind::Internal, OPERATION)
            .with_source(format!("the database is newer than this program: it has migration {version}")),
        MigrateError::VersionMismatch(version) => Error::new(ErrorKind::Internal, OPERATION)
            .with_source(format!("migration {version} was changed after it ran on this database")),
        other => Error::new(ErrorKind::Internal, OPERATION).with_source(other),
    }
}

fn address(url: &str) -> Result<PgConnectOptions> {
    hosts(url).map(|hosts| hosts.first().clone())
}

fn hosts(url: &str) -> Result<Hosts> {
    // What takes long here is whole files and waiting for others: a warning of a slow statement would print the files.
    Ok(Hosts::parse(url, "bootstrap.address")?.map(PgConnectOptions::disable_statement_logging))
}

fn check_name(database: &str) -> Result<()> {
    let fits =
        (1..=63).contains(&database.len()) && database.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if fits { Ok(()) } else { Err(Error::new(ErrorKind::Internal, "bootstrap.database_name")) }
}

/// Lets a role log in with a password. The statement that the server may log does not hold it.
async fn set_password(connection: &mut PgConnection, role: &str, password: &Secret) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    sqlx::query("select set_config('daira.role', $1, true), set_config('daira.password', $2, true)")
        .bind(role)
        .bind(password.expose())
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql(
        "do $$ begin execute format('alter role %I login password %L', current_setting('daira.role'), current_setting('daira.password')); end $$",
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_databases_need_no_quotes() {
        assert!(check_name("daira_test_7").is_ok());
        for bad in ["", "a b", "a\"b", "a;b", "A", &"x".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn migrations_are_embedded_in_order() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|m| m.version).collect();
        assert!(versions.len() >= 3 && versions.is_sorted());
        let state = SchemaState::after(&[1, 2, 9_999], None);
        assert_eq!((state.pending[0].0, state.unknown.as_slice()), (3, [9_999].as_slice()));
        assert_eq!(SchemaState::nothing().pending.len(), versions.len());
    }
}
