//! Staff, sanctions and takedowns. The platform's role writes them; row security shows a member their own.

use async_trait::async_trait;
use daira_core::account::{Profile, Session};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{AccountId, ChallengeId, Id, ProfileId};
use daira_core::port::store::{Lock, StaffReads, StaffRepository};
use daira_core::staff::{Reason, Reference, Sanction, StaffMember, StaffRole, Strike, Struck, Takedown, Target, Why};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::unit::PgUnit;
use super::super::view::PgView;
use super::rows::{ProfileRow, SessionRow, instant, limit, locked, models, stored};

struct RoleRow {
    role: i16,
}

struct SanctionRow {
    account: i64,
    by_profile: Option<i64>,
    by_role: Option<i16>,
    reason: i16,
    reference: Option<String>,
    at: OffsetDateTime,
    asleep: bool,
}

struct TakedownRow {
    kind: i16,
    subject: i64,
    owner: i64,
    by_profile: Option<i64>,
    reason: i16,
    reference: Option<String>,
    at: OffsetDateTime,
    kept: Option<String>,
    notice: i64,
}

fn role(code: i16) -> Result<StaffRole> {
    StaffRole::from_code(code).ok_or_else(|| corrupt("store.staff_role", code.to_string()))
}

fn why(reason: i16, reference: Option<String>) -> Result<Why> {
    let known = Reason::from_number(reason).ok_or_else(|| corrupt("store.reason", reason.to_string()))?;
    let reference = reference.map(|text| Reference::new(&text)).transpose();
    Ok(Why { reason: known, reference: reference.map_err(|_| corrupt("store.reference", "one that is none"))? })
}

impl TryFrom<SanctionRow> for Sanction {
    type Error = Error;

    fn try_from(row: SanctionRow) -> Result<Self> {
        Ok(Self {
            account: AccountId::from_raw(row.account),
            by: row.by_profile.map(ProfileId::from_raw),
            rank: row.by_role.map(role).transpose()?,
            why: why(row.reason, row.reference)?,
            at: instant(row.at),
            asleep: row.asleep,
        })
    }
}

impl TryFrom<TakedownRow> for Takedown {
    type Error = Error;

    fn try_from(row: TakedownRow) -> Result<Self> {
        let target = Target::from_code(row.kind, row.subject);
        Ok(Self {
            target: target.ok_or_else(|| corrupt("store.takedown", row.kind.to_string()))?,
            owner: ProfileId::from_raw(row.owner),
            by: row.by_profile.map(ProfileId::from_raw),
            why: why(row.reason, row.reference)?,
            at: instant(row.at),
            kept: row.kept,
            notice: ChallengeId::from_raw(row.notice),
        })
    }
}

impl PgUnit {
    /// Says in the row of a post or a comment whether it is down; in a post's, so that feeds look at it again.
    async fn mark(&mut self, target: Target, at: Option<Timestamp>) -> Result<()> {
        let (_, id) = target.code();
        match target {
            Target::Post(_) => {
                let done = sqlx::query!("update daira.post set taken_down_at = $2 where id = $1", id, at.map(stored))
                    .execute(self.connection())
                    .await;
                self.check("takedown.mark", done)?;
                let done = sqlx::query!("insert into daira.post_changed (post) values ($1) on conflict do nothing", id)
                    .execute(self.connection())
                    .await;
                self.check("post.changed", done).map(drop)
            }
            Target::Comment(_) => {
                let done =
                    sqlx::query!("update daira.comment set taken_down_at = $2 where id = $1", id, at.map(stored))
                        .execute(self.connection())
                        .await;
                self.check("takedown.mark", done).map(drop)
            }
            Target::Name(_) | Target::Picture(_) => Ok(()),
        }
    }
}

#[async_trait]
impl StaffRepository for PgUnit {
    async fn role(&mut self, account: AccountId, lock: Lock) -> Result<Option<StaffRole>> {
        let found =
            locked!(lock, RoleRow, "select role from daira.staff where account = $1", self.connection(), account.raw());
        self.check("staff.role", found)?.map(|row| role(row.role)).transpose()
    }

    async fn staff(&mut self) -> Result<Vec<StaffMember>> {
        let found = sqlx::query!("select account, role, since from daira.staff order by role desc, since, account")
            .fetch_all(self.connection())
            .await;
        let rows = self.check("staff.list", found)?.into_iter();
        rows.map(|row| {
            let (account, since) = (AccountId::from_raw(row.account), instant(row.since));
            Ok(StaffMember { account, role: role(row.role)?, since })
        })
        .collect()
    }

    async fn admins(&mut self) -> Result<Vec<AccountId>> {
        let found = sqlx::query_scalar!(
            "select account from daira.staff where role = $1 order by account for no key update",
            StaffRole::Admin.code()
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("staff.admins", found)?.into_iter().map(AccountId::from_raw).collect())
    }

