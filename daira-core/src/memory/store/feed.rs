//! Inboxes, pull sources, affinity, feed sessions and pages served, in memory.

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::rows::{AffinityRow, BY_AUTHOR, FROM, FrozenList, InboxRow, OF_PROFILE, Page as ServedPage, TO};
use super::table::page;
use super::world::{Viewer, World};
use super::{MemoryUnit, MemoryView};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{FeedSessionId, Id, PostId, ProfileId};
use crate::page::{Limit, Page};
use crate::port::store::{
    Affinity, Candidate, CounterField, DeliveredChunk, FeedReads, FeedRepository, InboxReason, OLDER_MAX, PageServed,
    SEEN_FOR, SEEN_PAGES, Signals,
};
use crate::post::{Delivery, Post, Visibility, policy};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// How long a frozen list holds.
const FROZEN_FOR: Duration = Duration::from_hours(2);
/// The most that the count of new posts tells.
const NEW_MAX: usize = 100;

impl World {
    fn face(&self, profile: ProfileId) -> Viewer {
        self.profiles.get(&profile).map_or(Viewer::Nobody, |p| Viewer::Face(p.id, p.account))
    }

    fn sees(&self, viewer: Viewer, post: &Post) -> bool {
        policy::sees(post, &self.audience(viewer, post))
    }

    /// The people a post is made for beside its author, by id, with the reason they get it.
    fn recipients(&self, post: &Post) -> BTreeMap<ProfileId, InboxReason> {
        let each = |people: Vec<ProfileId>, reason| people.into_iter().map(move |p| (p, reason)).collect();
        match post.visibility {
            Visibility::Public | Visibility::Unlisted | Visibility::Followers => {
                each(self.follows.by(TO, (post.author.raw(), 0)).map(|f| f.follower).collect(), InboxReason::Follow)
            }
            Visibility::Circle(circle) => {
                each(self.circle_members.by(FROM, (circle.raw(), 0)).map(|m| m.member).collect(), InboxReason::Circle)
            }
            Visibility::Mentioned => each(post.mentions.clone(), InboxReason::Mention),
            Visibility::Private => BTreeMap::new(),
        }
    }

    /// Whether the edge that an inbox row came by still stands.
    fn edge_stands(&self, row: &InboxRow, post: &Post) -> bool {
        match row.reason {
            InboxReason::Follow => self.follows(row.profile, row.author),
            InboxReason::Circle => self.audience(self.face(row.profile), post).in_circle,
            InboxReason::Mention => post.mentions.contains(&row.profile),
            InboxReason::Own | InboxReason::Popular => true,
        }
    }

    fn put_in_inbox(
        &mut self,
        profile: ProfileId,
        post: &Post,
        reason: InboxReason,
        delivered_at: Timestamp,
    ) -> Result<bool> {
        self.inbox.add(InboxRow { profile, post: post.id, author: post.author, reason, delivered_at }, "inbox.deliver")
    }

