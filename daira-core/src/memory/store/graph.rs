//! Edges between people, and circles, in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::rows::{CircleMember, FROM, OF_ACCOUNT, TO};
use super::table::{each, page};
use super::{MemoryUnit, MemoryView};
use crate::account::Profile;
use crate::error::Result;
use crate::graph::{Block, Circle, Edge, Follow, Mute, Relation};
use crate::id::{CircleId, Id, ProfileId};
use crate::page::{Limit, Page};
use crate::port::store::{EdgeKey, GraphReads, GraphRepository, Lock};
use crate::time::Timestamp;

impl MemoryUnit {
    fn may_write_circle(&self, circle: CircleId) -> Result<()> {
        let owner = self.world.circles.get(&circle).map(|c| c.owner);
        self.may_write(owner.as_slice())
    }
}

#[async_trait]
impl GraphRepository for MemoryUnit {
    async fn lock_pair(&mut self, _: &Profile, _: &Profile, _: bool) -> Result<()> {
        // Commits are serialisable here: whoever decided on an absence that no longer holds is run again.
        Ok(())
    }

    async fn relation(&mut self, from: &Profile, to: &Profile) -> Result<Relation> {
        Ok(self.world.relation(from, to))
    }

    async fn insert_follow(&mut self, follow: &Follow) -> Result<bool> {
        // Nobody makes others follow them: it takes their request, or an open profile.
        let asked = self.world.requests.has(&(follow.follower, follow.followee));
        let open = self.world.profiles.get(&follow.followee).is_some_and(|p| !p.private);
        let accepts = (asked || open).then_some(follow.followee);
        self.may_write(&[Some(follow.follower), accepts].into_iter().flatten().collect::<Vec<_>>())?;
        self.change().follows.add(*follow, "follow.insert")
    }

    async fn delete_follow(&mut self, follower: ProfileId, followee: ProfileId) -> Result<bool> {
        self.may_write(&[follower, followee])?;
        Ok(self.change().follows.remove(&(follower, followee)).is_some())
    }

    async fn insert_request(&mut self, request: &Follow) -> Result<bool> {
        self.may_write(&[request.follower])?;
        self.change().requests.add(*request, "request.insert")
    }

    async fn delete_request(&mut self, follower: ProfileId, followee: ProfileId) -> Result<bool> {
        self.may_write(&[follower, followee])?;
        Ok(self.change().requests.remove(&(follower, followee)).is_some())
    }

    async fn take_requests(&mut self, followee: ProfileId, limit: u32) -> Result<Vec<ProfileId>> {
        self.may_write(&[followee])?;
        let mut requests: Vec<Follow> = self.world.requests.by(TO, (followee.raw(), 0)).copied().collect();
        requests.sort_by_key(|r| (r.at, r.follower));
        requests.truncate(limit as usize);
        for request in &requests {
            self.change().requests.remove(&(request.follower, followee));
        }
        Ok(requests.into_iter().map(|r| r.follower).collect())
    }

    async fn insert_block(&mut self, block: &Block) -> Result<bool> {
        self.may_write(&[block.blocker])?;
        self.change().blocks.add(*block, "block.insert")
    }

    async fn delete_block(&mut self, blocker: ProfileId, blocked: ProfileId) -> Result<bool> {
        self.may_write(&[blocker])?;
        Ok(self.change().blocks.remove(&(blocker, blocked)).is_some())
    }

    async fn put_mute(&mut self, mute: &Mute) -> Result<()> {
        self.may_write(&[mute.muter])?;
        if mute.posts || mute.stories || mute.notifications {
            self.change().mutes.put(*mute, "mute.put")?;
        } else {
            self.change().mutes.remove(&(mute.muter, mute.muted));
        }
        Ok(())
    }

    async fn insert_circle(&mut self, circle: &Circle) -> Result<()> {
        self.may_write(&[circle.owner])?;
        self.change().circles.insert(circle.clone(), "circle.insert")
    }

    async fn circle(&mut self, id: CircleId, _: Lock) -> Result<Option<Circle>> {
        let viewer = self.viewer();
        Ok(self.world.circles.get(&id).filter(|c| viewer.is(c.owner)).cloned())
    }

    async fn count_circles(&mut self, owner: ProfileId) -> Result<i64> {
        Ok(self.world.circles.count(OF_ACCOUNT, (owner.raw(), 0)))
    }

    async fn update_circle(&mut self, circle: &Circle) -> Result<()> {
        self.may_write(&[circle.owner])?;
        self.change().circles.update(circle.clone(), "circle.update")
    }

    async fn delete_circle(&mut self, id: CircleId) -> Result<bool> {
        if !self.world.circles.has(&id) {
            return Ok(false);
        }
        self.may_write_circle(id)?;
        self.change().circle_members.take_by(FROM, (id.raw(), 0));
        Ok(self.change().circles.remove(&id).is_some())
    }

    async fn insert_circle_member(&mut self, circle: CircleId, member: ProfileId, at: Timestamp) -> Result<bool> {
        self.may_write_circle(circle)?;
        self.change().circle_members.add(CircleMember { circle, member, at }, "circle.add")
    }

