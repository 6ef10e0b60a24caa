//! What is due to people outside: composed from what holds when it is sent, and handed to the channel. Codes and tokens are
//! derived here, and stand nowhere else.
//!
//! Nothing is open in the store while the channel is at work. What it refuses for now is tried again alone, later and later,
//! and holds up nobody else; what it refuses for good, or for a week, is given up with a line in the log. Whatever dies with
//! who sent it is sent again: both carry the same code and the same key, so a second copy does no harm.

use core::time::Duration;

use futures_util::future::join_all;

use super::super::notice::notice;
use super::super::{Account, AccountState, Delivery, Due, Mailing, MailingKind, mail, token};
use super::AccountService;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{ChallengeId, SessionId};
use crate::port::store::Lock;
use crate::port::{Handed, LimitRefusal, Message, UnitOfWork};
use crate::time::Timestamp;

/// Who delivers.
const POST_OFFICE: Actor = Actor::System("delivery");
/// How many deliveries one process hands over at the same time.
const AT_ONCE: u32 = 8;
/// For how long a delivery is its sender's: longer than any channel may take.
const HOLD: Duration = Duration::from_mins(3);

impl AccountService {
    /// Hands over what is due until nothing is, or until nothing goes through any more; answers how many deliveries are done
    /// with. What is refused for now is due again after a while.
    ///
    /// # Errors
    /// The store's; what was taken comes back.
    pub async fn deliver_due(&self) -> Result<usize> {
        let mut done = 0;
        loop {
            let now = self.ports.clock.now();
            let taken = self.ports.transact(&POST_OFFICE, |mut unit| {
                Box::pin(async move { unit.deliveries().take_deliveries(now, now + HOLD, AT_ONCE).await })
            });
            let taken = taken.await?;
            let mut went = 0;
            for outcome in join_all(taken.iter().map(|delivery| self.attempt(delivery))).await {
                went += usize::from(outcome?);
            }
            if went == 0 {
                return Ok(done);
            }
            done += went;
        }
    }

    /// Hands over one thing now, whether or not it was noted as due; answers whether there was something to hand over that was
    /// taken.
    ///
    /// # Errors
    /// The store's, and the channel's when it is refused for now.
    pub async fn deliver(&self, due: Due) -> Result<bool> {
        let taken = self.hand_over(due, true).await?;
        self.done(due).await?;
        Ok(taken)
    }

    /// Tries one delivery; answers whether it is done with.
    async fn attempt(&self, delivery: &Delivery) -> Result<bool> {
        let due = delivery.due;
        let Err(error) = self.hand_over(due, delivery.tries == 1).await else {
            return self.done(due).await.map(|()| true);
        };
        let chance = f64::from(u32::from_be_bytes(self.ports.ids.bytes())) / f64::from(u32::MAX);
        let Some(at) = delivery.again(self.ports.clock.now(), chance) else {
            tracing::error!(
                ?due,
                tries = delivery.tries,
                ?error,
                "a delivery was refused for too long and is given up"
            );
            return self.done(due).await.map(|()| true);
        };
        tracing::warn!(?due, tries = delivery.tries, ?error, "a delivery was refused for now and will be tried again");
        let postponed = self.ports.transact(&POST_OFFICE, |mut unit| {
            Box::pin(async move { unit.deliveries().postpone_delivery(due, at).await })
        });
        postponed.await.map(|()| false)
    }

    /// Composes what is due and hands it to the channel; answers whether there was something and it was taken.
    async fn hand_over(&self, due: Due, is_first: bool) -> Result<bool> {
        let message = {
            let mut unit = self.ports.store.begin(&POST_OFFICE).await?;
            let message = match due {
                Due::Registration(id) => self.registration_mail(unit.as_mut(), id).await?,
                Due::Mailing(id) => self.mailing_mail(unit.as_mut(), id, is_first).await?,
                Due::CopyNotice(session) => copy_notice(unit.as_mut(), session).await?,
            };
            unit.rollback().await?;
            message
        };
        let Some(message) = message else { return Ok(false) };
        match self.ports.mail.send(&message).await? {
            Handed::Over => Ok(true),
            Handed::Refused(why) => {
                tracing::warn!(?due, why, "a delivery was refused for good and is given up");
                Ok(false)
            }
        }
    }

