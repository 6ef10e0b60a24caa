//! Signing in with a provider of identities: going there, coming back to log in or to join, and the links of an account.
//!
//! ```text
//! begin ──▶ browser at the provider ──▶ code + state ──▶ log in: linked ──▶ Tokens, or a second factor is waited for
//!                                                    │           new ──▶ ticket ──▶ join ──▶ mail with a code ──▶ verify_email
//!                                                    ├─▶ link, after a fresh proof
//!                                                    └─▶ prove, where the provider says when they proved themselves
//! ```
//!
//! An account is found by issuer and subject, never by an address: whoever has a mailbox at a provider is not therefore who has an
//! account here, and the other way round. So who is new joins as everybody does, down to the code that is mailed, which is also why
//! an address that has an account already tells its owner and nobody else.
//!
//! A way is a row that its answer takes out before the provider is asked, so that of two answers one goes on; the provider is
//! asked with nothing open in the store.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::super::identity::{self, Identity, LONGEST, LinkedIdentity, Ticket, Way};
use super::super::passkey::CeremonyKind;
use super::super::{AccountRefusal, Email, MailingKind, StoredCredential, password, policy};
use super::passkey::{CEREMONY_LIFE, lapsed};
use super::recovery::Reached;
use super::sessions::{LOG_IN_TRIES, Opening, Second, Upkeep};
use super::{AccountService, DEVICE, Entry, LoggedIn, Waited, audit, taken};
use crate::actor::{Actor, Client};
use crate::checks::keyed;
use crate::error::{CommonRefusal, Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id};
use crate::idempotency::IdempotencyKey;
use crate::locale::Locale;
use crate::port::store::{Access, Lock};
use crate::port::{AuthorizationAnswer, IdentityClaims, Provider, UnitOfWork};
use crate::secret::Secret;
use crate::time::Timestamp;

/// How long somebody who is new may take to fill in the form they join with.
const TICKET_LIFE: Duration = Duration::from_mins(30);
/// How far a provider's clock may be behind ours.
const SKEW: Duration = Duration::from_mins(1);
/// The longest code that is looked at, in bytes.
const LONGEST_CODE: usize = 4_096;

/// What somebody goes to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityPurpose {
    /// To log in, or to join.
    LogIn,
    /// To link the identity with their account.
    Link,
    /// To prove once more who they are, on the session that asks.
    Proof,
}

impl IdentityPurpose {
    fn kind(self) -> CeremonyKind {
        match self {
            Self::LogIn => CeremonyKind::IdentityLogIn,
            Self::Link => CeremonyKind::IdentityLink,
            Self::Proof => CeremonyKind::IdentityProof,
        }
    }
}

/// A wish to go to a provider.
#[derive(Debug, Clone)]
pub struct BeginIdentity {
    /// Which.
    pub provider: String,
    /// Where it sends the browser back to: one of those that are set up for it.
    pub redirect: String,
    /// What for.
    pub purpose: IdentityPurpose,
    /// What a session is to be shown as, for instance "Firefox on Android".
    pub device: String,
    /// The refresh token of a session that the browser keeps: it ends when another takes its place.
    pub replaces: Option<Secret>,
}

/// A way to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunIdentity {
    /// Kept by the client meanwhile, and given back with the answer: it shows that the browser that comes back is the one that
    /// went.
    pub ceremony: Secret,
    /// Where the browser goes.
    pub url: Secret,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// What a browser came back with.
#[derive(Debug, Clone)]
pub struct IdentityAnswer {
    /// What [`begin_identity`](AccountService::begin_identity) answered.
    pub ceremony: Secret,
    /// The `state` of the address.
    pub state: Secret,
    /// Its `code`.
    pub code: Secret,
    /// Its `iss`, where it has one.
    pub issuer: Option<String>,
}

/// What a log-in by an identity comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityEntry {
    /// A session begins.
    In(Box<LoggedIn>),
    /// The account has a second factor: the log-in waits for it.
    Waits(Waited),
    /// It opens no account yet.
    New(NewIdentity),
}

/// Somebody who can join.
#[derive(Clone, PartialEq, Eq)]
pub struct NewIdentity {
    /// To be given back to join; it lets nobody in.
    pub ticket: Secret,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// An address to begin with.
    pub email: Option<String>,
    /// A name to begin with.
    pub name: Option<String>,
}

