//! The HTTP side: routes, and the layers that every request passes.
//!
//! ```text
//! request ─ observe ─ CORS ─ compression ─┬─ guard ─ /graphql /media /oauth/*  (and what other modules add; WebSockets too)
//!           id, span, panics,             ├───────── /upload             has places and patience of its own
//!           metrics, headers              ├─ guard ─ /auth/*             takes cookies, from pages of its own alone
//!                                         └───────── /health /livez /readyz /metrics /.well-known/jwks.json
//! ```
//!
//! `observe` is outermost so that nothing escapes it; `guard` (places, queue, timeout) stands before what costs something,
//! never before health. A module with routes of its own gives a `Router<AppState>` to one of the two groups in [`router`].

mod address;
mod auth;
mod compress;
mod context;
mod export;
mod graphiql;
mod graphql;
mod health;
mod incoming;
mod keys;
mod media;
mod metrics;
mod negotiate;
mod oauth;
mod observe;
mod overload;
mod problem;
mod provider;
mod refusal;
mod settings;
mod socket;
mod sse;
mod upload;
mod web;

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use prometheus_client::registry::Registry;
use tower_http::cors::{AllowOrigin, CorsLayer};

pub(crate) use address::client_address;
pub use auth::admit;
pub use context::{REQUEST_ID, RequestContext};
pub use health::Lifecycle;
pub use metrics::{HttpMetrics, Outcome};
pub(crate) use metrics::{Running, durations};
pub(crate) use observe::panic_text;
pub use overload::Capacity;
pub use problem::{log_fault, problem, retry_seconds};
pub use refusal::{HttpRefusal, status};
pub use settings::HttpSettings;

use crate::door::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::state::AppState;

/// All routes over the state; the registry is what `/metrics` shows.
pub fn router(state: AppState, registry: Arc<Registry>) -> Router {
    let guarded = Router::new()
        .route("/graphql", any(graphql::graphql))
        .route("/media/{id}/{variant}", get(media::media))
        .route("/exports/{id}/{*file}", get(export::export))
        .merge(oauth::routes())
        .route_layer(from_fn_with_state(state.clone(), overload::guard));

    let mut free = Router::new()
        .route("/upload", post(upload::upload))
        .route("/.well-known/jwks.json", get(keys::keys))
        .route("/health", get(health::health))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz));
    if state.settings.metrics {
        free = free.route("/metrics", get(move || async move { metrics::show(&registry) }));
    }
    if state.settings.development {
        free = free.route("/graphql/assets/{file}", get(graphiql::file));
    }

    let mut routes = guarded
        .merge(free)
        .fallback(
            |Extension(context): Extension<RequestContext>| async move { problem(HttpRefusal::NotFound, &context) },
        )
        .method_not_allowed_fallback(|Extension(context): Extension<RequestContext>| async move {
            problem(HttpRefusal::MethodNotAllowed, &context)
        })
        .layer(compress::layer());
    let origins = &state.settings.origins;
    let sessions = web::routes().merge(provider::routes());
    let mut sessions = sessions.route_layer(from_fn_with_state(state.clone(), overload::guard));
    if !origins.is_empty() {
        routes = routes.layer(cors(origins));
    }
    let house = web::named(&state.settings.web_origins);
    if !house.is_empty() {
        sessions = sessions.layer(cors(&house).allow_credentials(true));
    }
    routes.merge(sessions).layer(from_fn_with_state(state.clone(), observe::observe)).with_state(state)
}

/// Which pages of other origins may call. Cookies are used by `/auth/*` alone, and allowed there alone.
fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let ours = [REQUEST_ID, HeaderName::from_static("idempotency-key"), HeaderName::from_static("traceparent")];
    let sent = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::AUTHORIZATION, header::CONTENT_TYPE];
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(sent.into_iter().chain(ours).collect::<Vec<_>>())
        .expose_headers([REQUEST_ID, header::RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY])
        .max_age(std::time::Duration::from_hours(1))
}