    /// Everything that a profile's own feeds are made of, by post: inbox, pulled authors and own posts, since a day. Of
    /// several ways to a post the first counts.
    fn sources<'a>(&'a self, me: ProfileId, since: Timestamp) -> BTreeMap<PostId, (&'a Post, InboxReason, Timestamp)> {
        let mut found: BTreeMap<PostId, (&'a Post, InboxReason, Timestamp)> = BTreeMap::new();
        let mut offer = |post: &'a Post, reason: InboxReason, at| {
            let held = found.entry(post.id).or_insert((post, reason, at));
            if (at, reason.code()) < (held.2, held.1.code()) {
                *held = (post, reason, at);
            }
        };
        let rows = self.inbox.from((me, PostId::from_raw(0))).take_while(|row| row.profile == me);
        for row in rows {
            if let Some(post) = self.posts.get(&row.post).filter(|post| self.edge_stands(row, post)) {
                offer(post, row.reason, row.delivered_at);
            }
        }
        for follow in self.followees(me) {
            let pulled = self.posts.by(BY_AUTHOR, (follow.followee.raw(), 0)).filter(|p| p.delivery == Delivery::Pull);
            for post in pulled {
                offer(post, InboxReason::Follow, post.created_at().max(follow.at));
            }
        }
        for post in self.posts.by(BY_AUTHOR, (me.raw(), 0)) {
            offer(post, InboxReason::Own, post.created_at());
        }
        let viewer = self.face(me);
        let mutes = |author: ProfileId| self.mutes.get(&(me, author)).is_some_and(|mute| mute.posts);
        found.retain(|_, (post, ..)| post.created_at() >= since && !mutes(post.author) && self.sees(viewer, post));
        found
    }

    /// What a profile and the people it followed at an instant published before another one, as far as it sees that.
    fn published_before(&self, me: ProfileId, before: Timestamp, followed_at: Timestamp) -> BTreeMap<PostId, &Post> {
        let mutes = |author: ProfileId| self.mutes.get(&(me, author)).is_some_and(|mute| mute.posts);
        let followees = self.followees(me).filter(|f| f.at <= followed_at && !mutes(f.followee)).map(|f| f.followee);
        let authors: Vec<ProfileId> = followees.chain([me]).collect();
        let posts = authors.into_iter().flat_map(|author| self.posts.by(BY_AUTHOR, (author.raw(), 0)));
        let viewer = self.face(me);
        posts.filter(|post| post.created_at() < before && self.sees(viewer, post)).map(|post| (post.id, post)).collect()
    }

    /// What ranks a post for a viewer.
    fn signals(&self, me: ProfileId, post: &Post, as_of: Timestamp) -> Signals {
        let counters = self.post_counters(post.id);
        let affinity = self.affinities.get(&(me, post.author)).map(|row| row.affinity);
        let lately = |p: &&ServedPage| p.page.at > as_of - SEEN_FOR && p.page.at <= as_of;
        let mut pages: Vec<&ServedPage> = self.pages.by(OF_PROFILE, (me.raw(), 0)).filter(lately).collect();
        pages.sort_by_key(|p| Reverse(p.page.at));
        let seen = pages.iter().take(SEEN_PAGES).filter(|p| p.page.items.iter().any(|(id, _)| *id == post.id)).count();
        Signals {
            reactions: counters.reactions,
            comments: counters.comments,
            impressions: Signals::in_steps(self.counter(CounterField::PostImpressions, post.id.raw())),
            affinity: affinity.map_or(0.0, |a| a.sum),
            affinity_at: affinity.map_or(Timestamp::EPOCH, |a| a.at),
            seen: u16::try_from(seen).unwrap_or(u16::MAX),
        }
    }
}

impl World {
    /// Takes away inbox rows of posts older than an instant; answers how many.
    pub(crate) fn expire_inbox(&mut self, before: Timestamp) -> usize {
        self.inbox.take(usize::MAX, |row| row.post.at() < before).len()
    }

    /// Living posts delivered by push, by id, after one.
    pub(crate) fn pushed_posts(&self, after: PostId, limit: usize) -> Vec<PostId> {
        let later = self.posts.from(after).filter(|p| p.id > after && p.deleted_at.is_none());
        later.filter(|p| p.delivery == Delivery::Push).map(|p| p.id).take(limit).collect()
    }
}

#[async_trait]
impl FeedRepository for MemoryUnit {
    async fn deliver(
        &mut self,
        post: PostId,
        from: Option<ProfileId>,
        chunk: u32,
        at: Timestamp,
    ) -> Result<DeliveredChunk> {
        self.platform_only()?;
        let Some(post) = self.world.posts.get(&post).cloned() else {
            return Ok(DeliveredChunk { rows: 0, next: None });
        };
        let recipients = self.world.recipients(&post);
        let mut waiting = recipients.into_iter().filter(|(profile, _)| from.is_none_or(|from| *profile >= from));
        let mut rows = 0;
        for (profile, reason) in waiting.by_ref().take(chunk as usize) {
            if profile != post.author && self.world.sees(self.world.face(profile), &post) {
                rows += u64::from(self.change().put_in_inbox(profile, &post, reason, at)?);
            }
        }
        Ok(DeliveredChunk { rows, next: waiting.next().map(|(profile, _)| profile) })
    }

