//! Reactions: one per person and target.

use async_trait::async_trait;

use super::EdgeKey;
use crate::error::Result;
use crate::graph::Edge;
use crate::id::ProfileId;
use crate::page::{Limit, Page};
use crate::reaction::{Reaction, ReactionKind, Target};

/// Changes reactions.
#[async_trait]
pub trait ReactionRepository: Send {
    /// Sets a person's reaction and answers what it was before.
    async fn put(&mut self, reaction: &Reaction) -> Result<Option<ReactionKind>>;
    /// Takes a person's reaction back and answers what it was.
    async fn remove(&mut self, by: ProfileId, target: Target) -> Result<Option<ReactionKind>>;
}

/// Looks at reactions.
#[async_trait]
pub trait ReactionReads: Send {
    /// Who reacted to a visible target, newest first, without people hidden from the actor.
    async fn reactors(
        &mut self,
        target: Target,
        after: Option<EdgeKey>,
        limit: Limit,
    ) -> Result<Page<(Edge, ReactionKind)>>;
}
