//! Whether the server lives (`/livez`), can be sent requests (`/readyz`), and how it is (`/health`).
//!
//! `/livez` depends on nothing. `/readyz` fails first when the server shuts down, before it stops taking requests, so that
//! balancers turn away in time; else it says whether the truth can be reached and sessions can be told apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use daira_core::account::Freshness;
use tokio_util::sync::CancellationToken;

use crate::state::AppState;

/// How long a dependency may take to answer before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the server is between its start and its end. Cloning is cheap; clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle(Arc<Phase>);

#[derive(Debug, Default)]
struct Phase {
    now: AtomicU8,
    draining: CancellationToken,
}

impl Lifecycle {
    const READY: u8 = 1;
    const DRAINING: u8 = 2;

    /// Everything that readiness waits for is done.
    pub fn ready(&self) {
        self.0.now.store(Self::READY, Ordering::Release);
    }

    /// The server is shutting down: it still works, but is not to be sent more.
    pub fn drain(&self) {
        self.0.now.store(Self::DRAINING, Ordering::Release);
        self.0.draining.cancel();
    }

    /// Cancelled when the server shuts down: what would never end by itself ends then.
    pub fn draining(&self) -> CancellationToken {
        self.0.draining.clone()
    }

    fn as_str(&self) -> &'static str {
        match self.0.now.load(Ordering::Acquire) {
            Self::READY => "ready",
            Self::DRAINING => "draining",
            _ => "starting",
        }
    }
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    phase: &'static str,
    version: &'static str,
    uptime_seconds: u64,
    checks: Checks,
}

#[derive(Debug, serde::Serialize)]
struct Checks {
    store: Check,
    sessions: Check,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u128>,
}

impl Check {
    fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}

async fn check(state: &AppState) -> Checks {
    let started = Instant::now();
    let store = match tokio::time::timeout(PATIENCE, state.ports.store.ping()).await {
        Ok(Ok(())) => "ok",
        Ok(Err(_)) => "unreachable",
        Err(_) => "slow",
    };
    let sessions = match state.services.accounts.directory().freshness(state.ports.clock.now()) {
        Freshness::Fresh => "ok",
        // Not polled lately: every token costs a look-up, but all still works.
        Freshness::Stale => "stale",
        Freshness::Blind => "blind",
    };
    Checks {
        store: Check { status: store, took_ms: Some(started.elapsed().as_millis()) },
        sessions: Check { status: sessions, took_ms: None },
    }
}

/// The process runs and answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether to send requests here.
pub(super) async fn readyz(State(state): State<AppState>) -> Response {
    let phase = state.lifecycle.as_str();
    if phase != "ready" {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{phase}\n")).into_response();
    }
    let checks = check(&state).await;
    if !checks.store.is_ok() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("store {}\n", checks.store.status)).into_response();
    }
    if checks.sessions.status == "blind" {
        return (StatusCode::SERVICE_UNAVAILABLE, "sessions blind\n").into_response();
    }
    "ready\n".into_response()
}

/// How the server is, for people and dashboards. 503 when it is not ready.
pub(super) async fn health(State(state): State<AppState>) -> Response {
    let (phase, checks) = (state.lifecycle.as_str(), check(&state).await);
    let works = checks.store.is_ok() && checks.sessions.status != "blind";
    let (code, status) = match (phase, works) {
        ("ready", true) if checks.sessions.is_ok() => (StatusCode::OK, "ok"),
        ("ready", true) => (StatusCode::OK, "degraded"),
        ("ready", false) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, phase),
    };
    let uptime_seconds = state.started.elapsed().as_secs();
    let body = Health { status, phase, version: env!("CARGO_PKG_VERSION"), uptime_seconds, checks };
    (code, Json(body)).into_response()
}