impl core::fmt::Debug for NewIdentity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NewIdentity").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What somebody who is new says of themselves, as typed.
#[derive(Debug, Clone)]
pub struct JoinWithIdentity {
    /// What the log-in answered.
    pub ticket: Secret,
    /// Their e-mail address; the one that the provider told, where they name none.
    pub email: Option<String>,
    /// The handle they want.
    pub handle: String,
    /// Their display name.
    pub name: String,
    /// When they were born, for instance `2001-09-30`.
    pub birth_date: String,
    /// The language of mails to them.
    pub locale: Locale,
}

/// What lets in, besides passkeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaysIn {
    /// Whether there is a password.
    pub has_password: bool,
    /// Identities at providers, the oldest first.
    pub identities: Vec<LinkedIdentity>,
}

fn invalid() -> Error {
    AccountRefusal::IdentityInvalid.into()
}

impl AccountService {
    /// The providers that are set up.
    pub fn providers(&self) -> &[Provider] {
        self.ports.identities.providers()
    }

    /// Begins a way to a provider.
    ///
    /// # Errors
    /// [`AccountRefusal::ProviderUnknown`] on `provider` or `redirectUri`; [`AccountRefusal::ProofNeeded`] to link;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal); those of the device's name; faults while the provider is away.
    pub async fn begin_identity(&self, actor: &Actor, client: &Client, input: &BeginIdentity) -> Result<BegunIdentity> {
        let unknown = |field| Error::from(AccountRefusal::ProviderUnknown).on_field(field);
        if input.purpose != IdentityPurpose::LogIn {
            actor.member()?;
        }
        let device = DEVICE.check(&input.device)?;
        let provider = self.providers().iter().find(|provider| provider.name == input.provider);
        let provider = provider.ok_or_else(|| unknown("provider"))?;
        if !provider.redirects.contains(&input.redirect) {
            return Err(unknown("redirectUri"));
        }
        let account = match input.purpose {
            IdentityPurpose::LogIn => {
                self.count_code(client).await?;
                None
            }
            IdentityPurpose::Link => {
                let (member, now) = (*actor.member()?, self.ports.clock.now());
                let mut unit = self.ports.store.begin(actor).await?;
                Some(self.proved_owner(unit.as_mut(), member, now).await?.id)
            }
            IdentityPurpose::Proof => {
                let member = *actor.member()?;
                self.count_proof(member).await?;
                Some(member.account)
            }
        };
        let anybody = Actor::Anonymous;
        let actor = if account.is_some() { actor } else { &anybody };
        let replaces = match &input.replaces {
            Some(refresh) => self.session_of(refresh).await?.map(|session| session.id),
            None => None,
        };
        let way = Way { provider: input.provider.clone(), redirect: input.redirect.clone(), device, replaces };
        let state = serde_json::to_vec(&way)
            .map_err(|error| Error::new(ErrorKind::Internal, "identity.way").with_source(error))?;
        let (id, expires_at) = self.keep_ceremony(actor, input.purpose.kind(), account, &state).await?;
        let key = &self.ports.keys.identity;
        let request = way.request(key, id, input.purpose == IdentityPurpose::Proof);
        let url = self.ports.identities.authorization_url(&request).await?;
        Ok(BegunIdentity { ceremony: identity::held(key, id), url: Secret::new(url), expires_at })
    }

    /// Logs in with what a browser came back with. An account that the identity opens is entered as by its password: its state
    /// decides, and a second factor is asked for. One that opens none can be joined with; no account is found by an address.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `ceremony`, also for another browser's; [`AccountRefusal::IdentityInvalid`];
    /// [`AccountRefusal::Suspended`]; [`LimitRefusal::Reached`](crate::port::LimitRefusal); faults while the provider is away.
    pub async fn log_in_with_identity(&self, client: &Client, answer: &IdentityAnswer) -> Result<IdentityEntry> {
        let (way, claims, _) = self.came_back(client, &Actor::Anonymous, None, answer).await?;
        let entry = self.entered_by(client, &claims, &way.device).await?;
        if let (IdentityEntry::In(entered), Some(before)) = (&entry, way.replaces) {
            // They are in: what cannot be tidied up now ends by itself.
            if let Err(error) = self.leave_session(before, entered.member.session).await {
                tracing::warn!(?error, "the session that was there before could not be ended");
            }
        }
        Ok(entry)
    }

