//! Requests that come again under their idempotency key: one effect and one answer, whatever happens in between.

use daira_core::error::{CommonRefusal, ErrorKind};
use daira_core::id::PostId;
use daira_core::idempotency::{IdempotencyKey, LIFETIME};
use daira_core::port::store::{
    AccountRepository, AppRepository, AuditRepository, BreachRepository, CommentRepository, ConsentRepository,
    CounterRepository, DeliveryRepository, ErasureRepository, ExportRepository, FactorRepository, FeedRepository,
    GraphRepository, Journal, MediaRepository, NotificationRepository, PhoneRepository, PostRepository,
    ReactionRepository, StaffRepository,
};
use daira_core::post::{CreatePost, PostService};
use tokio::task::JoinSet;

use super::*;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// How a commit ends that does not simply succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Nothing is kept, and nobody can tell.
    Lost,
    /// All is kept, and the answer gets lost.
    Unheard,
    /// Nothing is kept, and that is certain.
    Refused,
}

/// A store whose next commits end otherwise.
struct Shaky {
    inner: MemoryStore,
    endings: Arc<Mutex<Vec<Ending>>>,
}

struct ShakyUnit {
    inner: Box<dyn UnitOfWork>,
    endings: Arc<Mutex<Vec<Ending>>>,
}

#[async_trait]
impl Store for Shaky {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        let inner = self.inner.begin(actor).await?;
        Ok(Box::new(ShakyUnit { inner, endings: self.endings.clone() }))
    }

    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        self.inner.read(actor, access).await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

macro_rules! passed_on {
    ($($name:ident: $repository:ident;)*) => {$(
        fn $name(&mut self) -> &mut dyn $repository {
            self.inner.$name()
        }
    )*};
}

#[async_trait]
impl UnitOfWork for ShakyUnit {
    passed_on! {
        accounts: AccountRepository;
        factors: FactorRepository;
        apps: AppRepository;
        deliveries: DeliveryRepository;
        phones: PhoneRepository;
        graph: GraphRepository;
        posts: PostRepository;
        comments: CommentRepository;
        reactions: ReactionRepository;
        media: MediaRepository;
        notifications: NotificationRepository;
        feed: FeedRepository;
        counters: CounterRepository;
        staff: StaffRepository;
        erasures: ErasureRepository;
        journal: Journal;
        consents: ConsentRepository;
        breaches: BreachRepository;
        audits: AuditRepository;
        exports: ExportRepository;
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let ending = self.endings.lock().unwrap().pop();
        let end = |kind| Err(Error::new(kind, "test.commit"));
        match ending {
            None => self.inner.commit().await,
            Some(Ending::Lost) => end(ErrorKind::Unknown),
            Some(Ending::Unheard) => {
                self.inner.commit().await?;
                end(ErrorKind::Unknown)
            }
            Some(Ending::Refused) => end(ErrorKind::Unavailable),
        }
    }
}

/// A world and the list of endings that its next commits meet, last one first.
fn shaky() -> (World, Arc<Mutex<Vec<Ending>>>) {
    let endings = Arc::<Mutex<Vec<Ending>>>::default();
    let given = endings.clone();
    let (clock, mail, phone) =
        (Arc::<ManualClock>::default(), Arc::<MemoryMail>::default(), Arc::<MemoryPhone>::default());
    let base = Ports::in_memory_at(clock.clone(), 7);
    let store = MemoryStore::new(clock.clone(), &base.settings);
    let ports = Ports {
        store: Arc::new(Shaky { inner: store.clone(), endings: given }),
        bus: Arc::new(MemoryBus::new(&store)),
        mail: mail.clone(),
        phone: phone.clone(),
        ..base
    };
    let accounts = AccountService::new(ports.clone());
    (World { clock, store, mail, phone, ports, accounts }, endings)
}

async fn posts_of(world: &World, author: &LoggedIn) -> Vec<PostId> {
    let mut view = world.ports.store.read(&actor(author), Access::Read).await.unwrap();
    view.posts().by_author(author.member.profile, None, daira_core::page::Limit::DEFAULT).await.unwrap().items
}

