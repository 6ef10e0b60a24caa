//! Edges between people: follows, requests, blocks, mutes and circles.

use async_trait::async_trait;

use super::Lock;
use crate::account::Profile;
use crate::error::Result;
use crate::graph::{Block, Circle, Edge, Follow, Mute, Relation};
use crate::id::{CircleId, Id, ProfileId};
use crate::page::{Limit, Page};
use crate::time::Timestamp;

/// Where a list of edges goes on: newest first, ties by profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeKey {
    /// When the edge was made.
    pub at: Timestamp,
    /// The profile at its far end.
    pub profile: ProfileId,
}

impl EdgeKey {
    /// The key of an edge in a list.
    pub fn of(edge: &Edge) -> Self {
        Self { at: edge.at, profile: edge.profile }
    }

    /// As numbers, for a cursor.
    pub fn numbers(self) -> [i64; 2] {
        [self.at.as_micros(), self.profile.raw()]
    }

    /// From the numbers of a cursor.
    pub fn from_numbers([at, profile]: [i64; 2]) -> Self {
        Self { at: Timestamp::from_micros(at), profile: ProfileId::from_raw(profile) }
    }
}

/// Changes edges.
#[async_trait]
pub trait GraphRepository: Send {
    /// Serialises what happens between two people. Every rule that rests on the absence of a block takes the pair
    /// shared; blocking takes it exclusively. Taken in one fixed order, so that no two units wait for each other; it
    /// locks no row, so a famous person's row never gets hot. The lock is per pair of a profile and the other's account.
    async fn lock_pair(&mut self, one: &Profile, other: &Profile, exclusive: bool) -> Result<()>;
    /// How two profiles stand to each other, seen from the first. Blocks count by the blocked person's account.
    async fn relation(&mut self, from: &Profile, to: &Profile) -> Result<Relation>;

    /// Adds a follow; `false` when it existed. The followed may add it too, of who asked to, or when their profile is open.
    async fn insert_follow(&mut self, follow: &Follow) -> Result<bool>;
    /// Removes a follow; `false` when there was none.
    async fn delete_follow(&mut self, follower: ProfileId, followee: ProfileId) -> Result<bool>;
    /// Adds a request to follow; `false` when it existed.
    async fn insert_request(&mut self, request: &Follow) -> Result<bool>;
    /// Removes a request; `false` when there was none.
    async fn delete_request(&mut self, follower: ProfileId, followee: ProfileId) -> Result<bool>;
    /// Takes all requests to a profile away and answers who asked, at most `limit`: a profile that opens up accepts them.
    async fn take_requests(&mut self, followee: ProfileId, limit: u32) -> Result<Vec<ProfileId>>;
    /// Adds a block; `false` when it existed.
    async fn insert_block(&mut self, block: &Block) -> Result<bool>;
    /// Removes a block; `false` when there was none.
    async fn delete_block(&mut self, blocker: ProfileId, blocked: ProfileId) -> Result<bool>;
    /// Sets what is muted; a mute of nothing is removed.
    async fn put_mute(&mut self, mute: &Mute) -> Result<()>;

    /// Adds a circle.
    async fn insert_circle(&mut self, circle: &Circle) -> Result<()>;
    /// Loads a circle.
    async fn circle(&mut self, id: CircleId, lock: Lock) -> Result<Option<Circle>>;
    /// How many circles a profile owns.
    async fn count_circles(&mut self, owner: ProfileId) -> Result<i64>;
    /// Stores a changed circle whose version is one above the stored one; else `Stale`.
    async fn update_circle(&mut self, circle: &Circle) -> Result<()>;
    /// Removes a circle and its memberships; posts made for it are seen by their author alone from then on.
    async fn delete_circle(&mut self, id: CircleId) -> Result<bool>;
    /// Adds a member; `false` when already in.
    async fn insert_circle_member(&mut self, circle: CircleId, member: ProfileId, at: Timestamp) -> Result<bool>;
    /// Removes a member; `false` when not in.
    async fn delete_circle_member(&mut self, circle: CircleId, member: ProfileId) -> Result<bool>;
    /// Removes a member from all circles of an owner.
    async fn leave_circles(&mut self, owner: ProfileId, member: ProfileId) -> Result<u64>;
}

/// Looks at edges. Every list leaves out profiles that the actor may not see.
#[async_trait]
pub trait GraphReads: Send {
    /// How the actor stands to these profiles. Who blocks the actor is left out or told as such
    /// ([`blocked_by`](Relation::blocked_by), which no client is shown); whom the actor blocks is here.
    async fn relations(&mut self, to: &[ProfileId]) -> Result<Vec<(ProfileId, Relation)>>;
    /// Those of these profiles that let the actor see whether they are active, in any order: they follow the actor, are
    /// visible, and show it.
    async fn showing_activity(&mut self, of: &[ProfileId]) -> Result<Vec<ProfileId>>;
    /// Who follows a profile. A private profile's lists are for itself and its followers.
    async fn followers(&mut self, of: ProfileId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>>;
    /// Whom a profile follows.
    async fn following(&mut self, of: ProfileId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>>;
    /// Who asks to follow the actor.
    async fn requests(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>>;
    /// Whom the actor blocks. Blocked profiles are shown here, and only here.
    async fn blocks(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<(Edge, Profile)>>;
    /// Whom the actor mutes.
    async fn mutes(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>>;
    /// The actor's circles, by name.
    async fn circles(&mut self) -> Result<Vec<Circle>>;
    /// Members of one of the actor's circles.
    async fn circle_members(&mut self, circle: CircleId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>>;
}
