//! The data map against the catalogue: every column is in it, and nothing else.

use std::collections::BTreeSet;

use daira_store::postgres::data_map::tables;
use daira_store::postgres::testing::Server;
use sqlx::{Connection as _, PgConnection};

async fn the_data_map_names_every_column_and_no_other(server: Server) {
    let database = server.database().await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let columns: Vec<String> = sqlx::query_scalar(
        "select c.relname || '.' || a.attname
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'daira'::regnamespace and c.relkind in ('r', 'p', 'm') and not c.relispartition",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let there: BTreeSet<String> = columns.into_iter().collect();
    let tables = tables().unwrap();
    let named = tables.iter().flat_map(|table| table.columns.iter().map(move |c| format!("{}.{}", table.name, c.name)));
    let mapped: BTreeSet<String> = named.clone().collect();
    assert_eq!(named.count(), mapped.len(), "a column stands twice");
    let strange: Vec<&String> = there.symmetric_difference(&mapped).collect();
    assert!(strange.is_empty(), "in the map or in the database alone: {strange:?}");
}

on_each_server!(the_data_map_names_every_column_and_no_other);
