//! Accounts, profiles, handles, credentials and sessions: the writing half.
//!
//! What somebody may do who is not logged in yet goes through definer functions, each for one row by its id.

use async_trait::async_trait;
use daira_core::account::{Account, Contact, Email, Identity, Mailing, Profile, Registration, Session, Standing};
use daira_core::actor::{Actor, Member};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{AccountId, ChallengeId, Id, ProfileId, SessionId};
use daira_core::port::store::{AccountRepository, HandleHolder, Lock};
use daira_core::text::Handle;
use daira_core::time::Timestamp;
use daira_core::trust::TrustFacts;

use super::super::unit::PgUnit;
use super::rows::{
    AccountRow, ProfileRow, SessionRow, contact, date, handle, instant, kind_code, limit, locale, locked, mailing_code,
    mailing_kind, standing_code, state_code, stored, stored_date,
};

#[async_trait]
impl AccountRepository for PgUnit {
    async fn insert_registration(&mut self, registration: &Registration) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.registration (id, email, password_hash, handle, name, birth_date, locale, attempts, created_at, expires_at, issuer, subject)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            registration.id.raw(),
            registration.email.as_str(),
            registration.password_hash,
            registration.handle.as_str(),
            registration.name,
            stored_date(registration.birth_date)?,
            registration.locale.tag(),
            i16::try_from(registration.attempts).unwrap_or(i16::MAX),
            stored(registration.created_at),
            stored(registration.expires_at),
            registration.identity.as_ref().map(|identity| &*identity.issuer),
            registration.identity.as_ref().map(|identity| &*identity.subject),
        )
        .execute(self.connection())
        .await;
        self.check("registration.insert", done).map(drop)
    }

    async fn registration(&mut self, id: ChallengeId) -> Result<Option<Registration>> {
        let found = sqlx::query!(
            r#"select id as "id!", email as "email!", password_hash as "password_hash!", handle as "handle!", name as "name!",
                      birth_date as "birth_date!", locale as "locale!", attempts as "attempts!", created_at as "created_at!",
                      expires_at as "expires_at!", issuer, subject
               from daira.registration_by_id($1)"#,
            id.raw()
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("registration.load", found)? else { return Ok(None) };
        Ok(Some(Registration {
            id: ChallengeId::from_raw(row.id),
            email: Email::from_stored(row.email),
            password_hash: row.password_hash,
            identity: row.issuer.zip(row.subject).map(|(issuer, subject)| Identity { issuer, subject }),
            handle: handle(&row.handle)?,
            name: row.name,
            birth_date: date(row.birth_date)?,
            locale: locale(&row.locale)?,
            attempts: row.attempts.unsigned_abs(),
            created_at: instant(row.created_at),
            expires_at: instant(row.expires_at),
        }))
    }

    async fn set_attempts(&mut self, id: ChallengeId, attempts: u16) -> Result<()> {
        let attempts = i16::try_from(attempts).unwrap_or(i16::MAX);
        let done = sqlx::query!("select daira.registration_attempts($1, $2)", id.raw(), attempts)
            .execute(self.connection())
            .await;
        self.check("registration.attempts", done).map(drop)
    }

    async fn delete_registration(&mut self, id: ChallengeId) -> Result<()> {
        let done = sqlx::query!("select daira.registration_delete($1)", id.raw()).execute(self.connection()).await;
        self.check("registration.delete", done).map(drop)
    }

    async fn purge_registrations(&mut self, before: Timestamp, limit_rows: u32) -> Result<u64> {
        let done = sqlx::query!(
            "with due as materialized (
                 select id from daira.registration where expires_at < $1 order by expires_at limit $2 for update skip locked
             )
             delete from daira.registration r using due where r.id = due.id",
            stored(before),
            limit(limit_rows)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("registration.purge", done)?.rows_affected())
    }

    async fn insert_mailing(&mut self, mailing: &Mailing) -> Result<()> {
        let (email, phone) = match &mailing.to {
            Contact::Email(email) => (Some(email.as_str()), None),
            Contact::Phone(phone) => (None, Some(phone.as_str())),
        };
        let done = sqlx::query!(
            "insert into daira.mailing (id, kind, email, phone, account, locale, attempts, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            mailing.id.raw(),
            mailing_code(mailing.kind),
            email,
            phone,
            mailing.account.map(Id::raw),
            mailing.locale.tag(),
            i16::try_from(mailing.attempts).unwrap_or(i16::MAX),
            stored(mailing.created_at),
            stored(mailing.expires_at),
        )
        .execute(self.connection())
        .await;
        self.check("mailing.insert", done).map(drop)
    }

    async fn mailing(&mut self, id: ChallengeId) -> Result<Option<Mailing>> {
        let found = sqlx::query!(
            r#"select id as "id!", kind as "kind!", email, phone, account, locale as "locale!", attempts as "attempts!",
                      created_at as "created_at!", expires_at as "expires_at!"
               from daira.mailing_by_id($1)"#,
            id.raw()
        )
        .fetch_optional(self.connection())
        .await;
        let Some(row) = self.check("mailing.load", found)? else { return Ok(None) };
        Ok(Some(Mailing {
            id: ChallengeId::from_raw(row.id),
            kind: mailing_kind(row.kind)?,
            to: contact(row.email, row.phone)?,
            account: row.account.map(AccountId::from_raw),
            locale: locale(&row.locale)?,
            attempts: row.attempts.unsigned_abs(),
            created_at: instant(row.created_at),
            expires_at: instant(row.expires_at),
        }))
    }

    async fn count_attempt(&mut self, id: ChallengeId) -> Result<()> {
        let done = sqlx::query!("select daira.mailing_attempt($1)", id.raw()).execute(self.connection()).await;
        self.check("mailing.attempt", done).map(drop)
    }

    async fn delete_mailing(&mut self, id: ChallengeId) -> Result<()> {
        let done = sqlx::query!("select daira.mailing_delete($1)", id.raw()).execute(self.connection()).await;
        self.check("mailing.delete", done).map(drop)
    }

    async fn purge_mailings(&mut self, before: Timestamp, limit_rows: u32) -> Result<u64> {
        let done = sqlx::query!(
            "with due as materialized (
                 select id from daira.mailing where expires_at < $1 order by expires_at limit $2 for update skip locked
             )
             delete from daira.mailing m using due where m.id = due.id",
            stored(before),
            limit(limit_rows)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("mailing.purge", done)?.rows_affected())
    }

    async fn purge_sessions(&mut self, before: Timestamp, limit_rows: u32) -> Result<u64> {
        let done = sqlx::query!(
            "with lapsed as materialized (
                 select id from daira.session where expires_at < $1 order by expires_at limit $2 for update skip locked
             ), revoked as materialized (
                 select id from daira.session where revoked_at < $1 order by revoked_at limit $2 for update skip locked
             ), over as (select id from lapsed union select id from revoked limit $2)
             delete from daira.session s using over where s.id = over.id",
            stored(before),
            limit(limit_rows)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("session.purge", done)?.rows_affected())
    }

    async fn insert_account(&mut self, account: &Account, password_hash: &str) -> Result<()> {
        self.is_for(account.id);
        let (state, until) = state_code(account.state);
        let born = stored_date(account.birth_date)?;
        if matches!(self.actor(), Actor::Anonymous) {
            // Whoever proved an e-mail becomes the account made for it, for the rest of the unit.
            let done = sqlx::query!(
                "select daira.open_account($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                account.id.raw(),
                account.email.as_str(),
                state,
                until,
                born,
                account.locale.tag(),
                stored(account.created_at),
                account.version,
                password_hash,
            )
            .execute(self.connection())
            .await;
            return self.check("account.insert", done).map(drop);
        }
        let done = sqlx::query!(
            "insert into daira.account (id, email, state, suspended_until, birth_date, locale, created_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            account.id.raw(),
            account.email.as_str(),
            state,
            until,
            born,
            account.locale.tag(),
            stored(account.created_at),
            account.version,
        )
        .execute(self.connection())
        .await;
        self.check("account.insert", done)?;
        let done = sqlx::query!(
            "insert into daira.credential (account, password_hash) values ($1, $2)",
            account.id.raw(),
            password_hash
        )
        .execute(self.connection())
        .await;
        self.check("account.insert", done).map(drop)
    }

    async fn account(&mut self, id: AccountId, lock: Lock) -> Result<Option<Account>> {
        let found = locked!(
            lock,
            AccountRow,
            "select id, email, state, suspended_until, leaving_at, birth_date, locale, created_at, version from daira.account where id = $1",
            self.connection(),
            id.raw()
        );
        self.check("account.load", found)?.map(Account::try_from).transpose()
    }

    async fn account_by_email(&mut self, email: &Email) -> Result<Option<Account>> {
        let found = sqlx::query_as!(
            AccountRow,
            "select id, email, state, suspended_until, leaving_at, birth_date, locale, created_at, version from daira.account where email = $1",
            email.as_str()
        )
        .fetch_optional(self.connection())
        .await;
        self.check("account.by_email", found)?.map(Account::try_from).transpose()
    }

    async fn update_account(&mut self, account: &Account) -> Result<()> {
        let (state, until) = state_code(account.state);
        let done = sqlx::query!(
            "update daira.account set email = $2, state = $3, suspended_until = $4, birth_date = $5, locale = $6, version = $7,
                 leaving_at = $8
             where id = $1 and version = $7 - 1",
            account.id.raw(),
            account.email.as_str(),
            state,
            until,
            stored_date(account.birth_date)?,
            account.locale.tag(),
            account.version,
            account.leaving_at.map(stored),
        )
        .execute(self.connection())
        .await;
        self.check_version("account.update", done)
    }

    async fn password_hash(&mut self, account: AccountId) -> Result<Option<String>> {
        let found = sqlx::query_scalar!("select password_hash from daira.credential where account = $1", account.raw())
            .fetch_optional(self.connection())
            .await;
        self.check("credential.load", found)
    }

    async fn set_password_hash(&mut self, account: AccountId, hash: &str) -> Result<()> {
        let done =
            sqlx::query!("update daira.credential set password_hash = $2 where account = $1", account.raw(), hash)
                .execute(self.connection())
                .await;
        self.check_version("credential.update", done)
    }

    async fn insert_profile(&mut self, profile: &Profile) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.profile (id, account, handle, name, bio, links, avatar, kind, private, standing, created_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            profile.id.raw(),
            profile.account.raw(),
            profile.handle.as_str(),
            profile.name,
            profile.bio,
            &profile.links,
            profile.avatar.map(Id::raw),
            kind_code(profile.kind),
            profile.private,
            standing_code(profile.standing),
            stored(profile.created_at),
            profile.version,
        )
        .execute(self.connection())
        .await;
        self.check("profile.insert", done).map(drop)
    }

    async fn faces(&mut self, account: AccountId) -> Result<Vec<ProfileId>> {
        let found = sqlx::query_scalar!(
            "select id from daira.profile where account = $1 and standing <> $2 order by id",
            account.raw(),
            standing_code(Standing::Gone),
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("profile.faces", found)?.into_iter().map(ProfileId::from_raw).collect())
    }

    async fn profile(&mut self, id: ProfileId, lock: Lock) -> Result<Option<Profile>> {
        let found = locked!(
            lock,
            ProfileRow,
            "select id, account, handle, name, bio, links, avatar, kind, private, standing, created_at, version
             from daira.profile where id = $1",
            self.connection(),
            id.raw()
        );
        self.check("profile.load", found)?.map(Profile::try_from).transpose()
    }

    async fn update_profile(&mut self, profile: &Profile) -> Result<()> {
        let done = sqlx::query!(
            "update daira.profile set handle = $2, name = $3, bio = $4, links = $5, avatar = $6, kind = $7, private = $8,
                    standing = $9, version = $10
             where id = $1 and version = $10 - 1",
            profile.id.raw(),
            profile.handle.as_str(),
            profile.name,
            profile.bio,
            &profile.links,
            profile.avatar.map(Id::raw),
            kind_code(profile.kind),
            profile.private,
            standing_code(profile.standing),
            profile.version,
        )
        .execute(self.connection())
        .await;
        self.check_version("profile.update", done)
    }

    async fn set_shows_activity(&mut self, profile: ProfileId, shows: bool) -> Result<()> {
        let done = sqlx::query!("update daira.profile set shows_activity = $2 where id = $1", profile.raw(), shows)
            .execute(self.connection())
            .await;
        self.check("profile.activity", done).map(drop)
    }

    async fn profiles_by_handle(&mut self, handles: &[Handle]) -> Result<Vec<ProfileId>> {
        let wanted: Vec<String> = handles.iter().map(|h| h.as_str().to_owned()).collect();
        let found =
            sqlx::query_scalar!("select id from daira.profile where handle = any($1) and standing < 2", &wanted)
                .fetch_all(self.connection())
                .await;
        Ok(self.check("profile.by_handle", found)?.into_iter().map(ProfileId::from_raw).collect())
    }

    async fn claim_handle(
        &mut self,
        handle: &Handle,
        holder: HandleHolder,
        for_registration: Option<ChallengeId>,
        now: Timestamp,
    ) -> Result<bool> {
        let (profile, registration, until) = match holder {
            HandleHolder::Profile(profile) => (Some(profile.raw()), None, None),
            HandleHolder::Registration(registration, until) => (None, Some(registration.raw()), Some(stored(until))),
            HandleHolder::Former(profile, until) => (Some(profile.raw()), None, Some(stored(until))),
        };
        let claimed = sqlx::query_scalar!(
            r#"select daira.claim_handle($1, $2, $3, $4, $5, $6) as "claimed!""#,
            handle.as_str(),
            profile,
            registration,
            until,
            for_registration.map(Id::raw),
            stored(now),
        )
        .fetch_one(self.connection())
        .await;
        self.check("handle.claim", claimed)
    }

    async fn insert_session(&mut self, session: &Session) -> Result<()> {
        self.is_for(session.account);
        let done = sqlx::query!(
            "insert into daira.session (id, account, profile, device, salt, generation, seen_generation, rotated_at, created_at,
                 last_used_at, expires_at, revoked_at, proven_at, app, scopes, place, known_device)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            session.id.raw(),
            session.account.raw(),
            session.profile.raw(),
            session.device,
            &session.salt[..],
            session.generation,
            session.seen_generation,
            stored(session.rotated_at),
            stored(session.created_at),
            stored(session.last_used_at),
            stored(session.expires_at),
            session.revoked_at.map(stored),
            stored(session.proven_at),
            session.granted.map(|granted| granted.app.raw()),
            session.granted.map(|granted| granted.scopes.stored()),
            session.place.map(|place| place.to_string()),
            session.known_device,
        )
        .execute(self.connection())
        .await;
        self.check("session.insert", done).map(drop)
    }

    async fn session(&mut self, id: SessionId) -> Result<Option<Session>> {
        let found = sqlx::query_as!(
            SessionRow,
            r#"select id as "id!", account as "account!", profile as "profile!", device as "device!", salt as "salt!",
                      generation as "generation!", seen_generation as "seen_generation!", rotated_at as "rotated_at!",
                      created_at as "created_at!", proven_at, last_used_at as "last_used_at!", expires_at as "expires_at!", revoked_at,
                      app, scopes, place, known_device as "known_device!"
               from daira.session_by_id($1)"#,
            id.raw()
        )
        .fetch_optional(self.connection())
        .await;
        self.check("session.load", found)?.map(Session::try_from).transpose()
    }

    async fn update_session(&mut self, session: &Session) -> Result<()> {
        let done = sqlx::query_scalar!(
            "select daira.session_update($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            session.id.raw(),
            session.generation,
            session.seen_generation,
            stored(session.rotated_at),
            stored(session.last_used_at),
            stored(session.expires_at),
            session.revoked_at.map(stored),
            session.device,
            session.place.map(|place| place.to_string()),
        )
        .fetch_one(self.connection())
        .await;
        match self.check("session.update", done)? {
            Some(true) => Ok(()),
            _ => Err(Error::new(ErrorKind::Stale, "session.update")),
        }
    }

    async fn prove_session(&mut self, id: SessionId, at: Timestamp) -> Result<()> {
        let done = sqlx::query!("update daira.session set proven_at = $2 where id = $1", id.raw(), stored(at))
            .execute(self.connection())
            .await;
        self.check_version("session.prove", done)
    }

    async fn revoke_sessions(
        &mut self,
        account: AccountId,
        keep: Option<SessionId>,
        of_log_in: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Vec<SessionId>> {
        let revoked = sqlx::query_scalar!(
            "update daira.session set revoked_at = $3
             where account = $1 and revoked_at is null and expires_at > $3 and id is distinct from $2
               and ($4::timestamptz is null or created_at = $4)
             returning id",
            account.raw(),
            keep.map(Id::raw),
            stored(at),
            of_log_in.map(stored),
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("session.revoke", revoked)?.into_iter().map(SessionId::from_raw).collect())
    }

    async fn resolve_session(&mut self, id: SessionId, generation: i32, now: Timestamp) -> Result<Option<Member>> {
        let found = sqlx::query!(
            r#"select account as "account!", profile as "profile!" from daira.session_resolve($1, $2, $3)"#,
            id.raw(),
            generation,
            stored(now)
        )
        .fetch_optional(self.connection())
        .await;
        let found = self.check("session.resolve", found)?;
        Ok(found.map(|row| Member {
            account: AccountId::from_raw(row.account),
            profile: ProfileId::from_raw(row.profile),
            session: id,
        }))
    }

    async fn trust_facts(&mut self, account: AccountId, since: Timestamp) -> Result<Option<TrustFacts>> {
        let found = sqlx::query!(
            r#"select joined_at as "joined_at!", has_phone as "has_phone!", is_verified as "is_verified!", strikes as "strikes!"
               from daira.trust_facts($1, $2)"#,
            account.raw(),
            stored(since)
        )
        .fetch_optional(self.connection())
        .await;
        Ok(self.check("account.trust", found)?.map(|row| TrustFacts {
            joined_at: instant(row.joined_at),
            has_phone: row.has_phone,
            is_verified: row.is_verified,
            strikes: u32::try_from(row.strikes).unwrap_or(u32::MAX),
        }))
    }
}
