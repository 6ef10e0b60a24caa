//! Fan-out: brings posts into the inboxes of followers, and takes them out again.
//!
//! A post is delivered in chunks of followers, one statement each, in the transaction that moves the group's position.
//! Taking out is clean-up only: a reader's feed counts an inbox row only while the edge that it came by still stands, so
//! that an unfollow which overtakes a delivery in another lane changes nothing.

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::Actor;
use daira_core::Ports;
use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::{Id, PostId, ProfileId};
use daira_core::port::store::Lock;
use daira_core::port::{Delivered, Group, UnitOfWork};
use daira_core::post::Delivery;
use daira_core::settings::Settings;
use daira_core::time::Timestamp;

use crate::runner::Consumer;

/// Followers served by one statement.
const CHUNK: u32 = 1_000;
/// Posts delivered in one unit of a rebuild.
const REBUILD_POSTS: u32 = 50;

/// Delivers posts to inboxes.
#[derive(Debug, Clone)]
pub struct FanOut {
    settings: Arc<Settings>,
}

impl FanOut {
    /// Its group.
    pub const GROUP: Group = Group { name: "fan-out", topics: &["daira.post.v1", "daira.graph.v1"], rebuilds: true };

    /// With the product's numbers of these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { settings: ports.settings.clone() }
    }

    async fn backfill(
        &self,
        unit: &mut dyn UnitOfWork,
        follower: ProfileId,
        followee: ProfileId,
        at: Timestamp,
    ) -> Result<()> {
        let since = at - Duration::from_hours(24 * u64::from(self.settings.inbox_days));
        unit.feed().backfill(follower, followee, since, self.settings.backfill_posts, at).await?;
        Ok(())
    }
}

/// Delivers a post that is to be pushed to all followers who may see it.
async fn deliver(unit: &mut dyn UnitOfWork, post: PostId, at: Timestamp) -> Result<()> {
    let mut from = None;
    loop {
        from = unit.feed().deliver(post, from, CHUNK, at).await?.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

async fn withdraw(unit: &mut dyn UnitOfWork, post: PostId) -> Result<()> {
    let mut from = None;
    loop {
        from = unit.feed().withdraw_post(post, from, CHUNK).await?.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

#[async_trait]
impl Consumer for FanOut {
    fn group(&self) -> Group {
        Self::GROUP
    }

    async fn apply(&self, events: &[Delivered], unit: &mut dyn UnitOfWork) -> Result<()> {
        for delivered in events {
            let at = delivered.envelope.time;
            match &delivered.event {
                Event::PostCreated(e) if !e.pull => deliver(unit, PostId::from_raw(e.post_id), at).await?,
                Event::PostRestored(e) if !e.pull => deliver(unit, PostId::from_raw(e.post_id), at).await?,
                Event::PostDeleted(e) => withdraw(unit, PostId::from_raw(e.post_id)).await?,
                Event::PostEdited(e) if e.visibility_changed => {
                    let post = PostId::from_raw(e.post_id);
                    withdraw(unit, post).await?;
                    if unit.posts().post(post, Lock::None).await?.is_some_and(|post| post.delivery == Delivery::Push) {
                        deliver(unit, post, at).await?;
                    }
                }
                Event::Followed(e) => {
                    self.backfill(unit, ProfileId::from_raw(e.follower_id), ProfileId::from_raw(e.followee_id), at)
                        .await?;
                }
                Event::Unfollowed(e) => {
                    unit.feed()
                        .withdraw_author(ProfileId::from_raw(e.follower_id), ProfileId::from_raw(e.followee_id))
                        .await?;
                }
                Event::Blocked(e) => {
                    let (blocker, blocked) = (ProfileId::from_raw(e.blocker_id), ProfileId::from_raw(e.blocked_id));
                    unit.feed().withdraw_author(blocker, blocked).await?;
                    unit.feed().withdraw_author(blocked, blocker).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn rebuild(&self, ports: &Ports) -> Result<()> {
        let now = ports.clock.now();
        let window = now - Duration::from_hours(24 * u64::from(self.settings.inbox_days));
        let mut after = PostId::from_raw(daira_core::id::floor(window));
        loop {
            let posts = ports.maintenance.pushed_posts(after, REBUILD_POSTS).await?;
            let Some(last) = posts.last() else { return Ok(()) };
            after = *last;
            let posts = &posts;
            ports
                .transact(&Actor::System("fan-out"), |mut unit| {
                    Box::pin(async move {
                        for post in posts {
                            deliver(&mut *unit, *post, now).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
    }
}
