//! Second factors in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::OF_ACCOUNT;
use crate::account::{Passkey, PendingCeremony, SecondFactor};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id, PasskeyId};
use crate::port::store::FactorRepository;
use crate::time::Timestamp;

#[async_trait]
impl FactorRepository for MemoryUnit {
    async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactor>> {
        self.may_write_account(account)?;
        let passkeys = self.world.passkeys.by(OF_ACCOUNT, (account.raw(), 0)).count();
        Ok(self.world.factors.get(&account).map(|factor| SecondFactor { passkeys, ..factor.clone() }))
    }

    async fn put_second_factor(&mut self, factor: &SecondFactor) -> Result<()> {
        self.may_write_account(factor.account)?;
        self.change().factors.put(factor.clone(), "factor.put").map(drop)
    }

    async fn delete_second_factor(&mut self, account: AccountId) -> Result<bool> {
        self.may_write_account(account)?;
        Ok(self.change().factors.remove(&account).is_some())
    }

    async fn passkeys(&mut self, account: AccountId) -> Result<Vec<Passkey>> {
        self.may_write_account(account)?;
        let mut passkeys: Vec<Passkey> = self.world.passkeys.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        passkeys.sort_by_key(|passkey| (passkey.created_at, passkey.id));
        Ok(passkeys)
    }

    async fn passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<Option<Passkey>> {
        self.may_write_account(account)?;
        Ok(self.world.passkeys.get(&id).filter(|passkey| passkey.account == account).cloned())
    }

    async fn insert_passkey(&mut self, passkey: &Passkey) -> Result<()> {
        self.may_write_account(passkey.account)?;
        self.change().passkeys.insert(passkey.clone(), "passkey.insert")
    }

    async fn update_passkey(&mut self, passkey: &Passkey) -> Result<()> {
        let stored = self.passkey(passkey.account, passkey.id).await?;
        let stored = stored.ok_or_else(|| Error::new(ErrorKind::Stale, "passkey.update"))?;
        let changed = Passkey { created_at: stored.created_at, ..passkey.clone() };
        self.change().passkeys.put(changed, "passkey.update").map(drop)
    }

    async fn delete_passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<bool> {
        let found = self.passkey(account, id).await?.is_some();
        if found {
            self.change().passkeys.remove(&id);
        }
        Ok(found)
    }

    async fn insert_ceremony(&mut self, ceremony: &PendingCeremony) -> Result<()> {
        if let Some(account) = ceremony.account {
            self.may_write_account(account)?;
        }
        self.change().ceremonies.insert(ceremony.clone(), "ceremony.insert")
    }

    async fn take_ceremony(&mut self, id: ChallengeId) -> Result<Option<PendingCeremony>> {
        Ok(self.change().ceremonies.remove(&id))
    }

    async fn purge_ceremonies(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        Ok(self.change().ceremonies.take(limit as usize, |ceremony| ceremony.expires_at < before).len() as u64)
    }
}
