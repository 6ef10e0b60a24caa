//! Second factors, passkeys and identities at providers. Row security shows a member those of their own account.

use async_trait::async_trait;
use daira_core::account::{
    Authenticator, CeremonyKind, Identity, LinkedIdentity, Passkey, PendingCeremony, SecondFactor,
};
use daira_core::error::Result;
use daira_core::id::{AccountId, ChallengeId, Id, PasskeyId};
use daira_core::port::PublicPart;
use daira_core::port::store::FactorRepository;
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::corrupt;
use super::super::unit::PgUnit;
use super::rows::{instant, limit, stored};

#[async_trait]
impl FactorRepository for PgUnit {
    async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactor>> {
        let found = sqlx::query!(
            r#"select f.secret, f.begun_at, f.confirmed_at, f.step, f.recovery,
                      (select count(*) from daira.passkey p where p.account = f.account) as "passkeys!"
               from daira.second_factor f where f.account = $1 for update"#,
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
        Ok(Some(SecondFactor {
            account,
            authenticator,
            recovery,
            passkeys: usize::try_from(row.passkeys).unwrap_or(0),
        }))
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

    async fn passkeys(&mut self, account: AccountId) -> Result<Vec<Passkey>> {
        let found = sqlx::query_as!(
            PasskeyRow,
            "select id, account, credential, key, name, created_at, used_at from daira.passkey where account = $1
             order by created_at, id",
            account.raw()
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("passkey.list", found)?.into_iter().map(Passkey::from).collect())
    }

    async fn passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<Option<Passkey>> {
        let found = sqlx::query_as!(
            PasskeyRow,
            "select id, account, credential, key, name, created_at, used_at from daira.passkey where id = $1 and account = $2
             for update",
            id.raw(),
            account.raw()
        )
        .fetch_optional(self.connection())
        .await;
        Ok(self.check("passkey.load", found)?.map(Passkey::from))
    }

    async fn insert_passkey(&mut self, passkey: &Passkey) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.passkey (id, account, credential, key, name, created_at, used_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
            passkey.id.raw(),
            passkey.account.raw(),
            passkey.public.credential,
            passkey.public.key,
            passkey.name,
            stored(passkey.created_at),
            passkey.used_at.map(stored),
        )
        .execute(self.connection())
        .await;
        self.check("passkey.insert", done).map(drop)
    }

    async fn update_passkey(&mut self, passkey: &Passkey) -> Result<()> {
        let done = sqlx::query!(
            "update daira.passkey set key = $3, name = $4, used_at = $5 where id = $1 and account = $2",
            passkey.id.raw(),
            passkey.account.raw(),
            passkey.public.key,
            passkey.name,
            passkey.used_at.map(stored),
        )
        .execute(self.connection())
        .await;
        self.check_version("passkey.update", done)
    }

    async fn delete_passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<bool> {
        let done = sqlx::query!("delete from daira.passkey where id = $1 and account = $2", id.raw(), account.raw())
            .execute(self.connection())
            .await;
        Ok(self.check("passkey.delete", done)?.rows_affected() > 0)
    }

    async fn identities(&mut self, account: AccountId) -> Result<Vec<LinkedIdentity>> {
        let found = sqlx::query!(
            "select issuer, subject, linked_at, used_at from daira.identity where account = $1 order by linked_at, issuer for update",
            account.raw()
        )
        .fetch_all(self.connection())
        .await;
        let linked = self.check("identity.list", found)?.into_iter().map(|row| LinkedIdentity {
            account,
            identity: Identity { issuer: row.issuer, subject: row.subject },
            linked_at: instant(row.linked_at),
            used_at: row.used_at.map(instant),
        });
        Ok(linked.collect())
    }

    async fn insert_identity(&mut self, linked: &LinkedIdentity) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.identity (account, issuer, subject, linked_at, used_at) values ($1, $2, $3, $4, $5)",
            linked.account.raw(),
            linked.identity.issuer,
            linked.identity.subject,
            stored(linked.linked_at),
            linked.used_at.map(stored),
        )
        .execute(self.connection())
        .await;
        self.check("identity.insert", done).map(drop)
    }

    async fn use_identity(&mut self, account: AccountId, issuer: &str, at: Timestamp) -> Result<()> {
        let done = sqlx::query!(
            "update daira.identity set used_at = $3 where account = $1 and issuer = $2",
            account.raw(),
            issuer,
            stored(at),
        )
        .execute(self.connection())
        .await;
        self.check_version("identity.use", done)
    }

    async fn delete_identity(&mut self, account: AccountId, issuer: &str) -> Result<bool> {
        let done = sqlx::query!("delete from daira.identity where account = $1 and issuer = $2", account.raw(), issuer)
            .execute(self.connection())
            .await;
        Ok(self.check("identity.delete", done)?.rows_affected() > 0)
    }

    async fn insert_ceremony(&mut self, ceremony: &PendingCeremony) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.ceremony (id, kind, account, state, expires_at) values ($1, $2, $3, $4, $5)",
            ceremony.id.raw(),
            ceremony_code(ceremony.kind),
            ceremony.account.map(Id::raw),
            ceremony.state,
            stored(ceremony.expires_at),
        )
        .execute(self.connection())
        .await;
        self.check("ceremony.insert", done).map(drop)
    }

    async fn take_ceremony(&mut self, id: ChallengeId) -> Result<Option<PendingCeremony>> {
        let found = sqlx::query!(
            r#"select kind as "kind!", account, state as "state!", expires_at as "expires_at!" from daira.ceremony_take($1)"#,
            id.raw()
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("ceremony.take", found)? else { return Ok(None) };
        Ok(Some(PendingCeremony {
            id,
            kind: ceremony_kind(row.kind)?,
            account: row.account.map(AccountId::from_raw),
            state: row.state,
            expires_at: instant(row.expires_at),
        }))
    }

    async fn purge_ceremonies(&mut self, before: Timestamp, limit_rows: u32) -> Result<u64> {
        let done = sqlx::query!(
            "with due as materialized (
                 select id from daira.ceremony where expires_at < $1 order by expires_at limit $2 for update skip locked
             )
             delete from daira.ceremony c using due where c.id = due.id",
            stored(before),
            limit(limit_rows)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("ceremony.purge", done)?.rows_affected())
    }
}

