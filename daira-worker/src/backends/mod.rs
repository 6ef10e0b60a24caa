//! The composition of concrete adapters: from a [`Config`] to [`Ports`]. The only place that names them.
//!
//! With no database address a private PostgreSQL is set up in the data folder and started; every process that uses it
//! attaches, and the last to leave stops it. With an address nothing is started.

mod doctor;
mod keys;
mod pools;

pub use doctor::{Finding, Level, diagnose};

use core::time::Duration;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use daira_core::Ports;
use daira_core::activity::Activity;
use daira_core::credential::{Argon2id, Argon2idCost};
use daira_core::memory::{FallbackLimiter, MemoryLimiter, MemoryPresence, RandomIds, WallClock};
use daira_core::port::{
    Cache, Channel, CheapestFirst, Clock, IdSource, Keys, NoCache, NoPlaces, Node, PhoneChannel, Places, Presence,
    Provider, PubSub, RateLimiter,
};
use daira_core::read_through::ReadThrough;
use daira_core::secret::{Key, Secret};
use daira_media::FsBlobs;
use daira_store::postgres::cluster::{Cluster, ClusterConfig, MINIMUM_MAJOR};
use daira_store::postgres::{
    Bootstrap, BusSettings, PgBus, PgMaintenance, PgPubSub, PgStore, PgStoreConfig, SchemaState, migrate, migrate_to,
    schema_state,
};
use daira_store::redis::{Redis, RedisCache, RedisLimiter, RedisPresence, RedisPubSub};
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Database, SecretText};
use crate::deliver::{FlashCall, FolderMail, FolderPhone, Sms, SmtpMail, WhatsApp};
use crate::hasher::Argon2Hasher;
use crate::identities::{OidcProviders, Registration};
use crate::passkeys::WebauthnPasskeys;
use crate::places::PlaceDatabase;

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
    signals: Signals,
    /// The way to the database past any pooler.
    direct_url: Secret,
    cluster: Option<Arc<Cluster>>,
}

impl Backends {
    /// Connects everything; sets up and starts what is embedded.
    ///
    /// # Errors
    /// With a sentence for the operator: what happened, why, and what to do.
    pub async fn connect(config: &Config) -> Result<Self> {
        let master = keys::master(config)?;
        let redis = redis(config).await?;
        let (database, cluster) = match &config.database.url {
            Some(url) => {
                let state = schema_state(url.expose()).await.context("the database cannot be reached")?;
                check_schema(&state)?;
                (addresses(&config.database)?, None)
            }
            None => embedded(config, &master).await?,
        };
        Self::over(config, &master, database, cluster, redis).await
    }

    async fn over(
        config: &Config,
        master: &Key,
        mut database: PgStoreConfig,
        cluster: Option<Arc<Cluster>>,
        redis: Option<Redis>,
    ) -> Result<Self> {
        database.app_connections = config.database.connections;
        database.worker_connections = config.database.worker_connections;
        database.statement_cache = config.database.statement_cache;
        let settings = config.settings();
        database.inbox_days = settings.inbox_days;
        let store = PgStore::connect(&database).await.context("the database cannot be reached")?;
        let bus = PgBus::new(&store, BusSettings::default());
        let ids = Arc::new(RandomIds);
        let signals = match &redis {
            Some(redis) => Signals::Redis(RedisPubSub::new(redis.clone())),
            None => Signals::Postgres(Box::new(PgPubSub::new(&store))),
        };
        let far = cache(redis.clone());
        let presence = presence(redis.clone());
        let kept = ReadThrough::new(far, signals.port(), Arc::new(WallClock), ids.clone(), settings.cache.near_mib);
        let ports = Ports {
            bus: Arc::new(bus.clone()),
            maintenance: Arc::new(PgMaintenance::new(&store)),
            blobs: Arc::new(FsBlobs::open(config.data.join("media"))?),
            clock: Arc::new(WallClock),
            hasher: Arc::new(Argon2Hasher::new(Argon2id::new(Argon2idCost::default())?, ids.clone(), HASHING)),
            passkeys: Arc::new(passkeys(config)?),
            identities: Arc::new(identities(config)?),
            signer: Arc::new(keys::signer(master, config.tokens.key)?),
            limiter: limiter(redis),
            pubsub: signals.port(),
            kept,
            activity: Activity::new(
                presence,
                Arc::new(WallClock),
                Node((&*ids as &dyn IdSource).bytes()),
                settings.activity_life,
            ),
            mail: mail(config)?,
            phone: phone(config)?,
            places: places(config)?,
            keys: Arc::new(Keys::derive(master)),
            store: Arc::new(store.clone()),
            ids,
            settings: Arc::new(settings),
        };
        let direct = config.database.direct_url.as_ref().map_or(&*database.worker_url, SecretText::expose);
        Ok(Self { ports, store, bus, signals, direct_url: Secret::new(direct), cluster })
    }

