//! Phone numbers. Row security shows a member that of their own account.

use async_trait::async_trait;
use daira_core::account::{Phone, VerifiedPhone};
use daira_core::error::Result;
use daira_core::id::{AccountId, Id};
use daira_core::port::store::PhoneRepository;
use daira_core::time::Timestamp;

use super::super::unit::PgUnit;
use super::rows::{instant, stored};

#[async_trait]
impl PhoneRepository for PgUnit {
    async fn phone(&mut self, account: AccountId) -> Result<Option<VerifiedPhone>> {
        let found = sqlx::query!("select number, verified_at from daira.phone where account = $1", account.raw())
            .fetch_optional(self.connection())
            .await;
        Ok(self.check("phone.load", found)?.map(|row| VerifiedPhone {
            account,
            number: Phone::from_stored(row.number),
            verified_at: instant(row.verified_at),
        }))
    }

    async fn put_phone(&mut self, phone: &VerifiedPhone) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.phone (account, number, verified_at) values ($1, $2, $3)
             on conflict (account) do update set number = excluded.number, verified_at = excluded.verified_at",
            phone.account.raw(),
            phone.number.as_str(),
            stored(phone.verified_at),
        )
        .execute(self.connection())
        .await;
        self.check("phone.put", done).map(drop)
    }

    async fn delete_phone(&mut self, account: AccountId) -> Result<bool> {
        let done =
            sqlx::query!("delete from daira.phone where account = $1", account.raw()).execute(self.connection()).await;
        Ok(self.check("phone.delete", done)?.rows_affected() > 0)
    }

    async fn phone_holder(&mut self, number: &Phone) -> Result<Option<AccountId>> {
        let found = sqlx::query_scalar!("select account from daira.phone where number = $1", number.as_str())
            .fetch_optional(self.connection())
            .await;
        Ok(self.check("phone.holder", found)?.map(AccountId::from_raw))
    }

    async fn codes_for(&mut self, number: &Phone, at: Timestamp) -> Result<usize> {
        // By the index on when they lapse: codes of the last minutes are few.
        let found = sqlx::query_scalar!(
            r#"select count(*) as "count!" from daira.mailing where phone = $1 and expires_at > $2 and kind in (11, 12)"#,
            number.as_str(),
            stored(at),
        )
        .fetch_one(self.connection())
        .await;
        Ok(usize::try_from(self.check("phone.codes", found)?).unwrap_or(usize::MAX))
    }
}
