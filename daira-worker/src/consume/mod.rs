//! The platform's own consumers. Each is one group of the event log; [`all`] is the visible list.

mod counters;
mod fan_out;
mod mail;
mod notifications;

use daira_core::Ports;

pub use counters::{AFFINITY_OF_COMMENT, AFFINITY_OF_FOLLOW, AFFINITY_OF_REACTION, Counters, deltas};
pub use fan_out::FanOut;
pub use mail::Mail;
pub use notifications::Notifications;

use daira_core::port::Group;

use crate::runner::Runner;

/// The groups of all of them.
pub const GROUPS: [Group; 4] = [FanOut::GROUP, Counters::GROUP, Notifications::GROUP, Mail::GROUP];

/// Adds all of them to a runner.
#[must_use]
pub fn all(runner: Runner, ports: &Ports) -> Runner {
    runner.consumer(FanOut::new(ports)).consumer(Counters).consumer(Notifications).consumer(Mail::new(ports))
}
