//! The law of the two guards against real row security and real views, and the proof that it notices when either is wrong.

use std::panic::AssertUnwindSafe;

use daira_core::testkit::law;
use daira_store::postgres::testing::Server;
use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::{ports, ports_pooled};

const SEED: u64 = 2_026;

async fn the_law_of_the_two_guards_holds(server: Server) {
    let (ports, _database) = ports(server).await;
    let tally = law::check(&ports, SEED, 100_000).await;
    println!("law {server:?} {tally:?}");
    assert!(tally.pairs >= 100_000 && tally.towns > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_law_of_the_two_guards_holds_through_a_pooler() {
    let (ports, _running) = ports_pooled().await;
    let tally = law::check(&ports, SEED, 100_000).await;
    println!("law PgBouncer {tally:?}");
    assert!(tally.pairs >= 100_000 && tally.towns > 5);
}

/// Guards of the schema, each with a part of it and what a careless hand might write instead.
const MUTANTS: &[(&str, &str, &str)] = &[
    ("policy class_read on daira.post", "(visibility = 2) AND", "(visibility >= 2) AND"),
    ("policy class_read on daira.post", "(f.followee = post.author)", "(f.followee = f.followee)"),
    ("function daira.am_chosen(bigint, bigint[])", "m.circle = of_circle", "m.circle = m.circle"),
    ("function daira.am_chosen(bigint, bigint[])", "any (mentioned)", "all (mentioned)"),
    ("policy class_read on daira.post", "(deleted_at IS NULL)", "true"),
    ("policy class_read on daira.post", "(taken_down_at IS NULL)", "true"),
    ("view daira.visible_profile", "b.blocked_account = ", "b.blocker = "),
    ("view daira.visible_profile", "standing = 0", "standing <= 1"),
    ("view daira.standing_post", "NOT a.private", "true"),
    ("view daira.visible_post", "b.blocked_account = ", "b.blocker = "),
    ("view daira.standing_post", "standing = 0", "standing >= 0"),
    ("view daira.visible_comment", "c.deleted_at IS NULL", "true"),
];

/// The definition of a guard as it stands, and how to lay it again.
async fn definition(admin: &mut PgConnection, guard: &str) -> (String, &'static str, &'static str) {
    if let Some(view) = guard.strip_prefix("view ") {
        let sql = "select pg_get_viewdef($1::text::regclass, true)";
        let text = sqlx::query_scalar(sql).bind(view).fetch_one(admin).await.unwrap();
        return (text, "create or replace GUARD with (security_invoker = true) as ", "");
    }
    if let Some(function) = guard.strip_prefix("function ") {
        let sql = "select pg_get_functiondef($1::text::regprocedure)";
        return (sqlx::query_scalar(sql).bind(function).fetch_one(admin).await.unwrap(), "", "");
    }
    let sql = "select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'class_read' and polrelid = 'daira.post'::regclass";
    (sqlx::query_scalar(sql).fetch_one(admin).await.unwrap(), "alter GUARD using (", ")")
}

async fn a_mutated_guard_breaks_the_law(server: Server) {
    const PAIRS: u64 = 12_000;
    let (sound, database) = ports(server).await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    // Every town is drawn anew, so one database serves all mutants.
    for (seed, (guard, part, instead)) in (1..).zip(MUTANTS) {
        let (text, lay, end) = definition(&mut admin, guard).await;
        let mutated = text.replacen(part, instead, usize::MAX);
        assert_ne!(mutated, text, "{guard} has no {part}: {text}");
        let relay = |text: &str| {
            let text = text.trim_end_matches(';');
            AssertSqlSafe(format!("set search_path = daira, pg_catalog; {}{text}{end}", lay.replace("GUARD", guard)))
        };
        sqlx::raw_sql(relay(&mutated)).execute(&mut admin).await.unwrap();
        let broken = AssertUnwindSafe(law::check(&sound, seed, PAIRS)).catch_unwind().await;
        assert!(broken.is_err(), "nothing noticed that {guard} has {instead} for {part}");
        sqlx::raw_sql(relay(&text)).execute(&mut admin).await.unwrap();
    }
    // As they were, they hold: it was the mutations that broke it.
    assert!(law::check(&sound, SEED, PAIRS).await.pairs >= PAIRS);
}

on_each_server!(the_law_of_the_two_guards_holds, a_mutated_guard_breaks_the_law);
