//! Signing in with providers of identities: apps over GraphQL, pages with cookies, against a provider that speaks over HTTP.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use daira_core::Ports;
use daira_core::memory::{MemoryMail, RandomIds, WallClock};
use daira_core::port::AuthorizationAnswer;
use daira_core::secret::Secret;
use daira_server::http::HttpSettings;
use daira_worker::identities::OidcProviders;
use daira_worker::identities::sandbox::{Manners, Place, Sandbox, Trouble};
use serde_json::{Value, json};

use crate::harness::{Person, Reply, Stage, in_memory};

const PUBLIC: &str = "https://api.daira.example";
const APP: &str = "example.daira:/in";
const CALLBACK: &str = "https://api.daira.example/auth/providers/one/callback";
const OTHER: &str = "https://api.daira.example/auth/providers/other/callback";
const HOUSE: &str = "https://daira.example";
const ENTRY: &str = "secondFactor { challenge } newcomer { ticket email name } tokens { accessToken refreshToken } profile { id handle }";

/// A server, and two providers.
struct World {
    stage: Stage,
    one: Sandbox,
    _other: Sandbox,
}

async fn world() -> World {
    let start = async || Sandbox::start(Arc::new(WallClock), Arc::new(RandomIds)).await.unwrap();
    let (one, other) = (start().await, start().await);
    let registrations =
        vec![one.registration("one", &[CALLBACK, APP]), other.registration("other", &[OTHER, "example.daira:/other"])];
    let providers = OidcProviders::new(registrations, &(Arc::new(WallClock) as _)).unwrap();
    let mail = Arc::new(MemoryMail::default());
    let ports = Ports { mail: mail.clone(), identities: Arc::new(providers), ..in_memory(Arc::new(WallClock)) };
    let settings = HttpSettings { web_origins: vec![HOUSE.to_owned()], ..HttpSettings::default() };
    World { stage: Stage::known_as(PUBLIC, settings, ports, mail), one, _other: other }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// What is given back of a way, with what a browser came back with.
fn came_back(ceremony: &Value, (state, answer): (Secret, AuthorizationAnswer)) -> Value {
    json!({ "ceremony": ceremony, "state": state.expose(), "code": answer.code.expose(), "iss": answer.issuer })
}

impl World {
    async fn begin(&self, who: Option<&Person>, purpose: &str, subject: &str) -> Value {
        let input = json!({ "provider": "one", "redirectUri": APP, "purpose": purpose, "device": "Phone" });
        let begun = self.stage.done(who, "beginProvider", input, "ceremony url expiresAt").await;
        came_back(&begun["ceremony"], self.one.agree(text(&begun["url"]), subject).await.unwrap())
    }

    async fn come(&self, subject: &str) -> Value {
        let back = self.begin(None, "LOG_IN", subject).await;
        self.stage.done(None, "logInWithProvider", back, ENTRY).await
    }

    async fn join(&self, subject: &str) -> Person {
        let came = self.come(subject).await;
        let input = json!({ "ticket": came["newcomer"]["ticket"], "handle": subject, "name": "منى", "birthDate": "1999-03-21" });
        let joined = self.stage.done(None, "joinWithProvider", input, "registrationId").await;
        self.stage.settle().await;
        let code = self.stage.code_for(&format!("{subject}@example.com"));
        let input = json!({ "registrationId": joined["registrationId"], "code": code });
        let selection = "tokens { accessToken refreshToken } profile { id }";
        let inside = self.stage.done(None, "verifyEmail", input, selection).await;
        let of = |value: &Value| text(value).to_owned();
        let (token, refresh) = (of(&inside["tokens"]["accessToken"]), of(&inside["tokens"]["refreshToken"]));
        Person { id: of(&inside["profile"]["id"]), token, refresh }
    }

    /// Begins as a page does.
    async fn page(&self, origin: &str, body: &Value, cookies: &str) -> Reply {
        let request = Request::post("/auth/providers/one")
            .header(header::HOST, "api.daira.example")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::COOKIE, cookies);
        self.stage.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// What a browser is answered that was sent to an address of ours.
    async fn follow(&self, address: &str, cookies: &str, language: &str) -> Reply {
        let path = address.strip_prefix(PUBLIC).unwrap();
        let request = Request::get(path)
            .header(header::HOST, "api.daira.example")
            .header(header::ACCEPT_LANGUAGE, language)
            .header("sec-fetch-site", "cross-site")
            .header(header::COOKIE, cookies);
        self.stage.send(request.body(Body::empty()).unwrap()).await
    }

    async fn lives(&self, person: &Person) -> bool {
        self.stage.ask_as(person, "{ me { profile { id } } }").await.status == StatusCode::OK
    }
}

/// What a browser keeps of an answer.
fn cookies(reply: &Reply) -> String {
    let set = reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    assert_eq!(reply.headers[header::REFERRER_POLICY], "no-referrer");
    reply.headers[header::LOCATION].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_app_joins_logs_in_links_and_proves() {
    let world = world().await;
    let shown = world.stage.ask("{ providers { name issuer } }").await.data("/providers/0");
    assert_eq!(shown, json!({ "name": "one", "issuer": world.one.issuer() }));
    let mona = world.join("mona").await;
    let inside = world.come("mona").await;
    assert_eq!((&inside["profile"]["handle"], &inside["newcomer"]), (&json!("mona"), &Value::Null));
    let ways = "{ me { waysIn { hasPassword providers { issuer name lastUsedAt } } } }";
    let shown = world.stage.ask_as(&mona, ways).await.data("/me/waysIn");
    assert_eq!((&shown["hasPassword"], &shown["providers"][0]["name"]), (&json!(false), &json!("one")));
    assert!(shown["providers"][0]["lastUsedAt"].is_string());
    let issuer = json!({ "issuer": world.one.issuer() });
    assert_eq!(world.stage.refused(&mona, "unlinkProvider", issuer.clone()).await, "account.last_way_in");
    let back = world.begin(Some(&mona), "PROOF", "mona").await;
    assert!(world.stage.done(Some(&mona), "proveWithProvider", back, "provenUntil").await["provenUntil"].is_string());
    let ended =
        world.stage.done(Some(&mona), "setPassword", json!({ "password": "kahraba nour shams" }), "endedSessions");
    assert_eq!(ended.await["endedSessions"], 1);
    world.stage.done(Some(&mona), "unlinkProvider", issuer, "issuer").await;
    assert!(world.come("mona").await["newcomer"]["ticket"].is_string(), "it opens nothing any more");
    let back = world.begin(Some(&mona), "LINK", "mona").await;
    let linked = world.stage.done(Some(&mona), "linkProvider", back, "linked { issuer name }").await;
    assert_eq!(linked["linked"]["name"], "one");
    let omar = world.stage.join("omar").await;
    let back = world.begin(Some(&omar), "LINK", "mona").await;
    assert_eq!(world.stage.refused(&omar, "linkProvider", back).await, "account.identity_taken");
}

#[tokio::test]
async fn security_07_an_address_that_is_known_is_answered_like_any_other() {
    let world = world().await;
    let mona = world.stage.join("mona").await;
    let answer = async |subject: &str, handle: &str| {
        let came = world.come(subject).await;
        let input =
            json!({ "ticket": came["newcomer"]["ticket"], "handle": handle, "name": "x", "birthDate": "1999-03-21" });
        let mut joined = world.stage.done(None, "joinWithProvider", input, "registrationId clientMutationId").await;
        assert!(joined["registrationId"].take().is_string());
        (came["tokens"].clone(), came["secondFactor"].clone(), joined)
    };
    assert_eq!(answer("mona", "first").await, answer("nobody", "second").await);
    world.stage.settle().await;
    assert!(!world.stage.mail_for("mona@example.com").contains("Your code"), "she is told that somebody tried");
    assert!(world.stage.ask_as(&mona, "{ me { waysIn { providers { issuer } } } }").await.text.contains("[]"));
}

#[tokio::test]
async fn a_page_goes_and_comes_back_with_a_session_in_its_cookie() {
    let world = world().await;
    let mona = world.join("mona").await;
    let before = format!("__Host-daira-session={}", mona.refresh);
    let body = json!({ "returnTo": "https://daira.example/home?tab=1", "device": "Firefox" });
    let begun = world.page(HOUSE, &body, &before).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let set = begun.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        set.starts_with("__Host-daira-provider=") && set.ends_with("Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{set}"
    );
    assert!(!begun.json()["url"].as_str().unwrap().contains("dic_"), "what the browser keeps is in no address");
    let back = world.one.sent_back(begun.json()["url"].as_str().unwrap(), "mona").await.unwrap();
    assert!(back.starts_with(CALLBACK));
    // The browser comes from another site: only what is lax comes along.
    let inside = world.follow(&back, &cookies(&begun), "en").await;
    assert_eq!(location(&inside), "https://daira.example/home?tab=1");
    assert_eq!(inside.headers[header::CACHE_CONTROL], "no-store");
    let kept = cookies(&inside);
    assert!(kept.contains("__Host-daira-session=drt_") && kept.contains("__Host-daira-provider="));
    for cookie in inside.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()) {
        let is_lax = cookie.starts_with("__Host-daira-provider=;") || cookie.starts_with("__Host-daira-device=");
        assert!(cookie.ends_with(if is_lax { "SameSite=Lax" } else { "SameSite=Strict" }), "{cookie}");
    }
    assert!(!world.lives(&mona).await, "the session that the browser had gave way");
    let request = Request::post("/auth/refresh")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "api.daira.example")
        .header(header::ORIGIN, HOUSE)
        .header(header::COOKIE, kept);
    let refreshed = world.stage.send(request.body(Body::from("{}")).unwrap()).await;
    assert!(refreshed.json()["accessToken"].is_string());
}

