//! Use cases of reactions: giving one, changing it, taking it back. Each is one unit of work with its event.

use super::{Reaction, ReactionKind, ReactionRefusal, Target};
use crate::actor::Actor;
use crate::checks::{acting, keyed};
use crate::comment::{post_of, seen_comment};
use crate::error::Result;
use crate::graph::Edge;
use crate::id::{Id, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::page::{Connection, Limit};
use crate::port::store::{EdgeKey, Lock};
use crate::port::{Ports, ReadView, UnitOfWork};
use crate::post::seen_post;
use crate::proto::event::v1;

/// Reactions. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ReactionService {
    ports: Ports,
}

impl ReactionService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Reacts to a post or a comment that the actor sees, in place of an earlier reaction. The same again changes nothing.
    ///
    /// # Errors
    /// Not found when the target is missing, deleted or hidden; [`ReactionRefusal::Restricted`].
    pub async fn react(
        &self,
        actor: &Actor,
        target: Target,
        kind: ReactionKind,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("reaction.react", key, &(target, kind));
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    let me = acting(&mut *unit, &member, now, ReactionRefusal::Restricted).await?;
                    let author = match target {
                        Target::Post(post) => seen_post(&mut *unit, &me, post).await?.0.author,
                        Target::Comment(comment) => {
                            let post = post_of(&mut *unit, comment).await?;
                            seen_post(&mut *unit, &me, post).await?;
                            seen_comment(&mut *unit, &me, post, comment).await?.author
                        }
                    };
                    let previous = unit.reactions().put(&Reaction { by: me.id, target, kind, at: now }).await?;
                    if previous == Some(kind) {
                        return Ok(());
                    }
                    let event = v1::ReactionSet {
                        by_id: me.id.raw(),
                        target: Some(match target {
                            Target::Post(id) => v1::reaction_set::Target::PostId(id.raw()),
                            Target::Comment(id) => v1::reaction_set::Target::CommentId(id.raw()),
                        }),
                        target_author_id: author.raw(),
                        kind: kind.code().into(),
                        previous: previous.map_or(0, |kind| kind.code().into()),
                        at_micros: now.as_micros(),
                    };
                    unit.journal().append(&[event.into()]).await
                })
            })
            .await
    }

    /// Takes the own reaction back, also from what is hidden by now. Answers whether there was one: for what is missing, as
    /// for what was never reacted to, there was none.
    ///
    /// # Errors
    /// Only those of the store and of the key.
    pub async fn unreact(&self, actor: &Actor, target: Target, key: Option<IdempotencyKey>) -> Result<bool> {
        let me = actor.member()?.profile;
        let keyed = keyed("reaction.unreact", key, &target);
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let Some(previous) = unit.reactions().remove(me, target).await? else { return Ok(false) };
                    let author = author_of(&mut *unit, target).await?;
                    let event = v1::ReactionRemoved {
                        by_id: me.raw(),
                        target: Some(match target {
                            Target::Post(id) => v1::reaction_removed::Target::PostId(id.raw()),
                            Target::Comment(id) => v1::reaction_removed::Target::CommentId(id.raw()),
                        }),
                        target_author_id: author.map_or(0, Id::raw),
                        previous: previous.code().into(),
                    };
                    unit.journal().append(&[event.into()]).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Who reacted to a visible target and how, newest first.
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn reactors(
        &self,
        view: &mut dyn ReadView,
        target: Target,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<(Edge, ReactionKind)>> {
        let cursors = &self.ports.keys.cursors;
        let list = match target {
            Target::Post(id) => format!("reaction/reactors/{id}"),
            Target::Comment(id) => format!("reaction/reactors/{id}"),
        };
        let after = cursors.after(&list, after)?.map(EdgeKey::from_numbers);
        let page = view.reactions().reactors(target, after, limit).await?;
        Ok(page.connect(cursors, &list, |(edge, _)| EdgeKey::of(edge).numbers()))
    }
}

/// Who made the target; nobody when row security hides it by now.
async fn author_of(unit: &mut dyn UnitOfWork, target: Target) -> Result<Option<ProfileId>> {
    Ok(match target {
        Target::Post(id) => unit.posts().post(id, Lock::None).await?.map(|post| post.author),
        Target::Comment(id) => unit.comments().comment(id, Lock::None).await?.map(|comment| comment.author),
    })
}
