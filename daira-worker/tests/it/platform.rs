//! The main job, end to end in memory: people follow, post, react, and read what the consumers made of it.

use std::sync::Arc;
use std::time::Duration;

use daira_core::actor::Actor;
use daira_core::graph::GraphService;
use daira_core::id::{Id, PostId};
use daira_core::media::Media;
use daira_core::memory::ManualClock;
use daira_core::page::Limit;
use daira_core::port::store::{Access, CounterField};
use daira_core::port::{BlobStoreExt, Ports};
use daira_core::post::{Attachment, CreatePost, PostService};
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::testkit::fixture::{Fixture, Person};
use daira_feed::{FeedService, FeedSettings};
use daira_worker::{Job, Runner, consume, job};

struct Platform {
    ports: Ports,
    world: Fixture,
    runner: Runner,
    feed: FeedService,
}

fn platform() -> Platform {
    let ports = Ports::in_memory();
    Platform {
        world: Fixture::new(ports.clone()),
        runner: consume::all(Runner::new(ports.clone()), &ports),
        feed: FeedService::new(ports.clone(), FeedSettings::default()),
        ports,
    }
}

impl Platform {
    async fn post(&self, author: &Person, text: &str) -> PostId {
        PostService::new(self.ports.clone()).create(&author.actor(), &CreatePost::public(text), None).await.unwrap()
    }

    async fn home(&self, reader: &Actor) -> Vec<String> {
        let page = self.feed.home(reader, Limit::DEFAULT, None).await.unwrap();
        page.items.into_iter().map(|item| item.card.post.text.clone()).collect()
    }

    async fn counter(&self, field: CounterField, subject: i64) -> i64 {
        let mut unit = self.world.unit(&Actor::System("test")).await;
        unit.counters().value(field, subject).await.unwrap()
    }
}

#[tokio::test]
async fn a_post_reaches_followers_and_is_counted_once() {
    let p = platform();
    let (mona, ali) = (p.world.person("mona").await, p.world.person("ali").await);
    GraphService::new(p.ports.clone()).follow(&ali.actor(), mona.id, None).await.unwrap();
    let post = p.post(&mona, "صباح الفل يا مصر").await;
    ReactionService::new(p.ports.clone())
        .react(&ali.actor(), Target::Post(post), ReactionKind::Love, None)
        .await
        .unwrap();
    p.runner.run_until_idle().await.unwrap();
    p.runner.run_until_idle().await.unwrap();

    assert_eq!(p.home(&ali.actor()).await, ["صباح الفل يا مصر"]);
    assert_eq!(p.counter(CounterField::ProfilePosts, mona.id.raw()).await, 1);
    assert_eq!(p.counter(CounterField::ProfileFollowers, mona.id.raw()).await, 1);
    assert_eq!(p.counter(CounterField::PostReactions, post.raw()).await, 1);
    let mut view = p.ports.store.read(&mona.actor(), Access::Read).await.unwrap();
    assert_eq!(view.notifications().unread().await.unwrap(), 2, "a follower and a reaction");
}

