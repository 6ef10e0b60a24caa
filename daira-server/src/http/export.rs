//! `GET /exports/{id}/{file}`: a file of an export goes out to its owner, piece after piece.
//!
//! Only a piece of a piece is in memory, however large the file is. A download that broke off goes on by `Range`. What is not
//! there, not ready, past its time or somebody else's gets one answer.

use std::ops::Range;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use daira_core::account::{AccountService, Pass};
use daira_core::error::Error;
use daira_core::id::ExportId;
use daira_core::oauth::scope::needed;
use daira_core::record::{ExportService, OpenFile};
use futures_util::stream::{self, TryStreamExt as _};

use super::auth::admit;
use super::compress::Plain;
use super::context::RequestContext;
use super::media::{Part, part};
use super::problem::problem;
use crate::door;
use crate::state::AppState;

/// How much is read at once.
const CHUNK: u64 = 256 << 10;

/// Gives a file out.
pub(super) async fn export(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let known = admit(&state.services.accounts, &headers).await;
    let given = async {
        let pass = known?;
        if let Some(left) = state.door.charge(&pass, context.address, door::UPLOAD).await {
            left.check()?;
        }
        pass.may(needed("GET /exports"))?;
        let Path((id, file)) = path.map_err(|_| Error::not_found())?;
        let id: ExportId = id.parse().map_err(|_| Error::not_found())?;
        let open = state.services.exports.open(pass.actor(), id, &file).await?;
        let holder = (state.services.accounts.clone(), pass);
        answer(holder, &state.services.exports, id, &file, &open, &headers)
    };
    given.await.unwrap_or_else(|error| problem(error, &context))
}

fn answer(
    holder: (AccountService, Pass),
    exports: &ExportService,
    id: ExportId,
    file: &str,
    open: &OpenFile,
    asked: &HeaderMap,
) -> Result<Response, Error> {
    let size = open.bytes;
    // Made of an id and the name of a file that exists: plain ASCII.
    let value = |text: String| HeaderValue::from_str(&text).map_err(|_| Error::not_found());
    let tag = value(format!("\"{id}/{file}\""))?;
    let (status, range) = match part(asked, &tag, size) {
        Part::All => (StatusCode::OK, 0..size),
        Part::Range(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let mut response = (status, body(holder, exports.clone(), open, range.clone())).into_response();
    response.extensions_mut().insert(Plain);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    match status {
        StatusCode::PARTIAL_CONTENT => {
            let last = range.end.saturating_sub(1);
            headers.insert(header::CONTENT_RANGE, value(format!("bytes {}-{last}/{size}", range.start))?);
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            headers.insert(header::CONTENT_RANGE, value(format!("bytes */{size}"))?);
        }
        _ => {}
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, value(format!("attachment; filename=\"{name}\""))?);
    headers.insert(header::ETAG, tag);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// A range of a file, read as it is sent, for as long as the pass holds that it was opened with.
fn body((accounts, pass): (AccountService, Pass), exports: ExportService, open: &OpenFile, range: Range<u64>) -> Body {
    let chunks: Vec<(String, Range<u64>)> =
        open.pieces(range).into_iter().flat_map(|(key, piece)| cut(key, piece)).collect();
    let read = stream::iter(chunks.into_iter().map(Ok::<_, Error>));
    let read = read.and_then(move |(key, range)| {
        let (exports, accounts, pass) = (exports.clone(), accounts.clone(), pass.clone());
        async move {
            accounts.check(&pass).await?;
            exports.read(&key, range).await
        }
    });
    Body::from_stream(read.map_err(|error| {
        tracing::warn!(operation = error.operation(), "an export could not be read to its end");
        std::io::Error::other("an export could not be read to its end")
    }))
}

fn cut(key: String, piece: Range<u64>) -> impl Iterator<Item = (String, Range<u64>)> {
    let step = usize::try_from(CHUNK).unwrap_or(usize::MAX);
    piece.clone().step_by(step).map(move |from| (key.clone(), from..(from + CHUNK).min(piece.end)))
}
