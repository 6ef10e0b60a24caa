//! Hashtags: many spellings, one key.
//!
//! The key comes from [`TagKey`]; the spelling shown is the one it was first used with. [`tags_of`]
//! finds the tags of a text, [`HashtagService`] shows the page of one.

mod extract;
mod service;

pub use extract::tags_of;
pub use service::HashtagService;

use crate::text::TagKey;

/// A hashtag as written in one post.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    /// What makes its spellings one.
    pub key: TagKey,
    /// The spelling used here, without the sign.
    pub spelling: String,
}

/// A hashtag of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hashtag {
    /// What makes its spellings one.
    pub key: TagKey,
    /// The spelling it was first used with, without the sign.
    pub spelling: String,
}
