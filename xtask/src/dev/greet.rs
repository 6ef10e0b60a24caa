//! What `dev` prints when everything runs: where things are, a log-in that works, and one `curl` for its feed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Place;

/// The file in the data folder that loading the world leaves: a log-in with a lively feed.
pub(super) const LOGIN: &str = "demo-login.json";

/// Logs in and prints.
pub(super) fn print(place: &Place) -> Result<()> {
    let Place { http, grpc, data } = place;
    let (email, password) = somebody(data)?;
    let log_in = json!({
        "query": "mutation($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } userErrors { message } } }",
        "variables": { "input": { "email": email, "password": password, "device": "cargo xtask dev" } },
    });
    let (_, answer) = request(http, "POST", "/graphql", Some(&log_in))?;
    let token = answer.pointer("/data/logIn/tokens/accessToken").and_then(Value::as_str);
    let token = token.with_context(|| format!("the demo log-in failed: {answer}"))?;
    println!(
        "
DAIRA is running.

  GraphQL, with GraphiQL in a browser   http://{http}/graphql
  gRPC, with reflection                 {grpc}
  health, metrics                       http://{http}/health  http://{http}/metrics
  data; mails are put into its `mail`   {data}

  log in as                             {email}
  with the password                     {password}

Read that person's feed (the token is good for an hour):

curl -s http://{http}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {token}' \\
  -d '{{\"query\":\"{{ homeFeed(first: 5) {{ edges {{ node {{ text author {{ name handle }} }} }} }} }}\"}}'

Ctrl-C stops everything; the next start finds the data as it is now.
",
        data = data.display(),
    );
    Ok(())
}

/// The kept log-in.
fn somebody(data: &Path) -> Result<(String, String)> {
    let kept = data.join(LOGIN);
    let text = std::fs::read_to_string(&kept).with_context(|| {
        format!(
            "{} holds a world without {LOGIN}: it was not loaded by `cargo xtask dev`. Move the folder away, or name another one in DAIRA_DATA",
            data.display()
        )
    })?;
    let kept: Value = serde_json::from_str(&text)?;
    let field = |name: &str| {
        kept.get(name).and_then(Value::as_str).map(ToOwned::to_owned).context("the kept log-in is damaged")
    };
    Ok((field("email")?, field("password")?))
}

/// One request to the server, over a connection of its own.
pub(super) fn request(address: &str, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no status")?;
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
