//! `grpcurl`, which learns the contracts by reflection: what a person at a terminal meets.

use serde_json::{Value, json};

use super::{LONG, followed};
use crate::harness::{Listening, Person, Stage};
use crate::programs::{grpcurl, run};

/// What `grpcurl` answered: the messages, or the status of an error.
struct Answer {
    ok: bool,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// Runs it against the server: a call with a message as somebody, or `list` and `describe` with neither.
async fn call(server: &Listening, who: Option<&Person>, message: Option<&Value>, words: &[&str]) -> Answer {
    let (address, message) = (server.address.to_string(), message.map(Value::to_string));
    let authorization = who.map(|person| format!("authorization: Bearer {}", person.token));
    let mut arguments = vec!["-plaintext", "-format-error", "-H", "accept-language: en"];
    if let Some(header) = &authorization {
        arguments.extend(["-H", header]);
    }
    if let Some(message) = &message {
        arguments.extend(["-d", message]);
    }
    arguments.push(&address);
    arguments.extend(words);
    let output = run(&grpcurl(), &arguments).await;
    // Errors come on the other stream.
    let said = if output.status.success() { output.stdout } else { output.stderr };
    Answer { ok: output.status.success(), text: String::from_utf8(said).unwrap() }
}

#[tokio::test]
async fn the_services_and_their_comments_are_found_by_reflection() {
    let stage = Stage::new();
    let server = stage.grpc(LONG).await;
    let list = call(&server, None, None, &["list"]).await;
    for service in [
        "daira.account.v1.AccountService",
        "daira.feed.v1.FeedService",
        "daira.post.v1.PostService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(list.ok && list.text.lines().any(|line| line == service), "{service} is not in {}", list.text);
    }
    let described = call(&server, None, None, &["describe", "daira.feed.v1.FeedService"]).await;
    assert!(described.text.contains("rpc HomeFeed ( .daira.feed.v1.HomeFeedRequest )"), "{}", described.text);
    let health = call(&server, None, None, &["grpc.health.v1.Health/Check"]).await;
    assert_eq!(health.json(), json!({ "status": "SERVING" }));
}

#[tokio::test]
async fn the_home_feed_is_read_to_its_end() {
    let stage = Stage::new();
    let (_, omar) = followed(&stage, 5).await;
    let server = stage.grpc(LONG).await;
    let (mut seen, mut token, mut pages) = (Vec::new(), json!(""), 0);
    while pages < 10 {
        let ask = json!({ "pageSize": 2, "pageToken": token });
        let answer = call(&server, Some(&omar), Some(&ask), &["daira.feed.v1.FeedService/HomeFeed"]).await;
        let page = answer.json();
        pages += 1;
        for post in page["posts"].as_array().unwrap() {
            assert_eq!(post["author"]["handle"], "mona");
            assert!(post["text"].as_str().unwrap().starts_with("بوست رقم"));
            seen.push(post["id"].as_str().unwrap().to_owned());
        }
        token = page["nextPageToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (3, 5));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "nothing comes twice");
}

#[tokio::test]
async fn a_post_is_created_once_under_its_key() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let create = ["daira.post.v1.PostService/CreatePost"];
    let ask = json!({ "text": "صباح الخير 👨‍👩‍👧‍👦 ya masr", "idempotencyKey": "k-1" });
    let first = call(&server, Some(&mona), Some(&ask), &create).await.json();
    assert_eq!(first["post"]["text"], "صباح الخير 👨‍👩‍👧‍👦 ya masr");
    assert_eq!(call(&server, Some(&mona), Some(&ask), &create).await.json(), first);
    let other = json!({ "text": "حاجة تانية", "idempotencyKey": "k-1" });
    let refused = call(&server, Some(&mona), Some(&other), &create).await;
    assert!(!refused.ok && refused.text.contains("idempotency.key_reused"), "{}", refused.text);
}

#[tokio::test]
async fn refusals_are_readable_at_a_terminal() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let forged = Person { token: format!("{}AAAA", &mona.token[..mona.token.len() - 4]), ..mona.clone() };
    let (feed, create) = ("daira.feed.v1.FeedService/HomeFeed", "daira.post.v1.PostService/CreatePost");
    let long = "ط".repeat(2_201);
    for (who, method, ask, code, told) in [
        (None, feed, json!({}), 16, "auth.required"),
        (Some(&forged), feed, json!({}), 16, "auth.token_invalid"),
        (Some(&mona), feed, json!({ "pageToken": "AAAA" }), 3, "page_token"),
        (Some(&mona), feed, json!({ "pageSize": 101 }), 3, "page_size"),
        (Some(&mona), create, json!({ "text": long }), 3, "post.too_long"),
        (Some(&mona), create, json!({ "text": "x".repeat(300_000 / 3) + &long }), 3, "post.too_long"),
    ] {
        let refused = call(&server, who, Some(&ask), &[method]).await;
        assert!(!refused.ok, "{method}");
        assert_eq!(refused.json()["code"], code, "{}", refused.text);
        assert!(refused.text.contains(told) && refused.text.len() < 2_048, "{told} is not in {}", refused.text);
    }
}
