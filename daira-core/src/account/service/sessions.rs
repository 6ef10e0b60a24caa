//! Sessions: logging in, refreshing, looking at them and ending them.

use std::sync::{Mutex, PoisonError};

use super::super::factor::Waiting;
use super::super::policy::{self, Refresh};
use super::super::{
    AccountRefusal, AccountState, Contact, Mailing, Origin, Profile, Session, StoredCredential, password, token,
};
use super::passkey::SignedBy;
use super::{
    AccountService, DEVICE, DRAWS, LoggedIn, Tokens, audit, end_all, end_session, is_taken, note_reuse, out_of_draws,
    taken,
};
use crate::actor::{Actor, Client, Member};
use crate::checks::keyed;
use crate::error::{CommonRefusal, Error, ErrorKind, Result};
use crate::id::{AppId, Id, SessionId};
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::place::Place;
use crate::port::store::{Access, Lock};
use crate::port::{IdentityClaims, UnitOfWork};
use crate::proto::event::v1;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How often a log-in begins anew because the password or the account's state changed under it.
pub(super) const LOG_IN_TRIES: usize = 3;

/// A proof of identity, as typed.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// The e-mail address, or the phone number.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// What the session is to be shown as, for instance "Firefox on Android".
    pub device: String,
}

/// What a right password comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A session begins.
    In(Box<LoggedIn>),
    /// The account has a second factor: the log-in waits for it.
    Waits(Waited),
}

/// A log-in that waits for its second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// To be given back with the second factor; it lets nobody in.
    pub challenge: Secret,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// Whether digits of an app will do.
    pub authenticator: bool,
    /// Whether a passkey will do.
    pub passkey: bool,
}

impl Entry {
    /// The session, where none but the password was asked for.
    pub fn logged_in(self) -> Option<LoggedIn> {
        match self {
            Self::In(logged_in) => Some(*logged_in),
            Self::Waits(_) => None,
        }
    }
}

/// What a log-in changes besides beginning a session.
#[derive(Default)]
pub(super) struct Upkeep {
    /// A hash of today's kind for one of an older kind.
    pub(super) upgraded_hash: Option<String>,
    /// Profiles to bring back, when the account wakes up.
    pub(super) waking: Option<Vec<Profile>>,
}

/// A session that is about to begin.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    /// What was proved.
    pub(super) stored: &'a StoredCredential,
    /// What is done besides.
    pub(super) upkeep: &'a Upkeep,
    /// What it is to be shown as.
    pub(super) device: &'a str,
    /// Where it comes from.
    pub(super) origin: Origin,
    /// What was given besides the password.
    pub(super) second: Second<'a>,
}

