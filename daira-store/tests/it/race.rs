//! Use cases against one another: what a block, a removal, a withdrawal or a deletion ends does not slip past it.
//!
//! One side is held right before its commit while the other runs on a connection of its own, where it finishes or waits for
//! what the first holds locked; then the first goes on. Both orders are tried. Whatever happens, it is as if one had come
//! wholly before the other.

mod identity;
mod leaving;
mod ways;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daira_core::Result;
use daira_core::account::{Account, AccountRefusal, AccountService, AccountState, Profile, Register};
use daira_core::actor::{Actor, Client};
use daira_core::comment::CommentService;
use daira_core::error::Error;
use daira_core::graph::{GraphRefusal, GraphService, MAX_CIRCLES, Relation};
use daira_core::locale::Locale;
use daira_core::port::store::{
    Access, AccountRepository, AppRepository, AuditRepository, BreachRepository, CommentRepository, ConsentRepository,
    CounterRepository, DeliveryRepository, ErasureRepository, ExportRepository, FactorRepository, FeedRepository,
    GraphRepository, Journal, Lock, MediaRepository, NotificationRepository, PhoneRepository, PostRepository,
    ReactionRepository, StaffRepository,
};
use daira_core::port::{Ports, ReadView, Store, UnitOfWork};
use daira_core::post::{Attachment, CreatePost, EditPost, PostRefusal, PostService, ReplyRule, Visibility};
use daira_core::reaction::{ReactionKind, ReactionService, Target};
use daira_core::secret::Secret;
use daira_core::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing};
use daira_store::postgres::testing::{Server, TestDatabase};
use tokio::sync::Semaphore;

use crate::conformance::ports;

/// How long the second side gets to come to its end, or to a lock, while the first is held.
const PATIENCE: Duration = Duration::from_millis(300);

/// A store whose units stop before they commit, until they are let go.
struct Held {
    store: Arc<dyn Store>,
    gate: Arc<Gate>,
}

struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

struct HeldUnit {
    unit: Box<dyn UnitOfWork>,
    gate: Arc<Gate>,
}

#[async_trait]
impl Store for Held {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(HeldUnit { unit: self.store.begin(actor).await?, gate: Arc::clone(&self.gate) }))
    }

    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        self.store.read(actor, access).await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }
}

macro_rules! hand_on {
    ($($name:ident: $repository:ident),* $(,)?) => {
        $(fn $name(&mut self) -> &mut dyn $repository {
            self.unit.$name()
        })*
    };
}

#[async_trait]
impl UnitOfWork for HeldUnit {
    hand_on!(
        accounts: AccountRepository, factors: FactorRepository, apps: AppRepository, deliveries: DeliveryRepository,
        phones: PhoneRepository,
        graph: GraphRepository, posts: PostRepository, comments: CommentRepository,
        reactions: ReactionRepository, media: MediaRepository, notifications: NotificationRepository,
        feed: FeedRepository, counters: CounterRepository, staff: StaffRepository, journal: Journal,
        consents: ConsentRepository, breaches: BreachRepository, audits: AuditRepository, exports: ExportRepository, erasures: ErasureRepository,
    );

    async fn commit(self: Box<Self>) -> Result<()> {
        self.gate.reached.add_permits(1);
        let _open = self.gate.open.acquire().await.map_err(|_| Error::not_found())?;
        self.unit.commit().await
    }
}

/// Holds the first side before its commit, lets the second meet it, and lets the first go. Tells whether the second was
/// through before the first committed.
async fn meet<A, B>(
    ports: &Ports,
    first: impl AsyncFnOnce(Ports) -> A,
    second: impl AsyncFnOnce(Ports) -> B,
) -> (A, B, bool) {
    let gate = Arc::new(Gate { reached: Semaphore::new(0), open: Semaphore::new(0) });
    let held: Arc<dyn Store> = Arc::new(Held { store: Arc::clone(&ports.store), gate: Arc::clone(&gate) });
    let first = async {
        let outcome = first(Ports { store: held, ..ports.clone() }).await;
        gate.reached.add_permits(1);
        outcome
    };
    let second = async {
        drop(gate.reached.acquire().await);
        let mut running = Box::pin(second(ports.clone()));
        let early = tokio::time::timeout(PATIENCE, &mut running).await.ok();
        gate.open.add_permits(1);
        let overtaken = early.is_some();
        (if let Some(outcome) = early { outcome } else { running.await }, overtaken)
    };
    let (first, (second, overtaken)) = tokio::join!(first, second);
    (first, second, overtaken)
}

