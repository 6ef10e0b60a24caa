//! Connections for questions: reads that are one statement each, say themselves who asks and leave nothing behind.
//!
//! A question needs no transaction, so it needs nothing of what the pools do around one: they ask each connection that comes
//! back whether it is well, which costs the server as much as a small statement. Here a connection belongs to its
//! question; it comes back only when the question was answered. One that was given up, or failed, is closed. The one used last
//! is used next, so that a quiet server keeps few of them warm.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::is_dead;
use super::pools::{PoolState, Waiting};
use super::tenure::Tenure;

/// A connection that was idle for longer is asked whether it still lives before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// A session of the server holds on to memory: it ends after this.
const LIFETIME: Duration = Duration::from_hours(1);
/// How often a question is asked when the connection turns out to be dead, as all are after the server's restart.
const ATTEMPTS: u32 = 3;

/// Asks questions over a bounded number of connections. Clones share them.
#[derive(Clone)]
pub(super) struct Questions(Arc<Inner>);

struct Inner {
    server: Mutex<(PgConnectOptions, Tenure)>,
    patience: Duration,
    size: u32,
    waiting: Waiting,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    tenure: Tenure,
    born: Instant,
    since: Instant,
}

/// A connection that answers one question.
struct Lent {
    connection: PgConnection,
    tenure: Tenure,
    born: Instant,
    _permit: OwnedSemaphorePermit,
}

/// A statement that can be asked again.
pub(super) trait Question: Sync {
    /// What it answers.
    type Answer: Send;
    /// Asks.
    fn ask(&self, connection: &mut PgConnection) -> impl Future<Output = Result<Self::Answer>> + Send;
}

impl Questions {
    /// Over at most `size` connections, made when they are needed; who finds none free waits no longer than `patience`.
    pub(super) fn new(options: PgConnectOptions, size: u32, patience: Duration) -> Self {
        let free = Arc::new(Semaphore::new(size.try_into().unwrap_or(usize::MAX)));
        Self(Arc::new(Inner {
            server: Mutex::new((options, Tenure::default())),
            patience,
            size,
            waiting: Waiting::default(),
            free,
            idle: Mutex::default(),
        }))
    }

    /// The answer. It changes nothing, so it is asked again when the connection turns out to be dead.
    pub(super) async fn ask<Q: Question>(&self, question: &Q) -> Result<Q::Answer> {
        let mut attempt = 1;
        loop {
            let mut lent = self.lend().await?;
            match lent.tenure.bound(question.ask(&mut lent.connection)).await {
                Ok(answer) => {
                    let Lent { connection, tenure, born, _permit } = lent;
                    self.idle().push(Idle { connection, tenure, born, since: Instant::now() });
                    return Ok(answer);
                }
                Err(error) if attempt < ATTEMPTS && is_dead(&error) => {
                    // The others were made before the server went away, too.
                    self.idle().clear();
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// From now on they are asked elsewhere.
    pub(super) fn move_to(&self, options: PgConnectOptions) {
        let next = (options, Tenure::default());
        let (_, tenure) = core::mem::replace(&mut *self.server(), next);
        tenure.end();
        self.idle().clear();
    }

    /// How its connections are.
    pub(super) fn state(&self, name: &'static str) -> PoolState {
        let idle = u32::try_from(self.idle().len()).unwrap_or(u32::MAX);
        let asking = self.0.size.saturating_sub(u32::try_from(self.0.free.available_permits()).unwrap_or(0));
        PoolState { name, most: self.0.size, size: asking.saturating_add(idle), idle, waits: self.0.waiting.read() }
    }

    /// Waits for the questions that are under way, then closes their connections; later ones are refused.
    pub(super) async fn close(&self) {
        let all = self.0.free.acquire_many(self.0.size).await;
        self.0.free.close();
        drop(all);
        let idle = core::mem::take(&mut *self.idle());
        for idle in idle {
            // What cannot say good-bye is gone already.
            let _ = idle.connection.close().await;
        }
    }

    async fn lend(&self) -> Result<Lent> {
        let free = Arc::clone(&self.0.free).acquire_owned();
        let begun = Instant::now();
        let permit = tokio::time::timeout(self.0.patience, free).await;
        self.0.waiting.waited(begun.elapsed());
        let permit = permit.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        loop {
            let Some(Idle { mut connection, tenure, born, since }) = self.pop() else { break };
            if tenure.is_over() || born.elapsed() >= LIFETIME {
                continue;
            }
            if since.elapsed() < TRUSTED_IDLE || tenure.bound(connection.ping()).await.is_ok() {
                return Ok(Lent { connection, tenure, born, _permit: permit });
            }
        }
        let (options, tenure) = self.server().clone();
        let connecting = tenure.bound(PgConnection::connect_with(&options));
        let connection = tokio::time::timeout(self.0.patience, connecting).await.map_err(|_| Error::PoolTimedOut)??;
        Ok(Lent { connection, tenure, born: Instant::now(), _permit: permit })
    }

    fn server(&self) -> MutexGuard<'_, (PgConnectOptions, Tenure)> {
        // Nothing panics while it holds the lock.
        self.0.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // A panic while the lock was held leaves at worst a connection missing.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
