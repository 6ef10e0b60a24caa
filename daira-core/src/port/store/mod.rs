//! The relational truth as two ports: a [`UnitOfWork`] to change it, a [`ReadView`] to look at it.
//!
//! A unit is one transaction with small repositories: insert, lock and load, update with a version. Dropping it rolls
//! back. A read view is one connection and one snapshot for a whole request; page queries are its methods, so that a
//! request costs as few round trips as it can. Both are opened for an [`Actor`], which is what row security sees; there
//! is no other way to the data.
//!
//! What readers return is already filtered by the visibility policy; repositories return whatever row security lets
//! through, and the use case applies `policy.rs` itself. A reader that is asked for several ids answers each visible one
//! once. The platform's own actors see everything that is not deleted.
//!
//! Row security holds for writing too: a member writes only rows of their own, an anonymous actor only what says so. A
//! write that is not the actor's to make fails, or changes nothing and says so (`false`, `None`, `Stale`), whichever the
//! adapter can; it never succeeds. An id that is taken is [`ErrorKind::IdCollision`](crate::error::ErrorKind::IdCollision),
//! another unique key [`ErrorKind::Conflict`](crate::error::ErrorKind::Conflict) with the constraint's name.

mod account;
mod app;
mod audit;
mod breach;
mod comment;
mod consent;
mod counter;
mod delivery;
mod erasure;
mod export;
mod factor;
mod feed;
mod graph;
mod journal;
mod media;
mod notification;
mod phone;
mod post;
mod reaction;
mod search;
mod staff;

use async_trait::async_trait;

pub use account::{AccountReads, AccountRepository, HandleHolder};
pub use app::{AppReads, AppRepository};
pub use audit::AuditRepository;
pub use breach::BreachRepository;
pub use comment::{CommentReads, CommentRepository};
pub use consent::ConsentRepository;
pub use counter::{CounterDelta, CounterField, CounterRepository, Recount};
pub use delivery::DeliveryRepository;
pub use erasure::{Erased, ErasureRepository, Gone};
pub use export::ExportRepository;
pub use factor::FactorRepository;
pub use feed::{
    Affinity, Along, Candidate, DeliveredChunk, FeedReads, FeedRepository, InboxReason, OLDER_MAX, PageServed,
    SEEN_FOR, SEEN_PAGES, Signals,
};
pub use graph::{EdgeKey, GraphReads, GraphRepository};
pub use journal::{AuditRecord, Journal};
pub use media::{MediaReads, MediaRepository};
pub use notification::{NotificationReads, NotificationRepository};
pub use phone::PhoneRepository;
pub use post::{PostReads, PostRepository};
pub use reaction::{ReactionReads, ReactionRepository};
pub use search::SearchReads;
pub use staff::{StaffReads, StaffRepository};

use crate::actor::Actor;
use crate::error::Result;
use crate::id::{IdMap, PostId};
use crate::post::{PostCard, PostCounters};
use crate::time::Timestamp;

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Access {
    /// From the primary: sees every commit that was acknowledged before.
    #[default]
    Read,
    /// A replica will do: may lag behind by a moment.
    ReadStale,
}

/// How a row is locked while a unit decides on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lock {
    /// Not at all: for values that no decision rests on.
    #[default]
    None,
    /// Nobody may change it until the unit ends, others may rely on it too.
    Share,
    /// The unit is about to change it.
    Update,
}

/// The relational truth.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens a unit of work for an actor.
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>>;

    /// Opens a read view for an actor.
    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>>;

    /// What a view's [`candidates`](FeedReads::candidates) answers, from a snapshot of its own. For who asks for nothing else:
    /// an adapter may do with one round trip what takes three through a view.
    async fn candidates(&self, actor: &Actor, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>> {
        let mut view = self.read(actor, Access::Read).await?;
        view.feed().candidates(as_of, limit).await
    }

    /// The [`cards`](PostReads::cards) of candidates that were just found for the actor, likewise: as far as they may see them
    /// now or might when the candidates were found, for those that something was found [`along`](Candidate::along) with.
    /// Counters are those that ranked them.
    async fn cards(&self, actor: &Actor, of: &[Candidate]) -> Result<Vec<PostCard>> {
        let mut view = self.read(actor, Access::Read).await?;
        let ids: Vec<PostId> = of.iter().map(|candidate| candidate.post).collect();
        Ok(with_along(view.posts().cards(&ids).await?, of))
    }

    /// Whether the truth can be reached, for readiness; answers within a second.
    async fn ping(&self) -> Result<()>;
}

