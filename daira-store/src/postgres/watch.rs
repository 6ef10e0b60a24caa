//! Keeps an eye on the servers: follows the primary to whichever takes writes now, and learns how new a replica is.
//!
//! The driver knows one server for each pool, and a pool keeps its connections. So when the primary does not answer, or says that
//! it is none, all servers of the address are asked, and as soon as one takes writes the pools go there, connections to the old
//! one left behind. One address may lead to another server, too, or to the same one started anew. A server that was only slow
//! is neither: its connections stay. Who decides which server is promoted is no business of ours: that is for whoever runs
//! PostgreSQL.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use futures_util::future::{BoxFuture, select};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Result};

use super::hosts::{About, about};
use super::replica::{Place, replayed, written};
use super::store::PgStore;

/// How often it looks when there are several servers.
const BEAT: Duration = Duration::from_millis(100);
/// And when there is one.
const SLOW_BEAT: Duration = Duration::from_secs(1);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many places that the replica has not reached are remembered; with more, it is too far behind to be of use.
const PLACES: usize = 4_096;

/// Follows the primary, and learns how new a replica is. Made by [`PgStore::watch`].
pub struct Watch {
    store: PgStore,
    primary: Option<PgConnection>,
    replica: Option<PgConnection>,
    /// Where the primary's log was, and when, as far as the replica has not reached it.
    places: VecDeque<(Instant, Place)>,
    /// A question to the primary that it has not answered yet, though it had the time.
    asking: Option<BoxFuture<'static, Result<Answer>>>,
    /// When the primary was started, as it says itself.
    started: Option<String>,
    /// The primary is sought.
    seeking: bool,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("store", &self.store).field("seeking", &self.seeking).finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn new(store: PgStore) -> Self {
        Self {
            store,
            primary: None,
            replica: None,
            places: VecDeque::new(),
            asking: None,
            started: None,
            seeking: false,
        }
    }

    /// Watches until `shutdown` completes.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let several = self.store.hosts().iter().any(|hosts| hosts.are_several());
        let beat = if several || self.store.replica().is_some() { BEAT } else { SLOW_BEAT };
        let work = async {
            loop {
                self.look(several).await;
                tokio::time::sleep(beat).await;
            }
        };
        select(pin!(shutdown), pin!(work)).await;
    }

    async fn look(&mut self, several: bool) {
        let options = self.store.primary_options();
        let mut asking = match self.asking.take() {
            // It has not answered yet.
            Some(asking) => asking,
            None => Box::pin(ask(self.primary.take(), options)),
        };
        let stays = match tokio::time::timeout(PATIENCE, &mut asking).await {
            Ok(Ok((connection, about))) => self.stays(connection, about, several).await,
            Ok(Err(_)) => false,
            Err(_) => {
                self.asking = Some(asking);
                false
            }
        };
        if !stays
            && let Err(error) = Box::pin(self.seek()).await
            && !core::mem::replace(&mut self.seeking, true)
        {
            tracing::warn!(%error, "no server of the database takes writes: waiting for one");
        }
        if self.store.replica().is_some() && !matches!(tokio::time::timeout(PATIENCE, self.measure()).await, Ok(Ok(())))
        {
            // What was known of it holds; it grows old by itself.
            self.replica = None;
        }
    }

    /// Whether the server that answered is the primary, and the one that was used before. If so, notes where its log is.
    async fn stays(&mut self, mut connection: PgConnection, about: About, several: bool) -> bool {
        let started = self.started.get_or_insert_with(|| about.started.clone());
        if *started != about.started || several && !about.is_primary {
            return false;
        }
        if self.store.replica().is_some() && self.places.len() < PLACES {
            let now = Instant::now();
            let Ok(Ok(place)) = tokio::time::timeout(PATIENCE, written(&mut connection)).await else { return false };
            if let Some(place) = place {
                if self.places.back().is_some_and(|(_, last)| !place.is_on_timeline_of(*last)) {
                    // It was promoted: no replica that follows reaches the places before.
                    self.places.clear();
                }
                self.places.push_back((now, place));
            }
        }
        self.primary = Some(connection);
        true
    }

    /// Asks all servers which one takes writes, and goes there, unless it is the one that is used, started when that was, and
    /// what was asked before is answered now: then it was slow.
    async fn seek(&mut self) -> Result<()> {
        let [app, worker] = self.store.hosts();
        let found = in_time(async { tokio::try_join!(app.primary(), worker.primary()) });
        let ((app, connection), (worker, other)) = found.await?;
        // What cannot say good-bye is gone already.
        let _ = other.close().await;
        let (connection, About { started, .. }) = in_time(ask(Some(connection), app.clone())).await?;
        self.primary = Some(connection);
        self.seeking = false;
        let place = |of: &PgConnectOptions| (of.get_host().to_owned(), of.get_port(), of.get_socket().cloned());
        if place(&app) != place(&self.store.primary_options()) {
            tracing::warn!(host = app.get_host(), port = app.get_port(), "the primary is on another server now");
        } else if self.started.as_ref() == Some(&started)
            && let Some(asking) = self.asking.take()
            && in_time(asking).await.is_ok()
        {
            return Ok(());
        }
        self.started = Some(started);
        self.asking = None;
        self.store.move_to(app, worker);
        self.places.clear();
        Ok(())
    }

    /// Asks the replica how far it is.
    async fn measure(&mut self) -> Result<()> {
        let Some(replica) = self.store.replica() else { return Ok(()) };
        let mut connection = match self.replica.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&replica.pool().options()).await?,
        };
        match replayed(&mut connection).await? {
            Some(at) => {
                let mut reached = None;
                while let Some((then, _)) = self.places.pop_front_if(|(_, place)| at.covers(*place)) {
                    reached = Some(then);
                }
                reached.inspect(|then| replica.reached(*then));
            }
            // It was promoted: whether it is the primary now is not known here.
            None => replica.forget(),
        }
        self.replica = Some(connection);
        Ok(())
    }
}

/// A connection, and what the server at its other end says of itself.
type Answer = (PgConnection, About);

/// Asks the server at the other end of a connection about itself; without one, makes one.
async fn ask(connection: Option<PgConnection>, options: PgConnectOptions) -> Result<Answer> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => PgConnection::connect_with(&options).await?,
    };
    let about = about(&mut connection).await?;
    Ok((connection, about))
}

async fn in_time<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}
