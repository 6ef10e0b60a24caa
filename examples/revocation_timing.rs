//! How long a session that was ended on one server is still let in by another: logs in on the first, looks itself up on the
//! second, logs out on the first, and asks the second over and over until it refuses.
//!
//! `cargo run --release -p daira-examples --example revocation_timing -- http://127.0.0.1:8000 http://127.0.0.1:8001 mona@example.com PASSWORD 200`
//!
//! Every round is a log-in, and they are limited: the servers need `DAIRA_LIMITS__LOG_IN_ACCOUNT=1000/1m` and the like.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// Between two questions to the second server.
const PAUSE: Duration = Duration::from_millis(2);
/// After this the second server is taken not to have heard of it.
const TOO_LATE: Duration = Duration::from_secs(30);

struct Client(reqwest::Client);

impl Client {
    async fn ask(&self, base: &str, token: Option<&str>, query: &str, variables: Value) -> Result<Value> {
        let mut request = self.0.post(format!("{base}/graphql"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Ok(request.json(&json!({ "query": query, "variables": variables })).send().await?.json().await?)
    }

    async fn log_in(&self, base: &str, email: &str, password: &str) -> Result<String> {
        let query =
            "mutation ($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } userErrors { code } } }";
        let input = json!({ "email": email, "password": password, "device": "stopwatch" });
        let answer = self.ask(base, None, query, json!({ "input": input })).await?;
        let token = answer.pointer("/data/logIn/tokens/accessToken").and_then(Value::as_str);
        Ok(token.with_context(|| format!("not let in: {answer}"))?.to_owned())
    }

    async fn is_in(&self, base: &str, token: &str) -> Result<bool> {
        let answer = self.ask(base, Some(token), "{ me { profile { id } } }", Value::Null).await?;
        Ok(answer.pointer("/data/me/profile/id").is_some())
    }

    /// From when the first server was asked to end a session to when the second was asked and refused.
    async fn round(&self, [first, second]: [&str; 2], email: &str, password: &str) -> Result<Duration> {
        let token = self.log_in(first, email, password).await?;
        if !self.is_in(second, &token).await? {
            bail!("{second} does not take the tokens of {first}: they need the same database and keys");
        }
        let begun = Instant::now();
        self.ask(first, Some(&token), "mutation { logOut { userErrors { code } } }", Value::Null).await?;
        loop {
            let asked = begun.elapsed();
            if !self.is_in(second, &token).await? {
                return Ok(asked);
            }
            if asked > TOO_LATE {
                bail!("{second} still lets in who was logged out of {first} {asked:.1?} ago");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The times of so many rounds, shortest first.
async fn measure(servers: [&str; 2], email: &str, password: &str, rounds: usize) -> Result<Vec<Duration>> {
    let client = Client(reqwest::Client::new());
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(client.round(servers, email, password).await?);
    }
    times.sort_unstable();
    Ok(times)
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, second, email, password, rounds] = arguments.as_slice() else {
        bail!("usage: revocation_timing <first server> <second server> <e-mail> <password> <rounds>")
    };
    let times = measure([first, second], email, password, rounds.parse().context("rounds")?).await?;
    let at = |percent: usize| times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or_default();
    println!("{} rounds: p50 {:.1?}, p99 {:.1?}, longest {:.1?}", times.len(), at(50), at(99), at(100));
    Ok(())
}

#[cfg(test)]
#[path = "server_in_process.rs"]
mod server_in_process;

#[tokio::test]
async fn runs() {
    let server = Box::pin(server_in_process::start()).await;
    let (base, client) = (server.url("http"), Client(reqwest::Client::new()));
    let (email, password) = ("nour@example.com", "3ala ahwet el me3allem");
    let wish =
        json!({ "email": email, "password": password, "handle": "nour", "name": "نور", "birthDate": "1999-04-25" });
    let register = "mutation ($input: RegisterInput!) { register(input: $input) { registrationId } }";
    let opened = client.ask(base, None, register, json!({ "input": wish })).await.unwrap();
    let code = server.mailed()(email).await.unwrap();
    let proof =
        json!({ "registrationId": opened.pointer("/data/register/registrationId"), "code": code, "device": "x" });
    let verify = "mutation ($input: VerifyEmailInput!) { verifyEmail(input: $input) { userErrors { code } } }";
    client.ask(base, None, verify, json!({ "input": proof })).await.unwrap();
    assert_eq!(measure([base, base], email, password, 2).await.unwrap().len(), 2);
}
