//! That what is kept of ties and cards rests on what Postgres notes of their changes: without any one of the triggers, the kit's
//! case fails.

use std::panic::AssertUnwindSafe;

use daira_core::id::Id as _;
use daira_core::port::Ports;
use daira_core::testkit::fixture::Fixture;
use daira_core::testkit::store::feed::{candidates_follow_every_change_of_ties, cards_follow_every_change};
use daira_store::postgres::testing::Server;
use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

async fn a_post_deleted_by_hand_is_gone(ports: &Ports, admin: &mut PgConnection) {
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let post = world.published(&mona, "1").await;
    let shown = async || {
        let found = world.ports.store.candidates(&ali.actor(), world.now(), 1).await.unwrap();
        world.ports.store.cards(&ali.actor(), &found).await.unwrap().len()
    };
    assert_eq!(shown().await, 1);
    sqlx::query("delete from daira.post where id = $1").bind(post.id.raw()).execute(admin).await.unwrap();
    assert_eq!(shown().await, 0);
}

async fn what_is_deleted_by_hand_is_gone(server: Server) {
    let (ports, database) = ports(server).await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    a_post_deleted_by_hand_is_gone(&ports, &mut admin).await;
}

async fn a_change_that_is_not_noted_is_noticed(server: Server) {
    for (function, triggers) in [("ties_changed", 8), ("card_changed", 3)] {
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
                match (function, &*trigger) {
                    ("ties_changed", _) => candidates_follow_every_change_of_ties(&ports).await,
                    (_, "card_gone") => a_post_deleted_by_hand_is_gone(&ports, &mut admin).await,
                    _ => cards_follow_every_change(&ports).await,
                }
            };
            let looked = AssertUnwindSafe(case).catch_unwind().await;
            assert!(looked.is_err(), "nothing noticed that {trigger} of {table} is off");
        }
    }
}

on_each_server!(what_is_deleted_by_hand_is_gone, a_change_that_is_not_noted_is_noticed);
