//! A gRPC client: joins, posts under an idempotency key, and reads the home feed to its end. The types
//! come from the contracts in `daira-core/proto`; any language can have its own.
//!
//! `cargo run -p daira-examples --example grpc_client -- http://127.0.0.1:50051 <handle to take>`
//!
//! The code that proves the mailbox is asked for; the server of `cargo xtask dev` puts mails into `data/mail`.

use anyhow::{Context as _, Result, bail};
use daira_core::proto::account::v1::account_service_client::AccountServiceClient;
use daira_core::proto::account::v1::{LogInRequest, RegisterRequest, VerifyEmailRequest};
use daira_core::proto::feed::v1::HomeFeedRequest;
use daira_core::proto::feed::v1::feed_service_client::FeedServiceClient;
use daira_core::proto::post::v1::CreatePostRequest;
use daira_core::proto::post::v1::post_service_client::PostServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// Who sent it and in which language refusals are wanted.
fn signed<T>(message: T, token: &MetadataValue<Ascii>) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", token.clone());
    request.metadata_mut().insert("accept-language", MetadataValue::from_static("en"));
    request.set_timeout(std::time::Duration::from_secs(10));
    request
}

/// A refusal: its stable code, the fields it is about, and the sentence for people.
fn told(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let code = details.error_info().map_or("?", |info| info.reason.as_str());
    let fields =
        details.bad_request().map(|bad| bad.field_violations.iter().map(|v| v.field.as_str()).collect::<Vec<_>>());
    anyhow::anyhow!("{code} {:?}: {}", fields.unwrap_or_default(), status.message())
}

/// The whole way; `code` finds the six digits that were mailed to an address. Answers what the feed says.
async fn run(url: &str, handle: &str, code: impl AsyncFnOnce(&str) -> Result<String>) -> Result<Vec<String>> {
    let channel =
        Channel::from_shared(url.to_owned())?.connect().await.with_context(|| format!("nobody answers at {url}"))?;
    let mut accounts = AccountServiceClient::new(channel.clone());
    let (email, password) = (format!("{handle}@example.com"), "3ala ahwet el me3allem".to_owned());
    let wish = RegisterRequest {
        email: email.clone(),
        password: password.clone(),
        handle: handle.to_owned(),
        name: handle.to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: "ar".to_owned(),
        ..RegisterRequest::default()
    };
    let registration_id = accounts.register(wish).await.map_err(|e| told(&e))?.into_inner().registration_id;
    let proof = VerifyEmailRequest {
        registration_id,
        code: code(&email).await?,
        device: "example".to_owned(),
        ..VerifyEmailRequest::default()
    };
    accounts.verify_email(proof).await.map_err(|e| told(&e))?;
    let log_in = LogInRequest { email, password, device: "example".to_owned(), ..LogInRequest::default() };
    let tokens = accounts.log_in(log_in).await.map_err(|e| told(&e))?.into_inner().tokens.context("no tokens")?;
    let token = format!("Bearer {}", tokens.access_token).parse()?;

    let mut posts = PostServiceClient::new(channel.clone());
    for (key, text) in [("one", "3ayez arou7 el ahly"), ("two", "مين جاي معايا؟"), ("two", "مين جاي معايا؟")]
    {
        // With a key, sending it again after a lost answer posts nothing twice.
        let idempotency_key = key.to_owned();
        let post = CreatePostRequest { text: text.to_owned(), idempotency_key, ..CreatePostRequest::default() };
        posts.create_post(signed(post, &token)).await.map_err(|e| told(&e))?;
    }
    let refused = posts.create_post(signed(CreatePostRequest::default(), &token)).await;
    println!("an empty post is refused: {}", told(&refused.err().context("an empty post was taken")?));

    let mut feed = FeedServiceClient::new(channel);
    let (mut lines, mut page_token) = (Vec::new(), String::new());
    loop {
        let ask = signed(HomeFeedRequest { page_size: 1, page_token }, &token);
        let page = feed.home_feed(ask).await.map_err(|e| told(&e))?.into_inner();
        for post in page.posts {
            lines.push(format!("@{}: {}", post.author.map(|author| author.handle).unwrap_or_default(), post.text));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(lines);
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, handle] = arguments.as_slice() else {
        bail!("usage: grpc_client http://127.0.0.1:50051 <handle to take>")
    };
    let ask = async |email: &str| {
        eprint!("the code that was mailed to {email}: ");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    };
    for line in run(url, handle, ask).await? {
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
    let mut lines = run(server.url("grpc"), "ali_hassan", server.mailed()).await.unwrap();
    lines.sort();
    assert_eq!(lines, ["@ali_hassan: 3ayez arou7 el ahly", "@ali_hassan: مين جاي معايا؟"]);
}
