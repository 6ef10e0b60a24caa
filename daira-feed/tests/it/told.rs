//! "Why this?": what is told is what ranked, and what was served is remembered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{Id as _, PostId, ProfileId};
use daira_core::locale::Locale;
use daira_core::port::store::{Access, Affinity, InboxReason, PageServed};
use daira_core::port::{Ports, ReadView, Store, UnitOfWork};
use daira_core::testkit::fixture::{PLATFORM, Writing};
use daira_core::time::Timestamp;
use daira_core::{Actor, page::Limit};
use daira_feed::explain::{PartCode, Why};
use daira_feed::rank::{Parts, score};
use daira_feed::{FeedSettings, PageRecorder};

use crate::town::Town;

#[tokio::test]
async fn what_is_told_is_what_ranked() {
    let town = Town::new(3).await;
    let close = town.post(0, "من حد قريب").await;
    let loved = town.post(1, "بوست الناس بتحبه").await;
    let seen = town.post(2, "شفته قبل كده").await;
    town.like(loved, 40).await;
    let now = town.world.now();
    let mut unit = town.world.unit(&PLATFORM).await;
    unit.feed().add_affinity(&[(town.reader.id, town.authors[0].id, Affinity { sum: 2.0, at: now })]).await.unwrap();
    unit.feed()
        .record_pages(&[PageServed {
            viewer: town.reader.id,
            at: now - Duration::from_hours(1),
            items: vec![(seen, vec![0])],
        }])
        .await
        .unwrap();
    unit.commit().await.unwrap();
    let mut view = town.world.view(&town.reader.actor()).await;
    let candidates = view.feed().candidates(now, 50).await.unwrap();
    drop(view);
    let page = town.home(10, None).await;
    let mut scores = Vec::new();
    for item in &page.items {
        let (why, card) = town.feed.why(&town.reader.actor(), item.card.post.id).await.unwrap();
        let candidate = candidates.iter().find(|candidate| candidate.post == card.post.id).unwrap();
        let alone = score(candidate, now, &FeedSettings::default());
        let told: f64 = why.contributions().iter().map(|(_, by)| by).sum();
        assert!((told - (alone.total() + why.parts.diversity)).abs() < 1e-6, "the parts are the score");
        assert!((0.0..=0.1 + 1e-6).contains(&why.parts.diversity));
        assert_eq!((why.source, why.served_at), (InboxReason::Follow, now));
        scores.push((card.post.id, told, why));
    }
    assert!(scores.is_sorted_by(|higher, lower| higher.1 >= lower.1 - 1e-6), "{scores:?}");
    let of = |post: PostId| &scores.iter().find(|score| score.0 == post).unwrap().2;
    assert_eq!(of(close).contributions()[0].0, PartCode::Affinity);
    assert_eq!(of(loved).contributions()[0].0, PartCode::Quality);
    assert!(of(seen).parts.seen < -0.1 && of(close).parts.seen == 0.0, "seen items sink");
    assert_eq!(scores.last().unwrap().0, seen);
    let sentences = of(close).sentences("منى", Locale::Ar);
    assert_eq!(sentences[..2], ["إنت متابع منى", "بتتفاعل كتير مع منى"]);
    assert_eq!(of(seen).sentences("Ali", Locale::En).iter().filter(|s| s.contains("saw it before")).count(), 1);
}

#[tokio::test]
async fn every_page_of_a_session_can_say_why() {
    let town = Town::new(4).await;
    town.posts(20).await;
    let first = town.home(8, None).await;
    let second = town.home(8, town.last(&first).as_deref()).await;
    for flushed in [false, true] {
        for item in first.items.iter().chain(&second.items) {
            let (why, _) = town.feed.why(&town.reader.actor(), item.card.post.id).await.unwrap();
            assert!(why.parts.total() > 0.0, "flushed: {flushed}");
        }
        assert_eq!(town.feed.recorder().flush(&town.world.ports).await.unwrap(), if flushed { 0 } else { 2 });
    }
    let hidden = town.world.post(&town.authors[0], Writing::new("ما وصلش")).await;
    assert_eq!(town.feed.why(&town.reader.actor(), hidden.id).await.unwrap_err().operation(), "common.not_found");
    assert_eq!(town.feed.why(&Actor::Anonymous, hidden.id).await.unwrap_err().operation(), "auth.required");
    assert!(town.feed.count_new(&Actor::Anonymous, Timestamp::EPOCH).await.is_err());
    assert!(town.feed.following(&Actor::Anonymous, Limit::DEFAULT, None).await.is_err());
}

#[test]
fn every_part_and_every_source_has_its_words_in_both_languages() {
    let parts = Parts { affinity: 0.3, quality: 0.2, freshness: 0.15, diversity: 0.1, prior: 0.02, seen: -0.25 };
    let sources =
        [InboxReason::Follow, InboxReason::Mention, InboxReason::Circle, InboxReason::Own, InboxReason::Popular];
    let mut told = std::collections::BTreeSet::new();
    for locale in [Locale::Ar, Locale::En] {
        for source in sources {
            let why = Why { source, parts, served_at: Timestamp::EPOCH };
            let sentences = why.sentences("Mona", locale);
            assert_eq!(sentences.len(), 7, "where it came from, and six parts");
            told.extend(sentences);
        }
    }
    assert_eq!(told.len(), 2 * (5 + 6), "each is a sentence of its own: {told:?}");
    let why = Why { source: InboxReason::Own, parts, served_at: Timestamp::EPOCH };
    let codes: Vec<_> = why.contributions().iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["affinity", "seen", "quality", "freshness", "diversity", "prior"], "the largest effect first");
}

/// A store that is away.
struct Away;

#[async_trait]
impl Store for Away {
    async fn begin(&self, _: &Actor) -> Result<Box<dyn UnitOfWork>> {
        Err(Error::new(ErrorKind::Unavailable, "test.away"))
    }
    async fn read(&self, _: &Actor, _: Access) -> Result<Box<dyn ReadView>> {
        Err(Error::new(ErrorKind::Unavailable, "test.away"))
    }
    async fn ping(&self) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "test.away"))
    }
}

#[tokio::test]
async fn pages_wait_for_a_store_that_is_away_and_too_many_are_dropped_and_counted() {
    let town = Town::new(1).await;
    let posts = town.posts(2).await;
    let recorder = PageRecorder::default();
    let page =
        |viewer: ProfileId, post: PostId| PageServed { viewer, at: town.world.now(), items: vec![(post, vec![1])] };
    recorder.record(page(town.reader.id, posts[0]));
    let away = Ports { store: Arc::new(Away), ..town.world.ports.clone() };
    assert_eq!(recorder.flush(&away).await.unwrap_err().kind(), ErrorKind::Unavailable);
    recorder.record(page(town.reader.id, posts[1]));
    assert!(recorder.find(town.reader.id, posts[0]).is_some() && recorder.find(town.authors[0].id, posts[0]).is_none());
    assert_eq!(recorder.flush(&town.world.ports).await.unwrap(), 2);
    let mut view = town.world.view(&town.reader.actor()).await;
    assert!(view.feed().served_reason(posts[0]).await.unwrap().is_some());

    for number in 0..50_010 {
        recorder.record(page(ProfileId::from_raw(number), posts[0]));
    }
    assert_eq!(recorder.dropped(), 10);
}
