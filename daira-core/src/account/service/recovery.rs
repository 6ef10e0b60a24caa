//! Changing the password, choosing a new one without the old, and moving the account to another e-mail address.
//!
//! Whoever changes how an account is reached proves the password first; whoever lost it proves the mailbox. Either way the
//! old address hears of it. A new password ends all sessions but the one that has it, and every token and code that was
//! mailed before. What a proof rested on is looked at again under the account's lock.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::super::{
    Account, AccountRefusal, AccountState, Contact, Email, Mailing, MailingKind, StoredCredential, password, token,
};
use super::{AccountService, audit, end_all, taken};
use crate::actor::{Actor, Client};
use crate::checks::keyed;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::locale::Locale;
use crate::port::UnitOfWork;
use crate::port::store::{Access, Lock};
use crate::proto::event::v1;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How often a change begins anew because the password or the address changed under it.
const TRIES: usize = 3;
/// How long a notice is tried to be sent: nobody waits for it, and it must not be missed.
const NOTICE_LIFE: Duration = Duration::from_hours(7 * 24);

/// A wish for another password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// The one that holds now.
    pub current: Secret,
    /// The one that is to hold.
    pub new: Secret,
}

/// How an account is reached, as it was when somebody proved it.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub(super) account: AccountId,
    pub(super) email: Email,
    pub(super) password_hash: String,
}

