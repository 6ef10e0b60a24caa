//! A store whose units wait for a turn before they commit, so that units race even where nothing ever waits.

use std::sync::Arc;

use async_trait::async_trait;

use super::yield_once;
use crate::actor::Actor;
use crate::error::Result;
use crate::port::store::{
    Access, AccountRepository, AppRepository, AuditRepository, BreachRepository, CommentRepository, ConsentRepository,
    CounterRepository, DeliveryRepository, ErasureRepository, ExportRepository, FactorRepository, FeedRepository,
    GraphRepository, Journal, MediaRepository, NotificationRepository, PhoneRepository, PostRepository,
    ReactionRepository, StaffRepository,
};
use crate::port::{Ports, ReadView, Store, UnitOfWork};

/// The same ports over a store that takes turns.
pub(crate) fn taking_turns(ports: &Ports) -> Ports {
    Ports { store: Arc::new(Turns(Arc::clone(&ports.store))), ..ports.clone() }
}

struct Turns(Arc<dyn Store>);

struct Turn(Box<dyn UnitOfWork>);

/// Hands accessors on to the unit inside.
macro_rules! hand_on {
    ($self:ident => $inner:expr; $($name:ident: $repository:ident),* $(,)?) => {
        $(fn $name(&mut $self) -> &mut dyn $repository {
            $inner.$name()
        })*
    };
}
pub(crate) use hand_on;

#[async_trait]
impl Store for Turns {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        let unit = self.0.begin(actor).await?;
        yield_once().await;
        Ok(Box::new(Turn(unit)))
    }

    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        self.0.read(actor, access).await
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}

#[async_trait]
impl UnitOfWork for Turn {
    hand_on!(self => self.0;
        accounts: AccountRepository, factors: FactorRepository, apps: AppRepository, deliveries: DeliveryRepository,
        phones: PhoneRepository,
        graph: GraphRepository, posts: PostRepository,
        comments: CommentRepository,
        reactions: ReactionRepository, media: MediaRepository, notifications: NotificationRepository,
        feed: FeedRepository, counters: CounterRepository, staff: StaffRepository, journal: Journal,
        consents: ConsentRepository, breaches: BreachRepository, audits: AuditRepository, exports: ExportRepository, erasures: ErasureRepository,
    );

    async fn commit(self: Box<Self>) -> Result<()> {
        yield_once().await;
        self.0.commit().await
    }
}
