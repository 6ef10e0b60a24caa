//! The kit of [`EventBus`](crate::port::EventBus): every event once in effect, in order per key, whatever fails.
//!
//! An adapter may take a moment to show what was committed, so the cases ask again until what they wait for is there, and
//! find out that nothing more comes by sending a last event through every lane.

use core::time::Duration;

use super::fixture::{Fixture, PLATFORM};
use crate::event::{Event, LANES, lane};
use crate::id::Id;
use crate::port::store::{CounterDelta, CounterField};
use crate::port::{Delivered, EventBatch, Group, Ports, UnitOfWork};
use crate::proto::event::v1;

super::kit! { $
    /// Runs the [`bus`](crate::testkit::bus) kit on an adapter: `bus_kit!(name, ports)`.
    bus_kit, "bus", single {
        bus: events_arrive_whole_and_in_order, groups_read_their_topics, every_group_gets_every_event,
            a_new_group_begins_at_the_oldest_event, a_rolled_back_unit_tells_nothing, a_late_commit_is_not_skipped,
            a_dropped_batch_comes_again, effects_and_position_are_one, a_failure_is_rolled_back_alone,
            a_dead_letter_keeps_all_of_it, later_events_of_a_dead_key_wait, a_replay_comes_back_in_order,
            a_dropped_letter_releases_its_key, a_replay_can_fail_again, letters_are_listed_oldest_first, lag_is_told,
            two_consumers_share_the_work, a_taken_over_lane_is_lost, a_restarted_consumer_repeats_no_effect,
            waiting_ends;
    }
}

const POSTS: Group = Group { name: "kit-posts", topics: &["daira.post.v1"], rebuilds: false };
/// How often a case asks for what must come, and how long it waits in between.
const PATIENCE: (u32, Duration) = (400, Duration::from_millis(25));
/// The number of the events that close a case.
const LAST: i64 = i64::MAX;

fn event(key: i64, number: i64) -> Event {
    v1::PostCreated { post_id: key, author_id: number, mentioned_ids: vec![key, -1], pull: number % 2 == 0, open: true }
        .into()
}

fn number(delivered: &Delivered) -> i64 {
    match &delivered.event {
        Event::PostCreated(event) => event.author_id,
        other => panic!("an event of another type: {other:?}"),
    }
}

fn numbers(events: &[Delivered]) -> Vec<i64> {
    events.iter().map(number).collect()
}

/// In one transaction: a bus may deliver what was committed apart in batches of its own.
async fn emit(ports: &Ports, events: &[(i64, i64)]) {
    let events = &events.iter().map(|(key, number)| event(*key, *number)).collect::<Vec<_>>();
    let append = ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.journal().append(events).await }));
    append.await.unwrap();
}

/// Each in a transaction of its own.
async fn emit_each(ports: &Ports, events: &[(i64, i64)]) {
    for one in events {
        emit(ports, core::slice::from_ref(one)).await;
    }
}

/// The next batch, which must come.
async fn next(ports: &Ports, group: Group, owner: &str, max: usize) -> Box<dyn EventBatch> {
    for _ in 0..PATIENCE.0 {
        if let Some(batch) = ports.bus.next(group, owner, max).await.unwrap() {
            return batch;
        }
        ports.bus.wait(PATIENCE.1).await;
    }
    panic!("no batch came for {owner}");
}

/// A batch of exactly these numbers, which came together; others are dropped and asked for again until they are visible.
async fn batch_of(ports: &Ports, group: Group, owner: &str, wanted: &[i64]) -> Box<dyn EventBatch> {
    for _ in 0..PATIENCE.0 {
        if let Some(batch) = ports.bus.next(group, owner, 1_000).await.unwrap() {
            let mut found = numbers(batch.events());
            found.sort_unstable();
            if found == wanted {
                return batch;
            }
            assert!(found.iter().all(|n| wanted.contains(n)), "{found:?} is more than {wanted:?}");
        }
        ports.bus.wait(PATIENCE.1).await;
    }
    panic!("a batch of {wanted:?} never came");
}

