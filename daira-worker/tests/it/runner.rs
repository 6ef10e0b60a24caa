//! What the runner does when consumers fail, panic, or are told to stop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use daira_core::Actor;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::event::Event;
use daira_core::port::{Delivered, Group, Ports, UnitOfWork};
use daira_core::proto::event::v1;
use daira_worker::{Consumer, Job, Runner, RunnerSettings};
use tokio_util::sync::CancellationToken;

const GROUP: Group = Group { name: "test", topics: &["daira.account.v1"], rebuilds: false };

/// Remembers what it got; fails or panics at chosen keys.
#[derive(Clone, Default)]
struct Picky {
    got: Arc<Mutex<Vec<i64>>>,
    calls: Arc<AtomicUsize>,
    refuses: Option<i64>,
    panics: Option<i64>,
}

#[async_trait]
impl Consumer for Picky {
    fn group(&self) -> Group {
        GROUP
    }

    async fn apply(&self, events: &[Delivered], _unit: &mut dyn UnitOfWork) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let keys: Vec<i64> = events.iter().map(|e| e.envelope.key).collect();
        assert!(!keys.iter().any(|k| Some(*k) == self.panics), "told to panic");
        if keys.iter().any(|k| Some(*k) == self.refuses) {
            return Err(Error::new(ErrorKind::Internal, "test.refused"));
        }
        self.got.lock().unwrap().extend(keys);
        Ok(())
    }
}

pub(crate) async fn happen(ports: &Ports, keys: &[i64]) {
    let events: Vec<Event> = keys.iter().map(|k| v1::ProfileChanged { profile_id: *k }.into()).collect();
    let events = &events;
    let append =
        ports.transact(&Actor::System("test"), |mut unit| Box::pin(async move { unit.journal().append(events).await }));
    append.await.unwrap();
}

#[tokio::test]
async fn security_91_poison_goes_to_the_dead_letters_and_others_go_on() {
    let ports = Ports::in_memory();
    happen(&ports, &[1, 2, 3, 2, 4]).await;
    let picky = Picky { refuses: Some(2), ..Picky::default() };
    Runner::new(ports.clone()).consumer(picky.clone()).run_until_idle().await.unwrap();
    assert_eq!(*picky.got.lock().unwrap(), [1, 3, 4]);
    let dead = ports.bus.dead_letters("test", None, 10).await.unwrap();
    assert_eq!(dead.iter().map(|d| (d.key, d.parked)).collect::<Vec<_>>(), [(2, false), (2, true)]);
    let [letter, parked] = dead.as_slice() else { panic!("two letters") };
    assert_eq!((letter.group.as_str(), letter.kind.as_str()), ("test", "daira.account.v1.profile_changed"));
    assert_eq!(letter.decode().unwrap(), v1::ProfileChanged { profile_id: 2 }.into(), "all that happened is kept");
    assert!(letter.reason.contains("test.refused") && parked.reason.contains("waits"), "{letter:?} {parked:?}");
    assert!(letter.attempts > 1 && letter.time <= letter.at);

    let cured = Picky::default();
    assert!(ports.bus.replay("test", dead[0].event).await.unwrap());
    Runner::new(ports.clone()).consumer(cured.clone()).run_until_idle().await.unwrap();
    assert_eq!(*cured.got.lock().unwrap(), [2, 2], "in order");
    assert!(ports.bus.dead_letters("test", None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_panic_is_a_failure_and_the_process_lives() {
    let ports = Ports::in_memory();
    happen(&ports, &[7, 8]).await;
    let picky = Picky { panics: Some(7), ..Picky::default() };
    Runner::new(ports.clone()).consumer(picky.clone()).run_until_idle().await.unwrap();
    assert_eq!(*picky.got.lock().unwrap(), [8]);
    assert_eq!(ports.bus.dead_letters("test", None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn security_91_a_batch_is_tried_again_before_anything_is_buried_and_shutdown_drains() {
    let ports = Ports::in_memory();
    happen(&ports, &[5]).await;
    let picky = Picky { refuses: Some(5), ..Picky::default() };
    let mut settings = RunnerSettings::default();
    (settings.tries, settings.pause) = (2, Duration::from_millis(1));
    let mut registry = prometheus_client::registry::Registry::default();
    let runner = Runner::new(ports.clone()).consumer(picky.clone()).settings(settings).measured_by(&mut registry);
    let stop = CancellationToken::new();
    let running = tokio::task::JoinSet::from_iter([runner.run(stop.clone())]);
    while ports.bus.dead_letters("test", None, 10).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    running.join_all().await;
    assert_eq!(picky.calls.load(Ordering::SeqCst), 3, "twice as a batch, once alone");
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("daira_worker_batch_failures_total{group=\"test\"} 2"), "{text}");
}

struct Once(Arc<AtomicUsize>);

#[async_trait]
impl Job for Once {
    fn name(&self) -> &'static str {
        "once"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, _ports: &Ports) -> Result<()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_job_runs_once_over_all_processes() {
    let ports = Ports::in_memory();
    let runs = Arc::new(AtomicUsize::new(0));
    let stop = CancellationToken::new();
    let two = (0..2).map(|_| Runner::new(ports.clone()).job(Once(runs.clone())).run(stop.clone()));
    let running: tokio::task::JoinSet<()> = two.collect();
    while runs.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.cancel();
    running.join_all().await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
