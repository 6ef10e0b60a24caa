//! Stores with one fault.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;

use crate::account::Profile;
use crate::actor::{Actor, Member};
use crate::error::Result;
use crate::event::Event;
use crate::hashtag::Hashtag;
use crate::id::{AccountId, Id, PostId, ProfileId};
use crate::idempotency::{Claim, Keyed};
use crate::page::{Limit, Page};
use crate::port::store::{
    Access, AccountReads, AccountRepository, AppReads, AppRepository, AuditRecord, AuditRepository, BreachRepository,
    CommentReads, CommentRepository, ConsentRepository, CounterDelta, CounterField, CounterRepository,
    DeliveryRepository, ErasureRepository, ExportRepository, FactorRepository, FeedReads, FeedRepository, GraphReads,
    GraphRepository, Journal, Lock, MediaReads, MediaRepository, NotificationReads, NotificationRepository,
    PhoneRepository, PostReads, PostRepository, ReactionReads, ReactionRepository, Recount, SearchReads, StaffReads,
    StaffRepository,
};
use crate::port::{ReadView, Store, UnitOfWork};
use crate::post::{Audience, Post, Revision};
use crate::testkit::turns::hand_on;
use crate::time::Timestamp;

/// What a store gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreFault {
    /// A unit that is dropped is committed all the same.
    ForgetsRollback,
    /// A commit says yes and does nothing.
    LosesCommits,
    /// Readers of posts do not look at who was blocked.
    BlindToBlocks,
    /// Row security is off: whoever writes, writes as the platform.
    NoRowSecurity,
    /// A view shows what was there when the one before it was opened.
    StaleReads,
    /// A used idempotency key looks fresh.
    ForgetsKeys,
    /// An update does not mind the version it was based on.
    LastWriterWins,
    /// Deltas are applied twice.
    CountsTwice,
    /// People are filtered after the page was cut, so that pages come up short.
    FiltersAfterThePage,
}

impl StoreFault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ForgetsRollback,
        Self::LosesCommits,
        Self::BlindToBlocks,
        Self::NoRowSecurity,
        Self::StaleReads,
        Self::ForgetsKeys,
        Self::LastWriterWins,
        Self::CountsTwice,
        Self::FiltersAfterThePage,
    ];
}

/// A store with a fault.
pub struct MutantStore {
    inner: Arc<dyn Store>,
    fault: StoreFault,
    opened: Mutex<HashMap<Actor, Box<dyn ReadView>>>,
}

impl core::fmt::Debug for MutantStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MutantStore").field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl MutantStore {
    /// Breaks a store.
    pub fn new(inner: Arc<dyn Store>, fault: StoreFault) -> Self {
        Self { inner, fault, opened: Mutex::default() }
    }
}

#[async_trait]
impl Store for MutantStore {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        let actor = if self.fault == StoreFault::NoRowSecurity { &Actor::System("mutant") } else { actor };
        Ok(Box::new(Unit { inner: Some(self.inner.begin(actor).await?), fault: self.fault }))
    }

    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        match (self.fault, actor) {
            (StoreFault::BlindToBlocks, Actor::Member(member)) => {
                let nobody = Member { account: AccountId::from_raw(1), ..*member };
                self.inner.read(&Actor::Member(nobody), access).await
            }
            (StoreFault::StaleReads, _) => {
                let fresh = self.inner.read(actor, access).await?;
                let before = self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(actor.clone(), fresh);
                match before {
                    Some(view) => Ok(view),
                    None => self.inner.read(actor, access).await,
                }
            }
            (StoreFault::FiltersAfterThePage, _) => Ok(Box::new(View(self.inner.read(actor, access).await?))),
            _ => self.inner.read(actor, access).await,
        }
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

struct Unit {
    /// There until it is committed.
    inner: Option<Box<dyn UnitOfWork>>,
    fault: StoreFault,
}

impl Unit {
    fn inner(&mut self) -> &mut dyn UnitOfWork {
        self.inner.as_mut().unwrap().as_mut()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if let (StoreFault::ForgetsRollback, Some(unit)) = (self.fault, self.inner.take()) {
            // The adapter in memory, which the tests break, never waits.
            let _ = unit.commit().now_or_never();
        }
    }
}