/// Everything that a group still gets, each batch committed, until a last event came through every lane.
async fn rest(ports: &Ports, group: Group, owner: &str, max: usize) -> Vec<Delivered> {
    let keys = (0..LANES).map(|wanted| (1_000_000_000..1_000_001_000).find(|key| lane(*key) == wanted).unwrap());
    let last: Vec<(i64, i64)> = keys.map(|key| (key, LAST)).collect();
    emit(ports, &last).await;
    let (mut all, mut closed) = (Vec::new(), 0);
    while closed < last.len() {
        let batch = next(ports, group, owner, max).await;
        let events = batch.events().to_vec();
        if batch.commit().await.is_ok() {
            closed += events.iter().filter(|e| number(e) == LAST).count();
            all.extend(events.into_iter().filter(|e| number(e) != LAST));
        }
    }
    all
}

/// An effect that shows how often it happened.
async fn effect(unit: &mut dyn UnitOfWork, number: i64) {
    let delta = CounterDelta { field: CounterField::PostImpressions, subject: number, delta: 1 };
    unit.counters().apply(&[delta]).await.unwrap();
}

async fn effects(ports: &Ports, number: i64) -> i64 {
    let mut unit = ports.store.begin(&PLATFORM).await.unwrap();
    unit.counters().value(CounterField::PostImpressions, number).await.unwrap()
}

/// Takes the batch with these numbers, buries some of them, and commits.
async fn bury(ports: &Ports, wanted: &[i64], dead: &[(i64, bool)], attempts: u16) {
    let mut batch = batch_of(ports, POSTS, "a", wanted).await;
    for (wanted, parked) in dead {
        let id = batch.events().iter().find(|e| number(e) == *wanted).unwrap().envelope.id;
        let reason = if *parked { "behind another" } else { "it broke" };
        batch.bury(id, attempts, reason, *parked).await.unwrap();
    }
    batch.commit().await.unwrap();
}

/// The id of the dead letter of a number.
async fn letter(ports: &Ports, wanted: i64) -> i64 {
    let letters = ports.bus.dead_letters(POSTS.name, None, 100).await.unwrap();
    let found = letters.iter().find(|l| matches!(l.decode(), Ok(Event::PostCreated(e)) if e.author_id == wanted));
    found.unwrap().event
}

/// Every event comes once, whole, in the order of its key; a batch is in the order of the log and about as small as asked.
pub async fn events_arrive_whole_and_in_order(ports: &Ports) {
    let written: Vec<(i64, i64)> = (0..30).map(|n| (n % 5 + 1, n)).collect();
    let before = ports.clock.now();
    emit_each(ports, &written).await;
    let (mut all, mut last) = (Vec::new(), 0);
    while all.len() < written.len() {
        let batch = next(ports, POSTS, "a", 4).await;
        assert!((1..=64).contains(&batch.events().len()));
        assert!(batch.events().windows(2).all(|w| w[0].envelope.id < w[1].envelope.id), "in the order of the log");
        all.extend(batch.events().to_vec());
        batch.commit().await.unwrap();
        last += 1;
        assert!(last <= 30);
    }
    for delivered in &all {
        let (key, number) = written[usize::try_from(number(delivered)).unwrap()];
        assert_eq!(delivered.event, event(key, number));
        assert_eq!(
            (delivered.envelope.key, delivered.envelope.kind, delivered.attempts),
            (key, "daira.post.v1.created", 0)
        );
        let off = delivered.envelope.time.since(before).max(before.since(delivered.envelope.time));
        assert!(off < Duration::from_mins(10), "the adapter's clock is {off:?} off");
    }
    for key in 1..=5 {
        let of_key: Vec<i64> = all.iter().filter(|e| e.envelope.key == key).map(number).collect();
        assert_eq!(of_key, (key - 1..30).step_by(5).collect::<Vec<_>>(), "in order per key");
    }
    assert!(rest(ports, POSTS, "a", 100).await.is_empty(), "and once");
}

