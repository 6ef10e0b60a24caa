//! Accounts, profiles and sessions: the reading half.

use async_trait::async_trait;
use daira_core::account::{
    Account, Email, Identity, Passkey, Phone, Profile, ProfileCounters, Session, StoredCredential, StoredPasskey,
    VerifiedPhone,
};
use daira_core::error::{Error, Result};
use daira_core::id::{AccountId, Id, PasskeyId, ProfileId, SessionId};
use daira_core::port::PublicPart;
use daira_core::port::store::AccountReads;
use daira_core::text::Handle;
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::fault;
use super::super::view::PgView;
use super::rows::{AccountRow, ProfileRow, SessionRow, instant, models, raws, state, stored};

#[async_trait]
impl AccountReads for PgView {
    async fn credential_by_email(&mut self, email: &Email) -> Result<Option<StoredCredential>> {
        let found = sqlx::query_as!(
            CredentialRow,
            r#"select account as "account!", profile as "profile!", password_hash as "password_hash!", state as "state!", suspended_until
               from daira.credential_by_email($1) where profile is not null"#,
            email.as_str()
        );
        let found = found.fetch_optional(self.connection()).await.map_err(|e| fault("credential.by_email", e))?;
        found.map(StoredCredential::try_from).transpose()
    }

    async fn credential_by_phone(&mut self, phone: &Phone) -> Result<Option<StoredCredential>> {
        let found = sqlx::query_as!(
            CredentialRow,
            r#"select account as "account!", profile as "profile!", password_hash as "password_hash!", state as "state!", suspended_until
               from daira.credential_by_phone($1) where profile is not null"#,
            phone.as_str()
        );
        let found = found.fetch_optional(self.connection()).await.map_err(|e| fault("credential.by_phone", e))?;
        found.map(StoredCredential::try_from).transpose()
    }

    async fn credential_by_identity(&mut self, identity: &Identity) -> Result<Option<StoredCredential>> {
        let found = sqlx::query_as!(
            CredentialRow,
            r#"select account as "account!", profile as "profile!", password_hash as "password_hash!", state as "state!", suspended_until
               from daira.credential_by_identity($1, $2) where profile is not null"#,
            identity.issuer,
            identity.subject
        );
        let found = found.fetch_optional(self.connection()).await.map_err(|e| fault("credential.by_identity", e))?;
        found.map(StoredCredential::try_from).transpose()
    }

    async fn passkey_by_credential(&mut self, credential: &[u8]) -> Result<Option<StoredPasskey>> {
        let found = sqlx::query!(
            r#"select id as "id!", account as "account!", key as "key!", name as "name!", created_at as "created_at!", used_at,
                      profile as "profile!"
               from daira.passkey_by_credential($1) where profile is not null"#,
            credential
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("passkey.by_credential", e))?;
        Ok(found.map(|row| StoredPasskey {
            passkey: Passkey {
                id: PasskeyId::from_raw(row.id),
                account: AccountId::from_raw(row.account),
                public: PublicPart { credential: credential.to_vec(), key: row.key },
                name: row.name,
                created_at: instant(row.created_at),
                used_at: row.used_at.map(instant),
            },
            profile: ProfileId::from_raw(row.profile),
        }))
    }

    async fn own_account(&mut self) -> Result<Option<Account>> {
        let Some(member) = self.member() else { return Ok(None) };
        sqlx::query_as!(
            AccountRow,
            "select id, email, state, suspended_until, leaving_at, birth_date, locale, created_at, version from daira.account where id = $1",
            member.account.raw()
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("account.own", e))?
        .map(Account::try_from)
        .transpose()
    }

    async fn own_phone(&mut self) -> Result<Option<VerifiedPhone>> {
        let found = sqlx::query!(
            "select account, number, verified_at from daira.phone where account = (select daira.my_account())"
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("phone.own", e))?;
        Ok(found.map(|row| VerifiedPhone {
            account: AccountId::from_raw(row.account),
            number: Phone::from_stored(row.number),
            verified_at: instant(row.verified_at),
        }))
    }

