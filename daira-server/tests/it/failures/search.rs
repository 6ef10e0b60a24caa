//! 15 and the cost of it: beginnings are looked up as a range of an index that is sorted by bytes, never with LIKE.

use daira_core::Actor;
use daira_core::page::Limit;
use daira_search::{Kinds, SearchService};
use daira_store::postgres::testing::Server;
use sqlx::AssertSqlSafe;

use super::statements::Statements;
use crate::platform::{Platform, on_each_server};

async fn failure_15_a_beginning_is_a_range_of_a_byte_ordered_index(server: Server) {
    let platform = Platform::new(server).await;
    let search = SearchService::new(platform.ports.clone());
    let (log, _guard) = Statements::open();
    search.search(&Actor::Anonymous, "mon", Kinds::ALL, Limit::new(20).unwrap(), None).await.unwrap();
    let statements = log.take();
    let mut db = platform.superuser().await;
    sqlx::raw_sql("set role daira_app; set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_bitmapscan = off")
        .execute(&mut db)
        .await
        .unwrap();
    for (table, bounds) in [("profile", "handle"), ("hashtag", "key")] {
        let from = if table == "profile" { "from daira.visible_profile" } else { "from daira.hashtag" };
        let statement = statements.iter().find(|statement| statement.contains(from)).expect("it was looked for");
        assert!(!statement.to_lowercase().contains("like"), "{statement}");
        let explain = format!(
            "prepare {table} (text, text, text, bigint) as {statement}; explain execute {table} ('mon', 'moo', null, 21)"
        );
        let plan: Vec<String> = sqlx::raw_sql(AssertSqlSafe(explain))
            .fetch_all(&mut db)
            .await
            .unwrap()
            .iter()
            .map(|row| sqlx::Row::get(row, 0))
            .collect();
        let range = plan.iter().any(|line| {
            line.contains("Index Cond")
                && line.contains(&format!("({bounds} >= $1)"))
                && line.contains(&format!("({bounds} < "))
        });
        assert!(range, "{table}: {plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("Sort")), "in the index's own order: {plan:#?}");
    }
}

on_each_server!(failure_15_a_beginning_is_a_range_of_a_byte_ordered_index);