/// A group gets the topics it reads and no others.
pub async fn groups_read_their_topics(ports: &Ports) {
    const GRAPH: Group = Group { name: "kit-graph", topics: &["daira.graph.v1"], rebuilds: false };
    let followed: Event = v1::Followed { follower_id: 1, followee_id: 2, at_micros: 3, approved: false }.into();
    let both = &[followed.clone(), event(1, 1)];
    let append = ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.journal().append(both).await }));
    append.await.unwrap();
    let batch = next(ports, GRAPH, "a", 10).await;
    assert_eq!(batch.events().iter().map(|e| &e.event).collect::<Vec<_>>(), [&followed]);
    batch.commit().await.unwrap();
    assert_eq!(numbers(&rest(ports, POSTS, "a", 100).await), [1]);
    assert_eq!(ports.bus.lag(GRAPH).await.unwrap().events, 0);
}

/// Groups go their own ways: what one has committed, the other still gets.
pub async fn every_group_gets_every_event(ports: &Ports) {
    const OTHER: Group = Group { name: "kit-other", ..POSTS };
    emit(ports, &[(1, 1), (2, 2), (1, 3)]).await;
    for group in [POSTS, OTHER] {
        let mut all = numbers(&rest(ports, group, "a", 100).await);
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3]);
    }
}

/// A group that is new gets what was written before anybody knew of it.
pub async fn a_new_group_begins_at_the_oldest_event(ports: &Ports) {
    const LATER: Group = Group { name: "kit-later", ..POSTS };
    emit(ports, &[(1, 1)]).await;
    assert_eq!(numbers(&rest(ports, POSTS, "a", 100).await), [1]);
    assert_eq!(numbers(&next(ports, LATER, "a", 100).await.events()[..1]), [1]);
}

/// What a unit appended goes with the unit.
pub async fn a_rolled_back_unit_tells_nothing(ports: &Ports) {
    let mut unit = ports.store.begin(&PLATFORM).await.unwrap();
    unit.journal().append(&[event(1, 1)]).await.unwrap();
    drop(unit);
    emit(ports, &[(1, 2)]).await;
    assert_eq!(numbers(&rest(ports, POSTS, "a", 100).await), [2]);
}

/// A unit that appended early and commits late is neither skipped nor does it hold up others. An adapter may refuse its
/// commit; then it is run again.
pub async fn a_late_commit_is_not_skipped(ports: &Ports) {
    let mut late = ports.store.begin(&PLATFORM).await.unwrap();
    late.journal().append(&[event(1, 1)]).await.unwrap();
    emit(ports, &[(1, 2), (2, 3)]).await;
    batch_of(ports, POSTS, "a", &[2, 3]).await.commit().await.unwrap();
    match late.commit().await {
        Ok(()) => {}
        Err(error) => {
            assert!(error.is_retryable());
            emit(ports, &[(1, 1)]).await;
        }
    }
    assert_eq!(numbers(&rest(ports, POSTS, "a", 100).await), [1]);
}

/// A batch that is not committed, because its consumer died, comes again whole, and its effects are undone.
pub async fn a_dropped_batch_comes_again(ports: &Ports) {
    emit(ports, &[(1, 1), (2, 2)]).await;
    for _ in 0..3 {
        let mut batch = batch_of(ports, POSTS, "a", &[1, 2]).await;
        effect(batch.unit(), 1).await;
    }
    assert_eq!(effects(ports, 1).await, 0);
    let mut all = numbers(&rest(ports, POSTS, "a", 100).await);
    all.sort_unstable();
    assert_eq!(all, [1, 2]);
}

