//! Requests as they come in: bodies read within bounds; GraphQL from a query string, or from JSON with one operation or an
//! array of them.

use std::time::Duration;

use async_graphql::Variables;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use daira_core::error::Error;
use daira_core::idempotency::IdempotencyKey;

use super::refusal::HttpRefusal;
use crate::graphql::{GraphqlRefusal, GraphqlSettings, Operation};

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The operations.
    pub operations: Vec<Operation>,
    /// Whether they came as an array and are answered by one.
    pub batch: bool,
}

/// An operation as clients write it.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<Extensions>,
}

#[derive(Debug, serde::Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    sha256_hash: String,
}

impl From<Parameters> for Operation {
    fn from(parameters: Parameters) -> Self {
        let Parameters { query, operation_name, variables, extensions } = parameters;
        let hash = extensions.and_then(|extensions| extensions.persisted_query).map(|query| query.sha256_hash);
        Self {
            text: query.filter(|text| !text.is_empty() || hash.is_none()),
            // Some clients send an empty name for none.
            name: operation_name.filter(|name| !name.is_empty()),
            variables: variables.unwrap_or_default(),
            hash,
        }
    }
}

/// The key of the header `Idempotency-Key`, if there is one.
///
/// # Errors
/// `idempotency.key_invalid`.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Error> {
    let key = headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default());
    // The header of the draft is a string in quotes; many clients leave them out.
    key.map(|key| IdempotencyKey::new(key.trim_matches('"'))).transpose()
}

/// Reads a whole body, bounded in size and time.
///
/// # Errors
/// [`HttpRefusal::TooLarge`], [`HttpRefusal::TooSlow`], [`HttpRefusal::Malformed`].
pub(super) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    most: usize,
    patience: Duration,
) -> Result<bytes::Bytes, HttpRefusal> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(HttpRefusal::TooLarge);
    }
    match tokio::time::timeout(patience, to_bytes(body, most)).await {
        Err(_) => Err(HttpRefusal::TooSlow),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let too_large = std::iter::successors(std::error::Error::source(&error), |cause| (*cause).source())
                .any(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
            Err(if too_large { HttpRefusal::TooLarge } else { HttpRefusal::Malformed })
        }
    }
}

impl Incoming {
    /// From the body of a POST.
    ///
    /// # Errors
    /// For what is no JSON, has parameters of a wrong type, or is an array where none is taken.
    pub(super) fn from_body(body: &[u8], settings: &GraphqlSettings) -> Result<Self, Error> {
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
            let parameters: Parameters = serde_json::from_slice(body).map_err(|_| HttpRefusal::Malformed)?;
            return Ok(Self { operations: vec![parameters.into()], batch: false });
        }
        if settings.batch == 0 {
            return Err(GraphqlRefusal::BatchOff.into());
        }
        let parameters: Vec<Parameters> = serde_json::from_slice(body).map_err(|_| HttpRefusal::Malformed)?;
        if !(1..=settings.batch.min(GraphqlSettings::MAX_BATCH)).contains(&parameters.len()) {
            return Err(GraphqlRefusal::BatchSize.into());
        }
        Ok(Self { operations: parameters.into_iter().map(Operation::from).collect(), batch: true })
    }

    /// From the query string of a GET.
    ///
    /// # Errors
    /// For parameters that cannot be read, or come twice.
    pub(super) fn from_query(query: &str) -> Result<Self, Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Pairs {
            query: Option<String>,
            operation_name: Option<String>,
            variables: Option<String>,
            extensions: Option<String>,
        }
        let malformed = || Error::from(HttpRefusal::Malformed);
        let uri = format!("/?{query}").parse().map_err(|_| malformed())?;
        let pairs: Pairs = axum::extract::Query::try_from_uri(&uri).map_err(|_| malformed())?.0;
        let (variables, extensions) = (json(pairs.variables)?, json(pairs.extensions)?);
        let parameters = Parameters { query: pairs.query, operation_name: pairs.operation_name, variables, extensions };
        Ok(Self { operations: vec![parameters.into()], batch: false })
    }
}

/// A parameter that is JSON inside a query string; an empty one is none.
fn json<T: serde::de::DeserializeOwned>(text: Option<String>) -> Result<Option<T>, HttpRefusal> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => serde_json::from_str(&text).map_err(|_| HttpRefusal::Malformed),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(outcome: Result<Incoming, Error>) -> &'static str {
        outcome.map_or_else(|error| error.refused_as().code, |_| "ok")
    }

    #[test]
    fn parameters_must_have_their_types() {
        let settings = GraphqlSettings::default();
        for (body, expected) in [
            (r#"{"query":"{a}"}"#, "ok"),
            (r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null,"other":1}"#, "ok"),
            (r#"{"query":1}"#, "http.malformed"),
            (r#"{"query":"{a}","operationName":["a"]}"#, "http.malformed"),
            (r#"{"query":"{a}","variables":[1]}"#, "http.malformed"),
            (r#"{"query":"{a}","variables":"x"}"#, "http.malformed"),
            (r#"{"query":"{a}","extensions":0}"#, "http.malformed"),
            (r#"{"query":"{a}","query":"{b}"}"#, "http.malformed"),
            (r#"[{"query":"{a}"}]"#, "graphql.batch_off"),
            ("", "http.malformed"),
            ("null", "http.malformed"),
        ] {
            assert_eq!(code(Incoming::from_body(body.as_bytes(), &settings)), expected, "{body}");
        }
        let nested =
            format!(r#"{{"query":"{{a}}","variables":{{"x":{}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(code(Incoming::from_body(nested.as_bytes(), &settings)), "http.malformed");
    }

    #[test]
    fn arrays_are_bounded() {
        let settings = GraphqlSettings { batch: 100, ..GraphqlSettings::default() };
        let batch = |n: usize| format!("[{}]", vec![r#"{"query":"{a}"}"#; n].join(","));
        for (n, expected) in [
            (0, "graphql.batch_size"),
            (1, "ok"),
            (10, "ok"),
            (11, "graphql.batch_size"),
            (10_000, "graphql.batch_size"),
        ] {
            assert_eq!(code(Incoming::from_body(batch(n).as_bytes(), &settings)), expected, "{n}");
        }
    }

    #[test]
    fn query_strings_are_read() {
        let incoming = Incoming::from_query("query=%7Ba%7D&variables=%7B%22x%22%3A1%7D&operationName=A").unwrap();
        let operation = &incoming.operations[0];
        assert_eq!(
            (operation.text.as_deref(), operation.name.as_deref(), operation.variables.len()),
            (Some("{a}"), Some("A"), 1)
        );
        for bad in ["query=a&query=b", "query=%7Ba%7D&variables=1", "query=%7Ba%7D&extensions=x"] {
            assert_eq!(code(Incoming::from_query(bad)), "http.malformed", "{bad}");
        }
    }
}
