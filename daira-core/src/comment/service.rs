//! Use cases of comments: answering a post or a comment, editing, deleting. Each is one unit of work with its event.
//!
//! The post is locked first, then the pair of writer and author, then the comment: whoever is blocked, loses a circle, or
//! answers what is being deleted, comes either before or after, never between. Reading has a file of its own.

mod read;

pub use read::MAX_TOP;

use super::reach::{post_of, seen_comment};
use super::{Comment, CommentRefusal, MAX_TEXT, policy};
use crate::actor::Actor;
use crate::checks::{Writing, acting, based_on, keyed};
use crate::error::{Error, Result};
use crate::id::{CommentId, Id, PostId};
use crate::idempotency::IdempotencyKey;
use crate::port::Ports;
use crate::port::store::Lock;
use crate::post::seen_post;
use crate::proto::event::v1;
use crate::staff::Target;
use crate::text::Bounds;
use crate::trust::Velocity;

const TEXT: Writing<CommentRefusal> = Writing {
    field: "text",
    bounds: Bounds::paragraphs(1, MAX_TEXT),
    empty: CommentRefusal::Empty,
    too_long: CommentRefusal::TooLong,
    forbidden: CommentRefusal::ForbiddenCharacter,
};

/// Comments. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct CommentService {
    ports: Ports,
}

impl CommentService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Answers a post, or a comment under it.
    ///
    /// # Errors
    /// [`CommentRefusal`], and not found when post or comment are missing, deleted or hidden.
    pub async fn create(
        &self,
        actor: &Actor,
        post: PostId,
        parent: Option<CommentId>,
        text: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<CommentId> {
        let member = *actor.member()?;
        let keyed = keyed("comment.create", key, &(post, parent, text));
        let text = &TEXT.check(text)?;
        let (ports, count) = (&self.ports, &Velocity::Comment.once());
        ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let me = acting(&mut *unit, &member, now, CommentRefusal::Restricted).await?;
                    let (post, audience) = seen_post(&mut *unit, &me, post).await?;
                    policy::may_answer(&post, &audience)?;
                    let parent = match parent {
                        Some(parent) => Some(seen_comment(&mut *unit, &me, post.id, parent).await?),
                        None => None,
                    };
                    let depth = policy::depth_under(parent.as_ref())?;
                    count.charge(ports, &mut *unit, &member, now).await?;
                    let comment = Comment {
                        id: ports.ids.draw(now, me.id.shard()),
                        post: post.id,
                        parent: parent.as_ref().map(|parent| parent.id),
                        depth,
                        author: me.id,
                        text: text.clone(),
                        edited_at: None,
                        deleted_at: None,
                        version: 1,
                    };
                    unit.comments().insert(&comment).await?;
                    let event = v1::CommentCreated {
                        comment_id: comment.id.raw(),
                        post_id: post.id.raw(),
                        parent_id: parent.as_ref().map_or(0, |parent| parent.id.raw()),
                        author_id: me.id.raw(),
                        post_author_id: post.author.raw(),
                        parent_author_id: parent.as_ref().map_or(0, |parent| parent.author.raw()),
                    };
                    unit.journal().append(&[event.into()]).await?;
                    Ok(comment.id)
                })
            })
            .await
    }

    /// Changes the own comment, while its writer still sees the post. An edit that changes nothing leaves no trace.
    ///
    /// # Errors
    /// [`CommentRefusal`], [`CommonRefusal::Stale`](crate::error::CommonRefusal) when it is based on another version, and not found
    /// for a comment that is deleted or somebody else's, or under a post that is gone or
    /// hidden.
    pub async fn edit(
        &self,
        actor: &Actor,
        comment: CommentId,
        text: &str,
        version: Option<i32>,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        let member = *actor.member()?;
        let keyed = keyed("comment.edit", key, &(comment, text, version));
        let text = &TEXT.check(text)?;
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    let me = acting(&mut *unit, &member, now, CommentRefusal::Restricted).await?;
                    let post = post_of(&mut *unit, comment).await?;
                    seen_post(&mut *unit, &me, post).await?;
                    let found = unit.comments().comment(comment, Lock::Update).await?;
                    let before = found
                        .filter(|found| found.author == me.id && found.deleted_at.is_none())
                        .ok_or_else(Error::not_found)?;
                    based_on(version, before.version)?;
                    if before.text == *text {
                        return Ok(());
                    }
                    let version = before.version + 1;
                    let after = Comment { text: text.clone(), edited_at: Some(now), version, ..before };
                    unit.comments().update(&after).await
                })
            })
            .await
    }

    /// Deletes a comment: its writer may, wherever it stands, and so may the author of the post. What answers it stays.
    /// Deleting it again changes nothing.
    ///
    /// # Errors
    /// Not found for everybody else's, whether there is one or not.
    pub async fn delete(&self, actor: &Actor, comment: CommentId, key: Option<IdempotencyKey>) -> Result<()> {
        let me = actor.member()?.profile;
        let keyed = keyed("comment.delete", key, &comment);
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let post = post_of(&mut *unit, comment).await?;
                    // Who wrote a post never changes, so it needs no lock; a post that is hidden by now is not theirs.
                    let post = unit.posts().post(post, Lock::None).await?;
                    let found = unit.comments().comment(comment, Lock::Update).await?.ok_or_else(Error::not_found)?;
                    if !policy::may_delete(me, &found, post.map_or(found.author, |post| post.author)) {
                        return Err(Error::not_found());
                    }
                    if found.deleted_at.is_some() {
                        return Ok(());
                    }
                    let version = found.version + 1;
                    let deleted = Comment { deleted_at: Some(clock.now()), version, ..found };
                    unit.comments().update(&deleted).await?;
                    // Only its writer reaches what staff took down.
                    let uncounted = unit.staff().takedown(Target::Comment(comment)).await?.is_some();
                    let event = v1::CommentDeleted {
                        comment_id: deleted.id.raw(),
                        post_id: deleted.post.raw(),
                        parent_id: deleted.parent.map_or(0, Id::raw),
                        author_id: deleted.author.raw(),
                        uncounted,
                    };
                    unit.journal().append(&[event.into()]).await
                })
            })
            .await
    }
}
