//! What the transports share: the use cases, and what the HTTP side keeps for all requests.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use daira_core::Ports;
use daira_core::account::AccountService;
use daira_core::activity::Activity;
use daira_core::comment::CommentService;
use daira_core::graph::GraphService;
use daira_core::hashtag::HashtagService;
use daira_core::notification::NotificationService;
use daira_core::oauth::OauthService;
use daira_core::post::PostService;
use daira_core::reaction::ReactionService;
use daira_core::record::{ConsentService, ExportService};
use daira_core::staff::StaffService;
use daira_feed::{FeedService, FeedSettings};
use daira_media::MediaService;
use daira_search::SearchService;
use prometheus_client::registry::Registry;

use crate::door::Door;
use crate::graphql::Engine;
use crate::http::{Capacity, HttpMetrics, HttpSettings, Lifecycle};
use crate::streams::Streams;

/// The use cases. Cloning is cheap; clones share what they remember of sessions and of pages served.
#[derive(Debug, Clone)]
pub struct Services {
    /// Joining, sessions, the own profile.
    pub accounts: AccountService,
    /// Apps of others.
    pub oauth: OauthService,
    /// Follows, blocks, mutes, circles.
    pub graph: GraphService,
    /// Who is active now.
    pub activity: Activity,
    /// Posts.
    pub posts: PostService,
    /// Comments.
    pub comments: CommentService,
    /// Reactions.
    pub reactions: ReactionService,
    /// Hashtags.
    pub hashtags: HashtagService,
    /// Notifications.
    pub notifications: NotificationService,
    /// Feeds. Somebody must flush its recorder.
    pub feed: FeedService,
    /// Search.
    pub search: SearchService,
    /// Pictures.
    pub media: MediaService,
    /// What staff do.
    pub staff: StaffService,
    /// What people consent to.
    pub consents: ConsentService,
    /// Everything that is kept of somebody, for them.
    pub exports: ExportService,
}

impl Services {
    /// Over these ports; `public` is the address of this server, which pictures are served below and apps of others know it by.
    /// An empty one is relative for pictures, and `http://localhost` for apps.
    pub fn new(ports: &Ports, feed: FeedSettings, public: impl Into<String>) -> Self {
        let (public, accounts) = (public.into(), AccountService::new(ports.clone()));
        let issuer = if public.is_empty() { "http://localhost" } else { public.trim_end_matches('/') };
        Self {
            oauth: OauthService::new(accounts.clone(), issuer),
            staff: StaffService::new(ports.clone(), accounts.clone()),
            consents: ConsentService::new(ports.clone()),
            exports: ExportService::new(ports.clone(), accounts.clone()),
            accounts,
            graph: GraphService::new(ports.clone()),
            activity: ports.activity.clone(),
            posts: PostService::new(ports.clone()),
            comments: CommentService::new(ports.clone()),
            reactions: ReactionService::new(ports.clone()),
            hashtags: HashtagService::new(ports.clone()),
            notifications: NotificationService::new(ports.clone()),
            feed: FeedService::new(ports.clone(), feed),
            search: SearchService::new(ports.clone()),
            media: MediaService::new(ports.clone(), public),
        }
    }
}

/// What every HTTP request can reach. Cloning is cheap: it is shared, and derefs to [`Shared`].
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

impl Deref for AppState {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What all HTTP requests share.
#[derive(Debug)]
pub struct Shared {
    /// The world.
    pub ports: Ports,
    /// The use cases.
    pub services: Arc<Services>,
    /// What the operator set.
    pub settings: HttpSettings,
    /// Where the server is between its start and its end.
    pub lifecycle: Lifecycle,
    /// What is measured.
    pub metrics: HttpMetrics,
    /// When the server began.
    pub started: Instant,
    pub(crate) capacity: Capacity,
    /// The places that uploads have instead of those.
    pub(crate) uploads: Capacity,
    pub(crate) graphql: Engine,
    pub(crate) door: Door,
    /// The places for streams; the other transports have theirs from here, too.
    pub streams: Streams,
}

impl AppState {
    /// Over these ports and use cases; the metrics are made known to the registry.
    pub fn new(ports: Ports, services: Services, settings: HttpSettings, registry: &mut Registry) -> Self {
        let services = Arc::new(services);
        let streams = Streams::new(settings.streams);
        streams.register(registry);
        Self(Arc::new(Shared {
            graphql: Engine::new(&ports, &services, &settings),
            door: Door::new(&ports),
            capacity: Capacity::new(settings.concurrency, &settings),
            uploads: Capacity::new(settings.uploads, &settings),
            metrics: HttpMetrics::register(registry),
            lifecycle: Lifecycle::default(),
            streams,
            started: Instant::now(),
            settings,
            ports,
            services,
        }))
    }
}