/// Cards with the counters of the candidates that they are of, and with what was found along with these.
pub fn with_along(mut cards: Vec<PostCard>, of: &[Candidate]) -> Vec<PostCard> {
    let candidates: IdMap<PostId, &Candidate> = of.iter().map(|candidate| (candidate.post, candidate)).collect();
    for card in &mut cards {
        if let Some(Candidate { signals, along, .. }) = candidates.get(&card.post.id) {
            card.counters = PostCounters { reactions: signals.reactions, comments: signals.comments };
            if let Some(along) = along {
                card.viewer_reaction = along.viewer_reaction;
            }
        }
    }
    cards
}

/// One transaction. Dropped without [`commit`](Self::commit), it rolls back.
#[async_trait]
pub trait UnitOfWork: Send {
    /// Accounts, profiles, handles, credentials, sessions.
    fn accounts(&mut self) -> &mut dyn AccountRepository;
    /// Second factors.
    fn factors(&mut self) -> &mut dyn FactorRepository;
    /// Phone numbers.
    fn phones(&mut self) -> &mut dyn PhoneRepository;
    /// What is to be delivered to people outside.
    fn deliveries(&mut self) -> &mut dyn DeliveryRepository;
    /// Apps of others, and what they were let do.
    fn apps(&mut self) -> &mut dyn AppRepository;
    /// Follows, requests, blocks, mutes, circles.
    fn graph(&mut self) -> &mut dyn GraphRepository;
    /// Posts, their history, tags and mentions.
    fn posts(&mut self) -> &mut dyn PostRepository;
    /// Comments.
    fn comments(&mut self) -> &mut dyn CommentRepository;
    /// Reactions.
    fn reactions(&mut self) -> &mut dyn ReactionRepository;
    /// Uploaded pictures.
    fn media(&mut self) -> &mut dyn MediaRepository;
    /// Notifications and read markers.
    fn notifications(&mut self) -> &mut dyn NotificationRepository;
    /// Inboxes, feed sessions, affinity, pages served.
    fn feed(&mut self) -> &mut dyn FeedRepository;
    /// Counters.
    fn counters(&mut self) -> &mut dyn CounterRepository;
    /// Staff, sanctions and takedowns.
    fn staff(&mut self) -> &mut dyn StaffRepository;
    /// Accounts that are to be erased.
    fn erasures(&mut self) -> &mut dyn ErasureRepository;
    /// What people consented to.
    fn consents(&mut self) -> &mut dyn ConsentRepository;
    /// Breaches.
    fn breaches(&mut self) -> &mut dyn BreachRepository;
    /// Exports on their way.
    fn exports(&mut self) -> &mut dyn ExportRepository;
    /// The audit trail as a chain.
    fn audits(&mut self) -> &mut dyn AuditRepository;
    /// The event log, idempotency keys and the audit trail.
    fn journal(&mut self) -> &mut dyn Journal;

    /// Makes everything durable at once.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`](crate::error::ErrorKind::Unknown) when the answer was lost.
    async fn commit(self: Box<Self>) -> Result<()>;

    /// Takes everything back, and waits until that is done: what it locked is free. Dropping a unit takes it back as well,
    /// at the store's leisure.
    async fn rollback(self: Box<Self>) -> Result<()> {
        drop(self);
        Ok(())
    }
}

/// One snapshot of the truth, as one actor may see it.
#[async_trait]
pub trait ReadView: Send {
    /// People.
    fn accounts(&mut self) -> &mut dyn AccountReads;
    /// Apps of others.
    fn apps(&mut self) -> &mut dyn AppReads;
    /// Edges between people.
    fn graph(&mut self) -> &mut dyn GraphReads;
    /// Posts.
    fn posts(&mut self) -> &mut dyn PostReads;
    /// Comments.
    fn comments(&mut self) -> &mut dyn CommentReads;
    /// Reactions.
    fn reactions(&mut self) -> &mut dyn ReactionReads;
    /// Pictures.
    fn media(&mut self) -> &mut dyn MediaReads;
    /// Notifications.
    fn notifications(&mut self) -> &mut dyn NotificationReads;
    /// Feeds.
    fn feed(&mut self) -> &mut dyn FeedReads;
    /// Prefix search over handles and tags.
    fn search(&mut self) -> &mut dyn SearchReads;
    /// What staff did.
    fn staff(&mut self) -> &mut dyn StaffReads;
}
