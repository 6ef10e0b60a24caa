//! Notifications: made by events, grouped when read, with a read marker.
//!
//! `model` holds the types, `plan` turns events into notifications (pure), `service` reads them and moves the marker.

mod model;

pub use model::{GroupPosition, Notification, NotificationGroup, NotificationKind};
