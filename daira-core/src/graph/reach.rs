//! Reaching another person inside a unit of work: the pair is locked first and looked at afterwards, so that no block made
//! meanwhile is missed.

use super::{Relation, policy};
use crate::account::Profile;
use crate::error::Result;
use crate::id::ProfileId;
use crate::port::UnitOfWork;
use crate::port::store::Lock;

/// The profile behind an id and how `me` stands to it, if `me` sees it; until the unit ends nobody blocks between the two.
/// The profile's own row is not locked: a famous person's would be touched by everybody.
pub(crate) async fn reach(
    unit: &mut dyn UnitOfWork,
    me: &Profile,
    other: ProfileId,
) -> Result<Option<(Profile, Relation)>> {
    if other == me.id {
        return Ok(Some((me.clone(), Relation::default())));
    }
    let Some(other) = unit.accounts().profile(other, Lock::None).await? else { return Ok(None) };
    unit.graph().lock_pair(me, &other, false).await?;
    let relation = unit.graph().relation(me, &other).await?;
    let own = policy::same_person(me, &other);
    Ok(policy::sees(own, other.standing, &relation).then_some((other, relation)))
}
