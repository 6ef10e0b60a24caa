//! `GraphiQL`, in development: a page and its scripts from files inside the program. Nothing comes from elsewhere.

use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::context::RequestContext;
use super::problem::problem;
use super::refusal::HttpRefusal;

const PAGE: &str = include_str!("../../assets/graphiql/index.html");

/// Only what this server serves; `GraphiQL`'s editor writes its styles into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
     img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES: [(&str, &str, &str); 7] = [
    ("graphiql.min.css", "text/css; charset=utf-8", include_str!("../../assets/graphiql/graphiql.min.css")),
    ("graphiql.min.js", JAVASCRIPT, include_str!("../../assets/graphiql/graphiql.min.js")),
    ("react.production.min.js", JAVASCRIPT, include_str!("../../assets/graphiql/react.production.min.js")),
    ("react-dom.production.min.js", JAVASCRIPT, include_str!("../../assets/graphiql/react-dom.production.min.js")),
    ("start.css", "text/css; charset=utf-8", include_str!("../../assets/graphiql/start.css")),
    ("start.js", JAVASCRIPT, include_str!("../../assets/graphiql/start.js")),
    ("LICENSES.txt", "text/plain; charset=utf-8", include_str!("../../assets/graphiql/LICENSES.txt")),
];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The page.
pub(super) fn page() -> Response {
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// One of the files that the page loads.
pub(super) async fn file(Path(name): Path<String>, Extension(context): Extension<RequestContext>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, content_type, text)) => {
            ([(header::CONTENT_TYPE, *content_type), (header::CACHE_CONTROL, "max-age=86400")], *text).into_response()
        }
        None => problem(HttpRefusal::NotFound, &context),
    }
}
