//! Use cases of notifications: reading them in groups, watching for new ones, counting the unread, moving the read marker.

use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::{GroupPosition, News, Notification, NotificationGroup};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::Result;
use crate::idempotency::IdempotencyKey;
use crate::page::{Connection, Limit};
use crate::port::store::Access;
use crate::port::{Heard, Ports, ReadView, Subscription, Topic, hint};
use crate::time::Timestamp;

/// How often somebody who watches looks unasked: what they were to be told may have been lost.
pub const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How long news are gathered before they are looked at: whoever is popular is not told one by one.
const GATHER: Duration = Duration::from_millis(100);
/// Within how long those who may have missed something look: not all of them at the same moment.
const SPREAD: Duration = Duration::from_secs(2);
/// How long what was looked at is told: after that it is looked at again, under the rules of that moment.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// How long an event may take from its instant until its notifications are there, a consumer's pauses after failures
/// included, and clocks may differ.
pub const OVERLAP: Duration = Duration::from_mins(2);
/// The most groups that are looked at.
const LOOK_AT: i64 = 50;

/// Notifications. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct NotificationService {
    ports: Ports,
}

impl NotificationService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The actor's groups, newest first, frozen at the instant of the first page: what comes later neither pushes nor
    /// repeats. The view must be the actor's.
    ///
    /// # Errors
    /// Nobody is logged in, or a cursor that is none of this list.
    pub async fn list(
        &self,
        actor: &Actor,
        view: &mut dyn ReadView,
        after: Option<&str>,
        limit: Limit,
    ) -> Result<Connection<NotificationGroup>> {
        let cursors = &self.ports.keys.cursors;
        let list = format!("notification/groups/{}", actor.member()?.profile);
        let position = match cursors.after(&list, after)? {
            None => GroupPosition { as_of: self.ports.clock.now(), after: None },
            Some([as_of, at, event]) => {
                GroupPosition { as_of: Timestamp::from_micros(as_of), after: Some((Timestamp::from_micros(at), event)) }
            }
        };
        let page = view.notifications().groups(position, limit).await?;
        let as_of = position.as_of.as_micros();
        Ok(page.connect(cursors, &list, |group| [as_of, group.latest_at.as_micros(), group.latest_event]))
    }

    /// The actor's groups that grow from now on, or grew since an instant, as they are then under today's rules: what the
    /// actor may not see (any more) is not told. What is committed is told within a moment where nodes hear each other, and
    /// within [`LOOK_EVERY`] in any case. What came within [`OVERLAP`] before the instant is told as well: it may have been
    /// committed after. Of more than 50 groups that grew at once the newest are told; whoever comes back
    /// after a long time reads the list.
    ///
    /// # Errors
    /// Nobody is logged in. In the stream, the store's; it goes on after them.
    pub async fn watch(
        &self,
        actor: &Actor,
        since: Option<Timestamp>,
    ) -> Result<BoxStream<'static, Result<NotificationGroup>>> {
        let me = actor.member()?.profile;
        // Listening begins before the first look, so that nothing falls between them.
        let told = self.ports.pubsub.subscribe(Topic::Notifications(me)).await;
        let mut watch = Watch {
            ports: self.ports.clone(),
            actor: actor.clone(),
            told,
            news: News::since(since.map(|since| since - OVERLAP)),
            ready: VecDeque::new(),
            looked: Timestamp::EPOCH,
        };
        watch.look().await?;
        let watched = stream::unfold(watch, |mut watch| async {
            let next = watch.next().await;
            Some((next, watch))
        });
        Ok(watched.boxed())
    }

    /// Lets those who watch look: to be called when notifications are committed.
    ///
    /// # Errors
    /// When it cannot be told now; whoever watches looks after a while all the same.
    pub async fn tell(&self, added: &[Notification]) -> Result<()> {
        let mut people: Vec<_> = added.iter().map(|notification| notification.recipient).collect();
        people.sort_unstable();
        people.dedup();
        let messages: Vec<_> = people.into_iter().map(|to| (Topic::Notifications(to), Bytes::new())).collect();
        hint(&*self.ports.pubsub, &messages).await
    }

    /// How many groups are unread, at most 100, which stands for that many or more: show it as "99+". The view must be the
    /// actor's.
    ///
    /// # Errors
    /// Nobody is logged in.
    pub async fn unread(&self, actor: &Actor, view: &mut dyn ReadView) -> Result<i64> {
        actor.member()?;
        view.notifications().unread().await
    }

    /// Moves the read marker forward to an instant, for instance the latest of the newest group seen; to now without one. It
    /// never moves back, and never ahead of now, so that what is still to come stays unread.
    ///
    /// # Errors
    /// Nobody is logged in.
    pub async fn mark_read(&self, actor: &Actor, up_to: Option<Timestamp>, key: Option<IdempotencyKey>) -> Result<()> {
        let me = actor.member()?.profile;
        let keyed = keyed("notification.mark_read", key, &up_to);
        let clock = &self.ports.clock;
        self.ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    unit.notifications().mark_read(me, up_to.map_or(now, |up_to| up_to.min(now))).await
                })
            })
            .await
    }
}

/// Somebody who watches.
struct Watch {
    ports: Ports,
    actor: Actor,
    told: Box<dyn Subscription>,
    news: News,
    ready: VecDeque<NotificationGroup>,
    looked: Timestamp,
}

impl Watch {
    async fn next(&mut self) -> Result<NotificationGroup> {
        loop {
            if self.ports.clock.now().since(self.looked) > GOOD_FOR && !self.ready.is_empty() {
                self.look().await?;
            }
            if let Some(group) = self.ready.pop_front() {
                return Ok(group);
            }
            let heard = self.told.next(LOOK_EVERY).await;
            match heard {
                Heard::Message(_) => futures_timer::Delay::new(GATHER).await,
                Heard::Gap => futures_timer::Delay::new(self.some_of(SPREAD)).await,
                Heard::Silence => {}
            }
            // What was said meanwhile is looked at now.
            while !matches!(self.told.next(Duration::ZERO).await, Heard::Silence) {}
            self.look().await?;
        }
    }

    /// A part of a while, by chance.
    fn some_of(&self, whole: Duration) -> Duration {
        whole.mul_f64(f64::from(u16::from_be_bytes(self.ports.ids.bytes())) / f64::from(u16::MAX))
    }

    /// Reads the newest groups; what is new of them is ready then.
    async fn look(&mut self) -> Result<()> {
        let now = self.ports.clock.now();
        let position = GroupPosition { as_of: now + OVERLAP, after: None };
        let mut view = self.ports.store.read(&self.actor, Access::Read).await?;
        let page = view.notifications().groups(position, Limit::new(LOOK_AT)?).await?;
        // What waited to be told and is not there any more, is not told.
        let waiting: Vec<_> = self.ready.drain(..).map(|group| (group.kind, group.post, group.comment)).collect();
        let news = self.news.update(&page.items, !page.has_next);
        let is_new = |group: &NotificationGroup| {
            waiting.contains(&(group.kind, group.post, group.comment)) || news.contains(group)
        };
        self.ready.extend(page.items.into_iter().rev().filter(is_new));
        self.looked = now;
        Ok(())
    }
}
