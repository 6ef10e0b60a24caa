//! Changing the password, choosing a new one without the old, and moving the account to another e-mail address.
//!
//! Whoever changes how an account is reached proves the password first; whoever lost it proves the mailbox. Either way the
//! old address hears of it. A new password ends all sessions but the one that has it.

use std::sync::{Mutex, PoisonError};

use super::super::{
    AccountRefusal, AccountState, Email, Mailing, MailingKind, StoredCredential, mail, password, token,
};
use super::{AccountService, audit, tell_end};
use crate::actor::{Actor, Client};
use crate::checks::keyed;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::locale::Locale;
use crate::port::store::{Access, Lock};
use crate::port::{Message, UnitOfWork};
use crate::proto::event::v1;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A wish for another password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// The one that holds now.
    pub current: Secret,
    /// The one that is to hold.
    pub new: Secret,
}

impl AccountService {
    /// Changes the password of somebody who proves the old one. All other sessions of the account end; answers how many.
    ///
    /// # Errors
    /// [`AccountRefusal::CredentialsInvalid`] on `currentPassword`; those of a password that is not good enough, on
    /// `password`; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn change_password(
        &self,
        actor: &Actor,
        input: &ChangePassword,
        key: Option<IdempotencyKey>,
    ) -> Result<u32> {
        let member = *actor.member()?;
        // The stored fingerprint of the request must not let anybody who sees it try passwords.
        let fingerprint = self.ports.keys.challenge.tag(&[b"change_password", input.new.expose().as_bytes()]);
        let keyed = keyed("account.change_password", key, &fingerprint);
        let (old, email) = match self.proven_again(actor, &input.current).await {
            Ok(proven) => proven,
            Err(error) if keyed.is_some() && error.refusal() == Some(AccountRefusal::CredentialsInvalid) => {
                // Perhaps the same request did it before, and its answer was lost: only that is answered here.
                self.proven_again(actor, &input.new).await?;
                let repeated = self.ports.transact_once(actor, keyed.as_ref(), |_| {
                    Box::pin(async { Err(Error::from(AccountRefusal::CredentialsInvalid).on_field("currentPassword")) })
                });
                return repeated.await;
            }
            Err(error) => return Err(error),
        };
        self.check_new(actor, &input.new, &email).await?;
        let (hash, now) = (&self.ports.hasher.hash(&input.new).await?, self.ports.clock.now());
        let notice = &self.mailing(MailingKind::PasswordChanged, email, Some(member.account), now);
        let (old, ended) = (old.as_str(), &Mutex::new(Vec::new()));
        let count = self
            .ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let sessions = replace_password(unit, notice, old, hash, Some(member.session), now).await?;
                    let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
                    *ended.lock().unwrap_or_else(PoisonError::into_inner) = sessions;
                    Ok(count)
                })
            })
            .await?;
        self.forget(ended, now);
        Ok(count)
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
        let email = Email::new(email)?;
        self.count_reset(client).await?;
        let keyed = keyed("account.request_password_reset", key, &email.as_str());
        let mailing = |now| Mailing { locale, ..self.mailing(MailingKind::PasswordReset, email.clone(), None, now) };
        self.ports
            .transact_once(&Actor::Anonymous, keyed.as_ref(), |mut unit| {
                let mailing = mailing(self.ports.clock.now());
                Box::pin(async move {
                    self.count_mail(&mailing.email).await?;
                    send(&mut *unit, &mailing).await
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
        let notice = &self.mailing(MailingKind::PasswordChanged, email, Some(stored.account), now);
        let old = &stored.password_hash;
        let ended = self
            .ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let ended = replace_password(&mut *unit, notice, old, hash, None, now).await?;
                    unit.accounts().delete_mailing(mailing).await?;
                    Ok(ended)
                })
            })
            .await;
        // Whoever comes second with the same token finds another password.
        let spent = |error: Error| if error.kind() == ErrorKind::Stale { refuse() } else { error };
        self.forget(&Mutex::new(ended.map_err(spent)?), now);
        Ok(())
    }

    /// Asks for another e-mail address. A code is sent there; until it is given to [`confirm_email`](Self::confirm_email),
    /// nothing changes.
    ///
    /// # Errors
    /// [`AccountRefusal::EmailInvalid`]; [`AccountRefusal::CredentialsInvalid`] on `currentPassword`;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many. An address that has an account is none.
    pub async fn change_email(
        &self,
        actor: &Actor,
        email: &str,
        current: &Secret,
        key: Option<IdempotencyKey>,
    ) -> Result<ChallengeId> {
        let member = *actor.member()?;
        let email = Email::new(email)?;
        let keyed = keyed("account.change_email", key, &email.as_str());
        self.proven_again(actor, current).await?;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                let (email, now) = (email.clone(), self.ports.clock.now());
                Box::pin(async move {
                    let account = unit.accounts().account(member.account, Lock::Share).await?;
                    let account = account.ok_or(AccountRefusal::TokenInvalid)?;
                    self.count_mail(&email).await?;
                    let mailing = self.mailing(MailingKind::NewEmail, email, Some(account.id), now);
                    let mailing = Mailing { locale: account.locale, ..mailing };
                    send(&mut *unit, &mailing).await?;
                    Ok(mailing.id)
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
                    let found = unit.accounts().mailing(challenge).await?;
                    let mine = |m: &Mailing| m.kind == MailingKind::NewEmail && m.account == Some(member.account);
                    let Some(mailing) = found.filter(mine) else { return Ok(false) };
                    if mailing.expires_at <= now || mailing.attempts >= settings.code_attempts {
                        return Ok(false);
                    }
                    if !token::is_code(&keys.challenge, mailing.id, code) {
                        unit.accounts().set_mailing_attempts(mailing.id, mailing.attempts + 1).await?;
                        return Ok(false);
                    }
                    let account = unit.accounts().account(member.account, Lock::Update).await?;
                    let mut account = account.ok_or(AccountRefusal::TokenInvalid)?;
                    let old = core::mem::replace(&mut account.email, mailing.email);
                    account.version += 1;
                    unit.accounts().update_account(&account).await?;
                    unit.accounts().delete_mailing(mailing.id).await?;
                    let notice = self.mailing(MailingKind::EmailChanged, old, Some(account.id), now);
                    send(unit, &Mailing { locale: account.locale, ..notice }).await?;
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

    /// Sends a mail that is due; answers whether there was something to send. Sending it twice does no harm: both carry the
    /// same code or token, and the same key.
    ///
    /// # Errors
    /// The store's and the channel's.
    pub async fn deliver_mailing(&self, id: ChallengeId) -> Result<bool> {
        let now = self.ports.clock.now();
        let message = {
            let mut unit = self.ports.store.begin(&Actor::System("mailing")).await?;
            let found = unit.accounts().mailing(id).await?;
            let Some(mailing) = found.filter(|mailing| now < mailing.expires_at) else { return Ok(false) };
            self.compose(&mut *unit, &mailing, now).await?
        };
        self.ports.mail.send(&message).await?;
        Ok(true)
    }

    async fn compose(&self, unit: &mut dyn UnitOfWork, mailing: &Mailing, now: Timestamp) -> Result<Message> {
        let keys = &self.ports.keys;
        Ok(match mailing.kind {
            MailingKind::PasswordReset => {
                let account = unit.accounts().account_by_email(&mailing.email).await?;
                let Some(account) = account else { return Ok(mail::nobody_here(mailing)) };
                let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                let token = token::reset(&keys.reset, mailing.id, account.id, &hash);
                mail::password_reset(&Mailing { locale: account.locale, ..mailing.clone() }, &token, now)
            }
            MailingKind::NewEmail => match unit.accounts().account_by_email(&mailing.email).await? {
                Some(holder) if Some(holder.id) != mailing.account => mail::already_used(mailing, holder.locale),
                _ => mail::new_email(mailing, &token::code(&keys.challenge, mailing.id), now),
            },
            MailingKind::PasswordChanged => mail::password_changed(mailing),
            MailingKind::EmailChanged => mail::email_changed(mailing),
        })
    }

    /// The actor's password hash and address, when they prove the password once more.
    async fn proven_again(&self, actor: &Actor, current: &Secret) -> Result<(String, Email)> {
        let account = actor.member()?.account;
        self.count_proof(account).await?;
        let (hash, email) = {
            let mut unit = self.ports.store.begin(actor).await?;
            let found = unit.accounts().account(account, Lock::None).await?.ok_or(AccountRefusal::TokenInvalid)?;
            (unit.accounts().password_hash(account).await?, found.email)
        };
        let matches = self.ports.hasher.verify(current, hash.as_deref()).await?;
        match hash.filter(|_| matches) {
            Some(hash) => Ok((hash, email)),
            None => Err(Error::from(AccountRefusal::CredentialsInvalid).on_field("currentPassword")),
        }
    }

    /// The credential that a token opens, and its address.
    async fn reset_of(&self, id: ChallengeId, token: &Secret) -> Result<Option<(StoredCredential, Email)>> {
        let now = self.ports.clock.now();
        let mailing = self.ports.store.begin(&Actor::Anonymous).await?.accounts().mailing(id).await?;
        let due = |m: &Mailing| m.kind == MailingKind::PasswordReset && now < m.expires_at;
        let Some(mailing) = mailing.filter(due) else { return Ok(None) };
        let mut view = self.ports.store.read(&Actor::Anonymous, Access::Read).await?;
        let stored = view.accounts().credential_by_email(&mailing.email).await?;
        let opens = |stored: &StoredCredential| {
            stored.state != AccountState::Deleted
                && token::is_reset(&self.ports.keys.reset, token, id, stored.account, &stored.password_hash)
        };
        Ok(stored.filter(opens).map(|stored| (stored, mailing.email)))
    }

    /// Lets this node forget ended sessions without waiting for the poll.
    pub(super) fn forget(&self, ended: &Mutex<Vec<SessionId>>, now: Timestamp) {
        for session in ended.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            self.directory.revoke(*session, now);
        }
    }

    /// Checks a new password against what everybody tries, and this person's own names.
    async fn check_new(&self, actor: &Actor, new: &Secret, email: &Email) -> Result<()> {
        let profiles = self.ports.store.read(actor, Access::Read).await?.accounts().own_profiles().await?;
        let mail_name = email.as_str().split('@').next().unwrap_or_default();
        let names: Vec<&str> = profiles.iter().map(|profile| profile.handle.as_str()).chain([mail_name]).collect();
        password::check(new, &names)
    }

    fn mailing(&self, kind: MailingKind, email: Email, account: Option<AccountId>, now: Timestamp) -> Mailing {
        let life = self.ports.settings.code_life;
        let id = self.ports.ids.draw(now, self.ports.ids.shard());
        let (locale, attempts) = (Locale::default(), 0);
        Mailing { id, kind, email, account, locale, attempts, created_at: now, expires_at: now + life }
    }
}

/// Sets a password where the old one still holds, ends the account's sessions but one, and has the owner told. It is
/// [`ErrorKind::Stale`] when the old one does not hold any more.
async fn replace_password(
    unit: &mut dyn UnitOfWork,
    notice: &Mailing,
    old: &str,
    new: &str,
    keep: Option<SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    let account = notice.account.ok_or(AccountRefusal::TokenInvalid)?;
    // Locked, so that a log-in with the old password comes wholly before, and ends here, or wholly after, and is refused.
    let found = unit.accounts().account(account, Lock::Update).await?.ok_or(AccountRefusal::TokenInvalid)?;
    if unit.accounts().password_hash(account).await?.as_deref() != Some(old) {
        return Err(Error::new(ErrorKind::Stale, "account.password"));
    }
    unit.accounts().set_password_hash(account, new).await?;
    let sessions = unit.accounts().revoke_sessions(account, keep, now).await?;
    for id in &sessions {
        if let Some(session) = unit.accounts().session(*id).await? {
            tell_end(unit, &session, now, "password_changed").await?;
        }
    }
    audit(unit, "account.password_changed", account, "", now).await?;
    send(unit, &Mailing { locale: found.locale, ..notice.clone() }).await?;
    Ok(sessions)
}

/// Makes a mail due.
async fn send(unit: &mut dyn UnitOfWork, mailing: &Mailing) -> Result<()> {
    unit.accounts().insert_mailing(mailing).await?;
    unit.journal().append(&[v1::MailDue { mailing_id: crate::id::Id::raw(mailing.id) }.into()]).await
}
