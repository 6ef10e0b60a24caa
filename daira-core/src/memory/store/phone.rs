//! Phone numbers in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use crate::account::{Contact, Phone, VerifiedPhone};
use crate::error::Result;
use crate::id::AccountId;
use crate::port::store::PhoneRepository;
use crate::time::Timestamp;

#[async_trait]
impl PhoneRepository for MemoryUnit {
    async fn phone(&mut self, account: AccountId) -> Result<Option<VerifiedPhone>> {
        self.may_write_account(account)?;
        Ok(self.world.phones.get(&account).cloned())
    }

    async fn put_phone(&mut self, phone: &VerifiedPhone) -> Result<()> {
        self.may_write_account(phone.account)?;
        self.change().phones.put(phone.clone(), "phone.put").map(drop)
    }

    async fn delete_phone(&mut self, account: AccountId) -> Result<bool> {
        self.may_write_account(account)?;
        Ok(self.change().phones.remove(&account).is_some())
    }

    async fn phone_holder(&mut self, number: &Phone) -> Result<Option<AccountId>> {
        self.platform_only()?;
        Ok(self.world.phones.holder("phone_number", number.as_str()).map(|phone| phone.account))
    }

    async fn codes_for(&mut self, number: &Phone, at: Timestamp) -> Result<usize> {
        self.platform_only()?;
        let wanted = Contact::Phone(number.clone());
        let codes = self.world.mailings.iter().filter(|m| !m.kind.is_notice() && m.to == wanted && m.expires_at > at);
        Ok(codes.count())
    }
}
