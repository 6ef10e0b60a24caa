//! A notification and the group it is shown in.

use crate::id::{CommentId, PostId, ProfileId};
use crate::time::Timestamp;

/// What happened. The number is stored; append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NotificationKind {
    /// Somebody follows you.
    Followed,
    /// Somebody asks to follow you.
    FollowRequested,
    /// Your request was approved.
    FollowApproved,
    /// Somebody reacted to your post or comment.
    Reacted,
    /// Somebody commented on your post.
    Commented,
    /// Somebody answered your comment.
    Replied,
    /// Somebody mentioned you in a post.
    Mentioned,
}

impl NotificationKind {
    /// The number as stored.
    pub const fn code(self) -> i16 {
        match self {
            Self::Followed => 1,
            Self::FollowRequested => 2,
            Self::FollowApproved => 3,
            Self::Reacted => 4,
            Self::Commented => 5,
            Self::Replied => 6,
            Self::Mentioned => 7,
        }
    }

    /// Reads a stored number.
    pub const fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Followed),
            2 => Some(Self::FollowRequested),
            3 => Some(Self::FollowApproved),
            4 => Some(Self::Reacted),
            5 => Some(Self::Commented),
            6 => Some(Self::Replied),
            7 => Some(Self::Mentioned),
            _ => None,
        }
    }
}

/// One thing that happened to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Notification {
    /// Who is told.
    pub recipient: ProfileId,
    /// What happened.
    pub kind: NotificationKind,
    /// Who did it.
    pub actor: ProfileId,
    /// The post it is about.
    pub post: Option<PostId>,
    /// The comment it is about.
    pub comment: Option<CommentId>,
    /// The id of the event it comes from: with the recipient its natural key.
    pub event: i64,
    /// When it happened.
    pub at: Timestamp,
}

/// Notifications of one kind about one thing, shown as one line: "Mona and 12 others like your post".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationGroup {
    /// What happened.
    pub kind: NotificationKind,
    /// The post it is about.
    pub post: Option<PostId>,
    /// The comment it is about.
    pub comment: Option<CommentId>,
    /// The latest three who did it, newest first.
    pub actors: Vec<ProfileId>,
    /// How many different people did it.
    pub count: i64,
    /// When it last happened.
    pub latest_at: Timestamp,
    /// The event of the latest, which orders groups of one instant.
    pub latest_event: i64,
    /// Whether any of it lies after the read marker.
    pub unread: bool,
}

/// Where a list of groups stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupPosition {
    /// Nothing later than this is in the list.
    pub as_of: Timestamp,
    /// The last group shown: its latest instant and event.
    pub after: Option<(Timestamp, i64)>,
}
