//! Looking at comments, one branch at a time. Whatever view is given decides who looks.

use super::CommentService;
use crate::comment::CommentCard;
use crate::error::{CommonRefusal, Error, Result};
use crate::id::{CommentId, Id, PostId};
use crate::page::{Connection, Limit, Page};
use crate::port::ReadView;

/// How far the list of the best goes: its cursor carries every comment shown, because the order moves while people react.
/// Beyond that, the newest-first list shows all.
pub const MAX_TOP: usize = 300;

impl CommentService {
    /// The visible, living ones among these comments, in any order.
    ///
    /// # Errors
    /// Only those of the store.
    pub async fn cards(&self, view: &mut dyn ReadView, ids: &[CommentId]) -> Result<Vec<CommentCard>> {
        view.comments().cards(ids).await
    }

    /// One comment.
    ///
    /// # Errors
    /// Not found when it is missing, deleted or hidden.
    pub async fn get(&self, view: &mut dyn ReadView, id: CommentId) -> Result<CommentCard> {
        view.comments().cards(&[id]).await?.pop().ok_or_else(Error::not_found)
    }

    /// The answers to a post, or to a comment under it, newest first.
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn newest(
        &self,
        view: &mut dyn ReadView,
        post: PostId,
        parent: Option<CommentId>,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<CommentCard>> {
        let cursors = &self.ports.keys.cursors;
        let list = branch("newest", post, parent);
        let after = cursors.after(&list, after)?.map(|[id]| CommentId::from_raw(id));
        let page = view.comments().newest(post, parent, after, limit).await?;
        Ok(page.connect(cursors, &list, |card| [card.comment.id.raw()]))
    }

    /// The same answers, those with most reactions first. None comes twice, however people react meanwhile; the list ends
    /// after [`MAX_TOP`].
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn top(
        &self,
        view: &mut dyn ReadView,
        post: PostId,
        parent: Option<CommentId>,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<CommentCard>> {
        let cursors = &self.ports.keys.cursors;
        let list = branch("top", post, parent);
        let mut shown = after.map_or(Ok(Vec::new()), |cursor| cursors.open_list(&list, cursor))?;
        if shown.len() > MAX_TOP {
            return Err(Error::from(CommonRefusal::Cursor).on_field("after"));
        }
        let ids: Vec<CommentId> = shown.iter().copied().map(CommentId::from_raw).collect();
        let Page { mut items, mut has_next } = view.comments().top(post, parent, &ids, limit).await?;
        let room = MAX_TOP - shown.len();
        if items.len() >= room {
            items.truncate(room);
            has_next = false;
        }
        let seal = |card: CommentCard| {
            shown.push(card.comment.id.raw());
            let cursor = cursors.seal_numbers(&list, &shown);
            (card, cursor)
        };
        Ok(Connection { items: items.into_iter().map(seal).collect(), has_next })
    }
}

/// The name of the list of one branch in one order.
fn branch(order: &str, post: PostId, parent: Option<CommentId>) -> String {
    match parent {
        Some(parent) => format!("comment/{order}/{post}/{parent}"),
        None => format!("comment/{order}/{post}"),
    }
}