#[tokio::test]
async fn a_new_follower_gets_what_was_posted_before_and_loses_it_on_leaving() {
    let p = platform();
    let (mona, ali) = (p.world.person("mona").await, p.world.person("ali").await);
    p.post(&mona, "ahlan ya gama3a").await;
    let graph = GraphService::new(p.ports.clone());
    graph.follow(&ali.actor(), mona.id, None).await.unwrap();
    p.runner.run_until_idle().await.unwrap();
    let following = p.feed.following(&ali.actor(), Limit::DEFAULT, None).await.unwrap();
    assert_eq!(following.items.len(), 1);

    graph.unfollow(&ali.actor(), mona.id, None).await.unwrap();
    let before_clean_up = p.feed.following(&ali.actor(), Limit::DEFAULT, None).await.unwrap();
    assert!(before_clean_up.items.is_empty(), "the edge is gone, whatever the inbox still holds");
    p.runner.run_until_idle().await.unwrap();
    assert!(p.feed.following(&ali.actor(), Limit::DEFAULT, None).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn served_pages_are_impressions_and_reasons() {
    let p = platform();
    let (mona, ali) = (p.world.person("mona").await, p.world.person("ali").await);
    p.world.follow(&ali, &mona).await;
    let post = p.post(&mona, "قهوة مظبوطة؟").await;
    p.runner.run_until_idle().await.unwrap();
    p.home(&ali.actor()).await;

    let (waiting, _) = p.feed.why(&ali.actor(), post).await.unwrap();
    assert_eq!(p.feed.recorder().flush(&p.ports).await.unwrap(), 1);
    let (written, card) = p.feed.why(&ali.actor(), post).await.unwrap();
    assert_eq!(waiting.parts, written.parts);
    assert_eq!(card.post.id, post);
    p.runner.run_until_idle().await.unwrap();
    assert_eq!(p.counter(CounterField::PostImpressions, post.raw()).await, 1);
    assert!(p.feed.why(&mona.actor(), post).await.is_err(), "it was never served to her");
}

#[tokio::test]
async fn security_90_the_reconciler_finds_and_mends_drift() {
    let p = platform();
    let (mona, ali) = (p.world.person("mona").await, p.world.person("ali").await);
    p.world.follow(&ali, &mona).await; // a row without its event: the counter never hears of it
    job::reconcile(&p.ports).await.unwrap();
    assert_eq!(p.counter(CounterField::ProfileFollowers, mona.id.raw()).await, 1);
}

#[tokio::test]
async fn the_reconciler_leaves_what_is_only_pending_alone() {
    let p = platform();
    let (mona, ali) = (p.world.person("mona").await, p.world.person("ali").await);
    GraphService::new(p.ports.clone()).follow(&ali.actor(), mona.id, None).await.unwrap();
    job::reconcile(&p.ports).await.unwrap();
    p.runner.run_until_idle().await.unwrap();
    assert_eq!(p.counter(CounterField::ProfileFollowers, mona.id.raw()).await, 1, "not twice");
}

#[tokio::test]
async fn pictures_that_nothing_uses_go_with_their_blobs() {
    let clock = Arc::new(ManualClock::default());
    let ports = Ports::in_memory_at(clock.clone(), 7);
    let world = Fixture::new(ports.clone());
    let mona = world.person("mona").await;
    let [unused, posted] = [world.picture(&mona).await, world.picture(&mona).await];
    for variant in unused.variants.iter().chain(&posted.variants) {
        ports.blobs.put(&variant.key, "image/webp", vec![1].into()).await.unwrap();
    }
    let media = vec![Attachment { media: posted.id, alt: String::new() }];
    let input = CreatePost { media, ..CreatePost::public("") };
    let posts = PostService::new(ports.clone());
    let post = posts.create(&mona.actor(), &input, None).await.unwrap();
    let left = async |media: &Media| {
        let mut left = 0;
        for variant in &media.variants {
            left += usize::from(ports.blobs.exists(&variant.key).await.unwrap());
        }
        left
    };
    job::Retention::default().run(&ports).await.unwrap();
    assert_eq!(left(&unused).await, 2, "it may still be used");
    clock.advance(Duration::from_hours(25));
    job::Retention::default().run(&ports).await.unwrap();
    assert_eq!((left(&unused).await, left(&posted).await), (0, 2));

    posts.delete(&mona.actor(), post, None).await.unwrap();
    job::Retention::default().run(&ports).await.unwrap();
    assert_eq!(left(&posted).await, 2, "it may still be restored");
    clock.advance(ports.settings.restore_window + Duration::from_hours(1));
    job::Retention::default().run(&ports).await.unwrap();
    assert_eq!(left(&posted).await, 0, "deleted means gone");
}
