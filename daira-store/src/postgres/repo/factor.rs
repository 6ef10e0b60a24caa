//! Second factors. Row security shows a member those of their own account.

use async_trait::async_trait;
use daira_core::account::{Authenticator, SecondFactor};
use daira_core::error::Result;
use daira_core::id::{AccountId, Id};
use daira_core::port::store::FactorRepository;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::{instant, stored};

#[async_trait]
impl FactorRepository for PgUnit {
    async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactor>> {
        let found = sqlx::query!(
            "select secret, begun_at, confirmed_at, step, recovery from daira.second_factor where account = $1 for update",
            account.raw()
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("factor.load", found)? else { return Ok(None) };
        let authenticator = row.secret.zip(row.begun_at).map(|(sealed, begun_at)| Authenticator {
            sealed,
            begun_at: instant(begun_at),
            confirmed_at: row.confirmed_at.map(instant),
            step: row.step,
        });
        let digest =
            |bytes: Vec<u8>| bytes.try_into().map_err(|_| corrupt("store.factor", "a digest of another length"));
        let recovery = row.recovery.into_iter().map(digest).collect::<Result<_>>()?;
        Ok(Some(SecondFactor { account, authenticator, recovery }))
    }

    async fn put_second_factor(&mut self, factor: &SecondFactor) -> Result<()> {
        let device = factor.authenticator.as_ref();
        let recovery: Vec<Vec<u8>> = factor.recovery.iter().map(|digest| digest.to_vec()).collect();
        let done = sqlx::query!(
            "insert into daira.second_factor (account, secret, begun_at, confirmed_at, step, recovery)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (account) do update
                 set secret = excluded.secret, begun_at = excluded.begun_at, confirmed_at = excluded.confirmed_at,
                     step = excluded.step, recovery = excluded.recovery",
            factor.account.raw(),
            device.map(|device| device.sealed.as_slice()),
            device.map(|device| stored(device.begun_at)),
            device.and_then(|device| device.confirmed_at).map(stored),
            device.map_or(0, |device| device.step),
            &recovery,
        )
        .execute(self.connection())
        .await;
        self.check("factor.put", done).map(drop)
    }

    async fn delete_second_factor(&mut self, account: AccountId) -> Result<bool> {
        let done = sqlx::query!("delete from daira.second_factor where account = $1", account.raw())
            .execute(self.connection())
            .await;
        Ok(self.check("factor.delete", done)?.rows_affected() > 0)
    }
}
