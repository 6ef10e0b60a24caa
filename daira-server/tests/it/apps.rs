//! Apps of others: let in over REST by a client of others, held to what they were given by every transport, and shut out.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use daira_core::credential::{JwtSigner, generate_signing_key};
use daira_core::memory::{MemoryMail, RandomIds, WallClock};
use daira_core::port::Ports;
use daira_core::proto::account::v1::{GetProfileRequest, ListSessionsRequest, get_profile_request};
use daira_core::proto::post::v1::CreatePostRequest;
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::Server;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tonic::Code;

use crate::grpc::{LONG, by, clients, reason};
use crate::harness::{Listening, Person, Reply, Stage, in_memory, json_request};
use crate::programs::{node, said};
use crate::real::Real;
use crate::streaming::socket::Socket;

const REDIRECT: &str = "https://trains.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const PAGE: &str = "https://daira.example/allow";

fn settings() -> HttpSettings {
    HttpSettings { consent_page: Some(PAGE.to_owned()), ..HttpSettings::default() }
}

/// A server that listens under the address that it says to have, and signs with a key that others can check.
async fn served() -> (Stage, Listening, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let mail = Arc::new(MemoryMail::default());
    let signer = JwtSigner::new("daira", "daira", &generate_signing_key(&RandomIds)).unwrap();
    let ports = Ports { mail: mail.clone(), signer: Arc::new(signer), ..in_memory(Arc::new(WallClock)) };
    let stage = Stage::known_as(&issuer, settings(), ports, mail);
    let listening = stage.http_on(listener);
    (stage, listening, issuer)
}

/// An app and what it proves itself with.
struct App {
    id: String,
    secret: Option<String>,
}

fn query(app: &App, scope: &str) -> String {
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(VERIFIER));
    format!(
        "response_type=code&client_id={}&redirect_uri={REDIRECT}&scope={scope}&state=xyz\
         &code_challenge={challenge}&code_challenge_method=S256",
        app.id
    )
}

impl Stage {
    async fn app(&self, owner: &Person, redirects: &[&str], confidential: bool) -> App {
        let input = json!({ "name": "مواعيد القطر", "redirectUris": redirects, "isConfidential": confidential });
        let made = self.done(Some(owner), "registerApp", input, "app { id } secret").await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        App { id: text(&made["app"]["id"]).unwrap(), secret: text(&made["secret"]) }
    }

    async fn form(&self, path: &str, app: &App, fields: &str) -> Reply {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(secret) = &app.secret {
            let basic = BASE64.encode(format!("{}:{secret}", app.id).as_bytes());
            request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
        }
        let fields = if app.secret.is_some() { fields.to_owned() } else { format!("client_id={}&{fields}", app.id) };
        self.send(request.body(Body::from(fields)).unwrap()).await
    }

    async fn code(&self, person: &Person, app: &App, scope: &str) -> String {
        let input = json!({ "request": query(app, scope) });
        let to = self.done(Some(person), "authorizeApp", input, "redirectTo").await;
        let to = to["redirectTo"].as_str().unwrap().to_owned();
        to.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned()
    }

    /// Somebody as an app that they let in: the token of the answer is the app's.
    async fn as_app(&self, person: &Person, app: &App, scope: &str) -> Person {
        let fields = format!(
            "grant_type=authorization_code&code={}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}",
            self.code(person, app, scope).await
        );
        let reply = self.form("/oauth/token", app, &fields).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
        let text = |name: &str| reply.json()[name].as_str().unwrap_or_default().to_owned();
        Person { id: person.id.clone(), token: text("access_token"), refresh: text("refresh_token") }
    }
}

