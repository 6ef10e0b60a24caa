//! Reaching a comment inside a unit of work, so that what was decided on it holds until the unit ends.

use super::{Comment, policy};
use crate::account::Profile;
use crate::error::{Error, Result};
use crate::graph::reach;
use crate::id::{CommentId, PostId};
use crate::port::UnitOfWork;
use crate::port::store::Lock;

/// The post that a comment stands under; it never moves to another.
///
/// # Errors
/// Not found for a comment that is missing or hidden.
pub(crate) async fn post_of(unit: &mut dyn UnitOfWork, id: CommentId) -> Result<PostId> {
    Ok(unit.comments().comment(id, Lock::None).await?.ok_or_else(Error::not_found)?.post)
}

/// A comment that `me` sees under a post that `me` sees: until the unit ends it is not deleted and nobody blocks between
/// `me` and who wrote it.
///
/// # Errors
/// Not found for a comment that is missing, deleted, hidden, or under another post.
pub(crate) async fn seen_comment(
    unit: &mut dyn UnitOfWork,
    me: &Profile,
    post: PostId,
    id: CommentId,
) -> Result<Comment> {
    let comment = unit.comments().comment(id, Lock::Share).await?;
    let comment = comment.filter(|comment| comment.post == post).ok_or_else(Error::not_found)?;
    let (author, relation) = reach(unit, me, comment.author).await?.ok_or_else(Error::not_found)?;
    if policy::sees(&comment, author.id == me.id, author.standing, &relation) {
        Ok(comment)
    } else {
        Err(Error::not_found())
    }
}
