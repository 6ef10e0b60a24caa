//! Accounts, profiles, handles, credentials and sessions in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::rows::{HeldHandle, OF_ACCOUNT, Password, Quiet, identity_name};
use super::table::each;
use super::world::Viewer;
use super::{MemoryUnit, MemoryView};
use crate::account::{
    Account, Email, Identity, Mailing, Phone, Profile, ProfileCounters, ProfileKind, Registration, Session, Standing,
    StoredCredential, StoredPasskey, VerifiedPhone,
};
use crate::actor::{Actor, Member};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id, ProfileId, SessionId};
use crate::port::store::{AccountReads, AccountRepository, HandleHolder, Lock};
use crate::text::Handle;
use crate::time::Timestamp;
use crate::trust::TrustFacts;

#[async_trait]
impl AccountRepository for MemoryUnit {
    async fn insert_registration(&mut self, registration: &Registration) -> Result<()> {
        self.change().registrations.insert(registration.clone(), "registration.insert")
    }

    async fn registration(&mut self, id: ChallengeId) -> Result<Option<Registration>> {
        Ok(self.world.registrations.get(&id).cloned())
    }

    async fn set_attempts(&mut self, id: ChallengeId, attempts: u16) -> Result<()> {
        if let Some(mut registration) = self.world.registrations.get(&id).cloned() {
            registration.attempts = attempts;
            self.change().registrations.put(registration, "registration.attempts")?;
        }
        Ok(())
    }

    async fn delete_registration(&mut self, id: ChallengeId) -> Result<()> {
        self.change().registrations.remove(&id);
        Ok(())
    }

    async fn purge_registrations(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        let gone = self.change().registrations.take(limit as usize, |r| r.expires_at < before);
        Ok(gone.len() as u64)
    }

    async fn insert_mailing(&mut self, mailing: &Mailing) -> Result<()> {
        if let Some(account) = mailing.account {
            self.may_write_account(account)?;
        }
        self.change().mailings.insert(mailing.clone(), "mailing.insert")
    }

    async fn mailing(&mut self, id: ChallengeId) -> Result<Option<Mailing>> {
        let reached = |m: &&Mailing| m.account.is_none_or(|account| self.may_write_account(account).is_ok());
        Ok(self.world.mailings.get(&id).filter(reached).cloned())
    }

    async fn count_attempt(&mut self, id: ChallengeId) -> Result<()> {
        if let Some(mut mailing) = self.mailing(id).await? {
            mailing.attempts += 1;
            self.change().mailings.put(mailing, "mailing.attempt")?;
        }
        Ok(())
    }

    async fn delete_mailing(&mut self, id: ChallengeId) -> Result<()> {
        if self.mailing(id).await?.is_some() {
            self.change().mailings.remove(&id);
        }
        Ok(())
    }

    async fn purge_mailings(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        Ok(self.change().mailings.take(limit as usize, |m| m.expires_at < before).len() as u64)
    }

