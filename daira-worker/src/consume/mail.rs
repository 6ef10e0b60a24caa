//! Mail: sends what registrations wait for and what else is due. A mail is sent at least once; the same one gives the same
//! code, so a second copy does no harm.

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::account::AccountService;
use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::{ChallengeId, Id, SessionId};
use daira_core::port::{Delivered, Group, UnitOfWork};

use crate::runner::Consumer;

/// Sends mails.
#[derive(Debug, Clone)]
pub struct Mail {
    accounts: AccountService,
}

impl Mail {
    /// Its group.
    pub const GROUP: Group = Group { name: "mail", topics: &["daira.account.v1"], rebuilds: false };

    /// Over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { accounts: AccountService::new(ports.clone()) }
    }
}

#[async_trait]
impl Consumer for Mail {
    fn group(&self) -> Group {
        Self::GROUP
    }

    async fn apply(&self, events: &[Delivered], unit: &mut dyn UnitOfWork) -> Result<()> {
        for delivered in events {
            match &delivered.event {
                Event::RegistrationOpened(e) => {
                    self.accounts.deliver_registration_mail(ChallengeId::from_raw(e.registration_id)).await?;
                }
                Event::MailDue(e) => {
                    self.accounts.deliver_mailing(unit, ChallengeId::from_raw(e.mailing_id)).await?;
                }
                Event::SessionRevoked(e) if e.reason == "refresh_reused" => {
                    self.accounts.deliver_copy_notice(unit, SessionId::from_raw(e.session_id)).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
