//! Health and metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::{StatusCode, header};
use daira_server::http::HttpSettings;

use crate::harness::Stage;
use crate::stores::{Trouble, Troubled};

#[tokio::test]
async fn security_125_readiness_waits_for_the_start_and_fails_first_at_the_end() {
    let stage = Stage::new();
    assert_eq!(stage.get("/livez").await.status, StatusCode::OK);
    assert_eq!(stage.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    stage.state.lifecycle.ready();
    assert_eq!(stage.get("/readyz").await.status, StatusCode::OK);
    stage.state.lifecycle.drain();
    let reply = stage.get("/readyz").await;
    assert_eq!((reply.status, reply.text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "draining\n"));
    assert_eq!(stage.get("/livez").await.status, StatusCode::OK);
    assert_eq!(stage.ask("{ __typename }").await.status, StatusCode::OK, "what still comes is still answered");
}

#[tokio::test]
async fn security_125_readiness_reflects_the_store_and_liveness_does_not() {
    let begun = Arc::<std::sync::atomic::AtomicBool>::default();
    let flag = Arc::clone(&begun);
    let stage = Stage::over(HttpSettings::default(), |store| {
        Arc::new(Troubled { store, trouble: Trouble::Hang, begun: flag, given_up: Arc::default() })
    });
    stage.state.lifecycle.ready();
    assert_eq!(stage.get("/readyz").await.status, StatusCode::OK);
    begun.store(true, Ordering::SeqCst);
    let started = std::time::Instant::now();
    assert_eq!(stage.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(started.elapsed() < std::time::Duration::from_millis(1_500), "one second is enough to know");
    let reply = stage.get("/health").await;
    assert_eq!((reply.status, reply.json()["status"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("failing")));
    assert_eq!(stage.get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn health_says_how_it_is() {
    let stage = Stage::new();
    stage.state.lifecycle.ready();
    stage.state.services.accounts.poll_revocations().await.unwrap();
    let reply = stage.get("/health").await;
    let body = reply.json();
    assert_eq!(
        (reply.status, body["status"].as_str(), body["checks"]["store"]["status"].as_str()),
        (StatusCode::OK, Some("ok"), Some("ok"))
    );
}

#[tokio::test]
async fn metrics_have_units_and_few_labels() {
    let stage = Stage::new();
    stage.ask("{ __typename }").await;
    stage.get("/some/path/that/is/nowhere").await;
    let reply = stage.get("/metrics").await;
    assert!(reply.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert!(reply.text.contains("# UNIT http_server_request_duration_seconds seconds"), "{}", reply.text);
    assert!(
        reply
            .text
            .contains(r#"http_server_request_duration_seconds_count{method="POST",route="/graphql",status="200"} 1"#),
        "{}",
        reply.text
    );
    assert!(reply.text.contains(r#"route="unmatched",status="404""#) && !reply.text.contains("nowhere"));
    assert!(reply.text.contains(r#"graphql_operations_total{kind="query",outcome="ok"} 1"#), "{}", reply.text);
    assert!(reply.text.ends_with("# EOF\n"));
    let quiet = Stage::with(HttpSettings { metrics: false, ..HttpSettings::default() });
    assert_eq!(quiet.get("/metrics").await.status, StatusCode::NOT_FOUND);
}
