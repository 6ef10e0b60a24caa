//! Apps of others. Row security shows a member those of their own account; who is only asked about an app finds it by its id.

use async_trait::async_trait;
use daira_core::account::AccountState;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{AccountId, AppId, ChallengeId, Id, ProfileId, SessionId};
use daira_core::oauth::{App, Code, ConnectedApp, Grant, Scopes};
use daira_core::port::store::{AppReads, AppRepository};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::unit::PgUnit;
use super::super::view::PgView;
use super::rows::{instant, limit, state_code, stored};

#[async_trait]
impl AppRepository for PgUnit {
    async fn insert_app(&mut self, app: &App) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.app (id, owner, name, redirects, confidential, secret, created_at, deleted_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            app.id.raw(),
            app.owner.raw(),
            app.name,
            &app.redirects,
            app.confidential,
            app.secret,
            stored(app.created_at),
            app.deleted_at.map(stored),
            app.version,
        )
        .execute(self.connection())
        .await;
        self.check("app.insert", done).map(drop)
    }

    async fn app(&mut self, id: AppId) -> Result<Option<App>> {
        let found = sqlx::query_as!(
            AppRow,
            r#"select id as "id!", owner as "owner!", name as "name!", redirects as "redirects!", confidential as "confidential!",
                      secret as "secret!", created_at as "created_at!", deleted_at, version as "version!"
               from daira.app_by_id($1)"#,
            id.raw()
        )
        .fetch_optional(self.connection())
        .await;
        Ok(self.check("app.load", found)?.map(App::from))
    }

    async fn living_app(&mut self, id: AppId, now: Timestamp) -> Result<Option<App>> {
        let found = sqlx::query_as!(
            AppRow,
            r#"select id as "id!", owner as "owner!", name as "name!", redirects as "redirects!", confidential as "confidential!",
                      secret as "secret!", created_at as "created_at!", deleted_at, version as "version!"
               from daira.living_app($1, $2)"#,
            id.raw(),
            stored(now)
        )
        .fetch_optional(self.connection())
        .await;
        Ok(self.check("app.living", found)?.map(App::from))
    }

    async fn update_app(&mut self, app: &App) -> Result<()> {
        let done = sqlx::query!(
            "update daira.app set name = $2, redirects = $3, secret = $4, deleted_at = $5, version = $6
             where id = $1 and version = $6 - 1",
            app.id.raw(),
            app.name,
            &app.redirects,
            app.secret,
            app.deleted_at.map(stored),
            app.version,
        )
        .execute(self.connection())
        .await;
        self.check_version("app.update", done)
    }

    async fn app_count(&mut self, owner: AccountId) -> Result<usize> {
        let counted = sqlx::query_scalar!(
            r#"select count(*) as "count!" from daira.app where owner = $1 and deleted_at is null"#,
            owner.raw()
        )
        .fetch_one(self.connection())
        .await;
        Ok(usize::try_from(self.check("app.count", counted)?).unwrap_or(0))
    }

    async fn grant(&mut self, profile: ProfileId, app: AppId) -> Result<Option<Grant>> {
        let found = sqlx::query_as!(
            GrantRow,
            "select app, profile, account, scopes, created_at from daira.app_grant where profile = $1 and app = $2 for update",
            profile.raw(),
            app.raw()
        )
        .fetch_optional(self.connection())
        .await;
        Ok(self.check("grant.load", found)?.map(Grant::from))
    }

    async fn put_grant(&mut self, grant: &Grant) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.app_grant (app, profile, account, scopes, created_at) values ($1, $2, $3, $4, $5)
             on conflict (profile, app) do update set scopes = excluded.scopes",
            grant.app.raw(),
            grant.profile.raw(),
            grant.account.raw(),
            grant.scopes.stored(),
            stored(grant.created_at),
        )
        .execute(self.connection())
        .await;
        self.check("grant.put", done).map(drop)
    }

    async fn delete_grant(&mut self, profile: ProfileId, app: AppId) -> Result<bool> {
        let done =
            sqlx::query!("delete from daira.app_grant where profile = $1 and app = $2", profile.raw(), app.raw())
                .execute(self.connection())
                .await;
        Ok(self.check("grant.delete", done)?.rows_affected() > 0)
    }

    async fn delete_grants(&mut self, account: AccountId) -> Result<Vec<(ProfileId, AppId)>> {
        let gone = sqlx::query!("delete from daira.app_grant where account = $1 returning profile, app", account.raw())
            .fetch_all(self.connection())
            .await;
        let gone = self.check("grant.delete_all", gone)?.into_iter();
        Ok(gone.map(|row| (ProfileId::from_raw(row.profile), AppId::from_raw(row.app))).collect())
    }

    async fn dead_grants(
        &mut self,
        owner: Option<AccountId>,
        after: Option<(AppId, ProfileId)>,
        most: u32,
    ) -> Result<Vec<Grant>> {
        let (app, profile) = after.map_or((0, 0), |(app, profile)| (app.raw(), profile.raw()));
        let found = sqlx::query_as!(
            GrantRow,
            "select g.app, g.profile, g.account, g.scopes, g.created_at
             from daira.app a join daira.account o on o.id = a.owner join daira.app_grant g on g.app = a.id
             where (a.deleted_at is not null or o.state = $1) and ($2::bigint is null or a.owner = $2)
               and (g.app, g.profile) > ($3, $4)
             order by g.app, g.profile limit $5",
            state_code(AccountState::Deleted).0,
            owner.map(Id::raw),
            app,
            profile,
            limit(most)
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("grant.dead", found)?.into_iter().map(Grant::from).collect())
    }

    async fn revoke_granted(
        &mut self,
        account: AccountId,
        profile: ProfileId,
        app: AppId,
        at: Timestamp,
    ) -> Result<Vec<SessionId>> {
        let revoked = sqlx::query_scalar!(
            "update daira.session set revoked_at = $4
             where account = $1 and profile = $2 and app = $3 and revoked_at is null and expires_at > $4
             returning id",
            account.raw(),
            profile.raw(),
            app.raw(),
            stored(at),
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("grant.revoke", revoked)?.into_iter().map(SessionId::from_raw).collect())
    }

    async fn insert_code(&mut self, code: &Code) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.app_code (id, app, account, profile, scopes, redirect, challenge, nonce, agreed_on, proven_at, expires_at,
                     session)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            code.id.raw(),
            code.app.raw(),
            code.account.raw(),
            code.profile.raw(),
            code.scopes.stored(),
            code.redirect,
            &code.challenge[..],
            code.nonce,
            code.agreed_on.raw(),
            stored(code.proven_at),
            stored(code.expires_at),
            code.session.map(Id::raw),
        )
        .execute(self.connection())
        .await;
        self.check("code.insert", done).map(drop)
    }

    async fn code(&mut self, id: ChallengeId) -> Result<Option<Code>> {
        let found = sqlx::query!(
            r#"select app as "app!", account as "account!", profile as "profile!", scopes as "scopes!", redirect as "redirect!",
                      challenge as "challenge!", nonce, agreed_on as "agreed_on!", proven_at as "proven_at!", expires_at as "expires_at!", session
               from daira.app_code_by_id($1)"#,
            id.raw()
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("code.load", found)? else { return Ok(None) };
        Ok(Some(Code {
            id,
            app: AppId::from_raw(row.app),
            account: AccountId::from_raw(row.account),
            profile: ProfileId::from_raw(row.profile),
            scopes: Scopes::from_stored(row.scopes),
            redirect: row.redirect,
            challenge: row.challenge.try_into().map_err(|_| corrupt("store.code", "a digest of another length"))?,
            nonce: row.nonce,
            agreed_on: SessionId::from_raw(row.agreed_on),
            proven_at: instant(row.proven_at),
            expires_at: instant(row.expires_at),
            session: row.session.map(SessionId::from_raw),
        }))
    }

    async fn spend_code(&mut self, id: ChallengeId, session: SessionId) -> Result<()> {
        let done = sqlx::query!(
            "update daira.app_code set session = $2 where id = $1 and session is null",
            id.raw(),
            session.raw()
        )
        .execute(self.connection())
        .await;
        match self.check("code.spend", done)?.rows_affected() {
            0 => Err(Error::new(ErrorKind::Stale, "code.spend")),
            _ => Ok(()),
        }
    }

    async fn purge_codes(&mut self, before: Timestamp, limit_rows: u32) -> Result<u64> {
        let done = sqlx::query!(
            "with due as materialized (
                 select id from daira.app_code where expires_at < $1 order by expires_at limit $2 for update skip locked
             )
             delete from daira.app_code c using due where c.id = due.id",
            stored(before),
            limit(limit_rows)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("code.purge", done)?.rows_affected())
    }
}