/// With the commit the effects are there and the events are over; both or neither.
pub async fn effects_and_position_are_one(ports: &Ports) {
    emit(ports, &[(1, 1), (1, 2), (2, 3)]).await;
    let mut batch = batch_of(ports, POSTS, "a", &[1, 2, 3]).await;
    for number in 1..=3 {
        effect(batch.unit(), number).await;
    }
    assert_eq!(effects(ports, 2).await, 0, "not before the commit");
    batch.commit().await.unwrap();
    for number in 1..=3 {
        assert_eq!(effects(ports, number).await, 1);
    }
    assert!(rest(ports, POSTS, "a", 100).await.is_empty());
}

/// An event that fails is rolled back to its savepoint and buried; the effects of the others stay.
pub async fn a_failure_is_rolled_back_alone(ports: &Ports) {
    emit(ports, &[(1, 1), (2, 2), (3, 3)]).await;
    let mut batch = batch_of(ports, POSTS, "a", &[1, 2, 3]).await;
    for delivered in batch.events().to_vec() {
        let point = batch.savepoint().await.unwrap();
        effect(batch.unit(), number(&delivered)).await;
        if number(&delivered) == 2 {
            batch.rollback_to(point).await.unwrap();
            batch.bury(delivered.envelope.id, 1, "it broke", false).await.unwrap();
        }
    }
    batch.commit().await.unwrap();
    for (number, expected) in [(1, 1), (2, 0), (3, 1)] {
        assert_eq!(effects(ports, number).await, expected);
    }
    assert_eq!(ports.bus.dead_letters(POSTS.name, None, 10).await.unwrap().len(), 1);
    assert!(rest(ports, POSTS, "a", 100).await.is_empty());
}

/// A dead letter tells all that is needed to try again.
pub async fn a_dead_letter_keeps_all_of_it(ports: &Ports) {
    emit(ports, &[(7, 1)]).await;
    let batch = batch_of(ports, POSTS, "a", &[1]).await;
    let delivered = batch.events()[0].clone();
    drop(batch);
    bury(ports, &[1], &[(1, false)], 5).await;
    let letter = ports.bus.dead_letters(POSTS.name, None, 10).await.unwrap().remove(0);
    assert_eq!((letter.group.as_str(), letter.event, letter.key), (POSTS.name, delivered.envelope.id, 7));
    assert_eq!((letter.kind.as_str(), letter.time), (delivered.envelope.kind, delivered.envelope.time));
    assert_eq!((letter.attempts, letter.reason.as_str(), letter.parked), (5, "it broke", false));
    assert_eq!(letter.payload, event(7, 1).encode());
    assert_eq!(letter.decode().unwrap(), event(7, 1));
    assert!(ports.bus.dead_letters("kit-nobody", None, 10).await.unwrap().is_empty());
}

/// Behind a dead letter the later events of its key wait, those of other keys go on.
pub async fn later_events_of_a_dead_key_wait(ports: &Ports) {
    emit(ports, &[(1, 1)]).await;
    let mut first = batch_of(ports, POSTS, "a", &[1]).await;
    assert!(first.parked_keys().await.unwrap().is_empty());
    drop(first);
    bury(ports, &[1], &[(1, false)], 1).await;
    emit(ports, &[(1, 2), (2, 3)]).await;
    let mut batch = batch_of(ports, POSTS, "a", &[2, 3]).await;
    assert_eq!(batch.parked_keys().await.unwrap(), [1]);
    let waits = batch.events().iter().find(|e| number(e) == 2).unwrap().envelope.id;
    batch.bury(waits, 0, "behind another", true).await.unwrap();
    batch.commit().await.unwrap();
    let letters = ports.bus.dead_letters(POSTS.name, None, 10).await.unwrap();
    assert_eq!(letters.iter().map(|l| l.parked).collect::<Vec<_>>(), [false, true]);
    assert!(rest(ports, POSTS, "a", 100).await.is_empty(), "what waits is not delivered");
}