#[tokio::test]
async fn security_66_a_callback_is_for_the_browser_that_began() {
    let world = world().await;
    let mona = world.join("mona").await;
    let body = json!({ "returnTo": "/home" });
    let (mine, theirs) = (world.page(HOUSE, &body, "").await, world.page(HOUSE, &body, "").await);
    let url = |reply: &Reply| reply.json()["url"].as_str().unwrap().to_owned();
    let planted = world.one.sent_back(&url(&theirs), "evil").await.unwrap();
    // A browser that never began, one that began something else, and one that is told it began at another provider.
    for (kept, is_told) in [
        (String::new(), false),
        ("__Host-daira-provider=x".to_owned(), false),
        (cookies(&mine).replace("=one.", "=other."), false),
        (cookies(&mine), true),
    ] {
        let answer = world.follow(&planted, &kept, "ar").await;
        assert!(!cookies(&answer).contains("__Host-daira-session"), "{kept}");
        if is_told {
            assert!(location(&answer).starts_with("/home#error=auth.challenge_invalid&message=%D8"), "in Arabic");
        } else {
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.challenge_invalid"));
            assert!(answer.text.contains("الدخول ده وقته خلص"));
        }
    }
    // An answer of another provider's, and one of nobody's.
    let own = world.one.sent_back(&url(&mine), "mona").await.unwrap();
    let mixed = own.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F");
    assert!(
        location(&world.follow(&mixed, &cookies(&mine), "en").await).starts_with("/home#error=auth.identity_invalid")
    );
    assert!(
        location(&world.follow(&own, &cookies(&mine), "en").await).contains("auth.challenge_invalid"),
        "it was used up"
    );
    let denied = format!("{CALLBACK}?error=access_denied&state=x");
    let denied = world.follow(&denied, &cookies(&theirs), "en").await;
    assert_eq!(
        location(&denied),
        "/home#error=auth.identity_invalid&message=This+sign-in+did+not+work%3B+please+start+again."
    );
    assert!(world.lives(&mona).await, "nobody was logged out");
}

