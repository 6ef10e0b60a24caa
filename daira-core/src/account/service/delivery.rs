//! Mails that are due, composed from what holds when they are sent, and handed to the channel. Codes and tokens are derived
//! here, and stand nowhere else.

use super::super::notice::notice;
use super::super::{Account, AccountState, Mailing, MailingKind, mail, token};
use super::AccountService;
use crate::error::{Error, Result};
use crate::id::{ChallengeId, SessionId};
use crate::port::store::Lock;
use crate::port::{LimitRefusal, Message, UnitOfWork};
use crate::time::Timestamp;

impl AccountService {
    /// Sends a mail that is due; answers whether there was something to send. Sending it twice does no harm: both carry the
    /// same code or token, and the same key. A notice goes from the store in the caller's unit, which is the platform's own.
    ///
    /// # Errors
    /// The store's and the channel's.
    pub async fn deliver_mailing(&self, unit: &mut dyn UnitOfWork, id: ChallengeId) -> Result<bool> {
        let now = self.ports.clock.now();
        let found = unit.accounts().mailing(id).await?;
        let Some(mailing) = found.filter(|mailing| now < mailing.expires_at) else { return Ok(false) };
        let Some(message) = self.compose(unit, &mailing, now).await? else { return Ok(false) };
        self.ports.mail.send(&message).await?;
        if mailing.kind.is_notice() {
            // It has served, and the address in it is perhaps nobody's any more.
            unit.accounts().delete_mailing(id).await?;
        }
        Ok(true)
    }

    /// Tells the owner of a session that it was ended because a copy of its refresh token was used; answers whether there was
    /// somebody to tell. Sending it twice does no harm: both carry the same key. The unit is the platform's own.
    ///
    /// # Errors
    /// The store's and the channel's.
    pub async fn deliver_copy_notice(&self, unit: &mut dyn UnitOfWork, session: SessionId) -> Result<bool> {
        let Some(session) = unit.accounts().session(session).await? else { return Ok(false) };
        let Some(account) = unit.accounts().account(session.account, Lock::None).await? else { return Ok(false) };
        self.ports.mail.send(&mail::token_copied(&account, session.id)).await?;
        Ok(true)
    }

    async fn compose(&self, unit: &mut dyn UnitOfWork, mailing: &Mailing, now: Timestamp) -> Result<Option<Message>> {
        let keys = &self.ports.keys;
        Ok(Some(match mailing.kind {
            MailingKind::PasswordReset => {
                let account = unit.accounts().account_by_email(&mailing.email).await?;
                let Some(account) = account.filter(|account| account.state != AccountState::Deleted) else {
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
            MailingKind::Sanctioned | MailingKind::SanctionLifted | MailingKind::TakenDown => {
                return crate::staff::notice::notice(unit, mailing).await;
            }
            _ => return Ok(notice(mailing)),
        }))
    }
}

async fn owner(unit: &mut dyn UnitOfWork, mailing: &Mailing) -> Result<Account> {
    let account = mailing.account.ok_or_else(Error::not_found)?;
    unit.accounts().account(account, Lock::None).await?.ok_or_else(Error::not_found)
}
