//! `admin audit` and `admin breach`: checking the audit trail, and the log of breaches.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use daira_core::id::BreachId;
use daira_core::record::{AuditService, AuditVerdict, Breach, BreachNote, BreachService, Head};
use daira_core::time::Timestamp;
use daira_worker::backends::Backends;

use super::admin::{OPERATOR, told};

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Check every seal and every line under it, and say where the chain breaks.
    ///
    /// The last line names the last seal. Noted elsewhere (the log of the job that seals names each), it proves later that
    /// nothing was cut off.
    Verify {
        /// A seal that was noted before, which has to be in the chain.
        #[arg(long, value_name = "SEAL")]
        noted: Option<Head>,
    },
}

/// What to do with the log of breaches. What happened is written about, never a person.
#[derive(Debug, Subcommand)]
pub(super) enum Breaches {
    /// Write a breach down. There are 72 hours to report it from when it became known.
    Open {
        /// When it became known, for instance 2026-11-27T09:30:00Z; now when left out.
        #[arg(long, value_name = "TIME")]
        known: Option<String>,
        #[command(flatten)]
        words: Words,
    },
    /// Add what was found out or done.
    Note {
        /// The breach.
        id: BreachId,
        #[command(flatten)]
        words: Words,
    },
    /// Say that it was reported to the authority: the clock stops.
    Report {
        /// The breach.
        id: BreachId,
        #[command(flatten)]
        words: Words,
    },
    /// Close it.
    Close {
        /// The breach.
        id: BreachId,
        #[command(flatten)]
        words: Words,
    },
    /// List those that are open, with what was noted.
    List {
        /// Closed ones as well.
        #[arg(long)]
        all: bool,
    },
}

/// What is written down.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// The words, up to 2,000 characters; `-` reads them from standard input.
    #[arg(long, value_name = "TEXT")]
    text: String,
}

impl Words {
    fn read(&self) -> Result<String> {
        if self.text != "-" {
            return Ok(self.text.clone());
        }
        let mut text = String::new();
        std::io::stdin().take(64 << 10).read_to_string(&mut text).context("standard input")?;
        Ok(text)
    }
}

pub(super) async fn audit(backends: &Backends, what: &Audit) -> Result<()> {
    let Audit::Verify { noted } = what;
    let verdict = AuditService::new(backends.ports.clone()).verify(*noted).await?;
    for line in words(&verdict) {
        println!("{line}");
    }
    match verdict.breaks.len() {
        0 => Ok(()),
        1 => bail!("the audit trail is broken in one place"),
        places => bail!("the audit trail is broken in {places} places"),
    }
}

fn words(verdict: &AuditVerdict) -> Vec<String> {
    let mut lines = vec![format!("checked {} seals over {} lines", verdict.seals, verdict.lines)];
    lines.extend(verdict.let_go.iter().map(|month| format!("the lines of {month} were let go; their seals stay")));
    lines.push(format!("{} lines wait to be sealed", verdict.waiting));
    lines.extend(verdict.breaks.iter().map(|broken| format!("BROKEN: {broken}")));
    lines.push(verdict.head.map_or("there is no seal yet".to_owned(), |head| format!("last seal {head}")));
    lines
}

pub(super) async fn breaches(backends: &Backends, what: &Breaches) -> Result<()> {
    let (service, now) = (BreachService::new(backends.ports.clone()), backends.ports.clock.now());
    let breach = match what {
        Breaches::Open { known, words } => {
            let known = known.as_deref().map(Timestamp::parse).transpose().context("--known")?.unwrap_or(now);
            service.open(&OPERATOR, known, &words.read()?).await.map_err(told)?
        }
        Breaches::Note { id, words } => service.note(&OPERATOR, *id, &words.read()?).await.map_err(told)?,
        Breaches::Report { id, words } => service.report(&OPERATOR, *id, &words.read()?).await.map_err(told)?,
        Breaches::Close { id, words } => service.close(&OPERATOR, *id, &words.read()?).await.map_err(told)?,
        Breaches::List { all } => {
            let list = service.list(&OPERATOR, !all).await.map_err(told)?;
            if list.is_empty() {
                println!("there are no breaches");
            }
            for (breach, notes) in &list {
                println!("{}", line(breach, now));
                for note in notes {
                    println!("    {}", noted(note));
                }
            }
            return Ok(());
        }
    };
    println!("{}", line(&breach, now));
    Ok(())
}

/// One line.
fn line(breach: &Breach, now: Timestamp) -> String {
    let state = match (breach.left(now), breach.reported_at, breach.closed_at) {
        (Some(left), ..) if left.is_zero() => format!("OVERDUE: it was to be reported until {}", breach.due_at()),
        (Some(left), ..) => format!("{} hours left to report it, until {}", left.as_secs() / 3600, breach.due_at()),
        (None, _, Some(closed)) => format!("closed {closed}"),
        (None, Some(reported), None) => format!("reported {reported}"),
        (None, None, None) => "open".to_owned(),
    };
    format!("{} known {}  {state}", breach.id, breach.known_at)
}

/// A note. Nothing in it moves the cursor or begins a line.
fn noted(note: &BreachNote) -> String {
    format!("{} {:?}: {}", note.at, note.step, note.text.escape_debug())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_breach_says_how_long_is_left() {
        let known_at = Timestamp::from_seconds(1_795_000_000);
        let id = "bch_0000000000007".parse().unwrap();
        let breach = Breach { id, known_at, opened_at: known_at, reported_at: None, closed_at: None };
        assert!(line(&breach, known_at + Duration::from_hours(70)).contains("2 hours left"));
        assert!(line(&breach, known_at + Duration::from_hours(72)).contains("OVERDUE"));
        let reported = Breach { reported_at: Some(known_at), ..breach };
        assert!(line(&reported, known_at + Duration::from_hours(99)).contains("reported 2026"));
    }
}
