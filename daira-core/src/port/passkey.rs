//! What passkeys sign, checked.

use crate::error::Result;
use crate::secret::Secret;

/// A ceremony that has begun: what the client's authenticator is asked, and what is needed to check its answer.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// For the client, JSON as `navigator.credentials` takes it.
    pub options: String,
    /// For us; the client must not be able to change it.
    pub state: Vec<u8>,
}

/// What is kept of a passkey: nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicPart {
    /// The name that the authenticator gave it; no two passkeys have one.
    pub credential: Vec<u8>,
    /// The key, and how often it has signed.
    pub key: Vec<u8>,
}

/// What an answer to a log-in comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// It was signed by the passkey, whose owner was verified; this is kept of it from now on.
    Good(PublicPart),
    /// It was signed by the passkey, which has signed more often by our count: a copy of it is about.
    Copied,
    /// It was not signed by the passkey, or for another ceremony.
    Bad,
}

/// Checks what passkeys sign. It computes and keeps nothing.
pub trait PasskeyVerifier: Send + Sync {
    /// Asks for a new passkey. `user` is the account's handle, which authenticators keep; `name` is what they show.
    ///
    /// # Errors
    /// Faults alone.
    fn begin_registration(&self, user: &[u8; 16], name: &str, known: &[PublicPart]) -> Result<Ceremony>;

    /// The passkey that an answer brings; nothing when it does not fit the ceremony.
    ///
    /// # Errors
    /// Faults alone.
    fn finish_registration(&self, state: &[u8], answer: &Secret) -> Result<Option<PublicPart>>;

    /// Asks for a signature by one of these, or by any that the client's authenticator keeps when there are none.
    ///
    /// # Errors
    /// Faults alone.
    fn begin_signature(&self, known: &[PublicPart]) -> Result<Ceremony>;

    /// The name of the passkey that an answer says it is from, and the handle that came with it.
    fn signer_of(&self, answer: &Secret) -> Option<(Vec<u8>, Option<[u8; 16]>)>;

    /// Checks an answer against the passkey that it says it is from.
    ///
    /// # Errors
    /// Faults alone.
    fn finish_signature(&self, state: &[u8], passkey: &PublicPart, answer: &Secret) -> Result<Signed>;
}
