//! A foreign client: HTTP/1.1 over a socket, written by hand, as any language could speak it. It is patient: what got no
//! answer, or an answer that says "not now", is sent again under the same idempotency key.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a client waits for one answer.
const ONE_ANSWER: Duration = Duration::from_secs(20);
/// How long it goes on asking.
const PATIENCE: Duration = Duration::from_secs(90);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) handle: String,
    pub(super) id: String,
    pub(super) token: String,
}

/// A client of one server.
#[derive(Debug)]
pub(super) struct Client {
    server: SocketAddr,
    /// How many requests had to be sent again.
    pub(super) repeated: AtomicUsize,
}

impl Client {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, repeated: AtomicUsize::new(0) }
    }

    /// One request over a connection of its own.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> std::io::Result<Answer> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.server).await?;
            let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 accept: application/json\r\naccept-language: en\r\n{authorization}content-length: {}\r\n\r\n{body}",
                self.server,
                body.len()
            );
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            whole(&answer).ok_or_else(|| std::io::Error::other("half an answer"))
        };
        tokio::time::timeout(ONE_ANSWER, exchange).await?
    }

    /// One GraphQL operation: its data, or why there is none.
    pub(super) async fn ask(&self, token: Option<&str>, document: &str, variables: &Value) -> Result<Value, String> {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let answer = self.send("POST", "/graphql", token, &body).await.map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&answer.body).map_err(|_| format!("{answer:?}"))?;
        // What is no GraphQL at all (a problem of HTTP) has no data.
        match (answer.get("errors"), answer.get("data")) {
            (None, Some(Value::Object(_))) => Ok(answer["data"].take()),
            _ => Err(answer.to_string()),
        }
    }

    /// Runs a mutation until it is acknowledged; a refusal that more patience cannot change fails the test.
    pub(super) async fn insist(
        &self,
        token: Option<&str>,
        name: &str,
        input_type: &str,
        input: &Value,
        selection: &str,
    ) -> Value {
        let document = format!(
            "mutation ($input: {input_type}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
        );
        let variables = json!({ "input": input });
        let began = Instant::now();
        loop {
            let trouble = match self.ask(token, &document, &variables).await {
                Ok(mut data) => {
                    let errors = &data[name]["userErrors"];
                    if errors.as_array().is_some_and(Vec::is_empty) {
                        return data[name].take();
                    }
                    // The request before this one died with its server; the database has not noticed yet.
                    assert_eq!(errors[0]["code"], "idempotency.in_flight", "{name} was refused: {errors}");
                    errors.to_string()
                }
                Err(trouble) => trouble,
            };
            assert!(began.elapsed() < PATIENCE, "{name} was not acknowledged: {trouble}");
            self.repeated.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every text of a person's feed, newest first, page by page.
    pub(super) async fn whole_feed(&self, reader: &Person) -> Result<Vec<String>, String> {
        let document = "query ($after: String) { followingFeed(first: 100, after: $after) { edges { node { text } } pageInfo { hasNextPage endCursor } } }";
        let (mut texts, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = self.ask(Some(&reader.token), document, &json!({ "after": after })).await?;
            let feed = &data["followingFeed"];
            let edges = feed["edges"].as_array().ok_or_else(|| data.to_string())?;
            texts.extend(edges.iter().filter_map(|edge| edge["node"]["text"].as_str()).map(ToOwned::to_owned));
            after = feed["pageInfo"]["endCursor"].clone();
            if feed["pageInfo"]["hasNextPage"] != true {
                return Ok(texts);
            }
        }
    }
}

/// Reads an answer that came whole; a server that died in the middle of one leaves less than it announced.
fn whole(answer: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let announced = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let announced: usize = announced?.1.parse().ok()?;
    (body.len() == announced).then(|| Answer { status, body: body.to_owned() })
}
