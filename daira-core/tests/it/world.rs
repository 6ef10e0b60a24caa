//! A small platform in memory with people on it.

use std::sync::Arc;
use std::time::Duration;

use daira_core::account::{Account, AccountState, Email, Profile, ProfileKind, Standing};
use daira_core::actor::{Actor, Member};
use daira_core::comment::CommentService;
use daira_core::error::RefusalEnum;
use daira_core::event::Event;
use daira_core::graph::GraphService;
use daira_core::hashtag::HashtagService;
use daira_core::id::{AccountId, Id, MediaId, PostId, ProfileId, SessionId};
use daira_core::idempotency::IdempotencyKey;
use daira_core::locale::Locale;
use daira_core::media::Media;
use daira_core::memory::ManualClock;
use daira_core::notification::NotificationService;
use daira_core::page::{Connection, Limit};
use daira_core::port::store::{Access, CounterDelta, CounterField, Lock};
use daira_core::port::{Delivered, Group, Ports, ReadView};
use daira_core::post::{CreatePost, PostService, Visibility};
use daira_core::reaction::ReactionService;
use daira_core::text::Handle;
use daira_core::time::Date;
use daira_core::{Error, Result};

const SYSTEM: Actor = Actor::System("test");
const TOPICS: &[&str] = &["daira.graph.v1", "daira.post.v1", "daira.comment.v1", "daira.reaction.v1"];

/// The platform, its clock and its services.
pub(crate) struct World {
    pub(crate) ports: Ports,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) graph: GraphService,
    pub(crate) posts: PostService,
    pub(crate) comments: CommentService,
    pub(crate) reactions: ReactionService,
    pub(crate) hashtags: HashtagService,
    pub(crate) notifications: NotificationService,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// With ports changed before anything is built on them.
    pub(crate) fn with(change: impl FnOnce(&mut Ports)) -> Self {
        let clock = Arc::new(ManualClock::default());
        let mut ports = Ports::in_memory_at(clock.clone(), 7);
        change(&mut ports);
        Self {
            clock,
            graph: GraphService::new(ports.clone()),
            posts: PostService::new(ports.clone()),
            comments: CommentService::new(ports.clone()),
            reactions: ReactionService::new(ports.clone()),
            hashtags: HashtagService::new(ports.clone()),
            notifications: NotificationService::new(ports.clone()),
            ports,
        }
    }

    /// Somebody new.
    pub(crate) async fn join(&self, handle: &str) -> Actor {
        let ports = &self.ports;
        let account = ports
            .transact(&SYSTEM, |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let account = Account {
                        id: ports.ids.draw(now, ports.ids.shard()),
                        email: Email::new(&format!("{handle}@example.com"))?,
                        state: AccountState::Active,
                        leaving_at: None,
                        birth_date: Date::new(2000, 1, 1).unwrap(),
                        locale: Locale::Ar,
                        created_at: now,
                        version: 1,
                    };
                    unit.accounts().insert_account(&account, "hash").await?;
                    Ok(account.id)
                })
            })
            .await
            .unwrap();
        self.face(account, handle).await
    }

    /// Several new people.
    pub(crate) async fn join_all<const N: usize>(&self, handles: [&str; N]) -> [Actor; N] {
        let mut people = Vec::new();
        for handle in handles {
            people.push(self.join(handle).await);
        }
        people.try_into().unwrap()
    }

    /// A new face of an account.
    pub(crate) async fn face(&self, account: AccountId, handle: &str) -> Actor {
        let ports = &self.ports;
        let member = ports
            .transact(&SYSTEM, |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let profile = Profile {
                        id: ports.ids.draw(now, ports.ids.shard()),
                        account,
                        handle: Handle::existing(handle).unwrap(),
                        name: handle.to_owned(),
                        bio: String::new(),
                        links: Vec::new(),
                        avatar: None,
                        kind: ProfileKind::Regular,
                        private: false,
                        standing: Standing::Live,
                        created_at: now,
                        version: 1,
                    };
                    unit.accounts().insert_profile(&profile).await?;
                    let session: SessionId = ports.ids.draw(now, profile.id.shard());
                    Ok(Member { account, profile: profile.id, session })
                })
            })
            .await
            .unwrap();
        Actor::Member(member)
    }

    /// Changes somebody's profile.
    pub(crate) async fn change(&self, actor: &Actor, change: impl Fn(&mut Profile) + Send + Sync) {
        let (id, change) = (id(actor), &change);
        self.ports
            .transact(&SYSTEM, |mut unit| {
                Box::pin(async move {
                    let mut profile = unit.accounts().profile(id, Lock::Update).await?.unwrap();
                    change(&mut profile);
                    profile.version += 1;
                    unit.accounts().update_profile(&profile).await
                })
            })
            .await
            .unwrap();
    }

    /// Sets the state of somebody's account, and of the profile what follows from it.
    pub(crate) async fn set_state(&self, actor: &Actor, state: AccountState) {
        let account = actor.member().unwrap().account;
        self.ports
            .transact(&SYSTEM, |mut unit| {
                Box::pin(async move {
                    let mut account = unit.accounts().account(account, Lock::Update).await?.unwrap();
                    account.state = state;
                    account.version += 1;
                    unit.accounts().update_account(&account).await
                })
            })
            .await
            .unwrap();
        self.change(actor, |profile| profile.standing = state.standing()).await;
    }

    /// Sets somebody's follower counter, as the counting consumer would.
    pub(crate) async fn set_followers(&self, actor: &Actor, followers: i64) {
        let delta = CounterDelta { field: CounterField::ProfileFollowers, subject: id(actor).raw(), delta: followers };
        self.ports
            .transact(&SYSTEM, |mut unit| Box::pin(async move { unit.counters().apply(&[delta]).await }))
            .await
            .unwrap();
    }

    /// A picture that somebody uploaded.
    pub(crate) async fn upload(&self, actor: &Actor) -> MediaId {
        let (ports, owner) = (&self.ports, id(actor));
        ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let now = ports.clock.now();
                    let media = Media {
                        id: ports.ids.draw(now, owner.shard()),
                        owner,
                        width: 4,
                        height: 3,
                        blurhash: String::new(),
                        alt: "القلعة".to_owned(),
                        variants: Vec::new(),
                        post: None,
                        attached: false,
                        created_at: now,
                    };
                    unit.media().insert(&media).await?;
                    Ok(media.id)
                })
            })
            .await
            .unwrap()
    }

    /// What somebody sees now.
    pub(crate) async fn view(&self, actor: &Actor) -> Box<dyn ReadView> {
        self.ports.store.read(actor, Access::Read).await.unwrap()
    }

    /// Whether somebody sees a post now.
    pub(crate) async fn sees(&self, actor: &Actor, post: PostId) -> bool {
        let mut view = self.view(actor).await;
        match self.posts.get(view.as_mut(), post).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(code(&error), "common.not_found");
                false
            }
        }
    }

    /// Publishes a post, a second after whatever was before.
    pub(crate) async fn publish(&self, author: &Actor, text: &str, visibility: Visibility) -> PostId {
        self.clock.advance(Duration::from_secs(1));
        self.posts.create(author, &post(text, visibility), None).await.unwrap()
    }

    /// What happened since this was last asked.
    pub(crate) async fn events(&self) -> Vec<Delivered> {
        let group = Group { name: "test", topics: TOPICS, rebuilds: false };
        let mut events = Vec::new();
        while let Some(batch) = self.ports.bus.next(group, "test", 1_000).await.unwrap() {
            events.extend(batch.events().to_vec());
            batch.commit().await.unwrap();
        }
        events.sort_by_key(|delivered| delivered.envelope.id);
        events
    }

    /// The types of what happened since, without their version.
    pub(crate) async fn happened(&self) -> Vec<&'static str> {
        self.events().await.iter().map(|delivered| delivered.event.kind()).collect()
    }

    /// Tells people of what happened since, as the consumer would.
    pub(crate) async fn notify(&self) -> Vec<Event> {
        let events = self.events().await;
        let planned: Vec<_> =
            events.iter().flat_map(|one| daira_core::notification::plan(&one.envelope, &one.event)).collect();
        let planned = &planned;
        self.ports
            .transact(&SYSTEM, |mut unit| Box::pin(async move { unit.notifications().insert(planned).await }))
            .await
            .unwrap();
        self.notifications.tell(planned).await.unwrap();
        events.into_iter().map(|delivered| delivered.event).collect()
    }
}

