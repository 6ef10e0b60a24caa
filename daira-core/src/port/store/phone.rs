//! Phone numbers of accounts.

use async_trait::async_trait;

use crate::account::{Phone, VerifiedPhone};
use crate::error::Result;
use crate::id::AccountId;
use crate::time::Timestamp;

/// Changes which numbers accounts are reached by. A member reaches only their own account's; who decides on what is there holds the
/// account's lock.
#[async_trait]
pub trait PhoneRepository: Send {
    /// The account's number.
    async fn phone(&mut self, account: AccountId) -> Result<Option<VerifiedPhone>>;
    /// Sets the account's number, its first or another one. One that another account has is `Conflict("phone_number")`.
    async fn put_phone(&mut self, phone: &VerifiedPhone) -> Result<()>;
    /// Removes the account's number; says whether there was one.
    async fn delete_phone(&mut self, account: AccountId) -> Result<bool>;
    /// Whose number it is. For the platform's own actors only.
    async fn phone_holder(&mut self, number: &Phone) -> Result<Option<AccountId>>;
    /// How many codes that were meant for a number hold at an instant, neither lapsed nor spent. For the platform's own actors
    /// only.
    async fn codes_for(&mut self, number: &Phone, at: Timestamp) -> Result<usize>;
}
