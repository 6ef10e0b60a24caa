//! Posts, their history and tags in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::rows::{BY_AUTHOR, OF_POST, ON_TARGET, PostTag, TO, target_key};
use super::table::{each, page};
use super::world::{Viewer, World};
use super::{MemoryUnit, MemoryView};
use crate::error::Result;
use crate::hashtag::Hashtag;
use crate::id::{Id, PostId, ProfileId};
use crate::media::Media;
use crate::page::{Limit, Page};
use crate::port::store::{CounterField, Lock, PostReads, PostRepository};
use crate::post::{Audience, Post, PostCard, Revision, Visibility, policy};
use crate::reaction::Target;
use crate::staff;
use crate::text::TagKey;
use crate::time::Timestamp;

/// How many earlier versions a reader gets.
const REVISIONS: usize = 100;

impl World {
    /// Brings a post's tags in line with it; unknown tags are created with the spelling used here. Posts that are not
    /// public stand under no tag, and make none known.
    fn retag(&mut self, before: Option<&Post>, post: &Post) -> Result<()> {
        for tag in before.map(|b| b.tags.as_slice()).unwrap_or_default() {
            self.post_tags.remove(&(tag.key.clone(), post.id));
        }
        let tags = if post.visibility == Visibility::Public { post.tags.as_slice() } else { &[] };
        for tag in tags {
            self.hashtags.add(Hashtag { key: tag.key.clone(), spelling: tag.spelling.clone() }, "hashtag.insert")?;
            self.post_tags.put(PostTag { tag: tag.key.clone(), post: post.id }, "post.tag")?;
        }
        Ok(())
    }

    /// Removes a post with all that hangs on it; its pictures are free to be swept.
    pub(super) fn purge_post(&mut self, post: &Post) -> Result<()> {
        let comments = self.comments.take_by(OF_POST, (post.id.raw(), 0));
        for target in comments.iter().map(|c| Target::Comment(c.id)).chain([Target::Post(post.id)]) {
            self.reactions.take_by(ON_TARGET, target_key(target));
            let fields: &[CounterField] = match target {
                Target::Post(_) => {
                    &[CounterField::PostReactions, CounterField::PostComments, CounterField::PostImpressions]
                }
                Target::Comment(_) => &[CounterField::CommentReactions, CounterField::CommentReplies],
            };
            for field in fields {
                self.counters.remove(&(*field, target.raw()));
            }
        }
        for target in comments.iter().map(|c| staff::Target::Comment(c.id)).chain([staff::Target::Post(post.id)]) {
            self.takedowns.remove(&target);
        }
        for tag in &post.tags {
            self.post_tags.remove(&(tag.key.clone(), post.id));
        }
        self.revisions.take_by(0, (post.id.raw(), 0));
        self.inbox.take_by(TO, (post.id.raw(), 0));
        self.notifications.take(usize::MAX, |n| n.post == Some(post.id));
        for picture in self.media.take_by(OF_POST, (post.id.raw(), 0)) {
            self.media.put(Media { post: None, attached: false, ..picture }, "media.detach")?;
        }
        Ok(())
    }
}

#[async_trait]
impl PostRepository for MemoryUnit {
    async fn insert(&mut self, post: &Post) -> Result<()> {
        self.may_write(&[post.author])?;
        let world = self.change();
        world.posts.insert(post.clone(), "post.insert")?;
        world.retag(None, post)
    }

    async fn post(&mut self, id: PostId, _: Lock) -> Result<Option<Post>> {
        Ok(self.world.post_in_class(self.viewer(), id).cloned())
    }

    async fn update(&mut self, post: &Post, before: Option<&Revision>) -> Result<()> {
        self.may_write(&[post.author])?;
        let stored = self.world.posts.get(&post.id).cloned();
        let world = self.change();
        world.posts.update(post.clone(), "post.update")?;
        if let Some(before) = before {
            world.revisions.insert(before.clone(), "post.revision")?;
        }
        world.retag(stored.as_ref(), post)
    }

    async fn audience(&mut self, post: &Post, viewer: ProfileId) -> Result<Audience> {
        let account = self.world.profiles.get(&viewer).map(|p| p.account);
        let viewer = account.map_or(Viewer::Nobody, |account| Viewer::Face(viewer, account));
        Ok(self.world.audience(viewer, post))
    }

    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<PostId>> {
        self.platform_only()?;
        let world = self.change();
        let gone = world.posts.take(limit as usize, |p| p.deleted_at.is_some_and(|at| at < before));
        gone.iter().try_for_each(|post| world.purge_post(post))?;
        Ok(gone.into_iter().map(|p| p.id).collect())
    }
}

#[async_trait]
impl PostReads for MemoryView {
    async fn cards(&mut self, ids: &[PostId]) -> Result<Vec<PostCard>> {
        let seen = each(ids).filter_map(|id| self.world.seen_post(self.viewer, id));
        let cards = seen.filter_map(|post| {
            Some(PostCard {
                author: self.world.profiles.get(&post.author)?.clone().into(),
                counters: self.world.post_counters(post.id),
                viewer_reaction: self.world.own_reaction(self.viewer, Target::Post(post.id)),
                post: post.clone().into(),
            })
        });
        Ok(cards.collect())
    }

    async fn by_author(&mut self, author: ProfileId, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let posts = self.world.posts.by(BY_AUTHOR, (author.raw(), 0)).rev();
        let seen = posts.filter(|p| policy::sees(p, &self.world.audience(self.viewer, p))).map(|p| p.id);
        Ok(page(seen, after.map(Reverse), limit, |id| Reverse(*id)))
    }

    async fn by_tag(&mut self, tag: &TagKey, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let tagged = self.world.post_tags.from((tag.clone(), PostId::from_raw(0))).take_while(|t| t.tag == *tag);
        let mut seen: Vec<PostId> =
            tagged.filter_map(|t| self.world.seen_post(self.viewer, t.post)).map(|p| p.id).collect();
        seen.reverse();
        Ok(page(seen.into_iter(), after.map(Reverse), limit, |id| Reverse(*id)))
    }

    async fn tag(&mut self, tag: &TagKey) -> Result<Option<Hashtag>> {
        Ok(self.world.hashtags.get(tag).cloned())
    }

    async fn revisions(&mut self, post: PostId) -> Result<Vec<Revision>> {
        if self.world.seen_post(self.viewer, post).is_none() {
            return Ok(Vec::new());
        }
        Ok(self.world.revisions.by(0, (post.raw(), 0)).rev().take(REVISIONS).cloned().collect())
    }

    async fn own_deleted(&mut self, since: Timestamp, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let Some(me) = self.viewer.profile() else { return Ok(Page::empty()) };
        let own = self.world.posts.by(BY_AUTHOR, (me.raw(), 0)).rev();
        let deleted = own.filter(|p| p.deleted_at.is_some_and(|at| at >= since)).map(|p| p.id);
        Ok(page(deleted, after.map(Reverse), limit, |id| Reverse(*id)))
    }

    async fn own_deleted_posts(&mut self, ids: &[PostId]) -> Result<Vec<Post>> {
        let own = each(ids).filter_map(|id| self.world.posts.get(&id));
        Ok(own.filter(|p| p.deleted_at.is_some() && self.viewer.profile() == Some(p.author)).cloned().collect())
    }
}
