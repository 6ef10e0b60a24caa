//! Use cases of the graph: following, asking and approving, shutting out, muting. Each is one unit of work, can be repeated
//! without harm, and answers the same for people who are hidden and for people who do not exist.
//!
//! What rests on the absence of a block takes the pair's lock shared and looks afterwards; blocking takes it exclusively.
//! Circles and lists have files of their own.

mod circles;
mod lists;

pub use circles::{MAX_CIRCLE_NAME, MAX_CIRCLES};

use super::reach::reach;
use super::{Block, Follow, GraphRefusal, Mute, Relation, policy};
use crate::account::Profile;
use crate::actor::Actor;
use crate::checks::{acting, keyed, own_profile};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::{Id, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::port::store::Lock;
use crate::port::{Ports, Remembered, UnitOfWork};
use crate::proto::event::v1;
use crate::trust::Velocity;

/// What following somebody came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FollowOutcome {
    /// They are followed now.
    Following,
    /// They were asked, because they approve their followers.
    Requested,
    /// They were followed before.
    AlreadyFollowing,
    /// They had been asked before.
    AlreadyRequested,
}

impl Remembered for FollowOutcome {
    fn to_bytes(&self) -> Vec<u8> {
        vec![match self {
            Self::Following => 1,
            Self::Requested => 2,
            Self::AlreadyFollowing => 3,
            Self::AlreadyRequested => 4,
        }]
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1] => Some(Self::Following),
            [2] => Some(Self::Requested),
            [3] => Some(Self::AlreadyFollowing),
            [4] => Some(Self::AlreadyRequested),
            _ => None,
        }
    }
}

/// What to mute of somebody; nothing at all lifts the mute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct MuteWhat {
    /// Keep their posts out of feeds.
    pub posts: bool,
    /// Keep their stories out of the rail.
    pub stories: bool,
    /// Make no notifications of what they do.
    pub notifications: bool,
}

/// Edges between people. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct GraphService {
    ports: Ports,
}

