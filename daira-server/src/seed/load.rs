//! Brings a planned world into a store.
//!
//! The rows are written by the repositories, in the platform's name and in large units. The events that the use cases
//! would have written stay out of the log: each unit hands those of its rows to the consumers at once, so that inboxes,
//! counters, affinities and notifications are made by the very code that makes them always. A test holds that a world
//! loaded so and one that went through the use cases are the same, table by table.

use core::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::HashMap;

use daira_core::account::{Account, AccountState, Email, Profile, ProfileKind, Standing};
use daira_core::comment::Comment;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::event::{Envelope, Event};
use daira_core::graph::Follow;
use daira_core::hashtag::tags_of;
use daira_core::id::{AccountId, CommentId, Id, PostId, ProfileId};
use daira_core::locale::Locale;
use daira_core::port::store::HandleHolder;
use daira_core::port::{Delivered, UnitOfWork};
use daira_core::post::{Delivery, Post, ReplyRule, Visibility};
use daira_core::proto::event::v1;
use daira_core::reaction::{Reaction, ReactionKind, Target};
use daira_core::secret::Secret;
use daira_core::text::{Handle, entities};
use daira_core::time::{Date, Timestamp};
use daira_core::{Actor, Ports};
use daira_worker::Consumer;
use daira_worker::consume::{Counters, FanOut, Notifications};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::World;

/// Everybody in a demo world has this password.
pub const PASSWORD: &str = "koshary w shai b-na3na3";
/// The host of their e-mail addresses; it can receive nothing.
pub const HOST: &str = "demo.example";
/// Rows written in one unit.
const CHUNK: usize = 1_000;
/// Units open at once, where the order of their rows does not matter.
const AT_ONCE: usize = 3;

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
    let loader = Loader { ports, world, progress: &progress, now: ports.clock.now(), told: AtomicI64::new(0) };
    let people = loader.people().await?;
    loader.follows(&people).await?;
    let posts = loader.posts(&people).await?;
    loader.comments(&people, &posts).await?;
    loader.reactions(&people, &posts).await?;
    Ok(Loaded { people, posts })
}

/// One row to write, with what its event tells besides.
enum Row {
    Person(Box<(Account, Profile)>),
    Follow(Follow),
    Post(Box<Post>),
    Comment { comment: Comment, post_author: ProfileId, parent_author: Option<ProfileId> },
    Reaction { reaction: Reaction, author: ProfileId },
}

struct Loader<'a, P> {
    ports: &'a Ports,
    world: &'a World,
    progress: &'a P,
    now: Timestamp,
    /// How many events were handed to consumers.
    told: AtomicI64,
}

