//! Reactions in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::graph::newest_first;
use super::rows::{ON_TARGET, target_key};
use super::table::page;
use super::{MemoryUnit, MemoryView};
use crate::error::Result;
use crate::graph::Edge;
use crate::id::ProfileId;
use crate::page::{Limit, Page};
use crate::port::store::{EdgeKey, ReactionReads, ReactionRepository};
use crate::reaction::{Reaction, ReactionKind, Target};

#[async_trait]
impl ReactionRepository for MemoryUnit {
    async fn put(&mut self, reaction: &Reaction) -> Result<Option<ReactionKind>> {
        self.may_write(&[reaction.by])?;
        Ok(self.change().reactions.put(*reaction, "reaction.put")?.map(|before| before.kind))
    }

    async fn remove(&mut self, by: ProfileId, target: Target) -> Result<Option<ReactionKind>> {
        self.may_write(&[by])?;
        Ok(self.change().reactions.remove(&(by, target)).map(|before| before.kind))
    }
}

#[async_trait]
impl ReactionReads for MemoryView {
    async fn reactors(
        &mut self,
        target: Target,
        after: Option<EdgeKey>,
        limit: Limit,
    ) -> Result<Page<(Edge, ReactionKind)>> {
        if !self.world.sees_target(self.viewer, target) {
            return Ok(Page::empty());
        }
        let given = self.world.reactions.by(ON_TARGET, target_key(target));
        let seen = given.filter(|r| self.world.seen_profile(self.viewer, r.by).is_some());
        let mut seen: Vec<_> = seen.map(|r| (Edge { profile: r.by, at: r.at }, r.kind)).collect();
        seen.sort_by_key(|(edge, _)| newest_first(edge));
        Ok(page(seen.into_iter(), after.map(Reverse), limit, |(edge, _)| newest_first(edge)))
    }
}
