//! `GraphiQL` in a real browser: it works, from this server's files alone, in development alone.

use axum::http::StatusCode;
use daira_server::http::HttpSettings;
use serde_json::{Value, json};

use crate::harness::Stage;
use crate::programs::{browser, node, said};

#[tokio::test]
async fn security_68_graphiql_runs_in_a_browser_from_vendored_files_alone() {
    let stage = Stage::with(HttpSettings::development());
    let mona = stage.join("mona").await;
    stage.publish(&mona, json!({ "text": "صباح الفل يا مصر" })).await;
    let server = stage.http().await;
    let url = format!("http://{}/graphql", server.address);
    let query = "{ me { profile { handle posts { edges { node { text } } } } } }";
    let headers = json!({ "authorization": format!("Bearer {}", mona.token) }).to_string();
    let output = node(&["graphiql.mjs", &browser(), &url, query, &headers]).await;
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    assert_eq!(report["complaints"], json!([]), "{report}");
    assert_eq!(report["outside"], json!([]), "the page asks nobody else");
    let answer: Value = serde_json::from_str(report["answer"].as_str().unwrap()).unwrap();
    let posts = json!({ "edges": [{ "node": { "text": "صباح الفل يا مصر" } }] });
    assert_eq!(answer, json!({ "data": { "me": { "profile": { "handle": "mona", "posts": posts } } } }));
    assert_eq!(
        (&report["title"], &report["documented"]),
        (&json!("DAIRA GraphiQL"), &json!(true)),
        "the schema is read as well"
    );
}

#[tokio::test]
async fn security_68_there_is_no_page_in_production() {
    let stage = Stage::new();
    for file in ["graphiql.min.js", "graphiql.min.css", "start.js", "react.production.min.js", "LICENSES.txt"] {
        assert_eq!(stage.get(&format!("/graphql/assets/{file}")).await.status, StatusCode::NOT_FOUND, "{file}");
    }
    let reply = stage.get("/graphql").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "graphql.no_document"));
}
