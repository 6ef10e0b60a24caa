//! Adapters of every port in memory, for embedding and for testing rules in milliseconds.
//!
//! [`Ports::in_memory`] is a whole platform in one process, on the machine's clock and with real randomness;
//! [`Ports::in_memory_at`] is the same with a clock and a seed of the test's own. They pass the same conformance kits as
//! the adapters for production do; what they lack is durability and writers in parallel.
//!
//! ```
//! use daira_core::{actor::Actor, port::Ports};
//! use daira_core::port::store::Access;
//! # async fn example() -> daira_core::Result<()> {
//! let ports = Ports::in_memory();
//! let mut view = ports.store.read(&Actor::Anonymous, Access::Read).await?;
//! assert!(view.search().handles("mona", None, daira_core::page::Limit::DEFAULT).await?.items.is_empty());
//! # Ok(())
//! # }
//! ```

mod blob;
mod bus;
mod cache;
mod chance;
mod clock;
mod fallback;
mod hasher;
mod identity;
mod limiter;
mod mail;
mod maintenance;
mod passkey;
mod phone;
mod presence;
mod pubsub;
mod signer;
mod store;

use std::sync::Arc;

pub use blob::MemoryBlobs;
pub use bus::MemoryBus;
pub use cache::MemoryCache;
pub use chance::{RandomIds, SeededIds};
pub use clock::{ManualClock, WallClock};
pub use fallback::FallbackLimiter;
pub use hasher::HmacHasher;
pub use identity::MemoryIdentities;
pub use limiter::MemoryLimiter;
pub use mail::MemoryMail;
pub use passkey::{MemoryAuthenticator, MemoryPasskeys};
pub use phone::MemoryPhone;
pub use presence::MemoryPresence;
pub use pubsub::MemoryPubSub;
pub use signer::HmacSigner;
pub use store::MemoryStore;

use crate::activity::Activity;
use crate::port::{Clock, IdSource, Keys, NoCache, NoPlaces, Node, Ports, PubSub};
use crate::read_through::ReadThrough;
use crate::secret::Key;
use crate::settings::Settings;

impl Ports {
    /// Everything in memory, on the machine's clock; the keys are drawn anew and die with the process.
    pub fn in_memory() -> Self {
        let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
        Self::over_memory(Arc::new(WallClock), ids, HmacHasher::ROUNDS)
    }

    /// Everything in memory, on a clock of the caller's and with randomness that the seed determines: two runs with the
    /// same seed are the same. Passwords are hashed with one round, because nothing here is worth guarding.
    pub fn in_memory_at(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self::over_memory(clock, Arc::new(SeededIds::new(seed)), 1)
    }

    fn over_memory(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, rounds: u32) -> Self {
        let settings = Settings::default();
        let store = MemoryStore::new(Arc::clone(&clock), &settings);
        let master = Key::new(ids.bytes());
        let presence = Arc::new(MemoryPresence::new(Arc::clone(&clock)));
        let pubsub: Arc<dyn PubSub> = Arc::new(MemoryPubSub::default());
        let kept = ReadThrough::new(
            Arc::new(NoCache),
            Arc::clone(&pubsub),
            Arc::clone(&clock),
            Arc::clone(&ids),
            settings.cache.near_mib,
        );
        Self {
            bus: Arc::new(MemoryBus::new(&store)),
            maintenance: Arc::new(store.clone()),
            store: Arc::new(store),
            blobs: Arc::new(MemoryBlobs::default()),
            hasher: Arc::new(HmacHasher::new(Arc::clone(&ids), rounds)),
            passkeys: Arc::new(MemoryPasskeys::new(Arc::clone(&ids))),
            identities: Arc::new(MemoryIdentities::default()),
            signer: Arc::new(HmacSigner::new(master.derive("access"))),
            limiter: Arc::new(MemoryLimiter::new(Arc::clone(&clock))),
            pubsub,
            kept,
            activity: Activity::new(presence, Arc::clone(&clock), Node([0; 8]), settings.activity_life),
            mail: Arc::new(MemoryMail::default()),
            phone: Arc::new(MemoryPhone::default()),
            places: Arc::new(NoPlaces),
            keys: Arc::new(Keys::derive(&master)),
            clock,
            ids,
            settings: Arc::new(settings),
        }
    }
}
