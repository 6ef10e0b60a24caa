//! Uploaded pictures in memory.

use async_trait::async_trait;

use super::table::each;
use super::{MemoryUnit, MemoryView};
use crate::error::Result;
use crate::id::{MediaId, PostId};
use crate::media::Media;
use crate::port::store::{MediaReads, MediaRepository};
use crate::time::Timestamp;

impl MemoryUnit {
    fn hang(&mut self, ids: &[MediaId], post: Option<PostId>, attached: bool) -> Result<()> {
        let pictures: Vec<Media> = each(ids).filter_map(|id| self.world.media.get(&id)).cloned().collect();
        for picture in &pictures {
            self.may_write(&[picture.owner])?;
        }
        for picture in pictures {
            self.change().media.put(Media { post, attached, ..picture }, "media.hang")?;
        }
        Ok(())
    }
}

#[async_trait]
impl MediaRepository for MemoryUnit {
    async fn insert(&mut self, media: &Media) -> Result<()> {
        self.may_write(&[media.owner])?;
        self.change().media.insert(media.clone(), "media.insert")
    }

    async fn lock(&mut self, ids: &[MediaId]) -> Result<Vec<Media>> {
        let viewer = self.viewer();
        Ok(each(ids).filter_map(|id| self.world.media.get(&id)).filter(|m| viewer.is(m.owner)).cloned().collect())
    }

    async fn attach(&mut self, ids: &[MediaId], to: Option<PostId>) -> Result<()> {
        self.hang(ids, to, true)
    }

    async fn detach(&mut self, ids: &[MediaId]) -> Result<()> {
        self.hang(ids, None, false)
    }

    async fn sweep(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Media>> {
        self.platform_only()?;
        Ok(self.change().media.take(limit as usize, |m| !m.attached && m.created_at < before))
    }
}

#[async_trait]
impl MediaReads for MemoryView {
    async fn media(&mut self, ids: &[MediaId]) -> Result<Vec<Media>> {
        let avatar = |m: &Media| {
            let owner = self.world.seen_profile(self.viewer, m.owner);
            owner.is_some_and(|p| p.avatar == Some(m.id))
        };
        let on_post = |m: &Media| m.post.is_some_and(|post| self.world.seen_post(self.viewer, post).is_some());
        let known = each(ids).filter_map(|id| self.world.media.get(&id));
        Ok(known.filter(|m| self.viewer.is(m.owner) || avatar(m) || on_post(m)).cloned().collect())
    }
}
