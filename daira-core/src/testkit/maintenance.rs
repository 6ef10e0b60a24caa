//! The kit of [`Maintenance`](crate::port::Maintenance): partitions, expiry, snapshots and jobs.

use core::time::Duration;

use super::fixture::{Fixture, PLATFORM, Writing, limit};
use crate::error::ErrorKind;
use crate::event::Event;
use crate::id::{Id, PostId};
use crate::idempotency::{Claim, IdempotencyKey, Keyed};
use crate::port::store::CounterField;
use crate::port::{BackfillState, Group, JobOutcome, Ports};
use crate::proto::event::v1;

super::kit! { $
    /// Runs the [`maintenance`](crate::testkit::maintenance) kit on an adapter: `maintenance_kit!(name, ports)`.
    maintenance_kit, "maintenance", single {
        maintenance: partitions_are_made_ahead, what_is_young_does_not_expire, a_snapshot_holds_what_is_outstanding,
            a_snapshot_stands_still, a_snapshot_overwrites_nothing, pushed_posts_go_by_id, a_job_is_run_by_one,
            a_job_is_due_again_after_a_while, a_failed_job_may_run_at_once, a_dead_owner_loses_the_job, a_living_owner_keeps_the_job,
            backfills_pause_and_go_on;
    }
}

const POSTS: Group = Group { name: "kit-posts", topics: &["daira.post.v1"], rebuilds: true };
const HOUR: Duration = Duration::from_hours(1);

fn event(key: i64) -> Event {
    v1::PostDeleted { post_id: key, author_id: 1, open: true }.into()
}

async fn emit(ports: &Ports, key: i64) {
    let event = &[event(key)];
    ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.journal().append(event).await })).await.unwrap();
}

/// A back-fill that is paused is left alone, and goes on to its end when it may; whoever comes then finds nothing to do.
pub async fn backfills_pause_and_go_on(ports: &Ports) {
    let upkeep = &ports.maintenance;
    let all = upkeep.backfills().await.unwrap();
    for fill in &all {
        assert_eq!((fill.rows, fill.state), (0, BackfillState::Running), "{}", fill.name);
        assert!(upkeep.pause_backfill(&fill.name, true).await.unwrap());
    }
    assert!(!upkeep.pause_backfill("no-such-thing", true).await.unwrap());
    assert_eq!(upkeep.fill(10).await.unwrap(), None);
    for fill in &all {
        upkeep.pause_backfill(&fill.name, false).await.unwrap();
        while let Some(moved) = upkeep.fill(10).await.unwrap() {
            assert_eq!(moved.name, fill.name, "the others wait");
        }
    }
    assert!(upkeep.backfills().await.unwrap().iter().all(|fill| fill.state == BackfillState::Done));
}

/// The days asked for are there, also when they are asked for again.
pub async fn partitions_are_made_ahead(ports: &Ports) {
    for days in [2, 4, 4] {
        assert!(ports.maintenance.ensure_partitions(ports.clock.now(), days).await.unwrap() >= days);
    }
}

/// Expiry takes nothing that is young: not an inbox row, not a key, not an event.
pub async fn what_is_young_does_not_expire(ports: &Ports) {
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let post = world.published(&mona, "1").await;
    let keyed = Keyed::new("test.write", IdempotencyKey::new("k").unwrap(), &1);
    let mut unit = world.unit(&mona.actor()).await;
    unit.journal().claim(&keyed).await.unwrap();
    unit.journal().remember(&keyed, b"1").await.unwrap();
    unit.commit().await.unwrap();
    emit(ports, 7).await;
    ports.maintenance.expire(ports.clock.now()).await.unwrap();
    assert_eq!(
        world.view(&ali.actor()).await.feed().newest(world.now(), None, limit(9)).await.unwrap().items,
        [post.id]
    );
    assert_eq!(world.unit(&mona.actor()).await.journal().claim(&keyed).await.unwrap(), Claim::Replay(b"1".to_vec()));
    for _ in 0..400 {
        if let Some(batch) = ports.bus.next(POSTS, "a", 9).await.unwrap() {
            assert_eq!(batch.events()[0].event, event(7));
            return;
        }
        ports.bus.wait(Duration::from_millis(25)).await;
    }
    panic!("the event is gone");
}

