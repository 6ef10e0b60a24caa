//! Errors: stable codes, a request id, and nothing of what lies behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{StatusCode, header};
use daira_server::graphql::GraphqlSettings;
use daira_server::http::HttpSettings;
use serde_json::json;

use crate::harness::{Stage, json_request};
use crate::stores::{Trouble, troubled};

#[tokio::test]
async fn security_72_errors_have_a_code_and_the_request_id_and_no_cause() {
    let trap = troubled(HttpSettings::default(), Trouble::Fail);
    trap.begun.store(true, Ordering::SeqCst);
    let reply = trap.stage.ask(r#"{ hashtag(tag: "mona") { __typename } }"#).await;
    // The field may be null, so there is data, and an answer with data is 2xx.
    assert_eq!(reply.status, StatusCode::OK);
    assert!(!reply.text.contains("relation") && !reply.text.contains("store.read"), "{}", reply.text);
    let body = reply.json();
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], "common.internal");
    assert_eq!(error["extensions"]["requestId"], reply.headers["x-request-id"].to_str().unwrap());
    assert_eq!(error["path"], json!(["hashtag"]));
    assert_eq!(body["data"], json!({ "hashtag": null }));
}

#[tokio::test]
async fn one_failed_field_leaves_the_others_and_is_null() {
    let trap = troubled(HttpSettings::default(), Trouble::Fail);
    trap.begun.store(true, Ordering::SeqCst);
    let reply = trap.stage.ask(r#"{ __typename hashtag(tag: "mona") { __typename } }"#).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["data"], json!({ "__typename": "Query", "hashtag": null }));
    assert_eq!(reply.code(), "common.internal");
}

#[tokio::test]
async fn security_69_a_slow_operation_is_given_up_with_what_it_asked_the_store() {
    let graphql = GraphqlSettings { timeout: Duration::from_millis(50), ..GraphqlSettings::default() };
    let trap = troubled(HttpSettings { graphql, ..HttpSettings::default() }, Trouble::Hang);
    trap.begun.store(true, Ordering::SeqCst);
    let reply = trap.stage.ask(r#"{ hashtag(tag: "mona") { __typename } }"#).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "graphql.timed_out"));
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(trap.given_up.load(Ordering::SeqCst), 1, "the store's work was given up, not left behind");
}

#[tokio::test]
async fn security_129_a_panic_is_500_and_the_server_lives() {
    let trap = troubled(HttpSettings::default(), Trouble::Panic);
    trap.begun.store(true, Ordering::SeqCst);
    let reply = trap.stage.ask(r#"{ hashtag(tag: "mona") { __typename } }"#).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "http.internal"));
    assert!(!reply.text.contains("panicked") && reply.headers.contains_key("x-request-id"));
    trap.begun.store(false, Ordering::SeqCst);
    assert_eq!(trap.stage.ask(r#"{ hashtag(tag: "mona") { __typename } }"#).await.status, StatusCode::OK);
}

#[tokio::test]
async fn texts_come_in_the_language_that_is_asked_for() {
    let stage = Stage::new();
    for (language, expected) in
        [("en-GB,ar;q=0.5", "Please log in first."), ("fr,ar", "سجّل دخولك الأول."), ("", "سجّل دخولك الأول.")]
    {
        let mut request = json_request(None, r#"{"query":"{ homeFeed { asOf } }"}"#);
        request.headers_mut().insert(header::ACCEPT_LANGUAGE, language.parse().unwrap());
        let reply = stage.send(request).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::OK, "auth.required"));
        assert_eq!(reply.json()["errors"][0]["message"], expected, "{language}");
    }
}

#[tokio::test]
async fn a_full_house_answers_503_and_health_goes_on() {
    let settings = HttpSettings { concurrency: 1, queue: 0, ..HttpSettings::default() };
    let trap = troubled(settings, Trouble::Hang);
    trap.begun.store(true, Ordering::SeqCst);
    let ask = trap.stage.ask(r#"{ hashtag(tag: "mona") { __typename } }"#);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let reply = trap.stage.ask("{ __typename }").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "http.overloaded"));
        assert_eq!(reply.headers[header::RETRY_AFTER], "1");
        for path in ["/livez", "/metrics"] {
            assert_eq!(trap.stage.get(path).await.status, StatusCode::OK, "{path}");
        }
    };
    tokio::select! {
        _ = ask => panic!("it hangs"),
        () = meanwhile => {}
    }
    trap.begun.store(false, Ordering::SeqCst);
    assert_eq!(
        trap.stage.ask("{ __typename }").await.status,
        StatusCode::OK,
        "a client that goes away frees its place"
    );
}