    async fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        let over = |s: &Session| s.expires_at < before || s.revoked_at.is_some_and(|at| at < before);
        Ok(self.change().sessions.take(limit as usize, over).len() as u64)
    }

    async fn insert_account(&mut self, account: &Account, password_hash: &str) -> Result<()> {
        self.may_write_account(account.id)?;
        let password = Password { account: account.id, hash: password_hash.to_owned() };
        let world = self.change();
        world.accounts.insert(account.clone(), "account.insert")?;
        world.passwords.put(password, "account.insert").map(drop)
    }

    async fn account(&mut self, id: AccountId, _: Lock) -> Result<Option<Account>> {
        let own = match &self.actor {
            Actor::Member(member) => member.account == id,
            Actor::System(_) | Actor::Staff(_) => true,
            Actor::Anonymous => false,
        };
        Ok(self.world.accounts.get(&id).filter(|_| own).cloned())
    }

    async fn account_by_email(&mut self, email: &Email) -> Result<Option<Account>> {
        self.platform_only()?;
        Ok(self.world.accounts.holder("account_email", email.as_str()).cloned())
    }

    async fn update_account(&mut self, account: &Account) -> Result<()> {
        self.may_write_account(account.id)?;
        self.change().accounts.update(account.clone(), "account.update")
    }

    async fn password_hash(&mut self, account: AccountId) -> Result<Option<String>> {
        self.may_write_account(account)?;
        Ok(self.world.passwords.get(&account).map(|p| p.hash.clone()))
    }

    async fn set_password_hash(&mut self, account: AccountId, hash: &str) -> Result<()> {
        self.may_write_account(account)?;
        self.change().passwords.put(Password { account, hash: hash.to_owned() }, "account.password").map(drop)
    }

    async fn insert_profile(&mut self, profile: &Profile) -> Result<()> {
        self.may_write_account(profile.account)?;
        self.change().profiles.insert(profile.clone(), "profile.insert")
    }

    async fn faces(&mut self, account: AccountId) -> Result<Vec<ProfileId>> {
        let faces = self.world.profiles.by(OF_ACCOUNT, (account.raw(), 0)).filter(|p| p.standing != Standing::Gone);
        Ok(faces.map(|face| face.id).collect())
    }

    async fn profile(&mut self, id: ProfileId, _: Lock) -> Result<Option<Profile>> {
        Ok(self.world.profiles.get(&id).cloned())
    }

    async fn update_profile(&mut self, profile: &Profile) -> Result<()> {
        self.may_write_account(profile.account)?;
        self.change().profiles.update(profile.clone(), "profile.update")
    }

    async fn set_shows_activity(&mut self, profile: ProfileId, shows: bool) -> Result<()> {
        self.may_write(&[profile])?;
        if shows {
            self.change().quiet.remove(&profile);
            return Ok(());
        }
        self.change().quiet.put(Quiet { profile }, "profile.activity").map(drop)
    }

    async fn profiles_by_handle(&mut self, handles: &[Handle]) -> Result<Vec<ProfileId>> {
        let holder = |handle: &Handle| self.world.profiles.holder("handle", handle.as_str()).map(|p| p.id);
        Ok(handles.iter().filter_map(holder).collect())
    }

    async fn claim_handle(
        &mut self,
        handle: &Handle,
        holder: HandleHolder,
        for_registration: Option<ChallengeId>,
        now: Timestamp,
    ) -> Result<bool> {
        use HandleHolder::{Former, Profile, Registration};
        let same = |held: HandleHolder| match (held, holder) {
            (Registration(held, _), Registration(wanted, _)) => held == wanted,
            (Registration(held, _), Profile(_)) => for_registration == Some(held),
            (Profile(held) | Former(held, _), Profile(wanted) | Former(wanted, _)) => held == wanted,
            (Profile(_) | Former(..), Registration(..)) | (Registration(..), Former(..)) => false,
        };
        let lapsed = |held: HandleHolder| match held {
            Registration(_, until) | Former(_, until) => until <= now,
            Profile(_) => false,
        };
        if let (Actor::Member(member), Profile(profile) | Former(profile, _)) = (&self.actor, holder)
            && self.world.profiles.get(&profile).is_some_and(|p| p.account != member.account)
        {
            return Err(super::denied());
        }
        if self.world.handles.get(handle).is_some_and(|held| !same(held.holder) && !lapsed(held.holder)) {
            return Ok(false);
        }
        self.change().handles.put(HeldHandle { handle: handle.clone(), holder }, "handle.claim")?;
        Ok(true)
    }

    async fn insert_session(&mut self, session: &Session) -> Result<()> {
        self.may_write_account(session.account)?;
        self.change().sessions.insert(session.clone(), "session.insert")
    }

    async fn session(&mut self, id: SessionId) -> Result<Option<Session>> {
        Ok(self.world.sessions.get(&id).cloned())
    }

    async fn update_session(&mut self, session: &Session) -> Result<()> {
        let Some(stored) = self.world.sessions.get(&session.id) else {
            return Err(Error::new(ErrorKind::Stale, "session.update"));
        };
        let session = Session { proven_at: stored.proven_at, ..session.clone() };
        self.change().sessions.put(session, "session.update").map(drop)
    }

    async fn prove_session(&mut self, id: SessionId, at: Timestamp) -> Result<()> {
        let own = |session: &&Session| self.may_write_account(session.account).is_ok();
        let found = self.world.sessions.get(&id).filter(own).cloned();
        let session = found.ok_or_else(|| Error::new(ErrorKind::Stale, "session.prove"))?;
        self.change().sessions.put(Session { proven_at: at, ..session }, "session.prove").map(drop)
    }

    async fn revoke_sessions(
        &mut self,
        account: AccountId,
        keep: Option<SessionId>,
        of_log_in: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Vec<SessionId>> {
        self.may_write_account(account)?;
        let is_meant = |s: &Session| Some(s.id) != keep && of_log_in.is_none_or(|began| s.created_at == began);
        let living = self.world.sessions.by(OF_ACCOUNT, (account.raw(), 0));
        let ended: Vec<Session> = living.filter(|s| s.is_living(at) && is_meant(s)).cloned().collect();
        let ids = ended.iter().map(|s| s.id).collect();
        for session in ended {
            self.change().sessions.put(Session { revoked_at: Some(at), ..session }, "session.revoke")?;
        }
        Ok(ids)
    }

    async fn resolve_session(&mut self, id: SessionId, generation: i32, now: Timestamp) -> Result<Option<Member>> {
        let living = |s: &&Session| s.is_living(now) && generation <= s.generation;
        let Some(session) = self.world.sessions.get(&id).filter(living).cloned() else { return Ok(None) };
        let entered = self.world.accounts.get(&session.account).is_some_and(|a| a.state.may_enter(now));
        if !entered {
            return Ok(None);
        }
        let member = Member { account: session.account, profile: session.profile, session: id };
        let seen_generation = session.seen_generation.max(generation);
        let seen = Session { seen_generation, last_used_at: now.max(session.last_used_at), ..session };
        self.change().sessions.put(seen, "session.resolve")?;
        Ok(Some(member))
    }

    async fn trust_facts(&mut self, account: AccountId, since: Timestamp) -> Result<Option<TrustFacts>> {
        let Some(found) = self.world.accounts.get(&account) else { return Ok(None) };
        let mut faces = self.world.profiles.by(OF_ACCOUNT, (account.raw(), 0));
        Ok(Some(TrustFacts {
            joined_at: found.created_at,
            has_phone: self.world.phones.get(&account).is_some(),
            is_verified: faces.any(|face| face.kind == ProfileKind::VerifiedCreator && face.standing != Standing::Gone),
            strikes: self.strikes(account, since),
        }))
    }
}

