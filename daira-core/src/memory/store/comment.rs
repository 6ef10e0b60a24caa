//! Comments in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::rows::ANSWERS;
use super::table::{each, page};
use super::{MemoryUnit, MemoryView};
use crate::comment::{Comment, CommentCard};
use crate::error::Result;
use crate::id::{CommentId, Id, PostId};
use crate::page::{Limit, Page};
use crate::port::store::{CommentReads, CommentRepository, Lock};
use crate::reaction::Target;

#[async_trait]
impl CommentRepository for MemoryUnit {
    async fn insert(&mut self, comment: &Comment) -> Result<()> {
        self.may_write(&[comment.author])?;
        self.change().comments.insert(comment.clone(), "comment.insert")
    }

    async fn comment(&mut self, id: CommentId, _: Lock) -> Result<Option<Comment>> {
        let viewer = self.viewer();
        let in_class = |c: &Comment| self.world.post_in_class(viewer, c.post).is_some();
        let through = |c: &&Comment| viewer.is(c.author) || (in_class(c) && !self.world.taken_down(viewer, c));
        Ok(self.world.comments.get(&id).filter(through).cloned())
    }

    async fn update(&mut self, comment: &Comment) -> Result<()> {
        let host = self.world.posts.get(&comment.post).map(|p| p.author);
        self.may_write(&[Some(comment.author), host].into_iter().flatten().collect::<Vec<_>>())?;
        self.change().comments.update(comment.clone(), "comment.update")
    }
}

impl MemoryView {
    /// A comment as the viewer gets it: whole, as a tombstone, or not at all. Its post is visible.
    fn comment_card(&self, comment: &Comment) -> Option<CommentCard> {
        if self.world.taken_down(self.viewer, comment) {
            return None;
        }
        let counters = self.world.comment_counters(comment.id);
        if comment.deleted_at.is_some() {
            let comment =
                self.world.holds_answers(comment).then(|| Comment { text: String::new(), ..comment.clone() })?;
            return Some(CommentCard { comment, author: None, counters, viewer_reaction: None });
        }
        let author = Some(self.world.seen_profile(self.viewer, comment.author)?.clone());
        let viewer_reaction = self.world.own_reaction(self.viewer, Target::Comment(comment.id));
        Some(CommentCard { comment: comment.clone(), author, counters, viewer_reaction })
    }

    /// The answers to a post or a comment that the viewer sees, newest first.
    fn answers(&self, post: PostId, parent: Option<CommentId>) -> impl Iterator<Item = CommentCard> {
        let visible = self.world.seen_post(self.viewer, post).is_some();
        let answers = self.world.comments.by(ANSWERS, (post.raw(), parent.map_or(0, Id::raw))).rev();
        answers.filter(move |_| visible).filter(move |c| c.parent == parent).filter_map(|c| self.comment_card(c))
    }
}

#[async_trait]
impl CommentReads for MemoryView {
    async fn cards(&mut self, ids: &[CommentId]) -> Result<Vec<CommentCard>> {
        let seen = each(ids).filter_map(|id| self.world.seen_comment(self.viewer, id));
        Ok(seen.filter_map(|comment| self.comment_card(comment)).collect())
    }

    async fn newest(
        &mut self,
        post: PostId,
        parent: Option<CommentId>,
        after: Option<CommentId>,
        limit: Limit,
    ) -> Result<Page<CommentCard>> {
        Ok(page(self.answers(post, parent), after.map(Reverse), limit, |card| Reverse(card.comment.id)))
    }

    async fn top(
        &mut self,
        post: PostId,
        parent: Option<CommentId>,
        shown: &[CommentId],
        limit: Limit,
    ) -> Result<Page<CommentCard>> {
        let mut cards: Vec<_> = self.answers(post, parent).filter(|card| !shown.contains(&card.comment.id)).collect();
        cards.sort_by_key(|card| Reverse((card.counters.reactions, card.comment.id)));
        Ok(Page::cut(cards, limit))
    }
}
