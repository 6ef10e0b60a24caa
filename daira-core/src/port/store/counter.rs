//! Counters: views of the rows, kept by one consumer and proved by a reconciler.

use async_trait::async_trait;

use crate::error::Result;

/// What is counted. The number is stored; append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CounterField {
    /// Living posts of a profile.
    ProfilePosts,
    /// Followers of a profile.
    ProfileFollowers,
    /// Profiles that a profile follows.
    ProfileFollowing,
    /// Reactions to a post.
    PostReactions,
    /// Living comments under a post.
    PostComments,
    /// Times a post stood on a page served. No rows to recount: it is only ever added to.
    PostImpressions,
    /// Reactions to a comment.
    CommentReactions,
    /// Living direct answers to a comment.
    CommentReplies,
}

/// A change of one counter. `subject` is the raw id of the profile, post or comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterDelta {
    /// What is counted.
    pub field: CounterField,
    /// Raw id of what it is counted for.
    pub subject: i64,
    /// By how much.
    pub delta: i64,
}

/// What a step of the reconciler found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recount {
    /// How many subjects were compared.
    pub checked: u64,
    /// Counters that differed from the rows, with the correction that was applied.
    pub drift: Vec<CounterDelta>,
    /// Where the next step goes on; nothing at the end.
    pub next: Option<i64>,
}

/// Changes counters; all but [`value`](Self::value) is for the platform's own actors only.
#[async_trait]
pub trait CounterRepository: Send {
    /// The present value of one counter of a profile, zero when nothing was counted yet. Open to members: publishing asks
    /// for the author's followers. Nothing is locked.
    async fn value(&mut self, field: CounterField, subject: i64) -> Result<i64>;
    /// Adds deltas, already summed up per counter, in a fixed order so that batches never deadlock.
    async fn apply(&mut self, deltas: &[CounterDelta]) -> Result<()>;
    /// Compares counters of one field with the rows they count, `chunk` subjects after `from`, in one snapshot, and
    /// corrects those that are off. `pending` are deltas of events in that snapshot that the counting consumer has not
    /// applied yet: expected is rows − pending. The counting consumer stands still meanwhile (see the adapter).
    async fn recount(
        &mut self,
        field: CounterField,
        from: Option<i64>,
        chunk: u32,
        pending: &[CounterDelta],
    ) -> Result<Recount>;
    /// Removes counters of one field whose subjects are gone, among `chunk` of them after `from`: events that came after a
    /// subject went had them made once more. Answers where the next step goes on; nothing at the end. What is kept in one row
    /// with the field goes along.
    async fn forget(&mut self, field: CounterField, from: Option<i64>, chunk: u32) -> Result<Option<i64>>;
}
