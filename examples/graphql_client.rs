//! A GraphQL client: joins, follows somebody, posts, and reads the home feed to its end, with nothing but HTTP and JSON.
//!
//! `cargo run -p daira-examples --example graphql_client -- http://127.0.0.1:8000 <handle to take> <handle to follow>`
//!
//! The code that proves the mailbox is asked for; the server of `cargo xtask dev` puts mails into `data/mail`.

#![expect(clippy::indexing_slicing, reason = "what is missing in a JSON value reads as null")]

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// A server, and who we are there.
struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// Runs an operation and answers its data.
    async fn run(&self, query: &str, variables: Value) -> Result<Value> {
        let mut request = self.http.post(&self.url).header("accept-language", "en");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let mut answer: Value =
            request.json(&json!({ "query": query, "variables": variables })).send().await?.json().await?;
        match answer.get("errors") {
            Some(errors) => bail!("{errors}"),
            None => Ok(answer["data"].take()),
        }
    }

    /// Runs a mutation and answers its payload. What a person must be told of is no error of GraphQL but in the payload.
    async fn change(&self, mutation: &str, input_type: &str, selection: &str, input: Value) -> Result<Value> {
        let query = format!(
            "mutation ($input: {input_type}!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        let mut data = self.run(&query, json!({ "input": input })).await?;
        let payload = data[mutation].take();
        match payload["userErrors"].as_array().and_then(|errors| errors.first()) {
            Some(refused) => bail!("{mutation}: {refused}"),
            None => Ok(payload),
        }
    }
}

/// The whole way; `code` finds the six digits that were mailed to an address. Answers what the feed says.
async fn run<C: AsyncFnOnce(&str) -> Result<String>>(
    base: &str,
    handle: &str,
    follow: &str,
    code: C,
) -> Result<Vec<String>> {
    let mut client = Client { http: reqwest::Client::new(), url: format!("{base}/graphql"), token: None };
    let email = format!("{handle}@example.com");
    let password = "3ala ahwet el me3allem";
    let birth = "1999-04-25";
    let wish = json!({ "email": email, "password": password, "handle": handle, "name": handle, "birthDate": birth });
    let opened = client.change("register", "RegisterInput", "registrationId", wish).await?;
    let proof = json!({ "registrationId": opened["registrationId"], "code": code(&email).await?, "device": "example" });
    client.change("verifyEmail", "VerifyEmailInput", "profile { id }", proof).await?;
    let login = json!({ "email": email, "password": password, "device": "example" });
    let inside = client.change("logIn", "LogInInput", "tokens { accessToken refreshToken }", login).await?;
    client.token = inside["tokens"]["accessToken"].as_str().map(str::to_owned);

    let whose = "query ($handle: String!) { profile(handle: $handle) { id } }";
    let found = client.run(whose, json!({ "handle": follow })).await?;
    let whom = found.pointer("/profile/id").with_context(|| format!("nobody is called {follow}"))?;
    client.change("follow", "ProfileActionInput", "outcome", json!({ "profileId": whom })).await?;
    // With a key, sending it again after a lost answer posts nothing twice.
    let post = json!({ "text": "3ayez arou7 el ahly, مين جاي معايا؟", "idempotencyKey": format!("hello-{handle}") });
    client.change("createPost", "CreatePostInput", "post { id }", post).await?;

    let feed = "query ($after: String) { homeFeed(first: 2, after: $after) {
        edges { node { text author { handle } } } pageInfo { hasNextPage endCursor } } }";
    let (mut lines, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = client.run(feed, json!({ "after": after })).await?["homeFeed"].take();
        for edge in page["edges"].as_array().context("a feed without edges")? {
            let text = |path| edge.pointer(path).and_then(Value::as_str).unwrap_or("?");
            lines.push(format!("@{}: {}", text("/node/author/handle"), text("/node/text")));
        }
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(lines);
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, handle, follow] = arguments.as_slice() else {
        bail!("usage: graphql_client http://127.0.0.1:8000 <handle to take> <handle to follow>")
    };
    let ask = async |email: &str| {
        eprint!("the code that was mailed to {email}: ");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    };
    for line in run(base, handle, follow, ask).await? {
        println!("{line}");
    }
    Ok(())
}

#[cfg(test)]
#[path = "server_in_process.rs"]
mod server_in_process;

#[tokio::test]
async fn runs() {
    let server = Box::pin(server_in_process::start()).await;
    let lines = run(server.url("http"), "ali_hassan", "mona.adel", server.mailed()).await.unwrap();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.contains(&"@ali_hassan: 3ayez arou7 el ahly, مين جاي معايا؟".to_owned()), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("@mona.adel: صباح الفل")).count(), 3);
}
