//! Keeps an eye on the servers: follows the primary to whichever takes writes now, and learns how new a replica is.
//!
//! The driver knows one server for each pool, and a pool keeps its connections. So when the primary does not answer, or says that
//! it is none, all servers of the address are asked, and as soon as one takes writes the pools go there, connections to the old
//! one left behind. Who decides which server is promoted is no business of ours: that is for whoever runs PostgreSQL.

use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use futures_util::future::select;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Result};

use super::hosts::is_primary;
use super::replica::{Place, replayed, written};
use super::store::PgStore;

/// How often it looks.
const BEAT: Duration = Duration::from_millis(100);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many places that the replica has not reached are remembered; with more, it is too far behind to be of use.
const PLACES: usize = 4_096;

/// Follows the primary, and learns how new a replica is. Made by [`PgStore::watch`].
#[derive(Debug)]
pub struct Watch {
    store: PgStore,
    primary: Option<PgConnection>,
    replica: Option<PgConnection>,
    /// Where the primary's log was, and when, as far as the replica has not reached it.
    places: VecDeque<(Instant, Place)>,
    /// The primary is sought.
    seeking: bool,
}

impl Watch {
    pub(super) fn new(store: PgStore) -> Self {
        Self { store, primary: None, replica: None, places: VecDeque::new(), seeking: false }
    }

    /// Watches until `shutdown` completes. With one server and no replica there is nothing to see, and it only waits.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let several = self.store.hosts().iter().any(|hosts| hosts.are_several());
        if !several && self.store.replica().is_none() {
            return shutdown.await;
        }
        let work = async {
            loop {
                self.look(several).await;
                tokio::time::sleep(BEAT).await;
            }
        };
        select(pin!(shutdown), pin!(work)).await;
    }

    async fn look(&mut self, several: bool) {
        let asked = tokio::time::timeout(PATIENCE, self.primary(several)).await;
        if !matches!(asked, Ok(Ok(true))) {
            self.primary = None;
            if several {
                self.seek().await;
            }
        }
        if self.store.replica().is_some() && !matches!(tokio::time::timeout(PATIENCE, self.measure()).await, Ok(Ok(())))
        {
            // What was known of it holds; it grows old by itself.
            self.replica = None;
        }
    }

    /// Asks the server that is used as the primary whether it is one, and where its log is.
    async fn primary(&mut self, several: bool) -> Result<bool> {
        let mut connection = match self.primary.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.store.primary_options()).await?,
        };
        if several && !is_primary(&mut connection).await? {
            return Ok(false);
        }
        if self.store.replica().is_some() && self.places.len() < PLACES {
            let now = Instant::now();
            self.places.extend(written(&mut connection).await?.map(|place| (now, place)));
        }
        self.primary = Some(connection);
        Ok(true)
    }

    /// Asks all servers which one takes writes, and goes there.
    async fn seek(&mut self) {
        let [app, worker] = self.store.hosts();
        let found = tokio::try_join!(app.primary(), worker.primary());
        let ((app, connection), (worker, other)) = match found {
            Ok(found) => found,
            Err(error) => {
                if !core::mem::replace(&mut self.seeking, true) {
                    tracing::warn!(%error, "no server of the database takes writes: waiting for one");
                }
                return;
            }
        };
        // What cannot say good-bye is gone already.
        let _ = other.close().await;
        self.primary = Some(connection);
        self.seeking = false;
        let place = |of: &PgConnectOptions| (of.get_host().to_owned(), of.get_port(), of.get_socket().cloned());
        if place(&app) != place(&self.store.primary_options()) {
            tracing::warn!(host = app.get_host(), port = app.get_port(), "the primary is on another server now");
        }
        // Also when it is the same: its connections were cut, or it was a replica in between.
        self.store.move_to(app, worker);
        self.places.clear();
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
