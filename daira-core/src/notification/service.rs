//! Use cases of notifications: reading them in groups, counting the unread, moving the read marker.

use super::{GroupPosition, NotificationGroup};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::Result;
use crate::idempotency::IdempotencyKey;
use crate::page::{Connection, Limit};
use crate::port::{Ports, ReadView};
use crate::time::Timestamp;

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
