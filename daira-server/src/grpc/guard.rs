//! What every call passes: its context and span, a deadline, panics caught, a measure, and errors that no method gave.
//!
//! The library answers calls that never reach a method (an unknown one, a message that is too large or is none) with a
//! bare status. Here they get what all other errors have: a stable code, a sentence in the caller's language, and the
//! status that the field expects.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use daira_core::error::Error;
use daira_core::locale::Locale;
use daira_core::port::IdSource;
use futures_util::FutureExt;
use ipnet::IpNet;
use tonic::{Code, Status};
use tracing::Instrument;

use super::caller::status_as;
use super::metrics::GrpcMetrics;
use crate::http::{HttpRefusal, REQUEST_ID, RequestContext, client_address, panic_text};

/// How long before a client's own deadline the answer that it passed is sent, so that it still arrives.
const AHEAD: Duration = Duration::from_millis(5);

/// What the guard needs to know.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) proxies: Arc<[IpNet]>,
    pub(super) longest: Duration,
    pub(super) metrics: GrpcMetrics,
    /// The methods that are known, as `package.Service/Method`.
    pub(super) methods: Arc<HashSet<String>>,
}

/// The method that is called, as `/package.Service/Method`.
#[derive(Debug, Clone)]
pub(super) struct Called(pub(super) Arc<str>);

/// Runs a call inside its context.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let (started, running) = (Instant::now(), guard.metrics.start());
    let address = client_address(request.extensions(), request.headers(), &guard.proxies);
    let context = RequestContext { address, ..RequestContext::read(request.headers(), guard.ids.as_ref()) };
    let locale = context.locale;
    let method = request.uri().path().to_owned();
    let span = tracing::info_span!("call", id = &*context.id, trace = &*context.trace, method);
    request.extensions_mut().insert(context.clone());
    request.extensions_mut().insert(Called(method.as_str().into()));
    let limit = client_deadline(request.headers()).map_or(guard.longest, |wish| wish.min(guard.longest));
    let call = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tokio::time::timeout(limit, call).instrument(span.clone()).await {
        Ok(Ok(response)) => explained(response, locale),
        Ok(Err(panic)) => {
            let _inside = span.enter();
            tracing::error!(message = panic_text(panic.as_ref()), "a call panicked");
            refused(Code::Internal, HttpRefusal::Crashed, locale)
        }
        Err(_) => refused(Code::DeadlineExceeded, HttpRefusal::TimedOut, locale),
    };
    let known = method.get(1..).and_then(|name| guard.methods.get(name)).map(String::as_str);
    guard.metrics.finish(&running, known, response.headers(), started.elapsed());
    // The id was drawn here or checked to be plain ASCII.
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// How long the client waits: up to eight digits and a unit.
fn client_deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    let wish = match unit {
        "H" => Duration::from_hours(amount),
        "M" => Duration::from_mins(amount),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    };
    Some(wish.saturating_sub(AHEAD))
}

/// A library's bare status as one of ours; all other answers as they are.
fn explained(response: Response, locale: Locale) -> Response {
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let bare = headers.get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()));
    match bare {
        Some(Code::OutOfRange) => refused(Code::ResourceExhausted, HttpRefusal::TooLarge, locale),
        // No method of ours fails so without saying why: what came was no message.
        Some(Code::Internal) => refused(Code::InvalidArgument, HttpRefusal::Malformed, locale),
        Some(Code::Unimplemented) => refused(Code::Unimplemented, HttpRefusal::NotFound, locale),
        _ => response,
    }
}

fn refused(code: Code, refusal: HttpRefusal, locale: Locale) -> Response {
    status_as(code, &Error::from(refusal), locale).into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_deadline_is_read_and_nonsense_is_not() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_bytes(text.as_bytes()).unwrap());
            client_deadline(&headers)
        };
        assert_eq!(read("250m"), Some(Duration::from_millis(245)));
        assert_eq!(read("1S"), Some(Duration::from_millis(995)));
        assert_eq!(read("10u"), Some(Duration::ZERO));
        assert_eq!(read("99999999H"), Duration::from_hours(99_999_999).checked_sub(AHEAD));
        for nonsense in ["", "S", "1", "1x", "-1S", "1.5S", "123456789S", "١S"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
