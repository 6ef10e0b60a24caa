//! The pools, and the only two ways to a connection: a unit of work and a read view, both opened for an actor.
//!
//! Opening is one round trip: the transaction begins and the actor's numbers are set in one batch, for this transaction
//! alone, so that nothing of them survives into the pool or a pooler behind it. A transaction that is dropped is rolled
//! back when its connection returns to the pool, off the request's path.

use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::actor::Actor;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{Id as _, PostId};
use daira_core::port::store::{Access, Candidate, with_along};
use daira_core::port::{ReadView, Store, UnitOfWork};
use daira_core::post::PostCard;
use daira_core::time::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _};

use super::config::PgStoreConfig;
use super::error::{fault, is_dead};
use super::hosts::Hosts;
use super::pools::PoolState;
use super::questions::Questions;
use super::replica::Replica;
use super::shared::Shared;
use super::unit::PgUnit;
use super::view::PgView;
use super::watch::Watch;
use super::wire::{Pool, Wire};

/// A connection that was idle for longer is asked whether it still lives before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// How often opening is tried when the connection turns out to be dead, as all are after the server's restart.
const OPENINGS: u32 = 3;
pub(super) const BEGIN: &str = "begin";
const BEGIN_READ: &str = "begin isolation level repeatable read read only";
pub(super) const BEGIN_SNAPSHOT: &str = "begin isolation level repeatable read";

/// The relational truth in PostgreSQL. Cloning is cheap: clones share the pools. See the [module](super).
#[derive(Clone)]
pub struct PgStore {
    app: Pool,
    questions: Questions,
    worker: Pool,
    replica: Option<Replica>,
    hosts: Hosts,
    worker_hosts: Hosts,
    moves: Arc<AtomicU64>,
    limits: String,
    /// Whether what is one statement may be asked outside of any transaction.
    at_once: bool,
    inbox_days: u16,
    shared: Shared,
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore")
            .field("app", &self.app.size())
            .field("worker", &self.worker.size())
            .field("replica", &self.replica.is_some())
            .finish_non_exhaustive()
    }
}

impl PgStore {
    /// Opens the pools; connections are made when they are needed, the first of each role at once.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for an address that is none, [`ErrorKind::Unavailable`] when nobody answers there.
    pub async fn connect(config: &PgStoreConfig) -> Result<Self> {
        let replica = match &config.replica_url {
            Some(url) => {
                let pool = pool(hosts(url, config)?.first().clone(), config.app_connections, config);
                Some(Replica::new(pool, Shared::bare(config), config.replica_lag, config.replica_patience))
            }
            None => None,
        };
        let (hosts, worker_hosts) = (hosts(&config.app_url, config)?, hosts(&config.worker_url, config)?);
        let app = primary(&hosts).await?;
        let worker = primary(&worker_hosts).await?;
        let limits = config
            .statement_timeout
            .map_or_else(String::new, |limit| format!("; set local statement_timeout = {}", limit.as_millis()));
        let store = Self {
            app: pool(app.clone(), config.app_connections, config),
            questions: Questions::new(app, config.app_connections.div_ceil(4), config.acquire_timeout),
            worker: pool(worker, config.worker_connections, config),
            replica,
            hosts,
            worker_hosts,
            moves: Arc::default(),
            at_once: limits.is_empty() && config.statement_cache > 0,
            limits,
            inbox_days: config.inbox_days,
            shared: Shared::new(config),
        };
        for role in [&store.app, &store.worker] {
            drop(store.open_on(role, BEGIN_READ, &Actor::Anonymous).await?);
        }
        Ok(store)
    }

    /// Closes the pools: waits for units and views that are open, then closes their connections.
    pub async fn close(&self) {
        self.app.close().await;
        self.questions.close().await;
        self.worker.close().await;
        if let Some(replica) = &self.replica {
            replica.pool().close().await;
        }
    }

    /// How the pools are at this moment.
    pub fn pools(&self) -> Vec<PoolState> {
        let mut pools = vec![self.app.state("app"), self.questions.state("questions"), self.worker.state("worker")];
        pools.extend(self.replica.as_ref().map(|replica| replica.pool().state("replica")));
        pools
    }

    /// How old what the replica shows may be at most, while anything is known of it.
    pub fn replica_behind(&self) -> Option<Duration> {
        self.replica.as_ref()?.as_of().map(|as_of| as_of.elapsed())
    }

    /// Connections for the platform's own work, for the event bus and the maintenance beside it.
    pub(super) fn worker_pool(&self) -> &Pool {
        &self.worker
    }

    /// Connections as the role that serves people, for what is the same for all.
    pub(super) fn app_pool(&self) -> &Pool {
        &self.app
    }

    /// Opens a unit of work whose isolation is chosen by its opening statement.
    pub(super) async fn unit(&self, actor: &Actor, begin: &'static str) -> Result<PgUnit> {
        let ended = self.replica.as_ref().map(|replica| replica.ended().clone());
        Ok(PgUnit::new(self.open(actor, begin).await?, actor.clone(), ended))
    }

    /// What keeps an eye on the servers, if there is more than one: run it for as long as the store is used.
    pub fn watch(&self) -> Watch {
        Watch::new(self.clone())
    }

    pub(super) fn replica(&self) -> Option<&Replica> {
        self.replica.as_ref()
    }

    /// The servers that the role which serves people knows, and those of the workers' role.
    pub(super) fn hosts(&self) -> [&Hosts; 2] {
        [&self.hosts, &self.worker_hosts]
    }

    /// How to connect to the server that is used as the primary, as the role that serves people.
    pub(super) fn primary_options(&self) -> PgConnectOptions {
        self.app.options()
    }