/// A replay brings the dead letter and what waits behind it back, in order, with the failures counted; then they are over.
pub async fn a_replay_comes_back_in_order(ports: &Ports) {
    emit(ports, &[(1, 1), (1, 2), (2, 3)]).await;
    bury(ports, &[1, 2, 3], &[(1, false), (2, true)], 4).await;
    emit(ports, &[(1, 4)]).await;
    bury(ports, &[4], &[(4, true)], 0).await;
    let head = letter(ports, 1).await;
    assert!(ports.bus.replay(POSTS.name, head).await.unwrap());
    let again = rest(ports, POSTS, "a", 100).await;
    assert_eq!(numbers(&again), [1, 2, 4]);
    assert_eq!(again[0].attempts, 4);
    assert_eq!(ports.bus.dead_letters(POSTS.name, None, 10).await.unwrap(), []);
    assert!(!ports.bus.replay(POSTS.name, head).await.unwrap());
}

/// Dropping a dead letter loses it alone: what waits behind it is delivered.
pub async fn a_dropped_letter_releases_its_key(ports: &Ports) {
    emit(ports, &[(1, 1), (1, 2)]).await;
    bury(ports, &[1, 2], &[(1, false), (2, true)], 1).await;
    let head = letter(ports, 1).await;
    assert!(ports.bus.drop_letter(POSTS.name, head).await.unwrap());
    assert!(!ports.bus.drop_letter(POSTS.name, head).await.unwrap());
    assert_eq!(numbers(&rest(ports, POSTS, "a", 100).await), [2]);
    assert_eq!(ports.bus.dead_letters(POSTS.name, None, 10).await.unwrap(), []);
}

/// A replayed event that fails again is a dead letter again, and its key waits again.
pub async fn a_replay_can_fail_again(ports: &Ports) {
    emit(ports, &[(1, 1), (1, 2)]).await;
    bury(ports, &[1, 2], &[(1, false), (2, true)], 1).await;
    ports.bus.replay(POSTS.name, letter(ports, 1).await).await.unwrap();
    bury(ports, &[1, 2], &[(1, false), (2, true)], 2).await;
    let letters = ports.bus.dead_letters(POSTS.name, None, 10).await.unwrap();
    assert_eq!(letters.iter().map(|l| (l.attempts, l.parked)).collect::<Vec<_>>(), [(2, false), (2, true)]);
    assert!(rest(ports, POSTS, "a", 100).await.is_empty());
}

/// Letters are listed oldest first, so many at a time, going on after an event.
pub async fn letters_are_listed_oldest_first(ports: &Ports) {
    let keys: Vec<(i64, i64)> = (1..=5).map(|n| (n, n)).collect();
    emit(ports, &keys).await;
    bury(ports, &[1, 2, 3, 4, 5], &[(2, false), (5, false), (1, false), (4, false)], 1).await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let some = ports.bus.dead_letters(POSTS.name, after, 3).await.unwrap();
        assert!(some.len() <= 3);
        let Some(last) = some.last() else { break };
        after = Some(last.event);
        all.extend(some.iter().map(|l| l.key));
    }
    assert_eq!(all, [1, 2, 4, 5]);
    for unknown in [0, i64::MAX] {
        assert!(!ports.bus.replay(POSTS.name, unknown).await.unwrap());
        assert!(!ports.bus.drop_letter(POSTS.name, unknown).await.unwrap());
    }
}

/// A group's lag is what it was not delivered, and its dead letters.
pub async fn lag_is_told(ports: &Ports) {
    let told = async |events: i64, dead: i64| {
        for _ in 0..PATIENCE.0 {
            let lag = ports.bus.lag(POSTS).await.unwrap();
            if (lag.events, lag.dead) == (events, dead) {
                return lag;
            }
            ports.bus.wait(PATIENCE.1).await;
        }
        panic!("the lag never was {events} and {dead}: {:?}", ports.bus.lag(POSTS).await);
    };
    assert!(rest(ports, POSTS, "a", 100).await.is_empty());
    assert_eq!(told(0, 0).await.oldest, Duration::ZERO);
    emit(ports, &[(1, 1), (2, 2), (3, 3)]).await;
    told(3, 0).await;
    bury(ports, &[1, 2, 3], &[(2, false)], 1).await;
    told(0, 1).await;
}

