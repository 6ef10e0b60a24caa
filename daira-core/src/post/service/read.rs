//! Looking at posts. Whatever view is given decides who looks; what they may not see is not there.

use super::PostService;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{Id, PostId, ProfileId};
use crate::page::{Connection, Limit, Page};
use crate::port::ReadView;
use crate::post::{Post, PostCard, Revision};

impl PostService {
    /// One post.
    ///
    /// # Errors
    /// Not found when it is missing, deleted or hidden.
    pub async fn get(&self, view: &mut dyn ReadView, id: PostId) -> Result<PostCard> {
        view.posts().cards(&[id]).await?.pop().ok_or_else(Error::not_found)
    }

    /// The visible ones among these posts, in the order asked for.
    ///
    /// # Errors
    /// Only those of the store.
    pub async fn cards(&self, view: &mut dyn ReadView, ids: &[PostId]) -> Result<Vec<PostCard>> {
        let cards = view.posts().cards(ids).await?;
        Ok(in_order(ids, cards, |card| card.post.id))
    }

    /// A profile's posts, newest first.
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn by_author(
        &self,
        view: &mut dyn ReadView,
        author: ProfileId,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<PostId>> {
        let list = format!("post/author/{author}");
        let after = self.place(&list, after)?;
        let page = view.posts().by_author(author, after, limit).await?;
        Ok(page.connect(&self.ports.keys.cursors, &list, |id| [id.raw()]))
    }

    /// What a visible post said before, newest first, without the present version; at most the hundred latest.
    ///
    /// # Errors
    /// Not found when it is missing, deleted or hidden.
    pub async fn revisions(&self, view: &mut dyn ReadView, id: PostId) -> Result<Vec<Revision>> {
        self.get(view, id).await?;
        view.posts().revisions(id).await
    }

    /// The actor's own deleted posts that can still be restored, newest first. The view must be the actor's.
    ///
    /// # Errors
    /// Nobody is logged in, or a cursor that is none of this list.
    pub async fn deleted(
        &self,
        actor: &Actor,
        view: &mut dyn ReadView,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<Post>> {
        let list = format!("post/deleted/{}", actor.member()?.profile);
        let after = self.place(&list, after)?;
        let since = self.ports.clock.now() - self.ports.settings.restore_window;
        let Page { items: ids, has_next } = view.posts().own_deleted(since, after, limit).await?;
        let items = in_order(&ids, view.posts().own_deleted_posts(&ids).await?, |post| post.id);
        Ok(Page { items, has_next }.connect(&self.ports.keys.cursors, &list, |post| [post.id.raw()]))
    }

    fn place(&self, list: &str, after: Option<&str>) -> Result<Option<PostId>> {
        Ok(self.ports.keys.cursors.after(list, after)?.map(|[id]| PostId::from_raw(id)))
    }
}

/// Puts what a store gave in any order into the order of the ids.
fn in_order<T>(ids: &[PostId], items: Vec<T>, id: impl Fn(&T) -> PostId) -> Vec<T> {
    let mut by_id: std::collections::HashMap<PostId, T> = items.into_iter().map(|item| (id(&item), item)).collect();
    ids.iter().filter_map(|id| by_id.remove(id)).collect()
}
