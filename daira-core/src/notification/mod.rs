//! Notifications: made by events, grouped when read, with a read marker.
//!
//! `model` holds the types, `plan` turns events into notifications (pure), `service` reads them and moves the marker, `text`
//! puts a group into words.

mod model;
mod plan;
mod service;
mod text;

pub use model::{GroupPosition, Notification, NotificationGroup, NotificationKind};
pub use plan::plan;
pub use service::NotificationService;
pub use text::line;
