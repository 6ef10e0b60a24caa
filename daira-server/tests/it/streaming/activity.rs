//! Who is active now: for whom, by which ways in, and on which node.

use std::time::Duration;

use daira_core::proto::notification::v1::WatchNotificationsRequest;
use serde_json::{Value, json};

use super::ADDED;
use super::events::open;
use super::socket::Socket;
use crate::grpc::{LONG, by, clients};
use crate::harness::{Person, Stage};
use crate::program::Installation;

/// Whether a reader is shown somebody as active, after everybody was said who is there.
async fn sees(stage: &Stage, reader: Option<&Person>, who: &str) -> bool {
    stage.state.ports.activity.say().await;
    let query =
        format!("{{ a: profile(handle: \"{who}\") {{ activeNow }} b: profile(handle: \"{who}\") {{ activeNow }} }}");
    let answer = stage.ask_with(reader, &query, json!({})).await;
    assert_eq!(answer.data("/a"), answer.data("/b"));
    answer.data("/a/activeNow").as_bool().unwrap()
}

/// Until a stream that was left is gone.
async fn left(stage: &Stage, reader: &Person, who: &str) {
    for _ in 0..500 {
        if !sees(stage, Some(reader), who).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{who} is still there");
}

async fn follow(stage: &Stage, who: &Person, whom: &Person) {
    stage.done(Some(who), "follow", json!({ "profileId": whom.id }), "clientMutationId").await;
}

#[tokio::test]
async fn security_118_activity_is_for_whom_one_follows_and_lets_see_it() {
    let stage = Stage::new();
    let (mona, karim, sara) = (stage.join("mona").await, stage.join("karim").await, stage.join("sara").await);
    follow(&stage, &karim, &mona).await;
    follow(&stage, &sara, &karim).await;
    assert!(!sees(&stage, Some(&mona), "karim").await);
    let events = open(&stage, Some(&karim), ADDED).await;
    assert!(sees(&stage, Some(&mona), "karim").await, "karim follows her");
    assert!(!sees(&stage, Some(&sara), "karim").await, "karim does not follow her");
    assert!(!sees(&stage, Some(&karim), "karim").await && !sees(&stage, None, "karim").await);

    let input = |shows: bool| json!({ "showsActivity": shows });
    let own = async || stage.ask_as(&karim, "{ me { showsActivity } }").await.data("/me/showsActivity");
    for shows in [false, true] {
        stage.done(Some(&karim), "updateProfile", input(shows), "profile { handle }").await;
        assert_eq!((own().await, sees(&stage, Some(&mona), "karim").await), (Value::Bool(shows), shows));
    }
    stage.done(Some(&karim), "block", json!({ "profileId": mona.id }), "clientMutationId").await;
    let hidden = stage.ask_as(&mona, "{ profile(handle: \"karim\") { activeNow } }").await;
    assert_eq!(hidden.data("/profile"), Value::Null);
    drop(events);
}

#[tokio::test]
async fn whoever_is_told_things_is_active_over_each_transport() {
    let stage = Stage::new();
    let (mona, karim) = (stage.join("mona").await, stage.join("karim").await);
    follow(&stage, &karim, &mona).await;
    let events = open(&stage, Some(&karim), ADDED).await;
    assert!(sees(&stage, Some(&mona), "karim").await);
    drop(events);
    left(&stage, &mona, "karim").await;

    let server = stage.http().await;
    let mut socket = Socket::with(server.address, &karim.token).await;
    assert!(!sees(&stage, Some(&mona), "karim").await, "nothing is asked for yet");
    socket.subscribe("a", ADDED).await;
    for _ in 0..500 {
        if sees(&stage, Some(&mona), "karim").await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(sees(&stage, Some(&mona), "karim").await);
    drop(socket);
    left(&stage, &mona, "karim").await;

    let server = stage.grpc(LONG).await;
    let mut client = clients(&server).await.notifications;
    let watched =
        client.watch_notifications(by(&karim, WatchNotificationsRequest { since: String::new() })).await.unwrap();
    assert!(sees(&stage, Some(&mona), "karim").await);
    drop((watched, client));
    left(&stage, &mona, "karim").await;
}

/// Two processes and a Redis: one of them is killed as `kill -9` does it.
#[test]
fn security_118_who_was_on_a_killed_node_is_gone() {
    let redis = crate::programs::found("DAIRA_TEST_REDIS");
    let settings = [
        ("DAIRA_REDIS__URL", redis.as_str()),
        ("DAIRA_REDIS__PREFIX", "activity-test:"),
        ("DAIRA_PRODUCT__ACTIVITY_SECONDS", "2"),
    ];
    let place = Installation::new();
    place.done(&["seed", "--people", "20", "--posts", "40"]);
    let [first, second] = [place.serve_another(&settings), place.serve_another(&settings)];
    let token = first.log_in();
    let query = "{ me { profile { handle following(first: 1) { edges { node { handle } } } } } }";
    let me = first.ask(Some(&token), query, &json!({})).json();
    let text = |path: &str| me.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{me}")).to_owned();
    let (mine, followed) = (text("/data/me/profile/handle"), text("/data/me/profile/following/edges/0/node/handle"));
    let login = json!({ "email": daira_server::seed::email(&followed), "password": daira_server::seed::PASSWORD });
    let reader = first.log_in_with(&login);
    let ask = json!({ "handle": mine });
    let is_active = || {
        let query = "query ($handle: String!) { profile(handle: $handle) { activeNow } }";
        first
            .ask(Some(&reader), query, &ask)
            .json()
            .pointer("/data/profile/activeNow")
            .and_then(Value::as_bool)
            .unwrap()
    };
    assert!(!is_active());

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let socket = runtime.block_on(async {
        let mut socket = Socket::with(second.http(), &token).await;
        socket.subscribe("a", ADDED).await;
        socket
    });
    first.until("active on the other node", is_active);
    second.kill();
    first.until("gone with the killed node", || !is_active());
    drop(socket);

    let socket = runtime.block_on(async {
        let mut socket = Socket::with(first.http(), &token).await;
        socket.subscribe("a", ADDED).await;
        socket
    });
    first.until("active again", is_active);
    runtime.block_on(async { drop(socket) });
    first.until("gone with the stream", || !is_active());
}
