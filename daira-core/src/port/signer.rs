//! Access tokens: short-lived, signed, and checked without asking anybody.

use crate::error::Result;
use crate::id::{AppId, ProfileId, SessionId};
use crate::oauth::Granted;
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
    /// The app of somebody else's that holds it, and what it may do; nothing for a client of the house.
    pub granted: Option<Granted>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What an ID token tells an app of who logged in (`OpenID` Connect Core §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdClaims {
    /// The public address of this server.
    pub issuer: String,
    /// The app it is for.
    pub app: AppId,
    /// Who logged in.
    pub profile: ProfileId,
    /// What the app asked to find in it.
    pub nonce: Option<String>,
    /// When the person last proved themselves.
    pub proven_at: Timestamp,
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

    /// Signs an ID token with the key of access tokens; it must never pass as one of those.
    ///
    /// # Errors
    /// When the key cannot be used, and where nobody else could check it: without [`public_keys`](Self::public_keys).
    fn sign_id(&self, claims: &IdClaims) -> Result<String>;

    /// Checks signature, algorithm, issuer, audience, kind and times.
    ///
    /// # Errors
    /// The refusal `auth.token_invalid` for any token that does not hold.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims>;

    /// The keys that others can check such tokens with, those that only are to sign or have signed among them, by name. None
    /// where nobody else can.
    fn public_keys(&self) -> Vec<PublicKey>;
}
