//! Sealing the audit trail, letting old months of it go, and checking all of it.
//!
//! Writers know nothing of seals and never wait for one another. A job seals what is there and not sealed yet, a stretch at a
//! time; only the sealers stand in a queue.

use core::time::Duration;

use super::{AuditLine, Month, Seal};
use crate::actor::Actor;
use crate::error::Result;
use crate::port::store::AuditRepository;
use crate::port::{Ports, UnitOfWork};

/// Lines under one seal.
const STRETCH: u32 = 1_000;
/// Seals that are read at once.
const SEALS: u32 = 100;
/// What is not sealed after so long was not there when its neighbours were: no unit is open for longer.
const SETTLED: Duration = Duration::from_hours(1);
/// How many breaks are told; with more, nobody reads on.
const MOST_BREAKS: u32 = 100;
/// Lines do not come into months that are over for longer.
const LATE_MONTHS: i32 = 2;

/// Who seals.
const SEALER: Actor = Actor::System("seal-audit");

/// A seal as it is noted outside the store: its number and its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The seal's number.
    pub n: i64,
    /// The seal's tag.
    pub tag: [u8; 32],
}

impl core::fmt::Display for Head {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.n, data_encoding::HEXLOWER.encode(&self.tag))
    }
}

impl core::str::FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const TOLD: &str = "a seal is its number, a colon and 64 hexadecimal digits";
        let (n, tag) = text.split_once(':').ok_or(TOLD)?;
        let tag = data_encoding::HEXLOWER.decode(tag.as_bytes()).map_err(|_| TOLD)?;
        Ok(Self { n: n.parse().map_err(|_| TOLD)?, tag: tag.try_into().map_err(|_| TOLD)? })
    }
}

/// Where the chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditBreak {
    /// A seal is not there.
    SealMissing {
        /// Its number.
        n: i64,
    },
    /// A seal was changed, made by somebody without the key, or does not follow the one before.
    SealForged {
        /// Its number.
        n: i64,
    },
    /// A line that was sealed is not there.
    LineMissing {
        /// The seal.
        n: i64,
        /// The line.
        line: i64,
    },
    /// One of the lines under a seal was changed.
    LinesChanged {
        /// The seal.
        n: i64,
        /// The first line under it.
        first: i64,
        /// The last.
        last: i64,
    },
    /// A line came among those that were sealed long before.
    LineAdded {
        /// The line.
        line: i64,
    },
    /// The seal that was noted elsewhere is not in the chain.
    HeadMissing {
        /// Its number.
        n: i64,
    },
}

impl core::fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::SealMissing { n } => write!(f, "seal {n} is missing"),
            Self::SealForged { n } => write!(f, "seal {n} is not ours, was changed, or does not follow the one before"),
            Self::LineMissing { n, line } => write!(f, "line {line} under seal {n} is missing"),
            Self::LinesChanged { n, first, last } => {
                write!(f, "of lines {first} to {last} under seal {n}, at least one was changed")
            }
            Self::LineAdded { line } => write!(f, "line {line} was added among lines that were sealed before"),
            Self::HeadMissing { n } => write!(f, "seal {n} is not the one that was noted"),
        }
    }
}

/// What was checked, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditVerdict {
    /// Seals that were checked.
    pub seals: u64,
    /// Lines that were checked.
    pub lines: u64,
    /// Months that were let go, of which only seals are left.
    pub let_go: Vec<Month>,
    /// Lines that wait to be sealed.
    pub waiting: u64,
    /// The last seal: noted elsewhere, it proves later that nothing was cut off.
    pub head: Option<Head>,
    /// Where the chain breaks, at most a hundred places.
    pub breaks: Vec<AuditBreak>,
}

/// Seals the audit trail and checks it. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct AuditService {
    ports: Ports,
}

