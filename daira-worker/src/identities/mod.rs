//! Signing in with providers of identities: `OpenID` Connect Core 1.0 as its relying party, by authorization codes with PKCE.
//!
//! ```text
//! discovery document ─▶ where to send the browser ─▶ code ─▶ token endpoint ─▶ ID token, checked by the provider's keys
//! ```
//!
//! `provider` speaks with one provider over bounded requests and remembers what it says of itself; `token` decides what an ID token
//! is worth. The signatures are `jsonwebtoken`'s, as those of our own tokens; the rest is short and ours, because what it has to
//! refuse is the point of it. `sandbox` is a provider for tests.

mod provider;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod token;

use core::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{AuthorizationAnswer, AuthorizationRequest, Clock, IdentityClaims, IdentityProviders, Provider};
use daira_core::secret::Secret;

use provider::Party;

/// How we are known to a provider.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What the provider is called here, who it is, and where it may send people back to.
    pub provider: Provider,
    /// The name that it gave us.
    pub client_id: String,
    /// What we prove with that it is us; a provider that gave none knows us by the name.
    pub client_secret: Option<Secret>,
    /// What is asked for, `openid` among it.
    pub scopes: Vec<String>,
}

/// The providers that are set up.
pub struct OidcProviders {
    providers: Vec<Provider>,
    parties: Vec<Party>,
}

impl fmt::Debug for OidcProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcProviders").field("providers", &self.providers).finish_non_exhaustive()
    }
}

impl OidcProviders {
    /// These; nobody is asked before somebody wants to go there.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] with what is wrong with one: an issuer that is no `https://` address, two of one name or issuer, or that
    /// send people back to one address.
    pub fn new(registrations: Vec<Registration>, clock: &Arc<dyn Clock>) -> Result<Self> {
        let mut this = Self { providers: Vec::new(), parties: Vec::new() };
        for one in registrations {
            let wrong = |what: &str| {
                Error::new(ErrorKind::Internal, "identity.settings")
                    .with_source(format!("{}: {what}", one.provider.name))
            };
            let is_known = |at: &Provider| at.name == one.provider.name || at.issuer == one.provider.issuer;
            if this.providers.iter().any(is_known) {
                return Err(wrong("two providers have one name or issuer"));
            }
            let is_shared = |at: &Provider| at.redirects.iter().any(|to| one.provider.redirects.contains(to));
            if this.providers.iter().any(is_shared) {
                // A provider could send on to another one whoever came to it, and what comes back would look like its own.
                return Err(wrong("two providers send people back to one address"));
            }
            this.providers.push(one.provider.clone());
            this.parties.push(Party::new(one.clone(), clock.clone()).map_err(wrong)?);
        }
        Ok(this)
    }

    fn party(&self, name: &str) -> Result<&Party> {
        self.parties.iter().find(|party| party.name() == name).ok_or_else(Error::not_found)
    }
}

#[async_trait]
impl IdentityProviders for OidcProviders {
    fn providers(&self) -> &[Provider] {
        &self.providers
    }

    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String> {
        self.party(&request.provider)?.authorization_url(request).await
    }

    async fn redeem(
        &self,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<Option<IdentityClaims>> {
        self.party(&request.provider)?.redeem(request, answer).await
    }
}
