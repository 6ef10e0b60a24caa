//! The feed as its readers get it, over the in-memory store, on a clock that the tests move.

#[cfg(test)]
mod sessions;
#[cfg(test)]
mod told;

#[cfg(test)]
mod town {
    use std::sync::Arc;
    use std::time::Duration;

    use daira_core::Ports;
    use daira_core::id::{Id as _, PostId};
    use daira_core::memory::ManualClock;
    use daira_core::page::Limit;
    use daira_core::port::Clock as _;
    use daira_core::port::store::CounterField;
    use daira_core::post::{Delivery, Post};
    use daira_core::testkit::fixture::{Fixture, PLATFORM, Person, Writing};
    use daira_feed::{FeedPage, FeedService, FeedSettings};

    /// A reader and the people they follow.
    pub(crate) struct Town {
        pub clock: Arc<ManualClock>,
        pub world: Fixture,
        pub feed: FeedService,
        pub reader: Person,
        pub authors: Vec<Person>,
    }

    impl Town {
        pub(crate) async fn new(authors: usize) -> Self {
            let clock = Arc::new(ManualClock::default());
            let ports = Ports::in_memory_at(clock.clone(), 7);
            let world = Fixture::new(ports.clone());
            let reader = world.person("reader").await;
            let mut people = Vec::new();
            for number in 0..authors {
                let author = world.person(format!("author{number}").as_str()).await;
                world.follow(&reader, &author).await;
                people.push(author);
            }
            let feed = FeedService::new(ports, FeedSettings::default());
            Self { clock, world, feed, reader, authors: people }
        }

        /// A post of somebody, now, and delivered now unless it is looked up.
        pub(crate) async fn publish(&self, author: &Person, writing: impl Into<Writing>) -> PostId {
            self.clock.advance(Duration::from_millis(1));
            let (ports, now) = (&self.world.ports, self.clock.now());
            let post = Post { id: ports.ids.draw(now, author.id.shard()), ..self.world.written(author, writing) };
            let stored = &post;
            let save = ports.transact(&PLATFORM, |mut unit| {
                Box::pin(async move {
                    unit.posts().insert(stored).await?;
                    if stored.delivery == Delivery::Push {
                        unit.feed().deliver(stored.id, None, 100, now).await?;
                    }
                    Ok(())
                })
            });
            save.await.unwrap();
            post.id
        }

        /// A post of one of the authors.
        pub(crate) async fn post(&self, author: usize, writing: impl Into<Writing>) -> PostId {
            self.publish(&self.authors[author], writing).await
        }

        /// So many delivered posts, the authors taking turns; oldest first.
        pub(crate) async fn posts(&self, count: usize) -> Vec<PostId> {
            let mut posts = Vec::new();
            for number in 0..count {
                posts.push(self.post(number % self.authors.len(), format!("بوست {number}").as_str()).await);
            }
            posts
        }

        pub(crate) async fn like(&self, post: PostId, reactions: i64) {
            self.world.count(CounterField::PostReactions, post.raw(), reactions).await;
        }

        pub(crate) async fn home(&self, size: i64, after: Option<&str>) -> FeedPage {
            self.feed.home(&self.reader.actor(), Limit::new(size).unwrap(), after).await.unwrap()
        }

        /// The pages that follow a cursor, all of them.
        pub(crate) async fn rest(&self, size: i64, mut after: Option<String>) -> Vec<PostId> {
            let mut found = Vec::new();
            while let Some(cursor) = after {
                let page = self.home(size, Some(&cursor)).await;
                found.extend(ids(&page));
                after = if page.has_next { self.last(&page) } else { None };
            }
            found
        }

        pub(crate) fn last(&self, page: &FeedPage) -> Option<String> {
            self.feed.cursor(page, page.items.len().checked_sub(1)?)
        }
    }

    pub(crate) fn ids(page: &FeedPage) -> Vec<PostId> {
        page.items.iter().map(|item| item.card.post.id).collect()
    }

    pub(crate) fn sorted(mut ids: Vec<PostId>) -> Vec<PostId> {
        ids.sort_unstable();
        ids
    }
}
