//! What is kept of somebody: their consents, and exports of all of it, through the doors of the server.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use daira_core::account::AccountService;
use daira_core::record::ExportService;
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};

use crate::harness::{Person, Reply, Stage};
use crate::real::Real;

const CONSENTS: &str = "{ me { consents { purpose version given history { given version } } } }";

async fn consents(stage: &Stage, who: &Person) -> Value {
    stage.ask_as(who, CONSENTS).await.data("/me/consents")
}

#[tokio::test]
async fn consents_are_given_taken_back_and_their_owners_alone() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    let all = consents(&stage, &mona).await;
    let joined =
        json!({ "purpose": "TERMS", "version": 1, "given": true, "history": [{ "given": true, "version": 1 }] });
    assert_eq!((all.as_array().unwrap().len(), &all[0]), (6, &joined));
    let say = |given: bool, version: i32| json!({ "purpose": "ANALYTICS", "version": version, "given": given });
    let set = stage.done(Some(&mona), "setConsent", say(true, 1), "consents { purpose given }").await;
    assert_eq!(set["consents"][2], json!({ "purpose": "ANALYTICS", "given": true }));
    stage.done(Some(&mona), "setConsent", say(false, 1), "consents { purpose }").await;
    let mine = consents(&stage, &mona).await[2].clone();
    assert_eq!(mine["history"], json!([{ "given": false, "version": 1 }, { "given": true, "version": 1 }]));
    assert_eq!(consents(&stage, &omar).await[2]["history"], json!([]), "nobody else's");
    for (input, code) in [
        (say(true, 2), "consent.text_changed"),
        (say(true, -1), "consent.text_changed"),
        (json!({ "purpose": "TERMS", "version": 1, "given": false }), "consent.needed"),
    ] {
        assert_eq!(stage.refused(&mona, "setConsent", input).await, code);
    }
    assert_eq!(stage.ask(CONSENTS).await.data("/me"), Value::Null);
}

async fn build(stage: &Stage) {
    let exports = ExportService::new(stage.ports.clone(), AccountService::new(stage.ports.clone()));
    while exports.build_next(|| false).await.unwrap() {}
}

async fn get(stage: &Stage, token: Option<&str>, path: &str, range: Option<&str>) -> Reply {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    stage.send(request.body(Body::empty()).unwrap()).await
}

const EXPORTS: &str = "{ me { exports { id state bytes readyAt expiresAt files { name bytes rows path } } } }";

async fn an_export_is_had_by_its_owner_alone(stage: &Stage) {
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    stage.publish(&mona, json!({ "text": "كل سنة وانتو طيبين #رمضان" })).await;
    stage.publish(&omar, json!({ "text": "سر عمر" })).await;
    stage.done(Some(&mona), "follow", json!({ "profileId": omar.id }), "outcome").await;
    let asked = stage.done(Some(&mona), "requestExport", json!({}), "exportId").await;
    assert_eq!(stage.refused(&mona, "requestExport", json!({ "idempotencyKey": "other" })).await, "export.running");
    let waiting = stage.ask_as(&mona, EXPORTS).await.data("/me/exports/0");
    assert_eq!(
        (&waiting["id"], &waiting["state"], &waiting["files"]),
        (&asked["exportId"], &json!("PREPARING"), &Value::Null)
    );
    build(stage).await;
    let ready = stage.ask_as(&mona, EXPORTS).await.data("/me/exports/0");
    assert_eq!(ready["state"], "READY");
    let files = ready["files"].as_array().unwrap();
    let path = |name: &str| {
        let file = files.iter().find(|file| file["name"] == name).unwrap_or_else(|| panic!("{name} in {files:?}"));
        file["path"].as_str().unwrap().to_owned()
    };
    let posts = get(stage, Some(&mona.token), &path("post.jsonl"), None).await;
    assert_eq!(posts.status, StatusCode::OK);
    assert_eq!(posts.headers[header::CONTENT_LENGTH], posts.text.len().to_string());
    assert_eq!(posts.headers[header::CACHE_CONTROL], "private, no-store");
    let post: Value = serde_json::from_str(posts.text.trim_end()).unwrap();
    assert_eq!(post["text"], "كل سنة وانتو طيبين #رمضان");
    let part = get(stage, Some(&mona.token), &path("post.jsonl"), Some("bytes=1-5")).await;
    assert_eq!((part.status, part.text.as_str()), (StatusCode::PARTIAL_CONTENT, &posts.text[1..6]));
    assert_eq!(part.headers[header::CONTENT_RANGE], format!("bytes 1-5/{}", posts.text.len()));
    let beyond = get(stage, Some(&mona.token), &path("post.jsonl"), Some("bytes=9999999-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let mut everything = String::new();
    for file in files {
        everything += &get(stage, Some(&mona.token), file["path"].as_str().unwrap(), None).await.text;
    }
    assert!(everything.contains("mona@example.com") && everything.contains(&omar.id), "whom she follows, by their id");
    for secret in ["سر عمر", "omar@example.com", "argon2", "password_hash", "acc_"] {
        assert!(!everything.contains(secret), "{secret} is in an export");
    }
    // Somebody else's, one that nobody has, a file that is not in it, and nobody at all.
    let missing = "/exports/exp_0000000000001/post.jsonl";
    let nothing = get(stage, Some(&omar.token), missing, None).await;
    let id = asked["exportId"].as_str().unwrap();
    for (token, path) in [
        (&omar.token, path("post.jsonl")),
        (&mona.token, format!("/exports/{id}/%2e%2e/secret")),
        (&mona.token, "/exports/x/post.jsonl".to_owned()),
    ] {
        let refused = get(stage, Some(token), &path, None).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, nothing.code()), "{path}");
    }
    assert_eq!(get(stage, None, &path("post.jsonl"), None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stage.ask_as(&omar, EXPORTS).await.data("/me/exports"), json!([]));
}

#[tokio::test]
async fn security_35_an_export_is_had_by_its_owner_alone_in_memory() {
    an_export_is_had_by_its_owner_alone(&Stage::new()).await;
}

#[tokio::test]
async fn security_35_an_export_is_had_by_its_owner_alone_in_postgresql() {
    let real = Real::on(Server::Pg18, HttpSettings::default()).await;
    an_export_is_had_by_its_owner_alone(&real).await;
}
