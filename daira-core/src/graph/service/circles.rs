//! Named circles: rounds of people that their owner draws. Only the owner knows of them; to everybody else a circle does not
//! exist.

use super::{GraphService, reach_other};
use crate::actor::{Actor, Member};
use crate::checks::{Writing, acting, keyed};
use crate::error::{Error, Result};
use crate::graph::{Circle, GraphRefusal};
use crate::id::{CircleId, Id, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::Lock;
use crate::proto::event::v1;
use crate::text::Bounds;

/// The most circles of one profile.
pub const MAX_CIRCLES: i64 = 100;
/// The longest name of a circle, in characters as people count them.
pub const MAX_CIRCLE_NAME: usize = 50;

const NAME: Writing<GraphRefusal> = Writing {
    field: "name",
    bounds: Bounds::line(1, MAX_CIRCLE_NAME),
    empty: GraphRefusal::CircleNameInvalid,
    too_long: GraphRefusal::CircleNameInvalid,
    forbidden: GraphRefusal::ForbiddenCharacter,
};

impl GraphService {
    /// Draws a circle. Two may have the same name.
    ///
    /// # Errors
    /// [`GraphRefusal::CircleNameInvalid`], [`GraphRefusal::ForbiddenCharacter`], [`GraphRefusal::TooManyCircles`],
    /// [`GraphRefusal::Restricted`].
    pub async fn create_circle(&self, actor: &Actor, name: &str, key: Option<IdempotencyKey>) -> Result<CircleId> {
        let member = *actor.member()?;
        let keyed = keyed("graph.create_circle", key, &name);
        let name = &NAME.check(name)?;
        let ports = &self.ports;
        ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let me = acting(&mut *unit, &member, now, GraphRefusal::Restricted).await?;
                    // Circles of one owner are made one after the other, so that the count holds.
                    unit.accounts().profile(me.id, Lock::Update).await?.ok_or_else(Error::not_found)?;
                    if unit.graph().count_circles(me.id).await? >= MAX_CIRCLES {
                        return Err(GraphRefusal::TooManyCircles.into());
                    }
                    let id = ports.ids.draw(now, me.id.shard());
                    let circle = Circle { id, owner: me.id, name: name.clone(), created_at: now, version: 1 };
                    unit.graph().insert_circle(&circle).await?;
                    Ok(id)
                })
            })
            .await
    }

    /// Gives a circle another name.
    ///
    /// # Errors
    /// [`GraphRefusal::CircleNameInvalid`], [`GraphRefusal::ForbiddenCharacter`], [`GraphRefusal::Restricted`], and not found
    /// for a circle of somebody else.
    pub async fn rename_circle(
        &self,
        actor: &Actor,
        circle: CircleId,
        name: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("graph.rename_circle", key, &(circle, name));
        let name = &NAME.check(name)?;
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    acting(&mut *unit, &member, clock.now(), GraphRefusal::Restricted).await?;
                    let circle = own_circle(&mut *unit, &member, circle, Lock::Update).await?;
                    if circle.name == *name {
                        return Ok(());
                    }
                    let version = circle.version + 1;
                    unit.graph().update_circle(&Circle { name: name.clone(), version, ..circle }).await
                })
            })
            .await
    }

    /// Removes a circle; posts made for it are seen by their author alone from then on.
    ///
    /// # Errors
    /// Not found for a circle that is gone or somebody else's.
    pub async fn delete_circle(&self, actor: &Actor, circle: CircleId, key: Option<IdempotencyKey>) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("graph.delete_circle", key, &circle);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let circle = own_circle(&mut *unit, &member, circle, Lock::Update).await?;
                    unit.graph().delete_circle(circle.id).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Takes somebody into a circle. Answers whether they are new in it.
    ///
    /// # Errors
    /// [`GraphRefusal::Yourself`], [`GraphRefusal::Restricted`], and not found for a circle of somebody else and for people
    /// who are hidden or block the actor.
    pub async fn add_circle_member(
        &self,
        actor: &Actor,
        circle: CircleId,
        person: ProfileId,
        key: Option<IdempotencyKey>,
    ) -> Result<bool> {
        let member = *actor.member()?;
        let keyed = keyed("graph.add_circle_member", key, &(circle, person));
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    let me = acting(&mut *unit, &member, now, GraphRefusal::Restricted).await?;
                    let circle = own_circle(&mut *unit, &member, circle, Lock::Share).await?;
                    let (person, _) = reach_other(&mut *unit, &me, person).await?;
                    unit.graph().insert_circle_member(circle.id, person.id, now).await
                })
            })
            .await
    }

    /// Takes somebody out of a circle: from then on they see none of the posts made for it. Answers whether they were in.
    ///
    /// # Errors
    /// Not found for a circle of somebody else.
    pub async fn remove_circle_member(
        &self,
        actor: &Actor,
        circle: CircleId,
        person: ProfileId,
        key: Option<IdempotencyKey>,
    ) -> Result<bool> {
        let member = *actor.member()?;
        let keyed = keyed("graph.remove_circle_member", key, &(circle, person));
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let circle = own_circle(&mut *unit, &member, circle, Lock::Share).await?;
                    let removed = unit.graph().delete_circle_member(circle.id, person).await?;
                    if removed {
                        let event = v1::CircleMemberRemoved {
                            circle_id: circle.id.raw(),
                            owner_id: circle.owner.raw(),
                            member_id: person.raw(),
                        };
                        unit.journal().append(&[event.into()]).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }
}

/// One of the member's own circles.
async fn own_circle(unit: &mut dyn UnitOfWork, member: &Member, id: CircleId, lock: Lock) -> Result<Circle> {
    let circle = unit.graph().circle(id, lock).await?;
    circle.filter(|circle| circle.owner == member.profile).ok_or_else(Error::not_found)
}