#[async_trait]
impl UnitOfWork for Unit {
    hand_on!(self => self.inner();
        accounts: AccountRepository, factors: FactorRepository, apps: AppRepository, deliveries: DeliveryRepository,
        phones: PhoneRepository,
        graph: GraphRepository, comments: CommentRepository,
        reactions: ReactionRepository, media: MediaRepository, notifications: NotificationRepository,
        feed: FeedRepository, staff: StaffRepository, consents: ConsentRepository, breaches: BreachRepository,
        audits: AuditRepository, exports: ExportRepository, erasures: ErasureRepository,
    );

    fn posts(&mut self) -> &mut dyn PostRepository {
        if self.fault == StoreFault::LastWriterWins { self } else { self.inner().posts() }
    }

    fn counters(&mut self) -> &mut dyn CounterRepository {
        if self.fault == StoreFault::CountsTwice { self } else { self.inner().counters() }
    }

    fn journal(&mut self) -> &mut dyn Journal {
        if self.fault == StoreFault::ForgetsKeys { self } else { self.inner().journal() }
    }

    async fn commit(mut self: Box<Self>) -> Result<()> {
        let unit = self.inner.take().unwrap();
        if self.fault == StoreFault::LosesCommits { Ok(()) } else { unit.commit().await }
    }
}

#[async_trait]
impl PostRepository for Unit {
    async fn insert(&mut self, post: &Post) -> Result<()> {
        self.inner().posts().insert(post).await
    }
    async fn post(&mut self, id: PostId, lock: Lock) -> Result<Option<Post>> {
        self.inner().posts().post(id, lock).await
    }
    async fn update(&mut self, post: &Post, before: Option<&Revision>) -> Result<()> {
        let stored = self.inner().posts().post(post.id, Lock::Update).await?;
        let version = stored.map_or(post.version, |stored| stored.version + 1);
        self.inner().posts().update(&Post { version, ..post.clone() }, before).await
    }
    async fn audience(&mut self, post: &Post, viewer: ProfileId) -> Result<Audience> {
        self.inner().posts().audience(post, viewer).await
    }
    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<PostId>> {
        self.inner().posts().purge(before, limit).await
    }
}

#[async_trait]
impl CounterRepository for Unit {
    async fn value(&mut self, field: CounterField, subject: i64) -> Result<i64> {
        self.inner().counters().value(field, subject).await
    }
    async fn apply(&mut self, deltas: &[CounterDelta]) -> Result<()> {
        self.inner().counters().apply(deltas).await?;
        self.inner().counters().apply(deltas).await
    }
    async fn forget(&mut self, field: CounterField, from: Option<i64>, chunk: u32) -> Result<Option<i64>> {
        self.inner().counters().forget(field, from, chunk).await
    }
    async fn recount(
        &mut self,
        field: CounterField,
        from: Option<i64>,
        chunk: u32,
        pending: &[CounterDelta],
    ) -> Result<Recount> {
        self.inner().counters().recount(field, from, chunk, pending).await
    }
}

#[async_trait]
impl Journal for Unit {
    async fn append(&mut self, events: &[Event]) -> Result<()> {
        self.inner().journal().append(events).await
    }
    async fn claim(&mut self, keyed: &Keyed) -> Result<Claim> {
        self.inner().journal().claim(keyed).await?;
        Ok(Claim::Fresh)
    }
    async fn remember(&mut self, keyed: &Keyed, result: &[u8]) -> Result<()> {
        self.inner().journal().remember(keyed, result).await
    }
    async fn audit(&mut self, record: &AuditRecord) -> Result<()> {
        self.inner().journal().audit(record).await
    }
}

/// A view whose search takes people off a page that is already cut.
struct View(Box<dyn ReadView>);

#[async_trait]
impl ReadView for View {
    hand_on!(self => self.0;
        accounts: AccountReads, apps: AppReads, graph: GraphReads, posts: PostReads, comments: CommentReads,
        reactions: ReactionReads, media: MediaReads, notifications: NotificationReads, feed: FeedReads, staff: StaffReads,
    );

    fn search(&mut self) -> &mut dyn SearchReads {
        self
    }
}

#[async_trait]
impl SearchReads for View {
    async fn handles(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Profile>> {
        let mut page = self.0.search().handles(prefix, after, limit).await?;
        page.items.retain(|profile| profile.id.raw() % 2 == 0);
        Ok(page)
    }
    async fn tags(&mut self, prefix: &str, after: Option<&str>, limit: Limit) -> Result<Page<Hashtag>> {
        self.0.search().tags(prefix, after, limit).await
    }
}
