//! `GET /media/{id}/{variant}`: a picture goes out.
//!
//! A rendition never changes, so its address names its bytes: a strong `ETag`. Whether it may be had is asked each time, and
//! whatever may not gets the one answer of what does not exist. What is served runs nothing: its type is fixed, and a page
//! made of it would be in a sandbox without origin.

use core::ops::Range;

use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daira_core::error::Error;
use daira_core::id::MediaId;

use super::context::RequestContext;
use super::problem::problem;
use crate::state::AppState;

/// How long shared caches may keep what everybody may see: long enough for a day of scrolling, short enough that what was
/// deleted leaves them.
const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=86400");
/// What is for one reader is kept by the reader alone, and asked for each time.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// The signature of an address; anything else in the query is ignored.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Signature {
    exp: Option<String>,
    sig: Option<String>,
}

/// What part of a rendition is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    All,
    /// A part of it.
    Range(Range<u64>),
    /// None of it is there.
    Beyond,
}

/// Gives a rendition out.
pub(super) async fn media(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    path: Result<Path<(String, String)>, PathRejection>,
    signature: Result<Query<Signature>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let given = match (path, signature) {
        (Ok(Path((media, variant))), Ok(Query(signature))) => give(&state, &media, &variant, signature, &headers).await,
        _ => Err(Error::not_found()),
    };
    given.unwrap_or_else(|error| problem(error, &context))
}

async fn give(
    state: &AppState,
    media: &str,
    variant: &str,
    signature: Signature,
    asked: &HeaderMap,
) -> Result<Response, Error> {
    let id: MediaId = media.parse().map_err(|_| Error::not_found())?;
    let signature = match &signature {
        Signature { exp: None, sig: None } => None,
        Signature { exp, sig } => {
            let end = exp.as_ref().and_then(|end| end.parse().ok()).ok_or_else(Error::not_found)?;
            Some((end, sig.as_deref().unwrap_or_default()))
        }
    };
    let service = &state.services.media;
    let found = service.find(id, variant, signature).await?;
    // Made of an id and a name that exist: plain ASCII.
    let tag = HeaderValue::from_str(&format!("\"{id}/{}\"", found.variant.name)).map_err(|_| Error::not_found())?;
    let size = found.variant.bytes;
    let unchanged = asked.get(header::IF_NONE_MATCH).is_some_and(|known| matches(known, &tag));
    let part = if unchanged { Part::All } else { part(asked, &tag, size) };
    let (status, body) = match &part {
        _ if unchanged => (StatusCode::NOT_MODIFIED, None),
        Part::All => (StatusCode::OK, Some(service.read(&found, None).await?)),
        Part::Range(range) => (StatusCode::PARTIAL_CONTENT, Some(service.read(&found, Some(range.clone())).await?)),
        Part::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, None),
    };
    let mut response = (status, body.unwrap_or_default()).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if status.is_success() {
        let kind = HeaderValue::from_str(&found.variant.content_type).map_err(|_| Error::not_found())?;
        headers.insert(header::CONTENT_TYPE, kind);
        let name = format!("inline; filename=\"{id}-{}\"", found.variant.name);
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(|_| Error::not_found())?);
    }
    match &part {
        Part::All => {}
        Part::Range(range) => {
            let range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(|_| Error::not_found())?);
        }
        Part::Beyond => {
            let range = format!("bytes */{size}");
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(|_| Error::not_found())?);
        }
    }
    headers.insert(header::ETAG, tag);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, if found.public { PUBLIC } else { PRIVATE });
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    // Pages of the clients live elsewhere.
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// Whether one of the listed tags is this one; a weak one of the same bytes will do.
fn matches(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The one range that is asked for, if it is asked for in the bytes that are meant; several are answered with all.
pub(super) fn part(asked: &HeaderMap, tag: &HeaderValue, size: u64) -> Part {
    let meant = asked.get(header::IF_RANGE).is_none_or(|known| known == tag);
    let range =
        asked.get(header::RANGE).filter(|_| meant).and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let Some((from, to)) = range.filter(|range| !range.contains(',')).and_then(|range| range.split_once('-')) else {
        return Part::All;
    };
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (start, end) = match (number(from), number(to)) {
        (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(size)),
        (Some(start), None) if to.is_empty() => (start, size),
        (None, Some(last)) if from.is_empty() => (if last == 0 { size } else { size.saturating_sub(last) }, size),
        _ => return Part::All,
    };
    if start >= size { Part::Beyond } else { Part::Range(start..end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let tag = HeaderValue::from_static("\"a\"");
        let of = |range: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static(range));
            part(&headers, &tag, 1_000)
        };
        for (asked, expected) in [
            ("bytes=0-0", Part::Range(0..1)),
            ("bytes=0-499", Part::Range(0..500)),
            ("bytes=990-5000", Part::Range(990..1_000)),
            ("bytes=990-", Part::Range(990..1_000)),
            ("bytes=-10", Part::Range(990..1_000)),
            ("bytes=-5000", Part::Range(0..1_000)),
            ("bytes=1000-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=0-1,5-6", Part::All),
            ("bytes=5-1", Part::All),
            ("bytes=+1-2", Part::All),
            ("bytes=-", Part::All),
            ("lines=0-1", Part::All),
            ("bytes=99999999999999999999-", Part::All),
        ] {
            assert_eq!(of(asked), expected, "{asked}");
        }
        let mut stale = HeaderMap::new();
        stale.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        stale.insert(header::IF_RANGE, HeaderValue::from_static("\"b\""));
        assert_eq!(part(&stale, &tag, 1_000), Part::All);
    }

    #[test]
    fn tags_are_compared_as_the_standard_says() {
        let tag = HeaderValue::from_static("\"a/b\"");
        for (list, expected) in
            [("\"a/b\"", true), ("W/\"a/b\"", true), ("\"x\", \"a/b\"", true), ("*", true), ("a/b", false)]
        {
            assert_eq!(matches(&HeaderValue::from_static(list), &tag), expected, "{list}");
        }
    }
}
