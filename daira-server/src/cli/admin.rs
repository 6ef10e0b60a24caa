//! `admin`: who is staff. The first admin is made here and nowhere else: there is no account that comes with the platform.

use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use daira_core::Actor;
use daira_core::account::AccountService;
use daira_core::error::Error;
use daira_core::locale::Locale;
use daira_core::staff::{Reason, Reference, StaffRole, StaffService, Why};
use daira_worker::backends::Backends;
use daira_worker::config::Config;

/// An operator, as the audit trail names them.
const OPERATOR: Actor = Actor::System("cli");

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
    /// Print which role may do what.
    Permissions,
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
    let staff = StaffService::new(backends.ports.clone(), AccountService::new(backends.ports.clone()));
    let outcome = run_on(&staff, what).await;
    backends.close().await?;
    outcome
}

async fn run_on(staff: &StaffService, what: &Admin) -> Result<()> {
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
        Admin::Permissions => {}
    }
    Ok(())
}

async fn set(staff: &StaffService, email: &str, role: Option<StaffRole>, meant: &Meant) -> Result<()> {
    let reference = Reference::new(&meant.reason).map_err(told).context("--reason")?;
    if !meant.yes {
        let change = role.map_or("takes them from the staff".to_owned(), |role| format!("makes them {}", role.name()));
        bail!("this {change}; add --yes if it is to be");
    }
    let why = Why { reason: Reason::Staffing, reference: Some(reference) };
    staff.set_role_by_email(&OPERATOR, email, role, &why).await.map_err(told)
}

/// A refusal in words; what else went wrong as it is.
fn told(error: Error) -> anyhow::Error {
    if error.is_refusal() { anyhow::anyhow!("{}", error.refused_as().text(Locale::En)) } else { error.into() }
}
