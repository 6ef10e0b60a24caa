//! Notifications: tells people what others did. The plan is the kernel's; this stores it, once per recipient and event.

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::error::Result;
use daira_core::notification::{Notification, NotificationService, plan};
use daira_core::port::{Delivered, Group, UnitOfWork};

use crate::runner::Consumer;

/// Makes notifications of events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notifications;

impl Notifications {
    /// Its group.
    pub const GROUP: Group = Group {
        name: "notifications",
        topics: &["daira.graph.v1", "daira.post.v1", "daira.comment.v1", "daira.reaction.v1"],
        rebuilds: false,
    };
}

#[async_trait]
impl Consumer for Notifications {
    fn group(&self) -> Group {
        Self::GROUP
    }

    async fn apply(&self, events: &[Delivered], unit: &mut dyn UnitOfWork) -> Result<()> {
        let planned = planned(events);
        if !planned.is_empty() {
            unit.notifications().insert(&planned).await?;
        }
        Ok(())
    }

    async fn committed(&self, events: &[Delivered], ports: &Ports) {
        if let Err(error) = NotificationService::new(ports.clone()).tell(&planned(events)).await {
            tracing::warn!(?error, "whoever watches notifications could not be told and looks later");
        }
    }
}

fn planned(events: &[Delivered]) -> Vec<Notification> {
    events.iter().flat_map(|delivered| plan(&delivered.envelope, &delivered.event)).collect()
}