    async fn entered_by(&self, client: &Client, claims: &IdentityClaims, device: &str) -> Result<IdentityEntry> {
        for _ in 0..LOG_IN_TRIES {
            let found = {
                let mut view = self.ports.store.read(&Actor::Anonymous, Access::Read).await?;
                view.accounts().credential_by_identity(&claims.identity).await?
            };
            let Some(stored) = found else {
                let expires_at = self.ports.clock.now() + TICKET_LIFE;
                let ticket = Ticket::new(claims, expires_at).seal(&self.ports.keys.identity, self.ports.ids.bytes());
                let (email, name) = (claims.email.clone(), claims.name.clone());
                return Ok(IdentityEntry::New(NewIdentity { ticket, expires_at, email, name }));
            };
            policy::may_log_in(stored.state, self.ports.clock.now()).map_err(|error| match error.refusal() {
                Some(AccountRefusal::CredentialsInvalid) => invalid(),
                _ => error,
            })?;
            let email = self.email_of(&stored).await?;
            let upkeep = Upkeep { waking: self.waking(&stored).await?, ..Upkeep::default() };
            let (origin, second) = (self.origin(client, email.as_str()), Second::Identity(claims));
            let opening = Opening { stored: &stored, upkeep: &upkeep, device, origin, second };
            match self.open_session(opening, None).await {
                Err(error) if error.kind() == ErrorKind::Stale => {}
                outcome => {
                    let Some(session) = outcome? else {
                        return self.wait(&stored, device, second).await.map(IdentityEntry::from);
                    };
                    let device = self.device_token(client, email.as_str(), &session);
                    return self.logged_in(&session, device).map(|entered| IdentityEntry::In(Box::new(entered)));
                }
            }
        }
        Err(CommonRefusal::Unavailable.into())
    }

    /// Opens a registration for somebody who came from a provider. It is completed by
    /// [`verify_email`](Self::verify_email) like any other, and its account is opened by the identity, and has no password.
    /// Under a key, a repeated request gets the same registration.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `ticket`; those of [`register`](Self::register).
    pub async fn join_with_identity(
        &self,
        client: &Client,
        input: JoinWithIdentity,
        key: Option<IdempotencyKey>,
    ) -> Result<ChallengeId> {
        let lapsed = || Error::from(AccountRefusal::ChallengeInvalid).on_field("ticket");
        let ticket = Ticket::open(&self.ports.keys.identity, &input.ticket, self.ports.clock.now());
        let Some(ticket) = ticket else {
            self.count_code(client).await?;
            return Err(lapsed());
        };
        let email = input.email.or(ticket.email).unwrap_or_default();
        let checked = self.joining(&email, &input.handle, &input.name, &input.birth_date)?;
        self.count_registration(client).await?;
        let who = [b"join", ticket.identity.issuer.as_bytes(), b"\n", ticket.identity.subject.as_bytes()];
        let fingerprint = self.ports.keys.challenge.tag(&who);
        let birth_date = checked.birth_date.to_string();
        let request =
            (checked.email.as_str(), checked.handle.as_str(), &checked.name, birth_date, input.locale, fingerprint);
        let keyed = keyed("account.join_with_identity", key, &request);
        let hash = password::none(self.ports.ids.bytes());
        self.open_registration(&checked, &hash, Some(&ticket.identity), input.locale, keyed).await
    }