impl<P: Fn(Stage, usize, usize) + Sync> Loader<'_, P> {
    fn before_now(&self, seconds: u32) -> Timestamp {
        self.now - Duration::from_secs(u64::from(seconds))
    }

    /// Writes rows in chunks, one unit each, so many of them at once.
    async fn write(&self, stage: Stage, rows: &[Row], password: &str, at_once: usize) -> Result<()> {
        let done = AtomicUsize::new(0);
        let chunks = stream::iter(rows.chunks(CHUNK)).map(Ok);
        chunks
            .try_for_each_concurrent(at_once, async |chunk| {
                self.ports
                    .transact(&PLATFORM, |mut unit| {
                        Box::pin(async move {
                            for row in chunk {
                                put(&mut *unit, row, password, self.now).await?;
                            }
                            self.tell(&mut *unit, chunk).await
                        })
                    })
                    .await?;
                let done = done.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
                (self.progress)(stage, done, rows.len());
                Ok(())
            })
            .await
    }

    /// Hands the rows' events to the consumers.
    async fn tell(&self, unit: &mut dyn UnitOfWork, rows: &[Row]) -> Result<()> {
        let deliver = |(time, event): (Timestamp, Event)| {
            // The log counts up from one; what never was in it counts down.
            let id = -1 - self.told.fetch_add(1, Ordering::Relaxed);
            let envelope = Envelope { id, kind: event.kind(), key: event.key(), time };
            Delivered { envelope, event, attempts: 0 }
        };
        let events: Vec<Delivered> = rows.iter().filter_map(event).map(deliver).collect();
        // Nobody has posted yet when people follow, so there is nothing to bring them.
        if matches!(rows.first(), Some(Row::Post(_))) {
            FanOut::new(self.ports).apply(&events, unit).await?;
        }
        Counters.apply(&events, unit).await?;
        Notifications.apply(&events, unit).await
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
                leaving_at: None,
                birth_date: Date::new(1996, 4, 25).ok_or_else(|| fault("seed.birth_date"))?,
                locale: Locale::from_tag(person.locale).unwrap_or_default(),
                created_at: at,
                version: 1,
            };
            ids.push(profile.id);
            rows.push(Row::Person(Box::new((account, profile))));
        }
        self.write(Stage::People, &rows, &password, 1).await?;
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
        self.write(Stage::Follows, &rows, "", AT_ONCE).await
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
        // One unit after the other: they would wait for each other over new hashtags.
        self.write(Stage::Posts, &rows, "", 1).await?;
        Ok(ids)
    }

    async fn comments(&self, people: &[ProfileId], posts: &[PostId]) -> Result<()> {
        // The plan answers only what it said before, so one pass knows every parent.
        let mut said: Vec<(CommentId, u8, ProfileId)> = Vec::new();
        let authors = self.authors(people);
        let mut rows = Vec::new();
        for planned in self.world.comments() {
            let (Some(author), Some(post), Some(post_author)) =
                (pick(people, planned.author), pick(posts, planned.post), pick(&authors, planned.post))
            else {
                return Err(fault("seed.comment"));
            };
            let parent = planned.parent.and_then(|p| pick(&said, p));
            let spread = Duration::from_millis(u64::from(planned.index % 1_000));
            let id = self.ports.ids.draw(self.before_now(planned.at) + spread, author.shard());
            let depth = parent.map_or(1, |p| p.1 + 1);
            said.push((id, depth, author));
            let comment = Comment {
                id,
                post,
                parent: parent.map(|p| p.0),
                depth,
                author,
                text: planned.text,
                edited_at: None,
                deleted_at: None,
                version: 1,
            };
            rows.push(Row::Comment { comment, post_author, parent_author: parent.map(|p| p.2) });
        }
        // What is answered must be there first.
        self.write(Stage::Comments, &rows, "", 1).await
    }

    async fn reactions(&self, people: &[ProfileId], posts: &[PostId]) -> Result<()> {
        let authors = self.authors(people);
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
                let reaction = Reaction { by, target: Target::Post(post), kind, at: self.before_now(planned.at) };
                Some(Row::Reaction { reaction, author: pick(&authors, planned.post)? })
            })
            .collect();
        self.write(Stage::Reactions, &rows, "", AT_ONCE).await
    }

    /// The author of each post, in the plan's order.
    fn authors(&self, people: &[ProfileId]) -> Vec<ProfileId> {
        self.world.posts().filter_map(|post| pick(people, post.author)).collect()
    }
}

/// The event that a use case would have written with a row, and when.
fn event(row: &Row) -> Option<(Timestamp, Event)> {
    let told = match row {
        Row::Person(_) => return None,
        Row::Follow(follow) => {
            let (follower_id, followee_id) = (follow.follower.raw(), follow.followee.raw());
            (
                follow.at,
                v1::Followed { follower_id, followee_id, at_micros: follow.at.as_micros(), approved: false }.into(),
            )
        }
        Row::Post(post) => {
            let created = v1::PostCreated {
                post_id: post.id.raw(),
                author_id: post.author.raw(),
                mentioned_ids: post.mentions.iter().map(|id| id.raw()).collect(),
                pull: post.delivery == Delivery::Pull,
                open: post.visibility.is_open(),
            };
            (post.id.at(), created.into())
        }
        Row::Comment { comment, post_author, parent_author } => {
            let created = v1::CommentCreated {
                comment_id: comment.id.raw(),
                post_id: comment.post.raw(),
                parent_id: comment.parent.map_or(0, Id::raw),
                author_id: comment.author.raw(),
                post_author_id: post_author.raw(),
                parent_author_id: parent_author.map_or(0, Id::raw),
            };
            (comment.id.at(), created.into())
        }
        Row::Reaction { reaction, author } => {
            let set = v1::ReactionSet {
                by_id: reaction.by.raw(),
                target: Some(v1::reaction_set::Target::PostId(reaction.target.raw())),
                target_author_id: author.raw(),
                kind: i32::from(reaction.kind.code()),
                previous: 0,
                at_micros: reaction.at.as_micros(),
            };
            (reaction.at, set.into())
        }
    };
    Some(told)
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
        Row::Comment { comment, .. } => unit.comments().insert(comment).await,
        Row::Reaction { reaction, .. } => unit.reactions().put(reaction).await.map(|_was| ()),
    }
}

fn pick<T: Copy>(from: &[T], at: u32) -> Option<T> {
    from.get(usize::try_from(at).ok()?).copied()
}

fn fault(operation: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, operation)
}
