//! Brings a planned world into a store.
//!
//! The rows are written by the repositories, in the platform's name and in large units, without an event for each: then
//! what consumers would have made of those events is made from the rows, by the very code that consumers rebuild with. A
//! test holds that a world loaded so and one that went through the use cases look the same to its people.

use core::time::Duration;
use std::collections::{BTreeMap, HashMap};

use daira_core::account::{Account, AccountState, Email, Profile, ProfileKind, Standing};
use daira_core::comment::Comment;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::graph::Follow;
use daira_core::hashtag::tags_of;
use daira_core::id::{AccountId, CommentId, Id, PostId, ProfileId};
use daira_core::locale::Locale;
use daira_core::port::UnitOfWork;
use daira_core::port::store::HandleHolder;
use daira_core::post::{Delivery, Post, ReplyRule, Visibility};
use daira_core::reaction::{Reaction, ReactionKind, Target};
use daira_core::secret::Secret;
use daira_core::text::{Handle, entities};
use daira_core::time::{Date, Timestamp};
use daira_core::{Actor, Ports};
use daira_worker::consume::{AFFINITY_OF_COMMENT, AFFINITY_OF_FOLLOW, AFFINITY_OF_REACTION, FanOut};
use daira_worker::{Consumer, job};

use super::World;

/// Everybody in a demo world has this password.
pub const PASSWORD: &str = "koshary w shai b-na3na3";
/// The host of their e-mail addresses; it can receive nothing.
pub const HOST: &str = "demo.example";
/// Rows written in one unit.
const CHUNK: usize = 1_000;

const PLATFORM: Actor = Actor::System("seed");

/// What is being loaded, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Accounts, profiles and handles.
    People,
    /// Follows.
    Follows,
    /// Posts.
    Posts,
    /// Comments.
    Comments,
    /// Reactions.
    Reactions,
    /// How close people are.
    Affinities,
    /// Inboxes and counters.
    Derived,
}

/// A loaded world: who is who.
#[derive(Debug)]
pub struct Loaded {
    /// The profiles, in the plan's order.
    pub people: Vec<ProfileId>,
    /// The posts, in the plan's order.
    pub posts: Vec<PostId>,
}

/// The e-mail address of a person of a demo world.
pub fn email(handle: &str) -> String {
    format!("{handle}@{HOST}")
}

/// Whether a world was loaded before: its first person is there.
///
/// # Errors
/// The store's.
pub async fn is_loaded(ports: &Ports, world: &World) -> Result<bool> {
    let Some(first) = world.people().first() else { return Ok(false) };
    let handle = Handle::existing(&first.handle).map_err(|e| fault("seed.handle").with_source(e))?;
    let mut unit = ports.store.begin(&PLATFORM).await?;
    Ok(!unit.accounts().profiles_by_handle(&[handle]).await?.is_empty())
}

/// Loads a world; `progress` is told of every chunk: the stage, how many are done, and how many there are.
///
/// # Errors
/// The store's; a world that is half loaded stays so, and loading another then fails at its first handle.
pub async fn load(ports: &Ports, world: &World, progress: impl Fn(Stage, usize, usize) + Sync) -> Result<Loaded> {
    let loader = Loader { ports, world, progress: &progress, now: ports.clock.now() };
    let people = loader.people().await?;
    loader.follows(&people).await?;
    let posts = loader.posts(&people).await?;
    loader.comments(&people, &posts).await?;
    loader.reactions(&people, &posts).await?;
    loader.affinities(&people).await?;
    progress(Stage::Derived, 0, 2);
    FanOut::new(ports).rebuild(ports).await?;
    progress(Stage::Derived, 1, 2);
    job::reconcile(ports).await?;
    progress(Stage::Derived, 2, 2);
    Ok(Loaded { people, posts })
}

/// One row to write.
enum Row {
    Person(Box<(Account, Profile)>),
    Follow(Follow),
    Post(Box<Post>),
    Comment(Comment),
    Reaction(Reaction),
    Affinity(ProfileId, ProfileId, f64),
}

struct Loader<'a, P> {
    ports: &'a Ports,
    world: &'a World,
    progress: &'a P,
    now: Timestamp,
}

