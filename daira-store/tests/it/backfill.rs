//! Back-fills over rows that were there before: each is gone over once, whoever is killed, paused, or at it as well.

use std::time::Duration;

use daira_core::id::Id as _;
use daira_core::port::{Backfill, BackfillState};
use daira_core::testkit::fixture::Fixture;
use daira_store::postgres::testing::Server;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

const TAKEDOWNS: &str = "strikes-of-takedowns";

async fn strikes_are_filled_in_once_whatever_happens(server: Server) {
    let (ports, database) = ports(server).await;
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    // As a release left it that knew no strikes; one of them is known already.
    let (account, owner, other) = (mona.account.raw(), mona.id.raw(), ali.account.raw());
    let before = format!(
        "insert into daira.takedown (kind, subject, owner, reason, at, notice)
             select 1 + n % 2, n, {owner}, 1, now() - n * interval '1 hour', n from generate_series(1, 95) n;
         insert into daira.strike (account, kind, subject, at)
             select {account}, kind, subject, at from daira.takedown where subject = 7;
         insert into daira.sanction (account, reason, at, asleep, by_role) values ({other}, 1, now(), false, 2)"
    );
    sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut admin).await.unwrap();
    let upkeep = &ports.maintenance;
    while upkeep.fill(10).await.unwrap().is_some_and(|moved| moved.name != TAKEDOWNS) {}
    // Killed after every so many milliseconds, until a portion gets through.
    for patience in 0.. {
        if tokio::time::timeout(Duration::from_millis(patience), upkeep.fill(10)).await.is_ok() {
            break;
        }
    }
    let state = async || -> Backfill {
        upkeep.backfills().await.unwrap().into_iter().find(|fill| fill.name == TAKEDOWNS).unwrap()
    };
    assert!(upkeep.pause_backfill(TAKEDOWNS, true).await.unwrap());
    let paused = state().await;
    assert_eq!((paused.state, upkeep.fill(10).await.unwrap()), (BackfillState::Paused, None));
    upkeep.pause_backfill(TAKEDOWNS, false).await.unwrap();
    let to_the_end = async || while upkeep.fill(10).await.unwrap().is_some() {};
    // Who finds the other at a portion has nothing to do.
    tokio::join!(to_the_end(), to_the_end());
    to_the_end().await;
    let done = state().await;
    assert_eq!((done.rows, done.state), (95, BackfillState::Done));
    let missing = "select (select count(*) from daira.takedown t where not exists (
                        select from daira.strike s where (s.kind, s.subject, s.at) = (t.kind, t.subject, t.at)))
                   + (select count(*) from daira.sanction t where not exists (
                        select from daira.strike s where (s.account, s.at, s.by_role, s.kind) = (t.account, t.at, t.by_role, 0)))";
    let missing: i64 = sqlx::query_scalar(missing).fetch_one(&mut admin).await.unwrap();
    let strikes: i64 = sqlx::query_scalar("select count(*) from daira.strike").fetch_one(&mut admin).await.unwrap();
    assert_eq!((missing, strikes), (0, 96));
}

on_each_server!(strikes_are_filled_in_once_whatever_happens);
