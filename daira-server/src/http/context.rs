//! What every request carries from its first line on: an id, a trace, a language.
//!
//! The id is the client's `x-request-id` when it is sane, else drawn here; it is on every answer and in every error. The
//! trace is the client's W3C `traceparent` when it is well formed, else begun here.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};
use daira_core::locale::Locale;
use daira_core::port::IdSource;
use data_encoding::HEXLOWER;

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest request id that is taken over from a client.
const MAX_ID: usize = 64;

/// Who this request is, as far as logs and answers are concerned. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// Its id, 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
    pub id: Arc<str>,
    /// The id of the trace it belongs to: 32 hexadecimal digits.
    pub trace: Arc<str>,
    /// The language its texts are wanted in.
    pub locale: Locale,
    /// The network address of its client, for limits alone.
    pub address: Option<IpAddr>,
}

/// For logs, which hold no addresses.
impl std::fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext").field("id", &self.id).field("trace", &self.trace).finish_non_exhaustive()
    }
}

impl RequestContext {
    /// Reads the headers; what is missing or not sane is drawn. They say nothing of the address.
    pub fn read(headers: &HeaderMap, ids: &(dyn IdSource + 'static)) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let id = text(&REQUEST_ID).filter(|id| is_sane(id)).map_or_else(|| draw::<8>(ids), Into::into);
        let trace = text(&TRACE_PARENT).and_then(trace_id).map_or_else(|| draw::<16>(ids), Into::into);
        let locale = text(&header::ACCEPT_LANGUAGE).map_or_else(Locale::default, Locale::negotiate);
        Self { id, trace, locale, address: None }
    }

    /// The next request on the same connection: the same client in the same trace, under an id of its own.
    pub(super) fn again(&self, ids: &(dyn IdSource + 'static)) -> Self {
        Self { id: draw::<8>(ids), ..self.clone() }
    }
}

fn draw<const N: usize>(ids: &(dyn IdSource + 'static)) -> Arc<str> {
    HEXLOWER.encode(&ids.bytes::<N>()).into()
}

fn is_sane(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// The trace id of a `traceparent`: `version-trace-parent-flags`, all lower-case hexadecimal, ids not zero.
fn trace_id(header: &str) -> Option<&str> {
    let mut parts = header.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let is_zero = |text: &str| text.bytes().all(|b| b == b'0');
    // Version 00 has exactly four parts; later ones may have more.
    let known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let valid =
        known && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2) && !is_zero(trace) && !is_zero(parent);
    valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use daira_core::Ports;

    use super::*;

    fn read(name: &'static str, value: &str) -> RequestContext {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        RequestContext::read(&headers, Ports::in_memory().ids.as_ref())
    }

    #[test]
    fn sane_ids_are_kept_and_others_replaced() {
        assert_eq!(&*read("x-request-id", "abc-1.2_Z").id, "abc-1.2_Z");
        for bad in ["", "a b", "é", "<script>", &"x".repeat(65)] {
            let id = read("x-request-id", bad).id;
            assert!(&*id != bad && is_sane(&id), "{bad}");
        }
    }

    #[test]
    fn a_trace_is_taken_over_only_when_well_formed() {
        let good = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(&*read("traceparent", &format!("00-{good}-00f067aa0ba902b7-01")).trace, good);
        let zero = "0".repeat(32);
        for bad in [
            "",
            good,
            &format!("00-{good}-00f067aa0ba902b7"),
            &format!("ff-{good}-00f067aa0ba902b7-01"),
            &format!("00-{good}-00f067aa0ba902b7-01-x"),
            &format!("00-{}-00f067aa0ba902b7-01", good.to_uppercase()),
            &format!("00-{zero}-00f067aa0ba902b7-01"),
        ] {
            let trace = read("traceparent", bad).trace;
            assert!(trace.len() == 32 && &*trace != good && *trace != zero, "{bad}");
        }
    }

    #[test]
    fn arabic_is_the_default_language() {
        assert_eq!(read("accept-language", "en-GB").locale, Locale::En);
        assert_eq!(read("x-other", "1").locale, Locale::Ar);
    }
}
