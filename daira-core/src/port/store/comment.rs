//! Comments: a tree under each post.

use async_trait::async_trait;

use super::Lock;
use crate::comment::{Comment, CommentCard};
use crate::error::Result;
use crate::id::{CommentId, PostId};
use crate::page::{Limit, Page};

/// Changes comments.
#[async_trait]
pub trait CommentRepository: Send {
    /// Inserts a comment.
    async fn insert(&mut self, comment: &Comment) -> Result<()>;
    /// Loads a comment, deleted or not, as far as row security lets the actor see it.
    async fn comment(&mut self, id: CommentId, lock: Lock) -> Result<Option<Comment>>;
    /// Stores a changed comment whose version is one above the stored one; else `Stale`. Open to its author, and to the
    /// author of the post, who may delete it.
    async fn update(&mut self, comment: &Comment) -> Result<()>;
}

/// Looks at comments under posts that the actor may see, without those of people hidden from the actor.
#[async_trait]
pub trait CommentReads: Send {
    /// The visible, living ones among these comments, in any order.
    async fn cards(&mut self, ids: &[CommentId]) -> Result<Vec<CommentCard>>;
    /// The answers to a post (no parent) or to a comment, newest first. A deleted comment is here only while living answers
    /// hang on it, at any depth, as a tombstone without text and author.
    async fn newest(
        &mut self,
        post: PostId,
        parent: Option<CommentId>,
        after: Option<CommentId>,
        limit: Limit,
    ) -> Result<Page<CommentCard>>;
    /// The same answers, those with most reactions first, then the newest, without the ones already shown: because the
    /// order moves while people react, a place in it cannot be a number.
    async fn top(
        &mut self,
        post: PostId,
        parent: Option<CommentId>,
        shown: &[CommentId],
        limit: Limit,
    ) -> Result<Page<CommentCard>>;
}
