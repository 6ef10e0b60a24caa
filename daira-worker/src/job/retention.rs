//! The job that lets go of what is past its time. What that is and how long it is kept is one table of the kernel
//! ([`Kept`]).

use core::time::Duration;

use async_trait::async_trait;
use daira_core::Ports;
use daira_core::error::Result;
use daira_core::record::{Kept, RetentionService};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::runner::Job;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

/// Lets go of what is past its time.
#[derive(Debug, Clone, Default)]
pub struct Retention {
    gone: Family<What, Counter>,
}

#[async_trait]
impl Job for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(10)
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("daira_retention_gone", "Rows that were past their time and went", self.gone.clone());
    }

    async fn run(&self, ports: &Ports) -> Result<()> {
        let service = RetentionService::new(ports.clone());
        let mut outcome = Ok(());
        for what in Kept::ALL {
            // One that fails keeps no other from going.
            match service.let_go(*what).await {
                Ok(0) => {}
                Ok(gone) => {
                    self.gone.get_or_create(&What { what: what.code() }).inc_by(gone);
                    tracing::info!(what = what.code(), gone, "what was past its time went");
                }
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }
}
