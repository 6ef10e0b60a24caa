//! Lists of edges, a page at a time. Whatever view they are given decides who looks; nobody hidden from them comes back.

use super::GraphService;
use crate::account::Profile;
use crate::actor::Actor;
use crate::error::Result;
use crate::graph::{Circle, Edge, Relation};
use crate::id::{CircleId, ProfileId};
use crate::page::{Connection, Limit, Page};
use crate::port::ReadView;
use crate::port::store::EdgeKey;

impl GraphService {
    /// How the view's actor stands to these profiles. Nobody learns here that they are blocked: who blocks the actor is left
    /// out like the ones that do not exist, unless the actor blocks them as well.
    ///
    /// # Errors
    /// Only those of the store.
    pub async fn relations(&self, view: &mut dyn ReadView, to: &[ProfileId]) -> Result<Vec<(ProfileId, Relation)>> {
        let relations = view.graph().relations(to).await?.into_iter();
        let told = relations.filter(|(_, relation)| relation.blocks || !relation.blocked_by);
        Ok(told.map(|(profile, relation)| (profile, Relation { blocked_by: false, ..relation })).collect())
    }

    /// Who follows a profile, newest first.
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn followers(
        &self,
        view: &mut dyn ReadView,
        of: ProfileId,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<Edge>> {
        let list = format!("graph/followers/{of}");
        let after = self.place(&list, after)?;
        let page = view.graph().followers(of, after, limit).await?;
        Ok(self.connect(page, &list))
    }

    /// Whom a profile follows, newest first.
    ///
    /// # Errors
    /// A cursor that is none of this list.
    pub async fn following(
        &self,
        view: &mut dyn ReadView,
        of: ProfileId,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<Edge>> {
        let list = format!("graph/following/{of}");
        let after = self.place(&list, after)?;
        let page = view.graph().following(of, after, limit).await?;
        Ok(self.connect(page, &list))
    }

    /// Who asks to follow the actor, newest first. The view must be the actor's.
    ///
    /// # Errors
    /// Nobody is logged in, or a cursor that is none of this list.
    pub async fn requests(
        &self,
        actor: &Actor,
        view: &mut dyn ReadView,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<Edge>> {
        let list = format!("graph/requests/{}", actor.member()?.profile);
        let after = self.place(&list, after)?;
        let page = view.graph().requests(after, limit).await?;
        Ok(self.connect(page, &list))
    }

    /// Whom the actor blocks, newest first, with the profiles: here alone they are shown. The view must be the actor's.
    ///
    /// # Errors
    /// Nobody is logged in, or a cursor that is none of this list.
    pub async fn blocks(
        &self,
        actor: &Actor,
        view: &mut dyn ReadView,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<(Edge, Profile)>> {
        let list = format!("graph/blocks/{}", actor.member()?.profile);
        let after = self.place(&list, after)?;
        let page = view.graph().blocks(after, limit).await?;
        Ok(page.connect(&self.ports.keys.cursors, &list, |(edge, _)| EdgeKey::of(edge).numbers()))
    }

    /// Whom the actor mutes, newest first. The view must be the actor's.
    ///
    /// # Errors
    /// Nobody is logged in, or a cursor that is none of this list.
    pub async fn mutes(
        &self,
        actor: &Actor,
        view: &mut dyn ReadView,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<Edge>> {
        let list = format!("graph/mutes/{}", actor.member()?.profile);
        let after = self.place(&list, after)?;
        let page = view.graph().mutes(after, limit).await?;
        Ok(self.connect(page, &list))
    }

    /// The actor's circles, by name; at most [`MAX_CIRCLES`](super::MAX_CIRCLES). The view must be the actor's.
    ///
    /// # Errors
    /// Nobody is logged in.
    pub async fn circles(&self, actor: &Actor, view: &mut dyn ReadView) -> Result<Vec<Circle>> {
        actor.member()?;
        view.graph().circles().await
    }

    /// Who is in one of the actor's circles, newest first; nobody in one that is somebody else's. The view must be the
    /// actor's.
    ///
    /// # Errors
    /// Nobody is logged in, or a cursor that is none of this list.
    pub async fn circle_members(
        &self,
        actor: &Actor,
        view: &mut dyn ReadView,
        circle: CircleId,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<Edge>> {
        let list = format!("graph/circle/{circle}/{}", actor.member()?.profile);
        let after = self.place(&list, after)?;
        let page = view.graph().circle_members(circle, after, limit).await?;
        Ok(self.connect(page, &list))
    }

    fn place(&self, list: &str, after: Option<&str>) -> Result<Option<EdgeKey>> {
        Ok(self.ports.keys.cursors.after(list, after)?.map(EdgeKey::from_numbers))
    }

    fn connect(&self, page: Page<Edge>, list: &str) -> Connection<Edge> {
        page.connect(&self.ports.keys.cursors, list, |edge| EdgeKey::of(edge).numbers())
    }
}
