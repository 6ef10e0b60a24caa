//! The programs and a provider of identities, over HTTP from end to end: an app that joins, and a page that comes in.

use std::sync::Arc;

use daira_core::memory::{RandomIds, WallClock};
use daira_worker::identities::sandbox::Sandbox;
use serde_json::{Value, json};

use super::platform::Platform;
use crate::client::send;

const APP: &str = "example.daira:/in";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_joins_by_a_provider_and_comes_in_by_a_page() {
    let sandbox = Sandbox::start(Arc::new(WallClock), Arc::new(RandomIds)).await.unwrap();
    // What a provider gives out: any registration has it.
    let known = sandbox.registration("sandbox", &[]);
    let redirects = format!("[\"{APP}\"]");
    let platform = Platform::start(&[
        ("DAIRA_PROVIDERS__SANDBOX__ISSUER", sandbox.issuer()),
        ("DAIRA_PROVIDERS__SANDBOX__CLIENT_ID", &known.client_id),
        ("DAIRA_PROVIDERS__SANDBOX__CLIENT_SECRET", known.client_secret.as_ref().unwrap().expose()),
        ("DAIRA_PROVIDERS__SANDBOX__REDIRECTS", &redirects),
    ])
    .await;
    let client = platform.client();
    let begin = json!({ "provider": "sandbox", "redirectUri": APP, "purpose": "LOG_IN" });
    let begun = client.insist(None, "beginProvider", "BeginProviderInput", &begin, "ceremony url").await;
    let (state, answer) = sandbox.agree(text(&begun["url"]), "mona").await.unwrap();
    let back = json!({
        "ceremony": begun["ceremony"], "state": state.expose(), "code": answer.code.expose(), "iss": answer.issuer,
    });
    let new = client.insist(None, "logInWithProvider", "LogInWithProviderInput", &back, "newcomer { ticket }").await;
    let form = json!({
        "ticket": new["newcomer"]["ticket"], "handle": "mona", "name": "منى", "birthDate": "1999-03-21", "language": "EN",
    });
    client.insist(None, "joinWithProvider", "JoinWithProviderInput", &form, "registrationId").await;
    let mona = platform.verify(&client, "mona").await;

    let page = platform.http();
    let origin = format!("http://{page}");
    let headers = [("origin", origin.as_str()), ("content-type", "application/json")];
    let begun = send(page, "POST /auth/providers/sandbox", &headers, br#"{"returnTo":"/home"}"#);
    assert_eq!(begun.status, 200, "{}", begun.head);
    let cookie = begun.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let back = sandbox.sent_back(text(&begun.json()["url"]), "mona").await.unwrap();
    let path = back.strip_prefix(&origin).unwrap();
    let elsewhere = send(page, &format!("GET {path}"), &[], b"");
    assert_eq!(elsewhere.status, 401, "a browser that did not begin");
    let inside = send(page, &format!("GET {path}"), &[("cookie", &cookie)], b"");
    assert_eq!((inside.status, inside.header("location")), (303, Some("/home")), "{}", inside.head);
    let kept = inside.head.lines().find_map(|line| line.split_once("__Host-daira-session=")).unwrap().1;
    let kept = format!("__Host-daira-session={}", kept.split(';').next().unwrap());
    let headers = [("origin", origin.as_str()), ("content-type", "application/json"), ("cookie", kept.as_str())];
    let refreshed = send(page, "POST /auth/refresh", &headers, b"{}").json();
    let me = client.ask(Some(text(&refreshed["accessToken"])), "{ me { profile { id } } }", &json!({})).await.unwrap();
    assert_eq!(me["me"]["profile"]["id"], mona.id.as_str());
    let logs = platform.logs();
    let (code, secret) = (answer.code.expose(), known.client_secret.as_ref().unwrap().expose());
    for (name, log) in &logs {
        for hidden in [code, secret, text(&begun.json()["url"]), "mona@example.com"] {
            assert!(!log.contains(hidden), "{name} has what it must not");
        }
    }
}
