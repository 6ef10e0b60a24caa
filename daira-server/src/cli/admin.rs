//! `admin`: who is staff, who is erased at their wish without coming in, and what is kept to be proved later. The first admin is made
//! here and nowhere else: there is no account that comes with the platform.

use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use daira_core::Actor;
use daira_core::account::AccountService;
use daira_core::error::Error;
use daira_core::locale::Locale;
use daira_core::staff::{Reason, Reference, StaffRole, StaffService, Why};
use daira_worker::backends::Backends;
use daira_worker::config::Config;

use super::records;

/// An operator, as the audit trail names them.
pub(super) const OPERATOR: Actor = Actor::System("cli");

/// What to do with the staff.
#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Make the person with an e-mail address staff.
    Grant {
        /// The address of an account that exists.
        email: String,
        /// What they are to be.
        role: Rank,
        #[command(flatten)]
        meant: Meant,
    },
    /// List the staff.
    List,
    /// Take the person with an e-mail address from the staff. The last admin stays.
    Revoke {
        /// The address of their account.
        email: String,
        #[command(flatten)]
        meant: Meant,
    },
    /// Have the account with an e-mail address erased once the grace is over: for who cannot come in and ask.
    Erase {
        /// The address of the account.
        email: String,
        #[command(flatten)]
        meant: Meant,
    },
    /// Keep the account with an e-mail address that was to be erased.
    Keep {
        /// The address of the account.
        email: String,
        #[command(flatten)]
        meant: Meant,
    },
    /// Print which role may do what.
    Permissions,
    /// Check the audit trail.
    #[command(
        after_help = "Examples:\n  daira-server admin audit verify\n  daira-server admin audit verify --noted 4711:9f86d0…\n\nFails with 1 when the chain is broken."
    )]
    Audit {
        #[command(subcommand)]
        what: records::Audit,
    },
    /// Keep the log of breaches of personal data.
    #[command(
        after_help = "Examples:\n  daira-server admin breach open --known 2026-11-27T09:30:00Z --text 'a backup could be read by anybody'\n  daira-server admin breach report bch_0c5h2m9k1v3q8 --text 'case 4711'\n  daira-server admin breach list"
    )]
    Breach {
        #[command(subcommand)]
        what: records::Breaches,
    },
}

/// Why, and that it is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Meant {
    /// Why: the case or the ticket, up to 64 letters, digits and -._:/#. It stands in the audit trail.
    #[arg(long, value_name = "CASE")]
    reason: String,
    /// Yes, they are meant.
    #[arg(long)]
    yes: bool,
}

/// What somebody of the staff is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Rank {
    /// Acts on content and people for a while.
    Moderator,
    /// Acts for good, sees private data and undoes what others did.
    SeniorModerator,
    /// Makes others staff.
    Admin,
}

impl From<Rank> for StaffRole {
    fn from(rank: Rank) -> Self {
        match rank {
            Rank::Moderator => Self::Moderator,
            Rank::SeniorModerator => Self::SeniorModerator,
            Rank::Admin => Self::Admin,
        }
    }
}

/// Runs the command.
pub(super) async fn run(config: &Config, what: &Admin) -> Result<()> {
    if let Admin::Permissions = what {
        print!("{}", daira_core::staff::permission::markdown());
        return Ok(());
    }
    let backends = Backends::connect(config).await?;
    let outcome = match what {
        Admin::Audit { what } => records::audit(&backends, what).await,
        Admin::Breach { what } => records::breaches(&backends, what).await,
        _ => {
            let accounts = AccountService::new(backends.ports.clone());
            let staff = StaffService::new(backends.ports.clone(), accounts.clone());
            run_on(&staff, &accounts, what).await
        }
    };
    backends.close().await?;
    outcome
}

async fn run_on(staff: &StaffService, accounts: &AccountService, what: &Admin) -> Result<()> {
    match what {
        Admin::Grant { email, role, meant } => {
            let role = StaffRole::from(*role);
            set(staff, email, Some(role), meant).await?;
            println!("they are {} now; it counts once they proved a second factor on their session", role.name());
        }
        Admin::Revoke { email, meant } => {
            set(staff, email, None, meant).await?;
            println!("they are not staff any more");
        }
        Admin::List => {
            let list = staff.list(&OPERATOR).await.map_err(told)?;
            if list.is_empty() {
                println!("nobody is staff");
            }
            for (member, face) in list {
                println!("{:<17} {:<30} since {}", member.role.name(), face.handle.as_str(), member.since);
            }
        }
        Admin::Erase { email, meant } => {
            let why = meant.why("this has their account erased, and ends all their sessions at once")?;
            if let Some(at) = accounts.decide_deletion(&OPERATOR, email, true, &why).await.map_err(told)? {
                println!("the account is erased at {at}; until then `admin keep` and its owner can keep it");
            }
        }
        Admin::Keep { email, meant } => {
            let why = meant.why("this keeps their account")?;
            accounts.decide_deletion(&OPERATOR, email, false, &why).await.map_err(told)?;
            println!("the account is kept");
        }
        Admin::Permissions | Admin::Audit { .. } | Admin::Breach { .. } => {}
    }
    Ok(())
}

async fn set(staff: &StaffService, email: &str, role: Option<StaffRole>, meant: &Meant) -> Result<()> {
    let change =
        role.map_or("this takes them from the staff".to_owned(), |role| format!("this makes them {}", role.name()));
    let why = Why { reason: Reason::Staffing, ..meant.why(&change)? };
    staff.set_role_by_email(&OPERATOR, email, role, &why).await.map_err(told)
}

impl Meant {
    /// Why, if it is meant.
    fn why(&self, change: &str) -> Result<Why> {
        let reference = Reference::new(&self.reason).map_err(told).context("--reason")?;
        if !self.yes {
            bail!("{change}; add --yes if it is to be");
        }
        Ok(Why { reason: Reason::Other, reference: Some(reference) })
    }
}

/// A refusal in words; what else went wrong as it is.
pub(super) fn told(error: Error) -> anyhow::Error {
    if error.is_refusal() { anyhow::anyhow!("{}", error.refused_as().text(Locale::En)) } else { error.into() }
}