    async fn delete_circle_member(&mut self, circle: CircleId, member: ProfileId) -> Result<bool> {
        self.may_write_circle(circle)?;
        Ok(self.change().circle_members.remove(&(circle, member)).is_some())
    }

    async fn leave_circles(&mut self, owner: ProfileId, member: ProfileId) -> Result<u64> {
        self.may_write(&[owner, member])?;
        let circles: Vec<CircleId> = self.world.circles.by(FROM, (owner.raw(), 0)).map(|c| c.id).collect();
        let members = &mut self.change().circle_members;
        Ok(circles.into_iter().filter_map(|circle| members.remove(&(circle, member))).count() as u64)
    }
}

impl MemoryView {
    /// A page of edges with their profiles, newest first.
    fn edges(&self, edges: impl Iterator<Item = Edge>, after: Option<EdgeKey>, limit: Limit) -> Page<Edge> {
        let mut seen: Vec<Edge> = edges.filter(|e| self.world.seen_profile(self.viewer, e.profile).is_some()).collect();
        seen.sort_by_key(|e| Reverse((e.at, e.profile)));
        page(seen.into_iter(), after.map(Reverse), limit, newest_first)
    }
}

/// Where an edge stands in a list that begins with the newest.
pub(crate) fn newest_first(edge: &Edge) -> Reverse<EdgeKey> {
    Reverse(EdgeKey { at: edge.at, profile: edge.profile })
}

#[async_trait]
impl GraphReads for MemoryView {
    async fn relations(&mut self, to: &[ProfileId]) -> Result<Vec<(ProfileId, Relation)>> {
        let Some(me) = self.viewer.profile().and_then(|me| self.world.profiles.get(&me)) else { return Ok(Vec::new()) };
        let known = each(to).filter_map(|id| self.world.profiles.get(&id));
        let relations = known.map(|p| (p, Relation { blocked_by: false, ..self.world.relation(me, p) }));
        let shown = relations.filter(|(p, relation)| relation.blocks || self.world.sees_profile(self.viewer, p));
        Ok(shown.map(|(p, relation)| (p.id, relation)).collect())
    }

    async fn showing_activity(&mut self, of: &[ProfileId]) -> Result<Vec<ProfileId>> {
        let Some(me) = self.viewer.profile() else { return Ok(Vec::new()) };
        let shown = each(of).filter(|id| {
            self.world.follows.get(&(*id, me)).is_some()
                && self.world.quiet.get(id).is_none()
                && self.world.seen_profile(self.viewer, *id).is_some()
        });
        Ok(shown.collect())
    }

    async fn followers(&mut self, of: ProfileId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        if !self.world.sees_edges(self.viewer, of) {
            return Ok(Page::empty());
        }
        let edges = self.world.follows.by(TO, (of.raw(), 0)).map(|f| Edge { profile: f.follower, at: f.at });
        Ok(self.edges(edges, after, limit))
    }

    async fn following(&mut self, of: ProfileId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        if !self.world.sees_edges(self.viewer, of) {
            return Ok(Page::empty());
        }
        let edges = self.world.follows.by(FROM, (of.raw(), 0)).map(|f| Edge { profile: f.followee, at: f.at });
        Ok(self.edges(edges, after, limit))
    }

    async fn requests(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let Some(me) = self.viewer.profile() else { return Ok(Page::empty()) };
        let edges = self.world.requests.by(TO, (me.raw(), 0)).map(|f| Edge { profile: f.follower, at: f.at });
        Ok(self.edges(edges, after, limit))
    }

    async fn blocks(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<(Edge, Profile)>> {
        let Some(me) = self.viewer.profile() else { return Ok(Page::empty()) };
        let blocks = self.world.blocks.by(FROM, (me.raw(), 0));
        let known =
            blocks.filter_map(|b| Some((Edge { profile: b.blocked, at: b.at }, self.world.profiles.get(&b.blocked)?)));
        let mut blocked: Vec<(Edge, Profile)> = known.map(|(edge, profile)| (edge, profile.clone())).collect();
        blocked.sort_by_key(|(edge, _)| newest_first(edge));
        Ok(page(blocked.into_iter(), after.map(Reverse), limit, |(edge, _)| newest_first(edge)))
    }

    async fn mutes(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let Some(me) = self.viewer.profile() else { return Ok(Page::empty()) };
        let edges = self.world.mutes.by(FROM, (me.raw(), 0)).map(|m| Edge { profile: m.muted, at: m.at });
        Ok(self.edges(edges, after, limit))
    }

    async fn circles(&mut self) -> Result<Vec<Circle>> {
        let Some(me) = self.viewer.profile() else { return Ok(Vec::new()) };
        let mut circles: Vec<Circle> = self.world.circles.by(FROM, (me.raw(), 0)).cloned().collect();
        circles.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(circles)
    }

    async fn circle_members(&mut self, circle: CircleId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        if self.world.circles.get(&circle).is_none_or(|c| self.viewer.profile() != Some(c.owner)) {
            return Ok(Page::empty());
        }
        let members = self.world.circle_members.by(FROM, (circle.raw(), 0));
        Ok(self.edges(members.map(|m| Edge { profile: m.member, at: m.at }), after, limit))
    }
}
