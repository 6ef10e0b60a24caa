//! Passkeys: making them, logging in with them alone or after the password, proving oneself with them, and taking them away.
//!
//! Each is a ceremony of two requests. What the first asked is kept by us until it lapses, and is taken out before the answer
//! is looked at, so that it takes one answer, right or wrong. A passkey signs only for its owner, whom the authenticator
//! verifies, so it is as good as a password and a second factor together.

use core::time::Duration;
use std::sync::Mutex;

use super::super::factor::SecondFactor;
use super::super::passkey::{self, CeremonyKind, Passkey, PendingCeremony, StoredPasskey};
use super::super::{AccountRefusal, MailingKind, Session, StoredCredential};
use super::sessions::{Opening, Second, Upkeep};
use super::{AccountService, DEVICE, LoggedIn, taken};
use crate::actor::{Actor, Client, Member};
use crate::checks::{Writing, keyed};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id, PasskeyId};
use crate::idempotency::IdempotencyKey;
use crate::port::store::{Access, Lock};
use crate::port::{PublicPart, Signed, UnitOfWork};
use crate::secret::Secret;
use crate::text::Bounds;
use crate::time::Timestamp;

/// How many passkeys an account may have.
const MOST: usize = 20;
/// How long a ceremony waits for its answer.
pub(super) const CEREMONY_LIFE: Duration = Duration::from_mins(10);

/// What its owner calls a passkey.
const NAME: Writing<AccountRefusal> = Writing {
    field: "name",
    bounds: Bounds::line(1, 100),
    empty: AccountRefusal::NameInvalid,
    too_long: AccountRefusal::NameInvalid,
    forbidden: AccountRefusal::ForbiddenCharacter,
};

/// A ceremony for the client to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunCeremony {
    /// To be given back with the answer.
    pub ceremony: Secret,
    /// What `navigator.credentials` is asked with, JSON.
    pub options: String,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// A passkey that was made, and the recovery codes that came with the first guard of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// Shown this once; empty when there were some already.
    pub recovery_codes: Vec<Secret>,
}

/// An answer that was checked: what is kept of its passkey from now on, if it still is what it was checked by.
#[derive(Clone, Copy)]
pub(super) struct SignedBy<'a> {
    passkey: &'a Passkey,
    now: &'a PublicPart,
}

fn invalid() -> Error {
    Error::from(AccountRefusal::PasskeyInvalid).on_field("answer")
}

pub(super) fn lapsed() -> Error {
    Error::from(AccountRefusal::ChallengeInvalid).on_field("ceremony")
}