/// Beside its unit a snapshot answers the events that the group has not made effects of: undelivered, dead and parked.
pub async fn a_snapshot_holds_what_is_outstanding(ports: &Ports) {
    let outstanding = async || {
        let (_, events) = ports.maintenance.snapshot(&PLATFORM, POSTS, 100).await.unwrap();
        let mut keys: Vec<i64> = events.iter().map(|e| e.envelope.key).collect();
        keys.sort_unstable();
        keys
    };
    assert!(outstanding().await.is_empty());
    for key in [1, 2, 3] {
        emit(ports, key).await;
    }
    assert_eq!(outstanding().await, [1, 2, 3], "at once: what the rows have, it has");
    let mut done = Vec::new();
    while done.len() < 3 {
        let Some(mut batch) = ports.bus.next(POSTS, "a", 9).await.unwrap() else {
            ports.bus.wait(Duration::from_millis(25)).await;
            continue;
        };
        let events = batch.events().to_vec();
        for delivered in &events {
            if delivered.envelope.key == 2 {
                batch.bury(delivered.envelope.id, 1, "it broke", false).await.unwrap();
            }
        }
        batch.commit().await.unwrap();
        done.extend(events);
    }
    assert_eq!(outstanding().await, [2]);
    emit(ports, 4).await;
    let refused = ports.maintenance.snapshot(&PLATFORM, POSTS, 1).await;
    assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::Unavailable));
}

/// All statements of a snapshot see the same world.
pub async fn a_snapshot_stands_still(ports: &Ports) {
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let (mut unit, _) = ports.maintenance.snapshot(&PLATFORM, POSTS, 100).await.unwrap();
    let field = CounterField::ProfileFollowers;
    assert_eq!(unit.counters().value(field, mona.id.raw()).await.unwrap(), 0);
    world.count(field, mona.id.raw(), 3).await;
    assert_eq!(unit.counters().value(field, mona.id.raw()).await.unwrap(), 0);
    drop(unit);
    let (mut unit, _) = ports.maintenance.snapshot(&PLATFORM, POSTS, 100).await.unwrap();
    assert_eq!(unit.counters().value(field, mona.id.raw()).await.unwrap(), 3);
}

/// A correction made in a snapshot does not overwrite what others wrote since: the unit fails and may be run again.
pub async fn a_snapshot_overwrites_nothing(ports: &Ports) {
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let field = CounterField::ProfileFollowers;
    world.count(field, mona.id.raw(), 5).await;
    let (mut unit, _) = ports.maintenance.snapshot(&PLATFORM, POSTS, 100).await.unwrap();
    assert_eq!(unit.counters().value(field, mona.id.raw()).await.unwrap(), 5);
    world.count(field, mona.id.raw(), 1).await;
    let outcome = match unit.counters().recount(field, None, 100, &[]).await {
        Ok(_) => unit.commit().await,
        Err(error) => Err(error),
    };
    assert_eq!(outcome.err().map(|error| error.kind()), Some(ErrorKind::Serialization));
    assert_eq!(world.unit(&PLATFORM).await.counters().value(field, mona.id.raw()).await.unwrap(), 6);
}

/// Living posts that are delivered by push, by id, in portions.
pub async fn pushed_posts_go_by_id(ports: &Ports) {
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let mut expected = Vec::new();
    for n in 0..6 {
        let post = world.post(&mona, if n == 2 { Writing::new("1").pull() } else { Writing::new("2") }).await;
        if n == 4 {
            world.delete(&post).await;
        }
        if n != 2 && n != 4 {
            expected.push(post.id);
        }
    }
    let (mut all, mut after) = (Vec::new(), PostId::from_raw(0));
    loop {
        let some = ports.maintenance.pushed_posts(after, 3).await.unwrap();
        assert!(some.len() <= 3);
        let Some(last) = some.last() else { break };
        after = *last;
        all.extend(some);
        assert!(all.len() <= expected.len(), "each once: {all:?}");
    }
    assert_eq!(all, expected);
}

