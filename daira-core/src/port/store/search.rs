//! Prefix search over handles and tags: byte-ordered ranges on folded keys.

use async_trait::async_trait;

use crate::account::Profile;
use crate::error::Result;
use crate::hashtag::Hashtag;
use crate::page::{Limit, Page};

/// Looks names up by their beginning. `prefix` is already folded; ranges are ordered by bytes.
#[async_trait]
pub trait SearchReads: Send {
    /// Visible profiles whose handle begins with the prefix, by handle, going on after a handle.
    async fn handles(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Profile>>;
    /// Tags whose key begins with the prefix, by key, going on after a key.
    async fn tags(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Hashtag>>;
}
