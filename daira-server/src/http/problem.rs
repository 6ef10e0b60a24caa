//! Errors of plain HTTP routes as `application/problem+json` (RFC 9457).
//!
//! `type` is `urn:daira:problem:` and the stable code, `title` the sentence in the client's language, `instance` the
//! request's id. What caused a fault goes to the log and nowhere else.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daira_core::Error;

use super::context::RequestContext;
use super::refusal::status;

/// The media type of a problem.
pub(super) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A problem as it goes over the wire.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    instance: String,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Renders an error for a client of a plain route, and logs it when it is a fault.
pub fn problem(error: impl Into<Error>, context: &RequestContext) -> Response {
    let error = error.into();
    log_fault(&error, &context.id);
    let refusal = error.refused_as();
    let status = status(refusal);
    let retry_after = retry_seconds(&error);
    let problem = Problem {
        r#type: format!("urn:daira:problem:{}", refusal.code),
        title: refusal.text(context.locale),
        status: status.as_u16(),
        instance: format!("urn:daira:request:{}", context.id),
        code: refusal.code,
        field: error.field(),
        retry_after,
    };
    // A struct of texts and numbers always serialises; an empty body would still carry the status.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
    let headers = response.headers_mut();
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, challenge());
    }
    response
}

/// What a 401 asks for.
pub(super) fn challenge() -> HeaderValue {
    HeaderValue::from_static(r#"Bearer realm="daira", error="invalid_token""#)
}

/// When a client may come again, in whole seconds, rounded up. Whoever was turned away for load may come again soon.
pub fn retry_seconds(error: &Error) -> Option<u64> {
    match error.retry_after() {
        Some(after) => Some(after.as_secs() + u64::from(after.subsec_nanos() > 0)),
        None => (status(error.refused_as()) == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
    }
}

/// Writes a fault with its causes to the log; refusals are no news.
pub fn log_fault(error: &Error, request: &str) {
    if !error.is_refusal() {
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        tracing::error!(request, operation = error.operation(), kind = ?error.kind(), ?causes, "fault");
    }
}
