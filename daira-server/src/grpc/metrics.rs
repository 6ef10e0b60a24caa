//! What is measured of the gRPC side. A method is a label only when a contract names it: whoever calls may make up others
//! without end.

use std::collections::HashSet;
use std::time::Duration;

use axum::http::HeaderMap;
use daira_core::proto::DESCRIPTORS;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{Code, Status};
use tonic_health::pb as health;
use tonic_reflection::pb::{v1, v1alpha};

use crate::http::{Running, durations};

/// The names of codes by their numbers, as every gRPC library calls them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The labels of one call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: String,
    code: &'static str,
}

/// What is measured. Cloning is cheap; clones count together.
#[derive(Debug, Clone)]
pub(super) struct GrpcMetrics {
    duration: Family<CallLabels, Histogram, fn() -> Histogram>,
    active: Gauge,
}

impl Default for GrpcMetrics {
    fn default() -> Self {
        Self { duration: Family::new_with_constructor(durations), active: Gauge::default() }
    }
}

impl GrpcMetrics {
    /// Makes the metrics known to a registry.
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Duration of gRPC calls by method and code; a stream's until it begins";
        registry.register_with_unit("rpc_server_call_duration", help, Unit::Seconds, self.duration.clone());
        registry.register("rpc_server_active_calls", "gRPC calls being worked on", self.active.clone());
    }

    pub(super) fn start(&self) -> Running {
        Running::new(&self.active)
    }

    /// Counts a call of a method, or of none that is known, by the headers of its answer: what went well has no status
    /// among them.
    pub(super) fn finish(&self, _: &Running, method: Option<&str>, answer: &HeaderMap, took: Duration) {
        let code = answer.get(Status::GRPC_STATUS).map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
        let code = CODES.get(code as usize).copied().unwrap_or("UNKNOWN");
        let labels = CallLabels { method: method.unwrap_or("unknown").to_owned(), code };
        self.duration.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// The methods that this server offers, as `package.Service/Method`.
pub(super) fn offered() -> Result<HashSet<String>, prost::DecodeError> {
    let contracts = [DESCRIPTORS, health::FILE_DESCRIPTOR_SET, v1::FILE_DESCRIPTOR_SET, v1alpha::FILE_DESCRIPTOR_SET];
    let mut methods = HashSet::new();
    for set in contracts {
        for file in FileDescriptorSet::decode(set)?.file {
            for service in &file.service {
                let name = |method: &str| format!("{}.{}/{method}", file.package(), service.name());
                methods.extend(service.method.iter().map(|method| name(method.name())));
            }
        }
    }
    Ok(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_name() {
        for (number, name) in (0_i32..).zip(CODES) {
            let code = Code::from_i32(number);
            assert_eq!(format!("{code:?}").to_uppercase(), name.replace('_', ""));
        }
        assert_eq!(Code::from_i32(17), Code::Unknown, "there is no other");
    }

    #[test]
    fn a_method_is_known_by_its_contract() {
        let methods = offered().unwrap();
        for method in ["daira.feed.v1.FeedService/HomeFeed", "grpc.health.v1.Health/Check"] {
            assert!(methods.contains(method), "{method} of {methods:?}");
        }
    }
}
