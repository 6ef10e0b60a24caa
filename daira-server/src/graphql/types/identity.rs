//! Providers of identities, and what lets in to the own account.

use async_graphql::SimpleObject;
use daira_core::account::{LinkedIdentity, NewIdentity, WaysIn as Ways};
use daira_core::port::Provider;

use super::scalar::DateTime;

/// A provider that people can sign in with.
#[derive(SimpleObject)]
pub(crate) struct SignInProvider {
    /// What it is called in addresses, for instance `google`.
    name: String,
    /// Who it is, for instance `https://accounts.google.com`.
    issuer: String,
}

impl From<&Provider> for SignInProvider {
    fn from(provider: &Provider) -> Self {
        Self { name: provider.name.clone(), issuer: provider.issuer.clone() }
    }
}

/// Who somebody is at a provider, as it opens the own account.
#[derive(SimpleObject)]
pub(crate) struct LinkedProvider {
    /// The provider.
    issuer: String,
    /// What it is called in addresses; nothing when it is not set up any more.
    name: Option<String>,
    /// When it was linked.
    linked_at: DateTime,
    /// When somebody last came in by it.
    last_used_at: Option<DateTime>,
}

impl LinkedProvider {
    /// A link, with the name that its provider has among those that are set up.
    pub(in crate::graphql) fn of(linked: LinkedIdentity, providers: &[Provider]) -> Self {
        let issuer = linked.identity.issuer;
        let name = providers.iter().find(|one| one.issuer == issuer).map(|one| one.name.clone());
        Self { issuer, name, linked_at: linked.linked_at.into(), last_used_at: linked.used_at.map(Into::into) }
    }
}

/// What lets in to the own account, besides passkeys.
#[derive(SimpleObject)]
pub(crate) struct WaysIn {
    /// Whether there is a password; where there is none, `setPassword` sets the first.
    has_password: bool,
    /// The providers that are linked, the oldest first.
    providers: Vec<LinkedProvider>,
}

impl WaysIn {
    pub(in crate::graphql) fn of(ways: Ways, providers: &[Provider]) -> Self {
        let linked = ways.identities.into_iter().map(|one| LinkedProvider::of(one, providers));
        Self { has_password: ways.has_password, providers: linked.collect() }
    }
}

/// Somebody who came from a provider and has no account yet.
#[derive(SimpleObject)]
pub(crate) struct Newcomer {
    /// To be given to `joinWithProvider`; it lets nobody in.
    ticket: String,
    /// When it lapses.
    expires_at: DateTime,
    /// The address that the provider vouches for, to begin with.
    email: Option<String>,
    /// The name that it has for them, to begin with.
    name: Option<String>,
}

impl From<NewIdentity> for Newcomer {
    fn from(new: NewIdentity) -> Self {
        let ticket = new.ticket.expose().to_owned();
        Self { ticket, expires_at: new.expires_at.into(), email: new.email, name: new.name }
    }
}