    /// Brings the database up to this program's schema, or up to one of its migrations; the embedded one is brought there by
    /// every start.
    ///
    /// # Errors
    /// With a sentence for the operator.
    pub async fn migrate(config: &Config, to: Option<i64>) -> Result<()> {
        match (&config.database.url, &config.database.owner_url) {
            (None, _) if to.is_some() => {
                bail!("the private database always has this program's whole schema: `--to` is for one of your own")
            }
            (None, _) => Self::connect(config).await?.close().await,
            (Some(_), Some(owner)) => {
                let done = match to {
                    Some(version) => migrate_to(owner.expose(), version).await,
                    None => migrate(owner.expose()).await,
                };
                Ok(done?)
            }
            (Some(_), None) => {
                anyhow::bail!("database.owner_url is not set: migrations run as the owner of the database")
            }
        }
    }

    /// How far the database is from this program's schema; nothing is changed, and what was not running is stopped again.
    ///
    /// # Errors
    /// With a sentence for the operator.
    pub async fn schema(config: &Config) -> Result<SchemaState> {
        if let Some(url) = &config.database.url {
            let url = config.database.owner_url.as_ref().unwrap_or(url);
            return schema_state(url.expose()).await.context("the database cannot be reached");
        }
        if !is_set_up(config) {
            return Ok(SchemaState::nothing());
        }
        let cluster = Cluster::ensure(wishes(config)).await?;
        let state = schema_state(&cluster.facts().superuser_url(DATABASE)).await;
        cluster.shutdown().await?;
        state.context("the private database cannot be reached")
    }

    /// Makes what the adapters measure known to a registry.
    pub fn measured_by(&self, registry: &mut Registry) {
        pools::register(&self.store, registry);
    }

    /// Keeps running what the ports rest on, until `shutdown`: ticks of the event log, attention to them, an eye on which server
    /// is the primary and how new its replica is, and the private PostgreSQL, which is started again when it dies.
    pub async fn attend(&self, shutdown: CancellationToken) -> Result<()> {
        let mut tasks = JoinSet::new();
        let ticker = PgBus::ticker(self.direct_url.expose())?;
        tasks.spawn(ticker.run(shutdown.clone().cancelled_owned()));
        tasks.spawn(self.bus.attendant(&self.direct_url).run(shutdown.clone().cancelled_owned()));
        tasks.spawn(self.store.watch().run(shutdown.clone().cancelled_owned()));
        let (signals, url, stop) = (self.signals.clone(), self.direct_url.clone(), shutdown.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = signals.attend(&url) => {}
            }
        });
        let (kept, stop) = (self.ports.kept.clone(), shutdown.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = kept.attend() => {}
            }
        });
        let (activity, stop) = (self.ports.activity.clone(), shutdown.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = activity.attend() => {}
            }
            // Those whose streams ended with this node.
            activity.say().await;
        });
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
        let Self { ports, store, bus, signals, cluster, .. } = self;
        drop((ports, bus, signals));
        store.close().await;
        if let Some(cluster) = cluster {
            cluster.shutdown().await?;
        }
        Ok(())
    }
}

/// What nodes tell each other over: Redis where there is one, else the database.
#[derive(Debug, Clone)]
enum Signals {
    Redis(RedisPubSub),
    Postgres(Box<PgPubSub>),
}

impl Signals {
    fn port(&self) -> Arc<dyn PubSub> {
        match self {
            Self::Redis(redis) => Arc::new(redis.clone()),
            Self::Postgres(postgres) => Arc::new(PgPubSub::clone(postgres)),
        }
    }

    async fn attend(&self, url: &Secret) {
        match self {
            Self::Redis(redis) => redis.attend().await,
            Self::Postgres(postgres) => postgres.attend(url).await,
        }
    }
}

fn redis_at(config: &Config, url: &SecretText) -> Result<Redis> {
    Redis::at(url.expose(), &config.redis.prefix).context("redis.url is no address of Redis")
}

