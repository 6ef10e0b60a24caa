//! The composition of concrete adapters: from a [`Config`] to [`Ports`]. The only place that names them.
//!
//! With no database address a private PostgreSQL is set up in the data folder and started; every process that uses it
//! attaches, and the last to leave stops it. With an address nothing is started.

mod keys;

use std::sync::Arc;

use anyhow::{Context, Result};
use daira_core::Ports;
use daira_core::credential::{Argon2id, Argon2idCost};
use daira_core::memory::{RandomIds, WallClock};
use daira_core::port::Keys;
use daira_core::secret::Secret;
use daira_media::FsBlobs;
use daira_store::postgres::cluster::{Cluster, ClusterConfig};
use daira_store::postgres::{Bootstrap, BusSettings, PgBus, PgMaintenance, PgStore, PgStoreConfig, migrate};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Database};
use crate::deliver::FolderMail;
use crate::hasher::Argon2Hasher;

/// The name of the database in the private cluster.
const DATABASE: &str = "daira";
/// Passwords hashed at the same time.
const HASHING: usize = 2;

/// Connected adapters, and what must be kept running and be closed in the end.
#[derive(Debug)]
pub struct Backends {
    /// The ports over them.
    pub ports: Ports,
    store: PgStore,
    bus: PgBus,
    worker_url: Secret,
    cluster: Option<Arc<Cluster>>,
}

impl Backends {
    /// Connects everything; sets up and starts what is embedded.
    ///
    /// # Errors
    /// With a sentence for the operator: what happened, why, and what to do.
    pub async fn connect(config: &Config) -> Result<Self> {
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("the data folder {} cannot be made", config.data.display()))?;
        let master = keys::master(config)?;
        let (mut database, cluster) = match &config.database.url {
            Some(_) => (addresses(&config.database)?, None),
            None => embedded(config, &master).await?,
        };
        database.app_connections = config.database.connections;
        database.worker_connections = config.database.worker_connections;
        database.statement_cache = config.database.statement_cache;
        let settings = config.product.settings();
        database.inbox_days = settings.inbox_days;
        let store = PgStore::connect(&database).await.context("the database cannot be reached")?;
        let bus = PgBus::new(&store, BusSettings::default());
        let ids = Arc::new(RandomIds);
        let ports = Ports {
            bus: Arc::new(bus.clone()),
            maintenance: Arc::new(PgMaintenance::new(&store)),
            blobs: Arc::new(FsBlobs::open(config.data.join("media"))?),
            clock: Arc::new(WallClock),
            hasher: Arc::new(Argon2Hasher::new(Argon2id::new(Argon2idCost::default())?, ids.clone(), HASHING)),
            signer: Arc::new(keys::signer(&master, config.tokens.key)?),
            mail: Arc::new(FolderMail::new(&config.mail_folder(), &config.mail.from).context("setting mail")?),
            keys: Keys::derive(&master),
            store: Arc::new(store.clone()),
            ids,
            settings,
        };
        Ok(Self { ports, store, bus, worker_url: Secret::new(database.worker_url), cluster })
    }

    /// Brings the database up to this program's schema; the embedded one is brought there by every start.
    ///
    /// # Errors
    /// With a sentence for the operator.
    pub async fn migrate(config: &Config) -> Result<()> {
        match (&config.database.url, &config.database.owner_url) {
            (None, _) => Self::connect(config).await?.close().await,
            (Some(_), Some(owner)) => Ok(migrate(owner.expose()).await?),
            (Some(_), None) => {
                anyhow::bail!("database.owner_url is not set: migrations run as the owner of the database")
            }
        }
    }

    /// Keeps running what the ports rest on, until `shutdown`: ticks of the event log, attention to them, and the private
    /// PostgreSQL, which is started again when it dies.
    pub async fn attend(&self, shutdown: CancellationToken) -> Result<()> {
        let mut tasks = JoinSet::new();
        let ticker = PgBus::ticker(self.worker_url.expose())?;
        tasks.spawn(ticker.run(shutdown.clone().cancelled_owned()));
        tasks.spawn(self.bus.attendant(&self.worker_url).run(shutdown.clone().cancelled_owned()));
        if let Some(cluster) = self.cluster.clone() {
            let shutdown = shutdown.clone();
            tasks.spawn(async move {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    ended = cluster.supervise(|| tracing::warn!("the private PostgreSQL died and was started again")) => {
                        // It returns only when it has given up.
                        let Err(error) = ended;
                        tracing::error!(%error, "the private PostgreSQL cannot be started again");
                    }
                }
            });
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    /// Closes all connections, then leaves the private PostgreSQL; the last process to leave stops it.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn close(self) -> Result<()> {
        let Self { ports, store, bus, cluster, .. } = self;
        drop((ports, bus));
        store.close().await;
        if let Some(cluster) = cluster {
            cluster.shutdown().await?;
        }
        Ok(())
    }
}

fn addresses(database: &Database) -> Result<PgStoreConfig> {
    let url = database.url.as_ref().context("database.url is not set")?;
    let worker = database.worker_url.as_ref().context("database.worker_url is not set")?;
    Ok(PgStoreConfig::new(url.expose(), worker.expose()))
}

async fn embedded(config: &Config, master: &daira_core::secret::Key) -> Result<(PgStoreConfig, Option<Arc<Cluster>>)> {
    let mut wishes = ClusterConfig::new(config.data.join("postgres"));
    wishes.bin_dir.clone_from(&config.database.binaries);
    wishes.durable = config.database.durable;
    let cluster = Cluster::ensure(wishes).await?;
    let plan = Bootstrap::new(DATABASE, keys::password(master, "app"), keys::password(master, "worker"));
    let addresses = plan
        .run(&cluster.facts().superuser_url("postgres"))
        .await
        .context("the private database cannot be made ready")?;
    Ok((addresses, Some(Arc::new(cluster))))
}
