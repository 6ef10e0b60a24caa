//! The log of breaches of personal data. From when one becomes known there are 72 hours to report it to the authority
//! (article 7 of law 151/2020, article 33 of the GDPR); the log says when they end.
//!
//! What is written here is about what happened, never about somebody: staff are told so, and the sentences stay in the log of
//! breaches; the audit trail has the steps as codes.

use core::time::Duration;

use super::RecordRefusal;
use crate::account::audit;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{BreachId, ProfileId};
use crate::port::store::Lock;
use crate::port::{Ports, UnitOfWork};
use crate::staff::{Permission, admitted};
use crate::text::{Bounds, clean};
use crate::time::Timestamp;

/// How long there is to report a breach.
pub const REPORT_WITHIN: Duration = Duration::from_hours(72);
/// The longest note, in characters.
const MAX_NOTE: usize = 2_000;
/// How long ago a breach may have become known.
const OLDEST: Duration = Duration::from_hours(10 * 365 * 24);

/// A breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// Its id.
    pub id: BreachId,
    /// When it became known: the clock runs from here.
    pub known_at: Timestamp,
    /// When it was written down.
    pub opened_at: Timestamp,
    /// When it was reported to the authority.
    pub reported_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

impl Breach {
    /// When it has to be reported.
    pub fn due_at(&self) -> Timestamp {
        self.known_at + REPORT_WITHIN
    }

    /// How long is left to report it; nothing once it is reported, or closed as one that needs no report.
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        let runs = self.reported_at.is_none() && self.closed_at.is_none();
        runs.then(|| self.due_at().since(now))
    }
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreachStep {
    /// What happened, as far as it was known at first.
    Opened,
    /// What was found out or done.
    Noted,
    /// To whom it was reported, under which number.
    Reported,
    /// Why it is over.
    Closed,
}

impl BreachStep {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Noted, Self::Reported, Self::Closed];

    /// Its stored number.
    pub const fn number(self) -> i16 {
        match self {
            Self::Opened => 1,
            Self::Noted => 2,
            Self::Reported => 3,
            Self::Closed => 4,
        }
    }

    /// The one with a stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.number() == number)
    }

    /// Its name in the audit trail.
    const fn action(self) -> &'static str {
        match self {
            Self::Opened => "breach.opened",
            Self::Noted => "breach.noted",
            Self::Reported => "breach.reported",
            Self::Closed => "breach.closed",
        }
    }
}

/// Something noted of a breach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreachNote {
    /// The breach.
    pub breach: BreachId,
    /// When.
    pub at: Timestamp,
    /// By whom; nobody for an operator at a command.
    pub by: Option<ProfileId>,
    /// What it is about.
    pub step: BreachStep,
    /// What was written.
    pub text: String,
}

/// Keeps the log of breaches. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct BreachService {
    ports: Ports,
}

