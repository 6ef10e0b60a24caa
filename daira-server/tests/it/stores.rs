//! Stores that do something besides: count look-ups, hang, fail, panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use daira_core::Actor;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::store::{
    Access, AccountReads, AppReads, CommentReads, FeedReads, GraphReads, MediaReads, NotificationReads, PostReads,
    ReactionReads, SearchReads, StaffReads,
};
use daira_core::port::{ReadView, Store, UnitOfWork};
use daira_server::http::HttpSettings;

use crate::harness::Stage;

/// What a store was seen doing.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Views open right now, and the most there were at once.
    pub open: AtomicUsize,
    pub most_open: AtomicUsize,
    /// Look-ups made through views.
    pub look_ups: AtomicUsize,
}

impl Seen {
    /// The look-ups since the last time this was asked.
    pub(crate) fn take(&self) -> usize {
        self.look_ups.swap(0, Ordering::SeqCst)
    }
}

/// Counts what is read through it.
pub(crate) struct Counting(pub(crate) Arc<dyn Store>, pub(crate) Arc<Seen>);

struct CountingView(Box<dyn ReadView>, Arc<Seen>);

impl Drop for CountingView {
    fn drop(&mut self) {
        self.1.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Counting {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        self.0.begin(actor).await
    }
    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        let view = self.0.read(actor, access).await?;
        let open = self.1.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.most_open.fetch_max(open, Ordering::SeqCst);
        Ok(Box::new(CountingView(view, Arc::clone(&self.1))))
    }
    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}

macro_rules! counted {
    ($($name:ident: $reads:ident;)*) => {$(
        fn $name(&mut self) -> &mut dyn $reads {
            self.1.look_ups.fetch_add(1, Ordering::SeqCst);
            self.0.$name()
        }
    )*};
}

impl ReadView for CountingView {
    counted! {
        accounts: AccountReads;
        apps: AppReads;
        graph: GraphReads;
        posts: PostReads;
        comments: CommentReads;
        reactions: ReactionReads;
        media: MediaReads;
        notifications: NotificationReads;
        feed: FeedReads;
        search: SearchReads;
        staff: StaffReads;
    }
}

/// What a troubled store does when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Hang,
    Fail,
    Panic,
}

/// In trouble once told so.
pub(crate) struct Troubled {
    pub store: Arc<dyn Store>,
    pub trouble: Trouble,
    pub begun: Arc<AtomicBool>,
    /// How many reads were begun and given up.
    pub given_up: Arc<AtomicUsize>,
}

struct GivenUp(Arc<AtomicUsize>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Troubled {
    async fn meet(&self) -> Result<()> {
        if !self.begun.load(Ordering::SeqCst) {
            return Ok(());
        }
        match self.trouble {
            Trouble::Hang => {
                let _given_up = GivenUp(Arc::clone(&self.given_up));
                std::future::pending().await
            }
            Trouble::Fail => {
                Err(Error::new(ErrorKind::Internal, "store.read")
                    .with_source("relation \"daira.secret\" does not exist"))
            }
            Trouble::Panic => panic!("a resolver panicked"),
        }
    }
}

#[async_trait]
impl Store for Troubled {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        self.store.begin(actor).await
    }
    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        self.meet().await?;
        self.store.read(actor, access).await
    }
    async fn ping(&self) -> Result<()> {
        self.meet().await?;
        self.store.ping().await
    }
}

/// A stage whose store is in trouble once told so.
pub(crate) struct Trap {
    pub stage: Stage,
    pub begun: Arc<AtomicBool>,
    pub given_up: Arc<AtomicUsize>,
}

/// A stage over such a store.
pub(crate) fn troubled(settings: HttpSettings, trouble: Trouble) -> Trap {
    let (begun, given_up) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let flags = (Arc::clone(&begun), Arc::clone(&given_up));
    let stage = Stage::over(settings, |store| Arc::new(Troubled { store, trouble, begun: flags.0, given_up: flags.1 }));
    Trap { stage, begun, given_up }
}
