//! Second factors, passkeys and identities at providers in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::OF_ACCOUNT;
use crate::account::{LinkedIdentity, Passkey, PendingCeremony, SecondFactor};
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

    async fn identities(&mut self, account: AccountId) -> Result<Vec<LinkedIdentity>> {
        self.may_write_account(account)?;
        let mut linked: Vec<LinkedIdentity> =
            self.world.identities.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        linked.sort_by(|a, b| (a.linked_at, &a.identity.issuer).cmp(&(b.linked_at, &b.identity.issuer)));
        Ok(linked)
    }

    async fn insert_identity(&mut self, linked: &LinkedIdentity) -> Result<()> {
        self.may_write_account(linked.account)?;
        if self.world.identities.get(&(linked.account, linked.identity.issuer.clone())).is_some() {
            return Err(Error::new(ErrorKind::Conflict("identity_issuer"), "identity.insert"));
        }
        self.change().identities.insert(linked.clone(), "identity.insert")
    }

    async fn use_identity(&mut self, account: AccountId, issuer: &str, at: Timestamp) -> Result<()> {
        self.may_write_account(account)?;
        let stored = self.world.identities.get(&(account, issuer.to_owned())).cloned();
        let stored = stored.ok_or_else(|| Error::new(ErrorKind::Stale, "identity.use"))?;
        self.change().identities.put(LinkedIdentity { used_at: Some(at), ..stored }, "identity.use").map(drop)
    }

    async fn delete_identity(&mut self, account: AccountId, issuer: &str) -> Result<bool> {
        self.may_write_account(account)?;
        Ok(self.change().identities.remove(&(account, issuer.to_owned())).is_some())
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
