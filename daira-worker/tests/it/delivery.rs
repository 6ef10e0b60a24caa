//! What delivery promises: every effect once, whatever is delivered how often; nothing lost at shutdown; and that somebody
//! who watches sees a consumer that stands still.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use daira_core::Actor;
use daira_core::comment::CommentService;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::graph::GraphService;
use daira_core::id::{Id, PostId};
use daira_core::memory::ManualClock;
use daira_core::notification::GroupPosition;
use daira_core::page::Limit;
use daira_core::port::store::{Access, CounterField};
use daira_core::port::{DeadLetter, Delivered, EventBatch, EventBus, Group, Lag, Ports, Savepoint, UnitOfWork};
use daira_core::post::{CreatePost, PostService};
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::testkit::fixture::{Fixture, Person};
use daira_worker::consume::{Counters, FanOut, Notifications};
use daira_worker::{Consumer, Runner, RunnerSettings, job};
use prometheus_client::registry::Registry;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::runner::happen;

/// Draws numbers that look random and are the same every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for n in (1..items.len()).rev() {
            items.swap(n, self.below(n + 1));
        }
    }
}

/// Some people and what they did with each other.
struct Town {
    ports: Ports,
    people: Vec<Person>,
    posts: Vec<PostId>,
}

impl Town {
    /// The same town, with the same ids, every time.
    async fn new() -> Self {
        let ports = Ports::in_memory_at(Arc::new(ManualClock::default()), 7);
        let world = Fixture::new(ports.clone());
        let mut people = Vec::new();
        for name in ["mona", "omar", "nour", "ali", "hany", "salma"] {
            people.push(world.person(name).await);
        }
        Self { ports, people, posts: Vec::new() }
    }

    /// One thing that somebody does; what may not be done is not done.
    async fn act(&mut self, draw: &mut Draw) {
        let (one, other) = (draw.below(self.people.len()), draw.below(self.people.len()));
        let (actor, other) = (self.people[one].actor(), self.people[other].id);
        let graph = GraphService::new(self.ports.clone());
        let (posts, comments) = (PostService::new(self.ports.clone()), CommentService::new(self.ports.clone()));
        let reactions = ReactionService::new(self.ports.clone());
        if self.posts.is_empty() {
            self.posts.push(posts.create(&actor, &CreatePost::public("أول بوست"), None).await.unwrap());
        }
        let post = self.posts[draw.below(self.posts.len())];
        let kinds = [ReactionKind::Like, ReactionKind::Love, ReactionKind::Angry];
        let refused = match draw.below(10) {
            0 | 1 => graph.follow(&actor, other, None).await.err(),
            2 => graph.unfollow(&actor, other, None).await.err(),
            3 => match posts.create(&actor, &CreatePost::public("قهوة؟ @mona @omar"), None).await {
                Ok(post) => {
                    self.posts.push(post);
                    None
                }
                Err(error) => Some(error),
            },
            4 => posts.delete(&actor, post, None).await.err(),
            5 => posts.restore(&actor, post, None).await.err(),
            6 | 7 => reactions.react(&actor, Target::Post(post), kinds[draw.below(3)], None).await.err(),
            8 => reactions.unreact(&actor, Target::Post(post), None).await.err(),
            _ => comments.create(&actor, post, None, "تمام", None).await.err(),
        };
        assert!(refused.is_none_or(|error| error.is_refusal()));
    }

    /// Everything that consumers made: counters of people and posts, notifications, feeds.
    async fn effects(&self) -> Vec<String> {
        let mut effects = Vec::new();
        for person in &self.people {
            for field in [CounterField::ProfilePosts, CounterField::ProfileFollowers, CounterField::ProfileFollowing] {
                effects.push(format!("{field:?} {}", self.counter(field, person.id.raw()).await));
            }
            let mut view = self.ports.store.read(&person.actor(), Access::Read).await.unwrap();
            let now = GroupPosition { as_of: self.ports.clock.now(), after: None };
            let told = view.notifications().groups(now, Limit::new(100).unwrap()).await.unwrap();
            effects.push(format!("{:?}", told.items));
            drop(view);
            let feed = daira_feed::FeedService::new(self.ports.clone(), daira_feed::FeedSettings::default());
            let page = feed.following(&person.actor(), Limit::DEFAULT, None).await.unwrap();
            effects.push(format!("{:?}", page.items.iter().map(|item| item.card.post.id).collect::<Vec<_>>()));
        }
        for post in &self.posts {
            for field in [CounterField::PostReactions, CounterField::PostComments] {
                effects.push(format!("{post} {field:?} {}", self.counter(field, post.raw()).await));
            }
        }
        effects
    }