fn error(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_client_of_others_lets_an_app_in() {
    let (stage, _listening, issuer) = served().await;
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    for (method, confidential) in [("basic", true), ("post", true), ("none", false)] {
        let app = stage.app(&omar, &["http://127.0.0.1/cb"], confidential).await;
        let secret = app.secret.clone().unwrap_or_default();
        // The port is the app's own choice on a person's own machine.
        let redirect = "http://127.0.0.1:51234/cb";
        let output = node(&["oauth.mjs", &issuer, method, &app.id, &secret, redirect, &mona.token]).await;
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
        assert_eq!(report["asked"], json!({ "status": 303, "page": PAGE }), "{report}");
        assert_eq!((&report["pkce"], &report["shown"]["isGranted"]), (&json!(true), &json!(false)));
        assert_eq!(report["shown"]["scopes"][0], json!({ "name": "openid", "text": "Know who you are here." }));
        assert_eq!(report["tokens"]["claims"]["sub"], mona.id);
        assert_eq!(report["user"]["preferred_username"], "mona");
        assert_eq!(report["next"], json!({ "scope": "openid", "isNew": true }));
        if confidential {
            assert_eq!(report["seen"], json!({ "active": true, "scope": "openid", "client": app.id }));
        }
        let ends = [&report["refreshed"], &report["again"], &report["used"]];
        assert_eq!(ends, [&json!("invalid_grant"), &json!("invalid_grant"), &json!(401)], "{report}");
        assert_eq!(report["mixed"], "OAUTH_INVALID_RESPONSE", "an answer of somebody else's: {report}");
    }
}

#[tokio::test]
async fn security_37_apps_are_held_to_what_they_were_given_by_graphql_and_rest() {
    held_to_what_they_were_given(&Stage::with(settings())).await;
}

#[tokio::test]
async fn security_37_apps_are_held_to_what_they_were_given_on_postgresql() {
    held_to_what_they_were_given(&*Real::on(Server::Pg18, settings()).await).await;
}

async fn held_to_what_they_were_given(stage: &Stage) {
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    let app = stage.app(&omar, &[REDIRECT], true).await;
    let reads = stage.as_app(&mona, &app, "read:profile+read:feed").await;
    let own = "{ me { profile { handle posts { edges { node { id } } } } } homeFeed { edges { node { id } } } }";
    assert_eq!(stage.ask_as(&reads, own).await.json().get("errors"), None);
    for more in [
        "{ me { account { email } } }",
        "{ x: me { ...F } } fragment F on Viewer { sessions { id } }",
        "{ me { showsActivity } }",
        "{ me { apps { id } connectedApps { appId } } }",
        "{ sessions { id } }",
        "{ me { circles { id } } }",
        "{ me { profiles { id } } }",
        "{ notifications { edges { node { text } } } }",
        "mutation { createPost(input: { text: \"x\" }) { post { id } } }",
        "mutation { changePassword(input: { currentPassword: \"x\", password: \"y\" }) { endedSessions } }",
        "mutation { authorizeApp(input: { request: \"x\" }) { redirectTo } }",
        "mutation { logOut { loggedOut } }",
        "mutation { createProfile(input: { handle: \"zell\", name: \"x\" }) { profile { id } } }",
    ] {
        let reply = stage.ask_as(&reads, more).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "oauth.scope_missing"), "{more}");
    }
    let active = "{ profile(handle: \"omar\") { activeNow } }";
    assert_eq!(stage.ask_as(&reads, active).await.data("/profile/activeNow"), json!(false));
    let feed = stage.as_app(&mona, &app, "read:feed").await;
    assert_eq!(stage.ask_as(&feed, active).await.code(), "oauth.scope_missing");
    let writes = stage.as_app(&mona, &app, "write:posts").await;
    stage.publish(&writes, json!({ "text": "من التطبيق" })).await;
    assert_eq!(stage.ask_as(&writes, "{ homeFeed { edges { cursor } } }").await.code(), "oauth.scope_missing");
    let upload = |who: &Person| {
        let request = Request::post("/upload").header(header::AUTHORIZATION, format!("Bearer {}", who.token));
        request.header(header::CONTENT_TYPE, "image/png").body(Body::from("x")).unwrap()
    };
    assert_eq!(stage.send(upload(&reads)).await.code(), "oauth.scope_missing");
    assert_eq!(stage.send(upload(&writes)).await.code(), "media.unsupported");
    let refreshed = json!({ "refreshToken": stage.as_app(&mona, &app, "offline_access").await.refresh });
    let refused = stage.tried(None, "refreshSession", refreshed, "clientMutationId").await;
    assert_eq!(refused["userErrors"][0]["code"], "auth.token_invalid", "no client of the house");

    let connected = "{ me { connectedApps { appId name profile { handle } scopes { name } } } }";
    let connected = stage.ask_as(&mona, connected).await.data("/me/connectedApps");
    assert_eq!((&connected[0]["appId"], &connected[0]["profile"]["handle"]), (&json!(app.id), &json!("mona")));
    let out = json!({ "appId": app.id });
    assert_eq!(stage.done(Some(&mona), "disconnectApp", out, "changed").await["changed"], true);
    for gone in [&reads, &writes] {
        assert_eq!(stage.ask_as(gone, "{ me { __typename } }").await.code(), "auth.token_invalid");
    }
    assert_eq!(stage.ask_as(&mona, "{ me { profile { handle } } }").await.data("/me/profile/handle"), "mona");
}

#[tokio::test]
async fn security_37_apps_are_held_to_what_they_were_given_by_grpc() {
    let stage = Stage::with(settings());
    let mona = stage.join("mona").await;
    let app = stage.app(&mona, &[REDIRECT], false).await;
    let reads = stage.as_app(&mona, &app, "read:feed").await;
    let server = stage.grpc(LONG).await;
    let mut clients = clients(&server).await;
    let by_handle = Some(get_profile_request::By::Handle("mona".to_owned()));
    clients.accounts.get_profile(by(&reads, GetProfileRequest { by: by_handle })).await.unwrap();
    let write = clients.posts.create_post(by(&reads, CreatePostRequest::default())).await.unwrap_err();
    let sessions = clients.accounts.list_sessions(by(&reads, ListSessionsRequest::default())).await.unwrap_err();
    for refused in [write, sessions] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "oauth.scope_missing"));
    }
}

