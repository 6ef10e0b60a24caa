//! How much anybody may ask for: who pays, what it costs, what they are told, and what happens when nobody can count.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use daira_core::Ports;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::memory::{ManualClock, MemoryMail};
use daira_core::port::{Bucket, Charge, RateLimiter};
use daira_core::proto::account::v1::{GetProfileRequest, LogInRequest};
use daira_core::settings::Limits;
use daira_server::http::HttpSettings;
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

use crate::grpc::{LONG, by, clients, reason};
use crate::harness::{Person, Reply, Stage, json_request};

/// What asking for one's own handle costs is five points.
const ASK: &str = "{ me { profile { handle name } } }";

fn stage(change: impl FnOnce(&mut Limits), settings: HttpSettings) -> (Stage, Arc<ManualClock>) {
    let (clock, mail) = (Arc::new(ManualClock::default()), Arc::new(MemoryMail::default()));
    let mut ports = Ports { mail: mail.clone(), ..Ports::in_memory_at(clock.clone(), 7) };
    change(&mut ports.settings_mut().limits);
    (Stage::on(settings, ports, mail), clock)
}

fn from(peer: &str, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4_000)));
    request
}

async fn ask(stage: &Stage, who: Option<&Person>, peer: &str, forwarded: Option<&str>) -> Reply {
    let token = who.map(|person| person.token.as_str());
    let mut request = from(peer, json_request(token, json!({ "query": ASK }).to_string()));
    if let Some(forwarded) = forwarded {
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    }
    stage.send(request).await
}

/// The numbers of a header such as `"member";r=3;t=12`.
fn numbers(headers: &HeaderMap, name: &str) -> (String, u64, u64) {
    let text = headers[name].to_str().unwrap();
    let parts: Vec<&str> = text.split(';').collect();
    let number = |part: &str| part.split_once('=').unwrap().1.parse().unwrap();
    (parts[0].trim_matches('"').to_owned(), number(parts[1]), number(parts[2]))
}