impl GraphService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Follows somebody, or asks to when they approve their followers.
    ///
    /// # Errors
    /// [`GraphRefusal::Yourself`], [`GraphRefusal::Restricted`], and not found for who is hidden or blocks;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many, the fewer the less the account is trusted.
    pub async fn follow(&self, actor: &Actor, target: ProfileId, key: Option<IdempotencyKey>) -> Result<FollowOutcome> {
        let member = *actor.member()?;
        let keyed = keyed("graph.follow", key, &target);
        let (clock, count) = (&self.ports.clock, &Velocity::Follow.once());
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    let me = acting(&mut *unit, &member, now, GraphRefusal::Restricted).await?;
                    let (target, relation) = reach_other(&mut *unit, &me, target).await?;
                    let follow = Follow { follower: me.id, followee: target.id, at: now };
                    let outcome = policy::follow(asks_first(&mut *unit, &target).await?, &relation);
                    if matches!(outcome, FollowOutcome::Following | FollowOutcome::Requested) {
                        count.charge(&self.ports, &mut *unit, &member, now).await?;
                    }
                    match outcome {
                        FollowOutcome::Following => {
                            if !unit.graph().insert_follow(&follow).await? {
                                return Ok(FollowOutcome::AlreadyFollowing);
                            }
                            if relation.requested {
                                unit.graph().delete_request(me.id, target.id).await?;
                            }
                            unit.journal().append(&[followed(&follow, false)]).await?;
                        }
                        FollowOutcome::Requested => {
                            if !unit.graph().insert_request(&follow).await? {
                                return Ok(FollowOutcome::AlreadyRequested);
                            }
                            let event = v1::FollowRequested {
                                follower_id: me.id.raw(),
                                followee_id: target.id.raw(),
                                at_micros: now.as_micros(),
                            };
                            unit.journal().append(&[event.into()]).await?;
                        }
                        FollowOutcome::AlreadyFollowing | FollowOutcome::AlreadyRequested => {}
                    }
                    Ok(outcome)
                })
            })
            .await
    }

    /// Lets somebody follow who asked to. Answers whether this made them a follower; `false` when they were one already.
    ///
    /// # Errors
    /// Not found when they do not ask (any more), are hidden or block; [`GraphRefusal::Restricted`].
    pub async fn approve_request(
        &self,
        actor: &Actor,
        requester: ProfileId,
        key: Option<IdempotencyKey>,
    ) -> Result<bool> {
        let member = *actor.member()?;
        let keyed = keyed("graph.approve_request", key, &requester);
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    let me = acting(&mut *unit, &member, now, GraphRefusal::Restricted).await?;
                    let (requester, relation) = reach_other(&mut *unit, &me, requester).await?;
                    if !relation.requested_by {
                        return if relation.followed_by { Ok(false) } else { Err(Error::not_found()) };
                    }
                    // The follow first: row security lets it in only while the request stands. The request's removal then
                    // tells whether it was withdrawn meanwhile, and the unit rolls back.
                    let follow = Follow { follower: requester.id, followee: me.id, at: now };
                    let is_new = unit.graph().insert_follow(&follow).await?;
                    let had_asked = unit.graph().delete_request(requester.id, me.id).await?;
                    if is_new && !had_asked {
                        return Err(Error::not_found());
                    }
                    if is_new {
                        unit.journal().append(&[followed(&follow, true)]).await?;
                    }
                    Ok(is_new)
                })
            })
            .await
    }

    /// Turns somebody's request down; they are not told. Answers whether there was one.
    ///
    /// # Errors
    /// Only those of the store and of the key.
    pub async fn refuse_request(
        &self,
        actor: &Actor,
        requester: ProfileId,
        key: Option<IdempotencyKey>,
    ) -> Result<bool> {
        let me = actor.member()?.profile;
        let keyed = keyed("graph.refuse_request", key, &requester);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move { unit.graph().delete_request(requester, me).await })
            })
            .await
    }

    /// Withdraws the own request. Answers whether there was one.
    ///
    /// # Errors
    /// Only those of the store and of the key.
    pub async fn cancel_request(&self, actor: &Actor, target: ProfileId, key: Option<IdempotencyKey>) -> Result<bool> {
        let me = actor.member()?.profile;
        let keyed = keyed("graph.cancel_request", key, &target);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move { unit.graph().delete_request(me, target).await })
            })
            .await
    }

    /// Ends the own follow. Answers whether there was one.
    ///
    /// # Errors
    /// Only those of the store and of the key.
    pub async fn unfollow(&self, actor: &Actor, target: ProfileId, key: Option<IdempotencyKey>) -> Result<bool> {
        let me = actor.member()?.profile;
        let keyed = keyed("graph.unfollow", key, &target);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move { end_follow(&mut *unit, me, target).await })
            })
            .await
    }

    /// Takes a follower away, who is not told, and takes them out of the actor's circles as well: whoever may not even
    /// follow is not meant to be in a closer round. Answers whether they followed; somebody who did not stays in circles.
    ///
    /// # Errors
    /// Only those of the store and of the key.
    pub async fn remove_follower(
        &self,
        actor: &Actor,
        follower: ProfileId,
        key: Option<IdempotencyKey>,
    ) -> Result<bool> {
        let me = actor.member()?.profile;
        let keyed = keyed("graph.remove_follower", key, &follower);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let removed = end_follow(&mut *unit, follower, me).await?;
                    if removed {
                        unit.graph().leave_circles(me, follower).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }

    /// Shuts somebody out: every face of theirs loses sight of the actor's profile, this one vanishes from the actor's view.
    /// Follows and requests between the two faces end both ways and the blocked face leaves the actor's circles. Follows
    /// by their other faces stay as rows that no longer count for anything, so that no number tells which faces belong
    /// together. Answers whether the block is new.
    ///
    /// # Errors
    /// [`GraphRefusal::Yourself`], and not found for who is hidden or blocks the actor.
    pub async fn block(&self, actor: &Actor, target: ProfileId, key: Option<IdempotencyKey>) -> Result<bool> {
        let member = *actor.member()?;
        let keyed = keyed("graph.block", key, &target);
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let me = own_profile(&mut *unit, &member).await?;
                    let target = unit.accounts().profile(target, Lock::None).await?.ok_or_else(Error::not_found)?;
                    if policy::same_person(&me, &target) {
                        return Err(GraphRefusal::Yourself.into());
                    }
                    unit.graph().lock_pair(&me, &target, true).await?;
                    let relation = unit.graph().relation(&me, &target).await?;
                    if relation.blocks {
                        return Ok(false);
                    }
                    if !policy::sees(false, target.standing, &relation) {
                        return Err(Error::not_found());
                    }
                    let block =
                        Block { blocker: me.id, blocked: target.id, blocked_account: target.account, at: clock.now() };
                    if !unit.graph().insert_block(&block).await? {
                        return Ok(false);
                    }
                    for (follower, followee) in [(me.id, target.id), (target.id, me.id)] {
                        end_follow(&mut *unit, follower, followee).await?;
                        unit.graph().delete_request(follower, followee).await?;
                    }
                    unit.graph().leave_circles(me.id, target.id).await?;
                    let event = v1::Blocked { blocker_id: me.id.raw(), blocked_id: target.id.raw() };
                    unit.journal().append(&[event.into()]).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Lifts a block; what it ended does not come back. Answers whether there was one.
    ///
    /// # Errors
    /// Only those of the store and of the key.
    pub async fn unblock(&self, actor: &Actor, target: ProfileId, key: Option<IdempotencyKey>) -> Result<bool> {
        let me = actor.member()?.profile;
        let keyed = keyed("graph.unblock", key, &target);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let removed = unit.graph().delete_block(me, target).await?;
                    if removed {
                        let event = v1::Unblocked { blocker_id: me.raw(), blocked_id: target.raw() };
                        unit.journal().append(&[event.into()]).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }

    /// Sets what is muted of somebody, who never learns of it. Nothing lifts the mute, also of who is hidden by now.
    ///
    /// # Errors
    /// [`GraphRefusal::Yourself`], and not found for who is hidden or blocks the actor.
    pub async fn mute(
        &self,
        actor: &Actor,
        target: ProfileId,
        what: MuteWhat,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("graph.mute", key, &(target, what));
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    if what != MuteWhat::default() {
                        let me = own_profile(&mut *unit, &member).await?;
                        reach_other(&mut *unit, &me, target).await?;
                    }
                    let MuteWhat { posts, stories, notifications } = what;
                    let (muter, at) = (member.profile, clock.now());
                    unit.graph().put_mute(&Mute { muter, muted: target, posts, stories, notifications, at }).await
                })
            })
            .await
    }
}

