//! Google's own client library, through Python: reflection as older clients ask for it, paging, the details of errors,
//! deadlines, and health until the server is gone.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use daira_server::http::HttpSettings;
use serde_json::{Value, json};

use super::{LONG, followed};
use crate::harness::Stage;
use crate::programs::{python, run, said};
use crate::stores::{Trouble, troubled};

async fn client(arguments: &[&str]) -> Value {
    let output = run(&python(), &[&["grpc_client.py"], arguments].concat()).await;
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

#[tokio::test]
async fn the_home_feed_is_read_to_its_end_by_an_older_reflection() {
    let stage = Stage::new();
    let (_, omar) = followed(&stage, 7).await;
    let server = stage.grpc(LONG).await;
    let seen = client(&[&server.address.to_string(), "feed", &omar.token, "3"]).await;
    let pages: Vec<Vec<String>> = serde_json::from_value(seen["pages"].clone()).unwrap();
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let mut all = pages.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 7, "nothing comes twice");
    assert!(seen["services"].as_array().unwrap().contains(&json!("daira.feed.v1.FeedService")));
}

#[tokio::test]
async fn refusals_carry_the_details_of_googles_error_model() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let seen = client(&[&server.address.to_string(), "refused", &mona.token]).await;
    let too_long = "A post has up to 2,200 characters.";
    assert_eq!(
        seen["too_long"],
        json!({
            "code": "INVALID_ARGUMENT",
            "message": too_long,
            "ErrorInfo": { "reason": "post.too_long", "domain": "daira" },
            "BadRequest": ["text"],
            "LocalizedMessage": { "locale": "en", "message": too_long },
        })
    );
    assert_eq!(seen["too_long_ar"]["LocalizedMessage"]["locale"], "ar");
    assert!(seen["too_long_ar"]["message"].as_str().unwrap().contains("حرف"), "{seen}");
    for (what, code, reason, fields) in [
        ("page_size", "INVALID_ARGUMENT", "page.size", json!(["page_size"])),
        ("page_token", "INVALID_ARGUMENT", "page.cursor", json!(["page_token"])),
        ("bad_id", "INVALID_ARGUMENT", "common.id", json!(["id"])),
        ("missing", "NOT_FOUND", "common.not_found", Value::Null),
        ("stranger", "UNAUTHENTICATED", "auth.required", Value::Null),
        ("forged", "UNAUTHENTICATED", "auth.token_invalid", Value::Null),
        ("too_large", "RESOURCE_EXHAUSTED", "http.too_large", Value::Null),
    ] {
        let refused = &seen[what];
        assert_eq!(
            (&refused["code"], &refused["ErrorInfo"]["reason"], &refused["BadRequest"]),
            (&json!(code), &json!(reason), &fields),
            "{what}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_clients_deadline_is_kept_and_told_with_when_to_come_again() {
    let trap = troubled(HttpSettings::default(), Trouble::Hang);
    let mona = trap.stage.join("mona").await;
    let server = trap.stage.grpc(LONG).await;
    trap.begun.store(true, Ordering::SeqCst);
    let refused = client(&[&server.address.to_string(), "slow", &mona.token, "1"]).await;
    assert_eq!(refused["code"], "DEADLINE_EXCEEDED", "{refused}");
    assert_eq!(trap.given_up.load(Ordering::SeqCst), 1, "the store's work was given up, not left behind");
}

#[tokio::test]
async fn whoever_watches_sees_the_server_drain() {
    let stage = Stage::new();
    let server = stage.grpc(LONG).await;
    let mut command = Command::new(python());
    command.args(["grpc_client.py", &server.address.to_string(), "watch"]);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients")).stdout(Stdio::piped());
    let mut watching = command.spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(watching.stdout.take().unwrap()));
    let (sees, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let reading = tokio::task::spawn_blocking(move || {
        while let Some(Ok(line)) = lines.next() {
            sees.send(line).unwrap();
        }
        watching.wait().unwrap()
    });
    assert_eq!(seen.recv().await.unwrap(), r#"["SERVING"]"#);
    server.drain().await;
    assert_eq!(seen.recv().await.unwrap(), r#"["SERVING", "NOT_SERVING"]"#);
    assert_eq!(seen.recv().await.unwrap(), r#"{"seen": ["SERVING", "NOT_SERVING"], "ended": "OK"}"#);
    assert!(reading.await.unwrap().success());
}