/// Lets a deed meet what ends the right to it, in one of the two orders; answers whether the deed was done. It is when it
/// came first, and it is not when it came after.
async fn race<A, B>(
    ports: &Ports,
    deed_first: bool,
    deed: impl AsyncFnOnce(Ports) -> Result<A>,
    end: impl AsyncFnOnce(Ports) -> Result<B>,
) -> bool {
    if deed_first {
        let (deed, end, overtaken) = meet(ports, deed, end).await;
        assert!(end.is_ok(), "{:?}", end.err());
        assert_eq!(deed.is_ok(), !overtaken, "a deed is done if nothing ended the right to it before its commit");
        deed.is_ok()
    } else {
        let (end, deed, overtaken) = meet(ports, end, deed).await;
        assert!(end.is_ok(), "{:?}", end.err());
        assert!(overtaken || deed.is_err(), "a deed that had to wait came after its end");
        deed.is_ok()
    }
}

struct Town {
    world: Fixture,
    ports: Ports,
    _database: TestDatabase,
}

impl Town {
    async fn new(server: Server) -> Self {
        let (ports, database) = ports(server).await;
        Self { world: Fixture::new(ports.clone()), ports, _database: database }
    }

    /// Two people, named apart from those of other rounds.
    async fn pair(&self, round: bool) -> (Person, Person) {
        let round = u8::from(round);
        (self.world.person(&*format!("mona{round}")).await, self.world.person(&*format!("karim{round}")).await)
    }

    async fn relation(&self, from: &Person, to: &Person) -> Relation {
        let mut unit = self.world.unit(&from.actor()).await;
        unit.graph().relation(&from.profile, &to.profile).await.unwrap()
    }
}

async fn block(ports: Ports, by: &Person, whom: &Person) -> Result<bool> {
    GraphService::new(ports).block(&by.actor(), whom.id, None).await
}

async fn a_follow_and_a_block(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let follow = async |ports| GraphService::new(ports).follow(&karim.actor(), mona.id, None).await;
        race(&town.ports, deed_first, follow, async |ports| block(ports, &mona, &karim).await).await;
        let left = town.relation(&mona, &karim).await;
        assert!(left.blocks && !left.followed_by, "{left:?}");
    }
}

async fn a_follow_by_another_face_and_a_block(server: Server) {
    let town = Town::new(server).await;
    let (mona, karim) = town.pair(true).await;
    let mask = town.world.person(Draft::new("nightowl").face_of(&karim)).await;
    let follow = async |ports| GraphService::new(ports).follow(&mask.actor(), mona.id, None).await;
    race(&town.ports, true, follow, async |ports| block(ports, &mona, &karim).await).await;
}

async fn an_approval_and_a_withdrawal(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        town.world.change(&mona, |profile| profile.private = true).await;
        town.world.request(&karim, &mona).await;
        let approve = async |ports| GraphService::new(ports).approve_request(&mona.actor(), karim.id, None).await;
        let withdraw = async |ports| GraphService::new(ports).cancel_request(&karim.actor(), mona.id, None).await;
        let (approved, withdrawn) = if deed_first {
            let (approved, withdrawn, _) = meet(&town.ports, approve, withdraw).await;
            (approved.is_ok(), withdrawn.unwrap())
        } else {
            let (withdrawn, approved, _) = meet(&town.ports, withdraw, approve).await;
            (approved.is_ok(), withdrawn.unwrap())
        };
        let left = town.relation(&karim, &mona).await;
        assert_eq!((approved, left.follows, left.requested), (!withdrawn, !withdrawn, false), "one of the two took it");
    }
}

