//! gRPC: `daira.account.v1`, `daira.post.v1`, `daira.feed.v1`, `daira.notification.v1`, `daira.admin.v1`, with health and reflection.
//!
//! Every method is a thin shell: read the caller from the metadata, call the use case, turn its answer or its error into
//! protobuf. Refusals are `google.rpc.Status` with `ErrorInfo` (the stable code), the field and when to retry. What all
//! calls have in common stands in `guard`.

mod account;
mod admin;
mod caller;
mod convert;
mod feed;
mod guard;
mod metrics;
mod notification;
mod post;

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use daira_core::Ports;
use daira_core::proto::account::v1::account_service_server::AccountServiceServer;
use daira_core::proto::admin::v1::admin_service_server::AdminServiceServer;
use daira_core::proto::feed::v1::feed_service_server::FeedServiceServer;
use daira_core::proto::notification::v1::notification_service_server::NotificationServiceServer;
use daira_core::proto::post::v1::post_service_server::PostServiceServer;
use ipnet::IpNet;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService as _;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use self::guard::{Guard, guard};
use self::metrics::GrpcMetrics;
use crate::door::Door;
use crate::state::Services;
use crate::streams::Streams;

/// The largest message that is read, in bytes: the longest post is far smaller.
const MAX_MESSAGE: usize = 256 * 1024;

/// What the methods call.
#[derive(Debug, Clone)]
pub struct Grpc {
    ports: Ports,
    services: Services,
    metrics: GrpcMetrics,
    door: Door,
    proxies: Arc<[IpNet]>,
    streams: Streams,
    /// Cancelled when the server goes.
    draining: CancellationToken,
}

impl Grpc {
    /// Over these ports; the use cases are shared with the other transports.
    pub fn new(ports: Ports, services: Services) -> Self {
        let door = Door::new(&ports);
        Self {
            ports,
            services,
            metrics: GrpcMetrics::default(),
            door,
            proxies: Arc::default(),
            streams: Streams::default(),
            draining: CancellationToken::new(),
        }
    }

    /// Believes these networks of proxies of our own what they say in `x-forwarded-for`.
    #[must_use]
    pub fn behind(self, proxies: &[IpNet]) -> Self {
        Self { proxies: proxies.into(), ..self }
    }

    /// Shares the places for streams with the other transports.
    #[must_use]
    pub fn streaming_in(self, streams: &Streams) -> Self {
        Self { streams: streams.clone(), ..self }
    }

    /// Makes what is measured of calls known to a registry.
    #[must_use]
    pub fn measured_by(self, registry: &mut Registry) -> Self {
        self.metrics.register(registry);
        self
    }

    /// Serves until `shutdown`, then lets running calls finish. No call takes longer than `longest`.
    ///
    /// # Errors
    /// When the contracts cannot be offered by reflection, or the listener fails.
    pub async fn serve(
        mut self,
        listener: TcpListener,
        longest: Duration,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        self.draining = shutdown.clone();
        let (health, health_service) = tonic_health::server::health_reporter();
        for service in Self::services() {
            health.set_service_status(service, ServingStatus::Serving).await;
        }
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(daira_core::proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                // So that a client that only knows our address can read the details of errors.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        };
        let methods = Arc::new(metrics::offered()?);
        let (metrics, proxies) = (self.metrics.clone(), Arc::clone(&self.proxies));
        let watch = Guard { ids: self.ports.ids.clone(), proxies, longest, metrics, methods };
        let routes = Routes::new(health_service)
            .add_service(reflection().build_v1()?)
            // Older clients know only this one.
            .add_service(reflection().build_v1alpha()?)
            .add_service(AccountServiceServer::new(self.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(PostServiceServer::new(self.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(NotificationServiceServer::new(self.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(AdminServiceServer::new(self.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(FeedServiceServer::new(self).max_decoding_message_size(MAX_MESSAGE));
        let guarded = routes.prepare().into_axum_router().layer(from_fn_with_state(watch, guard));
        let draining = async move {
            shutdown.cancelled().await;
            drain(health).await;
        };
        tonic::transport::Server::builder()
            .concurrency_limit_per_connection(64)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .add_routes(Routes::from(guarded))
            .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), draining)
            .await?;
        Ok(())
    }

    /// The names that health knows; the empty one stands for the whole server.
    fn services() -> [&'static str; 6] {
        [
            "",
            AccountServiceServer::<Self>::NAME,
            PostServiceServer::<Self>::NAME,
            FeedServiceServer::<Self>::NAME,
            NotificationServiceServer::<Self>::NAME,
            AdminServiceServer::<Self>::NAME,
        ]
    }
}

/// Tells whoever watches that the server goes, and ends their streams: they would keep it from going.
async fn drain(mut health: HealthReporter) {
    for service in Grpc::services() {
        health.set_service_status(service, ServingStatus::NotServing).await;
        health.clear_service_status(service).await;
    }
}
