//! What an operator may set of the HTTP side. The defaults are those of production.

use std::time::Duration;

use ipnet::IpNet;

use crate::graphql::GraphqlSettings;
use crate::streams::StreamLimits;

/// Settings of the HTTP side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Development: `GraphiQL` is served at `/graphql`, everybody may introspect, introspection may be as deep as it likes.
    pub development: bool,
    /// Origins whose pages may call the API from a browser, for instance `https://daira.example`; `*` allows all. None: no
    /// page of another origin can.
    pub origins: Vec<String>,
    /// Origins of web clients of the house, whose pages may keep a session in a cookie.
    pub web_origins: Vec<String>,
    /// The largest body of a request, in bytes. Uploads have a limit of their own.
    pub max_body: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a request may take altogether.
    pub request_timeout: Duration,
    /// How many requests are worked on at once.
    pub concurrency: usize,
    /// How many more may wait for their turn; whoever comes then is sent away with 503.
    pub queue: usize,
    /// How long one may wait before it is sent away.
    pub queue_patience: Duration,
    /// How many uploads are taken in at once; each may hold a whole picture in memory.
    pub uploads: usize,
    /// How long an upload may take to arrive.
    pub upload_timeout: Duration,
    /// Networks of proxies of our own, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpNet>,
    /// The page of the first-party client that asks people about apps of others; without one no such app is let in.
    pub consent_page: Option<String>,
    /// Whether `/metrics` is served on this port.
    pub metrics: bool,
    /// How many streams there may be, over all transports.
    pub streams: StreamLimits,
    /// The GraphQL part.
    pub graphql: GraphqlSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            development: false,
            origins: Vec::new(),
            web_origins: Vec::new(),
            max_body: 256 * 1024,
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            concurrency: 512,
            queue: 512,
            queue_patience: Duration::from_millis(500),
            uploads: 6,
            upload_timeout: Duration::from_mins(1),
            proxies: Vec::new(),
            consent_page: None,
            metrics: true,
            streams: StreamLimits::default(),
            graphql: GraphqlSettings::default(),
        }
    }
}

impl HttpSettings {
    /// The defaults for development.
    pub fn development() -> Self {
        Self { development: true, ..Self::default() }
    }
}