    async fn put_role(&mut self, member: &StaffMember) -> Result<()> {
        self.is_for(member.account);
        let done = sqlx::query!(
            "insert into daira.staff (account, role, since) values ($1, $2, $3)
             on conflict (account) do update set role = excluded.role, since = excluded.since",
            member.account.raw(),
            member.role.code(),
            stored(member.since),
        )
        .execute(self.connection())
        .await;
        self.check("staff.put", done).map(drop)
    }

    async fn remove_role(&mut self, account: AccountId) -> Result<bool> {
        self.is_for(account);
        let done =
            sqlx::query!("delete from daira.staff where account = $1", account.raw()).execute(self.connection()).await;
        Ok(self.check("staff.remove", done)?.rows_affected() > 0)
    }

    async fn faces_of(&mut self, account: AccountId) -> Result<Vec<Profile>> {
        let found = sqlx::query_as!(
            ProfileRow,
            "select id, account, handle, name, bio, links, avatar, kind, private, standing, created_at, version
             from daira.profile where account = $1 and standing < 2 order by created_at, id",
            account.raw()
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("staff.faces", found)?)
    }

    async fn sessions_of(&mut self, account: AccountId, now: Timestamp) -> Result<Vec<Session>> {
        let found = sqlx::query_as!(
            SessionRow,
            "select id, account, profile, device, salt, generation, seen_generation, rotated_at, created_at, proven_at,
                    last_used_at, expires_at, revoked_at, app, scopes, place, known_device
             from daira.session where account = $1 and revoked_at is null and expires_at > $2 order by created_at desc, id desc",
            account.raw(),
            stored(now)
        )
        .fetch_all(self.connection())
        .await;
        models(self.check("staff.sessions", found)?)
    }

    async fn sanction(&mut self, account: AccountId) -> Result<Option<Sanction>> {
        let found = sqlx::query_as!(
            SanctionRow,
            "select account, by_profile, by_role, reason, reference, at, asleep from daira.sanction where account = $1",
            account.raw()
        )
        .fetch_optional(self.connection())
        .await;
        self.check("sanction.load", found)?.map(Sanction::try_from).transpose()
    }

    async fn put_sanction(&mut self, sanction: &Sanction) -> Result<()> {
        self.is_for(sanction.account);
        let done = sqlx::query!(
            "insert into daira.sanction (account, by_profile, by_role, reason, reference, at, asleep)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (account) do update
                 set by_profile = excluded.by_profile, by_role = excluded.by_role, reason = excluded.reason, reference = excluded.reference,
                     at = excluded.at, asleep = excluded.asleep",
            sanction.account.raw(),
            sanction.by.map(Id::raw),
            sanction.rank.map(StaffRole::code),
            sanction.why.reason.number(),
            sanction.why.reference.as_ref().map(Reference::as_str),
            stored(sanction.at),
            sanction.asleep,
        )
        .execute(self.connection())
        .await;
        self.check("sanction.put", done).map(drop)
    }

    async fn remove_sanction(&mut self, account: AccountId) -> Result<bool> {
        self.is_for(account);
        let done = sqlx::query!("delete from daira.sanction where account = $1", account.raw())
            .execute(self.connection())
            .await;
        Ok(self.check("sanction.remove", done)?.rows_affected() > 0)
    }

    async fn put_strike(&mut self, strike: &Strike) -> Result<()> {
        self.is_for(strike.account);
        let (kind, subject) = strike.what.map_or((0, 0), Target::code);
        let done = sqlx::query!(
            "insert into daira.strike (account, kind, subject, at, by_role) values ($1, $2, $3, $4, $5) on conflict do nothing",
            strike.account.raw(),
            kind,
            subject,
            stored(strike.at),
            strike.rank.map(StaffRole::code)
        )
        .execute(self.connection())
        .await;
        self.check("strike.insert", done).map(drop)
    }

    async fn latest_strike(&mut self, of: Struck) -> Result<Option<Strike>> {
        let (account, (kind, subject)) = match of {
            Struck::Account(account) => (Some(account.raw()), (0, 0)),
            Struck::Content(target) => (None, target.code()),
        };
        // Each is found by an index of its own.
        let found = sqlx::query!(
            r#"(select account as "account!", kind as "kind!", subject as "subject!", at as "at!", by_role from daira.strike
                where account = $1 and kind = 0 order by at desc limit 1)
               union all
               (select account, kind, subject, at, by_role from daira.strike
                where $1::bigint is null and kind = $2 and subject = $3 and kind <> 0 order by at desc limit 1)"#,
            account,
            kind,
            subject
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("strike.latest", found)? else { return Ok(None) };
        let account = AccountId::from_raw(row.account);
        self.is_for(account);
        let rank = row.by_role.map(role).transpose()?;
        Ok(Some(Strike { account, what: Target::from_code(row.kind, row.subject), at: instant(row.at), rank }))
    }

