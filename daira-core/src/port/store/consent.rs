//! What people consented to, as a history that only grows.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::AccountId;
use crate::record::{Consent, Purpose};

/// Keeps consents. A member reads and adds those of their own account alone.
#[async_trait]
pub trait ConsentRepository: Send {
    /// All of an account, newest first.
    async fn consents(&mut self, account: AccountId) -> Result<Vec<Consent>>;
    /// The latest of an account for a purpose.
    async fn latest_consent(&mut self, account: AccountId, purpose: Purpose) -> Result<Option<Consent>>;
    /// Adds one.
    async fn add_consent(&mut self, consent: &Consent) -> Result<()>;
}
