//! What holds of answers that are kept, near and far.

use core::sync::atomic::AtomicUsize;

use futures_util::future::join_all;
use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::error::ErrorKind;
use crate::memory::{ManualClock, MemoryPubSub, SeededIds};
use crate::port::NoCache;

const LIVES: Lives = Lives { found: Duration::from_mins(5), missing: Duration::from_secs(10) };

/// The truth, asked through what is kept.
#[derive(Clone, Default)]
struct Truth {
    value: Arc<Mutex<Option<Bytes>>>,
    asked: Arc<AtomicUsize>,
    /// Nobody is answered until this is taken away.
    held: Arc<AtomicBool>,
    away: Arc<AtomicBool>,
    slow: Arc<AtomicUsize>,
}

/// One node, or two, over the same far cache.
struct World {
    clock: Arc<ManualClock>,
    pubsub: MemoryPubSub,
    far: Arc<MemoryCache>,
    truth: Truth,
    tasks: JoinSet<()>,
}

/// Always draws the same.
struct Always(u64);

impl IdSource for Always {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.0.to_be_bytes());
    }
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let far = Arc::new(MemoryCache::new(clock.clone(), 1 << 20));
        let truth = Truth::default();
        truth.set(Some("one"));
        Self { clock, pubsub: MemoryPubSub::default(), far, truth, tasks: JoinSet::new() }
    }

    fn over(&self, far: Arc<dyn Cache>, ids: Arc<dyn IdSource>) -> ReadThrough {
        ReadThrough::new(far, Arc::new(self.pubsub.clone()), self.clock.clone(), ids, 1)
    }

    /// A node that hears what is changed.
    async fn node(&mut self) -> ReadThrough {
        let node = self.over(self.far.clone(), Arc::new(SeededIds::new(1)));
        self.attend(&node).await;
        node
    }

    async fn attend(&mut self, node: &ReadThrough) {
        let attendant = node.clone();
        self.tasks.spawn(async move { attendant.attend().await });
        while !node.0.is_attended.load(Ordering::Acquire) {
            yield_now().await;
        }
    }
}

impl Truth {
    fn set(&self, value: Option<&'static str>) {
        *self.value.lock().unwrap() = value.map(|text| Bytes::from_static(text.as_bytes()));
    }

    /// Reads at once, and answers when it may.
    fn load(&self, clock: &Arc<ManualClock>) -> impl Future<Output = Result<Option<Bytes>>> + Send + 'static {
        let (truth, clock) = (self.clone(), Arc::clone(clock));
        async move {
            truth.asked.fetch_add(1, Ordering::SeqCst);
            let value = truth.value.lock().unwrap().clone();
            clock.advance(Duration::from_millis(truth.slow.load(Ordering::SeqCst) as u64));
            while truth.held.load(Ordering::SeqCst) {
                yield_now().await;
            }
            if truth.away.load(Ordering::SeqCst) {
                return Err(Error::new(ErrorKind::Unavailable, "test.away"));
            }
            Ok(value)
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn hold(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }
}

fn key() -> CacheKey {
    CacheKey::new("test", 1, "x").unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "an answer, as it is compared with")]
fn text(text: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(text.as_bytes()))
}

async fn ask(world: &World, node: &ReadThrough) -> Result<Option<Bytes>> {
    node.get(&key(), LIVES, world.truth.load(&world.clock)).await
}

/// Until whoever was started has gone as far as they can.
async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}

#[tokio::test]
async fn of_fifty_who_miss_one_asks() {
    let mut world = World::new();
    let node = world.node().await;
    world.truth.hold(true);
    let (asking, truth) = (async { join_all((0..50).map(|_| ask(&world, &node))).await }, &world.truth);
    let letting = async {
        settle().await;
        assert_eq!((truth.asked(), node.flights().len()), (1, 1));
        truth.hold(false);
    };
    let (answers, ()) = tokio::join!(asking, letting);
    assert!(answers.into_iter().all(|answer| answer.unwrap() == text("one")));
    assert!(node.flights().is_empty());
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("one"), 1));
    assert_eq!(node.near(&key()), Some(text("one")));
}