/// What was given besides the password, or in its place.
#[derive(Clone, Copy)]
pub(super) enum Second<'a> {
    /// Nothing.
    None,
    /// Digits or a recovery code, as typed, to a log-in that waits.
    Typed(&'a Secret, &'a Waiting),
    /// What a passkey signed.
    Signed(SignedBy<'a>),
    /// Nothing, but a code that was sent in the password's place.
    Sent(&'a Mailing),
    /// Nothing, but what a provider says in the password's place.
    Identity(&'a IdentityClaims),
}

impl Second<'_> {
    /// As of when a session that begins so at an instant counts as proved.
    fn proves(self, now: Timestamp) -> Timestamp {
        match self {
            // Numbers are passed on and SIM cards swapped: having one lets in, and changes no other way in.
            Self::Sent(sent) if matches!(sent.to, Contact::Phone(_)) => Timestamp::EPOCH,
            // Who is still signed in over there proved nothing here.
            Self::Identity(claims) => claims.authenticated_at.map_or(Timestamp::EPOCH, |at| at.min(now)),
            Self::Typed(_, waiting) => waiting.proven_at.min(now),
            Self::None | Self::Sent(_) | Self::Signed(_) => now,
        }
    }
}

impl AccountService {
    /// Logs in. An unknown address or number costs the same work and gets the same answer as a wrong password. A stored hash of an older
    /// kind is replaced, and a deactivated account wakes up. An account with a second factor is entered with that alone, by
    /// [`verify_second_factor`](Self::verify_second_factor). Under a key a repeated log-in gets the same session, as long as
    /// it lives; the password is checked every time all the same, so that a key is no way around it.
    ///
    /// # Errors
    /// [`AccountRefusal::CredentialsInvalid`], [`AccountRefusal::Suspended`], [`AccountRefusal::DeviceInvalid`],
    /// [`AccountRefusal::ForbiddenCharacter`]; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries;
    /// [`AccountRefusal::TokenInvalid`] when the session of a repeated log-in has ended meanwhile.
    pub async fn log_in(&self, client: &Client, input: LogIn, key: Option<IdempotencyKey>) -> Result<Entry> {
        let device = DEVICE.check(&input.device)?;
        self.count_log_in(client, &input.email).await?;
        let keyed = keyed("account.log_in", key, &device);
        for _ in 0..LOG_IN_TRIES {
            let stored = self.proven(&input).await?;
            let upkeep = self.upkeep(&input, &stored).await?;
            let (origin, second) = (self.origin(client, &input.email), Second::None);
            let opening = Opening { stored: &stored, upkeep: &upkeep, device: &device, origin, second };
            match self.open_session(opening, keyed.as_ref()).await {
                Err(error) if error.kind() == ErrorKind::Stale => {}
                outcome => {
                    let Some(session) = outcome? else {
                        // What waits is bound to the hash that holds by now.
                        let password_hash = upkeep.upgraded_hash.unwrap_or(stored.password_hash);
                        return self.wait(&StoredCredential { password_hash, ..stored }, &device, second).await;
                    };
                    let device = self.device_token(client, &input.email, &session);
                    return self.logged_in(&session, device).map(|logged_in| Entry::In(Box::new(logged_in)));
                }
            }
        }
        Err(CommonRefusal::Unavailable.into())
    }

    /// Waits for a second factor after what was shown first.
    pub(super) async fn wait(&self, stored: &StoredCredential, device: &str, first: Second<'_>) -> Result<Entry> {
        let status = self.second_factor(&Actor::Member(self.draw_session(stored))).await?;
        let (key, settings) = (&self.ports.keys.factor, &self.ports.settings);
        let identity = if let Second::Identity(claims) = first { Some(&claims.identity) } else { None };
        let waiting = Waiting::new(key, stored, device, self.ports.clock.now() + settings.second_factor_life).proving(
            key,
            first.proves(Timestamp::from_micros(i64::MAX)),
            identity,
        );
        Ok(Entry::Waits(Waited {
            challenge: waiting.seal(key, self.ports.ids.bytes()),
            expires_at: waiting.expires_at,
            authenticator: status.authenticator_since.is_some(),
            passkey: status.passkeys > 0,
        }))
    }

    /// The session that the same request began before, if it still lives.
    pub(super) async fn resume(&self, member: Member) -> Result<Session> {
        let (actor, now) = (Actor::Member(member), self.ports.clock.now());
        let found = self.ports.store.begin(&actor).await?.accounts().session(member.session).await?;
        Ok(found.filter(|session| session.is_living(now)).ok_or(AccountRefusal::TokenInvalid)?)
    }

    /// The credential that the input proves.
    async fn proven(&self, input: &LogIn) -> Result<StoredCredential> {
        let stored = match Contact::new(&input.email) {
            Ok(contact) => {
                let mut view = self.ports.store.read(&Actor::Anonymous, Access::Read).await?;
                match contact {
                    Contact::Email(email) => view.accounts().credential_by_email(&email).await?,
                    Contact::Phone(phone) => view.accounts().credential_by_phone(&phone).await?,
                }
            }
            Err(_) => None,
        };
        let hash = stored.as_ref().map(|stored| stored.password_hash.as_str()).filter(|hash| password::is_some(hash));
        let matches = self.ports.hasher.verify(&input.password, hash).await?;
        let Some(stored) = stored.filter(|_| matches) else {
            tracing::info!(code = AccountRefusal::CredentialsInvalid.code(), "log-in refused");
            return Err(AccountRefusal::CredentialsInvalid.into());
        };
        policy::may_log_in(stored.state, self.ports.clock.now())?;
        Ok(stored)
    }

    async fn upkeep(&self, input: &LogIn, stored: &StoredCredential) -> Result<Upkeep> {
        let is_outdated = self.ports.hasher.is_outdated(&stored.password_hash);
        let upgraded_hash = if is_outdated { Some(self.ports.hasher.hash(&input.password).await?) } else { None };
        Ok(Upkeep { upgraded_hash, waking: self.waking(stored).await? })
    }

    /// The profiles that a log-in brings back, if it wakes the account; somebody restricted may have been asleep before.
    pub(super) async fn waking(&self, stored: &StoredCredential) -> Result<Option<Vec<Profile>>> {
        let stays = policy::state_after_log_in(stored.state, self.ports.clock.now()) == stored.state;
        if stays && stored.state != AccountState::Restricted {
            return Ok(None);
        }
        let member = self.draw_session(stored);
        let mut view = self.ports.store.read(&Actor::Member(member), Access::Read).await?;
        view.accounts().own_profiles().await.map(Some)
    }

    pub(super) fn draw_session(&self, stored: &StoredCredential) -> Member {
        let session = self.ports.ids.draw(self.ports.clock.now(), stored.profile.shard());
        Member { account: stored.account, profile: stored.profile, session }
    }

    /// Begins a session, or finds the one that the same request began before; nothing when it takes a second factor that was
    /// not given. It is [`ErrorKind::Stale`] when the password, the state or the second factor is no longer what was proven.
    pub(super) async fn open_session(&self, opening: Opening<'_>, keyed: Option<&Keyed>) -> Result<Option<Session>> {
        let Opening { stored, upkeep, device, origin, second } = opening;
        let stale = || Error::new(ErrorKind::Stale, "account.log_in");
        for _ in 0..DRAWS {
            let (member, now) = (self.draw_session(stored), self.ports.clock.now());
            let mut new = self.new_session(member, device, origin, now);
            new.proven_at = second.proves(now);
            let session = &new;
            let outcome = self
                .ports
                .transact_once(&Actor::Member(member), keyed, |mut unit| {
                    Box::pin(async move {
                        let unit = &mut *unit;
                        // Locked, so that whatever ends all sessions of the account comes wholly before or after this one.
                        let account = unit.accounts().account(stored.account, Lock::Update).await?;
                        let Some(mut account) = account else { return Err(AccountRefusal::CredentialsInvalid.into()) };
                        policy::may_log_in(account.state, now)?;
                        if unit.accounts().password_hash(account.id).await?.as_ref() != Some(&stored.password_hash) {
                            return Err(stale());
                        }
                        if let Some(hash) = &upkeep.upgraded_hash {
                            unit.accounts().set_password_hash(account.id, hash).await?;
                            audit(unit, "account.password_upgraded", account.id, "", now).await?;
                        }
                        match second {
                            Second::Sent(sent) => self.spend_code(unit, sent, &account, now).await?,
                            Second::Identity(claims) => self.still_linked(unit, account.id, claims, now).await?,
                            Second::Typed(_, waiting) => {
                                let linked = unit.factors().identities(account.id).await?;
                                if !waiting.is_linked(&self.ports.keys.factor, &linked) {
                                    return Err(stale());
                                }
                            }
                            Second::None | Second::Signed(_) => {}
                        }
                        match (self.guard(unit, account.id).await?, second) {
                            (_, Second::Signed(signed)) => self.note_signature(unit, signed, now).await?,
                            (None, Second::None | Second::Sent(_) | Second::Identity(_)) => {}
                            (None, Second::Typed(..)) => return Err(stale()),
                            (Some(_), Second::None | Second::Sent(_) | Second::Identity(_)) => return Ok(None),
                            (Some(factor), Second::Typed(typed, _)) => {
                                self.spend(unit, &account, factor, typed, now).await?;
                            }
                        }
                        let state = policy::state_after_log_in(account.state, now);
                        if state != account.state {
                            let Some(profiles) = &upkeep.waking else { return Err(stale()) };
                            account.state = state;
                            account.version += 1;
                            unit.accounts().update_account(&account).await?;
                            wake(unit, profiles, account.standing()).await?;
                            audit(unit, "account.woken", account.id, "", now).await?;
                        } else if let Some(profiles) = &upkeep.waking {
                            wake(unit, profiles, account.standing()).await?;
                        }
                        unit.accounts().insert_session(session).await?;
                        audit(unit, "account.log_in", session.id, "", now).await?;
                        if !session.known_device {
                            let (session_id, profile_id) = (session.id.raw(), session.profile.raw());
                            unit.journal().append(&[v1::DeviceSeen { session_id, profile_id }.into()]).await?;
                        }
                        Ok(Some(session.id))
                    })
                })
                .await;
            if is_taken(&outcome) {
                continue;
            }
            return match outcome? {
                None => Ok(None),
                Some(began) if began == new.id => Ok(Some(new)),
                Some(began) => self.resume(Member { session: began, ..member }).await.map(Some),
            };
        }
        Err(out_of_draws())
    }

    /// Exchanges a refresh token for the next tokens. The token is its own idempotency key: the answer may be lost and the request repeated, or raced by other
    /// tabs: all of them get the same living token. A copy that comes back later ends the session for both holders.
    ///
    /// # Errors
    /// [`AccountRefusal::TokenInvalid`].
    pub async fn refresh(&self, client: &Client, refresh: &Secret) -> Result<Tokens> {
        let refuse = || Error::from(AccountRefusal::TokenInvalid);
        let now = self.ports.clock.now();
        let (session, verdict) = self.rotate(refresh, None, self.place(client), now).await?.ok_or_else(refuse)?;
        if verdict == Refresh::Reuse {
            note_reuse(session.id);
            self.end_log_in(&session, now).await?;
            return Err(refuse());
        }
        self.tokens(&session, now)
    }

    /// Spends a refresh token of a living session, one of the app or, without one, of no app. Nothing for a token that is none.
    pub(crate) async fn rotate(
        &self,
        refresh: &Secret,
        of: Option<AppId>,
        place: Option<Place>,
        now: Timestamp,
    ) -> Result<Option<(Session, Refresh)>> {
        let Some(token) = &token::open(refresh) else { return Ok(None) };
        let (settings, key) = (&self.ports.settings, &self.ports.keys.refresh);
        self.ports
            .transact(&Actor::Anonymous, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let Some(mut session) = unit.accounts().session(token.session).await? else { return Ok(None) };
                    if !token.is_genuine(key, &session.salt) || session.granted.map(|granted| granted.app) != of {
                        return Ok(None);
                    }
                    // Resolved with a generation that was seen before: this notes nothing, but sees to it that session and
                    // account live.
                    if unit.accounts().resolve_session(session.id, session.seen_generation, now).await?.is_none() {
                        return Ok(None);
                    }
                    let verdict = policy::refresh(&session, token.generation, now, settings.refresh_grace);
                    match verdict {
                        Refresh::Rotate => {
                            session.generation += 1;
                            session.rotated_at = now;
                            session.last_used_at = now;
                            session.place = place.or(session.place);
                            session.expires_at = policy::session_end(session.created_at, now, settings);
                            unit.accounts().update_session(&session).await?;
                        }
                        Refresh::Repeat | Refresh::Reuse => {}
                    }
                    Ok(Some((session, verdict)))
                })
            })
            .await
    }

    /// Ends a session whose token somebody copied, and all that were begun from the same log-in: at once or not at all, so
    /// that a copy that comes back once more finds whatever was left.
    async fn end_log_in(&self, copied: &Session, now: Timestamp) -> Result<()> {
        let Session { id: session, account, profile, created_at, .. } = *copied;
        let owner = Actor::Member(Member { account, profile, session });
        let ended = self.ports.transact(&owner, |mut unit| {
            Box::pin(async move {
                unit.accounts().account(account, Lock::Update).await?;
                let reason = |id| if id == session { "refresh_reused" } else { "revoked" };
                end_all(&mut *unit, account, None, Some(created_at), now, reason).await
            })
        });
        self.tell_ended(&ended.await?, now).await;
        Ok(())
    }

    /// Ends the session that asks. Doing it twice is as good as once, and needs no key: it can be asked for only once.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn log_out(&self, actor: &Actor) -> Result<()> {
        let session = actor.member()?.session;
        self.end_own(actor, session, "log_out", None).await
    }

    /// Ends the session whose refresh token this is, be it spent: for clients that hold nothing else any more. A session that has
    /// ended, and a token that is none, are as good.
    ///
    /// # Errors
    /// The store's.
    pub async fn log_out_with(&self, refresh: &Secret) -> Result<()> {
        match self.session_of(refresh).await?.filter(|session| session.granted.is_none()) {
            Some(session) => self.end_as_owner(&session, "log_out").await,
            None => Ok(()),
        }
    }

    /// Ends the session whose refresh token this is, for one that began in its place on the same device; the same one it leaves
    /// as it is.
    ///
    /// # Errors
    /// The store's.
    pub async fn leave_for(&self, refresh: &Secret, next: SessionId) -> Result<()> {
        let before = self.session_of(refresh).await?;
        match before.filter(|session| session.id != next && session.granted.is_none()) {
            Some(session) => self.end_as_owner(&session, "log_out").await,
            None => Ok(()),
        }
    }

    /// The same for one that was kept by its id.
    pub(super) async fn leave_session(&self, before: SessionId, next: SessionId) -> Result<()> {
        let found = self.ports.store.begin(&Actor::Anonymous).await?.accounts().session(before).await?;
        match found.filter(|session| session.id != next && session.granted.is_none()) {
            Some(session) => self.end_as_owner(&session, "log_out").await,
            None => Ok(()),
        }
    }

    /// The same for one whose refresh token is known.
    ///
    /// # Errors
    /// The store's.
    pub async fn leave_to(&self, refresh: &Secret, next: &Secret) -> Result<()> {
        match self.session_of(next).await? {
            Some(next) => self.leave_for(refresh, next.id).await,
            None => Ok(()),
        }
    }

    /// The session whose refresh token this is, be it spent, and be it over.
    pub(crate) async fn session_of(&self, refresh: &Secret) -> Result<Option<Session>> {
        let Some(token) = token::open(refresh) else { return Ok(None) };
        let found = self.ports.store.begin(&Actor::Anonymous).await?.accounts().session(token.session).await?;
        Ok(found.filter(|session| token.is_genuine(&self.ports.keys.refresh, &session.salt)))
    }

    /// Ends a session on behalf of whom it stands for.
    pub(crate) async fn end_as_owner(&self, session: &Session, reason: &'static str) -> Result<()> {
        let Session { id, account, profile, .. } = *session;
        self.end_own(&Actor::Member(Member { account, profile, session: id }), id, reason, None).await
    }

    /// The living sessions of the actor's account, newest first.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<Session>> {
        actor.member()?;
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        view.accounts().own_sessions(self.ports.clock.now()).await
    }

    /// Ends one of the account's sessions. Doing it twice is as good as once.
    ///
    /// # Errors
    /// Not found for a session of somebody else, and for none.
    pub async fn revoke_session(&self, actor: &Actor, session: SessionId, key: Option<IdempotencyKey>) -> Result<()> {
        self.end_own(actor, session, "revoked", keyed("account.revoke_session", key, &session)).await
    }

    async fn end_own(
        &self,
        actor: &Actor,
        session: SessionId,
        reason: &'static str,
        keyed: Option<Keyed>,
    ) -> Result<()> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let found = unit.accounts().session(session).await?;
                    let found =
                        found.filter(|session| session.account == member.account).ok_or_else(Error::not_found)?;
                    if found.revoked_at.is_none() {
                        end_session(&mut *unit, found, now, reason).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.tell_ended(&[session], now).await;
        Ok(())
    }

    /// Ends all sessions of the account but the one that asks; answers how many.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn revoke_other_sessions(&self, actor: &Actor, key: Option<IdempotencyKey>) -> Result<u32> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.revoke_other_sessions", key, &());
        let told = &Mutex::new(Vec::new());
        let count = self
            .ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    // Locked against a log-in that is about to add one.
                    unit.accounts().account(member.account, Lock::Update).await?;
                    let ended = end_all(unit, member.account, Some(member.session), None, now, |_| "revoked").await?;
                    let count = u32::try_from(ended.len()).unwrap_or(u32::MAX);
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = ended;
                    Ok(count)
                })
            })
            .await?;
        self.tell_ended(&taken(told), now).await;
        Ok(count)
    }
}

/// Brings the profiles of an account to the standing of its new state.
async fn wake(unit: &mut dyn UnitOfWork, profiles: &[Profile], standing: super::super::Standing) -> Result<()> {
    for profile in profiles {
        let Some(mut profile) = unit.accounts().profile(profile.id, Lock::Update).await? else { continue };
        if profile.standing != standing {
            profile.standing = standing;
            profile.version += 1;
            unit.accounts().update_profile(&profile).await?;
            unit.journal().append(&[v1::ProfileChanged { profile_id: profile.id.raw() }.into()]).await?;
        }
    }
    Ok(())
}
