//! Which media type an answer takes, and whether a body is JSON: RFC 9110's `Accept` and `Content-Type`.

use axum::http::{HeaderMap, HeaderValue, header};

/// How a GraphQL answer is labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// `application/graphql-response+json`: the status tells what happened.
    GraphqlResponse,
    /// `application/json` for somebody who said nothing or takes anything: the status tells what happened.
    Json,
    /// `application/json` asked for by name. The convention of older clients holds: a well-formed request is answered with
    /// 200 even when its document is refused.
    NamedJson,
    /// `text/event-stream`: one event for each answer.
    Events,
}

impl Answer {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            // Also for a request that is refused before there is anything to stream.
            Self::Json | Self::NamedJson | Self::Events => "application/json; charset=utf-8",
        })
    }
}

/// Chooses by the `Accept` headers; nothing when they take none of the types.
pub(super) fn answer(headers: &HeaderMap) -> Option<Answer> {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Some(Answer::Json);
    }
    let mut best: Option<(u16, Answer)> = None;
    for range in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).take(64) {
        let Some((essence, weight)) = read(range) else { continue };
        let answer = match essence.as_str() {
            "application/graphql-response+json" => Answer::GraphqlResponse,
            "application/json" => Answer::NamedJson,
            "text/event-stream" => Answer::Events,
            "application/*" | "*/*" => Answer::Json,
            _ => continue,
        };
        if weight > 0 && best.is_none_or(|(most, chosen)| (weight, rank(answer)) > (most, rank(chosen))) {
            best = Some((weight, answer));
        }
    }
    best.map(|(_, answer)| answer)
}

/// Between equal weights the newer type wins, and one asked for by name.
fn rank(answer: Answer) -> u8 {
    match answer {
        Answer::Json => 0,
        Answer::NamedJson => 1,
        Answer::Events => 2,
        Answer::GraphqlResponse => 3,
    }
}

/// A media range's essence in lower case and its weight in thousandths; nothing when it asks for another charset.
fn read(range: &str) -> Option<(String, u16)> {
    let mut parts = range.split(';');
    let essence = parts.next()?.trim().to_ascii_lowercase();
    let mut weight = 1_000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value)?,
            "charset" if !value.eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some((essence, weight))
}

fn thousandths(q: &str) -> Option<u16> {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    let whole: u16 = whole.parse().ok().filter(|n| *n <= 1)?;
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    Some((whole * 1_000 + fraction).min(1_000))
}

/// Whether a browser asks for a page, and by name.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .filter_map(read)
        .any(|(essence, weight)| essence == "text/html" && weight > 0)
}

/// Whether the body is said to be JSON in UTF-8. Anything a page of another origin can send without asking first is not.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    value.to_str().ok().and_then(read).is_some_and(|(essence, _)| essence == "application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str]) -> Option<Answer> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        answer(&headers)
    }

    #[test]
    fn the_best_range_wins() {
        assert_eq!(accept(&[]), Some(Answer::Json));
        assert_eq!(accept(&["*/*"]), Some(Answer::Json));
        assert_eq!(accept(&["application/json"]), Some(Answer::NamedJson));
        assert_eq!(accept(&["application/json, application/graphql-response+json"]), Some(Answer::GraphqlResponse));
        assert_eq!(
            accept(&["application/json;q=0.9", "application/graphql-response+json;q=0.8"]),
            Some(Answer::NamedJson)
        );
        assert_eq!(
            accept(&["application/graphql-response+json; charset=utf-8, application/json; q=0.9"]),
            Some(Answer::GraphqlResponse)
        );
        assert_eq!(accept(&["text/html, */*;q=0.1"]), Some(Answer::Json));
    }

    #[test]
    fn what_cannot_be_served_is_not() {
        for none in [
            "text/html",
            "application/json;q=0",
            "image/*",
            "application/json; charset=latin1",
            "application/xml, text/plain",
        ] {
            assert_eq!(accept(&[none]), None, "{none}");
        }
    }

    #[test]
    fn only_json_bodies_count() {
        let is = |value: &str| {
            is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap())]))
        };
        assert!(
            is("application/json") && is("Application/JSON; Charset=UTF-8") && is("application/json;charset=\"utf-8\"")
        );
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "",
            "application/jsonp",
        ] {
            assert!(!is(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn a_page_must_be_asked_for() {
        let wants =
            |value: &str| wants_html(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(value).unwrap())]));
        assert!(wants("text/html,application/xhtml+xml,*/*;q=0.8") && !wants("*/*") && !wants("text/html;q=0"));
    }
}
