//! `dlq`: events that could not be processed: listed, shown, replayed, dropped.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use daira_core::port::DeadLetter;
use daira_worker::backends::Backends;
use daira_worker::config::Config;
use daira_worker::consume;
use data_encoding::HEXLOWER;

/// How many are read at a time.
const CHUNK: u32 = 100;

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(super) enum Letters {
    /// List them, oldest first.
    List {
        /// Only those of one consumer.
        #[arg(long)]
        group: Option<String>,
        /// At most so many of each consumer.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one, with the event that it holds.
    Show(One),
    /// Put one back, or all of a consumer, to be delivered again; what is parked behind follows.
    Replay {
        /// The consumer.
        group: String,
        /// The event's number.
        #[arg(required_unless_present = "all")]
        event: Option<i64>,
        /// All of the consumer.
        #[arg(long, conflicts_with = "event")]
        all: bool,
    },
    /// Drop one for good: the consumer never processes that event.
    Drop {
        #[command(flatten)]
        one: One,
        /// Yes, its effect is to be missing.
        #[arg(long)]
        yes: bool,
    },
}

/// One dead letter.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The consumer.
    group: String,
    /// The event's number.
    event: i64,
}

/// Runs the command.
pub(super) async fn run(config: &Config, what: &Letters) -> Result<()> {
    let named = match what {
        Letters::List { group, .. } => group.as_deref(),
        Letters::Replay { group, .. } => Some(group.as_str()),
        Letters::Show(one) | Letters::Drop { one, .. } => Some(one.group.as_str()),
    };
    let groups: Vec<&str> = consume::GROUPS.iter().map(|group| group.name).collect();
    if let Some(unknown) = named.filter(|named| !groups.contains(named)) {
        bail!("there is no consumer {unknown:?}; there are: {}", groups.join(", "));
    }
    let backends = Backends::connect(config).await?;
    let outcome = run_on(&backends, &groups, what).await;
    backends.close().await?;
    outcome
}

async fn run_on(backends: &Backends, groups: &[&str], what: &Letters) -> Result<()> {
    let bus = &backends.ports.bus;
    match what {
        Letters::List { group, limit, json } => {
            let mut letters = Vec::new();
            for name in groups.iter().filter(|name| group.as_ref().is_none_or(|group| group == *name)) {
                letters.extend(bus.dead_letters(name, None, *limit).await?);
            }
            if *json {
                println!("{}", serde_json::to_string_pretty(&letters.iter().map(as_json).collect::<Vec<_>>())?);
            } else if letters.is_empty() {
                println!("there are no dead letters");
            } else {
                for letter in &letters {
                    println!("{}", line(letter));
                }
            }
        }
        Letters::Show(One { group, event }) => {
            let letter = find(backends, group, *event).await?;
            println!("{}", serde_json::to_string_pretty(&as_json(&letter))?);
        }
        Letters::Replay { group, event: Some(event), .. } => {
            find(backends, group, *event).await?;
            if !bus.replay(group, *event).await? {
                bail!("{event} waits already: behind a dead letter of its key, or to be delivered again");
            }
            println!("{event} will be delivered to {group} again");
        }
        Letters::Replay { group, event: None, .. } => {
            println!("{} events will be delivered to {group} again", replay_all(backends, group).await?);
        }
        Letters::Drop { one: One { group, event }, yes } => {
            let letter = find(backends, group, *event).await?;
            if !yes {
                println!("{}", line(&letter));
                bail!("the effect of a dropped event is missing for good; add --yes if it is to be");
            }
            if !bus.drop_letter(group, *event).await? {
                bail!("{event} only waits behind a dead letter of its key: replay or drop that one");
            }
            println!("{event} was dropped; {group} never processes it");
        }
    }
    Ok(())
}

async fn find(backends: &Backends, group: &str, event: i64) -> Result<DeadLetter> {
    let found = backends.ports.bus.dead_letters(group, Some(event.saturating_sub(1)), 1).await?.pop();
    found.filter(|letter| letter.event == event).with_context(|| format!("{group} has no dead letter {event}"))
}

async fn replay_all(backends: &Backends, group: &str) -> Result<usize> {
    let (mut after, mut replayed) = (None, 0);
    loop {
        let letters = backends.ports.bus.dead_letters(group, after, CHUNK).await?;
        let Some(last) = letters.last() else { return Ok(replayed) };
        after = Some(last.event);
        for letter in letters.iter().filter(|letter| !letter.parked) {
            replayed += usize::from(backends.ports.bus.replay(group, letter.event).await?);
        }
    }
}

/// One line. The reason may quote what people wrote: nothing in it moves the cursor or begins a line.
fn line(letter: &DeadLetter) -> String {
    let state = if letter.parked { "waits" } else { "dead" };
    let reason = letter.reason.escape_debug();
    let DeadLetter { group, event, kind, key, attempts, at, .. } = letter;
    format!("{group:<14} {event:>12} {state:<5} {attempts:>2}×  {at}  {kind} of {key}: {reason}")
}

fn as_json(letter: &DeadLetter) -> serde_json::Value {
    serde_json::json!({
        "group": letter.group,
        "event": letter.event,
        "kind": letter.kind,
        "key": letter.key,
        "time": letter.time.to_string(),
        "state": if letter.parked { "waits" } else { "dead" },
        "attempts": letter.attempts,
        "since": letter.at.to_string(),
        "reason": letter.reason,
        "payload": HEXLOWER.encode(&letter.payload),
        "holds": letter.decode().map_or_else(|error| error.to_string(), |event| format!("{event:?}")),
    })
}
