//! Posts, their history, tags and mentions.

use async_trait::async_trait;

use super::Lock;
use crate::error::Result;
use crate::hashtag::Hashtag;
use crate::id::{PostId, ProfileId};
use crate::page::{Limit, Page};
use crate::post::{Audience, Post, PostCard, Revision};
use crate::text::TagKey;
use crate::time::Timestamp;

/// Changes posts.
#[async_trait]
pub trait PostRepository: Send {
    /// Inserts a post with its media, mentions and tags. A public post makes unknown tags known with the spelling used
    /// here; a post that is not public stands under no tag and makes none known, until an edit makes it public.
    async fn insert(&mut self, post: &Post) -> Result<()>;
    /// Loads a post, deleted or not, as far as row security lets the actor see it.
    async fn post(&mut self, id: PostId, lock: Lock) -> Result<Option<Post>>;
    /// Stores a changed post whose version is one above the stored one, else `Stale`; mentions and tags are replaced. What
    /// it said before goes into its history.
    async fn update(&mut self, post: &Post, before: Option<&Revision>) -> Result<()>;
    /// What decides whether a profile may see a post: its author's state and the edges between the two, the rows
    /// locked so that the answer holds until the unit ends.
    async fn audience(&mut self, post: &Post, viewer: ProfileId) -> Result<Audience>;
    /// Removes posts deleted before an instant for good, with all that hangs on them, at most `limit`; answers which.
    /// For the platform's own actors only.
    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<PostId>>;
}

/// Looks at posts. Only what the actor may see comes back.
#[async_trait]
pub trait PostReads: Send {
    /// The visible ones among these posts with author, counters and the actor's own reaction, in any order.
    async fn cards(&mut self, ids: &[PostId]) -> Result<Vec<PostCard>>;
    /// A profile's posts, newest first, as ids: unlisted ones are here, but in no tag and no search.
    async fn by_author(&mut self, author: ProfileId, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>>;
    /// Public posts under a tag, newest first, as ids.
    async fn by_tag(&mut self, tag: &TagKey, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>>;
    /// A tag, if a public post ever used it.
    async fn tag(&mut self, tag: &TagKey) -> Result<Option<Hashtag>>;
    /// The hundred latest earlier versions of a visible post, newest first, without the present one.
    async fn revisions(&mut self, post: PostId) -> Result<Vec<Revision>>;
    /// The actor's own deleted posts that can still be restored, newest first.
    async fn own_deleted(&mut self, since: Timestamp, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>>;
    /// The actor's own deleted posts, whole.
    async fn own_deleted_posts(&mut self, ids: &[PostId]) -> Result<Vec<Post>>;
}