/// Two consumers of one group: together they do everything once.
pub async fn two_consumers_share_the_work(ports: &Ports) {
    let written: Vec<(i64, i64)> = (1..=40).map(|n| (n % 11, n)).collect();
    emit_each(ports, &written).await;
    let mut done = Vec::new();
    for _ in 0..PATIENCE.0 {
        if done.len() == written.len() {
            break;
        }
        let mut open = Vec::new();
        for owner in ["a", "b"] {
            open.extend(ports.bus.next(POSTS, owner, 5).await.unwrap());
        }
        if open.is_empty() {
            ports.bus.wait(PATIENCE.1).await;
        }
        for mut batch in open {
            let events = batch.events().to_vec();
            for delivered in &events {
                effect(batch.unit(), number(delivered)).await;
            }
            // A lost race is no harm: nothing happened then.
            if batch.commit().await.is_ok() {
                done.extend(events);
            }
        }
    }
    for key in 0..11 {
        let of_key: Vec<i64> = done.iter().filter(|e| e.envelope.key == key).map(number).collect();
        let expected: Vec<i64> = written.iter().filter(|(k, _)| *k == key).map(|(_, n)| *n).collect();
        assert_eq!(of_key, expected, "in order and once");
    }
    for (_, number) in &written {
        assert_eq!(effects(ports, *number).await, 1);
    }
    ports.bus.release(POSTS, "b").await.unwrap();
    assert!(rest(ports, POSTS, "a", 100).await.is_empty());
}

/// A consumer that gave up its lanes, or lost them, cannot commit what another does in its place.
pub async fn a_taken_over_lane_is_lost(ports: &Ports) {
    emit(ports, &[(1, 1), (2, 2)]).await;
    let mut lost = batch_of(ports, POSTS, "a", &[1, 2]).await;
    effect(lost.unit(), 1).await;
    ports.bus.release(POSTS, "a").await.unwrap();
    let mut batch = batch_of(ports, POSTS, "b", &[1, 2]).await;
    effect(batch.unit(), 2).await;
    assert!(lost.commit().await.is_err(), "somebody else has the events, done or not");
    assert_eq!((effects(ports, 1).await, effects(ports, 2).await), (0, 0));
    batch.commit().await.unwrap();
    assert_eq!((effects(ports, 1).await, effects(ports, 2).await), (0, 1));
    assert!(rest(ports, POSTS, "b", 100).await.is_empty());
}

/// A consumer that starts again under its old name while a batch of its former life is open: one of the two counts.
pub async fn a_restarted_consumer_repeats_no_effect(ports: &Ports) {
    emit(ports, &[(1, 1)]).await;
    let mut former = batch_of(ports, POSTS, "a", &[1]).await;
    effect(former.unit(), 1).await;
    if let Some(mut batch) = ports.bus.next(POSTS, "a", 10).await.unwrap() {
        // On another row: two open units that write the same one would wait for each other.
        effect(batch.unit(), 2).await;
        let outcomes = [batch.commit().await.is_ok(), former.commit().await.is_ok()];
        assert!(outcomes != [true, true]);
    } else {
        former.commit().await.unwrap();
    }
    let done = effects(ports, 1).await + effects(ports, 2).await;
    let again = i64::try_from(rest(ports, POSTS, "a", 100).await.len()).unwrap();
    assert_eq!(done + again, 1, "it comes again only if neither counted");
}

/// Waiting ends, with news or without.
pub async fn waiting_ends(ports: &Ports) {
    ports.bus.wait(Duration::from_millis(5)).await;
    let fixture = Fixture::new(ports.clone());
    let mona = fixture.person("mona").await;
    let wait = ports.bus.wait(Duration::from_mins(1));
    let written = [(mona.id.raw(), 1)];
    let write = emit(ports, &written);
    futures_util::future::join(wait, write).await;
    assert_eq!(numbers(&rest(ports, POSTS, "a", 100).await), [1]);
}
