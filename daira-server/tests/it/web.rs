//! `/auth/*`: sessions of web pages, in process and in a real browser.

use axum::body::Body;
use axum::http::{HeaderName, Request, StatusCode, header};
use daira_core::account::factor;
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};

use crate::harness::{Reply, Stage};
use crate::programs::{browser, node, said};
use crate::real::Real;

const PASSWORD: &str = "kahraba nour shams";
const SESSION: &str = "__Host-daira-session";
const HOST: (HeaderName, &str) = (header::HOST, "api.daira.example");
const OWN: (HeaderName, &str) = (header::ORIGIN, "https://api.daira.example");

fn mona() -> Value {
    json!({ "email": "mona@example.com", "password": PASSWORD, "device": "Firefox" })
}

impl Stage {
    /// Posts JSON to a route as a page does, with its cookies.
    async fn page(&self, path: &str, body: &Value, cookies: &str, more: &[(HeaderName, &str)]) -> Reply {
        let mut request = Request::post(path).header(header::ACCEPT_LANGUAGE, "en");
        for (name, value) in more {
            request = request.header(name, *value);
        }
        if !more.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

/// What a browser would keep of an answer, to be sent back.
fn cookies(reply: &Reply) -> String {
    let set = reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

async fn is_in(stage: &Stage, reply: &Reply) -> bool {
    let token = reply.json()["accessToken"].as_str().unwrap().to_owned();
    let body = json!({ "query": "{ me { profile { handle } } }" }).to_string();
    let reply = stage.send(crate::harness::json_request(Some(&token), body)).await;
    reply.status == StatusCode::OK && reply.data("/me/profile/handle") == "mona"
}

#[tokio::test]
async fn a_page_logs_in_refreshes_and_logs_out() {
    in_and_out(&Stage::new()).await;
}

#[tokio::test]
async fn a_page_logs_in_refreshes_and_logs_out_on_postgresql() {
    in_and_out(&*Real::on(Server::Pg18, HttpSettings::default()).await).await;
}

async fn in_and_out(stage: &Stage) {
    let joined = stage.join("mona").await;
    let guess = json!({ "email": "mona@example.com", "password": "x" });
    let wrong = stage.page("/auth/log-in", &guess, "", &[HOST, OWN]).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.invalid_credentials"));
    assert_eq!(wrong.headers[header::CONTENT_TYPE], "application/problem+json");
    assert!(!wrong.headers.contains_key(header::SET_COOKIE));

    let inside = stage.page("/auth/log-in", &mona(), "", &[HOST, OWN]).await;
    assert_eq!((inside.status, &inside.json()["profileId"]), (StatusCode::OK, &json!(joined.id)));
    assert_eq!(inside.headers[header::CACHE_CONTROL], "no-store");
    assert!(!inside.text.contains("drt_"), "the refresh token is in no body");
    for cookie in inside.headers.get_all(header::SET_COOKIE) {
        let text = cookie.to_str().unwrap();
        let site = if text.starts_with("__Host-daira-device=") { "Lax" } else { "Strict" };
        assert!(
            text.starts_with("__Host-daira-")
                && text.ends_with(&format!("; Path=/; Secure; HttpOnly; SameSite={site}"))
        );
    }
    assert!(is_in(stage, &inside).await);

    let kept = cookies(&inside);
    let next = stage.page("/auth/refresh", &json!({}), &kept, &[HOST, OWN]).await;
    assert!(is_in(stage, &next).await && cookies(&next) != kept);
    let again = stage.page("/auth/refresh", &json!({}), &kept, &[HOST, OWN]).await;
    assert_eq!(cookies(&again), cookies(&next), "another tab of the same browser");

    let forged = stage.page("/auth/refresh", &json!({ "refreshToken": "drt_x" }), &cookies(&next), &[HOST, OWN]).await;
    assert_eq!(
        (forged.status, cookies(&forged)),
        (StatusCode::UNAUTHORIZED, String::new()),
        "what is kept is good still"
    );
    let over = stage.page("/auth/log-in", &mona(), &cookies(&next), &[HOST, OWN]).await;
    assert!(is_in(stage, &over).await && !is_in(stage, &next).await, "the session in the cookie gave way");
    let next = over;
    let out = stage.page("/auth/log-out", &json!({}), &cookies(&next), &[HOST, OWN]).await;
    assert_eq!((out.status, out.json()), (StatusCode::OK, json!({ "loggedOut": true })));
    assert_eq!(cookies(&out), format!("{SESSION}="));
    let over = stage.page("/auth/refresh", &json!({}), &cookies(&next), &[HOST, OWN]).await;
    assert_eq!((over.status, over.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.token_invalid"));
    assert_eq!(cookies(&over), "", "another one may be kept by now");
    assert_eq!(stage.page("/auth/log-out", &json!({}), "", &[HOST, OWN]).await.status, StatusCode::OK, "out is out");
    assert_eq!(stage.ask_as(&joined, "{ me { profile { handle } } }").await.data("/me/profile/handle"), "mona");
}

#[tokio::test]
async fn a_page_gives_the_second_factor_and_takes_over_what_began_elsewhere() {
    let stage = Stage::new();
    let joined = stage.join("mona").await;
    let taken = stage.page("/auth/refresh", &json!({ "refreshToken": joined.refresh }), "", &[HOST, OWN]).await;
    assert!(is_in(&stage, &taken).await && cookies(&taken).starts_with(&format!("{SESSION}=drt_")));

    let secret = stage.guard(&joined).await;
    let waits = stage.page("/auth/log-in", &mona(), "", &[HOST, OWN]).await;
    assert_eq!((waits.status, cookies(&waits).as_str()), (StatusCode::OK, ""));
    let waits = waits.json()["secondFactor"].clone();
    assert_eq!((&waits["authenticator"], &waits["passkey"]), (&json!(true), &json!(false)));
    let step = stage.ports.clock.now().as_seconds() / 30 + 1;
    let code = factor::digits(&secret, step).expose().to_owned();
    let input = json!({ "challenge": waits["challenge"], "code": code });
    let inside = stage.page("/auth/second-factor", &input, "", &[HOST, OWN]).await;
    assert!(is_in(&stage, &inside).await);
    assert!(cookies(&inside).contains("__Host-daira-device=ddt_"));
}

#[tokio::test]
async fn security_66_pages_of_others_cannot_use_the_cookie() {
    let stage = Stage::new();
    stage.join("mona").await;
    let kept = cookies(&stage.page("/auth/log-in", &mona(), "", &[HOST, OWN]).await);
    let site = HeaderName::from_static("sec-fetch-site");
    for path in ["/auth/log-in", "/auth/second-factor", "/auth/refresh", "/auth/log-out"] {
        for evil in [
            vec![HOST, (header::ORIGIN, "https://evil.example")],
            vec![HOST, (header::ORIGIN, "https://daira.example")],
            vec![HOST, (header::ORIGIN, "null")],
            vec![HOST, (site.clone(), "same-site")],
            vec![HOST, (site.clone(), "cross-site")],
        ] {
            let reply = stage.page(path, &json!({}), &kept, &evil).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "http.origin"), "{evil:?}");
            assert!(!reply.headers.contains_key(header::SET_COOKIE));
        }
        for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let reply = stage.page(path, &json!({}), &kept, &[HOST, OWN, (header::CONTENT_TYPE, simple)]).await;
            assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{simple}");
        }
        assert_eq!(stage.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(stage.page("/auth/refresh", &json!({}), &kept, &[HOST, OWN]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn cookies_go_to_web_clients_of_the_house_and_not_to_all_who_may_call() {
    let origins = vec!["*".to_owned(), "https://app.example".to_owned(), "https://daira.example".to_owned()];
    let web_origins = vec!["https://daira.example".to_owned()];
    let stage = Stage::with(HttpSettings { origins, web_origins, ..HttpSettings::default() });
    stage.join("mona").await;
    let named = (header::ORIGIN, "https://daira.example");
    let reply = stage.page("/auth/log-in", &mona(), "", &[HOST, named]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://daira.example");
    assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    for other in ["https://evil.example", "https://app.example"] {
        let other = stage.page("/auth/log-in", &mona(), "", &[HOST, (header::ORIGIN, other)]).await;
        assert_eq!(other.code(), "http.origin");
        assert!(!other.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
    let graphql = stage.send(crate::harness::json_request(None, "{}")).await;
    assert!(!graphql.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "nowhere else");
}

#[tokio::test]
async fn security_66_a_browser_keeps_the_cookie_and_gives_it_to_no_other_page() {
    let stage = Stage::new();
    stage.join("mona").await;
    let server = stage.http().await;
    let url = format!("http://{}", server.address);
    let output = node(&["web.mjs", &browser(), &url, "mona@example.com", PASSWORD]).await;
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    let kept = |name: &str, site: &str| json!({ "name": name, "httpOnly": true, "secure": true, "sameSite": site, "path": "/" });
    assert_eq!(report["logIn"]["status"], 200, "{report}");
    let mut found = report["cookies"].as_array().unwrap().clone();
    found.sort_by_key(|cookie| cookie["name"].to_string());
    assert_eq!(json!(found), json!([kept("__Host-daira-device", "Lax"), kept(SESSION, "Strict")]));
    assert_eq!((&report["readable"], &report["refresh"]["status"]), (&json!(""), &json!(200)));
    for other in report["others"].as_array().unwrap() {
        assert_eq!(other["json"], json!({ "refused": "TypeError" }), "it is not even let ask: {report}");
        assert!(other["form"].as_str().unwrap().contains("http.origin"), "{report}");
    }
    assert_eq!(report["still"]["status"], 200, "nobody was logged out");
    assert_eq!((&report["logOut"]["status"], &report["after"]["status"]), (&json!(200), &json!(401)));
    assert_eq!(report["left"], json!(["__Host-daira-device"]));
}
