//! A reaction and what it is given to.

use crate::id::{CommentId, Id, PostId, ProfileId};
use crate::time::Timestamp;

/// The five reactions. The number is stored; append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum ReactionKind {
    /// A like.
    Like,
    /// Love.
    Love,
    /// Laughter.
    Laugh,
    /// Sadness.
    Sad,
    /// Anger.
    Angry,
}

impl ReactionKind {
    /// The number as stored.
    pub const fn code(self) -> i16 {
        match self {
            Self::Like => 1,
            Self::Love => 2,
            Self::Laugh => 3,
            Self::Sad => 4,
            Self::Angry => 5,
        }
    }

    /// Reads a stored number.
    pub const fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Like),
            2 => Some(Self::Love),
            3 => Some(Self::Laugh),
            4 => Some(Self::Sad),
            5 => Some(Self::Angry),
            _ => None,
        }
    }
}

/// What a reaction is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Target {
    /// A post.
    Post(PostId),
    /// A comment.
    Comment(CommentId),
}

impl Target {
    /// The raw id of the target.
    pub fn raw(self) -> i64 {
        match self {
            Self::Post(id) => id.raw(),
            Self::Comment(id) => id.raw(),
        }
    }
}

/// One person's reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reaction {
    /// Who reacts.
    pub by: ProfileId,
    /// To what.
    pub target: Target,
    /// How.
    pub kind: ReactionKind,
    /// When.
    pub at: Timestamp,
}
