//! What is measured of the HTTP side, and the route that shows all metrics.
//!
//! Names and labels follow OpenTelemetry's conventions for HTTP servers. Every label has few values: routes are patterns,
//! unknown methods are `other`.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The labels of one request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

/// The labels of one GraphQL operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    kind: &'static str,
    outcome: &'static str,
}

/// What is measured. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
    active: Gauge,
    operations: Family<OperationLabels, Counter>,
}

/// Work that goes on; it counts as active until this is dropped, also when its client goes away.
#[derive(Debug)]
pub(crate) struct Running(Gauge);

impl Running {
    pub(crate) fn new(active: &Gauge) -> Self {
        active.inc();
        Self(active.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// How a GraphQL operation ended, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Data and no error.
    Ok,
    /// Data and errors.
    Partial,
    /// Errors alone.
    Refused,
}

/// Of what answers somebody who waits: from a millisecond to ten seconds.
pub(crate) fn durations() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

impl HttpMetrics {
    /// Makes the metrics known to a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            duration: Family::new_with_constructor(durations),
            active: Gauge::default(),
            operations: Family::default(),
        };
        let help = "Duration of HTTP requests by method, route pattern and status";
        registry.register_with_unit("http_server_request_duration", help, Unit::Seconds, metrics.duration.clone());
        let help = "HTTP requests being worked on";
        registry.register("http_server_active_requests", help, metrics.active.clone());
        let help = "GraphQL operations by kind and outcome";
        registry.register("graphql_operations", help, metrics.operations.clone());
        metrics
    }

    pub(super) fn start(&self) -> Running {
        Running::new(&self.active)
    }

    pub(super) fn finish(&self, _: &Running, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
        let labels = RequestLabels { method, route: route.to_owned(), status: status.as_u16() };
        self.duration.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a GraphQL operation of a kind (`query`, `mutation`, or `unknown` when its document could not be read).
    pub fn operation(&self, kind: &'static str, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Ok => "ok",
            Outcome::Partial => "partial",
            Outcome::Refused => "refused",
        };
        self.operations.get_or_create(&OperationLabels { kind, outcome }).inc();
    }
}

/// All metrics as `OpenMetrics` text.
pub(super) fn show(registry: &Arc<Registry>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        // A string takes whatever is written to it.
        Err(std::fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
