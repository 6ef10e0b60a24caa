//! Notifications: insert-only rows, grouped when read, with one read marker per profile.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::ProfileId;
use crate::notification::{GroupPosition, Notification, NotificationGroup};
use crate::page::{Limit, Page};
use crate::time::Timestamp;

/// Changes notifications.
#[async_trait]
pub trait NotificationRepository: Send {
    /// Adds notifications; one that stands already (same recipient and source event) is left as it is. Recipients who
    /// block or mute the person acting, or are blocked by them, get none. For the platform's own actors only.
    async fn insert(&mut self, notifications: &[Notification]) -> Result<u64>;
    /// Moves the actor's read marker forward, never back.
    async fn mark_read(&mut self, profile: ProfileId, up_to: Timestamp) -> Result<()>;
}

/// Looks at the actor's own notifications. Those whose cause is gone or hidden by now are left out: who did it, the post
/// and the comment must be visible, and the follow, the request, the reaction or the mention must stand.
#[async_trait]
pub trait NotificationReads: Send {
    /// Groups, newest first, frozen at the position's `as_of` so that late ones neither push nor repeat.
    async fn groups(&mut self, position: GroupPosition, limit: Limit) -> Result<Page<NotificationGroup>>;
    /// How many groups are unread, at most 100. It is the number of lines that the list marks, not of what made them.
    async fn unread(&mut self) -> Result<i64>;
}