    /// From now on the primary is elsewhere: connections to the one before are not used again.
    pub(super) fn move_to(&self, app: PgConnectOptions, worker: PgConnectOptions) {
        self.moves.fetch_add(1, Ordering::SeqCst);
        self.questions.move_to(app.clone());
        self.app.move_to(app);
        self.worker.move_to(worker);
        if let Some(replica) = &self.replica {
            replica.forget();
        }
    }

    /// How often the primary was another one. What is remembered of a server that another took over from may never have reached
    /// that one.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::SeqCst)
    }

    /// How many days an inbox reaches back.
    pub(super) fn inbox_days(&self) -> u16 {
        self.inbox_days
    }

    /// What readers share, and what is kept of them.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Asks as the role that serves people what is one statement, and one that says itself who asks.
    pub(super) fn questions(&self) -> &Questions {
        &self.questions
    }

    async fn open(&self, actor: &Actor, begin: &'static str) -> Result<Wire> {
        let role = if matches!(actor, Actor::System(_) | Actor::Staff(_)) { &self.worker } else { &self.app };
        self.open_on(role, begin, actor).await
    }

    async fn open_on(&self, role: &Pool, begin: &'static str, actor: &Actor) -> Result<Wire> {
        let opening = opening(begin, actor, &self.limits);
        let mut tries = 1;
        loop {
            // The batch is made of constants and whole numbers.
            match role.begin(AssertSqlSafe(opening.clone())).await {
                Err(error) if tries < OPENINGS && is_dead(&error) => tries += 1,
                outcome => return outcome.map_err(|e| fault("store.open", e)),
            }
        }
    }
}

/// The batch that begins a transaction and says who asks. Numbers cannot hold a quote.
fn opening(begin: &str, actor: &Actor, limits: &str) -> String {
    let mut batch = String::with_capacity(192);
    batch.push_str(begin);
    batch.push_str(limits);
    if let Actor::Member(member) | Actor::Staff(member) = actor {
        let (profile, account) = (member.profile.raw(), member.account.raw());
        // Writing to a string cannot fail.
        let _ = write!(batch, "; set local daira.profile = '{profile}'; set local daira.account = '{account}'");
    }
    batch
}

fn hosts(url: &str, config: &PgStoreConfig) -> Result<Hosts> {
    let cache = config.statement_cache;
    Ok(Hosts::parse(url, "store.address")?
        .map(|options| options.statement_cache_capacity(cache).application_name("daira")))
}

/// How to connect to the primary; of one server, whatever it is.
async fn primary(hosts: &Hosts) -> Result<PgConnectOptions> {
    if !hosts.are_several() {
        return Ok(hosts.first().clone());
    }
    let (options, connection) = hosts.primary().await.map_err(|e| fault("store.primary", e))?;
    // What cannot say good-bye is gone already.
    let _ = connection.close().await;
    Ok(options)
}

fn pool(options: PgConnectOptions, connections: u32, config: &PgStoreConfig) -> Pool {
    let make = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(config.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .max_lifetime(Duration::from_hours(1))
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    Pool::new(make, options, config.statement_cache > 0)
}

#[async_trait]
impl Store for PgStore {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(self.unit(actor, BEGIN).await?))
    }

    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        if let (Access::ReadStale, Some(replica), Actor::Anonymous | Actor::Member(_)) = (access, &self.replica, actor)
            && let Some(opened) =
                replica.open(&self.app, actor, async |pool| self.open_on(pool, BEGIN_READ, actor).await).await
        {
            return Ok(Box::new(PgView::new(opened, actor, self.inbox_days, replica.shared().clone())));
        }
        let transaction = self.open(actor, BEGIN_READ).await?;
        Ok(Box::new(PgView::new(transaction, actor, self.inbox_days, self.shared.clone())))
    }

    async fn candidates(&self, actor: &Actor, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>> {
        if let (Actor::Member(me), true) = (actor, self.at_once)
            && let Some(found) = self.candidates_at_once(*me, as_of, limit).await?
        {
            return Ok(found);
        }
        let mut view = self.read(actor, Access::Read).await?;
        view.feed().candidates(as_of, limit).await
    }

    async fn cards(&self, actor: &Actor, of: &[Candidate]) -> Result<Vec<PostCard>> {
        let cards = match actor {
            Actor::Member(me) if self.at_once => self.cards_at_once(*me, of).await?,
            _ => {
                let ids: Vec<PostId> = of.iter().map(|candidate| candidate.post).collect();
                self.read(actor, Access::Read).await?.posts().cards(&ids).await?
            }
        };
        Ok(with_along(cards, of))
    }

    async fn ping(&self) -> Result<()> {
        let asked =
            tokio::time::timeout(Duration::from_secs(1), self.open_on(&self.app, BEGIN_READ, &Actor::Anonymous));
        match asked.await {
            Ok(opened) => opened.map(drop),
            Err(late) => Err(Error::new(ErrorKind::Unavailable, "store.ping").with_source(late)),
        }
    }
}

#[cfg(test)]
mod tests {
    use daira_core::actor::Member;
    use daira_core::id::{AccountId, ProfileId, SessionId};

    use super::*;

    #[test]
    fn the_opening_batch_says_who_asks_and_nothing_for_nobody() {
        let member = Member {
            account: AccountId::from_raw(7),
            profile: ProfileId::from_raw(8),
            session: SessionId::from_raw(9),
        };
        assert_eq!(
            opening(BEGIN, &Actor::Member(member), "; set local statement_timeout = 500"),
            "begin; set local statement_timeout = 500; set local daira.profile = '8'; set local daira.account = '7'"
        );
        assert_eq!(opening(BEGIN_READ, &Actor::Anonymous, ""), BEGIN_READ);
        assert_eq!(opening(BEGIN, &Actor::System("test"), ""), BEGIN);
    }
}
