//! `/auth/*`: sessions of web pages. The refresh token lives in a cookie that no script can read; the access token is answered
//! to the page, which keeps it in memory alone.
//!
//! ```text
//! log-in ─▶ second-factor ─┐            (`provider` has the way by providers of identities)
//!                  log-in ─┼─▶ cookie + access token ─▶ refresh, as often as a page is loaded ─▶ log-out
//! ```
//!
//! A cookie comes along whoever's page asks. So three things are wanted of every request, each of which keeps other people's
//! pages out: the cookie is `SameSite=Strict`, the origin is the server's own or one that the operator named, and the body is
//! `application/json`, which no page of another origin can send without being asked about first.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use daira_core::account::{AccountRefusal, Entry, LogIn, LoggedIn, Pass, Tokens};
use daira_core::actor::Client;
use daira_core::error::Error;
use daira_core::id::ProfileId;
use daira_core::secret::Secret;
use daira_core::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::RequestContext;
use super::incoming::{key, read_body};
use super::negotiate::is_json;
use super::problem::problem;
use super::refusal::HttpRefusal;
use super::socket::may_connect;
use crate::door::{self, Left};
use crate::state::AppState;

/// Browsers keep a cookie of such a name only for this very host, its whole path and a secure connection.
pub(super) const SESSION: &str = "__Host-daira-session";
const DEVICE: &str = "__Host-daira-device";
/// For how long a browser keeps the token of a device: as long as it is good.
const DEVICE_LIFE: u64 = 180 * 24 * 60 * 60;
/// With requests of pages of this site alone; and also when a page of another site sends the browser here.
pub(super) const STRICT: &str = "Strict";
pub(super) const LAX: &str = "Lax";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogInBody {
    email: String,
    password: String,
    #[serde(default)]
    device: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecondFactorBody {
    challenge: String,
    code: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefreshBody {
    refresh_token: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What a page keeps in memory.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inside {
    access_token: String,
    access_expires_at: Timestamp,
    session_expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_id: Option<ProfileId>,
}

/// What a page is asked for besides the password.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    challenge: String,
    expires_at: Timestamp,
    authenticator: bool,
    passkey: bool,
}

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/log-in", post(log_in))
        .route("/auth/second-factor", post(second_factor))
        .route("/auth/refresh", post(refresh))
        .route("/auth/log-out", post(log_out))
}

/// The origins that are named; "all" names none.
pub(super) fn named(origins: &[String]) -> Vec<String> {
    origins.iter().filter(|origin| *origin != "*").cloned().collect()
}

async fn log_in(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |body: LogInBody| {
        let input = LogIn { email: body.email, password: Secret::new(body.password), device: body.device };
        let (client, key) = (client(&context, &headers), key(&headers)?);
        match state.services.accounts.log_in(&client, input, key).await? {
            Entry::In(logged_in) => entered(&state, &headers, &logged_in).await,
            Entry::Waits(waited) => {
                let waiting = Waiting {
                    challenge: waited.challenge.expose().to_owned(),
                    expires_at: waited.expires_at,
                    authenticator: waited.authenticator,
                    passkey: waited.passkey,
                };
                Ok(Json(serde_json::json!({ "secondFactor": waiting })).into_response())
            }
        }
    };
    answer(&state, &context, &headers, body, work).await
}

async fn second_factor(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |body: SecondFactorBody| {
        let (challenge, code) = (Secret::new(body.challenge), Secret::new(body.code));
        let client = client(&context, &headers);
        let logged_in = state.services.accounts.verify_second_factor(&client, &challenge, &code).await?;
        entered(&state, &headers, &logged_in).await
    };
    answer(&state, &context, &headers, body, work).await
}

/// The next access token. A page that began a session by other means (a passkey, another face) brings its refresh token along
/// once, and has it in the cookie from then on.
async fn refresh(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |body: RefreshBody| {
        let brought = body.refresh_token.map(Secret::new);
        let before = cookie(&headers, SESSION).filter(|_| brought.is_some());
        let token = brought.or_else(|| cookie(&headers, SESSION));
        let refuse = || Error::from(AccountRefusal::TokenInvalid);
        match state.services.accounts.refresh(&client(&context, &headers), &token.ok_or_else(refuse)?).await {
            Ok(tokens) => {
                if let Some(before) = before {
                    // Nobody could end it any more, once another is kept in its place.
                    state.services.accounts.leave_to(&before, &tokens.refresh).await?;
                }
                Ok(kept(&state, &tokens, None))
            }
            // The cookie stays: by now it may be another one, of a log-in that overtook this.
            Err(error) => Err(error),
        }
    };
    answer(&state, &context, &headers, body, work).await
}

async fn log_out(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |_: Nothing| {
        if let Some(token) = cookie(&headers, SESSION) {
            state.services.accounts.log_out_with(&token).await?;
        }
        let mut response = Json(serde_json::json!({ "loggedOut": true })).into_response();
        set(&mut response, SESSION, "", 0, STRICT);
        Ok(response)
    };
    answer(&state, &context, &headers, body, work).await
}

/// Sees to who may ask, takes the price, reads the body, and answers.
pub(super) async fn answer<B: DeserializeOwned>(
    state: &AppState,
    context: &RequestContext,
    headers: &HeaderMap,
    body: Body,
    work: impl AsyncFnOnce(B) -> Result<Response, Error>,
) -> Response {
    let left = state.door.charge(&Pass::ANONYMOUS, context.address, door::CALL).await;
    let answered = async {
        left.map_or(Ok(()), Left::check)?;
        let is_secure = state.services.oauth.issuer().starts_with("https://");
        if !is_own_page(headers, &named(&state.settings.web_origins), is_secure) {
            return Err(HttpRefusal::Origin.into());
        }
        if !is_json(headers) {
            return Err(HttpRefusal::UnsupportedMedia.into());
        }
        let body = read_body(headers, body, state.settings.max_body, state.settings.body_timeout).await?;
        let body = serde_json::from_slice(&body).map_err(|_| HttpRefusal::Malformed)?;
        work(body).await
    };
    let mut response = answered.await.unwrap_or_else(|error: Error| problem(error, context));
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    response
}

/// Whether a page asks that may have the cookie, or no page at all. Browsers tell the origin with every POST; where one does
/// not, it tells at least whether the page is of this server. A server that is reached over TLS has no pages without it: such a
/// one was put there by somebody on the way.
fn is_own_page(headers: &HeaderMap, origins: &[String], is_secure: bool) -> bool {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let is_named = || origins.iter().any(|named| named.eq_ignore_ascii_case(origin.to_str().unwrap_or_default()));
        return may_connect(headers, origins)
            && (!is_secure || origin.as_bytes().starts_with(b"https://") || is_named());
    }
    headers.get(FETCH_SITE).is_none_or(|site| site == "same-origin")
}

