//! `/auth/providers/*`: web pages sign in with a provider of identities.
//!
//! ```text
//! page ── POST /auth/providers/{name} ──▶ address + cookie ──▶ browser at the provider ──▶ GET …/callback ──▶ page, with a session
//!                                                                                              page, with a ticket ──▶ POST /auth/join
//! ```
//!
//! The page asks as pages of the house ask everything here, so no other page can begin. What it began is in a cookie of a few
//! minutes that only this browser has: whoever is sent to the callback without having begun, with an answer of somebody else's,
//! gets nowhere. This cookie is `SameSite=Lax`, for it has to come along when the provider sends the browser back; it lets nobody in.
//! The browser goes on to where the page said, which is of this server or of the house, and is told what came of it behind `#`,
//! which no server sees. What somebody joins with is in a cookie as well, never in an address: else a page could be sent there with
//! the identity of somebody else, and whoever fills in its form would share the account with them.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use daira_core::account::{
    AccountRefusal, BeginIdentity, IdentityAnswer, IdentityEntry, IdentityPurpose, JoinWithIdentity, Pass,
};
use daira_core::actor::Actor;
use daira_core::error::Error;
use daira_core::secret::Secret;
use data_encoding::BASE64URL_NOPAD;
use form_urlencoded::Serializer;

use super::context::RequestContext;
use super::incoming::key;
use super::problem::{log_fault, problem};
use super::refusal::HttpRefusal;
use super::web::{self, LAX, SESSION, STRICT};
use crate::door::{self, Left};
use crate::state::AppState;

/// What a browser keeps while it is away: to which provider it went, what shows that it did, and where it goes afterwards.
const AWAY: &str = "__Host-daira-provider";
/// For how long: as long as a way is open.
const AWAY_LIFE: u64 = 10 * 60;
/// What somebody who is new joins with.
const NEWCOMER: &str = "__Host-daira-newcomer";
/// The longest address to go on to, in bytes.
const LONGEST: usize = 1_024;

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BeginBody {
    #[serde(default)]
    device: String,
    return_to: String,
}

/// What somebody who is new says of themselves.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JoinBody {
    email: Option<String>,
    handle: String,
    name: String,
    birth_date: String,
}

/// What a provider sends a browser back with.
#[derive(serde::Deserialize)]
struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
}

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/providers/{name}", post(begin))
        .route("/auth/providers/{name}/callback", get(callback))
        .route("/auth/join", post(join))
}

async fn begin(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |body: BeginBody| {
        if !may_return(&body.return_to, &web::named(&state.settings.web_origins)) {
            return Err(Error::from(HttpRefusal::Malformed).on_field("returnTo"));
        }
        let public = state.services.oauth.issuer().trim_end_matches('/');
        let begin = BeginIdentity {
            redirect: format!("{public}/auth/providers/{name}/callback"),
            provider: name.clone(),
            purpose: IdentityPurpose::LogIn,
            device: body.device,
            replaces: web::cookie(&headers, SESSION),
        };
        let client = web::client(&context, &headers);
        let begun = state.services.accounts.begin_identity(&Actor::Anonymous, &client, &begin).await?;
        let answer = serde_json::json!({ "url": begun.url.expose(), "expiresAt": begun.expires_at });
        let mut response = Json(answer).into_response();
        let away = [&name, begun.ceremony.expose(), &BASE64URL_NOPAD.encode(body.return_to.as_bytes())].join(".");
        web::set(&mut response, AWAY, &away, AWAY_LIFE, LAX);
        Ok(response)
    };
    web::answer(&state, &context, &headers, body, work).await
}

/// Opens a registration for who came back new, with the ticket in their cookie; mails to them are in the language of the request.
async fn join(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |body: JoinBody| {
        let lapsed = || Error::from(AccountRefusal::ChallengeInvalid).on_field("ticket");
        let join = JoinWithIdentity {
            ticket: web::cookie(&headers, NEWCOMER).ok_or_else(lapsed)?,
            email: body.email,
            handle: body.handle,
            name: body.name,
            birth_date: body.birth_date,
            locale: context.locale,
        };
        let (client, key) = (web::client(&context, &headers), key(&headers)?);
        let registration = state.services.accounts.join_with_identity(&client, join, key).await?;
        Ok(Json(serde_json::json!({ "registrationId": registration })).into_response())
    };
    web::answer(&state, &context, &headers, body, work).await
}

async fn callback(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    Path(name): Path<String>,
    headers: HeaderMap,
    back: Result<Query<Back>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let left = state.door.charge(&Pass::ANONYMOUS, context.address, door::CALL).await;
    let answered = async {
        left.map_or(Ok(()), Left::check)?;
        let Query(back) = back.map_err(|_| HttpRefusal::Malformed)?;
        let lapsed = || Error::from(AccountRefusal::ChallengeInvalid);
        let (ceremony, to) = away(&headers, &name).ok_or_else(lapsed)?;
        if !may_return(&to, &web::named(&state.settings.web_origins)) {
            return Err(lapsed());
        }
        Ok(sent_on(&state, &context, &headers, (ceremony, to), back).await)
    };
    let mut response = answered.await.unwrap_or_else(|error: Error| problem(error, &context));
    web::set(&mut response, AWAY, "", 0, LAX);
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    response
}

