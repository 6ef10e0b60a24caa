//! Documents named by their hash.

use axum::http::StatusCode;
use daira_server::graphql::{Documents, GraphqlSettings};
use daira_server::http::HttpSettings;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::Stage;

fn named(document: Option<&str>, hash: &str) -> String {
    let mut body = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } });
    if let Some(document) = document {
        body["query"] = Value::from(document);
    }
    body.to_string()
}

fn hash(document: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(document))
}

#[tokio::test]
async fn security_73_a_registered_document_is_run_by_its_hash() {
    let (stage, document) = (Stage::new(), "{ __typename }");
    let reply = stage.post(named(None, &hash(document))).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(reply.json()["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(stage.post(named(Some(document), &hash(document))).await.status, StatusCode::OK);
    assert_eq!(stage.post(named(None, &hash(document))).await.data("/__typename"), "Query");
    let query = format!(
        "extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{}%22%7D%7D",
        hash(document)
    );
    assert_eq!(stage.get(&format!("/graphql?{query}")).await.data("/__typename"), "Query");
}

#[tokio::test]
async fn security_73_a_wrong_hash_is_refused_and_registers_nothing() {
    let (stage, wrong) = (Stage::new(), hash("{ other }"));
    assert_eq!(stage.post(named(Some("{ __typename }"), &wrong)).await.code(), "graphql.persisted_mismatch");
    assert_eq!(stage.post(named(None, &wrong)).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(stage.post(named(Some("{ __typename }"), "zz")).await.code(), "graphql.persisted_mismatch");
}

#[tokio::test]
async fn security_73_a_refused_document_is_not_registered() {
    let (stage, document) = (Stage::new(), "{ me { ");
    assert_eq!(stage.post(named(Some(document), &hash(document))).await.code(), "graphql.syntax");
    assert_eq!(stage.post(named(None, &hash(document))).await.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn security_73_only_registered_documents_may_be_all_there_is() {
    let graphql =
        GraphqlSettings { documents: Documents::Only(vec!["{ __typename }".to_owned()]), ..GraphqlSettings::default() };
    let stage = Stage::with(HttpSettings { graphql, ..HttpSettings::default() });
    assert_eq!(stage.ask("{ __typename }").await.status, StatusCode::OK);
    assert_eq!(stage.post(named(None, &hash("{ __typename }"))).await.status, StatusCode::OK);
    let reply = stage.ask("{ me { __typename } }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "graphql.persisted_only"));
}