/// Somebody's profile.
pub(crate) fn id(actor: &Actor) -> ProfileId {
    actor.profile().unwrap()
}

/// The stable code that a client sees.
pub(crate) fn code(error: &Error) -> &'static str {
    error.refused_as().code
}

/// Asserts the refusal of something.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T>, refusal: impl RefusalEnum) {
    assert_eq!(code(&outcome.unwrap_err()), refusal.refusal().code);
}

/// Asserts the answer for what is missing or hidden.
#[track_caller]
pub(crate) fn not_found<T: std::fmt::Debug>(outcome: Result<T>) {
    refused(outcome, daira_core::error::CommonRefusal::NotFound);
}

/// A key to repeat a request under.
pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// A page size.
pub(crate) fn limit(size: i64) -> Limit {
    Limit::new(size).unwrap()
}

/// A post that everybody who sees it may answer.
pub(crate) fn post(text: &str, visibility: Visibility) -> CreatePost {
    CreatePost { visibility, ..CreatePost::public(text) }
}

/// Reads a list to its end, two items a page, and checks that every page but the last is full.
pub(crate) async fn all_pages<T>(mut page: impl AsyncFnMut(Option<&str>, Limit) -> Result<Connection<T>>) -> Vec<T> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let connection = page(after.as_deref(), limit(2)).await.unwrap();
        after = connection.next().map(str::to_owned);
        assert!(after.is_none() || connection.items.len() == 2, "only the last page may be short");
        items.extend(connection.into_nodes());
        if after.is_none() {
            return items;
        }
    }
}
