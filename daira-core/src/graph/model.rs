//! Edges between profiles, and named circles of them.

use crate::id::{AccountId, CircleId, ProfileId};
use crate::time::Timestamp;

/// A follow, or the request for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Follow {
    /// Who follows.
    pub follower: ProfileId,
    /// Who is followed.
    pub followee: ProfileId,
    /// Since when.
    pub at: Timestamp,
}

/// A block: every face of the blocked person is shut out from the blocker's profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block {
    /// Who blocks.
    pub blocker: ProfileId,
    /// The face that the blocker blocked, the only one that vanishes from the blocker's own view.
    pub blocked: ProfileId,
    /// The person behind it.
    pub blocked_account: AccountId,
    /// Since when.
    pub at: Timestamp,
}

/// What is muted of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mute {
    /// Who mutes.
    pub muter: ProfileId,
    /// Who is muted.
    pub muted: ProfileId,
    /// Whether their posts stay out of feeds.
    pub posts: bool,
    /// Whether their stories stay out of the rail.
    pub stories: bool,
    /// Whether what they do makes no notifications.
    pub notifications: bool,
    /// Since when.
    pub at: Timestamp,
}

/// A named circle of people, chosen by its owner; its members do not learn of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Circle {
    /// Its id.
    pub id: CircleId,
    /// Whose it is.
    pub owner: ProfileId,
    /// Its name, 1 to 50 characters.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// For optimistic locking; the first is 1.
    pub version: i32,
}

/// One end of an edge in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The profile at the far end.
    pub profile: ProfileId,
    /// Since when.
    pub at: Timestamp,
}

/// How one profile stands to another.
#[expect(clippy::struct_excessive_bools, reason = "nine independent facts; any grouping would invent a meaning")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Relation {
    /// The first follows the second.
    pub follows: bool,
    /// The second follows the first.
    pub followed_by: bool,
    /// The first asked to follow the second.
    pub requested: bool,
    /// The second asked to follow the first.
    pub requested_by: bool,
    /// The first blocks this face of the second.
    pub blocks: bool,
    /// The second blocks the person behind the first. Never shown to the first.
    pub blocked_by: bool,
    /// The first mutes the second's posts.
    pub mutes_posts: bool,
    /// The first mutes the second's stories.
    pub mutes_stories: bool,
    /// The first mutes the second's notifications.
    pub mutes_notifications: bool,
}

impl Relation {
    /// Whether either side shuts the other out.
    pub fn blocked(&self) -> bool {
        self.blocks || self.blocked_by
    }

    /// Mutual followers are friends.
    pub fn friends(&self) -> bool {
        self.follows && self.followed_by
    }
}
