//! The stage on a real PostgreSQL, with a database of its own and a ticker on its event log.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use daira_core::Ports;
use daira_core::memory::{MemoryMail, RandomIds, WallClock};
use daira_server::http::HttpSettings;
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{BusSettings, PgBus, PgMaintenance, PgStore};
use tokio::task::JoinSet;

use crate::harness::{Stage, in_memory};

/// A server on PostgreSQL.
pub(crate) struct Real {
    stage: Stage,
    pub database: TestDatabase,
    ticking: JoinSet<()>,
}

impl Deref for Real {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl Real {
    /// On this server, with these settings.
    pub(crate) async fn on(server: Server, settings: HttpSettings) -> Self {
        Box::pin(Self::set_up(server, settings)).await
    }

    async fn set_up(server: Server, settings: HttpSettings) -> Self {
        let database = server.database().await.unwrap();
        // Always asked for anew, so that every request asks for the same.
        let mut config = database.config();
        config.popular_age = Duration::ZERO;
        config.counters_kept = 0;
        let store = PgStore::connect(&config).await.unwrap();
        let mail = Arc::new(MemoryMail::default());
        let ports = Ports {
            store: Arc::new(store.clone()),
            bus: Arc::new(PgBus::new(&store, BusSettings::default())),
            maintenance: Arc::new(PgMaintenance::new(&store)),
            mail: mail.clone(),
            ids: Arc::new(RandomIds),
            ..in_memory(Arc::new(WallClock))
        };
        let mut ticking = JoinSet::new();
        ticking.spawn(PgBus::ticker(&database.config().worker_url).unwrap().run(std::future::pending()));
        let real = Self { stage: Stage::on(settings, ports, mail), database, ticking };
        // Groups read from where they begin.
        Box::pin(real.settle()).await;
        real
    }

    /// Writes no more ticks: what is counted from now on is what requests do.
    pub(crate) async fn be_quiet(&mut self) {
        self.ticking.shutdown().await;
    }
}
