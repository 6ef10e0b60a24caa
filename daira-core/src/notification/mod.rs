//! Notifications: made by events, grouped when read, with a read marker.
//!
//! `model` holds the types, `plan` turns events into notifications (pure), `news` says what is new for somebody who watches
//! (pure), `service` reads, watches and moves the marker, `text` puts a group into words.

mod model;
mod news;
mod plan;
mod service;
mod text;

pub use model::{GroupPosition, Notification, NotificationGroup, NotificationKind};
pub use news::News;
pub use plan::plan;
pub use service::{LOOK_EVERY, NotificationService, OVERLAP};
pub use text::line;
