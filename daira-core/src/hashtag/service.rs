//! The page of a hashtag: the tag itself, and the public posts under it.

use super::Hashtag;
use crate::error::{Error, Result};
use crate::id::{Id, PostId};
use crate::page::{Connection, Limit};
use crate::port::{Ports, ReadView};
use crate::text::TagKey;

/// Hashtags. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct HashtagService {
    ports: Ports,
}

impl HashtagService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The tag that a spelling, with or without its sign, is one of.
    ///
    /// # Errors
    /// Not found when nobody ever used it, or it can be none.
    pub async fn get(&self, view: &mut dyn ReadView, spelling: &str) -> Result<Hashtag> {
        let key = TagKey::new(spelling).map_err(|_| Error::not_found())?;
        view.posts().tag(&key).await?.ok_or_else(Error::not_found)
    }

    /// Public posts under a tag, newest first.
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn posts(
        &self,
        view: &mut dyn ReadView,
        tag: &TagKey,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<PostId>> {
        let cursors = &self.ports.keys.cursors;
        let list = format!("hashtag/posts/{tag}");
        let after = cursors.after(&list, after)?.map(|[id]| PostId::from_raw(id));
        let page = view.posts().by_tag(tag, after, limit).await?;
        Ok(page.connect(cursors, &list, |id| [id.raw()]))
    }
}
