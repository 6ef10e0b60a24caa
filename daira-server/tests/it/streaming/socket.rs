//! `graphql-transport-ws`, with every way to get it wrong.

use std::net::SocketAddr;
use std::time::Duration;

use daira_core::staff::StaffRole;
use daira_server::http::HttpSettings;
use daira_server::streams::StreamLimits;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{ADDED, log_out, react, two};
use crate::harness::{Listening, Person, Stage};

/// Longer than anything takes that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that says what it is told to.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn try_open(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        connect_async(request).await.map(|(socket, _)| Self(socket))
    }

    /// Opened at an address; nothing is said yet.
    pub(crate) async fn at(address: SocketAddr) -> Self {
        Self::try_open(address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    async fn open(server: &Listening) -> Self {
        Self::at(server.address).await
    }

    /// Opened, with somebody who was let in.
    async fn of(server: &Listening, who: &Person) -> Self {
        Self::with(server.address, &who.token).await
    }

    /// The same by address and token.
    pub(crate) async fn with(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::at(address).await;
        let payload = json!({ "authorization": format!("Bearer {token}"), "acceptLanguage": "en" });
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub(crate) async fn say(&mut self, what: Value) {
        self.0.send(Message::text(what.to_string())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("nothing is said").unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code that it is closed with; what is said before is passed over.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("it is not closed").unwrap() {
                Ok(Message::Close(frame)) => return frame.unwrap().code.into(),
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn is_quiet(&mut self) -> bool {
        loop {
            match tokio::time::timeout(Duration::from_millis(400), self.0.next()).await {
                Err(_) => return true,
                Ok(Some(Ok(Message::Ping(_)))) => {}
                Ok(_) => return false,
            }
        }
    }
}

#[tokio::test]
async fn notifications_come_as_they_happen_and_end_when_asked_to() {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    let server = stage.http().await;
    let mut socket = Socket::of(&server, &mona).await;
    socket.subscribe("a", ADDED).await;
    assert!(socket.is_quiet().await);
    react(&stage, &karim, &post).await;
    let line = json!({ "kind": "REACTED", "count": 1, "actors": [{ "handle": "karim" }], "isUnread": true });
    let told = json!({ "id": "a", "type": "next", "payload": { "data": { "notificationAdded": line } } });
    assert_eq!(socket.hear().await, told);

    // A query and a mutation on the same connection, while the subscription goes on.
    socket.subscribe("q", "{ me { profile { handle } } }").await;
    let data = json!({ "me": { "profile": { "handle": "mona" } } });
    assert_eq!(socket.hear().await, json!({ "id": "q", "type": "next", "payload": { "data": data } }));
    assert_eq!(socket.hear().await, json!({ "id": "q", "type": "complete" }));
    socket.subscribe("m", r#"mutation { createPost(input: {text: "من السوكت"}) { post { text } } }"#).await;
    assert_eq!(socket.hear().await["payload"]["data"]["createPost"]["post"]["text"], "من السوكت");
    assert_eq!(socket.hear().await, json!({ "id": "m", "type": "complete" }));

    socket.say(json!({ "id": "a", "type": "complete" })).await;
    socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    let comment = json!({ "postId": post, "text": "حلوة أوي" });
    stage.done(Some(&karim), "comment", comment, "clientMutationId").await;
    stage.settle().await;
    assert!(socket.is_quiet().await, "nobody listens to it any more");
    socket.subscribe("a", &format!("{ADDED} ")).await;
    assert!(socket.is_quiet().await, "the id is free again");
}

#[tokio::test]
async fn security_75_a_block_is_heeded_in_the_middle_of_a_subscription() {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    let server = stage.http().await;
    let mut socket = Socket::of(&server, &mona).await;
    socket.subscribe("a", ADDED).await;
    assert!(socket.is_quiet().await);
    stage.done(Some(&karim), "react", json!({ "subjectId": post, "kind": "LOVE" }), "clientMutationId").await;
    stage.done(Some(&mona), "block", json!({ "profileId": karim.id }), "clientMutationId").await;
    stage.settle().await;
    assert!(socket.is_quiet().await, "told of somebody who is blocked");
    let sara = stage.join("sara").await;
    react(&stage, &sara, &post).await;
    let line = &socket.hear().await["payload"]["data"]["notificationAdded"];
    assert_eq!((&line["count"], &line["actors"]), (&json!(1), &json!([{ "handle": "sara" }])), "others are told of");
}

#[tokio::test]
async fn security_74_each_mistake_has_its_close_code() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.http().await;
    let init = || json!({ "type": "connection_init" });

    for garbage in
        ["", "{", "[]", "null", r#"{"type":"start"}"#, r#"{"type":"subscribe","id":"","payload":{}}"#, "\u{0}"]
    {
        let mut socket = Socket::open(&server).await;
        socket.0.send(Message::text(garbage)).await.unwrap();
        assert_eq!(socket.closed().await, 4400, "{garbage:?}");
    }
    let mut binary = Socket::of(&server, &mona).await;
    binary.0.send(Message::binary(vec![0xff; 10])).await.unwrap();
    assert_eq!(binary.closed().await, 4400);

    let mut early = Socket::open(&server).await;
    early.subscribe("a", "{ me { profile { id } } }").await;
    assert_eq!(early.closed().await, 4401, "before the acknowledgement");

    for token in ["Bearer nonsense", "nonsense", ""] {
        let mut forged = Socket::open(&server).await;
        forged.say(json!({ "type": "connection_init", "payload": { "authorization": token } })).await;
        assert_eq!(forged.closed().await, 4403, "{token:?}");
    }
    let mut silent = Socket::open(&server).await;
    assert_eq!(silent.closed().await, 4408, "whoever does not say who they are");

    let mut twice = Socket::of(&server, &mona).await;
    twice.subscribe("a", ADDED).await;
    twice.subscribe("a", ADDED).await;
    assert_eq!(twice.closed().await, 4409);

    let mut again = Socket::open(&server).await;
    again.say(init()).await;
    assert_eq!(again.hear().await, json!({ "type": "connection_ack" }), "strangers may ask, too");
    again.say(init()).await;
    assert_eq!(again.closed().await, 4429);
}

#[tokio::test]
async fn refused_operations_get_their_errors_and_the_connection_stays() {
    let stage = Stage::new();
    let (mona, ..) = two(&stage).await;
    let server = stage.http().await;
    let mut stranger = Socket::open(&server).await;
    stranger.say(json!({ "type": "connection_init", "payload": { "acceptLanguage": "ar" } })).await;
    stranger.hear().await;
    stranger.subscribe("s", ADDED).await;
    let told = stranger.hear().await;
    assert_eq!((&told["type"], &told["id"]), (&json!("error"), &json!("s")), "{told}");
    assert_eq!(told["payload"][0]["extensions"]["code"], "auth.required");
    assert_eq!(told["payload"][0]["message"], "سجّل دخولك الأول.");

    let mut socket = Socket::of(&server, &mona).await;
    for (query, code) in [
        ("{", "graphql.syntax"),
        ("{ nothing }", "graphql.invalid"),
        ("subscription { notificationAdded { kind } other: notificationAdded { kind } }", "graphql.one_field"),
        ("subscription { notificationAdded { nothing } }", "graphql.invalid"),
        (
            "mutation { a: refreshSession(input: {refreshToken: \"x\"}) { userErrors { code } } \
             b: refreshSession(input: {refreshToken: \"y\"}) { userErrors { code } } }",
            "graphql.repeated",
        ),
        ("subscription ($s: DateTime!) { notificationAdded(since: $s) { kind } }", "graphql.invalid"),
    ] {
        socket.subscribe("x", query).await;
        let told = socket.hear().await;
        assert_eq!(told["type"], "error", "{query}: {told}");
        assert_eq!(told["payload"][0]["extensions"]["code"], code, "{query}: {told}");
    }
    for n in 0..16 {
        socket.subscribe(&n.to_string(), ADDED).await;
    }
    socket.subscribe("one more", ADDED).await;
    let told = socket.hear().await;
    assert_eq!(told["payload"][0]["extensions"]["code"], "graphql.too_many_operations", "{told}");
    // Over plain HTTP there is nothing to go on with.
    assert_eq!(stage.ask_as(&mona, ADDED).await.code(), "graphql.subscription");
}

#[tokio::test]
async fn security_28_a_socket_closes_with_its_session() {
    let stage = Stage::new();
    let (mona, karim, _) = two(&stage).await;
    let server = stage.http().await;
    let accounts = stage.state.services.accounts.clone();
    accounts.poll_revocations().await.unwrap();
    let mut keeping_up = tokio::task::JoinSet::new();
    keeping_up.spawn(async move { accounts.keep_up().await });
    let (mut ended, mut stays) = (Socket::of(&server, &mona).await, Socket::of(&server, &karim).await);
    ended.subscribe("a", ADDED).await;
    log_out(&stage, &mona).await;
    assert_eq!(ended.closed().await, 4401);
    stays.say(json!({ "type": "ping" })).await;
    assert_eq!(stays.hear().await, json!({ "type": "pong" }));
    let mut late = Socket::open(&server).await;
    let payload = json!({ "authorization": format!("Bearer {}", mona.token) });
    late.say(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(late.closed().await, 4403);
}

#[tokio::test]
async fn security_28_a_suspended_persons_socket_closes() {
    let stage = Stage::new();
    let (mona, karim, _) = two(&stage).await;
    let moderator = stage.hire("hana.one", StaffRole::Moderator).await;
    let server = stage.http().await;
    let accounts = stage.state.services.accounts.clone();
    accounts.poll_revocations().await.unwrap();
    let mut keeping_up = tokio::task::JoinSet::new();
    keeping_up.spawn(async move { accounts.keep_up().await });
    let (mut ended, mut stays) = (Socket::of(&server, &mona).await, Socket::of(&server, &karim).await);
    ended.subscribe("a", ADDED).await;
    let until = (stage.ports.clock.now() + Duration::from_hours(24)).to_string();
    let input = json!({ "profileId": mona.id, "measure": "SUSPEND", "until": until, "reason": "SPAM" });
    stage.done(Some(&moderator), "sanctionPerson", input, "profileId").await;
    assert_eq!(ended.closed().await, 4401);
    stays.say(json!({ "type": "ping" })).await;
    assert_eq!(stays.hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn security_28_the_socket_of_who_leaves_closes() {
    let stage = Stage::new();
    let (mona, karim, _) = two(&stage).await;
    let server = stage.http().await;
    let accounts = stage.state.services.accounts.clone();
    accounts.poll_revocations().await.unwrap();
    let mut keeping_up = tokio::task::JoinSet::new();
    keeping_up.spawn(async move { accounts.keep_up().await });
    let (mut ended, mut stays) = (Socket::of(&server, &mona).await, Socket::of(&server, &karim).await);
    ended.subscribe("a", ADDED).await;
    stage.done(Some(&mona), "requestDeletion", json!({}), "leavingAt").await;
    assert_eq!(ended.closed().await, 4401);
    stays.say(json!({ "type": "ping" })).await;
    assert_eq!(stays.hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn pages_of_other_origins_and_other_protocols_do_not_connect() {
    let origins = vec!["https://daira.example".to_owned()];
    let stage = Stage::with(HttpSettings { origins, ..HttpSettings::default() });
    let server = stage.http().await;
    let status = async |headers: &[(&'static str, &str)]| match Socket::try_open(server.address, headers).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    };
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(status(&[protocol, ("origin", "https://evil.example")]).await, 403);
    assert_eq!(status(&[protocol, ("origin", "null")]).await, 403);
    assert_eq!(status(&[protocol, ("origin", "https://daira.example")]).await, 101);
    assert_eq!(status(&[("sec-websocket-protocol", "graphql-ws")]).await, 400);
    assert_eq!(status(&[]).await, 400);
}

#[tokio::test]
async fn too_many_and_too_large_are_turned_away() {
    let streams = StreamLimits { all: 3, member: 2, address: 3 };
    let stage = Stage::with(HttpSettings { streams, ..HttpSettings::default() });
    let mona = stage.join("mona").await;
    let server = stage.http().await;
    let mut held = [Socket::of(&server, &mona).await, Socket::of(&server, &mona).await];
    let mut third = Socket::open(&server).await;
    let payload = json!({ "authorization": format!("Bearer {}", mona.token) });
    third.say(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(third.closed().await, 1013, "one account has two");
    held[0].0.send(Message::text("x".repeat(300_000))).await.unwrap();
    assert_eq!(held[0].closed().await, 1009, "what is larger than any request is not read to its end");
    held[1].say(json!({ "type": "ping" })).await;
    assert_eq!(held[1].hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn a_server_that_goes_says_so() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.http().await;
    let mut socket = Socket::of(&server, &mona).await;
    socket.subscribe("a", ADDED).await;
    stage.state.lifecycle.drain();
    assert_eq!(socket.closed().await, 1012);
    server.drain().await;
}
