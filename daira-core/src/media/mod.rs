//! What the kernel knows of an uploaded picture; making its variants is the media library's work.

use crate::id::{MediaId, PostId, ProfileId};
use crate::time::Timestamp;

/// One rendition of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Variant {
    /// Its name within the picture, for instance `feed-480.webp`; part of its address.
    pub name: String,
    /// The blob's key.
    pub key: String,
    /// Its media type.
    pub content_type: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size in bytes.
    pub bytes: u64,
}

/// An uploaded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// Who uploaded it.
    pub owner: ProfileId,
    /// Width of the upright original in pixels.
    pub width: u32,
    /// Height of the upright original in pixels.
    pub height: u32,
    /// A blurred placeholder (BlurHash).
    pub blurhash: String,
    /// What it shows, for those who cannot see it, unless where it hangs says it otherwise; at most 1,000 characters.
    pub alt: String,
    /// Its renditions, smallest first.
    pub variants: Vec<Variant>,
    /// The post it hangs on; avatars and fresh uploads hang on none.
    pub post: Option<PostId>,
    /// Whether a post or an avatar uses it; what nothing uses is swept after a day.
    pub attached: bool,
    /// When it was uploaded.
    pub created_at: Timestamp,
}
