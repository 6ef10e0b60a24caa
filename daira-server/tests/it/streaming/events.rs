//! GraphQL over server-sent events.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{StatusCode, header};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{ADDED, log_out, react, two};
use crate::harness::{Person, Reply, Stage, json_request};

/// What an answer that goes on has said so far.
pub(super) struct Events {
    body: BodyDataStream,
    text: String,
}

pub(super) async fn open(stage: &Stage, who: Option<&Person>, query: &str) -> Events {
    let mut request = json_request(who.map(|who| who.token.as_str()), json!({ "query": query }).to_string());
    request.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().unwrap());
    let response = stage.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
    Events { body: response.into_body().into_data_stream(), text: String::new() }
}

impl Events {
    /// The next event: its name and its data; nothing at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let told = field("event:").map(|event| {
                    let data = field("data:").unwrap_or_default();
                    (event.to_owned(), if data.is_empty() { Value::Null } else { serde_json::from_str(data).unwrap() })
                });
                self.text = rest.to_owned();
                match told {
                    Some(told) => return Some(told),
                    // Only that somebody is there.
                    None => continue,
                }
            }
            let chunk =
                tokio::time::timeout(Duration::from_secs(30), self.body.next()).await.expect("nothing comes")?;
            self.text.push_str(core::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn notifications_come_as_they_happen_until_the_session_ends() {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    let mut events = open(&stage, Some(&mona), ADDED).await;
    react(&stage, &karim, &post).await;
    let (event, data) = events.next().await.unwrap();
    assert_eq!((event.as_str(), &data["data"]["notificationAdded"]["actors"][0]["handle"]), ("next", &json!("karim")));
    log_out(&stage, &mona).await;
    let (event, data) = events.next().await.unwrap();
    assert_eq!((event.as_str(), &data["errors"][0]["extensions"]["code"]), ("next", &json!("auth.session_ended")));
    assert_eq!(events.next().await, Some(("complete".to_owned(), Value::Null)));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn whoever_comes_back_says_what_they_saw_last() {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    react(&stage, &karim, &post).await;
    let list = stage.ask_as(&mona, "{ notifications { edges { node { latestAt } } } }").await;
    let since = list.data("/notifications/edges/0/node/latestAt");
    let query = format!("subscription {{ notificationAdded(since: {since}) {{ kind count }} }}");
    let mut events = open(&stage, Some(&mona), &query).await;
    let told = json!({ "kind": "REACTED", "count": 1 });
    assert_eq!(events.next().await.unwrap().1["data"]["notificationAdded"], told, "what may have been committed after");
}

#[tokio::test]
async fn what_is_answered_once_is_complete_then() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let mut events = open(&stage, Some(&mona), "{ me { profile { handle } } }").await;
    assert_eq!(events.next().await.unwrap().1, json!({ "data": { "me": { "profile": { "handle": "mona" } } } }));
    assert_eq!(events.next().await.unwrap().0, "complete");
    let mut refused = open(&stage, None, ADDED).await;
    assert_eq!(refused.next().await.unwrap().1["errors"][0]["extensions"]["code"], "auth.required");
    assert_eq!(refused.next().await.unwrap().0, "complete");
}

#[tokio::test]
async fn whoever_is_not_let_in_gets_an_answer_as_any_other() {
    let stage = Stage::new();
    let mut request = json_request(Some("nonsense"), json!({ "query": ADDED }).to_string());
    request.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().unwrap());
    let reply: Reply = stage.send(request).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.token_invalid"));
}

#[tokio::test]
async fn a_server_that_goes_breaks_off_so_that_clients_come_again() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let mut events = open(&stage, Some(&mona), ADDED).await;
    stage.state.lifecycle.drain();
    assert_eq!(events.next().await, None, "`complete` would be the end of it");
}

#[tokio::test]
async fn security_64_secrets_are_guessed_once_in_a_request_that_streams() {
    let stage = Stage::new();
    stage.join("mona").await;
    let try_once = |alias: &str| {
        format!(
            "{alias}: logIn(input: {{ email: \"mona@example.com\", password: \"{alias}\" }}) {{ userErrors {{ code }} }}"
        )
    };
    let mut events = open(&stage, None, &format!("mutation {{ {} {} }}", try_once("a"), try_once("b"))).await;
    assert_eq!(events.next().await.unwrap().1["errors"][0]["extensions"]["code"], "graphql.repeated");
    assert_eq!(events.next().await.unwrap().0, "complete");
}