pub(super) fn client(context: &RequestContext, headers: &HeaderMap) -> Client {
    Client { address: context.address, known_device: cookie(headers, DEVICE) }
}

/// The answer to a log-in. The session that the browser kept until now is left for good: nobody could end it any more.
async fn entered(state: &AppState, headers: &HeaderMap, logged_in: &LoggedIn) -> Result<Response, Error> {
    if let Some(before) = cookie(headers, SESSION) {
        state.services.accounts.leave_for(&before, logged_in.member.session).await?;
    }
    let mut response = kept(state, &logged_in.tokens, Some(logged_in.member.profile));
    keep_device(&mut response, logged_in);
    Ok(response)
}

/// Has the browser keep what makes its device known.
pub(super) fn keep_device(response: &mut Response, logged_in: &LoggedIn) {
    // Lax: it has to come along from a provider of identities, and lets nobody in.
    set(response, DEVICE, logged_in.device.expose(), DEVICE_LIFE, LAX);
}

fn kept(state: &AppState, tokens: &Tokens, profile_id: Option<ProfileId>) -> Response {
    let inside = Inside {
        access_token: tokens.access.expose().to_owned(),
        access_expires_at: tokens.access_expires_at,
        session_expires_at: tokens.session_expires_at,
        profile_id,
    };
    let mut response = Json(inside).into_response();
    keep(&mut response, state, tokens);
    response
}

/// Has the browser keep a session.
pub(super) fn keep(response: &mut Response, state: &AppState, tokens: &Tokens) {
    let life = tokens.session_expires_at.since(state.ports.clock.now()).as_secs();
    set(response, SESSION, tokens.refresh.expose(), life, STRICT);
}

/// Has the browser keep a cookie for so many seconds; for none, forget it.
pub(super) fn set(response: &mut Response, name: &str, value: &str, seconds: u64, site: &str) {
    let cookie = format!("{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite={site}");
    // Our tokens are base64url, which is always a header's value.
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let mut pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.find_map(|pairs| {
        let mut named = pairs.split(';').filter_map(|pair| pair.trim().split_once('='));
        named.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| Secret::new(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let read = |text| cookie(&with(&[(header::COOKIE, text)]), SESSION).map(|token| token.expose().to_owned());
        assert_eq!(read("a=b; __Host-daira-session=drt_x; c=d").as_deref(), Some("drt_x"));
        assert_eq!(read("__Host-daira-session=drt_x").as_deref(), Some("drt_x"));
        for none in ["", "daira-session=x", "x__Host-daira-session=x", "__Host-daira-session=", "__Host-daira-session"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn whose_page_asks_is_seen_by_its_origin_or_else_by_what_the_browser_says() {
        let host = (header::HOST, "api.daira.example");
        let asked = |more: &[(HeaderName, &'static str)], is_secure: bool| {
            let headers = with(&[std::slice::from_ref(&host), more].concat());
            is_own_page(&headers, &["https://daira.example".into(), "http://old.example".into()], is_secure)
        };
        let asks = |more: &[(HeaderName, &'static str)]| asked(more, true);
        assert!(asks(&[]), "no browser");
        assert!(asks(&[(header::ORIGIN, "https://api.daira.example")]));
        assert!(asks(&[(header::ORIGIN, "https://daira.example"), (FETCH_SITE, "same-site")]));
        assert!(asks(&[(FETCH_SITE, "same-origin")]));
        assert!(asks(&[(header::ORIGIN, "http://old.example")]), "named as it is");
        assert!(!asks(&[(header::ORIGIN, "http://api.daira.example")]), "a page that somebody on the way made");
        assert!(asked(&[(header::ORIGIN, "http://api.daira.example")], false), "a developer's machine");
        assert!(!asks(&[(header::ORIGIN, "https://evil.example")]));
        assert!(!asks(&[(header::ORIGIN, "null")]) && !asks(&[(FETCH_SITE, "cross-site")]));
        assert!(!asks(&[(FETCH_SITE, "same-site")]) && !asks(&[(FETCH_SITE, "none")]));
    }
}
