//! Small worlds for tests: people, edges and posts put straight into a store, without the use cases.
//!
//! Everything is written by a part of the platform, so that no rule stands in the way of an odd world; what a member may
//! write is tested by the cases themselves. Each thing is a millisecond younger than the one before and all are in the
//! past, so that order is certain on any adapter.
//!
//! ```
//! # use daira_core::{port::Ports, testkit::fixture::{Draft, Fixture}};
//! # async fn example() {
//! let world = Fixture::new(Ports::in_memory());
//! let (mona, ali) = (world.person("mona").await, world.person(Draft::new("ali").private()).await);
//! world.follow(&mona, &ali).await;
//! let post = world.post(&ali, "مساء الخير").await;
//! assert_eq!(world.cards(&mona.actor(), &[post.id]).await.len(), 1);
//! # }
//! ```

use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;

use crate::account::{Account, AccountState, Email, Profile, ProfileKind, Standing};
use crate::actor::{Actor, Member};
use crate::comment::Comment;
use crate::graph::{Block, Circle, Follow, Mute};
use crate::hashtag::Tag;
use crate::id::{AccountId, CircleId, CommentId, Id, PostId, ProfileId, SessionId};
use crate::locale::Locale;
use crate::media::{Media, Variant};
use crate::page::Limit;
use crate::port::store::{Access, Candidate, CounterDelta, CounterField, HandleHolder, InboxReason, Signals};
use crate::port::{Ports, ReadView, UnitOfWork};
use crate::post::{Attachment, Delivery, MediaKind, Post, PostCard, PostCounters, ReplyRule, Visibility};
use crate::reaction::{Reaction, ReactionKind, Target};
use crate::staff::{self, Reason, Reference, Takedown, Why};
use crate::text::{Handle, TagKey};
use crate::time::{Date, Timestamp};

/// Who writes fixtures.
pub const PLATFORM: Actor = Actor::System("testkit");

/// A page size that is known to be one.
pub fn limit(size: i64) -> Limit {
    Limit::new(size).unwrap()
}

/// A person as tests hold them.
#[derive(Debug, Clone)]
pub struct Person {
    /// The private root.
    pub account: AccountId,
    /// The face.
    pub id: ProfileId,
    /// A session's id; there is no such session unless a test makes it.
    pub session: SessionId,
    /// The face as it was stored.
    pub profile: Profile,
}

impl Person {
    /// This person, acting.
    pub fn actor(&self) -> Actor {
        Actor::Member(self.member())
    }

    /// The same as a member.
    pub fn member(&self) -> Member {
        Member { account: self.account, profile: self.id, session: self.session }
    }
}

/// A person to be made; a handle alone is an ordinary one.
#[derive(Debug, Clone)]
pub struct Draft {
    handle: String,
    private: bool,
    state: AccountState,
    face_of: Option<AccountId>,
}

impl Draft {
    /// An ordinary person with this handle; the e-mail is made from it.
    pub fn new(handle: impl Into<String>) -> Self {
        Self { handle: handle.into(), private: false, state: AccountState::Active, face_of: None }
    }

    /// With content for followers only.
    #[must_use]
    pub fn private(self) -> Self {
        Self { private: true, ..self }
    }

    /// With an account in this state; the face stands accordingly.
    #[must_use]
    pub fn state(self, state: AccountState) -> Self {
        Self { state, ..self }
    }

    /// Another face of somebody who exists.
    #[must_use]
    pub fn face_of(self, person: &Person) -> Self {
        Self { face_of: Some(person.account), ..self }
    }
}

impl From<&str> for Draft {
    fn from(handle: &str) -> Self {
        Self::new(handle)
    }
}

/// A post to be made; a text alone is a public one.
#[derive(Debug, Clone)]
pub struct Writing(Post);

