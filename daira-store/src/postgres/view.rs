//! One read-only transaction as a read view: one snapshot for all it is asked. Its page queries are in `repo`.

use core::fmt;

use super::shared::Shared;
use super::wire::Wire;
use daira_core::actor::{Actor, Member};
use daira_core::id::ProfileId;
use daira_core::port::ReadView;
use daira_core::port::store::{
    AccountReads, AppReads, CommentReads, FeedReads, GraphReads, MediaReads, NotificationReads, PostReads,
    ReactionReads, SearchReads, StaffReads,
};

/// An open snapshot.
pub(crate) struct PgView {
    transaction: Wire,
    member: Option<Member>,
    pub(super) inbox_days: u16,
    pub(super) shared: Shared,
}

impl fmt::Debug for PgView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgView").field("member", &self.member).finish_non_exhaustive()
    }
}

impl PgView {
    pub(super) fn new(transaction: Wire, actor: &Actor, inbox_days: u16, shared: Shared) -> Self {
        Self { transaction, member: actor.member().ok().copied(), inbox_days, shared }
    }

    pub(super) fn connection(&mut self) -> &mut Wire {
        &mut self.transaction
    }

    /// The member who looks, if a member looks.
    pub(super) fn member(&self) -> Option<Member> {
        self.member
    }

    /// The profile that looks, if a member looks.
    pub(super) fn me(&self) -> Option<ProfileId> {
        self.member.map(|member| member.profile)
    }
}

impl ReadView for PgView {
    fn accounts(&mut self) -> &mut dyn AccountReads {
        self
    }
    fn apps(&mut self) -> &mut dyn AppReads {
        self
    }
    fn graph(&mut self) -> &mut dyn GraphReads {
        self
    }
    fn posts(&mut self) -> &mut dyn PostReads {
        self
    }
    fn comments(&mut self) -> &mut dyn CommentReads {
        self
    }
    fn reactions(&mut self) -> &mut dyn ReactionReads {
        self
    }
    fn media(&mut self) -> &mut dyn MediaReads {
        self
    }
    fn notifications(&mut self) -> &mut dyn NotificationReads {
        self
    }
    fn feed(&mut self) -> &mut dyn FeedReads {
        self
    }
    fn search(&mut self) -> &mut dyn SearchReads {
        self
    }
    fn staff(&mut self) -> &mut dyn StaffReads {
        self
    }
}
