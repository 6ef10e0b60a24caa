//! The platform's scheduled jobs over the in-memory ports, on a clock that the tests move.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use daira_core::account::{AccountService, AccountState, Register};
use daira_core::actor::{Actor, Client};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{Id, MediaId, PostId};
use daira_core::locale::Locale;
use daira_core::media::{Media, Variant};
use daira_core::memory::ManualClock;
use daira_core::port::store::Lock;
use daira_core::port::{Clock as _, Delivered, EventBatch, EventBus, Group, Lag, Ports, UnitOfWork};
use daira_core::post::{CreatePost, PostService};
use daira_core::record::{AuditService, BreachService, ExportService, Kept};
use daira_core::secret::Secret;
use daira_core::testkit::fixture::{Draft, Fixture, Person, limit};
use daira_feed::{FeedService, FeedSettings};
use daira_worker::consume::FanOut;
use daira_worker::job::{
    BuildExports, EraseAccounts, Expiry, LiftSuspensions, PartitionsAhead, Retention, SealAudit, WatchBreaches,
};
use daira_worker::{Consumer, Job, Runner};
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_hours(1);

fn ports() -> (Arc<ManualClock>, Ports) {
    let clock = Arc::new(ManualClock::default());
    (clock.clone(), Ports::in_memory_at(clock, 7))
}

async fn publish(ports: &Ports, author: &Person, text: &str) -> PostId {
    PostService::new(ports.clone()).create(&author.actor(), &CreatePost::public(text), None).await.unwrap()
}

async fn is_there(ports: &Ports, author: &Person, post: PostId) -> bool {
    let mut unit = ports.store.begin(&author.actor()).await.unwrap();
    unit.posts().post(post, Lock::None).await.unwrap().is_some()
}

#[tokio::test]
async fn suspensions_that_are_over_are_lifted() {
    let (clock, ports) = ports();
    let world = Fixture::new(ports.clone());
    let until = clock.now() + HOUR;
    let mona = world.person(Draft::new("mona").state(AccountState::Suspended(until))).await;
    let banned = world.person(Draft::new("banned").state(AccountState::Banned)).await;
    let seen = async || {
        let mut view = world.view(&Actor::Anonymous).await;
        view.accounts().profiles(&[mona.id, banned.id]).await.unwrap().into_iter().map(|p| p.id).collect::<Vec<_>>()
    };
    LiftSuspensions.run(&ports).await.unwrap();
    assert_eq!(seen().await, []);
    clock.advance(HOUR);
    LiftSuspensions.run(&ports).await.unwrap();
    assert_eq!(seen().await, [mona.id]);
}

