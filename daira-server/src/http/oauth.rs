//! `/oauth/*` for apps of others: OAuth 2.0 (RFC 6749, 7009, 7662, 7636, 8414, 9207) and `OpenID` Connect.
//!
//! ```text
//! browser ─ /oauth/authorize ─▶ checked ─▶ consent page of the first-party client ─▶ authorizeApp ─▶ back to the app
//! app     ─ /oauth/token, revoke, introspect ─▶ who is it? ─▶ use case ─▶ JSON as the RFCs have it
//! ```
//!
//! The consent page is another client's: it is where people log in, with whatever guards them, and choose which of their faces the
//! app is shown. Where the operator names none, there are no such routes.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Json, Router};
use daira_core::account::Pass;
use daira_core::actor::Client as From;
use daira_core::error::{Class, Error};
use daira_core::oauth::scope::SCOPES;
use daira_core::oauth::{Asked, Client, Issued, OauthRefusal, Presented, Scopes};
use daira_core::secret::Secret;
use data_encoding::BASE64;
use form_urlencoded::parse;
use serde_json::{Value, json};

use super::auth::admit;
use super::context::RequestContext;
use super::incoming::read_body;
use super::problem::{log_fault, problem, retry_seconds};
use super::refusal::HttpRefusal;
use crate::door::{self, Left};
use crate::state::AppState;

/// What people see at the kind of answer that a token endpoint gives.
const BASIC: HeaderValue = HeaderValue::from_static(r#"Basic realm="daira""#);
const FORM: &str = "application/x-www-form-urlencoded";

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/oauth/authorize", get(authorize))
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/introspect", post(introspect))
        .route("/oauth/userinfo", any(user_info))
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

/// Sends a browser on to the consent page, or back to the app; tells the person where neither is safe.
async fn authorize(State(state): State<AppState>, Extension(context): Extension<RequestContext>, uri: Uri) -> Response {
    let Some(page) = &state.settings.consent_page else { return problem(HttpRefusal::NotFound, &context) };
    let query = uri.query().unwrap_or_default();
    let left = state.door.charge(&Pass::ANONYMOUS, context.address, door::CALL).await;
    let to = async {
        left.map_or(Ok(()), Left::check)?;
        let joint = if page.contains('?') { '&' } else { '?' };
        Ok::<_, Error>(match state.services.oauth.request(query).await? {
            Asked::Person(_) => format!("{page}{joint}{query}"),
            Asked::App(address) => address,
        })
    };
    match to.await.map(|to| HeaderValue::from_str(&to)) {
        Ok(Ok(to)) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Ok(Err(_)) => problem(HttpRefusal::Malformed, &context),
        Err(error) => problem(error, &context),
    }
}

async fn token(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |client: Client, fields: Fields| {
        let (oauth, must) = (&state.services.oauth, |name| fields.must(name));
        let issued = match must("grant_type")? {
            "authorization_code" => {
                let (code, redirect) = (Secret::new(must("code")?), must("redirect_uri")?);
                oauth.exchange(&client, &code, redirect, &Secret::new(must("code_verifier")?)).await?
            }
            "refresh_token" => {
                oauth.refresh(&client, &Secret::new(must("refresh_token")?), fields.get("scope")?).await?
            }
            _ => return Err(Told::Code("unsupported_grant_type")),
        };
        Ok(Json(told(&issued, &state)).into_response())
    };
    answer(&state, &context, &headers, body, work).await
}

fn told(issued: &Issued, state: &AppState) -> Value {
    let Issued { access, expires_at, scopes, refresh, id_token } = issued;
    let seconds = expires_at.since(state.ports.clock.now()).as_secs();
    let mut told = json!({
        "access_token": access.expose(), "token_type": "Bearer", "expires_in": seconds, "scope": scopes.to_string(),
    });
    for (name, token) in [("refresh_token", refresh), ("id_token", id_token)] {
        if let (Some(token), Some(told)) = (token, told.as_object_mut()) {
            told.insert(name.to_owned(), token.expose().into());
        }
    }
    told
}

async fn revoke(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |client: Client, fields: Fields| {
        state.services.oauth.revoke(&client, &Secret::new(fields.must("token")?)).await?;
        Ok(StatusCode::OK.into_response())
    };
    answer(&state, &context, &headers, body, work).await
}

async fn introspect(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let work = async |client: Client, fields: Fields| {
        let oauth = &state.services.oauth;
        let seen = oauth.introspect(&client, &Secret::new(fields.must("token")?)).await?;
        let seen = seen.map(|Presented { scopes, profile, expires_at }| {
            let (scope, sub, exp) = (scopes.to_string(), profile.to_string(), expires_at.as_seconds());
            json!({ "active": true, "client_id": client.id, "scope": scope, "sub": sub, "exp": exp, "iss": oauth.issuer() })
        });
        Ok(Json(seen.unwrap_or_else(|| json!({ "active": false }))).into_response())
    };
    answer(&state, &context, &headers, body, work).await
}

async fn user_info(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    if state.settings.consent_page.is_none() {
        return problem(HttpRefusal::NotFound, &context);
    }
    let pass = admit(&state.services.accounts, &headers).await;
    let payer = pass.as_ref().unwrap_or(&Pass::ANONYMOUS);
    let left = state.door.charge(payer, context.address, door::CALL).await;
    let info = async {
        left.map_or(Ok(()), Left::check)?;
        state.services.oauth.user_info(&pass?).await
    };
    match info.await {
        Ok(info) => {
            let mut told = json!({ "sub": info.profile.to_string() });
            if let (Some(profile), Some(told)) = (info.shown, told.as_object_mut()) {
                told.insert("name".to_owned(), profile.name.into());
                told.insert("preferred_username".to_owned(), profile.handle.as_str().into());
            }
            Json(told).into_response()
        }
        Err(error) => {
            let missing = error.refusal() == Some(OauthRefusal::ScopeMissing);
            let mut response = problem(error, &context);
            if missing {
                let asked = r#"Bearer realm="daira", error="insufficient_scope", scope="openid""#;
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(asked));
            }
            response
        }
    }
}