/// A row of `passkey`.
struct PasskeyRow {
    id: i64,
    account: i64,
    credential: Vec<u8>,
    key: Vec<u8>,
    name: String,
    created_at: OffsetDateTime,
    used_at: Option<OffsetDateTime>,
}

impl From<PasskeyRow> for Passkey {
    fn from(row: PasskeyRow) -> Self {
        Self {
            id: PasskeyId::from_raw(row.id),
            account: AccountId::from_raw(row.account),
            public: PublicPart { credential: row.credential, key: row.key },
            name: row.name,
            created_at: instant(row.created_at),
            used_at: row.used_at.map(instant),
        }
    }
}

fn ceremony_code(kind: CeremonyKind) -> i16 {
    match kind {
        CeremonyKind::Making => 0,
        CeremonyKind::LogIn => 1,
        CeremonyKind::Proof => 2,
        CeremonyKind::IdentityLogIn => 3,
        CeremonyKind::IdentityLink => 4,
        CeremonyKind::IdentityProof => 5,
    }
}

fn ceremony_kind(code: i16) -> Result<CeremonyKind> {
    match code {
        0 => Ok(CeremonyKind::Making),
        1 => Ok(CeremonyKind::LogIn),
        2 => Ok(CeremonyKind::Proof),
        3 => Ok(CeremonyKind::IdentityLogIn),
        4 => Ok(CeremonyKind::IdentityLink),
        5 => Ok(CeremonyKind::IdentityProof),
        _ => Err(corrupt("store.ceremony", code.to_string())),
    }
}
