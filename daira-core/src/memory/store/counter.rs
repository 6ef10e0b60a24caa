//! Counters in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::{ANSWERS, BY_AUTHOR, Counter, FROM, OF_POST, ON_TARGET, TO, target_key};
use super::world::World;
use crate::comment::Comment;
use crate::error::Result;
use crate::id::{CommentId, Id, PostId};
use crate::port::store::{CounterDelta, CounterField, CounterRepository, Recount};
use crate::post::Post;
use crate::reaction::Target;
use crate::staff;

impl World {
    fn add_to_counter(&mut self, delta: CounterDelta) -> Result<()> {
        let value = self.counter(delta.field, delta.subject) + delta.delta;
        self.counters.put(Counter { field: delta.field, subject: delta.subject, value }, "counter.apply").map(drop)
    }

    /// Whether a comment is counted.
    fn counts(&self, comment: &Comment) -> bool {
        comment.deleted_at.is_none() && !self.takedowns.has(&staff::Target::Comment(comment.id))
    }

    /// What a counter should be, by the rows; nothing for one that has none.
    fn counted(&self, field: CounterField, subject: i64) -> Option<i64> {
        let living = |rows: &mut dyn Iterator<Item = bool>| i64::try_from(rows.filter(|living| *living).count()).ok();
        match field {
            CounterField::ProfilePosts => {
                let down = |p: &Post| self.takedowns.has(&staff::Target::Post(p.id));
                let counts = |p: &Post| p.deleted_at.is_none() && p.visibility.is_open() && !down(p);
                living(&mut self.posts.by(BY_AUTHOR, (subject, 0)).map(counts))
            }
            CounterField::ProfileFollowers => Some(self.follows.count(TO, (subject, 0))),
            CounterField::ProfileFollowing => Some(self.follows.count(FROM, (subject, 0))),
            CounterField::PostReactions => {
                Some(self.reactions.count(ON_TARGET, target_key(Target::Post(PostId::from_raw(subject)))))
            }
            CounterField::PostComments => living(&mut self.comments.by(OF_POST, (subject, 0)).map(|c| self.counts(c))),
            CounterField::PostImpressions => None,
            CounterField::CommentReactions => {
                Some(self.reactions.count(ON_TARGET, target_key(Target::Comment(CommentId::from_raw(subject)))))
            }
            CounterField::CommentReplies => {
                let comment = self.comments.get(&CommentId::from_raw(subject))?;
                living(&mut self.comments.by(ANSWERS, (comment.post.raw(), subject)).map(|c| self.counts(c)))
            }
        }
    }

    /// The raw ids of what a field counts for.
    fn subjects(&self, field: CounterField) -> BTreeSet<i64> {
        match field {
            CounterField::ProfilePosts | CounterField::ProfileFollowers | CounterField::ProfileFollowing => {
                self.profiles.iter().map(|p| p.id.raw()).collect()
            }
            CounterField::PostReactions | CounterField::PostComments => self.posts.iter().map(|p| p.id.raw()).collect(),
            CounterField::CommentReactions | CounterField::CommentReplies => {
                self.comments.iter().map(|c| c.id.raw()).collect()
            }
            CounterField::PostImpressions => BTreeSet::new(),
        }
    }
}

#[async_trait]
impl CounterRepository for MemoryUnit {
    async fn value(&mut self, field: CounterField, subject: i64) -> Result<i64> {
        Ok(self.world.counter(field, subject))
    }

    async fn apply(&mut self, deltas: &[CounterDelta]) -> Result<()> {
        self.platform_only()?;
        deltas.iter().try_for_each(|delta| self.change().add_to_counter(*delta))
    }

    async fn recount(
        &mut self,
        field: CounterField,
        from: Option<i64>,
        chunk: u32,
        pending: &[CounterDelta],
    ) -> Result<Recount> {
        self.platform_only()?;
        let after = |subject: &i64| from.is_none_or(|from| *subject > from);
        let mut subjects: Vec<i64> = self.world.subjects(field).into_iter().filter(after).collect();
        let more = subjects.len() > chunk as usize;
        subjects.truncate(chunk as usize);
        let mut drift = Vec::new();
        for subject in &subjects {
            let Some(rows) = self.world.counted(field, *subject) else { continue };
            let waiting: i64 =
                pending.iter().filter(|p| p.field == field && p.subject == *subject).map(|p| p.delta).sum();
            let delta = rows - waiting - self.world.counter(field, *subject);
            if delta != 0 {
                drift.push(CounterDelta { field, subject: *subject, delta });
            }
        }
        drift.iter().try_for_each(|delta| self.change().add_to_counter(*delta))?;
        Ok(Recount { checked: subjects.len() as u64, drift, next: subjects.last().copied().filter(|_| more) })
    }

    async fn forget(&mut self, field: CounterField, _: Option<i64>, _: u32) -> Result<Option<i64>> {
        self.platform_only()?;
        let of = if field == CounterField::PostImpressions { CounterField::PostReactions } else { field };
        let there = self.world.subjects(of);
        self.change().counters.take(usize::MAX, |c| c.field == field && !there.contains(&c.subject));
        Ok(None)
    }
}
