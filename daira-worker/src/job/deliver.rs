//! The job that hands over what is due to people outside: what was refused before, and what nobody came to.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::account::AccountService;
use daira_core::error::Result;

use crate::runner::Job;

/// Hands over what is due.
#[derive(Debug, Clone, Copy)]
pub struct Deliver;

#[async_trait]
impl Job for Deliver {
    fn name(&self) -> &'static str {
        "deliver"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        AccountService::new(ports.clone()).deliver_due().await.map(drop)
    }
}
