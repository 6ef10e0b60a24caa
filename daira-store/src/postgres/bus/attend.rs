//! What a process does for its bus besides reading: it listens for ticks, and keeps its members alive while their batches
//! run longer than a lease.

use core::future::Future;
use core::pin::pin;
use core::time::Duration;

use futures_util::future::{Either, select};

use super::{CHANNEL, PgBus, fault};
use crate::postgres::listen::listen;
use daira_core::secret::Secret;

/// How long it waits to connect again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Keeps a bus attentive.
#[derive(Debug)]
pub struct Attendant {
    pub(super) bus: PgBus,
    pub(super) url: Secret,
}

impl Attendant {
    /// Attends until `shutdown` completes. Without an attendant the bus works all the same, only slower: readers look four
    /// times a second, and a batch must be done within a lease.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let work = async {
            tokio::join!(self.listen(), self.renew());
        };
        match select(pin!(shutdown), pin!(work)).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }

    async fn listen(&self) {
        loop {
            let error = match listen(&self.url, CHANNEL, "bus.listen").await {
                Ok(mut listener) => loop {
                    match listener.try_recv().await {
                        // Nothing means that it connected again: there may be something new as well.
                        Ok(_) => self.bus.poke(),
                        Err(error) => break fault("bus.listen", error),
                    }
                },
                Err(error) => error,
            };
            tracing::warn!(%error, cause = ?core::error::Error::source(&error), "the bus cannot listen and looks four times a second");
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn renew(&self) {
        loop {
            tokio::time::sleep(self.bus.settings().lease / 3).await;
            if let Err(error) = self.bus.renew().await {
                tracing::warn!(%error, cause = ?core::error::Error::source(&error), "members could not be renewed");
            }
        }
    }
}