    async fn backfill(
        &mut self,
        follower: ProfileId,
        followee: ProfileId,
        since: Timestamp,
        limit: u16,
        at: Timestamp,
    ) -> Result<u64> {
        self.platform_only()?;
        if !self.world.follows(follower, followee) {
            return Ok(0);
        }
        let viewer = self.world.face(follower);
        let open =
            |p: &&Post| !matches!(p.visibility, Visibility::Circle(_) | Visibility::Mentioned | Visibility::Private);
        let pushed = self.world.posts.by(BY_AUTHOR, (followee.raw(), 0)).rev().filter(|p| p.delivery == Delivery::Push);
        let seen = pushed.filter(open).filter(|p| p.created_at() >= since && self.world.sees(viewer, p));
        let posts: Vec<Post> = seen.take(usize::from(limit)).cloned().collect();
        let mut rows = 0;
        for post in &posts {
            rows += u64::from(self.change().put_in_inbox(follower, post, InboxReason::Follow, at)?);
        }
        Ok(rows)
    }

    async fn withdraw_author(&mut self, profile: ProfileId, author: ProfileId) -> Result<u64> {
        self.platform_only()?;
        if self.world.follows(profile, author) {
            return Ok(0);
        }
        let rows = self.world.inbox.by(FROM, (profile.raw(), author.raw()));
        let posts: Vec<PostId> = rows.filter(|row| row.reason == InboxReason::Follow).map(|row| row.post).collect();
        let inbox = &mut self.change().inbox;
        Ok(posts.into_iter().filter_map(|post| inbox.remove(&(profile, post))).count() as u64)
    }

    async fn withdraw_post(&mut self, post: PostId, from: Option<ProfileId>, chunk: u32) -> Result<DeliveredChunk> {
        self.platform_only()?;
        let rows = self.world.inbox.by(TO, (post.raw(), 0)).map(|row| row.profile);
        let readers: BTreeSet<ProfileId> = rows.filter(|profile| from.is_none_or(|from| *profile >= from)).collect();
        let mut readers = readers.into_iter();
        let now: Vec<ProfileId> = readers.by_ref().take(chunk as usize).collect();
        let inbox = &mut self.change().inbox;
        let rows = now.into_iter().filter_map(|profile| inbox.remove(&(profile, post))).count() as u64;
        Ok(DeliveredChunk { rows, next: readers.next() })
    }

    async fn add_affinity(&mut self, sums: &[(ProfileId, ProfileId, Affinity)]) -> Result<()> {
        for (viewer, author, more) in sums {
            self.may_write(&[*viewer])?;
            let stored = self.world.affinities.get(&(*viewer, *author)).map(|row| row.affinity);
            let affinity = stored.map_or(*more, |old| old.plus(*more));
            let row = AffinityRow { viewer: *viewer, author: *author, affinity };
            self.change().affinities.put(row, "feed.affinity")?;
        }
        Ok(())
    }

    async fn freeze(
        &mut self,
        session: FeedSessionId,
        viewer: ProfileId,
        list: &[(PostId, Vec<u8>)],
        at: Timestamp,
    ) -> Result<Vec<(PostId, Vec<u8>)>> {
        self.may_write(&[viewer])?;
        self.change().frozen.add(FrozenList { session, viewer, list: list.to_vec(), at }, "feed.freeze")?;
        let holds = self.world.frozen.get(&session).filter(|frozen| frozen.viewer == viewer);
        holds.map(|frozen| frozen.list.clone()).ok_or_else(|| Error::new(ErrorKind::IdCollision, "feed.freeze"))
    }

    async fn record_pages(&mut self, pages: &[PageServed]) -> Result<()> {
        self.platform_only()?;
        for page in pages {
            let last = self.world.pages.by(OF_PROFILE, (page.viewer.raw(), 0)).next_back();
            let number = last.map_or(1, |last| last.number + 1);
            self.change().pages.insert(ServedPage { number, page: page.clone() }, "feed.page")?;
        }
        Ok(())
    }
}

impl MemoryView {
    fn reach(&self, as_of: Timestamp) -> Timestamp {
        as_of - DAY * u32::from(self.shared.inbox_days)
    }
}

