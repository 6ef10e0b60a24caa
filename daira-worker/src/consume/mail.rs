//! Mail: notes what registrations wait for and what else is due to people outside, and hands it over once that is certain. What
//! cannot be handed over for now is the [`Deliver`](crate::job::Deliver) job's.

use std::sync::Arc;

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::account::{AccountService, Due};
use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::{ChallengeId, Id, SessionId};
use daira_core::port::{Clock, Delivered, Group, UnitOfWork};

use crate::runner::Consumer;

/// Sends mails.
#[derive(Clone)]
pub struct Mail {
    accounts: AccountService,
    clock: Arc<dyn Clock>,
}

impl core::fmt::Debug for Mail {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

impl Mail {
    /// Its group.
    pub const GROUP: Group = Group { name: "mail", topics: &["daira.account.v1"], rebuilds: false };

    /// Over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { accounts: AccountService::new(ports.clone()), clock: ports.clock.clone() }
    }
}

#[async_trait]
impl Consumer for Mail {
    fn group(&self) -> Group {
        Self::GROUP
    }

    async fn apply(&self, events: &[Delivered], unit: &mut dyn UnitOfWork) -> Result<()> {
        let now = self.clock.now();
        for due in events.iter().filter_map(|delivered| due(&delivered.event)) {
            unit.deliveries().put_delivery(due, now).await?;
        }
        Ok(())
    }

    async fn committed(&self, events: &[Delivered], _ports: &Ports) {
        if events.iter().any(|delivered| due(&delivered.event).is_some())
            && let Err(error) = self.accounts.deliver_due().await
        {
            tracing::warn!(?error, "what is due could not be handed over; the job will");
        }
    }
}

/// What an event makes due to somebody outside.
fn due(event: &Event) -> Option<Due> {
    match event {
        Event::RegistrationOpened(e) => Some(Due::Registration(ChallengeId::from_raw(e.registration_id))),
        Event::MailDue(e) => Some(Due::Mailing(ChallengeId::from_raw(e.mailing_id))),
        Event::SessionRevoked(e) if e.reason == "refresh_reused" => {
            Some(Due::CopyNotice(SessionId::from_raw(e.session_id)))
        }
        Event::DeviceSeen(e) => Some(Due::DeviceNotice(SessionId::from_raw(e.session_id))),
        _ => None,
    }
}
