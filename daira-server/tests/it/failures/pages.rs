//! 5: a cursor over a rank that moves repeats and skips. 6: a filter after the page leaves holes in it, and clients stop.

use std::sync::Arc;
use std::time::Duration;

use daira_core::id::{Id as _, PostId};
use daira_core::memory::{ManualClock, WallClock};
use daira_core::page::Limit;
use daira_core::port::Clock as _;
use daira_core::port::store::CounterField;
use daira_core::post::{Delivery, Post};
use daira_core::testkit::fixture::{PLATFORM, Person, Writing};
use daira_feed::FeedPage;
use daira_store::postgres::testing::Server;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::platform::{Platform, last_cursor, on_each_server, posts};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ranked,
    Newest,
}

/// A reader, whom they follow, and what has been posted.
struct Town {
    platform: Platform,
    clock: Arc<ManualClock>,
    reader: Person,
    authors: Vec<Person>,
    posts: Vec<PostId>,
    dice: ChaCha8Rng,
}

impl Town {
    async fn new(server: Server, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(WallClock.now()));
        let platform = Platform::with(server, |ports| ports.clock = clock.clone()).await;
        let (reader, authors) = (platform.world.person("reader").await, platform.people("author", 7).await);
        for author in &authors {
            platform.world.follow(&reader, author).await;
        }
        let mut town =
            Self { platform, clock, reader, authors, posts: Vec::new(), dice: ChaCha8Rng::seed_from_u64(seed) };
        for _ in 0..60 {
            town.happen().await;
        }
        town
    }

    /// Something new: a post of somebody, delivered or looked up, and reactions to an older one.
    async fn happen(&mut self) {
        self.clock.advance(Duration::from_secs(1));
        let author = &self.authors[self.dice.random_range(0..self.authors.len())];
        let writing = Writing::new(format!("بوست {}", self.posts.len()));
        let writing = if self.dice.random_bool(0.3) { writing.pull() } else { writing };
        let (now, written) = (self.clock.now(), self.platform.world.written(author, writing));
        let post = &Post { id: self.platform.ports.ids.draw(now, author.id.shard()), ..written };
        let save = self.platform.ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move {
                unit.posts().insert(post).await?;
                if post.delivery == Delivery::Push {
                    unit.feed().deliver(post.id, None, 100, now).await?;
                }
                Ok(())
            })
        });
        save.await.unwrap();
        self.posts.push(post.id);
        let liked = self.posts[self.dice.random_range(0..self.posts.len())];
        let reactions = self.dice.random_range(1..40);
        self.platform.world.count(CounterField::PostReactions, liked.raw(), reactions).await;
    }

    async fn page(&self, kind: Kind, size: i64, after: Option<&str>) -> FeedPage {
        let (actor, size) = (self.reader.actor(), Limit::new(size).unwrap());
        match kind {
            Kind::Ranked => self.platform.feed.home(&actor, size, after).await.unwrap(),
            Kind::Newest => self.platform.feed.following(&actor, size, after).await.unwrap(),
        }
    }
}

async fn failure_05_many_pages_are_one_long_page_whatever_arrives(server: Server) {
    for (seed, kind) in [(1, Kind::Ranked), (2, Kind::Newest), (3, Kind::Ranked)] {
        let mut town = Town::new(server, seed).await;
        let long = town.page(kind, 100, None).await;
        assert_eq!((long.items.len(), long.has_next), (60, false));
        let long = posts(&long);
        let size = town.dice.random_range(3..20);
        let mut page = town.page(kind, size, None).await;
        let mut pages = posts(&page);
        assert_eq!(pages, long[..pages.len()], "the first page is the beginning of the long one");
        while page.has_next {
            for _ in 0..3 {
                town.happen().await;
            }
            let after = last_cursor(&town.platform.feed, &page);
            let size = town.dice.random_range(3..20);
            page = town.page(kind, size, after.as_deref()).await;
            // Asked for again, because its answer was lost, the page is the same.
            assert_eq!(posts(&town.page(kind, size, after.as_deref()).await), posts(&page));
            pages.extend(posts(&page));
        }
        if kind == Kind::Ranked {
            // Reactions that came before the list was frozen may have moved what follows the first page.
            let (mut pages, mut long) = (pages, long);
            pages.sort_unstable();
            long.sort_unstable();
            assert_eq!(pages, long, "seed {seed}");
        } else {
            assert_eq!(pages, long, "seed {seed}");
        }
    }
}

/// SECURITY 40: pages whose candidates are all filtered away still lead on to what is behind them.
async fn failure_06_a_hundred_filtered_authors_in_a_row_leave_no_hole(server: Server) {
    let platform = Platform::new(server).await;
    let reader = platform.world.person("reader").await;
    let (seen, blocked) = (platform.people("seen", 5).await, platform.people("blocked", 100).await);
    let mut expected = Vec::new();
    for author in seen.iter().chain(&blocked) {
        platform.world.follow(&reader, author).await;
    }
    for round in 0..6 {
        for author in &seen {
            expected.push(platform.world.published(author, format!("بوست {round}").as_str()).await.id);
        }
    }
    // The newest hundred, one after the other, are of people whom the reader has blocked since.
    for author in &blocked {
        platform.world.published(author, "مش هتشوفه").await;
    }
    for author in &blocked {
        platform.world.block(&reader, author).await;
    }
    for kind in [Kind::Newest, Kind::Ranked] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let size = Limit::new(10).unwrap();
            let page = match kind {
                Kind::Ranked => platform.feed.home(&reader.actor(), size, after.as_deref()).await.unwrap(),
                Kind::Newest => platform.feed.following(&reader.actor(), size, after.as_deref()).await.unwrap(),
            };
            found.extend(posts(&page));
            assert_eq!((page.items.len(), page.has_next), (10, found.len() < 30), "{kind:?} after {}", found.len());
            after = last_cursor(&platform.feed, &page);
            if !page.has_next {
                break;
            }
        }
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{kind:?}: everything visible, once");
    }
}

on_each_server!(
    failure_05_many_pages_are_one_long_page_whatever_arrives,
    failure_06_a_hundred_filtered_authors_in_a_row_leave_no_hole,
);
