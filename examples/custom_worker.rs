//! A worker of one's own: a consumer that greets everybody who joins, run beside the platform's own consumers or alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use daira_core::actor::Actor;
use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::port::{Delivered, Group, Ports, UnitOfWork};
use daira_core::proto::event::v1;
use daira_worker::{Consumer, Runner};

/// Greets new people. Effects that go into the unit happen once; what leaves the process, such as a printed line, may
/// happen again after a crash.
#[derive(Default, Clone)]
struct Greeter {
    greeted: Arc<AtomicUsize>,
}

#[async_trait]
impl Consumer for Greeter {
    fn group(&self) -> Group {
        Group { name: "greeter", topics: &["daira.account.v1"], rebuilds: false }
    }

    async fn apply(&self, events: &[Delivered], _unit: &mut dyn UnitOfWork) -> Result<()> {
        for delivered in events {
            if let Event::ProfileCreated(created) = &delivered.event {
                println!("ahlan wa sahlan, profile {}", created.profile_id);
                self.greeted.fetch_add(1, Ordering::SeqCst);
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let ports = Ports::in_memory();
    // What a registration would append; a real worker connects to a store where others do.
    let joined = ports.transact(&Actor::System("example"), |mut unit| {
        Box::pin(async move { unit.journal().append(&[v1::ProfileCreated { profile_id: 42 }.into()]).await })
    });
    joined.await?;

    let greeter = Greeter::default();
    // For ever, until told to stop: `Runner::new(ports).consumer(greeter).run(shutdown).await`.
    Runner::new(ports).consumer(greeter.clone()).run_until_idle().await?;
    assert_eq!(greeter.greeted.load(Ordering::SeqCst), 1);
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
