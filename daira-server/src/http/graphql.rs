//! GraphQL over HTTP: what may come in by which method and media type, and how the answer goes out.
//!
//! Only POST with `application/json` can change anything: a page of another origin cannot send that without being asked
//! about first. GET runs queries alone. The status follows the answer for `application/graphql-response+json`, and for
//! `application/json` as well unless a client asks for that by name: then, as its convention wants it, a well-formed request
//! whose document is refused is answered with 200.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use daira_core::account::Pass;
use daira_core::error::Error;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::auth::admit;
use super::compress::Plain;
use super::context::RequestContext;
use super::graphiql;
use super::incoming::{Incoming, key, read_body};
use super::negotiate::{Answer as Media, answer, is_json, wants_html};
use super::problem::problem;
use super::refusal::HttpRefusal;
use super::{socket, sse};
use crate::door::{self, Left};
use crate::graphql::{Answer, Asked, Caller};
use crate::state::AppState;

/// Every method on `/graphql`.
pub(super) async fn graphql(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    body: Body,
) -> Response {
    if let (true, Ok(upgrade)) = (socket::is_upgrade(&headers), upgrade) {
        return socket::upgrade(&state, &context, &headers, upgrade);
    }
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
    let known = admit(&state.services.accounts, &headers).await;
    let payer = known.as_ref().map_or(Pass::ANONYMOUS, Clone::clone);
    let asked = || {
        let Incoming { operations, batch } = incoming?;
        let (pass, key) = (known?, key(&headers)?);
        let (context, streams) = (context.clone(), media == Media::Events);
        let caller = Caller { pass: pass.clone(), context, key, safe: method == Method::GET, streams };
        let checked = state.graphql.check(&caller, operations);
        Ok::<_, Error>(Checked { pass, caller, asked: checked, batch })
    };
    let asked = asked();
    // Whoever sends what is none, or a token that does not hold, pays for that, too.
    let cost = asked.as_ref().map_or(door::REFUSED, |checked| checked.asked.cost);
    let left = state.door.charge(&payer, context.address, cost).await;
    let paid = left.map_or(Ok(()), Left::check);
    let mut response = match paid.and(asked) {
        Ok(Checked { pass, caller, asked, batch: false }) if media == Media::Events => {
            match state.streams.enter(pass.actor(), context.address) {
                Ok(place) => sse::respond(&state, caller, pass, asked, place).await,
                Err(error) => refused(&error, media, &context),
            }
        }
        Ok(Checked { caller, asked, batch, .. }) => {
            let answers = state.graphql.answer(&caller, asked).await;
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

/// Answers a checked operation as often as there is something to answer. The first answer was paid for with the request; each
/// further one costs the same, and who cannot pay is told so and hears no more.
pub(super) async fn answers(state: &AppState, caller: &Caller, asked: Asked) -> BoxStream<'static, Answer> {
    let each = Some(asked.cost);
    let answers = state.graphql.stream(caller, asked).await;
    let (state, payer, context) = (state.clone(), caller.pass.clone(), caller.context.clone());
    let paid = stream::unfold(Some((answers, None)), move |going| {
        let (state, payer, context) = (state.clone(), payer.clone(), context.clone());
        async move {
            let (mut answers, price) = going?;
            let answer = answers.next().await?;
            let left = match price {
                Some(price) => state.door.charge(&payer, context.address, price).await,
                None => None,
            };
            match left.map(Left::check) {
                Some(Err(limit)) => Some((Answer::failed(&limit, &context), None)),
                Some(Ok(())) | None => Some((answer, Some((answers, each)))),
            }
        }
    });
    paid.boxed()
}

/// A request that was understood.
struct Checked {
    pass: Pass,
    caller: Caller,
    asked: Asked,
    batch: bool,
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