    async fn counter(&self, field: CounterField, subject: i64) -> i64 {
        let mut unit = self.ports.store.begin(&Actor::System("test")).await.unwrap();
        unit.counters().value(field, subject).await.unwrap()
    }

    fn consumers(&self, bus: Arc<dyn EventBus>) -> Runner {
        let ports = Ports { bus, ..self.ports.clone() };
        let runner = Runner::new(ports.clone()).settings(small_batches());
        runner.consumer(Counters).consumer(Notifications).consumer(FanOut::new(&ports))
    }
}

impl Town {
    /// Runs all consumers until there is nothing left, or until they die, which it says. Then their leases lapse, and the
    /// next ones find the same events again.
    async fn dies_on(&self, bus: Arc<Thrice>) -> bool {
        match self.consumers(bus).run_until_idle().await {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.operation(), "test.killed");
                self.ports.clock.sleep(Duration::from_mins(1)).await;
                true
            }
        }
    }
}

fn small_batches() -> RunnerSettings {
    let mut settings = RunnerSettings::default();
    settings.batch = 7;
    settings
}

/// A bus that delivers every batch three times, in another order each time: twice its consumer dies before the commit.
struct Thrice {
    inner: Arc<dyn EventBus>,
    /// How many batches each group was given.
    given: Mutex<HashMap<&'static str, u32>>,
}

impl Thrice {
    fn over(inner: &Arc<dyn EventBus>) -> Arc<Self> {
        Arc::new(Self { inner: inner.clone(), given: Mutex::default() })
    }
}

struct Shuffled {
    inner: Box<dyn EventBatch>,
    events: Vec<Delivered>,
    dies: bool,
}

#[async_trait]
impl EventBus for Thrice {
    async fn next(&self, group: Group, owner: &str, max: usize) -> Result<Option<Box<dyn EventBatch>>> {
        let Some(inner) = self.inner.next(group, owner, max).await? else { return Ok(None) };
        let turn = {
            let mut given = self.given.lock().unwrap();
            let count = given.entry(group.name).or_default();
            *count += 1;
            *count
        };
        let mut events = inner.events().to_vec();
        Draw(turn.into()).shuffle(&mut events);
        Ok(Some(Box::new(Shuffled { inner, events, dies: turn % 3 != 0 })))
    }

    async fn release(&self, group: Group, owner: &str) -> Result<()> {
        self.inner.release(group, owner).await
    }

    async fn wait(&self, patience: Duration) {
        self.inner.wait(patience).await;
    }

    async fn lag(&self, group: Group) -> Result<Lag> {
        self.inner.lag(group).await
    }

    async fn dead_letters(&self, group: &str, after: Option<i64>, limit: u32) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(group, after, limit).await
    }

    async fn replay(&self, group: &str, event: i64) -> Result<bool> {
        self.inner.replay(group, event).await
    }

    async fn drop_letter(&self, group: &str, event: i64) -> Result<bool> {
        self.inner.drop_letter(group, event).await
    }
}

#[async_trait]
impl EventBatch for Shuffled {
    fn events(&self) -> &[Delivered] {
        &self.events
    }

    fn unit(&mut self) -> &mut dyn UnitOfWork {
        self.inner.unit()
    }

    async fn savepoint(&mut self) -> Result<Savepoint> {
        self.inner.savepoint().await
    }

    async fn rollback_to(&mut self, point: Savepoint) -> Result<()> {
        self.inner.rollback_to(point).await
    }

    async fn bury(&mut self, event: i64, attempts: u16, reason: &str, parked: bool) -> Result<()> {
        self.inner.bury(event, attempts, reason, parked).await
    }

    async fn parked_keys(&mut self) -> Result<Vec<i64>> {
        self.inner.parked_keys().await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        if self.dies { Err(Error::new(ErrorKind::Unavailable, "test.killed")) } else { self.inner.commit().await }
    }
}