/// Somebody else who is within reach, and how `me` stands to them.
async fn reach_other(unit: &mut dyn UnitOfWork, me: &Profile, other: ProfileId) -> Result<(Profile, Relation)> {
    let (other, relation) = reach(unit, me, other).await?.ok_or_else(Error::not_found)?;
    if policy::same_person(me, &other) { Err(GraphRefusal::Yourself.into()) } else { Ok((other, relation)) }
}

/// Whether a profile approves its followers. One that seems to is locked and looked at again: opening up accepts the
/// requests that stand, and none may slip in behind it. One that is open can be followed as if just before it closed.
async fn asks_first(unit: &mut dyn UnitOfWork, target: &Profile) -> Result<bool> {
    if !target.private {
        return Ok(false);
    }
    let locked = unit.accounts().profile(target.id, Lock::Share).await?;
    Ok(locked.ok_or_else(Error::not_found)?.private)
}

/// Removes a follow and says so in the log.
async fn end_follow(unit: &mut dyn UnitOfWork, follower: ProfileId, followee: ProfileId) -> Result<bool> {
    let removed = unit.graph().delete_follow(follower, followee).await?;
    if removed {
        let event = v1::Unfollowed { follower_id: follower.raw(), followee_id: followee.raw() };
        unit.journal().append(&[event.into()]).await?;
    }
    Ok(removed)
}

fn followed(follow: &Follow, approved: bool) -> Event {
    let Follow { follower, followee, at } = *follow;
    v1::Followed { follower_id: follower.raw(), followee_id: followee.raw(), at_micros: at.as_micros(), approved }
        .into()
}