#[async_trait]
impl AppReads for PgView {
    async fn own_apps(&mut self) -> Result<Vec<App>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let rows = sqlx::query_as!(
            AppRow,
            "select id, owner, name, redirects, confidential, secret, created_at, deleted_at, version
             from daira.app where owner = $1 and deleted_at is null order by created_at, id",
            member.account.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("app.own", e))?;
        Ok(rows.into_iter().map(App::from).collect())
    }

    async fn connected_apps(&mut self) -> Result<Vec<ConnectedApp>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let rows = sqlx::query!(
            r#"select g.app, g.profile, g.account, g.scopes, g.created_at, a.name as "name!"
               from daira.app_grant g cross join lateral daira.app_by_id(g.app) a
               where g.account = $1 order by g.created_at desc, g.app desc, g.profile desc"#,
            member.account.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("app.connected", e))?;
        let connected = rows.into_iter().map(|row| {
            let (app, profile, account) = (row.app, row.profile, row.account);
            let grant = GrantRow { app, profile, account, scopes: row.scopes, created_at: row.created_at };
            ConnectedApp { grant: grant.into(), name: row.name }
        });
        Ok(connected.collect())
    }
}

/// A row of `app`.
struct AppRow {
    id: i64,
    owner: i64,
    name: String,
    redirects: Vec<String>,
    confidential: bool,
    secret: i32,
    created_at: OffsetDateTime,
    deleted_at: Option<OffsetDateTime>,
    version: i32,
}

impl From<AppRow> for App {
    fn from(row: AppRow) -> Self {
        Self {
            id: AppId::from_raw(row.id),
            owner: AccountId::from_raw(row.owner),
            name: row.name,
            redirects: row.redirects,
            confidential: row.confidential,
            secret: row.secret,
            created_at: instant(row.created_at),
            deleted_at: row.deleted_at.map(instant),
            version: row.version,
        }
    }
}

/// A row of `app_grant`.
struct GrantRow {
    app: i64,
    profile: i64,
    account: i64,
    scopes: i32,
    created_at: OffsetDateTime,
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        Self {
            app: AppId::from_raw(row.app),
            profile: ProfileId::from_raw(row.profile),
            account: AccountId::from_raw(row.account),
            scopes: Scopes::from_stored(row.scopes),
            created_at: instant(row.created_at),
        }
    }
}
