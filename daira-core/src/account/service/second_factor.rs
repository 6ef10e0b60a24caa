//! Second factors: setting one up, proving it after the password, proving oneself once more, and taking it away.
//!
//! Whoever changes what guards an account proved themselves on their session a short while ago, with all that logging in
//! takes: by that very log-in, or by [`reauthenticate`](AccountService::reauthenticate). The owner hears of every change by
//! mail. The account's lock comes first and orders all of it, so that no code is taken twice.

use std::sync::{Mutex, PoisonError};

use super::super::factor::{self, Authenticator, Proof, SecondFactor, Waiting};
use super::super::{Account, AccountRefusal, Email, MailingKind, StoredCredential, policy};
use super::recovery::{held, send};
use super::sessions::{Opening, Second, Upkeep};
use super::{AccountService, LoggedIn, audit, end_all, taken};
use crate::actor::{Actor, Client, Member};
use crate::checks::keyed;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::Lock;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What an authenticator app is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret as people type it, in base32.
    pub secret: Secret,
    /// The `otpauth:` address, to be shown as a picture.
    pub address: Secret,
}

/// What guards the own account besides its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactorStatus {
    /// Since when digits of an app are asked for, if they are.
    pub authenticator_since: Option<Timestamp>,
    /// How many passkeys there are.
    pub passkeys: usize,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
}

