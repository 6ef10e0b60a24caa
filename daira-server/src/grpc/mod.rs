//! gRPC: `daira.account.v1`, `daira.post.v1`, `daira.feed.v1`, with health and reflection.
//!
//! Every method is a thin shell: read the caller from the metadata, call the use case, turn its answer or its error into
//! protobuf. Refusals are `google.rpc.Status` with `ErrorInfo` (the stable code), the field and when to retry.

mod account;
mod caller;
mod convert;
mod feed;
mod post;

use std::time::Duration;

use daira_core::Ports;
use daira_core::proto::account::v1::account_service_server::AccountServiceServer;
use daira_core::proto::feed::v1::feed_service_server::FeedServiceServer;
use daira_core::proto::post::v1::post_service_server::PostServiceServer;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;

use crate::state::Services;

/// The largest message that is read, in bytes: the longest post is far smaller.
const MAX_MESSAGE: usize = 256 * 1024;

/// What the methods call.
#[derive(Debug, Clone)]
pub struct Grpc {
    ports: Ports,
    services: Services,
}

impl Grpc {
    /// Over these ports; the use cases are shared with the other transports.
    pub fn new(ports: Ports, services: Services) -> Self {
        Self { ports, services }
    }

    /// Serves until `shutdown`, then lets running calls finish.
    ///
    /// # Errors
    /// When the contracts cannot be offered by reflection, or the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        timeout: Duration,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<AccountServiceServer<Self>>().await;
        health.set_serving::<PostServiceServer<Self>>().await;
        health.set_serving::<FeedServiceServer<Self>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(daira_core::proto::DESCRIPTORS)
            .build_v1()?;
        let draining = async move {
            shutdown.cancelled().await;
            health.set_not_serving::<AccountServiceServer<Self>>().await;
            health.set_not_serving::<PostServiceServer<Self>>().await;
            health.set_not_serving::<FeedServiceServer<Self>>().await;
        };
        tonic::transport::Server::builder()
            .timeout(timeout)
            .concurrency_limit_per_connection(64)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .add_service(health_service)
            .add_service(reflection)
            .add_service(AccountServiceServer::new(self.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(PostServiceServer::new(self.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(FeedServiceServer::new(self).max_decoding_message_size(MAX_MESSAGE))
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), draining)
            .await?;
        Ok(())
    }
}
