//! Adapters with one deliberate fault each: a kit that passes on one of them proves nothing.
//!
//! Every mutant wraps an adapter that passes and breaks one promise of its port. The project's own tests run the kits on
//! them and expect a case to fail.

mod bus;
mod maintenance;
mod small;
mod store;

pub use bus::{BusFault, MutantBus};
pub use maintenance::{MaintenanceFault, MutantMaintenance};
pub use small::{
    BlobFault, CacheFault, CredulousIdentities, CredulousPasskeys, DeafHasher, FrozenIds, HastyClock, LimiterFault,
    MutantBlobs, MutantCache, MutantLimiter, MutantPresence, MutantPubSub, PresenceFault, PubSubFault, TimelessSigner,
};
pub use store::{MutantStore, StoreFault};
