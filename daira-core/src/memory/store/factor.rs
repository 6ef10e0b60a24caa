//! Second factors in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use crate::account::SecondFactor;
use crate::error::Result;
use crate::id::AccountId;
use crate::port::store::FactorRepository;

#[async_trait]
impl FactorRepository for MemoryUnit {
    async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactor>> {
        self.may_write_account(account)?;
        Ok(self.world.factors.get(&account).cloned())
    }

    async fn put_second_factor(&mut self, factor: &SecondFactor) -> Result<()> {
        self.may_write_account(factor.account)?;
        self.change().factors.put(factor.clone(), "factor.put").map(drop)
    }

    async fn delete_second_factor(&mut self, account: AccountId) -> Result<bool> {
        self.may_write_account(account)?;
        Ok(self.change().factors.remove(&account).is_some())
    }
}
