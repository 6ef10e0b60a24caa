//! Prefix search in memory: ranges over ordered keys.

use async_trait::async_trait;

use super::MemoryView;
use super::table::page;
use crate::account::Profile;
use crate::error::Result;
use crate::hashtag::Hashtag;
use crate::page::{Limit, Page};
use crate::port::store::SearchReads;
use crate::text::TagKey;

#[async_trait]
impl SearchReads for MemoryView {
    async fn handles(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Profile>> {
        let begins = self.world.profiles.iter().filter(|p| p.handle.as_str().starts_with(prefix));
        let mut seen: Vec<&Profile> = begins.filter(|p| self.world.sees_profile(self.viewer, p)).collect();
        seen.sort_by_key(|p| p.handle.as_str());
        Ok(page(seen.into_iter(), after, limit, |p| p.handle.as_str()).map(Profile::clone))
    }

    async fn tags(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Hashtag>> {
        let from = self.world.hashtags.from(TagKey::from_stored(prefix.to_owned()));
        let begins = from.take_while(|t| t.key.as_str().starts_with(prefix));
        Ok(page(begins, after, limit, |t| t.key.as_str()).map(Hashtag::clone))
    }
}