impl AuditService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Seals all that is not sealed; answers the last seal, if there is one now.
    ///
    /// # Errors
    /// The store's.
    pub async fn seal(&self) -> Result<Option<Head>> {
        let now = Month::of(self.ports.clock.now());
        let mut months = self.months().await?;
        months.retain(|month| now.since(*month) <= LATE_MONTHS);
        for month in months {
            while self.seal_stretch(month).await? == STRETCH as usize {}
        }
        let mut unit = self.ports.store.begin(&SEALER).await?;
        Ok(unit.audits().last_seal().await?.as_ref().map(head))
    }

    async fn months(&self) -> Result<Vec<Month>> {
        self.ports.store.begin(&SEALER).await?.audits().months().await
    }

    /// Seals one stretch of a month; answers of how many lines.
    async fn seal_stretch(&self, month: Month) -> Result<usize> {
        let (now, key) = (self.ports.clock.now(), &self.ports.keys.audit);
        let sealed = self.ports.transact(&SEALER, |mut unit| {
            Box::pin(async move {
                let audits = unit.audits();
                let last = audits.last_seal().await?;
                let settled = audits.settled(now - SETTLED).await?;
                let lines = audits.unsealed(month, settled, STRETCH).await?;
                if !lines.is_empty() {
                    audits.append_seal(&Seal::new(key, last.as_ref(), now, month, &lines)).await?;
                }
                Ok(lines.len())
            })
        });
        sealed.await
    }

    /// Lets whole months go that are past their time: a last seal says so, and stays as the anchor of what follows. Only
    /// what is sealed goes; answers how many months did.
    ///
    /// # Errors
    /// The store's.
    pub async fn let_go(&self) -> Result<u32> {
        let keep = i32::from(self.ports.settings.retention.audit_months);
        let (now, key) = (self.ports.clock.now(), &self.ports.keys.audit);
        let mut due = self.months().await?;
        due.retain(|month| Month::of(now).since(*month) > keep);
        let mut gone = 0;
        for month in due {
            let went = self.ports.transact(&SEALER, |mut unit| {
                Box::pin(async move {
                    let audits = unit.audits();
                    let last = audits.last_seal().await?;
                    if audits.count_lines(month).await? != audits.count_sealed(month).await? {
                        return Ok(false);
                    }
                    if !audits.is_let_go(month).await? {
                        audits.append_seal(&Seal::new(key, last.as_ref(), now, month, &[])).await?;
                    }
                    audits.drop_month(month).await
                })
            });
            gone += u32::from(went.await?);
        }
        Ok(gone)
    }

    /// For how long the oldest line that no seal covers has been waiting.
    ///
    /// # Errors
    /// The store's.
    pub async fn oldest_waiting(&self) -> Result<Duration> {
        let now = self.ports.clock.now();
        let mut months = self.months().await?;
        months.retain(|month| Month::of(now).since(*month) <= LATE_MONTHS);
        let mut unit = self.ports.store.begin(&SEALER).await?;
        let settled = unit.audits().settled(now - SETTLED).await?;
        for month in months {
            if let Some(line) = unit.audits().unsealed(month, settled, 1).await?.first() {
                return Ok(now.since(line.at));
            }
        }
        Ok(Duration::ZERO)
    }

    /// Checks every seal and every line under it, and that the seal which was noted elsewhere is in the chain.
    ///
    /// # Errors
    /// The store's. What is wrong with the trail is no error: the verdict tells it.
    pub async fn verify(&self, noted: Option<Head>) -> Result<AuditVerdict> {
        let key = &self.ports.keys.audit;
        let mut unit = self.ports.store.begin(&SEALER).await?;
        let mut verdict = AuditVerdict::default();
        let mut before: Option<Seal> = None;
        let mut found = noted.is_none();
        loop {
            let seals = unit.audits().seals(before.as_ref().map_or(0, |seal| seal.n), SEALS).await?;
            for seal in &seals {
                let (expected, tag) = before.as_ref().map_or((1, [0; 32]), |before| (before.n + 1, before.tag));
                for n in (expected..seal.n).take(MOST_BREAKS as usize) {
                    verdict.tell(AuditBreak::SealMissing { n });
                }
                if !seal.is_sound(key) || (seal.n == expected && seal.before != tag) {
                    verdict.tell(AuditBreak::SealForged { n: seal.n });
                } else {
                    lines(unit.as_mut(), seal, key, &mut verdict).await?;
                }
                found |= noted == Some(head(seal));
                verdict.seals += 1;
                before = Some(seal.clone());
            }
            if seals.len() < SEALS as usize {
                break;
            }
        }
        if let (false, Some(noted)) = (found, noted) {
            verdict.tell(AuditBreak::HeadMissing { n: noted.n });
        }
        verdict.head = before.as_ref().map(head);
        let settled = unit.audits().settled(self.ports.clock.now() - SETTLED).await?;
        for month in unit.audits().months().await? {
            for line in unit.audits().strays(month, settled, MOST_BREAKS).await? {
                verdict.tell(AuditBreak::LineAdded { line });
            }
            verdict.waiting += unit.audits().count_waiting(month, settled).await?;
        }
        unit.rollback().await?;
        Ok(verdict)
    }
}

impl AuditVerdict {
    fn tell(&mut self, broken: AuditBreak) {
        if self.breaks.len() < MOST_BREAKS as usize {
            self.breaks.push(broken);
        }
    }
}

fn head(seal: &Seal) -> Head {
    Head { n: seal.n, tag: seal.tag }
}

/// Checks the lines under a seal that is sound.
async fn lines(
    unit: &mut dyn UnitOfWork,
    seal: &Seal,
    key: &crate::secret::Key,
    verdict: &mut AuditVerdict,
) -> Result<()> {
    let audits: &mut dyn AuditRepository = unit.audits();
    if seal.lets_go() {
        verdict.let_go.push(seal.month);
        return Ok(());
    }
    if audits.is_let_go(seal.month).await? {
        return Ok(());
    }
    let lines: Vec<AuditLine> = audits.lines_of(seal).await?;
    verdict.lines += lines.len() as u64;
    let there: std::collections::BTreeSet<i64> = lines.iter().map(|line| line.id).collect();
    let mut complete = true;
    for line in seal.ids.iter().filter(|id| !there.contains(id)) {
        complete = false;
        verdict.tell(AuditBreak::LineMissing { n: seal.n, line });
    }
    if complete && !seal.covers(key, &lines) {
        let (first, last) = (seal.ids.iter().next().unwrap_or(0), seal.ids.last().unwrap_or(0));
        verdict.tell(AuditBreak::LinesChanged { n: seal.n, first, last });
    }
    Ok(())
}