#[tokio::test]
async fn security_79_a_refusal_says_when_to_come_and_that_is_true() {
    let (stage, clock) = stage(|limits| limits.member = "1000/1h".parse().unwrap(), HttpSettings::default());
    let mona = stage.join("mona").await;
    let mut last = 1_000;
    let refused = loop {
        let reply = ask(&stage, Some(&mona), "203.0.113.1", None).await;
        let (policy, quota, window) = numbers(&reply.headers, "ratelimit-policy");
        assert_eq!((policy.as_str(), quota, window), ("member", 600, 3_600), "somebody new has less");
        let (policy, left, full_in) = numbers(&reply.headers, "ratelimit");
        assert!(policy == "member" && left <= last && full_in <= 3_600);
        last = left;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            break reply;
        }
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    };
    assert_eq!(refused.code(), "limit.reached");
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert_eq!(refused.json()["errors"][0]["extensions"]["retryAfter"], wait);
    assert_eq!(refused.json()["errors"][0]["message"], "That was too often; please wait a little.");
    assert!((1..=60).contains(&wait), "{wait}");
    clock.advance(Duration::from_secs(wait));
    assert_eq!(ask(&stage, Some(&mona), "203.0.113.1", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn members_pay_for_themselves_from_wherever_they_come() {
    let (stage, _) = stage(|limits| limits.member = "1000/1h".parse().unwrap(), HttpSettings::default());
    let (mona, hany) = (stage.join("mona").await, stage.join("hany").await);
    let mut asked = 0;
    while ask(&stage, Some(&mona), &format!("203.0.113.{}", asked % 250), None).await.status == StatusCode::OK {
        asked += 1;
    }
    assert!((90..=150).contains(&asked), "{asked}");
    assert_eq!(ask(&stage, Some(&hany), "203.0.113.1", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn security_80_strangers_share_what_their_address_has_and_cannot_make_up_another() {
    let settings = HttpSettings { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpSettings::default() };
    let (stage, _) = stage(|limits| limits.address = "13/1h".parse().unwrap(), settings);
    let status = async |peer: &str, forwarded: Option<&str>| ask(&stage, None, peer, forwarded).await.status;
    assert_ne!(status("203.0.113.1", None).await, StatusCode::TOO_MANY_REQUESTS);
    assert_ne!(status("203.0.113.1", None).await, StatusCode::TOO_MANY_REQUESTS);
    for n in 0..20 {
        let made_up = format!("198.51.100.{n}");
        assert_eq!(status("203.0.113.1", Some(&made_up)).await, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_ne!(status("10.0.0.1", Some("198.51.100.1")).await, StatusCode::TOO_MANY_REQUESTS, "our proxy is believed");
    assert_eq!(status("10.0.0.1", Some("198.51.100.1, 203.0.113.1")).await, StatusCode::TOO_MANY_REQUESTS);
    for n in 1..4 {
        let one_network = format!("2001:db8::{n}:1");
        let refused = status(&one_network, None).await == StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(refused, n > 2, "a /64 is one client");
    }
}

#[tokio::test]
async fn what_costs_more_takes_more_and_what_is_refused_is_not_free() {
    let (stage, _) = stage(|limits| limits.address = "100000/1h".parse().unwrap(), HttpSettings::default());
    let left = async |document: &str| {
        let reply = stage.send(from("203.0.113.1", json_request(None, json!({ "query": document }).to_string()))).await;
        numbers(&reply.headers, "ratelimit").1
    };
    let mut last = 100_000;
    let mut cost = async |document: &str| {
        let now = left(document).await;
        let cost = last - now;
        last = now;
        cost
    };
    let (small, large) =
        (cost("{ me { id } }").await, cost("{ homeFeed(first: 100) { edges { node { id text } } } }").await);
    assert!(small < 10 && large > 200, "{small} and {large}");
    assert_eq!(cost("{ nonsense").await, 50);
    let request = from("203.0.113.1", json_request(Some("no.token"), json!({ "query": ASK }).to_string()));
    let reply = stage.send(request).await;
    assert_eq!((reply.status, numbers(&reply.headers, "ratelimit").1), (StatusCode::UNAUTHORIZED, last - 50));
    let mona = stage.join("mona").await;
    let reply = stage.send(from("203.0.113.1", json_request(Some(&mona.token), "no JSON"))).await;
    let (policy, left, _) = numbers(&reply.headers, "ratelimit");
    assert_eq!((policy.as_str(), left), ("member", 35_950), "a member pays for what is none, not their neighbours");
}

#[tokio::test]
async fn uploads_are_paid_for() {
    let (stage, _) = stage(|limits| limits.member = "1900/1h".parse().unwrap(), HttpSettings::default());
    let mona = stage.join("mona").await;
    let upload = async || {
        let request = Request::post("/upload")
            .header(header::AUTHORIZATION, format!("Bearer {}", mona.token))
            .header(header::CONTENT_TYPE, "image/png");
        stage.send(request.body(Body::from("no picture")).unwrap()).await
    };
    for _ in 0..2 {
        assert_eq!(upload().await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let refused = upload().await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (StatusCode::TOO_MANY_REQUESTS, Some("limit.reached"))
    );
    assert!(refused.headers.contains_key(header::RETRY_AFTER) && refused.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn strangers_who_call_share_what_their_address_has() {
    let (stage, _) = stage(|limits| limits.address = "250/1h".parse().unwrap(), HttpSettings::default());
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    for code in [Code::NotFound, Code::NotFound, Code::ResourceExhausted] {
        assert_eq!(accounts.get_profile(GetProfileRequest::default()).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn calls_are_told_when_to_come_again() {
    let change = |limits: &mut Limits| {
        limits.member = "334/1h".parse().unwrap();
        limits.log_in_account = "2/1h".parse().unwrap();
    };
    let (stage, _) = stage(change, HttpSettings::default());
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    let ask = || by(&mona, GetProfileRequest::default());
    for _ in 0..2 {
        assert_eq!(accounts.get_profile(ask()).await.unwrap_err().code(), Code::NotFound);
    }
    let refused = accounts.get_profile(ask()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "limit.reached"));
    let wait = refused.get_error_details().retry_info().and_then(|info| info.retry_delay).unwrap();
    assert!(wait > Duration::from_mins(29) && wait <= Duration::from_mins(30), "{wait:?}");

    let (email, password) = ("nobody@example.com".to_owned(), "shai bel na3na3".to_owned());
    let wrong = LogInRequest { email, password, ..LogInRequest::default() };
    for code in [Code::Unauthenticated, Code::Unauthenticated, Code::ResourceExhausted] {
        assert_eq!(accounts.log_in(wrong.clone()).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn security_08_a_known_device_gets_in_while_others_are_kept_out() {
    let (stage, _) = stage(|limits| limits.log_in_account = "3/1h".parse().unwrap(), HttpSettings::default());
    let mona = stage.join("mona").await;
    let log_in = async |password: &str, device: Option<&str>| {
        let input = json!({ "email": "mona@example.com", "password": password, "deviceToken": device });
        stage.tried(None, "logIn", input, "deviceToken tokens { accessToken }").await
    };
    let known = log_in("kahraba nour shams", None).await["deviceToken"].as_str().unwrap().to_owned();
    assert!(known.starts_with("ddt_") && !known.contains(&mona.id));
    for code in ["auth.invalid_credentials", "auth.invalid_credentials", "limit.reached"] {
        assert_eq!(log_in("shai bel na3na3", None).await["userErrors"][0]["code"], code);
    }
    let refused = log_in("kahraba nour shams", None).await["userErrors"][0].clone();
    assert_eq!(refused["code"], "limit.reached");
    assert!((1..=1_200).contains(&refused["retryAfter"].as_i64().unwrap()), "{refused}");
    let back = log_in("kahraba nour shams", Some(&known)).await;
    assert_eq!(back["userErrors"], json!([]));
    assert!(back["deviceToken"].as_str().unwrap().starts_with("ddt_"));
}

/// A limiter whose count is out of reach.
struct Away;

#[async_trait]
impl RateLimiter for Away {
    async fn charge(&self, _: &[Charge]) -> Result<Vec<Bucket>> {
        Err(Error::new(ErrorKind::Unavailable, "limiter.charge"))
    }
}

#[tokio::test]
async fn security_78_when_nobody_can_count_reading_goes_on_and_trying_passwords_does_not() {
    let mail = Arc::new(MemoryMail::default());
    let ports = Ports { mail: mail.clone(), ..Ports::in_memory_at(Arc::new(ManualClock::default()), 7) };
    let mona = Stage::on(HttpSettings::default(), ports.clone(), mail.clone()).join("mona").await;
    let stage = Stage::on(HttpSettings::default(), Ports { limiter: Arc::new(Away), ..ports }, mail);
    let reply = ask(&stage, Some(&mona), "203.0.113.1", None).await;
    assert_eq!(reply.data("/me/profile/handle"), "mona");
    assert!(!reply.headers.contains_key("ratelimit"), "nobody knows what is left");
    let input = json!({ "email": "mona@example.com", "password": "kahraba nour shams" });
    let document = "mutation ($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } } }";
    let refused = stage.ask_with(None, document, json!({ "input": input })).await;
    assert_eq!(refused.code(), "common.unavailable");
}
