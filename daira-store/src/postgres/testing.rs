//! A database of its own for each test, on a real server.
//!
//! `DAIRA_TEST_PG15` and `DAIRA_TEST_PG18` hold the addresses of superusers on servers that may be used for tests,
//! `DAIRA_TEST_PG15_PRIMARY` and the like those of servers with a replica, and `DAIRA_TEST_PGBOUNCER` that of a pooler before
//! the first; `cargo xtask services up` starts such servers and prints the variables. A missing server is an error, never a skipped
//! test. The schema is laid once into a template, which each test copies.

use std::sync::atomic::{AtomicU32, Ordering};

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::secret::Secret;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::OnceCell;

use super::bootstrap::{self, Bootstrap};
use super::error::fault;
use super::{PgStore, PgStoreConfig};

/// The lock under which templates are made.
const LOCK: i64 = 0x0074_656d_706c;
const OPERATION: &str = "testing.database";

/// The servers that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The oldest supported version.
    Pg15,
    /// The newest supported version.
    Pg18,
    /// The oldest one as a primary with a replica.
    Primary15,
    /// The newest one as a primary with a replica.
    Primary18,
}

impl Server {
    fn variable(self) -> &'static str {
        match self {
            Self::Pg15 => "DAIRA_TEST_PG15",
            Self::Pg18 => "DAIRA_TEST_PG18",
            Self::Primary15 => "DAIRA_TEST_PG15_PRIMARY",
            Self::Primary18 => "DAIRA_TEST_PG18_PRIMARY",
        }
    }

    /// The address of the superuser on the replica, if the server has one.
    ///
    /// # Errors
    /// When the environment does not name it.
    pub fn replica_url(self) -> Result<String> {
        match self {
            Self::Pg15 | Self::Primary15 => address_of("DAIRA_TEST_PG15_REPLICA"),
            Self::Pg18 | Self::Primary18 => address_of("DAIRA_TEST_PG18_REPLICA"),
        }
    }

    /// The address of the superuser.
    ///
    /// # Errors
    /// When the environment does not name the server.
    pub fn admin_url(self) -> Result<String> {
        address_of(self.variable())
    }

    async fn template(self) -> Result<&'static str> {
        static PG15: OnceCell<String> = OnceCell::const_new();
        static PG18: OnceCell<String> = OnceCell::const_new();
        static PRIMARY15: OnceCell<String> = OnceCell::const_new();
        static PRIMARY18: OnceCell<String> = OnceCell::const_new();
        let cell = match self {
            Self::Pg15 => &PG15,
            Self::Pg18 => &PG18,
            Self::Primary15 => &PRIMARY15,
            Self::Primary18 => &PRIMARY18,
        };
        let url = self.admin_url()?;
        cell.get_or_try_init(|| make_template(url)).await.map(String::as_str)
    }

    /// A fresh database with the whole schema and nothing in it.
    ///
    /// # Errors
    /// When the server is missing or refuses.
    pub async fn database(self) -> Result<TestDatabase> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let template = self.template().await?;
        let name = format!("daira_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = address(&self.admin_url()?)?;
        let mut connection = admin.connect().await.map_err(|e| fault(OPERATION, e))?;
        // A process of the same number may have left one behind.
        execute(&mut connection, format!("drop database if exists {name} with (force)")).await?;
        execute(
            &mut connection,
            format!("create database {name} template {template} owner daira_owner strategy wal_log"),
        )
        .await?;
        // A copy has the template's contents and not its rights.
        execute(&mut connection, bootstrap::closing(&name)).await?;
        connection.close().await.map_err(|e| fault(OPERATION, e))?;
        let config = plan(&name).config(&admin);
        Ok(TestDatabase { admin, name, config })
    }
}

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    admin: PgConnectOptions,
    name: String,
    config: PgStoreConfig,
}

impl TestDatabase {
    /// How a store connects to it; change what a test needs otherwise.
    pub fn config(&self) -> PgStoreConfig {
        self.config.clone()
    }

    /// How a store connects to it through `PgBouncer`, if the server is the one behind that.
    ///
    /// # Errors
    /// When the environment does not name the pooler.
    pub fn pooled(&self) -> Result<PgStoreConfig> {
        let pooler = address(&address_of("DAIRA_TEST_PGBOUNCER")?)?;
        let mut config = plan(&self.name).config(&pooler);
        config.statement_cache = 0;
        Ok(config)
    }

    /// The address of the role that serves people, on the replica of the server.
    ///
    /// # Errors
    /// When the environment does not name the replica.
    pub fn replica(&self, server: Server) -> Result<String> {
        Ok(plan(&self.name).config(&address(&server.replica_url()?)?).app_url)
    }

    /// A store on it with its usual configuration.
    ///
    /// # Errors
    /// As [`PgStore::connect`].
    pub async fn store(&self) -> Result<PgStore> {
        PgStore::connect(&self.config).await
    }

    /// What it is called on its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of the superuser on this database, whom no policy holds back.
    pub fn admin_url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().to_string()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // On a thread of its own: a test's runtime cannot be waited for from inside. A database that cannot be dropped is
        // only litter.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async {
                let mut connection = admin.connect().await.ok()?;
                execute(&mut connection, format!("drop database if exists {name} with (force)")).await.ok()
            })
        });
        drop(dropper.join());
    }
}

#[expect(clippy::disallowed_methods, reason = "tests find their servers in the environment")]
fn address_of(variable: &str) -> Result<String> {
    std::env::var(variable).map_err(|_| {
        Error::new(ErrorKind::Unavailable, "testing.server")
            .with_source(format!("{variable} is not set; `cargo xtask services up` starts the servers that tests need"))
    })
}

fn plan(database: &str) -> Bootstrap {
    Bootstrap::new(database, Secret::new("app"), Secret::new("worker"))
}

/// The template of today's schema: its name tells the migrations and the day, because partitions are made around a day.
async fn make_template(url: String) -> Result<String> {
    let mut connection = address(&url)?.connect().await.map_err(|e| fault(OPERATION, e))?;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut connection)
        .await
        .map_err(|e| fault(OPERATION, e))?;
    let day: String = sqlx::query_scalar("select to_char(now() at time zone 'UTC', 'YYYYMMDD')")
        .fetch_one(&mut connection)
        .await
        .map_err(|e| fault(OPERATION, e))?;
    let name = format!("daira_template_{:016x}_{day}", bootstrap::fingerprint());
    let old: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname like 'daira_template_%'")
            .fetch_all(&mut connection)
            .await
            .map_err(|e| fault(OPERATION, e))?;
    if !old.contains(&name) {
        // Today's others may be in use by tests of another version of the schema.
        for other in old.iter().filter(|other| !other.ends_with(&day)) {
            execute(&mut connection, format!("drop database if exists {other} with (force)")).await?;
        }
        let making = "daira_template_making";
        execute(&mut connection, format!("drop database if exists {making} with (force)")).await?;
        plan(making).run(&url).await?;
        execute(&mut connection, format!("alter database {making} rename to {name}")).await?;
    }
    connection.close().await.map_err(|e| fault(OPERATION, e))?;
    Ok(name)
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    // Made of names that this file chose.
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop).map_err(|e| fault(OPERATION, e))
}

fn address(url: &str) -> Result<PgConnectOptions> {
    url.parse().map_err(|_| Error::new(ErrorKind::Internal, "testing.address"))
}