impl<P: Fn(Stage, usize, usize) + Sync> Loader<'_, P> {
    fn before_now(&self, seconds: u32) -> Timestamp {
        self.now - Duration::from_secs(u64::from(seconds))
    }

    /// Writes rows in chunks, one unit each.
    async fn write(&self, stage: Stage, rows: &[Row], password: &str) -> Result<()> {
        let now = self.now;
        for (chunk, number) in rows.chunks(CHUNK).zip(1..) {
            self.ports
                .transact(&PLATFORM, |mut unit| {
                    Box::pin(async move {
                        for row in chunk {
                            put(&mut *unit, row, password, now).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
            (self.progress)(stage, (number * CHUNK).min(rows.len()), rows.len());
        }
        Ok(())
    }

    async fn people(&self) -> Result<Vec<ProfileId>> {
        let password = self.ports.hasher.hash(&Secret::new(PASSWORD)).await?;
        let made_at = self.before_now(30 * 24 * 3600);
        let mut ids = Vec::with_capacity(self.world.people().len());
        let mut rows = Vec::with_capacity(self.world.people().len());
        for person in self.world.people() {
            let shard = self.ports.ids.shard();
            // A millisecond apart each, so that no two ids can meet.
            let at = made_at + Duration::from_millis(u64::from(person.index));
            let account: AccountId = self.ports.ids.draw(at, shard);
            let profile = Profile {
                id: self.ports.ids.draw(at, shard),
                account,
                handle: Handle::existing(&person.handle).map_err(|e| fault("seed.handle").with_source(e))?,
                name: person.name.clone(),
                bio: person.bio.clone(),
                links: Vec::new(),
                avatar: None,
                kind: ProfileKind::Regular,
                private: false,
                standing: Standing::Live,
                created_at: at,
                version: 1,
            };
            let account = Account {
                id: account,
                email: Email::new(&email(&person.handle))?,
                state: AccountState::Active,
                birth_date: Date::new(1996, 4, 25).ok_or_else(|| fault("seed.birth_date"))?,
                locale: Locale::from_tag(person.locale).unwrap_or_default(),
                created_at: at,
                version: 1,
            };
            ids.push(profile.id);
            rows.push(Row::Person(Box::new((account, profile))));
        }
        self.write(Stage::People, &rows, &password).await?;
        Ok(ids)
    }

    async fn follows(&self, people: &[ProfileId]) -> Result<()> {
        let at = self.before_now(20 * 24 * 3600);
        let rows: Vec<_> = self
            .world
            .follows()
            .zip(0..)
            .filter_map(|((follower, followee), nth)| {
                let at = at + Duration::from_millis(nth);
                Some(Row::Follow(Follow { follower: pick(people, follower)?, followee: pick(people, followee)?, at }))
            })
            .collect();
        self.write(Stage::Follows, &rows, "").await
    }

    async fn posts(&self, people: &[ProfileId]) -> Result<Vec<PostId>> {
        let handles: HashMap<&str, ProfileId> =
            self.world.people().iter().map(|p| p.handle.as_str()).zip(people.iter().copied()).collect();
        let mut ids = Vec::with_capacity(self.world.post_count());
        let mut rows = Vec::with_capacity(self.world.post_count());
        for planned in self.world.posts() {
            let Some(author) = pick(people, planned.author) else { continue };
            let followers = self.world.graph().followers(planned.author).len();
            let pull = i64::try_from(followers).unwrap_or(i64::MAX) >= self.ports.settings.pull_threshold;
            let spread = Duration::from_millis(u64::from(planned.index % 1_000));
            let found = entities(&planned.text);
            let mentioned = found.handles().into_iter().filter_map(|h| handles.get(h.as_str()).copied());
            let post = Post {
                id: self.ports.ids.draw(self.before_now(planned.at) + spread, author.shard()),
                author,
                mentions: mentioned.filter(|m| *m != author).collect(),
                tags: tags_of(&planned.text),
                text: planned.text,
                visibility: Visibility::Public,
                replies: ReplyRule::Everyone,
                media: Vec::new(),
                warning: None,
                delivery: if pull { Delivery::Pull } else { Delivery::Push },
                edited_at: None,
                deleted_at: None,
                version: 1,
            };
            ids.push(post.id);
            rows.push(Row::Post(Box::new(post)));
        }
        self.write(Stage::Posts, &rows, "").await?;
        Ok(ids)
    }

    async fn comments(&self, people: &[ProfileId], posts: &[PostId]) -> Result<()> {
        // The plan answers only what it said before, so one pass knows every parent.
        let mut said: Vec<(CommentId, u8)> = Vec::new();
        let mut rows = Vec::new();
        for planned in self.world.comments() {
            let (Some(author), Some(post)) = (pick(people, planned.author), pick(posts, planned.post)) else {
                return Err(fault("seed.comment"));
            };
            let parent = planned.parent.and_then(|p| pick(&said, p));
            let spread = Duration::from_millis(u64::from(planned.index % 1_000));
            let id = self.ports.ids.draw(self.before_now(planned.at) + spread, author.shard());
            let depth = parent.map_or(1, |p| p.1 + 1);
            said.push((id, depth));
            rows.push(Row::Comment(Comment {
                id,
                post,
                parent: parent.map(|p| p.0),
                depth,
                author,
                text: planned.text,
                edited_at: None,
                deleted_at: None,
                version: 1,
            }));
        }
        self.write(Stage::Comments, &rows, "").await
    }

    async fn reactions(&self, people: &[ProfileId], posts: &[PostId]) -> Result<()> {
        let rows: Vec<_> = self
            .world
            .reactions()
            .filter_map(|planned| {
                let (by, post) = (pick(people, planned.person)?, pick(posts, planned.post)?);
                let kind = match planned.kind {
                    super::ReactionKind::Like => ReactionKind::Like,
                    super::ReactionKind::Love => ReactionKind::Love,
                    super::ReactionKind::Laugh => ReactionKind::Laugh,
                    super::ReactionKind::Sad => ReactionKind::Sad,
                    super::ReactionKind::Angry => ReactionKind::Angry,
                };
                Some(Row::Reaction(Reaction { by, target: Target::Post(post), kind, at: self.before_now(planned.at) }))
            })
            .collect();
        self.write(Stage::Reactions, &rows, "").await
    }

    /// What the consumer of events would have added up, as of now.
    async fn affinities(&self, people: &[ProfileId]) -> Result<()> {
        let authors: Vec<u32> = self.world.posts().map(|p| p.author).collect();
        let mut sums: BTreeMap<(u32, u32), f64> = BTreeMap::new();
        let interactions = self
            .world
            .follows()
            .map(|(follower, followee)| (follower, Some(followee), AFFINITY_OF_FOLLOW))
            .chain(self.world.reactions().map(|r| (r.person, pick(&authors, r.post), AFFINITY_OF_REACTION)))
            .chain(self.world.comments().map(|c| (c.author, pick(&authors, c.post), AFFINITY_OF_COMMENT)));
        for (viewer, author, weight) in interactions {
            if let Some(author) = author.filter(|a| *a != viewer) {
                *sums.entry((viewer, author)).or_default() += weight;
            }
        }
        let rows: Vec<_> = sums
            .into_iter()
            .filter_map(|((viewer, author), sum)| {
                Some(Row::Affinity(pick(people, viewer)?, pick(people, author)?, sum))
            })
            .collect();
        self.write(Stage::Affinities, &rows, "").await
    }
}

async fn put(unit: &mut dyn UnitOfWork, row: &Row, password: &str, now: Timestamp) -> Result<()> {
    match row {
        Row::Person(person) => {
            let (account, profile) = &**person;
            unit.accounts().insert_account(account, password).await?;
            unit.accounts().insert_profile(profile).await?;
            let holder = HandleHolder::Profile(profile.id);
            if !unit.accounts().claim_handle(&profile.handle, holder, None, now).await? {
                return Err(fault("seed.handle").with_source("taken: the store is not empty"));
            }
            Ok(())
        }
        Row::Follow(follow) => unit.graph().insert_follow(follow).await.map(|_was_new| ()),
        Row::Post(post) => unit.posts().insert(post).await,
        Row::Comment(comment) => unit.comments().insert(comment).await,
        Row::Reaction(reaction) => unit.reactions().put(reaction).await.map(|_was| ()),
        Row::Affinity(viewer, author, weight) => unit.feed().add_affinity(*viewer, *author, *weight, now).await,
    }
}

fn pick<T: Copy>(from: &[T], at: u32) -> Option<T> {
    from.get(usize::try_from(at).ok()?).copied()
}

fn fault(operation: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, operation)
}