    async fn own_sessions(&mut self, now: Timestamp) -> Result<Vec<Session>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let rows = sqlx::query_as!(
            SessionRow,
            "select id, account, profile, device, salt, generation, seen_generation, rotated_at, created_at, proven_at,
                    last_used_at, expires_at, revoked_at, app, scopes, place, known_device
             from daira.session where account = $1 and revoked_at is null and expires_at > $2 and app is null
             order by created_at desc, id desc",
            member.account.raw(),
            stored(now)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("session.own", e))?;
        models(rows)
    }

    async fn own_profiles(&mut self) -> Result<Vec<Profile>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let rows = sqlx::query_as!(
            ProfileRow,
            "select id, account, handle, name, bio, links, avatar, kind, private, standing, created_at, version
             from daira.profile where account = $1 and standing < 2
             order by created_at, id",
            member.account.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("profile.own", e))?;
        models(rows)
    }

    async fn shows_activity(&mut self) -> Result<bool> {
        let Some(member) = self.member() else { return Ok(false) };
        let shows = sqlx::query_scalar!("select shows_activity from daira.profile where id = $1", member.profile.raw())
            .fetch_optional(self.connection())
            .await
            .map_err(|e| fault("profile.activity", e))?;
        Ok(shows.unwrap_or(false))
    }

    async fn profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<Profile>> {
        let rows = sqlx::query_as!(
            ProfileRow,
            r#"select id as "id!", account as "account!", handle as "handle!", name as "name!", bio as "bio!", links as "links!",
                      avatar, kind as "kind!", private as "private!", standing as "standing!", created_at as "created_at!",
                      version as "version!"
               from daira.visible_profile where id = any($1)"#,
            &raws(ids)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("profile.visible", e))?;
        models(rows)
    }

    async fn profile_by_handle(&mut self, handle: &Handle) -> Result<Option<Profile>> {
        sqlx::query_as!(
            ProfileRow,
            r#"select id as "id!", account as "account!", handle as "handle!", name as "name!", bio as "bio!", links as "links!",
                      avatar, kind as "kind!", private as "private!", standing as "standing!", created_at as "created_at!",
                      version as "version!"
               from daira.visible_profile where handle = $1 and standing < 2"#,
            handle.as_str()
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("profile.by_handle", e))?
        .map(Profile::try_from)
        .transpose()
    }

    async fn profile_counters(&mut self, ids: &[ProfileId]) -> Result<Vec<(ProfileId, ProfileCounters)>> {
        let rows = sqlx::query!(
            r#"select p.id as "id!", coalesce(c.posts, 0) as "posts!", coalesce(c.followers, 0) as "followers!",
                      coalesce(c.following, 0) as "following!"
               from daira.visible_profile p left join daira.profile_counter c on c.profile = p.id
               where p.id = any($1)"#,
            &raws(ids)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("profile.counters", e))?;
        let counters = rows.into_iter().map(|row| {
            let counters = ProfileCounters { posts: row.posts, followers: row.followers, following: row.following };
            (ProfileId::from_raw(row.id), counters)
        });
        Ok(counters.collect())
    }

    async fn revoked_since(&mut self, since: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
        let rows = sqlx::query!(
            r#"select id as "id!", revoked_at as "revoked_at!" from daira.sessions_revoked($1)"#,
            stored(since)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("session.revoked", e))?;
        Ok(rows.into_iter().map(|row| (SessionId::from_raw(row.id), instant(row.revoked_at))).collect())
    }
}

/// What a log-in needs to know, as the functions of the database answer it.
struct CredentialRow {
    account: i64,
    profile: i64,
    password_hash: String,
    state: i16,
    suspended_until: Option<OffsetDateTime>,
}

impl TryFrom<CredentialRow> for StoredCredential {
    type Error = Error;

    fn try_from(row: CredentialRow) -> Result<Self> {
        Ok(Self {
            account: AccountId::from_raw(row.account),
            profile: ProfileId::from_raw(row.profile),
            password_hash: row.password_hash,
            state: state(row.state, row.suspended_until)?,
        })
    }
}
