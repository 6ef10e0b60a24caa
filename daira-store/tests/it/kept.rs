//! That what is kept of ties and cards rests on what Postgres notes of their changes: without any one of the triggers, the kit's
//! case fails.

use std::panic::AssertUnwindSafe;

use daira_core::testkit::store::feed::{candidates_follow_every_change_of_ties, cards_follow_every_change};
use daira_store::postgres::testing::Server;
use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

async fn a_change_that_is_not_noted_is_noticed(server: Server) {
    for (function, triggers) in [("ties_changed", 8), ("card_changed", 2)] {
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
                match function {
                    "ties_changed" => candidates_follow_every_change_of_ties(&ports).await,
                    _ => cards_follow_every_change(&ports).await,
                }
            };
            let looked = AssertUnwindSafe(case).catch_unwind().await;
            assert!(looked.is_err(), "nothing noticed that {trigger} of {table} is off");
        }
    }
}

on_each_server!(a_change_that_is_not_noted_is_noticed);