/// While one runs a job, nobody else does; other jobs are no matter.
pub async fn a_job_is_run_by_one(ports: &Ports) {
    let jobs = &ports.maintenance;
    assert!(jobs.begin_job("kit-purge", "a", HOUR, HOUR).await.unwrap());
    for owner in ["a", "b"] {
        assert!(!jobs.begin_job("kit-purge", owner, Duration::ZERO, HOUR).await.unwrap());
    }
    assert!(jobs.begin_job("kit-other", "b", HOUR, HOUR).await.unwrap());
    jobs.end_job("kit-purge", "b", JobOutcome::Failed).await.unwrap();
    assert!(!jobs.begin_job("kit-purge", "b", Duration::ZERO, HOUR).await.unwrap(), "nobody ends another's run");
}

/// A job that is done is due again a while after it began.
pub async fn a_job_is_due_again_after_a_while(ports: &Ports) {
    let jobs = &ports.maintenance;
    let every = Duration::from_millis(200);
    assert!(jobs.begin_job("kit-purge", "a", every, HOUR).await.unwrap());
    jobs.end_job("kit-purge", "a", JobOutcome::Done).await.unwrap();
    assert!(!jobs.begin_job("kit-purge", "b", HOUR, HOUR).await.unwrap(), "not due");
    ports.clock.sleep(every * 2).await;
    assert!(jobs.begin_job("kit-purge", "b", every, HOUR).await.unwrap());
}

/// A job that failed may be run again by anybody, at once.
pub async fn a_failed_job_may_run_at_once(ports: &Ports) {
    let jobs = &ports.maintenance;
    assert!(jobs.begin_job("kit-purge", "a", HOUR, HOUR).await.unwrap());
    jobs.end_job("kit-purge", "a", JobOutcome::Failed).await.unwrap();
    assert!(jobs.begin_job("kit-purge", "b", HOUR, HOUR).await.unwrap());
}

/// A run whose lease is over belongs to whoever takes it, and its former owner cannot end it.
pub async fn a_dead_owner_loses_the_job(ports: &Ports) {
    let jobs = &ports.maintenance;
    assert!(jobs.begin_job("kit-purge", "a", Duration::ZERO, Duration::from_millis(100)).await.unwrap());
    ports.clock.sleep(Duration::from_millis(300)).await;
    assert!(jobs.begin_job("kit-purge", "b", Duration::ZERO, HOUR).await.unwrap());
    assert!(!jobs.keep_job("kit-purge", "a", HOUR).await.unwrap());
    jobs.end_job("kit-purge", "a", JobOutcome::Failed).await.unwrap();
    assert!(!jobs.begin_job("kit-purge", "a", Duration::ZERO, HOUR).await.unwrap());
}

/// Whoever says in time that it is still at it keeps the run; whoever says so late lost it, taken over or not.
pub async fn a_living_owner_keeps_the_job(ports: &Ports) {
    let jobs = &ports.maintenance;
    assert!(!jobs.keep_job("kit-purge", "a", HOUR).await.unwrap(), "there is no run");
    assert!(jobs.begin_job("kit-purge", "a", Duration::ZERO, Duration::from_mins(1)).await.unwrap());
    assert!(jobs.keep_job("kit-purge", "a", Duration::from_millis(100)).await.unwrap());
    ports.clock.sleep(Duration::from_millis(300)).await;
    assert!(!jobs.keep_job("kit-purge", "a", HOUR).await.unwrap(), "it is over");
    assert!(jobs.begin_job("kit-purge", "b", Duration::ZERO, Duration::from_millis(100)).await.unwrap());
    assert!(jobs.keep_job("kit-purge", "b", HOUR).await.unwrap());
    ports.clock.sleep(Duration::from_millis(300)).await;
    assert!(!jobs.begin_job("kit-purge", "a", Duration::ZERO, HOUR).await.unwrap(), "it is at it still");
    jobs.end_job("kit-purge", "b", JobOutcome::Failed).await.unwrap();
    assert!(!jobs.keep_job("kit-purge", "b", HOUR).await.unwrap(), "it ended");
}