async fn an_approval_and_a_block(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        town.world.change(&mona, |profile| profile.private = true).await;
        town.world.request(&karim, &mona).await;
        let approve = async |ports| GraphService::new(ports).approve_request(&mona.actor(), karim.id, None).await;
        race(&town.ports, deed_first, approve, async |ports| block(ports, &karim, &mona).await).await;
        let left = town.relation(&karim, &mona).await;
        assert!(left.blocks && !left.follows && !left.requested, "{left:?}");
    }
}

async fn a_circle_member_and_a_block(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let circle = town.world.circle(&mona, "شلة", &[]).await.id;
        let add = async |ports| GraphService::new(ports).add_circle_member(&mona.actor(), circle, karim.id, None).await;
        race(&town.ports, deed_first, add, async |ports| block(ports, &mona, &karim).await).await;
        let graph = GraphService::new(town.ports.clone());
        assert!(
            !graph.remove_circle_member(&mona.actor(), circle, karim.id, None).await.unwrap(),
            "nobody is left in it"
        );
    }
}

async fn the_last_circle_but_one_for_two(server: Server) {
    let town = Town::new(server).await;
    let (mona, _) = town.pair(true).await;
    let graph = GraphService::new(town.ports.clone());
    for n in 1..MAX_CIRCLES {
        graph.create_circle(&mona.actor(), &format!("دايرة {n}"), None).await.unwrap();
    }
    let create = async |ports| GraphService::new(ports).create_circle(&mona.actor(), "الأخيرة", None).await;
    let (one, other, _) = meet(&town.ports, create, create).await;
    assert!(one.is_ok());
    assert_eq!(other.unwrap_err().refusal(), Some(GraphRefusal::TooManyCircles));
}

async fn a_comment_and_a_block(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let post = town.world.post(&mona, "سؤال").await.id;
        let say = async |ports| CommentService::new(ports).create(&karim.actor(), post, None, "رأيي", None).await;
        race(&town.ports, deed_first, say, async |ports| block(ports, &mona, &karim).await).await;
    }
}

async fn an_answer_and_a_block_by_who_is_answered(server: Server) {
    let town = Town::new(server).await;
    let host = town.world.person("host").await;
    let post = town.world.post(&host, "سؤال").await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let parent = town.world.comment(&mona, &post, None, "رأيي").await.id;
        let say =
            async |ports| CommentService::new(ports).create(&karim.actor(), post.id, Some(parent), "لا", None).await;
        race(&town.ports, deed_first, say, async |ports| block(ports, &mona, &karim).await).await;
    }
}

async fn an_answer_and_a_deletion(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let post = town.world.post(&mona, "سؤال").await;
        let parent = town.world.comment(&mona, &post, None, "رأيي").await.id;
        let say =
            async |ports| CommentService::new(ports).create(&karim.actor(), post.id, Some(parent), "لا", None).await;
        let delete = async |ports| CommentService::new(ports).delete(&mona.actor(), parent, None).await;
        race(&town.ports, deed_first, say, delete).await;
        let say = async |ports| CommentService::new(ports).create(&karim.actor(), post.id, None, "طيب", None).await;
        let delete = async |ports| PostService::new(ports).delete(&mona.actor(), post.id, None).await;
        race(&town.ports, deed_first, say, delete).await;
    }
}

async fn a_comment_and_a_way_out_of_the_audience(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let circle = town.world.circle(&mona, "شلة", &[&karim]).await.id;
        let inner = town.world.post(&mona, Writing::new("للشلة").visible(Visibility::Circle(circle))).await.id;
        let say = async |ports| CommentService::new(ports).create(&karim.actor(), inner, None, "رأيي", None).await;
        let remove =
            async |ports| GraphService::new(ports).remove_circle_member(&mona.actor(), circle, karim.id, None).await;
        race(&town.ports, deed_first, say, remove).await;

        town.world.follow(&karim, &mona).await;
        let wide = town.world.post(&mona, Writing::new("للمتابعين").visible(Visibility::Followers)).await.id;
        let say = async |ports| CommentService::new(ports).create(&karim.actor(), wide, None, "رأيي", None).await;
        let remove = async |ports| GraphService::new(ports).remove_follower(&mona.actor(), karim.id, None).await;
        race(&town.ports, deed_first, say, remove).await;

        let open = town.world.post(&mona, "للكل").await.id;
        let say = async |ports| CommentService::new(ports).create(&karim.actor(), open, None, "رأيي", None).await;
        let close = EditPost {
            text: "للكل".to_owned(),
            visibility: Visibility::Private,
            replies: ReplyRule::Everyone,
            warning: None,
            version: None,
        };
        let close = async |ports| PostService::new(ports).edit(&mona.actor(), open, &close, None).await;
        race(&town.ports, deed_first, say, close).await;
    }
}

