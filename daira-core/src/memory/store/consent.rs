//! Consents in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::OF_ACCOUNT;
use crate::error::Result;
use crate::id::{AccountId, Id};
use crate::port::store::ConsentRepository;
use crate::record::{Consent, Purpose};

#[async_trait]
impl ConsentRepository for MemoryUnit {
    async fn consents(&mut self, account: AccountId) -> Result<Vec<Consent>> {
        self.may_write_account(account)?;
        let mut all: Vec<Consent> = self.world.consents.by(OF_ACCOUNT, (account.raw(), 0)).copied().collect();
        all.sort_by_key(|consent| core::cmp::Reverse((consent.at, consent.purpose)));
        Ok(all)
    }

    async fn latest_consent(&mut self, account: AccountId, purpose: Purpose) -> Result<Option<Consent>> {
        let all = self.consents(account).await?;
        Ok(all.into_iter().find(|consent| consent.purpose == purpose))
    }

    async fn add_consent(&mut self, consent: &Consent) -> Result<()> {
        self.may_write_account(consent.account)?;
        self.change().consents.insert(*consent, "consent.insert")
    }
}
