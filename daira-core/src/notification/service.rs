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
use crate::port::{Heard, Ports, ReadView, Subscription, Topic};
use crate::time::Timestamp;

/// How often somebody who watches looks unasked: what they were to be told may have been lost.
pub const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How long news are gathered before they are looked at: whoever is popular is not told one by one.
const GATHER: Duration = Duration::from_millis(100);
/// How long an event may take from its instant until its notifications are there, or clocks may differ.
pub const OVERLAP: Duration = Duration::from_secs(5);
/// The most messages that are gathered.
const GATHER_MOST: usize = 16;
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
        self.ports.pubsub.publish(&messages).await
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
}

impl Watch {
    async fn next(&mut self) -> Result<NotificationGroup> {
        loop {
            if let Some(group) = self.ready.pop_front() {
                return Ok(group);
            }
            if matches!(self.told.next(LOOK_EVERY).await, Heard::Message(_)) {
                for _ in 0..GATHER_MOST {
                    if !matches!(self.told.next(GATHER).await, Heard::Message(_)) {
                        break;
                    }
                }
            }
            self.look().await?;
        }
    }

    /// Reads the newest groups; what is new of them is ready then.
    async fn look(&mut self) -> Result<()> {
        let position = GroupPosition { as_of: self.ports.clock.now() + OVERLAP, after: None };
        let mut view = self.ports.store.read(&self.actor, Access::Read).await?;
        let page = view.notifications().groups(position, Limit::new(LOOK_AT)?).await?;
        self.ready.extend(self.news.update(&page.items, !page.has_next));
        Ok(())
    }
}
