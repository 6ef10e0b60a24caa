//! The event log under everything that can go wrong with it: late commits, open writers, held snapshots, inverted
//! transaction ids, races for lanes, stolen leases, killed connections, poison, and days that go.
//!
//! The effect of an event is one more event, in another topic, appended in the batch's unit: whether an effect happened
//! once and in order can then be read from the log itself.

mod consumers;
mod delivery;
mod letters;
mod upkeep;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use daira_core::error::ErrorKind;
use daira_core::event::{Event, lane};
use daira_core::port::{Delivered, EventBatch, EventBus, Group};
use daira_core::proto::event::v1;
use daira_core::secret::Secret;
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{BusSettings, PgBus, PgStore, PgStoreConfig};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

const GROUP: Group = Group { name: "test", topics: &["daira.post.v1"], rebuilds: false };
pub(crate) const QUICK: BusSettings =
    BusSettings { lease: Duration::from_secs(3), settle: Duration::from_millis(50), poll: Duration::from_millis(20) };

/// A database of its own, with a ticker.
struct World {
    config: PgStoreConfig,
    store: PgStore,
    bus: PgBus,
    tasks: JoinSet<()>,
    database: TestDatabase,
}

impl World {
    async fn new(server: Server) -> Self {
        Self::without_ticker(server).await.with_ticker()
    }

    async fn without_ticker(server: Server) -> Self {
        let database = server.database().await.unwrap();
        let mut config = database.config();
        config.worker_connections = 12;
        let store = PgStore::connect(&config).await.unwrap();
        let bus = PgBus::new(&store, QUICK);
        Self { config, store, bus, tasks: JoinSet::new(), database }
    }

    fn with_ticker(mut self) -> Self {
        self.start_ticker();
        let attendant = self.bus.attendant(&Secret::new(&self.config.worker_url));
        self.tasks.spawn(attendant.run(std::future::pending()));
        self
    }

    fn start_ticker(&mut self) -> tokio::task::AbortHandle {
        let ticker = PgBus::ticker(&self.config.worker_url).unwrap();
        self.tasks.spawn(ticker.run(std::future::pending()))
    }

    /// A bus as another process has one.
    fn other_bus(&self) -> PgBus {
        PgBus::new(&self.store, QUICK)
    }

    async fn app(&self) -> PgConnection {
        PgConnection::connect(&self.config.app_url).await.unwrap()
    }

    async fn worker(&self) -> PgConnection {
        PgConnection::connect(&self.config.worker_url).await.unwrap()
    }

    /// Somebody whom row security does not apply to.
    async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url()).await.unwrap()
    }

    /// The effects in the log: for each key the numbers, in order.
    async fn effects(&self) -> BTreeMap<i64, Vec<i64>> {
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("select kind, payload from daira.event where topic = 'daira.comment.v1' order by id")
                .fetch_all(&mut self.worker().await)
                .await
                .unwrap();
        let mut effects: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (kind, payload) in rows {
            let Event::CommentCreated(effect) = Event::decode(&kind, &payload).unwrap() else { panic!("{kind}") };
            effects.entry(effect.post_id).or_default().push(effect.comment_id);
        }
        effects
    }

    /// Delivers everything there is, with effects; answers what came. Done when nothing came for a while.
    async fn drain(&self, owner: &str) -> Vec<(i64, i64)> {
        drain(&self.bus, owner, Duration::from_millis(700)).await
    }
}

/// Appends event `number` of a key, in whatever transaction the connection is in.
async fn append(db: &mut PgConnection, key: i64, number: i64) {
    let event = Event::from(v1::PostCreated { post_id: key, author_id: number, ..v1::PostCreated::default() });
    sqlx::query("insert into daira.event (lane, key, topic, kind, payload) values ($1, $2, $3, $4, $5)")
        .bind(lane(key))
        .bind(key)
        .bind(event.topic())
        .bind(event.kind())
        .bind(event.encode())
        .execute(db)
        .await
        .unwrap();
}

/// Key and number of an event.
fn read(delivered: &Delivered) -> (i64, i64) {
    let Event::PostCreated(event) = &delivered.event else { panic!("{delivered:?}") };
    (event.post_id, event.author_id)
}

fn effect((key, number): (i64, i64)) -> Event {
    v1::CommentCreated { comment_id: number, post_id: key, ..v1::CommentCreated::default() }.into()
}

async fn apply(batch: &mut dyn EventBatch) -> Vec<(i64, i64)> {
    let events: Vec<_> = batch.events().iter().map(read).collect();
    for event in &events {
        batch.unit().journal().append(&[effect(*event)]).await.unwrap();
    }
    events
}

/// The next batch, waited for.
async fn next(bus: &PgBus, owner: &str, max: usize) -> Box<dyn EventBatch> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(batch) = bus.next(GROUP, owner, max).await.unwrap() {
            return batch;
        }
        bus.wait(Duration::from_millis(20)).await;
    }
    panic!("{owner} got nothing for 20 s");
}

async fn drain(bus: &PgBus, owner: &str, quiet: Duration) -> Vec<(i64, i64)> {
    let mut seen = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < quiet {
        let Some(mut batch) = bus.next(GROUP, owner, 100).await.unwrap() else {
            bus.wait(Duration::from_millis(20)).await;
            continue;
        };
        let events = apply(batch.as_mut()).await;
        match batch.commit().await {
            Ok(()) => seen.extend(events),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Serialization, "{error:?}"),
        }
        last = Instant::now();
    }
    seen
}

/// Every key has the numbers 0, 1, 2, … up to its count.
fn in_order(effects: &BTreeMap<i64, Vec<i64>>, counts: &BTreeMap<i64, i64>) {
    for (key, count) in counts {
        assert_eq!(effects.get(key).cloned().unwrap_or_default(), (0..*count).collect::<Vec<_>>(), "key {key}");
    }
    assert_eq!(effects.len(), counts.len());
}
