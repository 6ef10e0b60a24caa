//! Where the programs listen: HTTP and gRPC.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Http {
    /// Where to listen.
    pub listen: std::net::SocketAddr,
    /// The address that clients use, for media links and as issuer towards apps of others; derived from `listen` when absent.
    pub public_url: Option<String>,
    /// The page of your client that asks people about apps of others, for instance `https://daira.example/apps/allow`. Without it
    /// there is no OAuth.
    pub consent_page: Option<String>,
    /// Origins that browsers may call from, with tokens and never with cookies; `*` for all, empty for none.
    pub cors_origins: Vec<String>,
    /// Origins of your own web client, on the same site: they may call, and keep a session in a cookie by `/auth/*`.
    pub web_origins: Vec<String>,
    /// The most operations in one batch of GraphQL; 1 turns batches off.
    pub batch: usize,
    /// A request that takes longer is cancelled, in seconds.
    pub timeout_seconds: u64,
    /// Requests served at the same time; more get 503 with `Retry-After`.
    pub concurrency: usize,
    /// Streams at the same time on this node: connections over WebSocket, answers that go on, calls of gRPC that stream.
    pub streams: usize,
    /// Streams of one account at the same time.
    pub streams_per_account: usize,
    /// Networks of proxies in front of the server, for instance `["10.0.0.0/8"]`: what they say in `X-Forwarded-For` is
    /// believed, of HTTP and of gRPC.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8000).into(),
            public_url: None,
            consent_page: None,
            cors_origins: Vec::new(),
            web_origins: Vec::new(),
            batch: 1,
            timeout_seconds: 10,
            concurrency: 512,
            streams: 10_000,
            streams_per_account: 20,
            trusted_proxies: Vec::new(),
        }
    }
}

/// gRPC.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Grpc {
    /// Where to listen.
    pub listen: std::net::SocketAddr,
}

impl Default for Grpc {
    fn default() -> Self {
        Self { listen: ([127, 0, 0, 1], 50051).into() }
    }
}
