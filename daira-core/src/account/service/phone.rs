//! The account's phone number: its first one, another one, none.
//!
//! Whoever changes it proved themselves on their session a short while ago, and proves the number by a code that is sent there.
//! The owner hears of it by mail, and by a message to the number that is theirs no more.

use super::super::{Account, AccountRefusal, Contact, Mailing, MailingKind, Phone, VerifiedPhone, token};
use super::AccountService;
use super::recovery::send;
use crate::actor::{Actor, Client};
use crate::checks::keyed;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ChallengeId;
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::Access;
use crate::secret::Secret;
use crate::time::Timestamp;

impl AccountService {
    /// The own account's number, if there is one.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn phone(&self, actor: &Actor) -> Result<Option<VerifiedPhone>> {
        actor.member()?;
        self.ports.store.read(actor, Access::Read).await?.accounts().own_phone().await
    }

    /// Asks for a phone number, the first or another one. A code is sent there; until it is given to
    /// [`confirm_phone`](Self::confirm_phone), nothing changes.
    ///
    /// # Errors
    /// [`AccountRefusal::PhoneInvalid`], also for the number that the account has; [`AccountRefusal::PhoneAbroad`],
    /// [`AccountRefusal::ProofNeeded`]; [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many. A number that an
    /// account has is none: nothing is sent there.
    pub async fn change_phone(&self, actor: &Actor, number: &str, key: Option<IdempotencyKey>) -> Result<ChallengeId> {
        let member = *actor.member()?;
        let number = &Phone::new(number)?;
        self.served(&Contact::Phone(number.clone()))?;
        let keyed = keyed("account.change_phone", key, &number.as_str());
        let now = self.ports.clock.now();
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    let before = unit.phones().phone(account.id).await?;
                    if before.is_some_and(|before| before.number == *number) {
                        return Err(Error::from(AccountRefusal::PhoneInvalid).on_field("phone"));
                    }
                    self.count_text(account.id, number).await?;
                    let due = self.mailing(MailingKind::NewPhone, number.clone(), Some(account.id), account.locale);
                    send(unit, &due).await?;
                    Ok(due.id)
                })
            })
            .await
    }

    /// Gives the account the number that this code was sent to. The owner is told by mail, and at the number before.
    ///
    /// # Errors
    /// [`AccountRefusal::CodeInvalid`] on `code` for every reason to do with code or number; [`AccountRefusal::ProofNeeded`];
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn confirm_phone(
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
                    let account = self.proved_owner(unit, member, now).await?;
                    let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                    let before = unit.phones().phone(account.id).await?;
                    let found = unit.accounts().mailing(challenge).await?;
                    let mine = |m: &Mailing| m.kind == MailingKind::NewPhone && m.account == Some(account.id);
                    let Some(mailing) = found.filter(mine) else { return Ok(false) };
                    let Contact::Phone(number) = mailing.to else { return Ok(false) };
                    if mailing.expires_at <= now || mailing.attempts >= settings.code_attempts {
                        return Ok(false);
                    }
                    let was = before.as_ref().map(|phone| phone.number.as_str());
                    let right = token::phone_code(&keys.challenge, mailing.id, number.as_str(), was, &hash);
                    if !token::is_typed(&right, code) {
                        unit.accounts().count_attempt(mailing.id).await?;
                        return Ok(false);
                    }
                    let phone = VerifiedPhone { account: account.id, number, verified_at: now };
                    unit.phones().put_phone(&phone).await?;
                    unit.accounts().delete_mailing(mailing.id).await?;
                    self.tell_phone(unit, &account, before, "account.phone_changed", now).await?;
                    Ok(true)
                })
            })
            .await;
        match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(refuse()),
            // The number got an account meanwhile.
            Err(error) if error.kind() == ErrorKind::Conflict("phone_number") => Err(refuse()),
            Err(error) => Err(error),
        }
    }

    /// Takes the number away; says whether there was one.
    ///
    /// # Errors
    /// [`AccountRefusal::ProofNeeded`].
    pub async fn remove_phone(&self, actor: &Actor, key: Option<IdempotencyKey>) -> Result<bool> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let keyed = keyed("account.remove_phone", key, &());
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = self.proved_owner(unit, member, now).await?;
                    let before = unit.phones().phone(account.id).await?;
                    if !unit.phones().delete_phone(account.id).await? {
                        return Ok(false);
                    }
                    self.tell_phone(unit, &account, before, "account.phone_removed", now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Notes a change of the number, and has the owner told: by mail, and where they were reached before.
    async fn tell_phone(
        &self,
        unit: &mut dyn UnitOfWork,
        account: &Account,
        before: Option<VerifiedPhone>,
        action: &'static str,
        now: Timestamp,
    ) -> Result<()> {
        self.told(unit, account, action, MailingKind::PhoneChanged, now).await?;
        if let Some(before) = before {
            let notice = self.mailing(MailingKind::PhoneChanged, before.number, Some(account.id), account.locale);
            send(unit, &notice).await?;
        }
        Ok(())
    }
}