#[tokio::test]
async fn a_failure_is_shared_and_not_kept() {
    let mut world = World::new();
    let node = world.node().await;
    world.truth.away.store(true, Ordering::SeqCst);
    world.truth.hold(true);
    let asking = async { join_all((0..10).map(|_| ask(&world, &node))).await };
    let letting = async {
        settle().await;
        world.truth.hold(false);
    };
    for answer in tokio::join!(asking, letting).0 {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, "test.away"));
    }
    assert_eq!((world.truth.asked(), node.flights().len()), (1, 0));
    world.truth.away.store(false, Ordering::SeqCst);
    assert_eq!(ask(&world, &node).await.unwrap(), text("one"));
}

#[tokio::test]
async fn who_goes_away_leaves_the_others_waiting_for_nothing() {
    let mut world = World::new();
    let node = world.node().await;
    world.truth.hold(true);
    let mut first = Box::pin(ask(&world, &node));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = Box::pin(ask(&world, &node));
    assert!(second.as_mut().now_or_never().is_none());
    drop(first);
    world.truth.hold(false);
    assert_eq!((second.await.unwrap(), world.truth.asked()), (text("one"), 1), "the flight went on");

    node.forget(&[key()]).await;
    world.truth.hold(true);
    let mut only = Box::pin(ask(&world, &node));
    assert!(only.as_mut().now_or_never().is_none());
    drop(only);
    assert!(node.flights().is_empty(), "nothing is left of it");
    world.truth.hold(false);
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("one"), 3));
}

#[tokio::test]
async fn that_there_is_nothing_is_kept_for_a_shorter_time() {
    let mut world = World::new();
    let node = world.node().await;
    world.truth.set(None);
    for _ in 0..3 {
        assert_eq!(ask(&world, &node).await.unwrap(), None);
    }
    assert_eq!((world.truth.asked(), node.near(&key())), (1, Some(None)));
    world.truth.set(Some("one"));
    world.clock.advance(LIVES.missing);
    assert_eq!(node.near(&key()), None);
    assert_eq!(ask(&world, &node).await.unwrap(), text("one"));
    world.clock.advance(LIVES.found / 2);
    assert_eq!(ask(&world, &node).await.unwrap(), text("one"));
    assert_eq!(world.truth.asked(), 2);
}

/// *now* − Δ·ln *u* ≥ *end*: with Δ of a second and *u* = 1/2 that is 0.69 s before the end.
#[tokio::test]
async fn an_answer_is_asked_for_anew_when_the_draw_says_so() {
    let mut world = World::new();
    let half = (1_u64 << 63) - (1 << 11);
    let node = world.over(world.far.clone(), Arc::new(Always(half)));
    world.attend(&node).await;
    world.truth.slow.store(1_000, Ordering::SeqCst);
    assert_eq!(ask(&world, &node).await.unwrap(), text("one"));
    let end = world.clock.now() + LIVES.found;
    world.truth.set(Some("two"));
    world.clock.set(end - Duration::from_millis(694));
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("one"), 1), "too early");
    world.clock.set(end - Duration::from_millis(693));
    world.truth.away.store(true, Ordering::SeqCst);
    world.truth.slow.store(0, Ordering::SeqCst);
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("one"), 2), "what fails is no loss yet");
    world.truth.away.store(false, Ordering::SeqCst);

    // One asks, the others go on with what is kept.
    world.truth.hold(true);
    let mut drawn = Box::pin(ask(&world, &node));
    assert!(drawn.as_mut().now_or_never().is_none());
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("one"), 3));
    world.truth.hold(false);
    assert_eq!(drawn.await.unwrap(), text("two"));
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("two"), 3), "it begins a new life");
}

#[tokio::test]
async fn what_one_node_found_the_others_need_not_ask() {
    let mut world = World::new();
    let (one, other) = (world.node().await, world.node().await);
    assert_eq!(ask(&world, &one).await.unwrap(), text("one"));
    assert_eq!((ask(&world, &other).await.unwrap(), world.truth.asked()), (text("one"), 1));
    world.far.clear();
    assert_eq!((ask(&world, &other).await.unwrap(), world.truth.asked()), (text("one"), 1), "and it is near now");
}

