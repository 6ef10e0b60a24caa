//! Two processes of the server on one database: what ends on one ends on the other, with Redis between them, with nothing but
//! the database, and with a Redis that hears nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::socket::Socket;
use crate::program::{Installation, Running};

/// How long the second node went on letting somebody in, and their stream open, after the first had ended the session.
struct Delay {
    request: Duration,
    stream: Duration,
}

/// A session begun on the first node, watched on the second, and ended on the first.
fn ended(first: &Running<'_>, second: &Running<'_>) -> Delay {
    let token = first.log_in();
    let me = |node: &Running<'_>| node.ask(Some(&token), "{ me { profile { handle } } }", &json!({})).status;
    assert_eq!([me(first), me(second)], [200, 200]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut socket = runtime.block_on(async {
        let mut socket = Socket::with(second.http(), &token).await;
        socket.subscribe("a", super::ADDED).await;
        socket
    });
    let out = first.ask(Some(&token), "mutation { logOut { userErrors { code } } }", &json!({}));
    let began = Instant::now();
    assert_eq!(out.json().pointer("/data/logOut/userErrors"), Some(&Value::Array(Vec::new())));
    assert_eq!(me(first), 401, "at once where it was ended");
    first.until("refused on the other node", || me(second) == 401);
    let request = began.elapsed();
    assert_eq!(runtime.block_on(socket.closed()), 4401);
    Delay { request, stream: began.elapsed() }
}

fn two_nodes(how: &str, settings: [&[(&str, &str)]; 2]) {
    let place = Installation::new();
    place.done(&["seed", "--people", "20", "--posts", "40"]);
    let [first, second] = settings.map(|settings| place.serve_another(settings));
    for _ in 0..3 {
        let Delay { request, stream } = ended(&first, &second);
        println!("ended on another node, {how}: requests after {request:?}, streams after {stream:?}");
    }
}

#[test]
fn security_28_two_nodes_on_one_redis_end_together() {
    let redis = crate::programs::found("DAIRA_TEST_REDIS");
    let settings: [(&str, &str); 2] = [("DAIRA_REDIS__URL", &redis), ("DAIRA_REDIS__PREFIX", "two-nodes:")];
    two_nodes("told over Redis", [&settings; 2]);
}

#[test]
fn two_nodes_on_one_database_end_together() {
    two_nodes("told over the database", [&[]; 2]);
}

/// Nobody is where the second listens: what is told is lost, and the poll finds it.
#[test]
fn a_node_that_hears_nothing_ends_what_ended_elsewhere() {
    two_nodes("not told", [&[], &[("DAIRA_REDIS__URL", "redis://127.0.0.1:9")]]);
}
