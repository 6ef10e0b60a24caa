//! Circles: rounds of people that their owner draws. Only the owner knows of them.

use async_graphql::{Context, ID, Object, Result};
use daira_core::graph;

use super::profile::Profile;
use super::scalar::DateTime;
use crate::graphql::connection::{Connection, ProfileEdge};
use crate::graphql::scope::{InScope, Scope, limit};

/// One of the reader's own circles.
pub(crate) struct Circle(pub(in crate::graphql) graph::Circle);

/// A named circle of people. Only its owner knows of it.
#[Object]
impl Circle {
    /// Its id, for instance `cir_0c5h2m9k1v3q8`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name, up to 50 characters.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who is in it, newest first.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ProfileEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            let graph = &scope.services.graph;
            graph.circle_members(&scope.actor, view.as_mut(), self.0.id, after.as_deref(), limit).await?
        };
        Profile::page(scope, page, after.as_deref()).await.map(Some)
    }
}

impl Circle {
    /// All of the reader's own.
    pub(in crate::graphql) async fn all(scope: &Scope) -> daira_core::Result<Vec<Self>> {
        let mut view = scope.reads.view().await?;
        let circles = scope.services.graph.circles(&scope.actor, view.as_mut()).await?;
        Ok(circles.into_iter().map(Self).collect())
    }

    /// The reader's own circle with this id.
    pub(in crate::graphql) async fn load(
        scope: &Scope,
        id: daira_core::id::CircleId,
    ) -> daira_core::Result<Option<Self>> {
        if scope.viewer().is_none() {
            return Ok(None);
        }
        Ok(Self::all(scope).await?.into_iter().find(|circle| circle.0.id == id))
    }
}