    async fn remove_strike(&mut self, strike: &Strike) -> Result<bool> {
        self.is_for(strike.account);
        let (kind, subject) = strike.what.map_or((0, 0), Target::code);
        let done = sqlx::query!(
            "delete from daira.strike where account = $1 and kind = $2 and subject = $3 and at = $4",
            strike.account.raw(),
            kind,
            subject,
            stored(strike.at)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("strike.delete", done)?.rows_affected() > 0)
    }

    async fn suspensions_over(&mut self, now: Timestamp, limit_rows: u32) -> Result<Vec<AccountId>> {
        let found = sqlx::query_scalar!(
            "select id from daira.account where state = 2 and suspended_until <= $1 order by suspended_until, id limit $2",
            stored(now),
            limit(limit_rows)
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("sanction.over", found)?.into_iter().map(AccountId::from_raw).collect())
    }

    async fn take_down(&mut self, takedown: &Takedown) -> Result<()> {
        let (kind, subject) = takedown.target.code();
        let done = sqlx::query!(
            "insert into daira.takedown (kind, subject, owner, by_profile, reason, reference, at, kept, notice)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
            kind,
            subject,
            takedown.owner.raw(),
            takedown.by.map(Id::raw),
            takedown.why.reason.number(),
            takedown.why.reference.as_ref().map(Reference::as_str),
            stored(takedown.at),
            takedown.kept.as_deref(),
            takedown.notice.raw(),
        )
        .execute(self.connection())
        .await;
        if self.check("takedown.insert", done)?.rows_affected() == 0 {
            return Err(Error::new(ErrorKind::Conflict("takedown"), "takedown.insert"));
        }
        self.mark(takedown.target, Some(takedown.at)).await
    }

    async fn put_back(&mut self, target: Target) -> Result<bool> {
        let (kind, subject) = target.code();
        let done = sqlx::query!("delete from daira.takedown where kind = $1 and subject = $2", kind, subject)
            .execute(self.connection())
            .await;
        let found = self.check("takedown.delete", done)?.rows_affected() > 0;
        if found {
            self.mark(target, None).await?;
        }
        Ok(found)
    }

    async fn takedown(&mut self, target: Target) -> Result<Option<Takedown>> {
        let (kind, subject) = target.code();
        let found = sqlx::query_as!(
            TakedownRow,
            "select kind, subject, owner, by_profile, reason, reference, at, kept, notice from daira.takedown
             where kind = $1 and subject = $2",
            kind,
            subject
        )
        .fetch_optional(self.connection())
        .await;
        self.check("takedown.load", found)?.map(Takedown::try_from).transpose()
    }

    async fn takedown_told_by(&mut self, notice: ChallengeId) -> Result<Option<Takedown>> {
        let found = sqlx::query_as!(
            TakedownRow,
            "select kind, subject, owner, by_profile, reason, reference, at, kept, notice from daira.takedown where notice = $1",
            notice.raw()
        )
        .fetch_optional(self.connection())
        .await;
        self.check("takedown.told_by", found)?.map(Takedown::try_from).transpose()
    }
}

#[async_trait]
impl StaffReads for PgView {
    async fn own_role(&mut self) -> Result<Option<StaffRole>> {
        let account = self.member().map(|member| member.account.raw());
        let found = sqlx::query_scalar!("select role from daira.staff where account = $1", account)
            .fetch_optional(self.connection())
            .await;
        found.map_err(|e| fault("staff.own_role", e))?.map(role).transpose()
    }

    async fn own_sanction(&mut self) -> Result<Option<Sanction>> {
        let account = self.member().map(|member| member.account.raw());
        let found = sqlx::query_as!(
            SanctionRow,
            "select account, by_profile, by_role, reason, reference, at, asleep from daira.sanction where account = $1",
            account
        )
        .fetch_optional(self.connection())
        .await;
        found.map_err(|e| fault("sanction.own", e))?.map(Sanction::try_from).transpose()
    }

    async fn own_takedowns(&mut self) -> Result<Vec<Takedown>> {
        let me = self.me().map(Id::raw);
        let found = sqlx::query_as!(
            TakedownRow,
            "select kind, subject, owner, by_profile, reason, reference, at, kept, notice from daira.takedown
             where owner = $1 order by at desc, kind desc, subject desc limit 100",
            me
        )
        .fetch_all(self.connection())
        .await;
        models(found.map_err(|e| fault("takedown.own", e))?)
    }
}