/// Logs in, and sends the browser on to its page with what came of it.
async fn sent_on(
    state: &AppState,
    context: &RequestContext,
    headers: &HeaderMap,
    (ceremony, to): (Secret, String),
    back: Back,
) -> Response {
    let (client, accounts) = (web::client(context, headers), &state.services.accounts);
    let entry = match back.code {
        Some(code) => {
            let (state, code) = (Secret::new(back.state), Secret::new(code));
            let answer = IdentityAnswer { ceremony, state, code, issuer: back.iss };
            accounts.log_in_with_identity(&client, &answer).await
        }
        // The person did not agree, or the provider did not.
        None => Err(AccountRefusal::IdentityInvalid.into()),
    };
    let told = |pairs: &[(&str, &str)]| Serializer::new(String::new()).extend_pairs(pairs).finish();
    match entry {
        Ok(IdentityEntry::In(entered)) => {
            let mut response = see_other(&to, "");
            web::keep(&mut response, state, &entered.tokens);
            web::keep_device(&mut response, &entered);
            response
        }
        Ok(IdentityEntry::Waits(waited)) => {
            let yes_or_no = |which: bool| if which { "true" } else { "false" };
            see_other(
                &to,
                &told(&[
                    ("challenge", waited.challenge.expose()),
                    ("authenticator", yes_or_no(waited.authenticator)),
                    ("passkey", yes_or_no(waited.passkey)),
                ]),
            )
        }
        Ok(IdentityEntry::New(new)) => {
            let mut response = see_other(&to, &told(&[("newcomer", "true")]));
            let life = new.expires_at.since(state.ports.clock.now()).as_secs();
            web::set(&mut response, NEWCOMER, new.ticket.expose(), life, STRICT);
            response
        }
        Err(error) => {
            log_fault(&error, &context.id);
            let refusal = error.refused_as();
            see_other(&to, &told(&[("error", refusal.code), ("message", refusal.text(context.locale))]))
        }
    }
}

fn see_other(to: &str, told: &str) -> Response {
    let address = if told.is_empty() { to.to_owned() } else { format!("{to}#{told}") };
    // It was looked at: printable ASCII is always a header's value.
    let location = HeaderValue::from_str(&address).unwrap_or_else(|_| HeaderValue::from_static("/"));
    let quiet = HeaderValue::from_static("no-referrer");
    let no_store = HeaderValue::from_static("no-store");
    let headers = [(header::LOCATION, location), (header::REFERRER_POLICY, quiet), (header::CACHE_CONTROL, no_store)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// What the browser kept while it was away at this provider.
fn away(headers: &HeaderMap, name: &str) -> Option<(Secret, String)> {
    let kept = web::cookie(headers, AWAY)?;
    let mut parts = kept.expose().splitn(3, '.');
    let (at, ceremony, to) = (parts.next()?, parts.next()?, parts.next()?);
    let to = String::from_utf8(BASE64URL_NOPAD.decode(to.as_bytes()).ok()?).ok()?;
    (at == name).then(|| (Secret::new(ceremony), to))
}

/// Whether a browser may be sent on to an address: a path of this server, or below an origin of the house. Not to what sends it on
/// further, for it takes along what stands behind `#`.
fn may_return(to: &str, origins: &[String]) -> bool {
    let is_plain = to.len() <= LONGEST && to.bytes().all(|b| (0x21..0x7f).contains(&b) && !b"\\#".contains(&b));
    let is_path = |text: &str| {
        let path = text.split('?').next().unwrap_or_default().to_ascii_lowercase();
        let goes_on = ["/oauth/", "/auth/"].iter().any(|at| path.starts_with(at));
        // A browser resolves dots and reads escapes before it asks.
        let is_winding = path.contains("/.") || path.contains('%');
        path.starts_with('/') && !path.contains("//") && !goes_on && !is_winding
    };
    is_plain && (is_path(to) || origins.iter().any(|origin| to.strip_prefix(origin.as_str()).is_some_and(is_path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_66_a_browser_is_sent_on_to_pages_of_the_house_alone() {
        let house = ["https://daira.example".to_owned()];
        for good in ["/", "/home?tab=1", "https://daira.example/", "https://daira.example/in?x=//evil.example"] {
            assert!(may_return(good, &house), "{good}");
        }
        for bad in [
            "",
            "home",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "https://daira.example",
            "https://daira.example.evil.example/",
            "https://daira.example@evil.example/",
            "https://daira.example//evil.example",
            "javascript:alert(1)",
            "/a\r\nset-cookie: x",
            "/a b",
            "/\t/evil.example",
            "/#x",
            "/oauth/authorize?client_id=app_1",
            "https://daira.example/auth/log-out",
            "/in/../oauth/authorize",
            "/%6fauth/authorize",
            "/./oauth/authorize",
            "/OAUTH/authorize",
            &format!("/{}", "x".repeat(LONGEST)),
        ] {
            assert!(!may_return(bad, &house), "{bad:?}");
        }
        assert!(!may_return("https://daira.example/", &[]));
    }
}
