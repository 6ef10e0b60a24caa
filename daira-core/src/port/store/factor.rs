//! Second factors.

use async_trait::async_trait;

use crate::account::SecondFactor;
use crate::error::Result;
use crate::id::AccountId;

/// Changes what guards accounts besides their passwords. A member reaches only their own account's.
#[async_trait]
pub trait FactorRepository: Send {
    /// The account's second factor, locked for update; nothing where there never was one. Who decides on its absence holds the
    /// account's lock.
    async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactor>>;
    /// Stores the account's second factor, the first or a changed one.
    async fn put_second_factor(&mut self, factor: &SecondFactor) -> Result<()>;
    /// Removes the account's second factor; says whether there was one.
    async fn delete_second_factor(&mut self, account: AccountId) -> Result<bool>;
}