    /// Links an identity with the actor's account: it opens it from now on. The owner is told.
    ///
    /// # Errors
    /// [`AccountRefusal::ProofNeeded`]; [`AccountRefusal::ChallengeInvalid`] on `ceremony`;
    /// [`AccountRefusal::IdentityInvalid`], [`AccountRefusal::IdentityTaken`], [`AccountRefusal::IdentitySet`]; faults while the
    /// provider is away.
    pub async fn link_identity(
        &self,
        actor: &Actor,
        client: &Client,
        answer: &IdentityAnswer,
    ) -> Result<LinkedIdentity> {
        let member = *actor.member()?;
        let (_, claims, _) = self.came_back(client, actor, Some(IdentityPurpose::Link), answer).await?;
        let now = self.ports.clock.now();
        let linked =
            &LinkedIdentity { account: member.account, identity: claims.identity, linked_at: now, used_at: None };
        let done = self.ports.transact(actor, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = self.proved_owner(unit, member, now).await?;
                unit.factors().insert_identity(linked).await?;
                self.told(unit, &account, "account.identity_linked", MailingKind::IdentityLinked, now).await
            })
        });
        done.await.map_err(|error| match error.kind() {
            ErrorKind::Conflict("identity_subject") => AccountRefusal::IdentityTaken.into(),
            ErrorKind::Conflict("identity_issuer") => AccountRefusal::IdentitySet.into(),
            _ => error,
        })?;
        Ok(linked.clone())
    }

    /// Unlinks the account's identity of an issuer. Sessions go on; the owner is told.
    ///
    /// # Errors
    /// Not found where there is none; [`AccountRefusal::ProofNeeded`]; [`AccountRefusal::LastWayIn`].
    pub async fn unlink_identity(&self, actor: &Actor, issuer: &str, key: Option<IdempotencyKey>) -> Result<()> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.unlink_identity", key, &issuer);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    if !unit.factors().delete_identity(account.id, issuer).await? {
                        return Err(Error::not_found());
                    }
                    self.leaves_a_way_in(unit, account.id).await?;
                    self.told(unit, &account, "account.identity_unlinked", MailingKind::IdentityUnlinked, now).await
                })
            })
            .await
    }

    /// Proves once more who one is, at a provider that says when that was: as good as
    /// [`reauthenticate`](AccountService::reauthenticate), so where a second factor guards the account it is wanted besides.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `ceremony`; [`AccountRefusal::IdentityInvalid`], also for an identity that is not
    /// linked and for a proof that is old; [`AccountRefusal::SecondFactorNeeded`] and [`AccountRefusal::CodeInvalid`] on
    /// `secondFactor`; [`LimitRefusal::Reached`](crate::port::LimitRefusal).
    pub async fn prove_with_identity(
        &self,
        actor: &Actor,
        client: &Client,
        answer: &IdentityAnswer,
        code: Option<&Secret>,
    ) -> Result<Timestamp> {
        let member = *actor.member()?;
        self.count_proof(member).await?;
        let needed = || Error::from(AccountRefusal::SecondFactorNeeded).on_field("secondFactor");
        let is_guarded = {
            let mut unit = self.ports.store.begin(actor).await?;
            self.guard(unit.as_mut(), member.account).await?.is_some()
        };
        // Before anything is used up.
        if is_guarded && code.is_none() {
            return Err(needed());
        }
        let (_, claims, begun_at) = self.came_back(client, actor, Some(IdentityPurpose::Proof), answer).await?;
        if claims.authenticated_at.is_none_or(|at| at + SKEW < begun_at) {
            return Err(invalid());
        }
        let (claims, now) = (&claims, self.ports.clock.now());
        let proved = self.ports.transact(actor, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = unit.accounts().account(member.account, Lock::Update).await?;
                let account = account.ok_or(AccountRefusal::TokenInvalid)?;
                self.still_linked(unit, account.id, claims, now).await?;
                if let Some(factor) = self.guard(unit, account.id).await? {
                    let spent = self.spend(unit, &account, factor, code.ok_or_else(needed)?, now).await;
                    spent.map_err(|error| if error.is_refusal() { error.on_field("secondFactor") } else { error })?;
                }
                unit.accounts().prove_session(member.session, now).await?;
                audit(unit, "session.proved", member.session, "identity", now).await
            })
        });
        proved.await.map_err(|error| if error.kind() == ErrorKind::Stale { invalid() } else { error })?;
        Ok(now + self.ports.settings.proof_life)
    }

    /// Sets the first password of an account that has none. All other sessions of the account end; answers how many.
    ///
    /// # Errors
    /// [`AccountRefusal::PasswordSet`], [`AccountRefusal::ProofNeeded`]; those of a password that is not good enough;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn set_password(&self, actor: &Actor, new: &Secret, key: Option<IdempotencyKey>) -> Result<u32> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        // The stored fingerprint of the request must not let anybody who sees it try passwords, nor compare people's.
        let parts = [b"set_password", &member.account.raw().to_be_bytes()[..], new.expose().as_bytes()];
        let is_keyed = key.is_some();
        let keyed = keyed("account.set_password", key, &self.ports.keys.challenge.tag(&parts));
        self.count_proof(member).await?;
        // Before the work of hashing; what it decides on is looked at again when it is stored.
        let email = {
            let mut unit = self.ports.store.begin(actor).await?;
            let account = self.proved_owner(unit.as_mut(), member, now).await?;
            let before = unit.accounts().password_hash(account.id).await?;
            if !is_keyed && before.is_some_and(|hash| password::is_some(&hash)) {
                return Err(AccountRefusal::PasswordSet.into());
            }
            account.email
        };
        self.check_new(actor, new, &email).await?;
        let (hash, ended) = (&self.ports.hasher.hash(new).await?, &Mutex::new(Vec::new()));
        let count = self.ports.transact_once(actor, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = self.proved_owner(unit, member, now).await?;
                let before = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                if password::is_some(&before) {
                    return Err(AccountRefusal::PasswordSet.into());
                }
                let was = Reached { account: account.id, email: account.email, password_hash: before };
                let sessions = self.replace(unit, &was, hash, Some(member.session), "set", now).await?;
                let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
                *ended.lock().unwrap_or_else(PoisonError::into_inner) = sessions;
                Ok(count)
            })
        });
        let count = count.await?;
        self.tell_ended(&taken(ended), now).await;
        Ok(count)
    }

    /// What lets in to the actor's account, besides passkeys.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn ways_in(&self, actor: &Actor) -> Result<WaysIn> {
        let account = actor.member()?.account;
        let mut unit = self.ports.store.begin(actor).await?;
        let has_password = unit.accounts().password_hash(account).await?.is_some_and(|hash| password::is_some(&hash));
        Ok(WaysIn { has_password, identities: unit.factors().identities(account).await? })
    }

    /// Refuses what took the last way in: a password, a passkey, or an identity at a provider that is set up.
    pub(super) async fn leaves_a_way_in(&self, unit: &mut dyn UnitOfWork, account: AccountId) -> Result<()> {
        if unit.accounts().password_hash(account).await?.is_some_and(|hash| password::is_some(&hash))
            || !unit.factors().passkeys(account).await?.is_empty()
        {
            return Ok(());
        }
        let linked = unit.factors().identities(account).await?;
        let is_set_up = |one: &LinkedIdentity| self.providers().iter().any(|at| at.issuer == one.identity.issuer);
        if linked.iter().any(is_set_up) { Ok(()) } else { Err(AccountRefusal::LastWayIn.into()) }
    }

    /// Notes that somebody came in by an identity. It is [`ErrorKind::Stale`] where it does not open the account any more.
    pub(super) async fn still_linked(
        &self,
        unit: &mut dyn UnitOfWork,
        account: AccountId,
        claims: &IdentityClaims,
        now: Timestamp,
    ) -> Result<()> {
        let linked = unit.factors().identities(account).await?;
        if !linked.iter().any(|one| one.identity == claims.identity) {
            return Err(Error::new(ErrorKind::Stale, "account.identity"));
        }
        unit.factors().use_identity(account, &claims.identity.issuer, now).await
    }

    /// Takes a way out, and asks its provider who came back; answers also when the way began.
    async fn came_back(
        &self,
        client: &Client,
        actor: &Actor,
        purpose: Option<IdentityPurpose>,
        answer: &IdentityAnswer,
    ) -> Result<(Way, IdentityClaims, Timestamp)> {
        let (key, purpose) = (&self.ports.keys.identity, purpose.unwrap_or(IdentityPurpose::LogIn));
        let Some(id) = identity::way(key, &answer.ceremony, &answer.state) else {
            // What is none counts; one that was begun did when it was.
            self.count_code(client).await?;
            return Err(lapsed());
        };
        let pending = self.take_pending(actor, id, purpose.kind()).await?;
        let owner = match actor {
            Actor::Member(member) if purpose != IdentityPurpose::LogIn => Some(member.account),
            _ => None,
        };
        if pending.account != owner {
            return Err(lapsed());
        }
        if answer.code.expose().is_empty() || answer.code.expose().len() > LONGEST_CODE {
            return Err(invalid());
        }
        let way: Way = serde_json::from_slice(&pending.state)
            .map_err(|error| Error::new(ErrorKind::Corrupt, "identity.way").with_source(error))?;
        let request = way.request(key, id, purpose == IdentityPurpose::Proof);
        let answer = AuthorizationAnswer { code: answer.code.clone(), issuer: answer.issuer.clone() };
        let redeemed = self.ports.identities.redeem(&request, &answer).await;
        // Whoever took the provider's settings away meanwhile took this way, too.
        let claims = redeemed.map_err(|error| if error.is_refusal() { invalid() } else { error })?;
        let claims = claims.filter(|claims| is_kept(&claims.identity)).ok_or_else(invalid)?;
        let begun_at = Timestamp::from_seconds(pending.expires_at.as_seconds()) - CEREMONY_LIFE;
        Ok((way, claims, begun_at))
    }

    async fn email_of(&self, stored: &StoredCredential) -> Result<Email> {
        let actor = Actor::Member(self.draw_session(stored));
        let mut unit = self.ports.store.begin(&actor).await?;
        let found = unit.accounts().account(stored.account, Lock::None).await?;
        found.map(|account| account.email).ok_or_else(invalid)
    }
}

impl From<Entry> for IdentityEntry {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::In(entered) => Self::In(entered),
            Entry::Waits(waited) => Self::Waits(waited),
        }
    }
}

/// Whether an identity is of a form that is kept.
fn is_kept(identity: &Identity) -> bool {
    [&identity.issuer, &identity.subject]
        .iter()
        .all(|text| (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control))
}