#[async_trait]
impl FeedReads for MemoryView {
    async fn candidates(&mut self, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>> {
        let Some(me) = self.viewer.profile() else { return Ok(Vec::new()) };
        let since = self.reach(as_of);
        let mut sources = self.world.sources(me, since);
        sources.retain(|_, (_, _, delivered_at)| *delivered_at <= as_of);
        let mut chosen: Vec<_> = sources.values().rev().take(usize::from(limit)).copied().collect();
        let older = self.world.published_before(me, since, as_of);
        let reason = |post: &Post| if post.author == me { InboxReason::Own } else { InboxReason::Follow };
        let older = older.values().rev().take(OLDER_MAX.min(usize::from(limit) - chosen.len()));
        chosen.extend(older.map(|post| (*post, reason(post), post.created_at())));
        let taken: BTreeSet<PostId> = sources.into_keys().collect();
        let mutes = |author: ProfileId| self.world.mutes.get(&(me, author)).is_some_and(|mute| mute.posts);
        let strangers = self.world.posts.iter().filter(|p| {
            let liked = self.world.post_counters(p.id).reactions > 0 && p.visibility == Visibility::Public;
            let timely = p.created_at() >= since && p.created_at() <= as_of;
            liked && timely && !taken.contains(&p.id) && !mutes(p.author) && self.world.sees(self.viewer, p)
        });
        let mut popular: Vec<&Post> = strangers.collect();
        popular.sort_by_key(|p| {
            let counters = self.world.post_counters(p.id);
            Reverse((counters.reactions + counters.comments, p.id))
        });
        popular.truncate(usize::from(limit) - chosen.len());
        chosen.extend(popular.into_iter().map(|post| (post, InboxReason::Popular, post.created_at())));
        let candidate = |(post, reason, delivered_at): (&Post, InboxReason, Timestamp)| Candidate {
            post: post.id,
            author: post.author,
            reason,
            delivered_at,
            media: post.media_kind(),
            signals: self.world.signals(me, post, as_of),
            along: None,
        };
        Ok(chosen.into_iter().map(candidate).collect())
    }

    async fn newest(&mut self, now: Timestamp, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let Some(me) = self.viewer.profile() else { return Ok(Page::empty()) };
        let since = self.reach(now);
        let mut sources: BTreeSet<PostId> = self.world.sources(me, since).into_keys().collect();
        sources.extend(self.world.published_before(me, since, Timestamp::from_micros(i64::MAX)).into_keys());
        Ok(page(sources.into_iter().rev(), after.map(Reverse), limit, |id| Reverse(*id)))
    }

    async fn count_new(&mut self, since: Timestamp) -> Result<i64> {
        let Some(me) = self.viewer.profile() else { return Ok(0) };
        let sources = self.world.sources(me, self.reach(since));
        let new = sources.values().filter(|(post, _, delivered_at)| {
            post.author != me && *delivered_at > since && self.world.follows(me, post.author)
        });
        Ok(i64::try_from(new.take(NEW_MAX).count()).unwrap_or_default())
    }

    async fn frozen(&mut self, session: FeedSessionId, now: Timestamp) -> Result<Option<Vec<(PostId, Vec<u8>)>>> {
        let frozen = self.world.frozen.get(&session).filter(|f| self.viewer.profile() == Some(f.viewer));
        Ok(frozen.filter(|f| f.at > now - FROZEN_FOR).map(|f| f.list.clone()))
    }

    async fn served_reason(&mut self, post: PostId) -> Result<Option<(Timestamp, Vec<u8>)>> {
        let Some(me) = self.viewer.profile() else { return Ok(None) };
        let pages = self.world.pages.by(OF_PROFILE, (me.raw(), 0)).map(|p| &p.page);
        let reasons = pages.flat_map(|page| page.items.iter().map(move |(id, reason)| (page.at, id, reason)));
        let latest = reasons.filter(|(_, id, _)| **id == post).max_by_key(|(at, ..)| *at);
        Ok(latest.map(|(at, _, reason)| (at, reason.clone())))
    }
}