impl Writing {
    /// A public post with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Post {
            id: PostId::from_raw(0),
            author: ProfileId::from_raw(0),
            text: text.into(),
            visibility: Visibility::Public,
            replies: ReplyRule::Everyone,
            media: Vec::new(),
            mentions: Vec::new(),
            tags: Vec::new(),
            warning: None,
            delivery: Delivery::Push,
            edited_at: None,
            deleted_at: None,
            version: 1,
        })
    }

    /// For these people.
    #[must_use]
    pub fn visible(mut self, visibility: Visibility) -> Self {
        self.0.visibility = visibility;
        self
    }

    /// With these who may answer.
    #[must_use]
    pub fn replies(mut self, replies: ReplyRule) -> Self {
        self.0.replies = replies;
        self
    }

    /// Mentioning somebody.
    #[must_use]
    pub fn mention(mut self, person: &Person) -> Self {
        self.0.mentions.push(person.id);
        self
    }

    /// Under a tag, spelled like this.
    #[must_use]
    pub fn tag(mut self, spelling: &str) -> Self {
        self.0.tags.push(tag(spelling));
        self
    }

    /// With a picture.
    #[must_use]
    pub fn picture(mut self, media: &Media) -> Self {
        self.0.media.push(Attachment { media: media.id, alt: "صورة".to_owned() });
        self
    }

    /// Looked up by its readers instead of delivered.
    #[must_use]
    pub fn pull(mut self) -> Self {
        self.0.delivery = Delivery::Pull;
        self
    }
}

impl From<&str> for Writing {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// A tag by its spelling.
pub fn tag(spelling: &str) -> Tag {
    Tag { key: TagKey::new(spelling).unwrap(), spelling: spelling.to_owned() }
}

/// Builds a world in the store of some ports. See the [module](self).
#[derive(Debug)]
pub struct Fixture {
    /// The ports it works through.
    pub ports: Ports,
    drawn: AtomicI64,
}

impl Fixture {
    /// Over these ports; things begin to be made a minute before now.
    pub fn new(ports: Ports) -> Self {
        let drawn = AtomicI64::new((ports.clock.now() - Duration::from_mins(1)).as_micros());
        Self { ports, drawn }
    }

    /// Now, by the ports' clock.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The next instant: a whole millisecond after the one before.
    pub fn tick(&self) -> Timestamp {
        let ms = self.drawn.fetch_add(1_000, Ordering::SeqCst) / 1_000 + 1;
        Timestamp::from_micros(ms * 1_000)
    }

    /// A fresh id, born at the next instant.
    pub fn draw<I: Id>(&self) -> I {
        self.ports.ids.draw(self.tick(), self.ports.ids.shard())
    }

    /// Opens a unit of work.
    pub async fn unit(&self, actor: &Actor) -> Box<dyn UnitOfWork> {
        self.ports.store.begin(actor).await.unwrap()
    }

    /// Opens a read view.
    pub async fn view(&self, actor: &Actor) -> Box<dyn ReadView> {
        self.ports.store.read(actor, Access::Read).await.unwrap()
    }

    /// A profile as it would be stored, of an account that is there or is to come.
    pub fn face(&self, draft: &Draft, account: AccountId) -> Profile {
        Profile {
            id: self.draw(),
            account,
            handle: Handle::existing(&draft.handle).unwrap(),
            name: format!("{} علي", draft.handle),
            bio: String::new(),
            links: Vec::new(),
            avatar: None,
            kind: ProfileKind::Regular,
            private: draft.private,
            standing: draft.state.standing(),
            created_at: self.tick(),
            version: 1,
        }
    }

    /// An account as it would be stored.
    pub fn account(&self, draft: &Draft) -> Account {
        Account {
            id: self.draw(),
            email: Email::new(&format!("{}@example.com", draft.handle)).unwrap(),
            state: draft.state,
            leaving_at: None,
            birth_date: Date::new(1999, 4, 25).unwrap(),
            locale: Locale::Ar,
            created_at: self.tick(),
            version: 1,
        }
    }

