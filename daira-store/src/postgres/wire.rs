//! What statements go through: pools, and the transaction that is open on one of their connections.
//!
//! Straight to the server, statements are prepared under names and kept. Behind a pooler in transaction mode a name means
//! nothing: the next transaction of a client is on another connection, where the name is not known, or is another client's.
//! There, statements are prepared without a name, which costs one round trip each, and what is one statement only becomes a
//! transaction, so that its parts stay together. Nothing else differs, so nothing else in this crate knows.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Execute, Executor, PgConnection, PgPool, Postgres, Result, SqlSafeStr, SqlStr, Transaction};

use super::opening;
use super::pools::{PoolState, Waiting};

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Pool {
    inner: PgPool,
    named: bool,
    moved: Moved,
    waiting: Waiting,
}

/// When a pool was told to connect elsewhere, if it was: connections from before are not used any more.
#[derive(Clone, Default)]
pub(super) struct Moved(Arc<Mutex<Option<Instant>>>);

/// A transaction that is open. Dropped, it rolls back.
pub(super) struct Wire {
    transaction: Transaction<'static, Postgres>,
    named: bool,
}

/// A statement that keeps its name to itself, if it must.
struct Told<E> {
    statement: E,
    named: bool,
}

impl Pool {
    /// Over a pool whose connections keep prepared statements by name, or do not, and which asks whether it was moved.
    pub(super) fn new(pool: PgPool, named: bool, moved: Moved) -> Self {
        Self { inner: pool, named, moved, waiting: Waiting::default() }
    }

    /// How connections are made.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.inner.connect_options())
    }

    /// From now on connections are made elsewhere.
    pub(super) fn move_to(&self, options: PgConnectOptions) {
        self.inner.set_connect_options(options);
        self.moved.now();
    }

    /// Begins a transaction with a statement, or several in one batch, of which the first is `begin`.
    pub(super) async fn begin(&self, statement: impl SqlSafeStr) -> Result<Wire> {
        Ok(Wire { transaction: opening::begin(&self.inner, &self.waiting, statement).await?, named: self.named })
    }

    /// How many connections there are.
    pub(super) fn size(&self) -> u32 {
        self.inner.size()
    }

    /// How it is.
    pub(super) fn state(&self, name: &'static str) -> PoolState {
        let idle = u32::try_from(self.inner.num_idle()).unwrap_or(u32::MAX);
        let most = self.inner.options().get_max_connections();
        PoolState { name, most, size: self.size(), idle, waits: self.waiting.read() }
    }

    /// Waits for transactions that are open, then closes the connections.
    pub(super) async fn close(&self) {
        self.inner.close().await;
    }
}

impl Moved {
    /// From now on.
    pub(super) fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age was made before.
    pub(super) fn is_before(&self, age: Duration) -> bool {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| at.elapsed() <= age)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size()).field("named", &self.named).finish_non_exhaustive()
    }
}

impl Wire {
    /// Makes it durable.
    pub(super) async fn commit(self) -> Result<()> {
        self.transaction.commit().await
    }

    /// Takes it back, and waits until that is done.
    pub(super) async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await
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
        connection.fetch_many(Told { statement, named: self.named })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, statement: E) -> BoxFuture<'e, Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        connection.fetch_optional(Told { statement, named: self.named })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement>>
    where
        'c: 'e,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        connection.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>>>
    where
        'c: 'e,
    {
        let connection: &'c mut PgConnection = &mut self.transaction;
        connection.describe(sql)
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, statement: E) -> BoxStream<'e, Result<Step>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if self.named {
            return (&self.inner).fetch_many(statement);
        }
        let all = async move {
            let mut wire = self.begin(super::store::BEGIN).await?;
            let steps: Vec<Step> = wire.fetch_many(statement).try_collect().await?;
            wire.commit().await?;
            Ok::<_, sqlx::Error>(stream::iter(steps).map(Ok))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, statement: E) -> BoxFuture<'e, Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if self.named {
            return (&self.inner).fetch_optional(statement);
        }
        Box::pin(async move {
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
        (&self.inner).prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>>>
    where
        'p: 'e,
    {
        (&self.inner).describe(sql)
    }
}
