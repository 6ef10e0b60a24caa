//! What every resolver can reach: who asks, how to answer, what to read.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::Context;
use daira_core::actor::{Actor, Client, Member};
use daira_core::error::Result;
use daira_core::id::ProfileId;
use daira_core::idempotency::IdempotencyKey;
use daira_core::locale::Locale;
use daira_core::page::Limit;
use daira_core::port::{Clock, Store};
use daira_core::secret::Secret;
use daira_core::time::Timestamp;

use super::loaders::Reads;
use crate::state::Services;

/// What one operation runs in.
pub(super) struct Scope {
    /// Who asks.
    pub actor: Actor,
    /// The language of texts.
    pub locale: Locale,
    /// The network address of the client, for limits alone.
    pub address: Option<IpAddr>,
    /// The use cases.
    pub services: Arc<Services>,
    /// What the operation reads.
    pub reads: Reads,
    pub(super) clock: Arc<dyn Clock>,
    /// The key of the header `Idempotency-Key`, for mutations that name none themselves.
    pub(super) key: Option<IdempotencyKey>,
}

impl Scope {
    /// The member who asks.
    ///
    /// # Errors
    /// `auth.required` for everybody else.
    pub(super) fn member(&self) -> Result<&Member> {
        self.actor.member()
    }

    /// The profile that asks, if one does.
    pub(super) fn viewer(&self) -> Option<ProfileId> {
        self.actor.profile()
    }

    /// What a stranger asks with; the token is that of a device that is known.
    pub(super) fn client(&self, known_device: Option<String>) -> Client {
        Client { address: self.address, known_device: known_device.map(Secret::new) }
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The key of a mutation: its own, or else that of the request.
    ///
    /// # Errors
    /// `idempotency.key_invalid`.
    pub(super) fn key(&self, own: Option<String>) -> Result<Option<IdempotencyKey>> {
        match own {
            Some(key) => IdempotencyKey::new(key).map(Some),
            None => Ok(self.key.clone()),
        }
    }
}

/// What scopes are made of.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) actor: Actor,
    pub(super) locale: Locale,
    pub(super) address: Option<IpAddr>,
    pub(super) key: Option<IdempotencyKey>,
    pub(super) services: Arc<Services>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Live {
    /// A scope in which nothing was read yet.
    pub(super) fn scope(&self) -> Scope {
        let Self { actor, locale, address, key, services, store, clock } = self.clone();
        let reads = Reads::new(store, Arc::clone(&services), actor.clone());
        Scope { actor, locale, address, services, reads, clock, key }
    }
}

/// Gives resolvers their scope.
pub(super) trait InScope<'a> {
    /// The scope of the operation.
    fn scope(&self) -> &'a Scope;
}

impl<'a> InScope<'a> for Context<'a> {
    fn scope(&self) -> &'a Scope {
        // The engine puts it there before anything is executed.
        self.data_unchecked::<Scope>()
    }
}

/// The size of a page as it was asked for.
///
/// # Errors
/// `page.size`.
pub(super) fn limit(first: Option<i32>) -> Result<Limit> {
    first.map_or(Ok(Limit::DEFAULT), |first| Limit::new(first.into()))
}
