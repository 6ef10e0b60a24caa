//! What a process does for its bus besides reading: it listens for ticks, and keeps its members alive while their batches
//! run longer than a lease.

use core::future::Future;
use core::pin::pin;

use futures_util::future::{Either, select};

use super::{CHANNEL, PgBus};
use crate::postgres::listen::listen;
use daira_core::secret::Secret;

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
            // Whatever is heard, and that it listens again, may mean something new.
            tokio::join!(listen(&self.url, CHANNEL, |_| self.bus.poke()), self.renew());
        };
        match select(pin!(shutdown), pin!(work)).await {
            Either::Left(_) | Either::Right(_) => {}
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
