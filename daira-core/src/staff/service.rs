//! Use cases of staff. What they do to people, to content and to the staff itself have files of their own; here is what all of
//! them begin with.

mod content;
mod people;
mod ranks;

use std::sync::Arc;

use super::{Permission, StaffRefusal, StaffRole, policy};
use crate::account::{AccountRefusal, AccountService, AccountState, Passkey, SecondFactor};
use crate::actor::{Actor, ActorRefusal};
use crate::error::Result;
use crate::id::AccountId;
use crate::port::store::Lock;
use crate::port::{Ports, UnitOfWork};

pub use people::{LookUp, Measure, PersonFile, PersonName};

/// What staff do. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct StaffService {
    ports: Arc<Ports>,
    accounts: Arc<AccountService>,
}

/// Who acts: an account and its rank, or the platform itself.
type Acting = Option<(AccountId, StaffRole)>;

impl StaffService {
    /// Over these ports. The accounts' service is the one that lets people in, so that who is shut out is out at once.
    pub fn new(ports: Ports, accounts: AccountService) -> Self {
        Self { ports: Arc::new(ports), accounts: Arc::new(accounts) }
    }

    /// Whether the actor may do something now, so that a key is no way around it, nor a busy request a way to learn anything.
    ///
    /// # Errors
    /// [`ActorRefusal::LogInFirst`], [`StaffRefusal::NotAllowed`], [`StaffRefusal::FactorMissing`],
    /// [`AccountRefusal::ProofNeeded`].
    pub async fn admit(&self, actor: &Actor, permission: Permission) -> Result<()> {
        let mut unit = self.ports.store.begin(&named(actor)?).await?;
        allowed(unit.as_mut(), actor, permission).await.map(drop)
    }
}

/// The platform, in the name of whoever asks.
pub(crate) fn named(actor: &Actor) -> Result<Actor> {
    match actor {
        Actor::Member(member) => Ok(Actor::Staff(*member)),
        Actor::System(name) => Ok(Actor::System(name)),
        Actor::Anonymous | Actor::Staff(_) => Err(ActorRefusal::LogInFirst.into()),
    }
}

/// Whether the actor may do something, held until the unit ends.
pub(crate) async fn admitted(unit: &mut dyn UnitOfWork, actor: &Actor, permission: Permission) -> Result<()> {
    allowed(unit, actor, permission).await.map(drop)
}

/// Who acts, when their role has a permission and counts in their session. All that says so is held until the unit ends.
async fn allowed(unit: &mut dyn UnitOfWork, actor: &Actor, permission: Permission) -> Result<Acting> {
    let refuse = || StaffRefusal::NotAllowed;
    if let Actor::System(_) = actor {
        return if permission.is_of(super::Role::Service) { Ok(None) } else { Err(refuse().into()) };
    }
    let member = actor.member()?;
    let role = unit.staff().role(member.account, Lock::Share).await?.ok_or_else(refuse)?;
    let account = unit.accounts().account(member.account, Lock::Share).await?.ok_or_else(refuse)?;
    let session = unit.accounts().session(member.session).await?.ok_or(AccountRefusal::TokenInvalid)?;
    if account.state != AccountState::Active || session.account != account.id {
        return Err(refuse().into());
    }
    let factor: Option<SecondFactor> = unit.factors().second_factor(account.id).await?;
    let passkeys: Vec<Passkey> = unit.factors().passkeys(account.id).await?;
    policy::may_act(factor.as_ref(), &passkeys, &session)?;
    if permission.is_of(role.into()) { Ok(Some((account.id, role))) } else { Err(refuse().into()) }
}

/// Refuses to act on who is out of reach.
async fn within_reach(unit: &mut dyn UnitOfWork, acting: Acting, whom: AccountId) -> Result<()> {
    let rank = unit.staff().role(whom, Lock::Share).await?;
    policy::may_reach(acting, whom, rank)
}