/// More of them, and of what each holds, than one unit removes.
#[tokio::test]
async fn who_left_is_erased_however_much_there_is_of_them() {
    let (clock, ports) = ports();
    let world = Fixture::new(ports.clone());
    let (mona, karim) = (world.person("mona").await, world.person("karim").await);
    let stays = publish(&ports, &karim, "باقي").await;
    for n in 0..1_100 {
        let fan = world.person(format!("fan{n}").as_str()).await;
        world.follow(&fan, &mona).await;
    }
    let gone = publish(&ports, &mona, "رايح").await;
    let at = clock.now() + HOUR;
    for person in [&mona, &world.person("nour").await] {
        let mut unit = world.unit(&person.actor()).await;
        let account = unit.accounts().account(person.account, Lock::Update).await.unwrap().unwrap();
        let version = account.version + 1;
        let account = daira_core::account::Account { leaving_at: Some(at), version, ..account };
        unit.accounts().update_account(&account).await.unwrap();
        unit.commit().await.unwrap();
    }
    EraseAccounts.run(&ports).await.unwrap();
    assert!(is_there(&ports, &mona, gone).await);
    clock.advance(HOUR);
    EraseAccounts.run(&ports).await.unwrap();
    assert!(is_there(&ports, &karim, stays).await && !is_there(&ports, &mona, gone).await);
    let view = world.view(&karim.actor()).await.graph().followers(mona.id, None, limit(10)).await.unwrap();
    assert!(view.items.is_empty());
    let mut unit = world.unit(&Actor::System("test")).await;
    assert!(unit.erasures().due(clock.now(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn deleted_posts_are_purged_when_they_cannot_be_restored_any_more() {
    let (clock, ports) = ports();
    let mona = Fixture::new(ports.clone()).person("mona").await;
    let (kept, gone) = (publish(&ports, &mona, "باقي").await, publish(&ports, &mona, "رايح").await);
    let posts = PostService::new(ports.clone());
    posts.delete(&mona.actor(), gone, None).await.unwrap();
    clock.advance(ports.settings.restore_window);
    Retention::default().run(&ports).await.unwrap();
    posts.restore(&mona.actor(), gone, None).await.expect("to the last instant");
    posts.delete(&mona.actor(), gone, None).await.unwrap();
    clock.advance(ports.settings.restore_window + Duration::from_micros(1));
    Retention::default().run(&ports).await.unwrap();
    assert!(is_there(&ports, &mona, kept).await && !is_there(&ports, &mona, gone).await);
}

#[tokio::test]
async fn lapsed_registrations_go() {
    let (clock, ports) = ports();
    let accounts = AccountService::new(ports.clone());
    let register = |name: &str| Register {
        email: format!("{name}@example.com"),
        password: Secret::new("kahwa sada 3al nil"),
        handle: name.to_owned(),
        name: name.to_owned(),
        birth_date: "1999-04-25".to_owned(),
        locale: Locale::Ar,
    };
    let old = accounts.register(&Client::default(), register("mona"), None).await.unwrap();
    clock.advance(ports.settings.code_life / 2);
    let young = accounts.register(&Client::default(), register("nour"), None).await.unwrap();
    clock.advance(ports.settings.code_life / 2 + Duration::from_micros(1));
    Retention::default().run(&ports).await.unwrap();
    let mut unit = ports.store.begin(&Actor::System("test")).await.unwrap();
    assert!(unit.accounts().registration(old).await.unwrap().is_none());
    assert!(unit.accounts().registration(young).await.unwrap().is_some());
    drop(unit);
    accounts.request_password_reset(&Client::default(), "mona@example.com", Locale::Ar, None).await.unwrap();
    clock.advance(ports.settings.code_life + Duration::from_micros(1));
    Retention::default().run(&ports).await.unwrap();
    let mut unit = ports.store.begin(&Actor::System("test")).await.unwrap();
    assert_eq!(unit.accounts().purge_mailings(clock.now(), 10).await.unwrap(), 0, "nothing was left");
}

#[tokio::test]
async fn pictures_that_hang_on_nothing_go_with_their_bytes() {
    let (clock, ports) = ports();
    let mona = Fixture::new(ports.clone()).person("mona").await;
    let picture = |number: i64, attached| {
        let key = format!("pictures/{number}.webp");
        let variant = Variant {
            name: "feed-480.webp".to_owned(),
            key,
            content_type: "image/webp".to_owned(),
            width: 480,
            height: 480,
            bytes: 3,
        };
        Media {
            id: MediaId::from_raw(number),
            owner: mona.id,
            width: 480,
            height: 480,
            blurhash: "LEHV6nWB2yk8pyo0adR*.7kCMdnj".to_owned(),
            alt: String::new(),
            variants: vec![variant],
            post: None,
            attached,
            created_at: clock.now(),
        }
    };
    let pictures = [picture(1, true), picture(2, false)];
    for media in &pictures {
        ports.blobs.put(&media.variants[0].key, "image/webp", Bytes::from_static(b"abc")).await.unwrap();
        let owner = mona.actor();
        let save = ports.transact(&owner, |mut unit| Box::pin(async move { unit.media().insert(media).await }));
        save.await.unwrap();
    }
    Retention::default().run(&ports).await.unwrap();
    let there = async |n: usize| ports.blobs.head(&pictures[n].variants[0].key).await.unwrap().is_some();
    assert!(there(1).await, "a day is time to use it");
    clock.advance(25 * HOUR);
    Retention::default().run(&ports).await.unwrap();
    assert!(there(0).await && !there(1).await);
}

#[tokio::test]
async fn partitions_and_days_are_kept_in_order() {
    let (clock, ports) = ports();
    PartitionsAhead.run(&ports).await.unwrap();
    crate::runner::happen(&ports, &[1]).await;
    clock.advance(48 * HOUR);
    Expiry.run(&ports).await.unwrap();
    let late = Group { name: "late", topics: &["daira.account.v1"], rebuilds: false };
    assert!(ports.bus.next(late, "test", 10).await.unwrap().is_none(), "what nobody waits for went with its day");
}

#[tokio::test]
async fn every_kind_of_what_is_past_its_time_goes_and_nothing_else() {
    let (clock, ports) = ports();
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let accounts = AccountService::new(ports.clone());
    let exports = ExportService::new(ports.clone(), accounts.clone());
    let breaches = BreachService::new(ports.clone());
    let operator = Actor::System("cli");
    let old = breaches.open(&operator, clock.now(), "old").await.unwrap();
    breaches.close(&operator, old.id, "over").await.unwrap();
    let open = breaches.open(&operator, clock.now(), "open").await.unwrap();
    SealAudit.run(&ports).await.unwrap();
    WatchBreaches.run(&ports).await.unwrap();
    BuildExports.run(&ports).await.unwrap();
    for what in Kept::ALL {
        assert!(!what.code().is_empty() && what.keep(&ports.settings) < 10 * 365 * 24 * HOUR, "{what:?}");
    }
    Retention::default().run(&ports).await.unwrap();
    assert_eq!(breaches.list(&operator, false).await.unwrap().len(), 2, "not yet");
    SealAudit.run(&ports).await.unwrap();
    clock.advance(6 * 365 * 24 * HOUR);
    Retention::default().run(&ports).await.unwrap();
    let left = breaches.list(&operator, false).await.unwrap();
    assert_eq!(left.iter().map(|(breach, _)| breach.id).collect::<Vec<_>>(), [open.id]);
    let verdict = AuditService::new(ports.clone()).verify(None).await.unwrap();
    assert_eq!((verdict.breaks, verdict.let_go.len()), (vec![], 1), "the months went, their seals stayed");
    assert!(exports.exports(&mona.actor()).await.unwrap().is_empty());
}

/// Fails, panics, then succeeds.
#[derive(Clone, Default)]
struct Stumbling(Arc<AtomicUsize>);

#[async_trait]
impl Job for Stumbling {
    fn name(&self) -> &'static str {
        "stumbling"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn run(&self, _ports: &Ports) -> Result<()> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::new(ErrorKind::Unavailable, "test.away")),
            1 => panic!("told to panic"),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_before_its_time_and_measured() {
    let (_, ports) = ports();
    let (job, stop, mut registry) = (Stumbling::default(), CancellationToken::new(), Registry::default());
    let runner = Runner::new(ports.clone()).job(job.clone()).measured_by(&mut registry);
    let running = JoinSet::from_iter([runner.run(stop.clone())]);
    while job.0.load(Ordering::SeqCst) < 4 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.join_all().await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("daira_worker_job_failures_total{job=\"stumbling\"} 2"), "{text}");
}

/// A bus whose group fell behind the kept log.
struct Behind {
    inner: Arc<dyn EventBus>,
    parked: AtomicBool,
    skipped: AtomicBool,
}

#[async_trait]
impl EventBus for Behind {
    async fn next(&self, group: Group, owner: &str, max: usize) -> Result<Option<Box<dyn EventBatch>>> {
        assert!(!self.parked.load(Ordering::SeqCst), "a parked group gets nothing");
        self.inner.next(group, owner, max).await
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

    async fn dead_letters(
        &self,
        group: &str,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<daira_core::port::DeadLetter>> {
        self.inner.dead_letters(group, after, limit).await
    }

    async fn replay(&self, group: &str, event: i64) -> Result<bool> {
        self.inner.replay(group, event).await
    }

    async fn drop_letter(&self, group: &str, event: i64) -> Result<bool> {
        self.inner.drop_letter(group, event).await
    }

    async fn is_parked(&self, _group: Group) -> Result<bool> {
        Ok(self.parked.load(Ordering::SeqCst))
    }

    /// All that happened so far is gone from the log.
    async fn skip(&self, group: Group) -> Result<()> {
        self.skipped.store(true, Ordering::SeqCst);
        while let Some(batch) = self.inner.next(group, "skip", 1_000).await? {
            batch.commit().await?;
        }
        self.inner.release(group, "skip").await
    }

    async fn unpark(&self, _group: Group) -> Result<bool> {
        assert!(self.skipped.load(Ordering::SeqCst));
        self.parked.store(false, Ordering::SeqCst);
        Ok(true)
    }
}

#[tokio::test]
async fn a_group_that_fell_behind_makes_its_effects_anew_and_goes_on() {
    let (clock, ports) = ports();
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let lost = publish(&ports, &mona, "ضاع من السجل").await;
    let bus = Behind { inner: ports.bus.clone(), parked: AtomicBool::new(true), skipped: AtomicBool::default() };
    let ports = Ports { bus: Arc::new(bus), ..ports };
    let runner = Runner::new(ports.clone()).consumer(FanOut::new(&ports));
    runner.run_until_idle().await.unwrap();
    clock.advance(HOUR);
    let next = publish(&ports, &mona, "وصل بعدها").await;
    runner.run_until_idle().await.unwrap();
    let feed = FeedService::new(ports.clone(), FeedSettings::default());
    let page = feed.following(&ali.actor(), daira_core::page::Limit::DEFAULT, None).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.card.post.id).collect::<Vec<_>>(), [next, lost]);
}

/// A consumer of nothing in particular.
struct Idle;

#[async_trait]
impl Consumer for Idle {
    fn group(&self) -> Group {
        Group { name: "idle", topics: &[], rebuilds: true }
    }

    async fn apply(&self, _events: &[Delivered], _unit: &mut dyn UnitOfWork) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_runner_says_what_it_runs_and_a_group_without_effects_has_nothing_to_make_anew() {
    let (_, ports) = ports();
    let runner = Runner::new(ports.clone()).consumer(Idle).job(Retention::default());
    assert_eq!(format!("{runner:?}"), "Runner { groups: [\"idle\"], jobs: [\"retention\"], .. }");
    Idle.rebuild(&ports).await.unwrap();
}
