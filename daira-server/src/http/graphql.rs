//! GraphQL over HTTP: what may come in by which method and media type, and how the answer goes out.
//!
//! Only POST with `application/json` can change anything: a page of another origin cannot send that without being asked
//! about first. GET runs queries alone. The status follows the answer for `application/graphql-response+json`, and for
//! `application/json` as well unless a client asks for that by name: then, as its convention wants it, a well-formed request
//! whose document is refused is answered with 200.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use daira_core::Actor;
use daira_core::error::Error;

use super::auth::authenticate;
use super::compress::Plain;
use super::context::RequestContext;
use super::graphiql;
use super::incoming::{Incoming, key, read_body};
use super::negotiate::{Answer as Media, answer, is_json, wants_html};
use super::problem::problem;
use super::refusal::HttpRefusal;
use crate::door::{self, Left};
use crate::graphql::{Answer, Caller};
use crate::state::AppState;

/// Every method on `/graphql`.
pub(super) async fn graphql(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let asks = query.split('&').any(|pair| pair.starts_with("query=") || pair.starts_with("extensions="));
    if method == Method::GET && !asks && state.settings.development && wants_html(&headers) {
        return graphiql::page();
    }
    let Some(media) = answer(&headers) else { return problem(HttpRefusal::NotAcceptable, &context) };
    let incoming = match method {
        Method::GET if state.settings.graphql.get => Incoming::from_query(query),
        Method::POST => from_post(&state, &headers, body).await,
        _ => return not_allowed(state.settings.graphql.get, &context),
    };
    let known = authenticate(&state.services.accounts, &headers).await;
    let payer = known.as_ref().ok().cloned().unwrap_or(Actor::Anonymous);
    let asked = || {
        let Incoming { operations, batch } = incoming?;
        let caller =
            Caller { actor: known?, context: context.clone(), key: key(&headers)?, safe: method == Method::GET };
        let checked = state.graphql.check(&caller, operations);
        Ok::<_, Error>((caller, checked, batch))
    };
    let asked = asked();
    // Whoever sends what is none, or a token that does not hold, pays for that, too.
    let cost = asked.as_ref().map_or(door::REFUSED, |(_, checked, _)| checked.cost);
    let left = state.door.charge(&payer, context.address, cost).await;
    let paid = left.map_or(Ok(()), Left::check);
    let mut response = match paid.and(asked) {
        Ok((caller, checked, batch)) => {
            let answers = state.graphql.answer(&caller, checked).await;
            for answer in &answers {
                state.metrics.operation(answer.kind, answer.outcome);
            }
            respond(&answers, batch, media)
        }
        Err(error) => refused(&error, media, &context),
    };
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    response
}

async fn from_post(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Incoming, Error> {
    if !is_json(headers) {
        return Err(HttpRefusal::UnsupportedMedia.into());
    }
    let body = read_body(headers, body, state.settings.max_body, state.settings.body_timeout).await?;
    Incoming::from_body(&body, &state.settings.graphql)
}

fn not_allowed(get: bool, context: &RequestContext) -> Response {
    let mut response = problem(HttpRefusal::MethodNotAllowed, context);
    let allow = if get { "GET, POST" } else { "POST" };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// A request that holds no operation to answer: an error in the shape of GraphQL, with its own status.
fn refused(error: &Error, media: Media, context: &RequestContext) -> Response {
    let answer = Answer::failed(error, context);
    let (status, retry_after) = (answer.status, answer.retry_after);
    dress(status, answer.body, media, retry_after)
}

fn respond(answers: &[Answer], batch: bool, media: Media) -> Response {
    let status_of = |answer: &Answer| match media {
        Media::NamedJson if answer.document_refused => StatusCode::OK,
        _ => answer.status,
    };
    let retry_after = answers.iter().filter_map(|answer| answer.retry_after).max();
    // A batch is well when one of its answers is; else it fails like the first.
    let statuses = || answers.iter().map(status_of);
    let status =
        statuses().find(StatusCode::is_success).or_else(|| statuses().next()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut body = answers.iter().map(|answer| answer.body.as_slice()).collect::<Vec<_>>().join(&b","[..]);
    if batch {
        body.insert(0, b'[');
        body.push(b']');
    }
    let mut response = dress(status, body, media, retry_after);
    if answers.iter().any(|answer| answer.kind != "query") {
        response.extensions_mut().insert(Plain);
    }
    response
}

fn dress(status: StatusCode, body: Vec<u8>, media: Media, retry_after: Option<u64>) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-language, authorization"));
    if let Some(seconds) = retry_after.filter(|_| !status.is_success()) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    match status {
        StatusCode::METHOD_NOT_ALLOWED => headers.insert(header::ALLOW, HeaderValue::from_static("POST")),
        StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, super::problem::challenge()),
        _ => None,
    };
    response
}
