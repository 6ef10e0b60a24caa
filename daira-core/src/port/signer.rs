//! Access tokens: short-lived, signed, and checked without asking anybody.

use crate::error::Result;
use crate::id::{ProfileId, SessionId};
use crate::time::Timestamp;

/// What an access token says. It never names the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claims {
    /// The profile that acts.
    pub profile: ProfileId,
    /// The session it was issued to.
    pub session: SessionId,
    /// Which refresh of the session issued it.
    pub generation: i32,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A key that others can check access tokens with: Ed25519 (RFC 8032).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    /// Its name, as tokens have it in `kid`.
    pub id: String,
    /// The key.
    pub ed25519: [u8; 32],
}

/// Issues and checks access tokens.
pub trait TokenSigner: Send + Sync {
    /// Signs the claims.
    ///
    /// # Errors
    /// Only when the key cannot be used.
    fn sign(&self, claims: &Claims) -> Result<String>;

    /// Checks signature, algorithm, issuer, audience, kind and times.
    ///
    /// # Errors
    /// The refusal `auth.token_invalid` for any token that does not hold.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims>;

    /// The keys that others can check such tokens with, those that only are to sign or have signed among them, by name. None
    /// where nobody else can.
    fn public_keys(&self) -> Vec<PublicKey>;
}