async fn redis(config: &Config) -> Result<Option<Redis>> {
    let Some(url) = &config.redis.url else { return Ok(None) };
    let redis = redis_at(config, url)?;
    // A node that could not start while Redis is away would make a small outage a large one.
    if let Err(error) = redis.ready().await {
        tracing::warn!(?error, "Redis cannot be reached at redis.url: this node does without it for now");
    }
    Ok(Some(redis))
}

/// Limits of this node, or of all nodes together where there is a Redis.
fn limiter(redis: Option<Redis>) -> Arc<dyn RateLimiter> {
    let clock = Arc::new(WallClock);
    match redis {
        None => Arc::new(MemoryLimiter::new(clock)),
        Some(redis) => Arc::new(FallbackLimiter::new(Arc::new(RedisLimiter::new(redis)), clock)),
    }
}

/// What nodes keep together, where there is a Redis; else each keeps for itself.
fn cache(redis: Option<Redis>) -> Arc<dyn Cache> {
    match redis {
        None => Arc::new(NoCache),
        Some(redis) => Arc::new(RedisCache::new(redis, Arc::new(WallClock), Arc::new(RandomIds))),
    }
}

/// Who is there on any node, where there is a Redis; else on this one.
fn presence(redis: Option<Redis>) -> Arc<dyn Presence> {
    match redis {
        None => Arc::new(MemoryPresence::new(Arc::new(WallClock))),
        Some(redis) => Arc::new(RedisPresence::new(redis, Arc::new(WallClock))),
    }
}

fn addresses(database: &Database) -> Result<PgStoreConfig> {
    let url = database.url.as_ref().context("database.url is not set")?;
    let worker = database.worker_url.as_ref().context("database.worker_url is not set")?;
    let mut addresses = PgStoreConfig::new(url.expose(), worker.expose());
    addresses.replica_url = database.replica_url.as_ref().map(|url| url.expose().to_owned());
    addresses.replica_lag = Duration::from_millis(database.replica_lag_ms);
    addresses.replica_patience = Duration::from_millis(database.replica_wait_ms);
    Ok(addresses)
}

/// Refuses a database that this program was not built for.
fn check_schema(state: &SchemaState) -> Result<()> {
    if let Some(server) = state.server.filter(|server| *server < MINIMUM_MAJOR) {
        bail!("the database is on PostgreSQL {server}, which is too old: version {MINIMUM_MAJOR} or newer is needed");
    }
    if let Some(newest) = state.unknown.iter().max() {
        bail!(
            "the database is newer than this program: it has migration {newest}; run the program that made it, or a newer one"
        );
    }
    if !state.pending.is_empty() {
        bail!("the database lacks {} of this program's migrations: run `daira-server migrate`", state.pending.len());
    }
    Ok(())
}

async fn embedded(config: &Config, master: &Key) -> Result<(PgStoreConfig, Option<Arc<Cluster>>)> {
    let cluster = Cluster::ensure(wishes(config)).await?;
    match plan(master).run(&cluster.facts().superuser_url("postgres")).await {
        Ok(addresses) => Ok((addresses, Some(Arc::new(cluster)))),
        Err(error) => {
            // Nobody would be left to stop a server that was started for nothing.
            cluster.shutdown().await?;
            Err(error).with_context(|| {
                format!("the private database in {} cannot be made ready", config.data.join("postgres").display())
            })
        }
    }
}

/// What the private PostgreSQL is to be.
fn wishes(config: &Config) -> ClusterConfig {
    let mut wishes = ClusterConfig::new(config.data.join("postgres"));
    wishes.bin_dir.clone_from(&config.database.binaries);
    wishes.durable = config.database.durable;
    wishes
}

/// Whether the private PostgreSQL was ever set up.
fn is_set_up(config: &Config) -> bool {
    config.data.join("postgres/pgdata").exists()
}

fn plan(master: &Key) -> Bootstrap {
    Bootstrap::new(DATABASE, keys::password(master, "app"), keys::password(master, "worker"))
}

/// Mail by the configured server, or into a folder where there is none.
fn mail(config: &Config) -> Result<Arc<dyn Channel>> {
    let (wanted, from) = (&config.mail, &config.mail.from);
    if let Some(url) = &wanted.smtp_url {
        let smtp = SmtpMail::new(&Secret::new(url.expose()), from).map_err(|error| unset("mail", &error))?;
        return Ok(Arc::new(smtp));
    }
    Ok(Arc::new(FolderMail::new(&config.mail_folder(), from).map_err(|error| unset("mail", &error))?))
}