impl AccountService {
    /// Begins to make a passkey.
    ///
    /// # Errors
    /// [`AccountRefusal::ProofNeeded`], [`AccountRefusal::PasskeysFull`].
    pub async fn begin_passkey(&self, actor: &Actor) -> Result<BegunCeremony> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let (account, known) = {
            let mut unit = self.ports.store.begin(actor).await?;
            let account = self.proved_owner(unit.as_mut(), member, now).await?;
            (account, unit.factors().passkeys(member.account).await?)
        };
        if known.len() >= MOST {
            return Err(AccountRefusal::PasskeysFull.into());
        }
        let user = passkey::user_handle(&self.ports.keys.factor, account.id);
        let begun = self.ports.passkeys.begin_registration(&user, account.email.as_str(), &public(known))?;
        self.keep(actor, CeremonyKind::Making, Some(account.id), begun).await
    }

    /// Makes a passkey of the answer of an authenticator. The first guard of an account comes with recovery codes; from then on
    /// a log-in by password takes a passkey or one of these besides.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `ceremony`, [`AccountRefusal::PasskeyInvalid`] on `answer`,
    /// [`AccountRefusal::PasskeyTaken`], [`AccountRefusal::PasskeysFull`], [`AccountRefusal::ProofNeeded`],
    /// [`AccountRefusal::NameInvalid`].
    pub async fn add_passkey(
        &self,
        actor: &Actor,
        ceremony: &Secret,
        answer: &Secret,
        name: &str,
    ) -> Result<AddedPasskey> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let name = &NAME.check(name)?;
        let pending = self.take_ceremony(actor, ceremony, CeremonyKind::Making).await?;
        if pending.account != Some(member.account) {
            return Err(lapsed());
        }
        let public = self.ports.passkeys.finish_registration(&pending.state, answer)?.ok_or_else(invalid)?;
        let (public, told) = (&public, &Mutex::new(Vec::new()));
        let added = self.ports.transact(actor, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = self.proved_owner(unit, member, now).await?;
                if unit.factors().passkeys(account.id).await?.len() >= MOST {
                    return Err(AccountRefusal::PasskeysFull.into());
                }
                let passkey = Passkey {
                    id: self.ports.ids.draw(now, member.profile.shard()),
                    account: account.id,
                    public: public.clone(),
                    name: name.clone(),
                    created_at: now,
                    used_at: None,
                };
                let guarded = self.guard(unit, account.id).await?.is_some();
                let mut recovery_codes = Vec::new();
                if !guarded {
                    let factor = unit.factors().second_factor(account.id).await?;
                    let mut factor = factor.unwrap_or_else(|| SecondFactor::none(account.id));
                    recovery_codes = self.draw_codes(&mut factor);
                    unit.factors().put_second_factor(&factor).await?;
                    self.end_unguarded(unit, member, now, told).await?;
                }
                unit.factors().insert_passkey(&passkey).await?;
                self.told(unit, &account, "account.passkey_added", MailingKind::PasskeyAdded, now).await?;
                Ok(AddedPasskey { passkey, recovery_codes })
            })
        });
        let added = added.await.map_err(|error| match error.kind() {
            ErrorKind::Conflict("passkey_credential") => AccountRefusal::PasskeyTaken.into(),
            _ => error,
        })?;
        self.tell_ended(&taken(told), now).await;
        Ok(added)
    }

    /// The passkeys of the own account, oldest first.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn passkeys(&self, actor: &Actor) -> Result<Vec<Passkey>> {
        let account = actor.member()?.account;
        self.ports.store.begin(actor).await?.factors().passkeys(account).await
    }

    /// Calls an own passkey otherwise.
    ///
    /// # Errors
    /// Not found for another's, and for none; [`AccountRefusal::NameInvalid`].
    pub async fn rename_passkey(
        &self,
        actor: &Actor,
        id: PasskeyId,
        name: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        let account = actor.member()?.account;
        let name = &NAME.check(name)?;
        let keyed = keyed("account.rename_passkey", key, &(id, name));
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let found = unit.factors().passkey(account, id).await?.ok_or_else(Error::not_found)?;
                    unit.factors().update_passkey(&Passkey { name: name.clone(), ..found }).await
                })
            })
            .await
    }

    /// Takes an own passkey away. With the last guard of the account its recovery codes go.
    ///
    /// # Errors
    /// Not found for another's, and for none; [`AccountRefusal::ProofNeeded`]; [`AccountRefusal::LastWayIn`].
    pub async fn remove_passkey(&self, actor: &Actor, id: PasskeyId, key: Option<IdempotencyKey>) -> Result<()> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.remove_passkey", key, &id);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    if !unit.factors().delete_passkey(account.id, id).await? {
                        return Err(Error::not_found());
                    }
                    self.leaves_a_way_in(unit, account.id).await?;
                    if self.guard(unit, account.id).await?.is_none() {
                        unit.factors().delete_second_factor(account.id).await?;
                    }
                    self.told(unit, &account, "account.passkey_removed", MailingKind::PasskeyRemoved, now).await
                })
            })
            .await
    }

    /// Begins a log-in by passkey: any that the client's authenticator keeps or, with the challenge of a log-in whose password
    /// was right, one of that account's.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `challenge`; [`LimitRefusal::Reached`](crate::port::LimitRefusal).
    pub async fn begin_passkey_log_in(&self, client: &Client, challenge: Option<&Secret>) -> Result<BegunCeremony> {
        let refuse = || Error::from(AccountRefusal::ChallengeInvalid).on_field("challenge");
        // Whoever is not logged in yet acts as whom the password proved, or as nobody.
        let (actor, account, known) = match challenge {
            None => {
                self.count_code(client).await?;
                (Actor::Anonymous, None, Vec::new())
            }
            Some(challenge) => {
                let waiting = self.opened(client, challenge).await?;
                let (stored, _) = self.waiting_of(&waiting).await?.ok_or_else(refuse)?;
                let actor = Actor::Member(self.draw_session(&stored));
                let known = self.ports.store.begin(&actor).await?.factors().passkeys(stored.account).await?;
                if known.is_empty() {
                    return Err(refuse());
                }
                (actor, Some(stored.account), known)
            }
        };
        let begun = self.ports.passkeys.begin_signature(&public(known))?;
        self.keep(&actor, CeremonyKind::LogIn, account, begun).await
    }

    /// Logs in with what a passkey signed.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `ceremony`, [`AccountRefusal::PasskeyInvalid`] on `answer`,
    /// [`AccountRefusal::Suspended`], those of the device's name; [`LimitRefusal::Reached`](crate::port::LimitRefusal).
    pub async fn log_in_with_passkey(
        &self,
        client: &Client,
        ceremony: &Secret,
        answer: &Secret,
        device: &str,
    ) -> Result<LoggedIn> {
        let device = DEVICE.check(device)?;
        if passkey::open(&self.ports.keys.factor, ceremony).is_none() {
            // What is none counts; one that was begun did when it was.
            self.count_code(client).await?;
            return Err(lapsed());
        }
        let pending = self.take_ceremony(&Actor::Anonymous, ceremony, CeremonyKind::LogIn).await?;
        let stored = self.named(answer).await?.ok_or_else(invalid)?;
        if pending.account.is_some_and(|account| account != stored.passkey.account) {
            return Err(invalid());
        }
        let (account, profile) = (stored.passkey.account, stored.profile);
        let session = self.ports.ids.draw(self.ports.clock.now(), profile.shard());
        let actor = Actor::Member(Member { account, profile, session });
        let now = self.checked(&actor, &pending, &stored.passkey, answer).await?;
        let signed = SignedBy { passkey: &stored.passkey, now: &now };
        let (credential, email) = {
            let mut unit = self.ports.store.begin(&actor).await?;
            let found = unit.accounts().account(account, Lock::None).await?.ok_or_else(invalid)?;
            let password_hash = unit.accounts().password_hash(account).await?.ok_or_else(invalid)?;
            (StoredCredential { account, profile, password_hash, state: found.state }, found.email)
        };
        let upkeep = Upkeep { waking: self.waking(&credential).await?, ..Upkeep::default() };
        let second = Second::Signed(signed);
        let origin = self.origin(client, email.as_str());
        let opening = Opening { stored: &credential, upkeep: &upkeep, device: &device, origin, second };
        let opened = self.open_session(opening, None).await;
        let session: Session = opened
            .map_err(|error| if error.kind() == ErrorKind::Stale { invalid() } else { error })?
            .ok_or_else(invalid)?;
        self.logged_in(&session, self.device_token(client, email.as_str(), &session))
    }

    /// Begins a proof by passkey, on the session that asks.
    ///
    /// # Errors
    /// [`AccountRefusal::SecondFactorMissing`] without a passkey.
    pub async fn begin_passkey_proof(&self, actor: &Actor) -> Result<BegunCeremony> {
        let account = actor.member()?.account;
        let known = self.passkeys(actor).await?;
        if known.is_empty() {
            return Err(AccountRefusal::SecondFactorMissing.into());
        }
        let begun = self.ports.passkeys.begin_signature(&public(known))?;
        self.keep(actor, CeremonyKind::Proof, Some(account), begun).await
    }

    /// Proves once more who one is with what a passkey signed; as good as
    /// [`reauthenticate`](AccountService::reauthenticate).
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `ceremony`, [`AccountRefusal::PasskeyInvalid`] on `answer`;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal).
    pub async fn prove_with_passkey(&self, actor: &Actor, ceremony: &Secret, answer: &Secret) -> Result<Timestamp> {
        let (member, at) = (*actor.member()?, self.ports.clock.now());
        self.count_proof(member).await?;
        let pending = self.take_ceremony(actor, ceremony, CeremonyKind::Proof).await?;
        if pending.account != Some(member.account) {
            return Err(lapsed());
        }
        let stored = self.named(answer).await?.filter(|stored| stored.passkey.account == member.account);
        let stored = stored.ok_or_else(invalid)?;
        let now = &self.checked(actor, &pending, &stored.passkey, answer).await?;
        let passkey = &stored.passkey;
        self.ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    unit.accounts().account(member.account, Lock::Update).await?;
                    self.note_signature(unit, SignedBy { passkey, now }, at).await?;
                    unit.accounts().prove_session(member.session, at).await?;
                    super::audit(unit, "session.proved", member.session, "passkey", at).await
                })
            })
            .await
            .map_err(|error| if error.kind() == ErrorKind::Stale { invalid() } else { error })?;
        Ok(at + self.ports.settings.proof_life)
    }

    /// Notes what is kept of a passkey that signed. It is [`ErrorKind::Stale`] when the passkey is gone, or signed otherwise
    /// since the answer was checked.
    pub(super) async fn note_signature(
        &self,
        unit: &mut dyn UnitOfWork,
        signed: SignedBy<'_>,
        at: Timestamp,
    ) -> Result<()> {
        let stale = || Error::new(ErrorKind::Stale, "account.passkey");
        let found = unit.factors().passkey(signed.passkey.account, signed.passkey.id).await?.ok_or_else(stale)?;
        if found.public != signed.passkey.public {
            return Err(stale());
        }
        unit.factors().update_passkey(&Passkey { public: signed.now.clone(), used_at: Some(at), ..found }).await
    }

    /// The passkey that an answer names.
    async fn named(&self, answer: &Secret) -> Result<Option<StoredPasskey>> {
        let Some((credential, user)) = self.ports.passkeys.signer_of(answer) else { return Ok(None) };
        let mut view = self.ports.store.read(&Actor::Anonymous, Access::Read).await?;
        let found = view.accounts().passkey_by_credential(&credential).await?;
        let key = &self.ports.keys.factor;
        // An authenticator that says whose it is must be right.
        let fits =
            |stored: &StoredPasskey| user.is_none_or(|user| user == passkey::user_handle(key, stored.passkey.account));
        Ok(found.filter(fits))
    }

    /// Checks an answer. A copy of the passkey is told to its owner, and lets nobody in.
    async fn checked(
        &self,
        owner: &Actor,
        pending: &PendingCeremony,
        passkey: &Passkey,
        answer: &Secret,
    ) -> Result<PublicPart> {
        match self.ports.passkeys.finish_signature(&pending.state, &passkey.public, answer)? {
            Signed::Good(public) => Ok(public),
            Signed::Bad => Err(invalid()),
            Signed::Copied => {
                let (account, now) = (passkey.account, self.ports.clock.now());
                tracing::warn!(passkey = %passkey.id, "a passkey signed less often than it had before: refused");
                self.ports
                    .transact(owner, |mut unit| {
                        Box::pin(async move {
                            let unit = &mut *unit;
                            let found = unit.accounts().account(account, Lock::Share).await?;
                            let found = found.ok_or_else(invalid)?;
                            self.told(unit, &found, "account.passkey_copied", MailingKind::PasskeyCopied, now).await
                        })
                    })
                    .await?;
                Err(invalid())
            }
        }
    }

    /// Keeps a ceremony until it is answered.
    async fn keep(
        &self,
        actor: &Actor,
        kind: CeremonyKind,
        account: Option<AccountId>,
        begun: crate::port::Ceremony,
    ) -> Result<BegunCeremony> {
        let (id, expires_at) = self.keep_ceremony(actor, kind, account, &begun.state).await?;
        Ok(BegunCeremony { ceremony: passkey::seal(&self.ports.keys.factor, id), options: begun.options, expires_at })
    }

    /// Keeps what a ceremony is answered by; answers its id, and when it lapses.
    pub(super) async fn keep_ceremony(
        &self,
        actor: &Actor,
        kind: CeremonyKind,
        account: Option<AccountId>,
        state: &[u8],
    ) -> Result<(ChallengeId, Timestamp)> {
        let (ids, now) = (&self.ports.ids, self.ports.clock.now());
        let expires_at = now + CEREMONY_LIFE;
        let kept = self
            .ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let id = ids.draw(now, ids.shard());
                    let pending = PendingCeremony { id, kind, account, state: state.to_vec(), expires_at };
                    unit.factors().insert_ceremony(&pending).await?;
                    Ok(id)
                })
            })
            .await;
        kept.map(|id| (id, expires_at))
    }

    async fn take_ceremony(&self, actor: &Actor, ceremony: &Secret, kind: CeremonyKind) -> Result<PendingCeremony> {
        let id = passkey::open(&self.ports.keys.factor, ceremony).ok_or_else(lapsed)?;
        self.take_pending(actor, id, kind).await
    }

    /// Takes a ceremony out, which is done before its answer is looked at.
    pub(super) async fn take_pending(
        &self,
        actor: &Actor,
        id: ChallengeId,
        kind: CeremonyKind,
    ) -> Result<PendingCeremony> {
        let taken = self
            .ports
            .transact(actor, |mut unit| Box::pin(async move { unit.factors().take_ceremony(id).await }))
            .await?;
        let now = self.ports.clock.now();
        taken.filter(|pending| pending.kind == kind && now < pending.expires_at).ok_or_else(lapsed)
    }
}

fn public(passkeys: Vec<Passkey>) -> Vec<PublicPart> {
    passkeys.into_iter().map(|passkey| passkey.public).collect()
}