impl BreachService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Writes a breach down: the clock runs from when it became known.
    ///
    /// # Errors
    /// Those of [`StaffService::admit`](crate::staff::StaffService::admit); [`RecordRefusal::BreachTime`],
    /// [`RecordRefusal::BreachText`].
    pub async fn open(&self, actor: &Actor, known_at: Timestamp, text: &str) -> Result<Breach> {
        let (now, text) = (self.ports.clock.now(), &written(text)?);
        if known_at > now || now.since(known_at) > OLDEST {
            return Err(Error::from(RecordRefusal::BreachTime).on_field("known"));
        }
        let ids = &self.ports.ids;
        let platform = &crate::staff::named(actor)?;
        let opened = self.ports.transact(platform, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                admitted(unit, actor, Permission::KeepBreaches).await?;
                let id = ids.draw(now, ids.shard());
                let breach = Breach { id, known_at, opened_at: now, reported_at: None, closed_at: None };
                unit.breaches().insert_breach(&breach).await?;
                note(unit, actor, id, BreachStep::Opened, text, now).await?;
                Ok(breach)
            })
        });
        opened.await
    }

    /// Adds what was found out or done.
    ///
    /// # Errors
    /// Those of [`StaffService::admit`](crate::staff::StaffService::admit); not found, [`RecordRefusal::BreachClosed`],
    /// [`RecordRefusal::BreachText`].
    pub async fn note(&self, actor: &Actor, id: BreachId, text: &str) -> Result<Breach> {
        self.step(actor, id, BreachStep::Noted, text).await
    }

    /// Says that it was reported to the authority: the clock stops.
    ///
    /// # Errors
    /// Those of [`note`](Self::note), and [`RecordRefusal::BreachReported`].
    pub async fn report(&self, actor: &Actor, id: BreachId, text: &str) -> Result<Breach> {
        self.step(actor, id, BreachStep::Reported, text).await
    }

    /// Closes it.
    ///
    /// # Errors
    /// Those of [`note`](Self::note).
    pub async fn close(&self, actor: &Actor, id: BreachId, text: &str) -> Result<Breach> {
        self.step(actor, id, BreachStep::Closed, text).await
    }

    async fn step(&self, actor: &Actor, id: BreachId, step: BreachStep, text: &str) -> Result<Breach> {
        let (now, text) = (self.ports.clock.now(), &written(text)?);
        let platform = &crate::staff::named(actor)?;
        let done = self.ports.transact(platform, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                admitted(unit, actor, Permission::KeepBreaches).await?;
                let mut breach = unit.breaches().breach(id, Lock::Update).await?.ok_or_else(Error::not_found)?;
                if breach.closed_at.is_some() {
                    return Err(RecordRefusal::BreachClosed.into());
                }
                match step {
                    BreachStep::Opened | BreachStep::Noted => {}
                    BreachStep::Reported if breach.reported_at.is_some() => {
                        return Err(RecordRefusal::BreachReported.into());
                    }
                    BreachStep::Reported => breach.reported_at = Some(now),
                    BreachStep::Closed => breach.closed_at = Some(now),
                }
                unit.breaches().update_breach(&breach).await?;
                note(unit, actor, id, step, text, now).await?;
                Ok(breach)
            })
        });
        done.await
    }

    /// The log, or what of it is not closed, with the notes of each. Looking leaves a line in the audit trail.
    ///
    /// # Errors
    /// Those of [`StaffService::admit`](crate::staff::StaffService::admit).
    pub async fn list(&self, actor: &Actor, open_only: bool) -> Result<Vec<(Breach, Vec<BreachNote>)>> {
        let now = self.ports.clock.now();
        let platform = &crate::staff::named(actor)?;
        let listed = self.ports.transact(platform, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                admitted(unit, actor, Permission::KeepBreaches).await?;
                let mut list = Vec::new();
                for breach in unit.breaches().breaches(open_only).await? {
                    list.push((breach, unit.breaches().breach_notes(breach.id).await?));
                }
                audit(unit, "breach.listed", <BreachId as crate::id::Id>::from_raw(0), "", now).await?;
                Ok(list)
            })
        });
        listed.await
    }

    /// Of the breaches that are to be reported, the time left for the most urgent; for whoever watches the installation.
    ///
    /// # Errors
    /// The store's.
    pub async fn least_left(&self) -> Result<Option<Duration>> {
        let now = self.ports.clock.now();
        let mut unit = self.ports.store.begin(&Actor::System("breach-clock")).await?;
        let open = unit.breaches().breaches(true).await?;
        unit.rollback().await?;
        Ok(open.iter().filter_map(|breach| breach.left(now)).min())
    }
}

fn written(text: &str) -> Result<String> {
    clean(text, Bounds::paragraphs(1, MAX_NOTE)).map_err(|_| Error::from(RecordRefusal::BreachText).on_field("text"))
}

async fn note(
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    breach: BreachId,
    step: BreachStep,
    text: &str,
    at: Timestamp,
) -> Result<()> {
    let note = BreachNote { breach, at, by: actor.profile(), step, text: text.to_owned() };
    unit.breaches().add_breach_note(&note).await?;
    audit(unit, step.action(), breach, "", at).await
}
