//! The platform in process over a real PostgreSQL: use cases, consumers and feeds on a database of their own.

use std::sync::Arc;
use std::time::Duration;

use daira_core::Ports;
use daira_core::graph::GraphService;
use daira_core::id::PostId;
use daira_core::memory::{RandomIds, WallClock};
use daira_core::page::Limit;
use daira_core::post::{CreatePost, PostService};
use daira_core::testkit::fixture::{Fixture, Person};
use daira_feed::{FeedPage, FeedService, FeedSettings};
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{BusSettings, PgBus, PgMaintenance, PgStore};
use daira_worker::{Runner, consume};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

/// Turns each `async fn name(server: Server)` of a module into a test on every supported server.
macro_rules! on_each_server {
    ($($name:ident),+ $(,)?) => {
        mod pg15 {
            $(#[tokio::test]
            async fn $name() {
                super::$name(daira_store::postgres::testing::Server::Pg15).await;
            })+
        }
        mod pg18 {
            $(#[tokio::test]
            async fn $name() {
                super::$name(daira_store::postgres::testing::Server::Pg18).await;
            })+
        }
    };
}
pub(crate) use on_each_server;

const QUICK: BusSettings =
    BusSettings { lease: Duration::from_secs(30), settle: Duration::from_millis(50), poll: Duration::from_millis(20) };

/// The platform, and people made by the fixture.
pub(crate) struct Platform {
    pub(crate) ports: Ports,
    pub(crate) world: Fixture,
    pub(crate) feed: FeedService,
    database: TestDatabase,
    _ticking: JoinSet<()>,
}

impl Platform {
    pub(crate) async fn new(server: Server) -> Self {
        Self::with(server, |_| {}).await
    }

    /// With some ports, or the product's numbers, as a test wants them.
    pub(crate) async fn with(server: Server, change: impl FnOnce(&mut Ports)) -> Self {
        let database = server.database().await.unwrap();
        // What is popular is to be seen as it is stored.
        let mut config = database.config();
        config.popular_age = Duration::ZERO;
        let store = PgStore::connect(&config).await.unwrap();
        let mut ports = Ports {
            bus: Arc::new(PgBus::new(&store, QUICK)),
            maintenance: Arc::new(PgMaintenance::new(&store)),
            store: Arc::new(store),
            clock: Arc::new(WallClock),
            ids: Arc::new(RandomIds),
            ..Ports::in_memory()
        };
        change(&mut ports);
        let ticker = PgBus::ticker(&config.worker_url).unwrap();
        let ticking = JoinSet::from_iter([ticker.run(std::future::pending())]);
        let feed = FeedService::new(ports.clone(), FeedSettings::default());
        Self { world: Fixture::new(ports.clone()), feed, ports, database, _ticking: ticking }
    }

    /// Another process over the same database: nothing that this one keeps in memory is there.
    pub(crate) async fn other_feed(&self) -> FeedService {
        let store = PgStore::connect(&self.database.config()).await.unwrap();
        FeedService::new(Ports { store: Arc::new(store), ..self.ports.clone() }, FeedSettings::default())
    }

    /// Somebody whom row security does not apply to.
    pub(crate) async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url()).await.unwrap()
    }

    /// A runner with the platform's consumers.
    pub(crate) fn runner(&self) -> Runner {
        consume::all(Runner::new(self.ports.clone()), &self.ports)
    }

    /// Lets the consumers work off everything that happened.
    pub(crate) async fn settle(&self) {
        crate::harness::settle(&self.ports).await;
    }

    pub(crate) fn posts(&self) -> PostService {
        PostService::new(self.ports.clone())
    }

    /// Publishes a public post.
    pub(crate) async fn publish(&self, author: &Person, text: &str) -> PostId {
        self.posts().create(&author.actor(), &CreatePost::public(text), None).await.unwrap()
    }

    pub(crate) async fn follow(&self, follower: &Person, followee: &Person) {
        GraphService::new(self.ports.clone()).follow(&follower.actor(), followee.id, None).await.unwrap();
    }

    pub(crate) async fn unfollow(&self, follower: &Person, followee: &Person) {
        GraphService::new(self.ports.clone()).unfollow(&follower.actor(), followee.id, None).await.unwrap();
    }

    /// People with handles that begin alike.
    pub(crate) async fn people(&self, name: &str, count: usize) -> Vec<Person> {
        let mut people = Vec::with_capacity(count);
        for number in 0..count {
            people.push(self.world.person(format!("{name}{number}").as_str()).await);
        }
        people
    }

    /// A whole newest-first feed, in pages of this size.
    pub(crate) async fn following(&self, reader: &Person, size: i64) -> Vec<PostId> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.feed.following(&reader.actor(), Limit::new(size).unwrap(), after.as_deref()).await.unwrap();
            ids.extend(posts(&page));
            after = last_cursor(&self.feed, &page);
            if !page.has_next {
                return ids;
            }
        }
    }
}

/// The posts on a page.
pub(crate) fn posts(page: &FeedPage) -> Vec<PostId> {
    page.items.iter().map(|item| item.card.post.id).collect()
}

/// The cursor to go on with after a page.
pub(crate) fn last_cursor(feed: &FeedService, page: &FeedPage) -> Option<String> {
    feed.cursor(page, page.items.len().checked_sub(1)?)
}
