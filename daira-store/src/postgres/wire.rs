//! What statements go through: pools, and the transaction that is open on one of their connections.
//!
//! Straight to the server, statements are prepared under names and kept. Behind a pooler in transaction mode a name means
//! nothing: the next transaction of a client is on another connection, where the name is not known, or is another client's.
//! There, statements are prepared without a name, which costs one round trip each, and what is one statement only becomes a
//! transaction, so that its parts stay together. Nothing else differs, so nothing else in this crate knows.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Execute, Executor, PgConnection, PgPool, Postgres, Result, SqlSafeStr, SqlStr, Transaction};

use super::opening;
use super::pools::{PoolState, Waiting};
use super::tenure::Tenure;

/// A pool of connections to the primary, whichever server that is. Clones are the same one.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    make: PgPoolOptions,
    current: RwLock<Current>,
    named: bool,
    waiting: Waiting,
}

/// Connections to one server, for as long as that is the primary.
#[derive(Clone)]
struct Current {
    pool: PgPool,
    tenure: Tenure,
}

/// A transaction that is open. Dropped, it rolls back.
pub(super) struct Wire {
    transaction: Transaction<'static, Postgres>,
    named: bool,
    tenure: Tenure,
}

/// A statement that keeps its name to itself, if it must.
struct Told<E> {
    statement: E,
    named: bool,
}

impl Pool {
    /// Makes connections when they are needed, which keep prepared statements by name, or do not.
    pub(super) fn new(make: PgPoolOptions, options: PgConnectOptions, named: bool) -> Self {
        let current = Current::new(&make, options).into();
        Self(Arc::new(Inner { make, current, named, waiting: Waiting::default() }))
    }

    fn current(&self) -> Current {
        // Nothing panics while it holds the lock.
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How connections are made.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.current().pool.connect_options())
    }

    /// From now on connections are made elsewhere, and whatever waits for one from before is given up.
    pub(super) fn move_to(&self, options: PgConnectOptions) {
        let next = Current::new(&self.0.make, options);
        let Current { pool, tenure } =
            core::mem::replace(&mut *self.0.current.write().unwrap_or_else(PoisonError::into_inner), next);
        // Closed from here on. Until its connections have said good-bye is not waited: a server that fell silent answers none.
        drop(pool.close());
        tenure.end();
    }

    /// Begins a transaction with a statement, or several in one batch, of which the first is `begin`.
    pub(super) async fn begin(&self, statement: impl SqlSafeStr) -> Result<Wire> {
        let Current { pool, tenure } = self.current();
        let transaction = opening::begin(&pool, &tenure, &self.0.waiting, statement).await?;
        Ok(Wire { transaction, named: self.0.named, tenure })
    }

    /// How many connections there are.
    pub(super) fn size(&self) -> u32 {
        self.current().pool.size()
    }

    /// How it is.
    pub(super) fn state(&self, name: &'static str) -> PoolState {
        let pool = self.current().pool;
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        let most = pool.options().get_max_connections();
        PoolState { name, most, size: pool.size(), idle, waits: self.0.waiting.read() }
    }

    /// Waits for transactions that are open, then closes the connections.
    pub(super) async fn close(&self) {
        self.current().pool.close().await;
    }
}

impl Current {
    fn new(make: &PgPoolOptions, options: PgConnectOptions) -> Self {
        Self { pool: make.clone().connect_lazy_with(options), tenure: Tenure::default() }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size()).field("named", &self.0.named).finish_non_exhaustive()
    }
}

impl Wire {
    /// Makes it durable.
    pub(super) async fn commit(self) -> Result<()> {
        self.tenure.bound(self.transaction.commit()).await
    }

    /// Takes it back, and waits until that is done.
    pub(super) async fn rollback(self) -> Result<()> {
        self.tenure.bound(self.transaction.rollback()).await
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("named", &self.named).finish_non_exhaustive()
    }
}

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Told<E> {
    fn sql(self) -> SqlStr {
        self.statement.sql()
    }
    fn statement(&self) -> Option<&PgStatement> {
        self.statement.statement()
    }
    fn take_arguments(&mut self) -> core::result::Result<Option<PgArguments>, BoxDynError> {
        self.statement.take_arguments()
    }
    fn persistent(&self) -> bool {
        self.named && self.statement.persistent()
    }
}

type Step = Either<PgQueryResult, PgRow>;

impl<'c> Executor<'c> for &'c mut Wire {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, statement: E) -> BoxStream<'e, Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        self.tenure.steps(connection.fetch_many(Told { statement, named: self.named }))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, statement: E) -> BoxFuture<'e, Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        Box::pin(self.tenure.bound(connection.fetch_optional(Told { statement, named: self.named })))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement>>
    where
        'c: 'e,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        Box::pin(self.tenure.bound(connection.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>>>
    where
        'c: 'e,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        Box::pin(self.tenure.bound(connection.describe(sql)))
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, statement: E) -> BoxStream<'e, Result<Step>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let all = async move {
            let steps: Vec<Step> = if self.0.named {
                let Current { pool, tenure } = self.current();
                tenure.bound((&pool).fetch_many(statement).try_collect()).await?
            } else {
                let mut wire = self.begin(super::store::BEGIN).await?;
                let steps = wire.fetch_many(statement).try_collect().await?;
                wire.commit().await?;
                steps
            };
            Ok::<_, sqlx::Error>(stream::iter(steps).map(Ok))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, statement: E) -> BoxFuture<'e, Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            if self.0.named {
                let Current { pool, tenure } = self.current();
                return tenure.bound((&pool).fetch_optional(statement)).await;
            }
            let mut wire = self.begin(super::store::BEGIN).await?;
            let row = wire.fetch_optional(statement).await?;
            wire.commit().await?;
            Ok(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement>>
    where
        'p: 'e,
    {
        Box::pin(async move {
            let Current { pool, tenure } = self.current();
            tenure.bound((&pool).prepare_with(sql, parameters)).await
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>>>
    where
        'p: 'e,
    {
        Box::pin(async move {
            let Current { pool, tenure } = self.current();
            tenure.bound((&pool).describe(sql)).await
        })
    }
}
