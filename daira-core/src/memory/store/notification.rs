//! Notifications in memory.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::rows::{OF_PROFILE, ReadMarker};
use super::table::page;
use super::world::{Viewer, World};
use super::{MemoryUnit, MemoryView};
use crate::error::Result;
use crate::id::{CommentId, Id, PostId, ProfileId};
use crate::notification::{GroupPosition, Notification, NotificationGroup, NotificationKind};
use crate::page::{Limit, Page};
use crate::port::store::{NotificationReads, NotificationRepository};
use crate::reaction::Target;
use crate::time::Timestamp;

/// The most that the unread count tells.
const UNREAD_MAX: i64 = 100;
/// How many people a group names.
const NAMED: usize = 3;

/// What notifications of one group have in common.
type Thing = (NotificationKind, Option<PostId>, Option<CommentId>);

fn thing(told: &Notification) -> Thing {
    (told.kind, told.post, told.comment)
}

impl World {
    /// Whether what a notification tells of still is so: the edge, the reaction, the mention, the words themselves.
    fn stands(&self, viewer: Viewer, told: &Notification) -> bool {
        let (me, them) = (told.recipient, told.actor);
        let cause = match told.kind {
            NotificationKind::Followed => self.follows(them, me),
            NotificationKind::FollowRequested => self.requests.has(&(them, me)),
            NotificationKind::FollowApproved => self.follows(me, them),
            NotificationKind::Reacted => {
                let target = told.comment.map(Target::Comment).or(told.post.map(Target::Post));
                target.is_some_and(|target| self.reactions.has(&(them, target)))
            }
            NotificationKind::Mentioned => {
                told.post.and_then(|id| self.posts.get(&id)).is_some_and(|post| post.mentions.contains(&me))
            }
            NotificationKind::Commented | NotificationKind::Replied => told.comment.is_some(),
        };
        cause
            && self.seen_profile(viewer, them).is_some()
            && told.post.is_none_or(|id| self.seen_post(viewer, id).is_some())
            && told.comment.is_none_or(|id| self.seen_comment(viewer, id).is_some())
    }

    fn read_up_to(&self, profile: ProfileId) -> Timestamp {
        self.markers.get(&profile).map_or(Timestamp::from_micros(i64::MIN), |marker| marker.up_to)
    }
}

#[async_trait]
impl NotificationRepository for MemoryUnit {
    async fn insert(&mut self, notifications: &[Notification]) -> Result<u64> {
        self.platform_only()?;
        let mut new = 0;
        for told in notifications {
            let profiles = &self.world.profiles;
            let (Some(me), Some(them)) = (profiles.get(&told.recipient), profiles.get(&told.actor)) else { continue };
            let relation = self.world.relation(me, them);
            if relation.blocked() || relation.mutes_notifications {
                continue;
            }
            new += u64::from(self.change().notifications.add(*told, "notification.insert")?);
        }
        Ok(new)
    }

    async fn mark_read(&mut self, profile: ProfileId, up_to: Timestamp) -> Result<()> {
        self.may_write(&[profile])?;
        let up_to = up_to.max(self.world.read_up_to(profile));
        self.change().markers.put(ReadMarker { profile, up_to }, "notification.mark").map(drop)
    }
}

impl MemoryView {
    /// The viewer's notifications that still stand, newest first.
    fn told(&self) -> Vec<&Notification> {
        let Some(me) = self.viewer.profile() else { return Vec::new() };
        let all = self.world.notifications.by(OF_PROFILE, (me.raw(), 0));
        let mut told: Vec<_> = all.filter(|told| self.world.stands(self.viewer, told)).collect();
        told.sort_by_key(|told| Reverse((told.at, told.event)));
        told
    }
}

#[async_trait]
impl NotificationReads for MemoryView {
    async fn groups(&mut self, position: GroupPosition, limit: Limit) -> Result<Page<NotificationGroup>> {
        let Some(me) = self.viewer.profile() else { return Ok(Page::empty()) };
        let read = self.world.read_up_to(me);
        let mut things: BTreeMap<Thing, Vec<&Notification>> = BTreeMap::new();
        for told in self.told().into_iter().filter(|told| told.at <= position.as_of) {
            things.entry(thing(told)).or_default().push(told);
        }
        let groups = things.into_iter().filter_map(|((kind, post, comment), told)| {
            let latest = told.first()?;
            let mut people = BTreeSet::new();
            let mut actors: Vec<ProfileId> =
                told.iter().map(|t| t.actor).filter(|actor| people.insert(*actor)).collect();
            actors.truncate(NAMED);
            let count = i64::try_from(people.len()).unwrap_or(i64::MAX);
            let (latest_at, latest_event) = (latest.at, latest.event);
            Some(NotificationGroup {
                kind,
                post,
                comment,
                actors,
                count,
                latest_at,
                latest_event,
                unread: latest_at > read,
            })
        });
        let order = |group: &NotificationGroup| Reverse((group.latest_at, group.latest_event));
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(order);
        Ok(page(groups.into_iter(), position.after.map(Reverse), limit, order))
    }

    async fn unread(&mut self) -> Result<i64> {
        let Some(me) = self.viewer.profile() else { return Ok(0) };
        let read = self.world.read_up_to(me);
        let unread = self.told().into_iter().filter(|told| told.at > read);
        let groups: BTreeSet<Thing> = unread.map(thing).collect();
        Ok(i64::try_from(groups.len()).unwrap_or(UNREAD_MAX).min(UNREAD_MAX))
    }
}
