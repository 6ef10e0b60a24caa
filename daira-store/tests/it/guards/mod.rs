//! The guards of the database, tried from where an attacker would stand: a connection as the role that serves people, with
//! whatever statement comes to mind.

mod catalog;
mod context;
mod faults;
mod plans;
mod pooler;
mod writes;

use daira_core::port::Ports;
use daira_core::testkit::fixture::{Fixture, Person};
use daira_store::postgres::testing::{Server, TestDatabase};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

/// What Postgres answers when a right is missing or row security says no to a row.
const FORBIDDEN: &str = "42501";

/// A world in a database of its own.
struct Guarded {
    world: Fixture,
    ports: Ports,
    database: TestDatabase,
}

impl Guarded {
    async fn new(server: Server) -> Self {
        let (ports, database) = ports(server).await;
        Self { world: Fixture::new(ports.clone()), ports, database }
    }

    async fn app(&self) -> PgConnection {
        PgConnection::connect(&self.database.config().app_url).await.unwrap()
    }

    async fn worker(&self) -> PgConnection {
        PgConnection::connect(&self.database.config().worker_url).await.unwrap()
    }

    async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url()).await.unwrap()
    }

    /// A connection on which everything is said by one person.
    async fn speaking(&self, person: &Person) -> PgConnection {
        let mut app = self.app().await;
        let (profile, account) = (daira_core::id::Id::raw(person.id), daira_core::id::Id::raw(person.account));
        let set = format!("set daira.profile = '{profile}'; set daira.account = '{account}'");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut app).await.unwrap();
        app
    }
}

/// How many rows a statement touches, or the code it is refused with.
async fn attempt(db: &mut PgConnection, sql: &str) -> Result<u64, String> {
    match sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await {
        Ok(done) => Ok(done.rows_affected()),
        Err(error) => {
            Err(error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned())
        }
    }
}

/// How many rows a query answers.
async fn count(db: &mut PgConnection, from: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {from}"))).fetch_one(db).await.unwrap()
}
