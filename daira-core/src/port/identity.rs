//! Who somebody is at a provider of identities: `OpenID` Connect as its relying party, by authorization codes.

use async_trait::async_trait;

use crate::account::Identity;
use crate::error::Result;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A provider that the operator set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// What it is called in addresses and settings: `google`.
    pub name: String,
    /// Who it is, exactly as it says itself: `https://accounts.google.com`.
    pub issuer: String,
    /// Where it may send people back to, each met exactly.
    pub redirects: Vec<String>,
}

/// What somebody is sent to a provider with. It is computed again when they come back, so the client can change none of it.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    /// The provider's name.
    pub provider: String,
    /// Where it sends them back to.
    pub redirect: String,
    /// Comes back with them as it is.
    pub state: Secret,
    /// Comes back in the ID token as it is.
    pub nonce: Secret,
    /// Shown with the code; the provider is shown its SHA-256 before (PKCE, `S256`).
    pub verifier: Secret,
    /// Whether they have to prove themselves there anew.
    pub fresh: bool,
}

/// What a provider sent somebody back with.
#[derive(Debug, Clone)]
pub struct AuthorizationAnswer {
    /// The code.
    pub code: Secret,
    /// Who says that it sent them, where it said so (RFC 9207).
    pub issuer: Option<String>,
}

/// What a provider says of somebody, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityClaims {
    /// Who they are there.
    pub identity: Identity,
    /// An address that it says it verified. It is offered to whoever joins, and no account is found by it.
    pub email: Option<String>,
    /// What it calls them.
    pub name: Option<String>,
    /// When they last proved themselves there, where it says so.
    pub authenticated_at: Option<Timestamp>,
}

impl core::fmt::Debug for IdentityClaims {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("IdentityClaims").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Asks providers who somebody is. It keeps nothing of anybody.
#[async_trait]
pub trait IdentityProviders: Send + Sync {
    /// Those that are set up.
    fn providers(&self) -> &[Provider];

    /// Where the browser of somebody goes.
    ///
    /// # Errors
    /// Not found for a provider that is not set up; faults, among them that it cannot be reached.
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String>;

    /// Exchanges a code, which works once, for what the provider says of who brought it; nothing where the provider refuses it,
    /// or where what it answers was not made by it, for us, for this request and now.
    ///
    /// # Errors
    /// As [`authorization_url`](Self::authorization_url).
    async fn redeem(
        &self,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<Option<IdentityClaims>>;
}
