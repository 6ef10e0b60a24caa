//! Uploaded pictures.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::{MediaId, PostId};
use crate::media::Media;
use crate::time::Timestamp;

/// Changes pictures.
#[async_trait]
pub trait MediaRepository: Send {
    /// Records a processed picture.
    async fn insert(&mut self, media: &Media) -> Result<()>;
    /// Loads pictures, locked so that two posts cannot both take one.
    async fn lock(&mut self, ids: &[MediaId]) -> Result<Vec<Media>>;
    /// Gives pictures to a post or an avatar, so that they are no longer free to be swept.
    async fn attach(&mut self, ids: &[MediaId], to: Option<PostId>) -> Result<()>;
    /// Takes pictures off what they hang on, so that they are free to be swept.
    async fn detach(&mut self, ids: &[MediaId]) -> Result<()>;
    /// Pictures that hang on nothing since before an instant, removed; their blob keys are answered so that the blobs can
    /// go too. At most `limit`. For the platform's own actors only.
    async fn sweep(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Media>>;
}

/// Looks at pictures: the actor's own, avatars of visible people, and those of visible posts.
#[async_trait]
pub trait MediaReads: Send {
    /// The visible ones among these, in any order.
    async fn media(&mut self, ids: &[MediaId]) -> Result<Vec<Media>>;
}