impl AccountService {
    /// Completes a log-in that waits, with the digits of an app or a recovery code. Both work once; a new password ends what
    /// waits.
    ///
    /// # Errors
    /// [`AccountRefusal::ChallengeInvalid`] on `challenge`, [`AccountRefusal::CodeInvalid`] on `code`,
    /// [`AccountRefusal::Suspended`]; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn verify_second_factor(&self, client: &Client, challenge: &Secret, code: &Secret) -> Result<LoggedIn> {
        let refuse = || Error::from(AccountRefusal::ChallengeInvalid).on_field("challenge");
        let waiting = self.opened(client, challenge).await?;
        let (stored, email) = self.waiting_of(&waiting).await?.ok_or_else(refuse)?;
        self.count_second_factor(client, stored.account, &email).await?;
        let upkeep = Upkeep { waking: self.waking(&stored).await?, ..Upkeep::default() };
        let (origin, second) = (self.origin(client, email.as_str()), Second::Typed(code, &waiting));
        let opening = Opening { stored: &stored, upkeep: &upkeep, device: &waiting.device, origin, second };
        let opened = self.open_session(opening, None).await;
        let session = opened.map_err(|error| if error.kind() == ErrorKind::Stale { refuse() } else { error })?;
        let session = session.ok_or_else(refuse)?;
        self.logged_in(&session, self.device_token(client, email.as_str(), &session))
    }

    /// The log-in that waits under a challenge. Only who brings what is none counts against the address: no neighbour keeps out
    /// who proved the password.
    pub(super) async fn opened(&self, client: &Client, challenge: &Secret) -> Result<Waiting> {
        if let Some(waiting) = Waiting::open(&self.ports.keys.factor, challenge, self.ports.clock.now()) {
            return Ok(waiting);
        }
        self.count_code(client).await?;
        Err(Error::from(AccountRefusal::ChallengeInvalid).on_field("challenge"))
    }

    /// What the password of a waiting log-in proved, if it still holds.
    pub(super) async fn waiting_of(&self, waiting: &Waiting) -> Result<Option<(StoredCredential, Email)>> {
        let Waiting { account, profile, .. } = *waiting;
        let session = self.ports.ids.draw(self.ports.clock.now(), crate::id::Id::shard(profile));
        let mut unit = self.ports.store.begin(&Actor::Member(Member { account, profile, session })).await?;
        let Some(found) = unit.accounts().account(account, Lock::None).await? else { return Ok(None) };
        let hash = unit.accounts().password_hash(account).await?;
        let hash = hash.filter(|hash| waiting.is_of(&self.ports.keys.factor, hash));
        let stored = |password_hash| StoredCredential { account, profile, password_hash, state: found.state };
        Ok(hash.map(|hash| (stored(hash), found.email)))
    }

    /// Proves once more on a session who one is: with the password, and with the second factor where there is one. Answers
    /// until when that lets change how the account is reached and guarded.
    ///
    /// # Errors
    /// [`AccountRefusal::CredentialsInvalid`] on `password`, [`AccountRefusal::SecondFactorNeeded`] and
    /// [`AccountRefusal::CodeInvalid`] on `code`; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn reauthenticate(&self, actor: &Actor, password: &Secret, code: Option<&Secret>) -> Result<Timestamp> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let wrong = |error: Error| match error.refusal() {
            Some(AccountRefusal::CredentialsInvalid) => error.on_field("password"),
            _ => error,
        };
        let was = &self.prove_again(actor, password).await.map_err(wrong)?;
        let proved = self.ports.transact(actor, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let account = held(unit, was, Lock::Update).await?;
                if let Some(factor) = self.guard(unit, account.id).await? {
                    let needed = || Error::from(AccountRefusal::SecondFactorNeeded).on_field("code");
                    self.spend(unit, &account, factor, code.ok_or_else(needed)?, now).await?;
                }
                unit.accounts().prove_session(member.session, now).await?;
                audit(unit, "session.proved", member.session, "", now).await
            })
        });
        let stale = || wrong(AccountRefusal::CredentialsInvalid.into());
        proved.await.map_err(|error| if error.kind() == ErrorKind::Stale { stale() } else { error })?;
        Ok(now + self.ports.settings.proof_life)
    }

    /// Begins to set up an authenticator app; nothing changes until it is confirmed. Asked for again within a quarter of an
    /// hour, the answer is the same.
    ///
    /// # Errors
    /// [`AccountRefusal::SecondFactorSet`], [`AccountRefusal::ProofNeeded`].
    pub async fn begin_authenticator(&self, actor: &Actor) -> Result<Enrolment> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let (keys, settings, ids) = (&self.ports.keys, &self.ports.settings, &self.ports.ids);
        self.ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    let factor = unit.factors().second_factor(account.id).await?;
                    let mut factor = factor.unwrap_or_else(|| SecondFactor::none(account.id));
                    if factor.confirmed().is_some() {
                        return Err(AccountRefusal::SecondFactorSet.into());
                    }
                    let is_young = |device: &Authenticator| now < device.begun_at + settings.code_life;
                    let begun = factor.authenticator.as_ref().is_some_and(is_young);
                    let secret = if let Some(secret) = factor.secret(&keys.factor).filter(|_| begun) {
                        secret
                    } else {
                        let secret = ids.bytes();
                        let sealed = factor::seal_secret(&keys.factor, ids.bytes(), account.id, &secret);
                        factor.authenticator =
                            Some(Authenticator { sealed, begun_at: now, confirmed_at: None, step: 0 });
                        unit.factors().put_second_factor(&factor).await?;
                        secret
                    };
                    let address = factor::address(&secret, &account.email);
                    Ok(Enrolment { secret: factor::readable(&secret), address })
                })
            })
            .await
    }

    /// Turns the second factor on with digits of the app that was set up. Answers the recovery codes, which are shown this once;
    /// none where passkeys came with some before. Where nothing guarded the account until now, every other session ends: it
    /// was begun without.
    ///
    /// # Errors
    /// [`AccountRefusal::CodeInvalid`] on `code`, [`AccountRefusal::SecondFactorSet`], [`AccountRefusal::ProofNeeded`];
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn confirm_authenticator(&self, actor: &Actor, code: &Secret) -> Result<Vec<Secret>> {
        let refuse = || Error::from(AccountRefusal::CodeInvalid).on_field("code");
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        self.count_proof(member).await?;
        let told = &Mutex::new(Vec::new());
        let codes = self
            .ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    let mut factor = unit.factors().second_factor(account.id).await?.ok_or_else(refuse)?;
                    if factor.confirmed().is_some() {
                        return Err(AccountRefusal::SecondFactorSet.into());
                    }
                    let good = factor.take_digits(&self.ports.keys.factor, code, now);
                    let begun = |device: &&mut Authenticator| now < device.begun_at + self.ports.settings.code_life;
                    let device = factor.authenticator.as_mut().filter(begun).filter(|_| good).ok_or_else(refuse)?;
                    device.confirmed_at = Some(now);
                    // Whoever has a passkey has codes already.
                    let codes = if factor.passkeys > 0 { Vec::new() } else { self.draw_codes(&mut factor) };
                    unit.factors().put_second_factor(&factor).await?;
                    self.told(unit, &account, "account.second_factor_on", MailingKind::SecondFactorOn, now).await?;
                    if factor.passkeys == 0 {
                        self.end_unguarded(unit, member, now, told).await?;
                    }
                    Ok(codes)
                })
            })
            .await?;
        self.tell_ended(&taken(told), now).await;
        Ok(codes)
    }

    /// Ends the sessions besides the one that asks when the account gets its first guard.
    pub(super) async fn end_unguarded(
        &self,
        unit: &mut dyn UnitOfWork,
        member: Member,
        now: Timestamp,
        told: &Mutex<Vec<SessionId>>,
    ) -> Result<()> {
        let ended = end_all(unit, member.account, Some(member.session), None, now, |_| "guarded").await?;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = ended;
        Ok(())
    }

    /// Takes the app away, and the recovery codes unless passkeys guard the account still; says whether there was one.
    ///
    /// # Errors
    /// [`AccountRefusal::ProofNeeded`].
    pub async fn remove_authenticator(&self, actor: &Actor, key: Option<IdempotencyKey>) -> Result<bool> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.remove_authenticator", key, &());
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    let factor = unit.factors().second_factor(account.id).await?;
                    let Some(mut factor) = factor.filter(|factor| factor.confirmed().is_some()) else {
                        return Ok(false);
                    };
                    factor.authenticator = None;
                    if factor.guards() {
                        // Passkeys guard it still, and take recovery codes.
                        unit.factors().put_second_factor(&factor).await?;
                    } else {
                        unit.factors().delete_second_factor(account.id).await?;
                    }
                    self.told(unit, &account, "account.second_factor_off", MailingKind::SecondFactorOff, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Makes new recovery codes in the place of the old ones, and answers them this once.
    ///
    /// # Errors
    /// [`AccountRefusal::SecondFactorMissing`], [`AccountRefusal::ProofNeeded`].
    pub async fn renew_recovery_codes(&self, actor: &Actor) -> Result<Vec<Secret>> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        self.ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    let missing = || Error::from(AccountRefusal::SecondFactorMissing);
                    let mut factor = self.guard(unit, account.id).await?.ok_or_else(missing)?;
                    let codes = self.draw_codes(&mut factor);
                    unit.factors().put_second_factor(&factor).await?;
                    let kind = MailingKind::RecoveryCodesRenewed;
                    self.told(unit, &account, "account.recovery_codes_renewed", kind, now).await?;
                    Ok(codes)
                })
            })
            .await
    }

    /// What guards the own account besides its password.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn second_factor(&self, actor: &Actor) -> Result<FactorStatus> {
        let member = *actor.member()?;
        let mut unit = self.ports.store.begin(actor).await?;
        let found = self.guard(unit.as_mut(), member.account).await?;
        Ok(found.map_or_else(FactorStatus::default, |factor| FactorStatus {
            authenticator_since: factor.confirmed().and_then(|device| device.confirmed_at),
            passkeys: factor.passkeys,
            recovery_codes: factor.recovery.len(),
        }))
    }

    /// The second factor that guards an account, locked.
    pub(super) async fn guard(&self, unit: &mut dyn UnitOfWork, account: AccountId) -> Result<Option<SecondFactor>> {
        Ok(unit.factors().second_factor(account).await?.filter(SecondFactor::guards))
    }

    /// Refuses what takes more than the password where a second factor guards the account, unless it was proved a short while
    /// ago. The account is locked already.
    pub(super) async fn guarded(&self, unit: &mut dyn UnitOfWork, member: Member, now: Timestamp) -> Result<()> {
        match self.guard(unit, member.account).await? {
            Some(_) => self.proved(unit, member, now).await,
            None => Ok(()),
        }
    }

    /// Takes what was typed of a second factor, and spends it.
    pub(super) async fn spend(
        &self,
        unit: &mut dyn UnitOfWork,
        account: &Account,
        mut factor: SecondFactor,
        typed: &Secret,
        now: Timestamp,
    ) -> Result<()> {
        let refuse = || Error::from(AccountRefusal::CodeInvalid).on_field("code");
        let proof = factor.take(&self.ports.keys.factor, typed, now).ok_or_else(refuse)?;
        unit.factors().put_second_factor(&factor).await?;
        if proof == Proof::Recovery {
            self.told(unit, account, "account.recovery_code_used", MailingKind::RecoveryCodeUsed, now).await?;
        }
        Ok(())
    }

    /// The account of somebody who proved themselves on their session a short while ago, locked.
    pub(crate) async fn proved_owner(
        &self,
        unit: &mut dyn UnitOfWork,
        member: Member,
        now: Timestamp,
    ) -> Result<Account> {
        let account = unit.accounts().account(member.account, Lock::Update).await?;
        let account = account.ok_or(AccountRefusal::TokenInvalid)?;
        self.proved(unit, member, now).await?;
        Ok(account)
    }

    async fn proved(&self, unit: &mut dyn UnitOfWork, member: Member, now: Timestamp) -> Result<()> {
        let session = unit.accounts().session(member.session).await?.ok_or(AccountRefusal::TokenInvalid)?;
        policy::may_change_ways_in(&session, now, self.ports.settings.proof_life)
    }

    /// Draws recovery codes in the place of those there were.
    pub(super) fn draw_codes(&self, factor: &mut SecondFactor) -> Vec<Secret> {
        let codes: Vec<_> = (0..factor::RECOVERY_CODES).map(|_| self.ports.ids.bytes()).collect();
        let digest = |code| factor::recovery_digest(&self.ports.keys.factor, factor.account, code);
        factor.recovery = codes.iter().map(digest).collect();
        codes.into_iter().map(factor::recovery_code).collect()
    }

    /// Notes in the audit trail that what guards the account has changed, and has its owner told.
    pub(super) async fn told(
        &self,
        unit: &mut dyn UnitOfWork,
        account: &Account,
        action: &'static str,
        kind: MailingKind,
        now: Timestamp,
    ) -> Result<()> {
        audit(unit, action, account.id, "", now).await?;
        send(unit, &self.mailing(kind, account.email.clone(), Some(account.id), account.locale)).await
    }
}
