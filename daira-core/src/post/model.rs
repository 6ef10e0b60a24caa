//! Posts: text, pictures, who may see them and who may answer.

use std::sync::Arc;

use crate::account::{Profile, Standing};
use crate::hashtag::Tag;
use crate::id::{CircleId, Id, MediaId, PostId, ProfileId};
use crate::reaction::ReactionKind;
use crate::time::Timestamp;

/// Who may see a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// People who follow the author.
    Followers,
    /// People in one of the author's circles.
    Circle(CircleId),
    /// People it mentions.
    Mentioned,
    /// The author alone.
    Private,
    /// Everybody who comes by it, but no tag, search or popular list shows it.
    Unlisted,
}

impl Visibility {
    /// Whether everybody may see it. Only such posts are counted for others: a number must not tell of the rest.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Unlisted)
    }
}

/// Who may comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum ReplyRule {
    /// Everybody who sees it.
    #[default]
    Everyone,
    /// People who follow the author.
    Followers,
    /// People the author follows.
    Following,
    /// People it mentions.
    Mentioned,
    /// Nobody but the author.
    Nobody,
}

/// How a post reaches its readers; stamped in the transaction that publishes it, so that an author who crosses the
/// threshold loses and doubles nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Written into the inboxes of followers.
    Push,
    /// Looked up when a follower reads.
    Pull,
}

/// What kind of thing a post mainly shows; the feed spaces kinds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// Words only.
    Text,
    /// Pictures.
    Image,
}

/// A picture in a post.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Attachment {
    /// Which picture.
    pub media: MediaId,
    /// What it shows, for those who cannot see it; at most 1,000 characters.
    pub alt: String,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its id, drawn when it was published: `id.at()` is when it became visible.
    pub id: PostId,
    /// Who wrote it.
    pub author: ProfileId,
    /// What it says, at most 2,200 characters.
    pub text: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Who may comment.
    pub replies: ReplyRule,
    /// Up to ten pictures.
    pub media: Vec<Attachment>,
    /// The profiles it mentions.
    pub mentions: Vec<ProfileId>,
    /// Its hashtags.
    pub tags: Vec<Tag>,
    /// A warning shown instead of the content until the reader asks for it; at most 200 characters.
    pub warning: Option<String>,
    /// How it reaches its readers.
    pub delivery: Delivery,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted; until it is purged its author can restore it.
    pub deleted_at: Option<Timestamp>,
    /// For optimistic locking; the first is 1.
    pub version: i32,
}

impl Post {
    /// When it became visible.
    pub fn created_at(&self) -> Timestamp {
        self.id.at()
    }

    /// What kind of thing it mainly shows.
    pub fn media_kind(&self) -> MediaKind {
        if self.media.is_empty() { MediaKind::Text } else { MediaKind::Image }
    }
}

/// What a post said before an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Which post.
    pub post: PostId,
    /// The version that said so.
    pub version: i32,
    /// The text then.
    pub text: String,
    /// The warning then.
    pub warning: Option<String>,
    /// When it was replaced.
    pub replaced_at: Timestamp,
}

/// Counters of a post, kept by a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PostCounters {
    /// Reactions of all kinds.
    pub reactions: i64,
    /// Living comments, at any depth.
    pub comments: i64,
}

/// A post as a reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostCard {
    /// The post. Shared, because the same one is on the cards of many readers.
    pub post: Arc<Post>,
    /// Its author, likewise.
    pub author: Arc<Profile>,
    /// Its counters.
    pub counters: PostCounters,
    /// The reader's own reaction.
    pub viewer_reaction: Option<ReactionKind>,
}

/// All that decides whether somebody may see a post and answer it: the state of the author and the edges between the two.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each a row that is there or not")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Audience {
    /// The reader is the author.
    pub is_author: bool,
    /// How the author's profile stands.
    pub standing: Standing,
    /// The author's content is for followers only.
    pub private: bool,
    /// The reader follows the author.
    pub follows: bool,
    /// The author follows the reader.
    pub followed_by: bool,
    /// The reader is in the circle that the post is for.
    pub in_circle: bool,
    /// The post mentions the reader.
    pub mentioned: bool,
    /// Either shuts the other out.
    pub blocked: bool,
    /// Whether staff took the post down. A store whose row security hides such a post says nothing here.
    pub taken_down: bool,
}
