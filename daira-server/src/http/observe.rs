//! The outermost layer: gives every request its context and span, catches panics, measures, and puts the headers on every
//! answer that no answer may lack.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tracing::Instrument;

use super::address::client_address;
use super::context::{REQUEST_ID, RequestContext};
use super::problem::problem;
use super::refusal::HttpRefusal;
use crate::state::AppState;

/// Headers that every answer carries unless its route set them otherwise.
const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Runs a request inside its context.
pub(super) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let address = client_address(request.extensions(), request.headers(), &state.settings.proxies);
    let context = RequestContext { address, ..RequestContext::read(request.headers(), state.ports.ids.as_ref()) };
    let method = request.method().clone();
    // Never the path itself: it may hold ids, and there is no end of them.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id = &*context.id, trace = &*context.trace, %method, route);
    request.extensions_mut().insert(context.clone());

    let running = state.metrics.start();
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|panic| {
        let _inside = span.enter();
        tracing::error!(message = panic_text(panic.as_ref()), "a request panicked");
        problem(HttpRefusal::Crashed, &context)
    });
    let (status, took) = (response.status(), started.elapsed());
    state.metrics.finish(&running, &method, &route, status, took);
    tracing::debug!(parent: &span, status = status.as_u16(), took_us = took.as_micros(), "answered");
    dress(response.headers_mut(), &context);
    response
}

fn dress(headers: &mut HeaderMap, context: &RequestContext) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    // The id was drawn here or checked to be plain ASCII.
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
