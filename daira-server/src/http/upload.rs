//! `POST /upload`: a picture comes in, as the body itself or as the field `file` of a form.
//!
//! ```text
//! who? → kind and size as announced → a place → the body, counted as it comes → sniffed, drawn, kept → 201
//! ```
//!
//! Nothing is read for strangers, for a kind that is not taken or for a size that is announced too large. Uploads have few
//! places of their own, so that what they hold in memory is bounded and feeds do not wait behind them.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use daira_core::Actor;
use daira_core::account::Pass;
use daira_core::error::Error;
use daira_core::media::Media;
use daira_core::oauth::scope::needed;
use daira_media::image::Purpose;
use daira_media::{MediaRefusal, Upload};

use super::auth::admit;
use super::context::RequestContext;
use super::incoming::{key, read_body};
use super::problem::problem;
use super::refusal::HttpRefusal;
use crate::door::{self, Left};
use crate::state::AppState;

/// The kinds of picture that are taken.
const KINDS: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// What a form may add to its file, in bytes.
const FORM: usize = 64 * 1024;

/// What a picture is for and shows, in the query or in fields of the form.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct About {
    purpose: Option<String>,
    alt: Option<String>,
}

/// A kept picture.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded {
    id: String,
    width: u32,
    height: u32,
    blurhash: String,
    alt: String,
    variants: Vec<Variant>,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Variant {
    name: String,
    url: String,
    content_type: String,
    width: u32,
    height: u32,
    bytes: u64,
}

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Picture(&'static str),
    Form,
}

/// Takes a picture.
pub(super) async fn upload(
    State(state): State<AppState>,
    Extension(context): Extension<RequestContext>,
    about: Result<Query<About>, QueryRejection>,
    request: Request,
) -> Response {
    let known = admit(&state.services.accounts, request.headers()).await;
    let payer = known.as_ref().unwrap_or(&Pass::ANONYMOUS);
    let left = state.door.charge(payer, context.address, door::UPLOAD).await;
    let taken = async {
        left.map_or(Ok(()), Left::check)?;
        let Query(about) = about.map_err(|_| HttpRefusal::Malformed)?;
        let pass = known?;
        pass.may(needed("POST /upload"))?;
        take(&state, pass.actor().clone(), about, request).await
    };
    let mut response = taken.await.unwrap_or_else(|error| problem(error, &context));
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    response
}

async fn take(state: &AppState, actor: Actor, about: About, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let reader = actor.member()?.profile;
    let key = key(&parts.headers)?;
    let kind = kind(&parts.headers).ok_or(MediaRefusal::Unsupported)?;
    let most = state.services.media.limits().bytes + if kind == Kind::Form { FORM } else { 0 };
    let _place = state.uploads.enter().await.ok_or(HttpRefusal::Overloaded)?;
    let too_large = |refusal| match refusal {
        HttpRefusal::TooLarge => Error::from(MediaRefusal::TooLarge),
        other => other.into(),
    };
    let body = read_body(&parts.headers, body, most, state.settings.upload_timeout).await.map_err(too_large)?;
    let upload = match kind {
        Kind::Picture(content_type) => picture(about, content_type, body)?,
        Kind::Form => form(about, &parts.headers, body).await?,
    };
    let media = state.services.media.upload(&actor, upload, key).await?;
    let addresses = state.services.media.addresses(&media, false, Some(reader));
    Ok((StatusCode::CREATED, Json(Uploaded::new(media, addresses))).into_response())
}

fn kind(headers: &HeaderMap) -> Option<Kind> {
    let said = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if said.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data;")) {
        return Some(Kind::Form);
    }
    KINDS.into_iter().find(|kind| said.eq_ignore_ascii_case(kind)).map(Kind::Picture)
}

fn picture(about: About, content_type: &str, bytes: Bytes) -> Result<Upload, Error> {
    let purpose = Purpose::named(about.purpose.as_deref().unwrap_or("post"));
    Ok(Upload {
        purpose: purpose.ok_or_else(|| Error::from(HttpRefusal::Malformed).on_field("purpose"))?,
        content_type: Some(content_type.to_owned()),
        alt: about.alt.unwrap_or_default(),
        bytes,
    })
}

/// The form's fields: `file`, and `alt` and `purpose` where the query does not say them. Others are refused.
async fn form(mut about: About, headers: &HeaderMap, body: Bytes) -> Result<Upload, Error> {
    let malformed = || Error::from(HttpRefusal::Malformed);
    let mut request = Request::new(Body::from(body));
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        request.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    // The body is here and bounded already; the extractor's own, smaller limit would be in the way.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| malformed())?;
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(|_| malformed())? {
        match field.name().unwrap_or_default() {
            "file" if file.is_none() => {
                let said = field.content_type().unwrap_or_default();
                let kind = KINDS.into_iter().find(|kind| said.eq_ignore_ascii_case(kind));
                let kind = kind.ok_or(MediaRefusal::Unsupported)?;
                file = Some((kind, field.bytes().await.map_err(|_| malformed())?));
            }
            "alt" if about.alt.is_none() => about.alt = Some(field.text().await.map_err(|_| malformed())?),
            "purpose" if about.purpose.is_none() => about.purpose = Some(field.text().await.map_err(|_| malformed())?),
            _ => return Err(malformed()),
        }
    }
    let (kind, bytes) = file.ok_or_else(|| malformed().on_field("file"))?;
    picture(about, kind, bytes)
}

impl Uploaded {
    fn new(media: Media, addresses: Vec<(daira_core::media::Variant, String)>) -> Self {
        let variant = |(variant, url): (daira_core::media::Variant, String)| Variant {
            name: variant.name,
            url,
            content_type: variant.content_type,
            width: variant.width,
            height: variant.height,
            bytes: variant.bytes,
        };
        let variants = addresses.into_iter().map(variant).collect();
        let Media { id, width, height, blurhash, alt, .. } = media;
        Self { id: id.to_string(), width, height, blurhash, alt, variants }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_forms_are_taken_and_nothing_else() {
        let of = |said: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, said.parse().unwrap());
            kind(&headers)
        };
        assert_eq!(of("image/jpeg"), Some(Kind::Picture("image/jpeg")));
        assert_eq!(of("IMAGE/WebP"), Some(Kind::Picture("image/webp")));
        assert_eq!(of("multipart/form-data; boundary=x"), Some(Kind::Form));
        for other in ["image/svg+xml", "text/html", "application/octet-stream", "image/jpeg; x=y", "image/*", ""] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(kind(&HeaderMap::new()), None);
    }
}