    /// Forgets a delivery that is done with, and the mailing where it was a notice: it has served, and the address in it is
    /// perhaps nobody's any more.
    async fn done(&self, due: Due) -> Result<()> {
        let done = self.ports.transact(&POST_OFFICE, |mut unit| {
            Box::pin(async move {
                if let Due::Mailing(id) = due
                    && unit.accounts().mailing(id).await?.is_some_and(|mailing| mailing.kind.is_notice())
                {
                    unit.accounts().delete_mailing(id).await?;
                }
                unit.deliveries().delete_delivery(due).await
            })
        });
        done.await
    }

    /// The mail of a registration: the code, or the notice that the address has an account.
    async fn registration_mail(&self, unit: &mut dyn UnitOfWork, id: ChallengeId) -> Result<Option<Message>> {
        let now = self.ports.clock.now();
        let found = unit.accounts().registration(id).await?;
        let Some(registration) = found.filter(|registration| now < registration.expires_at) else { return Ok(None) };
        Ok(Some(match unit.accounts().account_by_email(&registration.email).await? {
            Some(account) => mail::already_joined(&registration, account.locale),
            None => mail::code(&registration, &token::code(&self.ports.keys.challenge, registration.id), now),
        }))
    }

    async fn mailing_mail(
        &self,
        unit: &mut dyn UnitOfWork,
        id: ChallengeId,
        is_first: bool,
    ) -> Result<Option<Message>> {
        let now = self.ports.clock.now();
        let found = unit.accounts().mailing(id).await?;
        match found.filter(|mailing| now < mailing.expires_at) {
            Some(mailing) => self.compose(unit, &mailing, is_first, now).await,
            None => Ok(None),
        }
    }

    async fn compose(
        &self,
        unit: &mut dyn UnitOfWork,
        mailing: &Mailing,
        is_first: bool,
        now: Timestamp,
    ) -> Result<Option<Message>> {
        let keys = &self.ports.keys;
        Ok(Some(match mailing.kind {
            MailingKind::PasswordReset => {
                let account = unit.accounts().account_by_email(&mailing.email).await?;
                let Some(account) = account.filter(|account| account.state != AccountState::Deleted) else {
                    if !is_first {
                        return Ok(Some(mail::nobody_here(mailing)));
                    }
                    // Only here it is known that this mail goes to a stranger, and counts like all that do.
                    return match self.count_sent(&mailing.email).await {
                        Err(error) if error.refusal() == Some(LimitRefusal::Reached) => Ok(None),
                        counted => counted.map(|()| Some(mail::nobody_here(mailing))),
                    };
                };
                let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                let token = token::reset(&keys.reset, mailing.id, account.id, &hash);
                mail::password_reset(&Mailing { locale: account.locale, ..mailing.clone() }, &token, now)
            }
            MailingKind::NewEmail => {
                let holder = unit.accounts().account_by_email(&mailing.email).await?;
                if let Some(holder) = holder {
                    if mailing.account == Some(holder.id) {
                        // It moved there before this was sent.
                        return Ok(None);
                    }
                    mail::already_used(mailing, holder.locale)
                } else {
                    let Account { id, email, .. } = owner(unit, mailing).await?;
                    let hash = unit.accounts().password_hash(id).await?.unwrap_or_default();
                    let code = token::email_code(&keys.challenge, mailing.id, email.as_str(), &hash);
                    mail::new_email(mailing, &code, now)
                }
            }
            _ => return Ok(notice(mailing)),
        }))
    }
}

async fn owner(unit: &mut dyn UnitOfWork, mailing: &Mailing) -> Result<Account> {
    let account = mailing.account.ok_or_else(Error::not_found)?;
    unit.accounts().account(account, Lock::None).await?.ok_or_else(Error::not_found)
}

/// The notice that a session was ended because a copy of its refresh token was used.
async fn copy_notice(unit: &mut dyn UnitOfWork, session: SessionId) -> Result<Option<Message>> {
    let Some(session) = unit.accounts().session(session).await? else { return Ok(None) };
    let account = unit.accounts().account(session.account, Lock::None).await?;
    Ok(account.map(|account| mail::token_copied(&account, session.id)))
}