#[tokio::test]
async fn security_28_what_an_app_holds_open_closes_when_it_is_shut_out() {
    let stage = Stage::with(settings());
    let mona = stage.join("mona").await;
    let app = stage.app(&mona, &[REDIRECT], false).await;
    let listens = stage.as_app(&mona, &app, "notifications").await;
    let server = stage.http().await;
    let mut socket = Socket::with(server.address, &listens.token).await;
    socket.subscribe("a", "subscription { notificationAdded { text } }").await;
    stage.done(Some(&mona), "disconnectApp", json!({ "appId": app.id }), "changed").await;
    assert_eq!(socket.closed().await, 4401);
    let reads = stage.as_app(&mona, &app, "read:feed").await;
    let added = json!({ "query": "subscription { notificationAdded { text } }" }).to_string();
    let mut request = json_request(Some(&reads.token), added);
    request.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().unwrap());
    assert!(stage.send(request).await.text.contains("oauth.scope_missing"));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_the_app_did_not_register() {
    let stage = Stage::with(settings());
    let mona = stage.join("mona").await;
    let app = stage.app(&mona, &[REDIRECT], true).await;
    let good = query(&app, "read:feed");
    let sent = stage.get(&format!("/oauth/authorize?{good}")).await;
    assert_eq!(
        (sent.status, sent.headers[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, &*format!("{PAGE}?{good}"))
    );
    assert_eq!(sent.headers[header::X_FRAME_OPTIONS], "DENY");
    let told = stage.get(&format!("/oauth/authorize?{}", good.replace("S256", "plain"))).await;
    let expected = format!("{REDIRECT}?error=invalid_request&state=xyz&iss=http%3A%2F%2Flocalhost");
    assert_eq!(told.headers[header::LOCATION], expected, "PKCE is no choice");
    for (evil, code) in [
        (good.replace("trains.example", "evil.example"), "oauth.redirect_unknown"),
        (format!("{good}&redirect_uri=https://evil.example"), "oauth.redirect_unknown"),
        (good.replace(&app.id, "app_0000000000001"), "oauth.app_unknown"),
        (String::new(), "oauth.app_unknown"),
    ] {
        let reply = stage.get(&format!("/oauth/authorize?{evil}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, code), "{evil}");
        assert!(!reply.headers.contains_key(header::LOCATION));
    }
}

#[tokio::test]
async fn an_app_is_told_what_is_wrong_as_the_rfc_has_it() {
    let stage = Stage::with(settings());
    let mona = stage.join("mona").await;
    let app = stage.app(&mona, &[REDIRECT], true).await;
    let wrong = App { secret: Some("das_x".to_owned()), id: app.id.clone() };
    let code = |code: &str| {
        format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}")
    };
    let secret = app.secret.clone().unwrap();
    for (client, fields, expected) in [
        (&wrong, code("x"), (401, "invalid_client")),
        (&app, code("x"), (400, "invalid_grant")),
        (&app, "grant_type=refresh_token&refresh_token=x".to_owned(), (400, "invalid_grant")),
        (&app, "grant_type=password&username=mona&password=x".to_owned(), (400, "unsupported_grant_type")),
        (&app, "grant_type=client_credentials".to_owned(), (400, "unsupported_grant_type")),
        (&app, "code=x".to_owned(), (400, "invalid_request")),
        (&app, format!("{}&code=y", code("x")), (400, "invalid_request")),
        (&app, format!("{}&client_secret={secret}", code("x")), (400, "invalid_request")),
        (&app, format!("{}&client_id=app_0000000000001", code("x")), (400, "invalid_request")),
    ] {
        let reply = stage.form("/oauth/token", client, &fields).await;
        assert_eq!(error(&reply), (expected.0, expected.1.to_owned()), "{fields}");
        assert_eq!(reply.headers.contains_key(header::WWW_AUTHENTICATE), expected.0 == 401);
    }
    let json = json_request(None, code("x"));
    let (mut parts, body) = json.into_parts();
    parts.uri = "/oauth/token".parse().unwrap();
    assert_eq!(error(&stage.send(Request::from_parts(parts, body)).await), (400, "invalid_request".to_owned()));
    let public = stage.app(&mona, &[REDIRECT], false).await;
    let asks = stage.form("/oauth/introspect", &public, "token=x").await;
    assert_eq!(error(&asks), (401, "invalid_client".to_owned()));
    assert_eq!(stage.form("/oauth/introspect", &app, "token=x").await.json(), json!({ "active": false }));
    assert_eq!(stage.form("/oauth/revoke", &app, "token=x").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_consent_page_there_is_no_oauth_and_without_keys_no_openid() {
    let stage = Stage::new();
    for path in ["/oauth/authorize", "/oauth/userinfo", "/.well-known/openid-configuration"] {
        assert_eq!(stage.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let mona = stage.join("mona").await;
    let app = stage.app(&mona, &[REDIRECT], true).await;
    assert_eq!(stage.form("/oauth/token", &app, "grant_type=x").await.status, StatusCode::NOT_FOUND);
    let stage = Stage::with(settings());
    let told = stage.get("/.well-known/oauth-authorization-server").await.json();
    assert!(!told["scopes_supported"].as_array().unwrap().contains(&json!("openid")), "nobody could check its tokens");
    assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
}
