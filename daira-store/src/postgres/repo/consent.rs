//! Consents. Row security shows a member those of their own account, and lets them add to these alone.

use async_trait::async_trait;
use daira_core::error::{Error, Result};
use daira_core::id::{AccountId, Id};
use daira_core::port::store::ConsentRepository;
use daira_core::record::{Consent, Purpose};
use time::OffsetDateTime;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::{instant, models, stored};

struct ConsentRow {
    account: i64,
    purpose: i16,
    given: bool,
    version: i16,
    at: OffsetDateTime,
}

impl TryFrom<ConsentRow> for Consent {
    type Error = Error;

    fn try_from(row: ConsentRow) -> Result<Self> {
        Ok(Self {
            account: AccountId::from_raw(row.account),
            purpose: Purpose::from_number(row.purpose)
                .ok_or_else(|| corrupt("store.consent", row.purpose.to_string()))?,
            given: row.given,
            version: u16::try_from(row.version).map_err(|e| corrupt("store.consent", e.to_string()))?,
            at: instant(row.at),
        })
    }
}

#[async_trait]
impl ConsentRepository for PgUnit {
    async fn consents(&mut self, account: AccountId) -> Result<Vec<Consent>> {
        let found = sqlx::query_as!(
            ConsentRow,
            "select account, purpose, given, version, at from daira.consent
             where account = $1 order by at desc, purpose desc",
            account.raw()
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("consent.list", found)?)
    }

    async fn latest_consent(&mut self, account: AccountId, purpose: Purpose) -> Result<Option<Consent>> {
        let found = sqlx::query_as!(
            ConsentRow,
            "select account, purpose, given, version, at from daira.consent
             where account = $1 and purpose = $2 order by at desc limit 1",
            account.raw(),
            purpose.number()
        )
        .fetch_optional(self.connection())
        .await;
        self.check("consent.latest", found)?.map(Consent::try_from).transpose()
    }

    async fn add_consent(&mut self, consent: &Consent) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.consent (account, purpose, at, given, version) values ($1, $2, $3, $4, $5)",
            consent.account.raw(),
            consent.purpose.number(),
            stored(consent.at),
            consent.given,
            i16::try_from(consent.version).map_err(|e| corrupt("store.consent", e.to_string()))?
        )
        .execute(self.connection())
        .await;
        self.check("consent.insert", done).map(drop)
    }
}
