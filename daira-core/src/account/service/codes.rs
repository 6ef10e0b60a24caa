//! Logging in with a code that is sent to where an account is reached: asking for one, and giving it back.
//!
//! Asking does the same work and gets the same answer whether or not anybody is reached there: the account is looked for by who
//! delivers the code, and where there is none nothing is sent. A code works once, bears few tries, and ends with the
//! password it was made for.

use super::super::{AccountRefusal, Contact, Mailing, MailingKind, StoredCredential, policy, token};
use super::recovery::send;
use super::sessions::{LOG_IN_TRIES, Opening, Second, Upkeep};
use super::{AccountService, DEVICE, Entry, audit};
use crate::actor::{Actor, Client};
use crate::checks::keyed;
use crate::error::{CommonRefusal, Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id};
use crate::idempotency::IdempotencyKey;
use crate::locale::Locale;
use crate::port::UnitOfWork;
use crate::port::store::Access;
use crate::secret::Secret;
use crate::time::Timestamp;

/// A code that was received, as typed.
#[derive(Debug, Clone)]
pub struct LogInWithCode {
    /// What [`request_log_in_code`](AccountService::request_log_in_code) answered.
    pub challenge: ChallengeId,
    /// The six digits.
    pub code: Secret,
    /// What the session is to be shown as, for instance "Firefox on Android".
    pub device: String,
}

impl AccountService {
    /// Asks for a code to log in with, by mail or to a phone. Under a key, a repeated request gets the same challenge; without
    /// one, another code goes to a phone by the next way.
    ///
    /// # Errors
    /// [`AccountRefusal::EmailInvalid`], [`AccountRefusal::PhoneInvalid`], [`AccountRefusal::PhoneAbroad`];
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many.
    pub async fn request_log_in_code(
        &self,
        client: &Client,
        to: &str,
        locale: Locale,
        key: Option<IdempotencyKey>,
    ) -> Result<ChallengeId> {
        let to = &Contact::new(to)?;
        self.served(to)?;
        let keyed = keyed("account.request_log_in_code", key, &to.as_str());
        self.ports
            .transact_once(&Actor::Anonymous, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    // Not before it is certain that the request is no repeat.
                    self.count_code_wish(client, to).await?;
                    let due = self.mailing(MailingKind::LogInCode, to.clone(), None, locale);
                    send(&mut *unit, &due).await?;
                    Ok(due.id)
                })
            })
            .await
    }

    /// Logs in with a code that was received. It takes the place of the password alone: an account with a second factor is
    /// entered with that besides.
    ///
    /// # Errors
    /// [`AccountRefusal::CodeInvalid`] on `code` for every reason to do with code, challenge or account;
    /// [`AccountRefusal::Suspended`], [`AccountRefusal::DeviceInvalid`], [`AccountRefusal::ForbiddenCharacter`];
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn log_in_with_code(&self, client: &Client, input: &LogInWithCode) -> Result<Entry> {
        let device = DEVICE.check(&input.device)?;
        for _ in 0..LOG_IN_TRIES {
            let (mailing, stored) = self.received(client, input).await?.ok_or_else(wrong_code)?;
            policy::may_log_in(stored.state, self.ports.clock.now()).map_err(|error| match error.refusal() {
                Some(AccountRefusal::CredentialsInvalid) => wrong_code(),
                _ => error,
            })?;
            let upkeep = Upkeep { waking: self.waking(&stored).await?, ..Upkeep::default() };
            let second = Second::Sent(&mailing);
            let origin = self.origin(client, mailing.to.as_str());
            let opening = Opening { stored: &stored, upkeep: &upkeep, device: &device, origin, second };
            match self.open_session(opening, None).await {
                Err(error) if error.kind() == ErrorKind::Stale => {}
                outcome => {
                    let Some(session) = outcome? else { return self.wait(&stored, &device, second).await };
                    let device = self.device_token(client, mailing.to.as_str(), &session);
                    return self.logged_in(&session, device).map(|logged_in| Entry::In(Box::new(logged_in)));
                }
            }
        }
        Err(CommonRefusal::Unavailable.into())
    }

    /// The code's challenge and the credential of whom it was sent to, when the digits are right; counts the try when not. Where
    /// nobody is reached no digits are, which takes as long.
    async fn received(&self, client: &Client, input: &LogInWithCode) -> Result<Option<(Mailing, StoredCredential)>> {
        let now = self.ports.clock.now();
        let (id, key, most) = (input.challenge, &self.ports.keys.challenge, self.ports.settings.code_attempts);
        let due = |m: &Mailing| m.kind == MailingKind::LogInCode && now < m.expires_at && m.attempts < most;
        let found = self.ports.store.begin(&Actor::Anonymous).await?.accounts().mailing(id).await?;
        let Some(mailing) = found.filter(due) else {
            self.count_code(client).await?;
            return Ok(None);
        };
        self.count_sent_code(client, &mailing.to).await?;
        let stored = {
            let mut view = self.ports.store.read(&Actor::Anonymous, Access::Read).await?;
            match &mailing.to {
                Contact::Email(email) => view.accounts().credential_by_email(email).await?,
                Contact::Phone(phone) => view.accounts().credential_by_phone(phone).await?,
            }
        };
        let (account, hash) =
            stored.as_ref().map_or((AccountId::from_raw(0), ""), |stored| (stored.account, &stored.password_hash));
        let right = token::log_in_code(key, id, account, mailing.to.as_str(), hash);
        let is_right = stored.is_some() && token::is_typed(&right, &input.code);
        // Looked at again under its lock, so that many tries at once are as few as many in a row.
        let taken = self.ports.transact(&Actor::Anonymous, |mut unit| {
            Box::pin(async move {
                let found = unit.accounts().mailing(id).await?.filter(due);
                if found.is_some() && !is_right {
                    unit.accounts().count_attempt(id).await?;
                }
                Ok(found.is_some() && is_right)
            })
        });
        Ok(if taken.await? { stored.map(|stored| (mailing, stored)) } else { None })
    }

    /// Spends a code under the account's lock: it is still there, and the account still reached where it was sent.
    pub(super) async fn spend_code(
        &self,
        unit: &mut dyn UnitOfWork,
        sent: &Mailing,
        account: &super::super::Account,
        now: Timestamp,
    ) -> Result<()> {
        let most = self.ports.settings.code_attempts;
        let found = unit.accounts().mailing(sent.id).await?;
        let reached = match &sent.to {
            Contact::Email(email) => account.email == *email,
            Contact::Phone(number) => {
                unit.phones().phone(account.id).await?.is_some_and(|phone| phone.number == *number)
            }
        };
        if !reached || found.is_none_or(|mailing| mailing.attempts >= most) {
            return Err(wrong_code());
        }
        unit.accounts().delete_mailing(sent.id).await?;
        audit(unit, "account.code_used", account.id, "", now).await
    }

    /// Refuses numbers of countries that no codes are sent to.
    pub(super) fn served(&self, to: &Contact) -> Result<()> {
        match to {
            Contact::Phone(phone) if !self.ports.settings.phone_countries.iter().any(|code| phone.is_of(*code)) => {
                Err(Error::from(AccountRefusal::PhoneAbroad).on_field("phone"))
            }
            _ => Ok(()),
        }
    }
}

fn wrong_code() -> Error {
    Error::from(AccountRefusal::CodeInvalid).on_field("code")
}