/// The ways to phones that are set up, the cheapest first; a folder where none is.
fn phone(config: &Config) -> Result<Arc<dyn PhoneChannel>> {
    let wanted = &config.phone;
    let mut ways: Vec<Arc<dyn PhoneChannel>> = Vec::new();
    let secret = |text: &SecretText| Secret::new(text.expose());
    if let (Some(url), Some(key)) = (&wanted.flash_call_url, &wanted.flash_call_key) {
        let way = FlashCall::new(url, &secret(key), &wanted.flash_call_sender);
        ways.push(Arc::new(way.map_err(|error| unset("phone.flash_call_url", &error))?));
    }
    if let (Some(url), Some(token)) = (&wanted.whatsapp_url, &wanted.whatsapp_token) {
        let way = WhatsApp::new(url, &secret(token), &wanted.whatsapp_template);
        ways.push(Arc::new(way.map_err(|error| unset("phone.whatsapp_url", &error))?));
    }
    if let (Some(url), Some(password)) = (&wanted.sms_url, &wanted.sms_password) {
        let way = Sms::new(url, &wanted.sms_user, &secret(password), &wanted.sms_from);
        ways.push(Arc::new(way.map_err(|error| unset("phone.sms_url", &error))?));
    }
    if ways.is_empty() {
        let folder = config.data.join("phone");
        return Ok(Arc::new(FolderPhone::new(&folder).map_err(|error| unset("phone", &error))?));
    }
    Ok(Arc::new(CheapestFirst::new(ways)))
}

/// What is wrong with a setting, for the operator.
fn unset(setting: &str, error: &daira_core::Error) -> anyhow::Error {
    let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    anyhow::anyhow!("setting {setting} ({}): {why}", error.operation())
}

/// The operator's database of places, if there is one.
fn places(config: &Config) -> Result<Arc<dyn Places>> {
    let Some(file) = &config.places.database else { return Ok(Arc::new(NoPlaces)) };
    let database = PlaceDatabase::open(file).map_err(|error| unset("places.database", &error));
    Ok(Arc::new(database.with_context(|| format!("{} is no database of places", file.display()))?))
}

/// Passkeys for the configured domain or, when there is none, for the public address. A number is no domain: on the own machine
/// browsers take `localhost`.
fn passkeys(config: &Config) -> Result<WebauthnPasskeys> {
    let address = config.public_url();
    let (domain, origin) = match crate::passkeys::host_of(&address) {
        Some(host) => (host, address.trim_end_matches('/').to_owned()),
        None => ("localhost".to_owned(), format!("http://localhost:{}", config.http.listen.port())),
    };
    let wanted = &config.passkeys;
    let origins = if wanted.origins.is_empty() { vec![origin] } else { wanted.origins.clone() };
    WebauthnPasskeys::new(wanted.domain.as_deref().unwrap_or(&domain), &origins).context("setting passkeys")
}

/// The providers of identities. Each may send people back to this server, and to where the operator says.
fn identities(config: &Config) -> Result<OidcProviders> {
    let public = config.public_url();
    let registrations = config.providers.iter().map(|(name, set)| {
        let own = format!("{}/auth/providers/{name}/callback", public.trim_end_matches('/'));
        let redirects = [own].into_iter().chain(set.redirects.iter().cloned()).collect();
        Registration {
            provider: Provider { name: name.clone(), issuer: set.issuer.clone(), redirects },
            client_id: set.client_id.clone(),
            client_secret: set.client_secret.as_ref().map(|secret| Secret::new(secret.expose())),
            scopes: set.scopes.clone(),
        }
    });
    let clock: Arc<dyn Clock> = Arc::new(WallClock);
    OidcProviders::new(registrations.collect(), &clock).map_err(|error| unset("providers", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_another_schema_is_refused_with_what_to_do() {
        let nothing = SchemaState::nothing();
        assert!(check_schema(&nothing).unwrap_err().to_string().contains("run `daira-server migrate`"));
        let newer = SchemaState { unknown: vec![9_999], ..nothing };
        assert!(
            check_schema(&newer).unwrap_err().to_string().contains("newer than this program: it has migration 9999")
        );
        let ours = |server| SchemaState { pending: Vec::new(), unknown: Vec::new(), server: Some(server) };
        assert!(check_schema(&ours(14)).unwrap_err().to_string().contains("PostgreSQL 14, which is too old"));
        assert!(check_schema(&ours(15)).is_ok() && check_schema(&ours(18)).is_ok());
    }
}
