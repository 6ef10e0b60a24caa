//! What an operation is answered: data, errors with stable codes, and the HTTP status that fits.
//!
//! Here is the one place where an error of the kernel becomes a GraphQL error: its sentence in the client's language, and
//! `extensions { code, requestId, field?, retryAfter? }`. What the GraphQL library says of a document that does not fit the
//! schema is passed on, shortened; what it says of anything else is not.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::OperationType;
use async_graphql::{PathSegment, Pos, Response, ServerError, Value};
use axum::http::StatusCode;
use daira_core::error::{Error, Refusal, RefusalEnum};

use super::document::Refused;
use super::refusal::GraphqlRefusal;
use crate::http::{Outcome, RequestContext, log_fault, retry_seconds, status};

/// The longest message of an error, in bytes; with Arabic and extensions the whole error stays below a kilobyte.
const MAX_MESSAGE: usize = 240;

/// The answer to one operation.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status that fits where the status tells what happened.
    pub status: StatusCode,
    /// Its JSON.
    pub body: Vec<u8>,
    /// Whether the request was well formed and only its document was refused.
    pub document_refused: bool,
    /// When to come again, in seconds.
    pub retry_after: Option<u64>,
    /// What kind of operation it was, for the metrics.
    pub kind: &'static str,
    /// How it ended, for the metrics.
    pub outcome: Outcome,
}

#[derive(serde::Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Told<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