    /// Makes a person.
    pub async fn person(&self, draft: impl Into<Draft>) -> Person {
        let draft = draft.into();
        let account = draft.face_of.is_none().then(|| self.account(&draft));
        let root = account.as_ref().map_or(draft.face_of, |a| Some(a.id)).unwrap();
        let profile = self.face(&draft, root);
        let (account, stored) = (&account, &profile);
        let save = self.ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move {
                if let Some(account) = account {
                    unit.accounts().insert_account(account, "$none$").await?;
                }
                put_profile(&mut *unit, stored).await
            })
        });
        save.await.unwrap();
        Person { account: root, id: profile.id, session: self.draw(), profile }
    }

    /// Changes how a person's face is stored, the version included.
    pub async fn change(&self, person: &Person, change: impl Fn(&mut Profile) + Sync) -> Profile {
        let (id, change) = (person.id, &change);
        let changed = self.ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move {
                let mut profile = unit.accounts().profile(id, crate::port::store::Lock::Update).await?.unwrap();
                change(&mut profile);
                profile.version += 1;
                unit.accounts().update_profile(&profile).await?;
                Ok(profile)
            })
        });
        changed.await.unwrap()
    }

    /// Lets one follow the other.
    pub async fn follow(&self, follower: &Person, followee: &Person) -> Follow {
        let follow = Follow { follower: follower.id, followee: followee.id, at: self.tick() };
        let save = self
            .ports
            .transact(&PLATFORM, |mut unit| Box::pin(async move { unit.graph().insert_follow(&follow).await }));
        assert!(save.await.unwrap(), "{} follows {} already", follower.profile.handle, followee.profile.handle);
        follow
    }

    /// Ends a follow.
    pub async fn unfollow(&self, follower: &Person, followee: &Person) {
        let (follower, followee) = (follower.id, followee.id);
        let save = self.ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move { unit.graph().delete_follow(follower, followee).await })
        });
        assert!(save.await.unwrap());
    }

    /// Lets one ask to follow the other.
    pub async fn request(&self, follower: &Person, followee: &Person) -> Follow {
        let request = Follow { follower: follower.id, followee: followee.id, at: self.tick() };
        let save = self
            .ports
            .transact(&PLATFORM, |mut unit| Box::pin(async move { unit.graph().insert_request(&request).await }));
        assert!(save.await.unwrap());
        request
    }

    /// Lets one block the other; what stood between them stays.
    pub async fn block(&self, blocker: &Person, blocked: &Person) -> Block {
        let block =
            Block { blocker: blocker.id, blocked: blocked.id, blocked_account: blocked.account, at: self.tick() };
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.graph().insert_block(&block).await }));
        assert!(save.await.unwrap());
        block
    }

    /// Lifts a block.
    pub async fn unblock(&self, blocker: &Person, blocked: &Person) {
        let (blocker, blocked) = (blocker.id, blocked.id);
        let save = self
            .ports
            .transact(&PLATFORM, |mut unit| Box::pin(async move { unit.graph().delete_block(blocker, blocked).await }));
        assert!(save.await.unwrap());
    }

    /// Mutes posts and notifications of somebody, or one of the two.
    pub async fn mute(&self, muter: &Person, muted: &Person, posts: bool, notifications: bool) {
        let (muter, muted, at) = (muter.id, muted.id, self.tick());
        let mute = Mute { muter, muted, posts, stories: false, notifications, at };
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.graph().put_mute(&mute).await }));
        save.await.unwrap();
    }

    /// Draws a circle around some people.
    pub async fn circle(&self, owner: &Person, name: &str, members: &[&Person]) -> Circle {
        let created_at = self.tick();
        let circle =
            Circle { id: self.draw::<CircleId>(), owner: owner.id, name: name.to_owned(), created_at, version: 1 };
        let members: Vec<(ProfileId, Timestamp)> = members.iter().map(|m| (m.id, self.tick())).collect();
        let (stored, members) = (&circle, &members);
        let save = self.ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move {
                unit.graph().insert_circle(stored).await?;
                for (member, at) in members {
                    unit.graph().insert_circle_member(stored.id, *member, *at).await?;
                }
                Ok(())
            })
        });
        save.await.unwrap();
        circle
    }

    /// Publishes a post now, without an event.
    pub async fn post(&self, author: &Person, writing: impl Into<Writing>) -> Post {
        let post = self.written(author, writing);
        let stored = &post;
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.posts().insert(stored).await }));
        save.await.unwrap();
        post
    }

    /// A post as it would be stored.
    pub fn written(&self, author: &Person, writing: impl Into<Writing>) -> Post {
        Post { id: self.ports.ids.draw(self.tick(), author.id.shard()), author: author.id, ..writing.into().0 }
    }

    /// Stores a changed post under the next version.
    pub async fn edit(&self, post: &Post, change: impl FnOnce(&mut Post)) -> Post {
        let mut after = post.clone();
        change(&mut after);
        after.version += 1;
        let stored = &after;
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.posts().update(stored, None).await }));
        save.await.unwrap();
        after
    }

    /// Deletes a post softly.
    pub async fn delete(&self, post: &Post) -> Post {
        let at = self.tick();
        self.edit(post, |post| post.deleted_at = Some(at)).await
    }

    /// Writes a comment.
    pub async fn comment(&self, author: &Person, post: &Post, parent: Option<&Comment>, text: &str) -> Comment {
        let comment = self.said(author, post, parent, text);
        let stored = &comment;
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.comments().insert(stored).await }));
        save.await.unwrap();
        comment
    }

    /// A comment as it would be stored.
    pub fn said(&self, author: &Person, post: &Post, parent: Option<&Comment>, text: &str) -> Comment {
        Comment {
            id: self.draw::<CommentId>(),
            post: post.id,
            parent: parent.map(|p| p.id),
            depth: parent.map_or(0, |p| p.depth) + 1,
            author: author.id,
            text: text.to_owned(),
            edited_at: None,
            deleted_at: None,
            version: 1,
        }
    }

    /// Deletes a comment softly.
    pub async fn delete_comment(&self, comment: &Comment) -> Comment {
        let after = Comment { deleted_at: Some(self.tick()), version: comment.version + 1, ..comment.clone() };
        let stored = &after;
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.comments().update(stored).await }));
        save.await.unwrap();
        after
    }

    /// What staff would take down, for a reason.
    pub fn takedown(&self, target: staff::Target, owner: ProfileId) -> Takedown {
        let why = Why { reason: Reason::Spam, reference: Some(Reference::new("T-1").unwrap()) };
        let profiles_own = matches!(target, staff::Target::Name(_) | staff::Target::Picture(_));
        let kept = profiles_own.then(|| "7".to_owned());
        Takedown { target, owner, by: None, why, at: self.tick(), kept, notice: self.draw() }
    }

    /// Takes something down.
    pub async fn take_down(&self, target: staff::Target, owner: ProfileId) -> Takedown {
        let takedown = self.takedown(target, owner);
        let stored = &takedown;
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.staff().take_down(stored).await }));
        save.await.unwrap();
        takedown
    }

    /// Puts something back.
    pub async fn put_back(&self, target: staff::Target) {
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.staff().put_back(target).await }));
        assert!(save.await.unwrap());
    }

    /// Gives a reaction.
    pub async fn react(&self, by: &Person, target: Target, kind: ReactionKind) -> Reaction {
        let reaction = Reaction { by: by.id, target, kind, at: self.tick() };
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.reactions().put(&reaction).await }));
        save.await.unwrap();
        reaction
    }

    /// Uploads a picture that hangs on nothing yet.
    pub async fn picture(&self, owner: &Person) -> Media {
        let id = self.draw();
        let variant = |name: &str, width: u32| Variant {
            name: name.to_owned(),
            key: format!("m/{id}/{name}"),
            content_type: "image/webp".to_owned(),
            width,
            height: width / 2,
            bytes: u64::from(width) * 10,
        };
        let media = Media {
            id,
            owner: owner.id,
            width: 1600,
            height: 800,
            blurhash: "LEHV6nWB2yk8pyo0adR*.7kCMdnj".to_owned(),
            alt: "مركب في النيل".to_owned(),
            variants: vec![variant("thumb-160.webp", 160), variant("feed-480.webp", 480)],
            post: None,
            attached: false,
            created_at: self.tick(),
        };
        let stored = &media;
        let save =
            self.ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.media().insert(stored).await }));
        save.await.unwrap();
        media
    }

    /// Adds to a counter.
    pub async fn count(&self, field: CounterField, subject: i64, delta: i64) {
        let save = self.ports.transact(&PLATFORM, |mut unit| {
            Box::pin(async move { unit.counters().apply(&[CounterDelta { field, subject, delta }]).await })
        });
        save.await.unwrap();
    }

    /// Delivers a post to everybody it is for, as the fan-out does; answers how many inbox rows were new.
    pub async fn deliver(&self, post: &Post) -> u64 {
        let at = self.tick();
        let mut from = None;
        let mut rows = 0;
        loop {
            let chunk = self.ports.transact(&PLATFORM, |mut unit| {
                Box::pin(async move { unit.feed().deliver(post.id, from, 2, at).await })
            });
            let chunk = chunk.await.unwrap();
            rows += chunk.rows;
            from = chunk.next;
            if from.is_none() {
                return rows;
            }
        }
    }

    /// Publishes a post and delivers it.
    pub async fn published(&self, author: &Person, writing: impl Into<Writing>) -> Post {
        let post = self.post(author, writing).await;
        self.deliver(&post).await;
        post
    }

    /// The cards that somebody gets of these posts, by id: the same through a view and without.
    pub async fn cards(&self, actor: &Actor, ids: &[PostId]) -> Vec<PostCard> {
        let mut cards = self.view(actor).await.posts().cards(ids).await.unwrap();
        let mut of = Vec::with_capacity(ids.len());
        for id in ids {
            of.push(self.candidate(*id).await);
        }
        let mut alone = self.ports.store.cards(actor, &of).await.unwrap();
        cards.sort_by_key(|card| card.post.id);
        alone.sort_by_key(|card| card.post.id);
        assert_eq!(alone, cards, "asked for through a view and without");
        cards
    }

    /// A post as a candidate that came by a follow.
    pub async fn candidate(&self, post: PostId) -> Candidate {
        let card = self.view(&PLATFORM).await.posts().cards(&[post]).await.unwrap().pop();
        let nobody = || (ProfileId::from_raw(0), PostCounters::default());
        let (author, PostCounters { reactions, comments }) = card.map_or_else(nobody, |c| (c.author.id, c.counters));
        let signals = Signals { reactions, comments, ..Signals::default() };
        let (reason, media) = (InboxReason::Follow, MediaKind::Text);
        Candidate { post, author, reason, delivered_at: self.now(), media, signals, along: None }
    }

    /// Whether somebody sees a post.
    pub async fn sees(&self, actor: &Actor, post: &Post) -> bool {
        !self.cards(actor, &[post.id]).await.is_empty()
    }
}

/// Stores a profile with its handle.
pub(crate) async fn put_profile(unit: &mut dyn UnitOfWork, profile: &Profile) -> crate::Result<()> {
    let holder = HandleHolder::Profile(profile.id);
    unit.accounts().insert_profile(profile).await?;
    if profile.standing != Standing::Gone {
        assert!(
            unit.accounts().claim_handle(&profile.handle, holder, None, profile.created_at).await?,
            "handle is taken"
        );
    }
    Ok(())
}
