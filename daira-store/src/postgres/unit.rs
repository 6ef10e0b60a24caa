//! One transaction as a unit of work. Its repositories are in `repo`, one file for each.

use core::fmt;

use async_trait::async_trait;
use daira_core::actor::Actor;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{AccountId, Id as _};
use daira_core::port::UnitOfWork;
use daira_core::port::store::{
    AccountRepository, AppRepository, AuditRepository, BreachRepository, CommentRepository, ConsentRepository,
    CounterRepository, DeliveryRepository, ErasureRepository, ExportRepository, FactorRepository, FeedRepository,
    GraphRepository, Journal, MediaRepository, NotificationRepository, PhoneRepository, PostRepository,
    ReactionRepository, StaffRepository,
};

use super::error::{commit_fault, fault};
use super::replica::Ended;
use super::wire::Wire;

/// An open transaction. Dropped, it rolls back.
pub(crate) struct PgUnit {
    transaction: Wire,
    actor: Actor,
    /// A statement failed, so the database rolls back whatever is asked of it; it would answer a commit without an error.
    broken: bool,
    /// Whose moment it is when this unit ends, where readers of a replica are told of it.
    ended: Option<Ended>,
    accounts: Vec<i64>,
}

impl fmt::Debug for PgUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgUnit").field("actor", &self.actor).field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl PgUnit {
    pub(super) fn new(transaction: Wire, actor: Actor, ended: Option<Ended>) -> Self {
        let accounts = actor.member().map(|member| member.account.raw()).into_iter().collect();
        Self { transaction, actor, broken: false, ended, accounts }
    }

    /// The unit writes what is an account's own, whoever asks for it.
    pub(super) fn is_for(&mut self, account: AccountId) {
        self.accounts.push(account.raw());
    }

    /// The connection, for one statement; its outcome goes through [`check`](Self::check).
    pub(super) fn connection(&mut self) -> &mut Wire {
        &mut self.transaction
    }

    pub(super) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Turns a statement's outcome into the kernel's, and remembers a failure.
    pub(super) fn check<T>(&mut self, operation: &'static str, outcome: sqlx::Result<T>) -> Result<T> {
        outcome.map_err(|error| {
            self.broken = true;
            fault(operation, error)
        })
    }

    /// For an update under a version: nothing changed means it was not the stored version any more.
    pub(super) fn check_version(
        &mut self,
        operation: &'static str,
        outcome: sqlx::Result<sqlx::postgres::PgQueryResult>,
    ) -> Result<()> {
        match self.check(operation, outcome)?.rows_affected() {
            0 => Err(Error::new(ErrorKind::Stale, operation)),
            _ => Ok(()),
        }
    }

    /// After a rollback to a savepoint the transaction can go on.
    pub(super) fn mended(&mut self) {
        self.broken = false;
    }

    /// Commits.
    pub(super) async fn finish(self) -> Result<()> {
        if self.broken {
            return Err(
                Error::new(ErrorKind::Internal, "store.commit").with_source("a statement of this unit failed before")
            );
        }
        // Noted when the commit was answered, failed or was given up: each time it may have happened.
        let _noted = Noted { ended: self.ended, accounts: self.accounts };
        self.transaction.commit().await.map_err(commit_fault)
    }
}

/// Notes on its way out that a unit of these accounts ended.
struct Noted {
    ended: Option<Ended>,
    accounts: Vec<i64>,
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(ended) = &self.ended {
            self.accounts.iter().for_each(|account| ended.note(*account));
        }
    }
}

#[async_trait]
impl UnitOfWork for PgUnit {
    fn accounts(&mut self) -> &mut dyn AccountRepository {
        self
    }
    fn factors(&mut self) -> &mut dyn FactorRepository {
        self
    }
    fn phones(&mut self) -> &mut dyn PhoneRepository {
        self
    }
    fn deliveries(&mut self) -> &mut dyn DeliveryRepository {
        self
    }
    fn apps(&mut self) -> &mut dyn AppRepository {
        self
    }
    fn graph(&mut self) -> &mut dyn GraphRepository {
        self
    }
    fn posts(&mut self) -> &mut dyn PostRepository {
        self
    }
    fn comments(&mut self) -> &mut dyn CommentRepository {
        self
    }
    fn reactions(&mut self) -> &mut dyn ReactionRepository {
        self
    }
    fn media(&mut self) -> &mut dyn MediaRepository {
        self
    }
    fn notifications(&mut self) -> &mut dyn NotificationRepository {
        self
    }
    fn feed(&mut self) -> &mut dyn FeedRepository {
        self
    }
    fn counters(&mut self) -> &mut dyn CounterRepository {
        self
    }
    fn staff(&mut self) -> &mut dyn StaffRepository {
        self
    }
    fn erasures(&mut self) -> &mut dyn ErasureRepository {
        self
    }
    fn consents(&mut self) -> &mut dyn ConsentRepository {
        self
    }
    fn breaches(&mut self) -> &mut dyn BreachRepository {
        self
    }
    fn exports(&mut self) -> &mut dyn ExportRepository {
        self
    }
    fn audits(&mut self) -> &mut dyn AuditRepository {
        self
    }
    fn journal(&mut self) -> &mut dyn Journal {
        self
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.finish().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.transaction.rollback().await.map_err(|e| fault("store.rollback", e))
    }
}