async fn a_reaction_and_its_end(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let [one, other] = [town.world.post(&mona, "صورة").await.id, town.world.post(&mona, "صورة").await.id];
        let react = async |ports: Ports, post| {
            ReactionService::new(ports).react(&karim.actor(), Target::Post(post), ReactionKind::Like, None).await
        };
        let delete = async |ports| PostService::new(ports).delete(&mona.actor(), one, None).await;
        race(&town.ports, deed_first, async |ports| react(ports, one).await, delete).await;
        let end = async |ports| block(ports, &mona, &karim).await;
        race(&town.ports, deed_first, async |ports| react(ports, other).await, end).await;
    }
}

async fn a_reaction_and_a_way_out_of_the_audience(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let circle = town.world.circle(&mona, "شلة", &[&karim]).await.id;
        let inner = town.world.post(&mona, Writing::new("للشلة").visible(Visibility::Circle(circle))).await;
        let target = Target::Post(inner.id);
        let react =
            async |ports| ReactionService::new(ports).react(&karim.actor(), target, ReactionKind::Love, None).await;
        let remove =
            async |ports| GraphService::new(ports).remove_circle_member(&mona.actor(), circle, karim.id, None).await;
        race(&town.ports, deed_first, react, remove).await;
        assert!(!town.world.sees(&karim.actor(), &inner).await, "whoever looks after the removal sees nothing");
    }
}

async fn a_look_and_a_removal(server: Server) {
    let town = Town::new(server).await;
    let (mona, karim) = town.pair(true).await;
    let circle = town.world.circle(&mona, "شلة", &[&karim]).await.id;
    let inner = town.world.post(&mona, Writing::new("للشلة").visible(Visibility::Circle(circle))).await;
    let remove =
        async |ports| GraphService::new(ports).remove_circle_member(&mona.actor(), circle, karim.id, None).await;
    let look = async |_| town.world.sees(&karim.actor(), &inner).await;
    let (removed, seen, overtaken) = meet(&town.ports, remove, look).await;
    assert!(removed.unwrap());
    assert_eq!((seen, overtaken), (true, true), "a look waits for nobody: it was before the removal");
    assert!(!town.world.sees(&karim.actor(), &inner).await, "and after it there is nothing to see");
}

/// Suspends somebody as a moderator's decision does: account and face, in one unit.
async fn suspend(ports: Ports, whom: &Person) -> Result<()> {
    let until = ports.clock.now() + Duration::from_hours(1);
    let suspended = ports.transact(&PLATFORM, |mut unit| {
        Box::pin(async move {
            let account = unit.accounts().account(whom.account, Lock::Update).await?.ok_or_else(Error::not_found)?;
            let (state, version) = (AccountState::Suspended(until), account.version + 1);
            unit.accounts().update_account(&Account { state, version, ..account }).await?;
            let face = unit.accounts().profile(whom.id, Lock::Update).await?.ok_or_else(Error::not_found)?;
            let (standing, version) = (state.standing(), face.version + 1);
            unit.accounts().update_profile(&Profile { standing, version, ..face }).await
        })
    });
    suspended.await
}

