//! What is due to people outside: composed from what holds when it is sent, and handed to the channel. Codes and tokens are
//! derived here, and stand nowhere else.
//!
//! Nothing is open in the store while the channel is at work. What it refuses for now is tried again alone, later and later,
//! and holds up nobody else; what it refuses for good, or for a week, is given up with a line in the log. Whatever dies with
//! who sent it is sent again: both carry the same code and the same key, so a second copy does no harm.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::super::notice::notice;
use super::super::{
    Account, AccountState, Contact, Delivery, Due, Email, Mailing, MailingKind, Phone, Session, mail, sms, token,
};
use super::AccountService;
use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ChallengeId, SessionId};
use crate::port::store::Lock;
use crate::port::{Handed, LimitRefusal, Message, Text, UnitOfWork};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Who delivers.
const POST_OFFICE: Actor = Actor::System("delivery");
/// How many deliveries one process hands over at the same time.
const AT_ONCE: u32 = 16;
/// For how long a delivery is its sender's: longer than any channel may take.
const HOLD: Duration = Duration::from_mins(3);

/// What is due, composed.
enum Composed {
    Mail(Message),
    Text(Text),
}

/// A delivery that was taken, where it goes, and what it comes to.
struct Attempt {
    to: String,
    delivery: Delivery,
    composed: Result<Option<Composed>>,
}

/// What came of an attempt.
struct Tried {
    to: String,
    /// Whether it is done with.
    went: bool,
    /// Whether it is due again because it was refused for now.
    was_refused: bool,
}

impl Composed {
    /// Where it goes.
    fn to(&self) -> &str {
        match self {
            Self::Mail(message) => message.to.expose(),
            Self::Text(text) => text.to.expose(),
        }
    }
}

impl From<Message> for Composed {
    fn from(message: Message) -> Self {
        Self::Mail(message)
    }
}

impl From<Text> for Composed {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl AccountService {
    /// Hands over what is due until nothing is, or until nothing goes through any more; answers how many deliveries are done
    /// with. What is refused for now is due again after a while. A place that comes free is taken at once, so that a slow
    /// address holds up nobody but those behind it; what goes to one address goes in the order in which it became due.
    ///
    /// # Errors
    /// The store's; what was taken comes back.
    pub async fn deliver_due(&self) -> Result<usize> {
        let mut queues: BTreeMap<String, VecDeque<Attempt>> = BTreeMap::new();
        let mut going = FuturesUnordered::new();
        let (mut done, mut held, mut is_away) = (0, 0, false);
        loop {
            let places = AT_ONCE.saturating_sub(held);
            // Behind a refusal nothing new is taken until something goes through: where nothing does, the channel is away.
            if places > 0 && !is_away {
                for delivery in self.taken(places).await? {
                    held += 1;
                    let attempt = self.prepared(delivery).await;
                    if let Some(behind) = queues.get_mut(&attempt.to) {
                        behind.push_back(attempt);
                    } else {
                        queues.insert(attempt.to.clone(), VecDeque::new());
                        going.push(self.tried(attempt, false));
                    }
                }
            }
            let Some(outcome) = going.next().await else { return Ok(done) };
            let Tried { to, went, was_refused } = outcome?;
            held -= 1;
            done += usize::from(went);
            is_away = was_refused;
            match queues.get_mut(&to).and_then(VecDeque::pop_front) {
                // Behind one that is refused for now the others wait, too: none overtakes it.
                Some(next) => going.push(self.tried(next, was_refused)),
                None => drop(queues.remove(&to)),
            }
        }
    }

    async fn taken(&self, places: u32) -> Result<Vec<Delivery>> {
        let now = self.ports.clock.now();
        let taken = self.ports.transact(&POST_OFFICE, |mut unit| {
            Box::pin(async move { unit.deliveries().take_deliveries(now, now + HOLD, places).await })
        });
        taken.await
    }

    /// Hands over one thing now, whether or not it was noted as due; answers whether there was something to hand over that was
    /// taken.
    ///
    /// # Errors
    /// The store's, and the channel's when it is refused for now.
    pub async fn deliver(&self, due: Due) -> Result<bool> {
        let composed = self.composed(due, true).await?;
        let taken = self.send(due, composed).await?;
        self.done(due).await?;
        Ok(taken)
    }