impl MemoryUnit {
    fn strikes(&self, account: AccountId, since: Timestamp) -> u32 {
        let found = self.world.strikes.by(OF_ACCOUNT, (account.raw(), 0)).filter(|strike| since < strike.at);
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    }
}

impl MemoryView {
    fn own_account_id(&self) -> Option<AccountId> {
        match self.viewer {
            Viewer::Face(_, account) => Some(account),
            Viewer::Nobody | Viewer::System => None,
        }
    }

    fn credential(&self, account: AccountId) -> Option<StoredCredential> {
        let state = self.world.accounts.get(&account)?.state;
        let profile = self.faces(account).into_iter().next()?.id;
        let password_hash = self.world.passwords.get(&account)?.hash.clone();
        Some(StoredCredential { account, profile, password_hash, state })
    }

    fn faces(&self, account: AccountId) -> Vec<Profile> {
        let mut faces: Vec<Profile> = self.world.profiles.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        faces.retain(|p| p.standing != Standing::Gone);
        faces.sort_by_key(|p| (p.created_at, p.id));
        faces
    }
}

#[async_trait]
impl AccountReads for MemoryView {
    async fn credential_by_email(&mut self, email: &Email) -> Result<Option<StoredCredential>> {
        Ok(self.world.accounts.holder("account_email", email.as_str()).and_then(|account| self.credential(account.id)))
    }

    async fn credential_by_phone(&mut self, phone: &Phone) -> Result<Option<StoredCredential>> {
        let holder = self.world.phones.holder("phone_number", phone.as_str());
        Ok(holder.and_then(|phone| self.credential(phone.account)))
    }

    async fn credential_by_identity(&mut self, identity: &Identity) -> Result<Option<StoredCredential>> {
        let name = identity_name(identity);
        let account = self.world.identities.holder("identity_subject", &name).map(|linked| linked.account);
        Ok(account.and_then(|account| self.credential(account)))
    }

    async fn passkey_by_credential(&mut self, credential: &[u8]) -> Result<Option<StoredPasskey>> {
        let name = data_encoding::HEXLOWER.encode(credential);
        let Some(passkey) = self.world.passkeys.holder("passkey_credential", &name).cloned() else { return Ok(None) };
        let face = self.faces(passkey.account).into_iter().next();
        Ok(face.map(|face| StoredPasskey { profile: face.id, passkey }))
    }

    async fn own_account(&mut self) -> Result<Option<Account>> {
        Ok(self.own_account_id().and_then(|id| self.world.accounts.get(&id)).cloned())
    }

    async fn own_phone(&mut self) -> Result<Option<VerifiedPhone>> {
        Ok(self.own_account_id().and_then(|id| self.world.phones.get(&id)).cloned())
    }

    async fn own_sessions(&mut self, now: Timestamp) -> Result<Vec<Session>> {
        let Some(account) = self.own_account_id() else { return Ok(Vec::new()) };
        let mut sessions: Vec<Session> = self.world.sessions.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        sessions.retain(|s| s.is_living(now) && s.granted.is_none());
        sessions.sort_by_key(|s| Reverse((s.created_at, s.id)));
        Ok(sessions)
    }

    async fn own_profiles(&mut self) -> Result<Vec<Profile>> {
        Ok(self.own_account_id().map(|account| self.faces(account)).unwrap_or_default())
    }

    async fn shows_activity(&mut self) -> Result<bool> {
        Ok(self.viewer.profile().is_some_and(|me| self.world.quiet.get(&me).is_none()))
    }

    async fn profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<Profile>> {
        Ok(each(ids).filter_map(|id| self.world.seen_profile(self.viewer, id)).cloned().collect())
    }

    async fn profile_by_handle(&mut self, handle: &Handle) -> Result<Option<Profile>> {
        let holder = self.world.profiles.holder("handle", handle.as_str());
        Ok(holder.filter(|p| self.world.sees_profile(self.viewer, p)).cloned())
    }

    async fn profile_counters(&mut self, ids: &[ProfileId]) -> Result<Vec<(ProfileId, ProfileCounters)>> {
        let seen = each(ids).filter(|id| self.world.seen_profile(self.viewer, *id).is_some());
        Ok(seen.map(|id| (id, self.world.profile_counters(id))).collect())
    }

    async fn revoked_since(&mut self, since: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
        let revoked = self.world.sessions.iter().filter_map(|s| Some((s.id, s.revoked_at?)));
        Ok(revoked.filter(|(_, at)| *at >= since).collect())
    }
}