impl AccountService {
    /// Changes the password of somebody who proves the old one. All other sessions of the account end; answers how many.
    ///
    /// # Errors
    /// [`AccountRefusal::CredentialsInvalid`] on `currentPassword`; those of a password that is not good enough, on
    /// `password`; [`AccountRefusal::ProofNeeded`] where a second factor guards the account; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn change_password(
        &self,
        actor: &Actor,
        input: &ChangePassword,
        key: Option<IdempotencyKey>,
    ) -> Result<u32> {
        let member = *actor.member()?;
        // The stored fingerprint of the request must not let anybody who sees it try passwords, nor compare people's.
        let parts = [b"change_password", &member.account.raw().to_be_bytes()[..], input.new.expose().as_bytes()];
        let keyed = keyed("account.change_password", key, &self.ports.keys.challenge.tag(&parts));
        for _ in 0..TRIES {
            let was = match self.prove_again(actor, &input.current).await {
                Ok(was) => was,
                Err(error) if keyed.is_some() && error.refusal() == Some(AccountRefusal::CredentialsInvalid) => {
                    // Perhaps the same request did it before, and its answer was lost: only that is answered here.
                    self.prove_again(actor, &input.new).await?;
                    let repeated =
                        self.ports.transact_once(actor, keyed.as_ref(), |_| Box::pin(async { Err(wrong_password()) }));
                    return repeated.await;
                }
                Err(error) => return Err(error),
            };
            self.check_new(actor, &input.new, &was.email).await?;
            let (hash, now) = (&self.ports.hasher.hash(&input.new).await?, self.ports.clock.now());
            let (was, ended) = (&was, &Mutex::new(Vec::new()));
            let outcome = self
                .ports
                .transact_once(actor, keyed.as_ref(), |mut unit| {
                    Box::pin(async move {
                        let sessions =
                            self.replace(&mut *unit, was, hash, Some(member.session), "changed", now).await?;
                        self.guarded(&mut *unit, member, now).await?;
                        let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
                        *ended.lock().unwrap_or_else(PoisonError::into_inner) = sessions;
                        Ok(count)
                    })
                })
                .await;
            match outcome {
                Err(error) if error.kind() == ErrorKind::Stale => {}
                outcome => {
                    // Only of what is certain: a session that lives on must not be forgotten.
                    let count = outcome?;
                    self.tell_ended(&taken(ended), now).await;
                    return Ok(count);
                }
            }
        }
        Err(Error::new(ErrorKind::Stale, "account.change_password"))
    }

    /// Asks for a mail that lets choose a new password. The answer is the same whether or not the address has an account;
    /// the mail tells.
    ///
    /// # Errors
    /// [`AccountRefusal::EmailInvalid`]; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many.
    pub async fn request_password_reset(
        &self,
        client: &Client,
        email: &str,
        locale: Locale,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        let email = &Email::new(email)?;
        let keyed = keyed("account.request_password_reset", key, &email.as_str());
        self.ports
            .transact_once(&Actor::Anonymous, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    // Not before it is certain that the request is no repeat.
                    self.count_reset(client, email).await?;
                    let due = self.mailing(MailingKind::PasswordReset, email.clone(), None, locale);
                    send(&mut *unit, &due).await
                })
            })
            .await
    }

    /// Sets a new password with the token of a mail and ends all sessions. The token works once, and its owner logs in then
    /// as always.
    ///
    /// # Errors
    /// [`AccountRefusal::ResetInvalid`] on `token` for every reason to do with it; those of a password that is not good
    /// enough; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn reset_password(&self, client: &Client, token: &Secret, new: &Secret) -> Result<()> {
        let refuse = || Error::from(AccountRefusal::ResetInvalid).on_field("token");
        self.count_code(client).await?;
        let mailing = token::reset_mailing(token).ok_or_else(refuse)?;
        let (stored, email) = self.reset_of(mailing, token).await?.ok_or_else(refuse)?;
        // Whoever received the mail acts for its account, and for nothing but this.
        let (actor, now) = (&Actor::Member(self.draw_session(&stored)), self.ports.clock.now());
        self.check_new(actor, new, &email).await?;
        let hash = &self.ports.hasher.hash(new).await?;
        let was = &Reached { account: stored.account, email, password_hash: stored.password_hash };
        let ended = self
            .ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let ended = self.replace(&mut *unit, was, hash, None, "reset", now).await?;
                    unit.accounts().delete_mailing(mailing).await?;
                    Ok(ended)
                })
            })
            .await;
        // Whoever comes second finds another password, or another address.
        let spent = |error: Error| if error.kind() == ErrorKind::Stale { refuse() } else { error };
        self.tell_ended(&ended.map_err(spent)?, now).await;
        Ok(())
    }

    /// Asks for another e-mail address. A code is sent there; until it is given to [`confirm_email`](Self::confirm_email),
    /// nothing changes.
    ///
    /// # Errors
    /// [`AccountRefusal::EmailInvalid`], also for the address that the account has;
    /// [`AccountRefusal::CredentialsInvalid`] on `currentPassword`; [`AccountRefusal::ProofNeeded`] where a second factor
    /// guards the account; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many. An address that has an account is none.
    pub async fn change_email(
        &self,
        actor: &Actor,
        email: &str,
        current: &Secret,
        key: Option<IdempotencyKey>,
    ) -> Result<ChallengeId> {
        actor.member()?;
        let email = &Email::new(email)?;
        let keyed = keyed("account.change_email", key, &email.as_str());
        let was = &self.prove_again(actor, current).await?;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    if was.email == *email {
                        return Err(Error::from(AccountRefusal::EmailInvalid).on_field("email"));
                    }
                    let account = held(unit, was, Lock::Share).await.map_err(|error| match error.kind() {
                        ErrorKind::Stale => wrong_password(),
                        _ => error,
                    })?;
                    self.guarded(unit, *actor.member()?, self.ports.clock.now()).await?;
                    self.count_mail(email).await?;
                    let due = self.mailing(MailingKind::NewEmail, email.clone(), Some(account.id), account.locale);
                    send(unit, &due).await?;
                    Ok(due.id)
                })
            })
            .await
    }

    /// Moves the account to the address whose mail held this code. The old address is told.
    ///
    /// # Errors
    /// [`AccountRefusal::CodeInvalid`] for every reason to do with code or address;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn confirm_email(
        &self,
        actor: &Actor,
        client: &Client,
        challenge: ChallengeId,
        code: &Secret,
    ) -> Result<()> {
        let refuse = || Error::from(AccountRefusal::CodeInvalid).on_field("code");
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        self.count_code(client).await?;
        let (settings, keys) = (&self.ports.settings, &self.ports.keys);
        let outcome = self
            .ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = unit.accounts().account(member.account, Lock::Update).await?;
                    let mut account = account.ok_or(AccountRefusal::TokenInvalid)?;
                    self.guarded(unit, member, now).await?;
                    let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                    let found = unit.accounts().mailing(challenge).await?;
                    let mine = |m: &Mailing| m.kind == MailingKind::NewEmail && m.account == Some(account.id);
                    let Some(mailing) = found.filter(mine) else { return Ok(false) };
                    if mailing.expires_at <= now || mailing.attempts >= settings.code_attempts {
                        return Ok(false);
                    }
                    let right = token::email_code(&keys.challenge, mailing.id, account.email.as_str(), &hash);
                    if !token::is_typed(&right, code) {
                        unit.accounts().count_attempt(mailing.id).await?;
                        return Ok(false);
                    }
                    let Contact::Email(new) = mailing.to else { return Ok(false) };
                    let old = core::mem::replace(&mut account.email, new);
                    account.version += 1;
                    unit.accounts().update_account(&account).await?;
                    unit.accounts().delete_mailing(mailing.id).await?;
                    send(unit, &self.mailing(MailingKind::EmailChanged, old, Some(account.id), account.locale)).await?;
                    audit(unit, "account.email_changed", account.id, "", now).await?;
                    Ok(true)
                })
            })
            .await;
        match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(refuse()),
            // The address got an account of its own meanwhile.
            Err(error) if error.kind() == ErrorKind::Conflict("account_email") => Err(refuse()),
            Err(error) => Err(error),
        }
    }

    /// Sets a password where the account is still reached as it was proven, ends its sessions but one, and has its owner
    /// told. It is [`ErrorKind::Stale`] when the account is reached otherwise by now.
    pub(super) async fn replace(
        &self,
        unit: &mut dyn UnitOfWork,
        was: &Reached,
        new: &str,
        keep: Option<SessionId>,
        how: &'static str,
        now: Timestamp,
    ) -> Result<Vec<SessionId>> {
        // A log-in with the old password comes wholly before, and ends here, or wholly after, and is refused.
        let account = held(unit, was, Lock::Update).await?;
        unit.accounts().set_password_hash(account.id, new).await?;
        let sessions = end_all(unit, account.id, keep, None, now, |_| "password_changed").await?;
        audit(unit, "account.password_changed", account.id, how, now).await?;
        let notice = self.mailing(MailingKind::PasswordChanged, account.email, Some(account.id), account.locale);
        send(unit, &notice).await?;
        Ok(sessions)
    }

    /// How the actor's account is reached, when they prove the password once more.
    pub(super) async fn prove_again(&self, actor: &Actor, current: &Secret) -> Result<Reached> {
        let member = *actor.member()?;
        self.count_proof(member).await?;
        let (hash, email) = {
            let mut unit = self.ports.store.begin(actor).await?;
            let found =
                unit.accounts().account(member.account, Lock::None).await?.ok_or(AccountRefusal::TokenInvalid)?;
            (unit.accounts().password_hash(member.account).await?, found.email)
        };
        let hash = hash.filter(|hash| password::is_some(hash));
        let matches = self.ports.hasher.verify(current, hash.as_deref()).await?;
        let hash = hash.filter(|_| matches).ok_or_else(wrong_password)?;
        Ok(Reached { account: member.account, email, password_hash: hash })
    }

    /// The credential that a token opens, and its address.
    async fn reset_of(&self, id: ChallengeId, token: &Secret) -> Result<Option<(StoredCredential, Email)>> {
        let now = self.ports.clock.now();
        let mailing = self.ports.store.begin(&Actor::Anonymous).await?.accounts().mailing(id).await?;
        let due = |m: &Mailing| m.kind == MailingKind::PasswordReset && now < m.expires_at;
        let Some(mailing) = mailing.filter(due) else { return Ok(None) };
        let mut view = self.ports.store.read(&Actor::Anonymous, Access::Read).await?;
        let Contact::Email(email) = mailing.to else { return Ok(None) };
        let stored = view.accounts().credential_by_email(&email).await?;
        let opens = |stored: &StoredCredential| {
            token::is_reset(&self.ports.keys.reset, token, id, stored.account, &stored.password_hash)
        };
        Ok(stored.filter(opens).map(|stored| (stored, email)))
    }

    /// Checks a new password against what everybody tries, and this person's own names.
    pub(super) async fn check_new(&self, actor: &Actor, new: &Secret, email: &Email) -> Result<()> {
        let profiles = self.ports.store.read(actor, Access::Read).await?.accounts().own_profiles().await?;
        let mail_name = email.as_str().split('@').next().unwrap_or_default();
        let names: Vec<&str> = profiles.iter().map(|profile| profile.handle.as_str()).chain([mail_name]).collect();
        password::check(new, &names)
    }

    /// A message that is due, with an id drawn anew.
    pub(crate) fn mailing(
        &self,
        kind: MailingKind,
        to: impl Into<Contact>,
        account: Option<AccountId>,
        locale: Locale,
    ) -> Mailing {
        let now = self.ports.clock.now();
        let life = match kind {
            kind if kind.is_notice() => NOTICE_LIFE,
            _ => self.ports.settings.code_life,
        };
        let id = self.ports.ids.draw(now, self.ports.ids.shard());
        Mailing { id, kind, to: to.into(), account, locale, attempts: 0, created_at: now, expires_at: now + life }
    }
}

fn wrong_password() -> Error {
    Error::from(AccountRefusal::CredentialsInvalid).on_field("currentPassword")
}

/// The account, locked, while it is reached as it was; else [`ErrorKind::Stale`].
pub(super) async fn held(unit: &mut dyn UnitOfWork, was: &Reached, lock: Lock) -> Result<Account> {
    let account = unit.accounts().account(was.account, lock).await?.ok_or(AccountRefusal::TokenInvalid)?;
    let hash = unit.accounts().password_hash(account.id).await?;
    let same = account.email == was.email
        && hash.as_ref() == Some(&was.password_hash)
        && account.state != AccountState::Deleted;
    if same { Ok(account) } else { Err(Error::new(ErrorKind::Stale, "account.reached")) }
}

/// Makes a mail due.
pub(crate) async fn send(unit: &mut dyn UnitOfWork, mailing: &Mailing) -> Result<()> {
    unit.accounts().insert_mailing(mailing).await?;
    unit.journal().append(&[v1::MailDue { mailing_id: mailing.id.raw() }.into()]).await
}
