//! 7: idempotency that covers one way in, or only the quiet case.

use std::collections::BTreeSet;

use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::platform::on_each_server;
use crate::real::Real;
use crate::repeats::{every_mutation_answers_again, keyed};

/// The same request again at once, and another under its key: neither finds the first one still holding on to it.
async fn failure_07_every_mutation_has_one_effect_under_a_key(server: Server) {
    let stage = Real::on(server, HttpSettings::default()).await;
    every_mutation_answers_again(&stage).await;
}

async fn failure_07_fifty_at_once_are_one(server: Server) {
    let stage = Real::on(server, HttpSettings::default()).await;
    let mona = stage.join("mona").await;
    let input = keyed(&json!({ "text": "مرة واحدة" }), "fifty");
    let answers = futures_util::future::join_all(
        (0..50).map(|_| stage.tried(Some(&mona), "createPost", input.clone(), "post { id }")),
    )
    .await;
    let mut ids = BTreeSet::new();
    for answer in answers {
        match answer["post"]["id"].as_str() {
            Some(id) => _ = ids.insert(id.to_owned()),
            None => assert_eq!(answer["userErrors"][0]["code"], "idempotency.in_flight", "{answer}"),
        }
    }
    assert_eq!(ids.len(), 1);
    let mut db = PgConnection::connect(&stage.database.admin_url()).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from daira.post").fetch_one(&mut db).await.unwrap(), 1);

    // While a request of this key is under way, another is told so at once instead of waiting for it.
    let whose = "select id from daira.profile where handle = 'mona'";
    let me = sqlx::query_scalar::<_, i64>(whose).fetch_one(&mut db).await.unwrap();
    let lock = "select pg_advisory_lock(hashtextextended($1 || chr(31) || 'post.create' || chr(31) || 'busy', 1))";
    sqlx::query(lock).bind(me.to_string()).execute(&mut db).await.unwrap();
    let busy = keyed(&json!({ "text": "كمان مرة" }), "busy");
    assert_eq!(stage.refused(&mona, "createPost", busy.clone()).await, "idempotency.in_flight");
    sqlx::query("select pg_advisory_unlock_all()").execute(&mut db).await.unwrap();
    stage.done(Some(&mona), "createPost", busy, "post { id }").await;

    // A refusal is not kept: what was wrong then may be right now.
    let gone = keyed(&json!({ "postId": "pst_0000000000001", "text": "فين؟" }), "refused");
    assert_eq!(stage.refused(&mona, "comment", gone).await, "common.not_found");
    let there = json!({ "postId": ids.first().unwrap(), "text": "أهو" });
    stage.done(Some(&mona), "comment", keyed(&there, "refused"), "comment { id }").await;
}

on_each_server!(failure_07_every_mutation_has_one_effect_under_a_key, failure_07_fifty_at_once_are_one);