    /// A delivery with what it comes to. What comes to nothing waits for nobody.
    async fn prepared(&self, delivery: Delivery) -> Attempt {
        let composed = self.composed(delivery.due, delivery.tries == 1).await;
        let to = composed.as_ref().ok().and_then(Option::as_ref).map(|composed| composed.to().to_owned());
        Attempt { to: to.unwrap_or_else(|| format!("{:?}", delivery.due)), delivery, composed }
    }

    /// Tries a delivery, unless one before it to the same address was refused, and notes what came of it.
    async fn tried(&self, attempt: Attempt, waits: bool) -> Result<Tried> {
        let Attempt { to, delivery, composed } = attempt;
        let sent = match composed {
            Ok(_) if waits => Err(Error::new(ErrorKind::Unavailable, "delivery.waits_behind_another")),
            Ok(composed) => self.send(delivery.due, composed).await,
            Err(error) => Err(error),
        };
        let was_refused = sent.is_err();
        Ok(Tried { to, went: self.settle(&delivery, sent).await?, was_refused })
    }

    /// Notes what came of a try of a delivery; answers whether it is done with.
    async fn settle(&self, delivery: &Delivery, sent: Result<bool>) -> Result<bool> {
        let due = delivery.due;
        let Err(error) = sent else { return self.done(due).await.map(|()| true) };
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

    /// What is due, composed from what holds now; nothing where there is nothing to send any more.
    async fn composed(&self, due: Due, is_first: bool) -> Result<Option<Composed>> {
        let mut unit = self.ports.store.begin(&POST_OFFICE).await?;
        let composed = match due {
            Due::Registration(id) => self.registration_mail(unit.as_mut(), id).await?.map(Composed::from),
            Due::Mailing(id) => self.due_mailing(unit.as_mut(), id, is_first).await?,
            Due::CopyNotice(session) => about(unit.as_mut(), session, mail::token_copied).await?.map(Composed::from),
            Due::DeviceNotice(session) => about(unit.as_mut(), session, mail::new_device).await?.map(Composed::from),
        };
        unit.rollback().await?;
        Ok(composed)
    }

    /// Hands it to its channel; answers whether there was something and it was taken.
    async fn send(&self, due: Due, composed: Option<Composed>) -> Result<bool> {
        let handed = match composed {
            None => return Ok(false),
            Some(Composed::Mail(message)) => self.ports.mail.send(&message).await?,
            Some(Composed::Text(text)) => self.ports.phone.send(&text).await?,
        };
        match handed {
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

    async fn due_mailing(
        &self,
        unit: &mut dyn UnitOfWork,
        id: ChallengeId,
        is_first: bool,
    ) -> Result<Option<Composed>> {
        let now = self.ports.clock.now();
        let found = unit.accounts().mailing(id).await?;
        let Some(mailing) = found.filter(|mailing| now < mailing.expires_at) else { return Ok(None) };
        match &mailing.to {
            Contact::Email(email) => Ok(self.compose(unit, &mailing, email, is_first, now).await?.map(Composed::from)),
            Contact::Phone(number) => Ok(self.compose_text(unit, &mailing, number, now).await?.map(Composed::from)),
        }
    }

    async fn compose(
        &self,
        unit: &mut dyn UnitOfWork,
        mailing: &Mailing,
        email: &Email,
        is_first: bool,
        now: Timestamp,
    ) -> Result<Option<Message>> {
        let keys = &self.ports.keys;
        let holder = unit.accounts().account_by_email(email).await?;
        let living = |account: &Account| account.state != AccountState::Deleted;
        Ok(match mailing.kind {
            MailingKind::PasswordReset => {
                let Some(account) = holder.filter(living) else {
                    // Only here it is known that this mail goes to a stranger, and counts like all that do.
                    let counted = if is_first { self.count_sent(email).await } else { Ok(()) };
                    return match counted {
                        Err(error) if error.refusal() == Some(LimitRefusal::Reached) => Ok(None),
                        counted => counted.map(|()| Some(mail::nobody_here(mailing))),
                    };
                };
                let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                let token = token::reset(&keys.reset, mailing.id, account.id, &hash);
                Some(mail::password_reset(&Mailing { locale: account.locale, ..mailing.clone() }, &token, now))
            }
            MailingKind::NewEmail => match holder {
                // It moved there before this was sent.
                Some(holder) if mailing.account == Some(holder.id) => None,
                Some(holder) => Some(mail::already_used(mailing, holder.locale)),
                None => {
                    let Account { id, email, .. } = owner(unit, mailing).await?;
                    let hash = unit.accounts().password_hash(id).await?.unwrap_or_default();
                    let code = token::email_code(&keys.challenge, mailing.id, email.as_str(), &hash);
                    Some(mail::new_email(mailing, &code, now))
                }
            },
            MailingKind::LogInCode => match holder.filter(living) {
                Some(account) => {
                    let code = self.log_in_code(unit, mailing, &account).await?;
                    Some(mail::log_in_code(&Mailing { locale: account.locale, ..mailing.clone() }, &code, now))
                }
                // Nobody is sent anything for an account that they do not have.
                None => None,
            },
            MailingKind::Sanctioned | MailingKind::SanctionLifted | MailingKind::TakenDown => {
                crate::staff::notice::notice(unit, mailing).await?
            }
            MailingKind::DeletionAsked => {
                // Kept meanwhile, there is nothing to tell.
                let account = owner(unit, mailing).await?;
                account.leaving_at.map(|at| mail::deletion_asked(mailing, at))
            }
            _ => notice(mailing),
        })
    }

    /// The message to a number. For one that nobody has there is none, and nobody hears that somebody wants theirs.
    async fn compose_text(
        &self,
        unit: &mut dyn UnitOfWork,
        mailing: &Mailing,
        number: &Phone,
        now: Timestamp,
    ) -> Result<Option<Text>> {
        let holder = unit.phones().phone_holder(number).await?;
        let (locale, code) = match mailing.kind {
            MailingKind::LogInCode => {
                let Some(holder) = holder else { return Ok(None) };
                let found = unit.accounts().account(holder, Lock::None).await?;
                let Some(account) = found.filter(|account| account.state != AccountState::Deleted) else {
                    return Ok(None);
                };
                (account.locale, self.log_in_code(unit, mailing, &account).await?)
            }
            MailingKind::NewPhone => {
                if holder.is_some() {
                    return Ok(None);
                }
                let account = owner(unit, mailing).await?;
                let before = unit.phones().phone(account.id).await?;
                let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
                let before = before.as_ref().map(|phone| phone.number.as_str());
                let key = &self.ports.keys.challenge;
                (account.locale, token::phone_code(key, mailing.id, number.as_str(), before, &hash))
            }
            _ => return Ok(sms::notice(mailing, number)),
        };
        self.count_country(number).await?;
        let living = unit.phones().codes_for(number, now).await?;
        let mailing = Mailing { locale, ..mailing.clone() };
        Ok(Some(sms::code(&mailing, number, code, living.saturating_sub(1))))
    }

    async fn log_in_code(&self, unit: &mut dyn UnitOfWork, mailing: &Mailing, account: &Account) -> Result<Secret> {
        let hash = unit.accounts().password_hash(account.id).await?.unwrap_or_default();
        Ok(token::log_in_code(&self.ports.keys.challenge, mailing.id, account.id, mailing.to.as_str(), &hash))
    }
}

async fn owner(unit: &mut dyn UnitOfWork, mailing: &Mailing) -> Result<Account> {
    let account = mailing.account.ok_or_else(Error::not_found)?;
    unit.accounts().account(account, Lock::None).await?.ok_or_else(Error::not_found)
}

/// A notice about a session to whoever it is of.
async fn about(
    unit: &mut dyn UnitOfWork,
    session: SessionId,
    mail: fn(&Account, &Session) -> Message,
) -> Result<Option<Message>> {
    let Some(session) = unit.accounts().session(session).await? else { return Ok(None) };
    let account = unit.accounts().account(session.account, Lock::None).await?;
    let living = account.filter(|account| account.state != AccountState::Deleted);
    Ok(living.map(|account| mail(&account, &session)))
}