/// What there is, for apps that find their way by themselves.
async fn metadata(State(state): State<AppState>, Extension(context): Extension<RequestContext>) -> Response {
    if state.settings.consent_page.is_none() {
        return problem(HttpRefusal::NotFound, &context);
    }
    let oauth = &state.services.oauth;
    let at = |path: &str| format!("{}{path}", oauth.issuer());
    let offered = |scopes: Scopes| oauth.has_id_tokens() || scopes != Scopes::OPENID;
    let scopes: Vec<_> = SCOPES.iter().filter(|scope| offered(scope.alone())).map(|scope| scope.name).collect();
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    let told = json!({
        "issuer": oauth.issuer(),
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "claims_supported": ["iss", "aud", "sub", "exp", "iat", "auth_time", "nonce", "name", "preferred_username"],
        "ui_locales_supported": ["ar", "en"],
    });
    ([(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))], Json(told)).into_response()
}

/// The fields of a form; none may come twice.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Result<Option<&str>, Told> {
        let mut found = self.0.iter().filter(|(found, value)| found == name && !value.is_empty());
        let one = found.next().map(|(_, value)| value.as_str());
        if found.next().is_some() { Err(Told::Code("invalid_request")) } else { Ok(one) }
    }

    fn must(&self, name: &str) -> Result<&str, Told> {
        self.get(name)?.ok_or(Told::Code("invalid_request"))
    }
}

/// What an app is told in the place of what it wants.
enum Told {
    /// A code of the RFC that only a transport meets.
    Code(&'static str),
    /// What a use case refused.
    Error(Error),
}

impl std::convert::From<Error> for Told {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Takes the price, reads the form and who it is from, and answers.
async fn answer(
    state: &AppState,
    context: &RequestContext,
    headers: &HeaderMap,
    body: Body,
    work: impl AsyncFnOnce(Client, Fields) -> Result<Response, Told>,
) -> Response {
    if state.settings.consent_page.is_none() {
        return problem(HttpRefusal::NotFound, context);
    }
    let left = state.door.charge(&Pass::ANONYMOUS, context.address, door::CALL).await;
    let answered = async {
        left.map_or(Ok(()), Left::check)?;
        let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or_default();
        if !said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(FORM)) {
            return Err(Told::Code("invalid_request"));
        }
        let read = read_body(headers, body, state.settings.max_body, state.settings.body_timeout).await;
        let fields = Fields(parse(&read.map_err(Error::from)?).into_owned().collect());
        let client = client(headers, &fields, context)?;
        work(client, fields).await
    };
    let mut response = answered.await.unwrap_or_else(|told| refused(&told, context));
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    response
}

/// Who an app says to be: by the header or by fields, and never by both (RFC 6749 §2.3.1).
fn client(headers: &HeaderMap, fields: &Fields, context: &RequestContext) -> Result<Client, Told> {
    let from = From { address: context.address, known_device: None };
    let (named, secret) = (fields.get("client_id")?, fields.get("client_secret")?.map(Secret::new));
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        let id = named.ok_or(Told::Code("invalid_request"))?.to_owned();
        return Ok(Client { id, secret, from });
    };
    let basic = || {
        let (scheme, pair) = value.to_str().ok()?.split_once(' ')?;
        let pair = BASE64.decode(pair.trim().as_bytes()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let pair = String::from_utf8(pair).ok()?;
        let (id, secret) = pair.split_once(':')?;
        Some((decoded(id), decoded(secret)))
    };
    let (id, by_header) = basic().ok_or(Error::from(OauthRefusal::ClientInvalid))?;
    if secret.is_some() || named.is_some_and(|named| named != id) {
        return Err(Told::Code("invalid_request"));
    }
    let secret = Some(by_header).filter(|secret| !secret.is_empty()).map(Secret::new);
    Ok(Client { id, secret, from })
}

/// A text as it was before it was encoded for a form.
fn decoded(text: &str) -> String {
    parse(format!("x={}", text.replace('&', "%26")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// What an app is told, as RFC 6749 §5.2 has it.
fn refused(told: &Told, context: &RequestContext) -> Response {
    let (status, code, why, retry) = match told {
        Told::Code(code) => (StatusCode::BAD_REQUEST, *code, None, None),
        Told::Error(error) => {
            log_fault(error, &context.id);
            let refusal = error.refused_as();
            let (status, code) = match (error.refusal(), refusal.class) {
                (Some(OauthRefusal::ClientInvalid), _) => (StatusCode::UNAUTHORIZED, "invalid_client"),
                (Some(OauthRefusal::GrantInvalid), _) => (StatusCode::BAD_REQUEST, "invalid_grant"),
                (Some(OauthRefusal::ScopeInvalid), _) => (StatusCode::BAD_REQUEST, "invalid_scope"),
                (None, Class::TooMany) => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
                (None, Class::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
                (None, Class::Internal) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
                _ => (StatusCode::BAD_REQUEST, "invalid_request"),
            };
            (status, code, Some(refusal.en), retry_seconds(error))
        }
    };
    let mut response = (status, Json(json!({ "error": code, "error_description": why }))).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, BASIC);
    }
    if let Some(seconds) = retry {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
