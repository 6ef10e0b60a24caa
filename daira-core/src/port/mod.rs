//! The ports: everything the kernel needs from the world, each with an in-memory adapter and a conformance kit.
//!
//! An embedder builds [`Ports`] himself and replaces what he likes:
//! `Ports { blobs: mine, ..Ports::in_memory() }`. I/O ports are async, dyn-safe and shared as `Arc<dyn Port>`; every
//! one of them fails with [`Error`](crate::Error) and nothing else.

mod blob;
mod bus;
mod cache;
mod channel;
mod clock;
mod hasher;
mod identity;
mod limiter;
mod maintenance;
mod passkey;
mod phone;
mod places;
mod presence;
mod pubsub;
mod signer;
pub mod store;
mod transact;

use std::sync::Arc;

pub use blob::{BlobMeta, BlobStore, BlobStoreExt, check_blob_key};
pub use bus::{DeadLetter, Delivered, EventBatch, EventBus, Group, Lag, Savepoint};
pub use cache::{Cache, CacheKey, Cached, MAX_CACHED, NoCache, STAMP_LIFE, Stamp, check_cached};
pub use channel::{Channel, Handed, Message};
pub use clock::{Clock, IdSource};
pub use hasher::PasswordHasher;
pub use identity::{AuthorizationAnswer, AuthorizationRequest, IdentityClaims, IdentityProviders, Provider};
pub use limiter::{Bucket, Charge, LimitRefusal, Quota, QuotaError, RateLimiter, Subject};
pub use maintenance::{Backfill, BackfillState, JobOutcome, Maintenance};
pub use passkey::{Ceremony, PasskeyVerifier, PublicPart, Signed};
pub use phone::{CheapestFirst, PhoneChannel, Text};
pub use places::{NoPlaces, Places};
pub use presence::{Node, Presence};
pub(crate) use pubsub::hint;
pub use pubsub::{Heard, MAX_SIGNAL, PubSub, Subscription, Topic};
pub use signer::{Claims, IdClaims, PublicKey, TokenSigner};
pub use store::{ReadView, Store, UnitOfWork};
pub use transact::{Remembered, Unit};

use crate::activity::Activity;
use crate::page::Cursors;
use crate::read_through::ReadThrough;
use crate::secret::Key;
use crate::settings::Settings;

/// Keys of the kernel's own, each derived for one purpose from the installation's master secret.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Seals cursors.
    pub cursors: Cursors,
    /// Derives the codes of challenges, so that no event and no row carries one.
    pub challenge: Key,
    /// Authenticates refresh tokens.
    pub refresh: Key,
    /// Signs media addresses.
    pub media: Key,
    /// Lets who received a mail choose a new password.
    pub reset: Key,
    /// Lets devices be known again.
    pub device: Key,
    /// Hides what limits count by.
    pub limits: Key,
    /// Encrypts what second factors are made of, and log-ins that wait for one.
    pub factor: Key,
    /// Makes and seals what people are sent to providers of identities with, and brought back.
    pub identity: Key,
    /// Makes the codes and secrets of apps of others.
    pub oauth: Key,
    /// Seals the audit trail.
    pub audit: Key,
}

impl Keys {
    /// Derives all of them.
    pub fn derive(master: &Key) -> Self {
        Self {
            cursors: Cursors::new(master.derive("cursor")),
            challenge: master.derive("challenge"),
            refresh: master.derive("refresh"),
            media: master.derive("media"),
            reset: master.derive("reset"),
            device: master.derive("device"),
            limits: master.derive("limits"),
            factor: master.derive("factor"),
            identity: master.derive("identity"),
            oauth: master.derive("oauth"),
            audit: master.derive("audit"),
        }
    }
}

/// Everything the services need, each part replaceable. Cloning is cheap: all parts are shared.
#[derive(Clone)]
pub struct Ports {
    /// The relational truth.
    pub store: Arc<dyn Store>,
    /// The event log, read by consumer groups.
    pub bus: Arc<dyn EventBus>,
    /// What keeps the truth in shape: partitions, expiry, job leases.
    pub maintenance: Arc<dyn Maintenance>,
    /// Media objects.
    pub blobs: Arc<dyn BlobStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn IdSource>,
    /// Password hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Passkeys.
    pub passkeys: Arc<dyn PasskeyVerifier>,
    /// Providers of identities.
    pub identities: Arc<dyn IdentityProviders>,
    /// Access tokens.
    pub signer: Arc<dyn TokenSigner>,
    /// Limits on how often something may happen.
    pub limiter: Arc<dyn RateLimiter>,
    /// What nodes tell each other at once.
    pub pubsub: Arc<dyn PubSub>,
    /// What is kept of answers that are asked for often, over a [`Cache`] that nodes may share.
    pub kept: ReadThrough,
    /// Who is active now, over a [`Presence`] that nodes may share.
    pub activity: Activity,
    /// Delivery of mail.
    pub mail: Arc<dyn Channel>,
    /// Delivery to phones.
    pub phone: Arc<dyn PhoneChannel>,
    /// Where network addresses are.
    pub places: Arc<dyn Places>,
    /// Keys of the kernel's own.
    pub keys: Arc<Keys>,
    /// The product's numbers.
    pub settings: Arc<Settings>,
}

impl Ports {
    /// The product's numbers, to be changed before services are built over these ports.
    pub fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl core::fmt::Debug for Ports {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ports").field("settings", &self.settings).finish_non_exhaustive()
    }
}
