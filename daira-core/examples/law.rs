//! Holds a store to the law of visibility over random worlds; here the one in memory, yours in its place.
//!
//! `cargo run -p daira-core --features testkit --example law`. `cargo xtask mutants` runs it over broken policies.

use std::sync::Arc;

use daira_core::memory::ManualClock;
use daira_core::port::Ports;
use daira_core::testkit::law;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let ports = Ports::in_memory_at(Arc::new(ManualClock::default()), 1);
    let tally = law::check(&ports, 2_026, 100_000).await;
    println!("the law holds: {} pairs of a viewer and a thing in {} towns", tally.pairs, tally.towns);
}
