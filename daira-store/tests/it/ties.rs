//! That kept ties rest on the versions that Postgres draws: without any one of the triggers, the kit's case fails.

use std::panic::AssertUnwindSafe;

use daira_core::testkit::store::feed::candidates_follow_every_change_of_ties;
use daira_store::postgres::testing::Server;
use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

async fn a_change_of_ties_that_draws_no_version_is_noticed(server: Server) {
    const TRIGGERS: &str =
        "select tgrelid::regclass::text, tgname::text from pg_trigger where tgfoid = 'daira.ties_changed'::regproc";
    let (_ports, database) = ports(server).await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let triggers: Vec<(String, String)> = sqlx::query_as(TRIGGERS).fetch_all(&mut admin).await.unwrap();
    assert_eq!(triggers.len(), 8);
    for (table, trigger) in triggers {
        let (ports, database) = ports(server).await;
        let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
        let off = AssertSqlSafe(format!("alter table {table} disable trigger {trigger}"));
        sqlx::raw_sql(off).execute(&mut admin).await.unwrap();
        let looked = AssertUnwindSafe(candidates_follow_every_change_of_ties(&ports)).catch_unwind().await;
        assert!(looked.is_err(), "nothing noticed that {trigger} of {table} is off");
    }
}

on_each_server!(a_change_of_ties_that_draws_no_version_is_noticed);