/// An error as a client is told of it.
#[derive(serde::Serialize)]
struct Told<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    locations: &'a [Pos],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    path: &'a [PathSegment],
    extensions: Extensions<'a>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Extensions<'a> {
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// The name of an operation's kind, for metrics.
pub fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

impl Answer {
    /// To a request that was refused before anything was executed.
    pub fn refused(refused: &Refused, context: &RequestContext) -> Self {
        let Refused { refusal, at } = refused;
        let line = refusal.refusal();
        let retry_after = retry_seconds(&(*refusal).into());
        let extensions = Extensions { code: line.code, request_id: &context.id, field: None, retry_after };
        let body = write(&[Told { message: line.text(context.locale), locations: at, path: &[], extensions }], None);
        Self {
            status: status(line),
            body,
            document_refused: matches!(refusal, GraphqlRefusal::Syntax | GraphqlRefusal::Invalid),
            retry_after,
            kind: "unknown",
            outcome: Outcome::Refused,
        }
    }

    /// To a request in which no operation could be found, or whose sender could not be made out.
    pub fn failed(error: &Error, context: &RequestContext) -> Self {
        log_fault(error, &context.id);
        let refusal = error.refused_as();
        let retry_after = retry_seconds(error);
        let extensions = Extensions { code: refusal.code, request_id: &context.id, field: error.field(), retry_after };
        let told = Told { message: refusal.text(context.locale), locations: &[], path: &[], extensions };
        let (status, body) = (status(refusal), write(&[told], None));
        Self { status, body, document_refused: false, retry_after, kind: "unknown", outcome: Outcome::Refused }
    }

    /// To an operation that was executed, or refused by the validation. Its data is complete.
    pub fn executed(response: &Response, kind: &'static str, context: &RequestContext) -> Self {
        let errors: Vec<_> = response.errors.iter().map(|error| tell(error, context)).collect();
        // An error of execution has a path; without any, the document or its variables did not fit.
        let executed = errors.is_empty() || response.errors.iter().any(|error| !error.path.is_empty());
        let has_data = response.data != Value::Null;
        let (status, outcome) = match (has_data, response.errors.first()) {
            // With neither, every field was skipped.
            (_, None) => (StatusCode::OK, Outcome::Ok),
            (true, Some(_)) => (StatusCode::OK, Outcome::Partial),
            (false, Some(first)) => (status(refusal_of(first)), Outcome::Refused),
        };
        let nothing = Value::Object(IndexMap::default());
        let data = match (executed, has_data, errors.is_empty()) {
            (true, false, true) => Some(&nothing),
            (true, ..) => Some(&response.data),
            (false, ..) => None,
        };
        let retry_after = errors.iter().find_map(|told| told.extensions.retry_after);
        Self { status, body: write(&errors, data), document_refused: !executed, retry_after, kind, outcome }
    }
}

fn write(errors: &[Told<'_>], data: Option<&Value>) -> Vec<u8> {
    // Texts, numbers and trees of them always serialise; an empty body would still carry the status.
    serde_json::to_vec(&Body { errors, data }).unwrap_or_default()
}

/// The catalogue line of an error: the kernel's own, or that the document does not fit.
fn refusal_of(error: &ServerError) -> &'static Refusal {
    error.source::<Error>().map_or_else(|| GraphqlRefusal::Invalid.refusal(), Error::refused_as)
}

fn tell<'a>(error: &'a ServerError, context: &'a RequestContext) -> Told<'a> {
    let refusal = refusal_of(error);
    let cause = error.source::<Error>();
    if let Some(cause) = cause {
        log_fault(cause, &context.id);
    }
    let message = if cause.is_some() { refusal.text(context.locale) } else { shorten(&error.message) };
    let extensions = Extensions {
        code: refusal.code,
        request_id: &context.id,
        field: cause.and_then(Error::field),
        retry_after: cause.and_then(retry_seconds),
    };
    Told { message, locations: &error.locations, path: &error.path, extensions }
}

/// A message of the library without the value it may quote, and not too long.
fn shorten(message: &str) -> &str {
    let message = message.split(", found ").next().unwrap_or_default();
    message.get(..message.floor_char_boundary(MAX_MESSAGE)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use daira_core::error::{CommonRefusal, ErrorKind};
    use daira_core::locale::Locale;

    use super::*;

    fn context() -> RequestContext {
        RequestContext { id: "r1".into(), trace: "t".into(), locale: Locale::En, address: None }
    }

    fn failing(error: Error) -> ServerError {
        let mut error = async_graphql::Error::from(error).into_server_error(Pos { line: 1, column: 3 });
        error.path = vec![PathSegment::Field("a".to_owned())];
        error
    }

    fn body(answer: &Answer) -> serde_json::Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn faults_say_nothing_of_their_cause() {
        let fault = Error::new(ErrorKind::Internal, "post.insert").with_source("duplicate key: mona@example.com");
        let answer = Answer::executed(&Response::from_errors(vec![failing(fault)]), "query", &context());
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(!text.contains("mona") && !text.contains("post.insert"), "{text}");
        assert_eq!(
            body(&answer)["errors"][0]["extensions"],
            serde_json::json!({"code": "common.internal", "requestId": "r1"})
        );
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn refusals_keep_code_field_and_language() {
        let refusal = Error::from(CommonRefusal::PageSize).on_field("first");
        let mut response = Response::new(Value::from_json(serde_json::json!({"a": null})).unwrap());
        response.errors.push(failing(refusal));
        let answer = Answer::executed(&response, "query", &context());
        assert_eq!((answer.status, answer.outcome), (StatusCode::OK, Outcome::Partial));
        let told = &body(&answer)["errors"][0];
        assert_eq!(
            (told["message"].as_str(), told["extensions"]["field"].as_str()),
            (Some("Ask for 1 to 100 items."), Some("first"))
        );
    }

    #[test]
    fn validation_errors_have_no_data_and_stay_short() {
        let long = ServerError::new(format!("Unknown field \"{}\"", "خ".repeat(20_000)), None);
        let answer = Answer::executed(&Response::from_errors(vec![long]), "query", &context());
        assert!(answer.document_refused && answer.status == StatusCode::BAD_REQUEST);
        assert!(answer.body.len() < 1_024);
        assert_eq!(body(&answer).get("data"), None);
        assert_eq!(shorten("Expected input type \"Int\", found \"secret\"."), "Expected input type \"Int\"");
    }

    #[test]
    fn nothing_asked_is_an_empty_object() {
        let answer = Answer::executed(&Response::new(Value::Null), "query", &context());
        assert_eq!(body(&answer), serde_json::json!({"data": {}}));
    }
}
