//! A comment and the form in which a reader gets it.

use crate::account::Profile;
use crate::id::{CommentId, Id, PostId, ProfileId};
use crate::reaction::ReactionKind;
use crate::time::Timestamp;

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// The post it stands under.
    pub post: PostId,
    /// The comment it answers, if it does not answer the post itself.
    pub parent: Option<CommentId>,
    /// 1 for an answer to the post, one more for each level below.
    pub depth: u8,
    /// Who wrote it.
    pub author: ProfileId,
    /// What it says, at most 1,000 characters.
    pub text: String,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// For optimistic locking; the first is 1.
    pub version: i32,
}

impl Comment {
    /// When it was written.
    pub fn created_at(&self) -> Timestamp {
        self.id.at()
    }
}

/// Counters of a comment, kept by a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CommentCounters {
    /// Reactions of all kinds.
    pub reactions: i64,
    /// Living direct answers.
    pub replies: i64,
}

/// A comment as a reader gets it. A deleted one is a tombstone: no text and no author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentCard {
    /// The comment; the text is empty when it is deleted.
    pub comment: Comment,
    /// Its author; nobody when it is deleted.
    pub author: Option<Profile>,
    /// Its counters.
    pub counters: CommentCounters,
    /// The reader's own reaction.
    pub viewer_reaction: Option<ReactionKind>,
}