#[tokio::test]
async fn security_89_every_event_delivered_three_times_in_any_order_counts_once() {
    let (mut once, mut thrice) = (Town::new().await, Town::new().await);
    for town in [&mut once, &mut thrice] {
        let mut draw = Draw(89);
        for _ in 0..300 {
            town.act(&mut draw).await;
        }
    }
    once.consumers(once.ports.bus.clone()).run_until_idle().await.unwrap();

    let bus = Thrice::over(&thrice.ports.bus);
    while thrice.dies_on(bus.clone()).await {}
    let given = bus.given.lock().unwrap().clone();
    assert!(given.len() == 3 && given.values().all(|count| *count > 20 && count % 3 == 0), "{given:?}");
    assert_eq!(thrice.effects().await, once.effects().await);
}

#[tokio::test]
async fn security_89_effects_with_a_natural_key_bear_repetition_even_when_it_is_committed() {
    let (mut once, mut thrice) = (Town::new().await, Town::new().await);
    for town in [&mut once, &mut thrice] {
        let mut draw = Draw(90);
        for _ in 0..200 {
            town.act(&mut draw).await;
        }
        town.consumers(town.ports.bus.clone()).run_until_idle().await.unwrap();
    }
    // Everything that happened, once more to the same consumers, twice over and in another order.
    let reader = Group { name: "again", topics: Notifications::GROUP.topics, rebuilds: false };
    let batch = thrice.ports.bus.next(reader, "test", 10_000).await.unwrap().unwrap();
    let mut events: Vec<Delivered> = batch.events().iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    drop(batch);
    Draw(91).shuffle(&mut events);
    assert!(events.len() > 100);
    let consumers: [Box<dyn Consumer>; 2] = [Box::new(Notifications), Box::new(FanOut::new(&thrice.ports))];
    for consumer in &consumers {
        let (actor, events) = (Actor::System(consumer.group().name), events.as_slice());
        let applied =
            thrice.ports.transact(&actor, |mut unit| Box::pin(async move { consumer.apply(events, &mut *unit).await }));
        applied.await.unwrap();
    }
    assert_eq!(thrice.effects().await, once.effects().await);
}

#[tokio::test]
async fn security_90_counters_equal_a_recount_after_chaos_and_drift_is_mended() {
    let mut town = Town::new().await;
    let bus = Thrice::over(&town.ports.bus);
    let mut draw = Draw(7);
    for round in 0..200 {
        town.act(&mut draw).await;
        if round % 9 == 0 {
            // Killed now and then, and going on from where it was.
            town.dies_on(bus.clone()).await;
        }
    }
    while town.dies_on(bus.clone()).await {}
    let told = town.effects().await;
    job::reconcile(&town.ports).await.unwrap();
    assert_eq!(town.effects().await, told, "the rows say the same");

    let (mona, omar) = (&town.people[0], &town.people[1]);
    let before = town.counter(CounterField::ProfileFollowers, mona.id.raw()).await;
    let drift = |delta| daira_core::port::store::CounterDelta {
        field: CounterField::ProfileFollowers,
        subject: mona.id.raw(),
        delta,
    };
    for delta in [5, -17] {
        let drift = drift(delta);
        let spoilt = town.ports.transact(&Actor::System("test"), |mut unit| {
            Box::pin(async move { unit.counters().apply(&[drift]).await })
        });
        spoilt.await.unwrap();
        job::reconcile(&town.ports).await.unwrap();
        assert_eq!(town.counter(CounterField::ProfileFollowers, mona.id.raw()).await, before, "{delta}");
    }
    let graph = GraphService::new(town.ports.clone());
    graph.unfollow(&omar.actor(), mona.id, None).await.unwrap();
    job::reconcile(&town.ports).await.unwrap();
    let pending = town.counter(CounterField::ProfileFollowers, mona.id.raw()).await;
    assert_eq!(pending, before, "what is only on its way is no drift");
}

/// Works until it is let go; keeps what it was given.
#[derive(Clone, Default)]
struct Slow {
    began: Arc<Notify>,
    go: Arc<Notify>,
    got: Arc<Mutex<Vec<i64>>>,
}

const GROUP: Group = Group { name: "slow", topics: &["daira.account.v1"], rebuilds: false };

#[async_trait]
impl Consumer for Slow {
    fn group(&self) -> Group {
        GROUP
    }

    async fn apply(&self, events: &[Delivered], _unit: &mut dyn UnitOfWork) -> Result<()> {
        self.began.notify_one();
        self.go.notified().await;
        self.got.lock().unwrap().extend(events.iter().map(|event| event.envelope.key));
        Ok(())
    }
}