async fn created(world: &World) -> usize {
    let group = Group { name: "count", topics: &["daira.post.v1"], rebuilds: true };
    let batch = world.ports.bus.next(group, "test", 1_000).await.unwrap();
    batch.map_or(0, |batch| batch.events().len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_84_fifty_at_once_have_one_effect_and_one_answer() {
    let world = world();
    let mona = world.join("mona").await;
    let posts = PostService::new(world.ports.clone());
    let mut racing = JoinSet::new();
    for _ in 0..50 {
        let (posts, mona) = (posts.clone(), actor(&mona));
        racing.spawn(async move { posts.create(&mona, &CreatePost::public("مرة واحدة"), Some(key("k"))).await });
    }
    let post = posts_after(&world, &mona, racing.join_all().await).await;
    assert_eq!(
        posts.create(&actor(&mona), &CreatePost::public("مرة واحدة"), Some(key("k"))).await.unwrap(),
        post,
        "and later again"
    );
    assert_eq!(created(&world).await, 1);
}

/// The one post that all of the answers speak of; others may only say that it is being made.
async fn posts_after(world: &World, author: &LoggedIn, answers: Vec<Result<PostId>>) -> PostId {
    let [post] = posts_of(world, author).await.try_into().expect("one post");
    let mut told = 0;
    for answer in answers {
        match answer {
            Ok(id) => {
                assert_eq!(id, post);
                told += 1;
            }
            Err(error) => assert_eq!(error.refusal(), Some(CommonRefusal::KeyInFlight)),
        }
    }
    assert!(told > 0);
    post
}

#[tokio::test]
async fn security_84_another_request_under_a_used_key_is_refused_and_other_people_have_their_own_keys() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    let posts = PostService::new(world.ports.clone());
    posts.create(&actor(&mona), &CreatePost::public("صباح الخير"), Some(key("k"))).await.unwrap();
    let other = posts.create(&actor(&mona), &CreatePost::public("مساء الخير"), Some(key("k"))).await;
    assert_eq!(refusal::<_, CommonRefusal>(other), CommonRefusal::KeyReused);
    posts.create(&actor(&nour), &CreatePost::public("مساء الخير"), Some(key("k"))).await.unwrap();
    assert_eq!((posts_of(&world, &mona).await.len(), posts_of(&world, &nour).await.len()), (1, 1));
}

#[tokio::test]
async fn security_84_a_refusal_is_not_remembered_and_a_key_is_for_a_day() {
    let world = world();
    let (mona, nour) = (world.join("mona").await, world.join("nour").await);
    let take = async |key| world.accounts.change_handle(&actor(&mona), "nour", key).await;
    assert_eq!(refusal::<_, AccountRefusal>(take(Some(key("h"))).await), AccountRefusal::HandleTaken);
    world.accounts.change_handle(&actor(&nour), "nour.two", None).await.unwrap();
    world.advance(world.ports.settings.handle_reserved);
    take(Some(key("h"))).await.unwrap();

    let posts = PostService::new(world.ports.clone());
    let create =
        || async { posts.create(&actor(&mona), &CreatePost::public("كل يوم"), Some(key("k"))).await.unwrap() };
    let first = create().await;
    world.advance(LIFETIME);
    assert_eq!(create().await, first, "to the last instant of the day");
    world.advance(Duration::from_micros(1));
    assert_ne!(create().await, first, "the next day it is a new request");
}

#[tokio::test]
async fn security_85_effect_key_and_event_are_kept_or_lost_together() {
    for ending in [Ending::Lost, Ending::Unheard] {
        let (world, endings) = shaky();
        let mona = world.join("mona").await;
        let posts = PostService::new(world.ports.clone());
        endings.lock().unwrap().push(ending);
        let post = posts.create(&actor(&mona), &CreatePost::public("وصلت؟"), Some(key("k"))).await.unwrap();
        assert_eq!(posts_of(&world, &mona).await, [post], "{ending:?}: tried again under its key, once in effect");
        assert_eq!(created(&world).await, 1, "{ending:?}");
    }
    let (world, endings) = shaky();
    let mona = world.join("mona").await;
    let posts = PostService::new(world.ports.clone());
    endings.lock().unwrap().push(Ending::Refused);
    let refused = posts.create(&actor(&mona), &CreatePost::public("لا"), Some(key("k"))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!((posts_of(&world, &mona).await, created(&world).await), (Vec::new(), 0));
    posts
        .create(&actor(&mona), &CreatePost::public("نص تاني"), Some(key("k")))
        .await
        .expect("the key was not taken either");
}

#[tokio::test]
async fn security_86_what_is_rolled_back_leaves_no_event() {
    let (world, endings) = shaky();
    let mona = world.join("mona").await;
    let posts = PostService::new(world.ports.clone());
    for ending in [Ending::Refused, Ending::Lost] {
        endings.lock().unwrap().push(ending);
        // Without a key nobody may try again: the first time could have succeeded.
        assert!(posts.create(&actor(&mona), &CreatePost::public("لا"), None).await.is_err(), "{ending:?}");
    }
    assert_eq!(created(&world).await, 0);
    let (post, member) = (posts.create(&actor(&mona), &CreatePost::public("آه"), None).await.unwrap(), mona.member);
    let broken: Result<()> = world
        .ports
        .transact(&Actor::Member(member), |mut unit| {
            Box::pin(async move {
                let mut found = unit.posts().post(post, Lock::Update).await?.unwrap();
                found.text = "متغيّر".to_owned();
                found.version += 1;
                unit.posts().update(&found, None).await?;
                let gone = daira_core::proto::event::v1::PostDeleted::default();
                unit.journal().append(&[gone.into()]).await?;
                Err(CommonRefusal::Forbidden.into())
            })
        })
        .await;
    assert!(broken.is_err());
    assert_eq!(created(&world).await, 1, "only what was committed");
}

#[tokio::test]
async fn a_repeated_log_in_is_one_session() {
    let world = world();
    let mona = world.join("mona").await;
    let client = Client::default();
    let log_in = async |input: LogIn, text: &str| entered(world.accounts.log_in(&client, input, Some(key(text))).await);
    let first = log_in(logging_in("mona"), "k").await.unwrap();
    let again = log_in(logging_in("mona"), "k").await.unwrap();
    assert_eq!((again.member, &again.tokens.refresh), (first.member, &first.tokens.refresh));
    assert_eq!(world.accounts.sessions(&actor(&mona)).await.unwrap().len(), 2);

    let elsewhere = LogIn { device: "Phone".to_owned(), ..logging_in("mona") };
    assert_eq!(refusal::<_, CommonRefusal>(log_in(elsewhere, "k").await), CommonRefusal::KeyReused);
    let wrong = LogIn { password: Secret::new("shai bel na3na3"), ..logging_in("mona") };
    assert_eq!(
        refusal::<_, AccountRefusal>(log_in(wrong, "k").await),
        AccountRefusal::CredentialsInvalid,
        "a key is no way around the password"
    );
    world.accounts.log_out(&actor(&first)).await.unwrap();
    assert!(is_invalid(log_in(logging_in("mona"), "k").await), "an ended session does not come back");
    log_in(logging_in("mona"), "k2").await.unwrap();
}

#[tokio::test]
async fn repeated_ends_of_sessions_answer_alike() {
    let world = world();
    let mona = world.join("mona").await;
    let me = actor(&mona);
    let phone =
        entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap().member.session;
    for _ in 0..2 {
        world.accounts.revoke_session(&me, phone, Some(key("one"))).await.unwrap();
    }
    let other = world.accounts.revoke_session(&me, mona.member.session, Some(key("one"))).await;
    assert_eq!(refusal::<_, CommonRefusal>(other), CommonRefusal::KeyReused);
    let tablet = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    for _ in 0..2 {
        assert_eq!(world.accounts.revoke_other_sessions(&me, Some(key("all"))).await.unwrap(), 1);
    }
    assert!(is_invalid(world.accounts.authenticate(&tablet.tokens.access).await));
}
