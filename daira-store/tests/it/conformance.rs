//! The PostgreSQL adapters under the kits of their ports, on every supported server.

use core::time::Duration;
use std::sync::Arc;

use daira_core::memory::{RandomIds, WallClock};
use daira_core::port::Ports;
use daira_core::secret::Secret;
use daira_core::testkit::pubsub::Nodes;
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{BusSettings, PgBus, PgMaintenance, PgPubSub, PgStore};
use tokio::task::JoinSet;

use crate::event_log::QUICK;

/// Ports on a database of their own: the store and the upkeep, by the wall's clock.
pub(crate) async fn ports(server: Server) -> (Ports, TestDatabase) {
    let database = server.database().await.unwrap();
    // What is popular is to be seen as it is stored.
    let mut config = database.config();
    config.popular_age = Duration::ZERO;
    let store = PgStore::connect(&config).await.unwrap();
    (ports_over(&store), database)
}

pub(crate) fn ports_over(store: &PgStore) -> Ports {
    Ports {
        store: Arc::new(store.clone()),
        maintenance: Arc::new(PgMaintenance::new(store)),
        clock: Arc::new(WallClock),
        ids: Arc::new(RandomIds),
        ..Ports::in_memory()
    }
}

/// The same with the bus over the log, and what makes it tick.
async fn ports_with_bus(server: Server) -> (Ports, (JoinSet<()>, TestDatabase)) {
    let database = server.database().await.unwrap();
    let store = database.store().await.unwrap();
    // A busy machine must not take a lane away in the middle of a case.
    let bus = PgBus::new(&store, BusSettings { lease: Duration::from_mins(1), ..QUICK });
    let url = database.config().worker_url;
    let mut tasks = JoinSet::new();
    tasks.spawn(PgBus::ticker(&url).unwrap().run(core::future::pending()));
    tasks.spawn(bus.attendant(&Secret::new(url)).run(core::future::pending()));
    (Ports { bus: Arc::new(bus), ..ports_over(&store) }, (tasks, database))
}

/// The same through `PgBouncer` in transaction mode; only what ticks and listens goes past it.
pub(crate) async fn ports_pooled() -> (Ports, (JoinSet<()>, TestDatabase)) {
    let database = Server::Pg15.database().await.unwrap();
    let mut config = database.pooled().unwrap();
    config.popular_age = Duration::ZERO;
    let store = PgStore::connect(&config).await.unwrap();
    let bus = PgBus::new(&store, BusSettings { lease: Duration::from_mins(1), ..QUICK });
    let direct = database.config().worker_url;
    let mut tasks = JoinSet::new();
    tasks.spawn(PgBus::ticker(&direct).unwrap().run(core::future::pending()));
    tasks.spawn(bus.attendant(&Secret::new(direct)).run(core::future::pending()));
    (Ports { bus: Arc::new(bus), ..ports_over(&store) }, (tasks, database))
}

/// Two nodes on one database that tell each other.
async fn nodes(server: Server) -> (Nodes, (JoinSet<()>, TestDatabase)) {
    let database = server.database().await.unwrap();
    let url = Secret::new(database.config().worker_url);
    let mut tasks = JoinSet::new();
    let mut node = async || {
        let node = Arc::new(PgPubSub::new(&database.store().await.unwrap()));
        let (attendant, url) = (node.clone(), url.clone());
        tasks.spawn(async move { attendant.attend(&url).await });
        node
    };
    let nodes = Nodes { one: node().await, other: node().await };
    (nodes, (tasks, database))
}

daira_core::pubsub_kit!(pg15_pubsub, nodes(Server::Pg15).await);
daira_core::pubsub_kit!(pg18_pubsub, nodes(Server::Pg18).await);
daira_core::store_kit!(pg15_store, ports(Server::Pg15).await);
daira_core::store_kit!(pg18_store, ports(Server::Pg18).await);
daira_core::store_kit!(pgbouncer_store, ports_pooled().await);
daira_core::bus_kit!(pgbouncer_bus, ports_pooled().await);
daira_core::maintenance_kit!(pgbouncer_maintenance, ports_pooled().await);
daira_core::bus_kit!(pg15_bus, ports_with_bus(Server::Pg15).await);
daira_core::bus_kit!(pg18_bus, ports_with_bus(Server::Pg18).await);
daira_core::maintenance_kit!(pg15_maintenance, ports_with_bus(Server::Pg15).await);
daira_core::maintenance_kit!(pg18_maintenance, ports_with_bus(Server::Pg18).await);