#[tokio::test]
async fn a_node_whose_clock_is_ahead_lengthens_no_life() {
    let mut world = World::new();
    let (ahead, node) = (world.over(world.far.clone(), Arc::new(SeededIds::new(2))), world.node().await);
    let now = world.clock.now();
    world.clock.set(now + Duration::from_hours(1));
    assert_eq!(ask(&world, &ahead).await.unwrap(), text("one"));
    // What nodes share goes by a clock of its own.
    let kept = world.far.look(&key()).value.unwrap();
    world.clock.set(now);
    world.far.clear();
    let stamp = world.far.look(&key()).stamp.unwrap();
    assert!(world.far.keep(&key(), stamp, kept, Duration::from_hours(2)).unwrap());
    assert_eq!((ask(&world, &node).await.unwrap(), world.truth.asked()), (text("one"), 1));
    world.clock.advance(LIVES.found);
    assert_eq!(node.near(&key()), None);
}

#[tokio::test]
async fn a_change_is_seen_at_once_on_its_node_and_soon_on_all() {
    let mut world = World::new();
    let (one, other) = (world.node().await, world.node().await);
    for node in [&one, &other] {
        assert_eq!(ask(&world, node).await.unwrap(), text("one"));
    }
    world.truth.set(Some("two"));
    one.forget(&[key()]).await;
    assert_eq!(ask(&world, &one).await.unwrap(), text("two"), "who changed it sees it");
    settle().await;
    assert_eq!(ask(&world, &other).await.unwrap(), text("two"));
}

/// The race: somebody asked the truth before the change, and has the answer after everybody forgot.
#[tokio::test]
async fn an_answer_from_before_a_change_is_kept_nowhere() {
    let mut world = World::new();
    let (one, other) = (world.node().await, world.node().await);
    world.truth.hold(true);
    let mut before = Box::pin(ask(&world, &other));
    assert!(before.as_mut().now_or_never().is_none());
    world.truth.set(Some("two"));
    one.forget(&[key()]).await;
    settle().await;
    // Who comes after the change does not join who came before it.
    let mut after = Box::pin(ask(&world, &other));
    assert!(after.as_mut().now_or_never().is_none());
    assert_eq!(world.truth.asked(), 2);
    world.truth.hold(false);
    assert_eq!((before.await.unwrap(), after.await.unwrap()), (text("one"), text("two")));
    for node in [&one, &other] {
        assert_eq!(ask(&world, node).await.unwrap(), text("two"));
    }
    assert_eq!(world.truth.asked(), 2, "and what came after it is kept");
}

#[tokio::test]
async fn what_may_not_have_been_heard_empties_the_process() {
    let mut world = World::new();
    let node = world.node().await;
    assert_eq!(ask(&world, &node).await.unwrap(), text("one"));
    world.pubsub.tell_gaps();
    settle().await;
    assert_eq!(node.near(&key()), None);
    world.far.clear();
    world.truth.hold(true);
    let mut before = Box::pin(ask(&world, &node));
    assert!(before.as_mut().now_or_never().is_none());
    world.pubsub.tell_gaps();
    settle().await;
    world.truth.hold(false);
    before.await.unwrap();
    assert_eq!(node.near(&key()), None, "nor is what was under way kept here");
}

#[tokio::test]
async fn nothing_is_kept_in_a_process_that_hears_nothing() {
    let mut world = World::new();
    let node = world.over(Arc::new(NoCache), Arc::new(SeededIds::new(1)));
    for _ in 0..2 {
        ask(&world, &node).await.unwrap();
    }
    assert_eq!((world.truth.asked(), node.near(&key())), (2, None));
    world.attend(&node).await;
    for _ in 0..2 {
        ask(&world, &node).await.unwrap();
    }
    assert_eq!((world.truth.asked(), node.near(&key())), (3, Some(text("one"))));
    world.tasks.shutdown().await;
    assert_eq!(node.near(&key()), None);
}

#[tokio::test]
async fn many_keys_are_told_in_messages_that_are_carried() {
    let mut world = World::new();
    let (one, other) = (world.node().await, world.node().await);
    let keys: Vec<_> = (0..500).map(|n| CacheKey::new("test", 1, &format!("thing_{n}")).unwrap()).collect();
    for key in &keys {
        other.get(key, LIVES, world.truth.load(&world.clock)).await.unwrap();
    }
    one.forget(&keys).await;
    settle().await;
    assert!(keys.iter().all(|key| other.near(key).is_none()));
}

#[test]
fn what_is_no_answer_is_nothing() {
    let kept = Kept { until: Timestamp::from_micros(7), took: 3, value: None };
    assert_eq!(Kept::read(kept.write()), Some(kept));
    assert_eq!(Kept::read(Bytes::from_static(b"short")), None);
}
