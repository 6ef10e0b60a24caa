//! The clients that web pages use: `graphql-ws` and `graphql-sse`.

use std::time::Duration;

use serde_json::Value;

use super::two;
use crate::harness::Stage;
use crate::programs::{node, said};

/// What a client saw of a notification.
async fn seen(kind: &str) -> Value {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    let server = stage.http().await;
    let address = server.address.to_string();
    let arguments = ["subscribe.mjs", kind, &address, &mona.token, &karim.token, &post];
    let consumers = async {
        loop {
            stage.settle().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let output = tokio::select! {
        output = node(&arguments) => output,
        () = consumers => unreachable!(),
    };
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

#[tokio::test]
async fn security_74_graphql_ws_is_served() {
    let seen = Box::pin(seen("ws")).await;
    assert_eq!(seen["line"]["notificationAdded"]["actors"][0]["handle"], "karim", "{seen}");
    assert_eq!(seen["me"]["me"]["profile"]["handle"], "mona", "{seen}");
    assert_eq!(seen["forged"], 4403, "{seen}");
    assert_eq!(seen["refused"], "graphql.invalid", "{seen}");
}

#[tokio::test]
async fn graphql_sse_is_served() {
    let seen = Box::pin(seen("sse")).await;
    assert_eq!(seen["line"]["notificationAdded"]["actors"][0]["handle"], "karim", "{seen}");
    assert_eq!(seen["me"]["me"]["profile"]["handle"], "mona", "{seen}");
}
