//! The schema itself: that it can be laid twice, that its guards are up, and that its pools cannot be reached around them.

use daira_core::secret::Secret;
use daira_store::postgres::testing::Server;
use daira_store::postgres::{Bootstrap, gate, schema_state};
use sqlx::Connection as _;

async fn guards_are_up(server: Server) {
    let database = server.database().await.unwrap();
    let findings = gate::inspect(&database.admin_url()).await.unwrap();
    assert!(findings.is_empty(), "{findings:#?}");
    // The roles that serve can ask as well, for `doctor`.
    assert!(gate::inspect(&database.config().app_url).await.unwrap().is_empty());
}

async fn holes_are_found(server: Server) {
    let database = server.database().await.unwrap();
    let mut admin = sqlx::PgConnection::connect(&database.admin_url()).await.unwrap();
    for (hole, rule) in [
        ("create table daira.leak (x int)", "row security is enabled and forced on every table and partition"),
        (
            "alter table daira.post no force row level security",
            "row security is enabled and forced on every table and partition",
        ),
        ("grant truncate on daira.post to daira_app", "nobody is granted what row security does not stop"),
        ("create view daira.leak as select * from daira.post", "views run as who asks"),
        (
            "create function daira.leak() returns int language sql security definer return 1",
            "functions that run as their owner pin their search path",
        ),
        ("grant create on schema daira to daira_worker", "no role of the program makes objects"),
        ("grant update (author) on daira.post to daira_app", "rows do not change their owner"),
        ("grant delete on daira.audit to daira_app", "what happened is not changed"),
        (
            "create materialized view daira.leak as select 1 as x; grant select on daira.leak to daira_app",
            "no materialized view is readable by who serves people",
        ),
        (
            "create table daira.leak partition of daira.inbox default",
            "no partition takes what fits nowhere else, and no foreign key points at a partitioned table",
        ),
        (
            "do $$ begin execute format('grant select on %s to daira_app', (select inhrelid::regclass from pg_inherits where inhparent = 'daira.inbox'::regclass limit 1)); end $$",
            "nobody is granted a partition but who dumps",
        ),
    ] {
        let mut transaction = admin.begin().await.unwrap();
        sqlx::raw_sql(hole).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let findings = gate::inspect(&database.admin_url()).await.unwrap();
        assert!(findings.iter().any(|f| f.rule == rule), "{hole} is not found: {findings:?}");
        let undo = match hole {
            h if h.starts_with("create table") => "drop table daira.leak",
            h if h.starts_with("alter") => "alter table daira.post force row level security",
            h if h.starts_with("create view") => "drop view daira.leak",
            h if h.starts_with("create materialized") => "drop materialized view daira.leak",
            h if h.starts_with("create function") => "drop function daira.leak()",
            h if h.contains("truncate") => "revoke truncate on daira.post from daira_app",
            h if h.contains("schema") => "revoke create on schema daira from daira_worker",
            h if h.contains("author") => "revoke update (author) on daira.post from daira_app",
            h if h.contains("audit") => "revoke delete on daira.audit from daira_app",
            _ => {
                "do $$ begin execute format('revoke select on %s from daira_app', (select inhrelid::regclass from pg_inherits where inhparent = 'daira.inbox'::regclass limit 1)); end $$"
            }
        };
        sqlx::raw_sql(undo).execute(&mut admin).await.unwrap();
    }
    assert!(gate::inspect(&database.admin_url()).await.unwrap().is_empty());
}

async fn bootstrap_repeats_and_races(server: Server) {
    let admin = server.admin_url().unwrap();
    let name = format!("daira_boot_{}_{server:?}", std::process::id()).to_lowercase();
    let plan = Bootstrap::new(&name, Secret::new("app"), Secret::new("worker"));
    let (one, two) = tokio::join!(plan.run(&admin), plan.run(&admin));
    let config = one.unwrap();
    two.unwrap();
    plan.run(&admin).await.unwrap();
    let owner = format!("{}/{name}", admin.rsplit_once('/').unwrap().0);
    for url in [&owner, &config.app_url, &config.worker_url] {
        let state = schema_state(url).await.unwrap();
        assert!(state.pending.is_empty() && state.unknown.is_empty(), "{state:?}");
    }
    assert!(gate::inspect(&config.worker_url).await.unwrap().is_empty());
    let mut connection = sqlx::PgConnection::connect(&admin).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop database {name} with (force)")))
        .execute(&mut connection)
        .await
        .unwrap();
}

on_each_server!(guards_are_up, holes_are_found, bootstrap_repeats_and_races);
