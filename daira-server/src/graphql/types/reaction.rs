//! Reactions.

use async_graphql::{Enum, Result};
use daira_core::graph::Edge;
use daira_core::page::Connection as Page;
use daira_core::reaction::{self, Target};

use super::profile::Profile;
use crate::graphql::connection::{Connection, ReactionEdge};
use crate::graphql::scope::{Scope, limit};

/// How somebody reacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ReactionKind {
    /// A like.
    Like,
    /// Love.
    Love,
    /// Laughter.
    Laugh,
    /// Sadness.
    Sad,
    /// Anger.
    Angry,
}

impl From<ReactionKind> for reaction::ReactionKind {
    fn from(kind: ReactionKind) -> Self {
        match kind {
            ReactionKind::Like => Self::Like,
            ReactionKind::Love => Self::Love,
            ReactionKind::Laugh => Self::Laugh,
            ReactionKind::Sad => Self::Sad,
            ReactionKind::Angry => Self::Angry,
        }
    }
}

impl ReactionKind {
    /// As it is shown; nothing for one that this schema does not know yet.
    pub fn of(kind: reaction::ReactionKind) -> Option<Self> {
        match kind {
            reaction::ReactionKind::Like => Some(Self::Like),
            reaction::ReactionKind::Love => Some(Self::Love),
            reaction::ReactionKind::Laugh => Some(Self::Laugh),
            reaction::ReactionKind::Sad => Some(Self::Sad),
            reaction::ReactionKind::Angry => Some(Self::Angry),
            _ => None,
        }
    }
}

/// Who reacted to something, newest first.
pub(crate) async fn reactions(
    scope: &Scope,
    target: Target,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<Option<Connection<ReactionEdge>>> {
    let limit = limit(first)?;
    let page: Page<(Edge, reaction::ReactionKind)> = {
        let mut view = scope.reads.view().await?;
        scope.services.reactions.reactors(view.as_mut(), target, after, limit).await?
    };
    let profiles = scope.reads.load_all(page.items.iter().map(|((edge, _), _)| edge.profile)).await?;
    let mut profiles = profiles.into_iter().peekable();
    Ok(Some(Connection::new(page, after, |(edge, kind), cursor| {
        let profile = profiles.next_if(|profile| profile.id == edge.profile)?;
        let (node, kind) = (Profile::Alone(profile), ReactionKind::of(kind));
        Some(ReactionEdge { cursor, node, kind, reacted_at: edge.at.into() })
    })))
}