async fn a_deed_and_a_suspension(server: Server) {
    let town = Town::new(server).await;
    for deed_first in [true, false] {
        let (mona, karim) = town.pair(deed_first).await;
        let publish =
            async |ports| PostService::new(ports).create(&mona.actor(), &CreatePost::public("كلام"), None).await;
        race(&town.ports, deed_first, publish, async |ports| suspend(ports, &mona).await).await;
        let (sara, ali) = (&town.world.person(&*format!("sara{}", u8::from(deed_first))).await, &karim);
        let post = town.world.post(sara, "سؤال").await.id;
        let say = async |ports| CommentService::new(ports).create(&ali.actor(), post, None, "رأيي", None).await;
        race(&town.ports, deed_first, say, async |ports| suspend(ports, sara).await).await;
        let follow = async |ports| GraphService::new(ports).follow(&ali.actor(), sara.id, None).await;
        assert!(follow(town.ports.clone()).await.is_err(), "nobody follows who is hidden");
    }
}

async fn one_handle_for_a_newcomer_and_a_member(server: Server) {
    let town = Town::new(server).await;
    for member_first in [true, false] {
        let (mona, _) = town.pair(member_first).await;
        let handle = format!("wanted{}", u8::from(member_first));
        let change =
            async |ports| AccountService::new(ports).change_handle(&mona.actor(), &handle, None).await.map(drop);
        let join = async |ports| {
            let input = Register {
                email: format!("{handle}@example.com"),
                password: Secret::new("kahwa sada 3al nil"),
                handle: handle.clone(),
                name: "نادية".to_owned(),
                birth_date: "1999-04-25".to_owned(),
                locale: Locale::Ar,
            };
            AccountService::new(ports).register(&Client::default(), input, None).await.map(drop)
        };
        let (one, other, overtaken) =
            if member_first { meet(&town.ports, change, join).await } else { meet(&town.ports, join, change).await };
        assert!(!overtaken, "the second waits until it is known who has it");
        assert!(one.is_ok(), "{one:?}");
        assert_eq!(other.unwrap_err().refusal(), Some(AccountRefusal::HandleTaken));
    }
}

async fn a_mention_and_a_block(server: Server) {
    let town = Town::new(server).await;
    let (mona, karim) = town.pair(true).await;
    let text = format!("يا @{}", karim.profile.handle);
    let mention = async |ports| PostService::new(ports).create(&mona.actor(), &CreatePost::public(&text), None).await;
    let (post, blocked, overtaken) = meet(&town.ports, mention, async |ports| block(ports, &karim, &mona).await).await;
    assert!(blocked.unwrap());
    let mut view = town.world.view(&mona.actor()).await;
    let card = PostService::new(town.ports.clone()).get(view.as_mut(), post.unwrap()).await.unwrap();
    assert_eq!(card.post.mentions.is_empty(), overtaken, "a mention comes before the block or stays plain text");
}

async fn one_picture_for_two_posts(server: Server) {
    let town = Town::new(server).await;
    let (mona, _) = town.pair(true).await;
    let media = town.world.picture(&mona).await.id;
    let attached = || vec![Attachment { media, alt: String::new() }];
    let publish = async |ports| {
        PostService::new(ports)
            .create(&mona.actor(), &CreatePost { media: attached(), ..CreatePost::public("") }, None)
            .await
    };
    let (one, other, _) = meet(&town.ports, publish, publish).await;
    assert!(one.is_ok());
    assert_eq!(other.unwrap_err().refusal(), Some(PostRefusal::MediaUnavailable));
}

on_each_server!(
    a_follow_and_a_block,
    a_follow_by_another_face_and_a_block,
    an_approval_and_a_withdrawal,
    an_approval_and_a_block,
    a_circle_member_and_a_block,
    the_last_circle_but_one_for_two,
    a_comment_and_a_block,
    an_answer_and_a_block_by_who_is_answered,
    an_answer_and_a_deletion,
    a_comment_and_a_way_out_of_the_audience,
    a_reaction_and_its_end,
    a_reaction_and_a_way_out_of_the_audience,
    a_look_and_a_removal,
    a_deed_and_a_suspension,
    one_handle_for_a_newcomer_and_a_member,
    a_mention_and_a_block,
    one_picture_for_two_posts,
);