#[tokio::test]
async fn security_66_pages_of_others_begin_nothing_and_nobody_is_sent_to_them() {
    let world = world().await;
    let begin = async |origin: &str, to: &str| {
        let reply = world.page(origin, &json!({ "returnTo": to }), "").await;
        assert!(reply.status == StatusCode::OK || cookies(&reply).is_empty());
        (reply.status, reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(begin(HOUSE, "/").await.0, StatusCode::OK);
    assert_eq!(begin("https://evil.example", "/").await, (StatusCode::FORBIDDEN, "http.origin".to_owned()));
    for to in
        ["//evil.example", "https://evil.example/", "https://daira.example.evil.example/", "/\\evil.example", "home"]
    {
        assert_eq!(begin(HOUSE, to).await.0, StatusCode::BAD_REQUEST, "{to}");
    }
    // What a browser keeps is looked at again: it may have been put there.
    let begun = world.page(HOUSE, &json!({ "returnTo": "/" }), "").await;
    let back = world.one.sent_back(begun.json()["url"].as_str().unwrap(), "mona").await.unwrap();
    let kept = cookies(&begun);
    let (before, _) = kept.rsplit_once('.').unwrap();
    let bent = format!("{before}.{}", data_encoding::BASE64URL_NOPAD.encode(b"https://evil.example/"));
    assert_eq!(world.follow(&back, &bent, "en").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(location(&world.follow(&back, &kept, "en").await), "/#newcomer=true");
}

#[tokio::test]
async fn security_66_a_page_joins_with_what_its_own_browser_brought() {
    let world = world().await;
    let begun = world.page(HOUSE, &json!({ "returnTo": "/join" }), "").await;
    let back = world.one.sent_back(begun.json()["url"].as_str().unwrap(), "mona").await.unwrap();
    let new = world.follow(&back, &cookies(&begun), "en").await;
    assert_eq!(location(&new), "/join#newcomer=true");
    let kept = new.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let ticket = kept.into_iter().find(|cookie| cookie.starts_with("__Host-daira-newcomer=dit_")).unwrap();
    assert!(ticket.ends_with("Path=/; Secure; HttpOnly; SameSite=Strict"), "{ticket}");
    let join = async |origin: &str, cookies: &str, body: &Value| {
        let request = Request::post("/auth/join")
            .header(header::HOST, "api.daira.example")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header("idempotency-key", "join-1")
            .header(header::COOKIE, cookies);
        world.stage.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let form = json!({ "handle": "mona", "name": "منى", "birthDate": "1999-03-21" });
    let none = join(HOUSE, "", &form).await;
    assert_eq!((none.status, none.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.challenge_invalid"));
    let other = join("https://evil.example", &cookies(&new), &form).await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::FORBIDDEN, "http.origin"));
    let mut planted = form.clone();
    planted["ticket"] = json!("dit_AAAA");
    assert_eq!(join(HOUSE, "", &planted).await.status, StatusCode::BAD_REQUEST, "it is taken from the cookie alone");
    let opened = join(HOUSE, &cookies(&new), &form).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
    assert_eq!(join(HOUSE, &cookies(&new), &form).await.json(), opened.json(), "under its key");
    world.stage.settle().await;
    let code = world.stage.code_for("mona@example.com");
    let input = json!({ "registrationId": opened.json()["registrationId"], "code": code });
    let inside = world.stage.done(None, "verifyEmail", input, "profile { handle }").await;
    assert_eq!(inside["profile"]["handle"], "mona");
}

#[tokio::test]
async fn a_page_is_told_of_the_second_factor_and_of_trouble() {
    let world = world().await;
    let mona = world.stage.join("mona").await;
    world.stage.guard(&mona).await;
    let back = world.begin(Some(&mona), "LINK", "mona").await;
    world.stage.done(Some(&mona), "linkProvider", back, "clientMutationId").await;
    let go = async |subject: &str| {
        let begun = world.page(HOUSE, &json!({ "returnTo": "/home" }), "").await;
        let back = world.one.sent_back(begun.json()["url"].as_str().unwrap(), subject).await.unwrap();
        world.follow(&back, &cookies(&begun), "en").await
    };
    let waits = go("mona").await;
    assert!(
        location(&waits).starts_with("/home#challenge=dsf_")
            && location(&waits).ends_with("&authenticator=true&passkey=false")
    );
    assert!(!cookies(&waits).contains("__Host-daira-session"));
    world.one.behave(Manners { trouble: Some((Place::Tokens, Trouble::Status(503))), ..Manners::default() });
    assert!(location(&go("mona").await).starts_with("/home#error=common.unavailable&message="));
    let unknown = Request::post("/auth/providers/nobody")
        .header(header::HOST, "api.daira.example")
        .header(header::ORIGIN, HOUSE)
        .header(header::CONTENT_TYPE, "application/json");
    let unknown = world.stage.send(unknown.body(Body::from(r#"{"returnTo":"/"}"#)).unwrap()).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::BAD_REQUEST, "account.provider_unknown"));
}