fn draining(ports: &Ports, slow: &Slow, drain: Duration, stop: &CancellationToken) -> JoinSet<()> {
    let mut settings = RunnerSettings::default();
    settings.drain = drain;
    JoinSet::from_iter([Runner::new(ports.clone()).consumer(slow.clone()).settings(settings).run(stop.clone())])
}

#[tokio::test]
async fn security_92_what_runs_at_shutdown_is_finished() {
    let ports = Ports::in_memory();
    happen(&ports, &[1, 2]).await;
    let (slow, stop) = (Slow::default(), CancellationToken::new());
    let running = draining(&ports, &slow, Duration::from_mins(5), &stop);
    slow.began.notified().await;
    stop.cancel();
    slow.go.notify_one();
    running.join_all().await;
    assert_eq!(*slow.got.lock().unwrap(), [1, 2]);
    assert_eq!(ports.bus.lag(GROUP).await.unwrap().events, 0, "its position was kept");
    assert!(ports.bus.next(GROUP, "another", 10).await.unwrap().is_none());
}

#[tokio::test]
async fn security_92_what_cannot_be_finished_in_time_is_cut_off_and_comes_again() {
    let ports = Ports::in_memory_at(Arc::new(ManualClock::default()), 7);
    happen(&ports, &[1, 2]).await;
    let (stuck, stop) = (Slow::default(), CancellationToken::new());
    let running = draining(&ports, &stuck, Duration::from_millis(1), &stop);
    stuck.began.notified().await;
    stop.cancel();
    running.join_all().await;
    assert!(stuck.got.lock().unwrap().is_empty());
    assert_eq!(ports.bus.lag(GROUP).await.unwrap().events, 2, "nothing was half done");

    // Its leases lapse, and whoever comes next gets all of it.
    ports.clock.sleep(Duration::from_mins(1)).await;
    let (next, stop) = (Slow::default(), CancellationToken::new());
    next.go.notify_one();
    let running = draining(&ports, &next, Duration::from_mins(5), &stop);
    next.began.notified().await;
    stop.cancel();
    running.join_all().await;
    assert_eq!(*next.got.lock().unwrap(), [1, 2]);
}

/// Cannot be reached until it can.
#[derive(Clone, Default)]
struct Away(Arc<AtomicBool>);

#[async_trait]
impl Consumer for Away {
    fn group(&self) -> Group {
        Group { name: "away", ..GROUP }
    }

    async fn apply(&self, _events: &[Delivered], _unit: &mut dyn UnitOfWork) -> Result<()> {
        if self.0.load(Ordering::SeqCst) { Ok(()) } else { Err(Error::new(ErrorKind::Unavailable, "test.away")) }
    }
}

/// The value of a gauge.
fn gauge(registry: &Registry, name: &str) -> Option<f64> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}{{group=\"away\"}} ")))?;
    Some(line.parse().unwrap())
}

/// Lets the others go on until it holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{what}: never");
}

#[tokio::test]
async fn security_95_lag_and_age_rise_while_a_consumer_stands_still() {
    let ports = Ports::in_memory_at(Arc::new(ManualClock::default()), 7);
    happen(&ports, &[1, 2, 3]).await;
    let (consumer, stop, mut registry) = (Away::default(), CancellationToken::new(), Registry::default());
    let runner = Runner::new(ports.clone()).consumer(consumer.clone()).measured_by(&mut registry);
    let running = JoinSet::from_iter([runner.run(stop.clone())]);
    let (events, age) = ("daira_worker_lag_events", "daira_worker_lag_seconds");
    until("three wait", || gauge(&registry, events) == Some(3.0)).await;
    let young = gauge(&registry, age).unwrap();
    until("they grow old", || gauge(&registry, age).unwrap() > young + 60.0).await;
    happen(&ports, &[4, 5]).await;
    until("five wait", || gauge(&registry, events) == Some(5.0)).await;
    assert!(gauge(&registry, "daira_worker_batch_failures_total").unwrap() > 3.0, "it was tried all the while");
    assert_eq!(gauge(&registry, "daira_worker_dead_letters"), Some(0.0), "what is away is waited for");

    consumer.0.store(true, Ordering::SeqCst);
    until("none waits", || gauge(&registry, events) == Some(0.0)).await;
    assert_eq!(gauge(&registry, age), Some(0.0));
    stop.cancel();
    running.join_all().await;
}
