//! What is told as it happens, over each transport that streams: WebSocket, server-sent events, gRPC; by clients that say
//! exactly what they are told to, and by those that others use.

mod activity;
mod calls;
mod clients;
mod events;
mod nodes;
pub(crate) mod socket;

use serde_json::json;

use crate::harness::{Person, Stage};

/// What most tests subscribe to.
const ADDED: &str = "subscription { notificationAdded { kind count actors { handle } isUnread } }";

/// Mona with a post, and Karim who reacts to it.
async fn two(stage: &Stage) -> (Person, Person, String) {
    let (mona, karim) = (stage.join("mona").await, stage.join("karim").await);
    let post = stage.publish(&mona, json!({ "text": "صورة من اسكندرية" })).await;
    (mona, karim, post)
}

async fn react(stage: &Stage, who: &Person, post: &str) {
    stage.done(Some(who), "react", json!({ "subjectId": post, "kind": "LOVE" }), "clientMutationId").await;
    stage.settle().await;
}

async fn log_out(stage: &Stage, who: &Person) {
    let answer = stage.ask_as(who, "mutation { logOut { userErrors { code } } }").await;
    assert_eq!(answer.data("/logOut/userErrors"), json!([]));
}
