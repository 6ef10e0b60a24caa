//! Password hashing, which takes long enough to need a bounded pool of threads of its own.

use async_trait::async_trait;

use crate::error::Result;
use crate::secret::Secret;

/// Turns passwords into stored hashes and checks them.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password; the answer is a self-describing string.
    async fn hash(&self, password: &Secret) -> Result<String>;

    /// Checks a password against a stored hash. With `None` the same work is done against a decoy and the answer is
    /// `false`, so that an unknown identifier costs the same time as a wrong password.
    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool>;

    /// Whether a stored hash should be replaced at the next successful log-in, being of an older kind.
    fn is_outdated(&self, hash: &str) -> bool;
}
