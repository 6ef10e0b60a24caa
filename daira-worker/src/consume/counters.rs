//! Counters and affinity: adds up what events say, once.
//!
//! Deltas of a batch are summed per counter and applied in one fixed order, so that two consumers never wait for each
//! other in a circle. The rows stay the truth: a job compares and corrects, see [`ReconcileCounters`](crate::job::ReconcileCounters).

use std::collections::BTreeMap;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::event::Event;
use daira_core::id::{Id, ProfileId};
use daira_core::port::store::{Affinity, CounterDelta, CounterField};
use daira_core::port::{Delivered, Group, UnitOfWork};
use daira_core::proto::event::v1;

use crate::runner::Consumer;

/// What a reaction adds to the affinity of a viewer for an author, before decay.
pub const AFFINITY_OF_REACTION: f64 = 0.15;
/// What a comment adds.
pub const AFFINITY_OF_COMMENT: f64 = 0.4;
/// What a follow adds.
pub const AFFINITY_OF_FOLLOW: f64 = 0.5;

/// Keeps counters and affinity.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters;

impl Counters {
    /// Its group.
    pub const GROUP: Group = Group {
        name: "counters",
        topics: &["daira.post.v1", "daira.graph.v1", "daira.comment.v1", "daira.reaction.v1", "daira.feed.v1"],
        rebuilds: true,
    };
}

/// What events change of counters, summed up, in a fixed order.
pub fn deltas(events: &[Delivered]) -> Vec<CounterDelta> {
    let mut sums: BTreeMap<(CounterField, i64), i64> = BTreeMap::new();
    let mut add = |field, subject: i64, delta: i64| {
        if subject != 0 {
            *sums.entry((field, subject)).or_default() += delta;
        }
    };
    for delivered in events {
        match &delivered.event {
            Event::PostCreated(e) => add(CounterField::ProfilePosts, e.author_id, i64::from(e.open)),
            Event::PostEdited(e) => add(CounterField::ProfilePosts, e.author_id, e.opened.into()),
            Event::PostRestored(e) => add(CounterField::ProfilePosts, e.author_id, i64::from(e.open)),
            Event::PostDeleted(e) => add(CounterField::ProfilePosts, e.author_id, -i64::from(e.open)),
            Event::PostTakenDown(e) => add(CounterField::ProfilePosts, e.author_id, -i64::from(e.open)),
            Event::PostPutBack(e) => add(CounterField::ProfilePosts, e.author_id, i64::from(e.open)),
            Event::Followed(e) => {
                add(CounterField::ProfileFollowers, e.followee_id, 1);
                add(CounterField::ProfileFollowing, e.follower_id, 1);
            }
            Event::Unfollowed(e) => {
                add(CounterField::ProfileFollowers, e.followee_id, -1);
                add(CounterField::ProfileFollowing, e.follower_id, -1);
            }
            Event::CommentCreated(e) => {
                add(CounterField::PostComments, e.post_id, 1);
                add(CounterField::CommentReplies, e.parent_id, 1);
            }
            Event::CommentPutBack(e) => {
                add(CounterField::PostComments, e.post_id, 1);
                add(CounterField::CommentReplies, e.parent_id, 1);
            }
            Event::CommentDeleted(v1::CommentDeleted { post_id, parent_id, uncounted: false, .. })
            | Event::CommentTakenDown(v1::CommentTakenDown { post_id, parent_id, .. }) => {
                add(CounterField::PostComments, *post_id, -1);
                add(CounterField::CommentReplies, *parent_id, -1);
            }
            Event::ReactionSet(e) if e.previous == 0 => match e.target {
                Some(v1::reaction_set::Target::PostId(id)) => add(CounterField::PostReactions, id, 1),
                Some(v1::reaction_set::Target::CommentId(id)) => add(CounterField::CommentReactions, id, 1),
                None => {}
            },
            Event::ReactionRemoved(e) => match e.target {
                Some(v1::reaction_removed::Target::PostId(id)) => add(CounterField::PostReactions, id, -1),
                Some(v1::reaction_removed::Target::CommentId(id)) => add(CounterField::CommentReactions, id, -1),
                None => {}
            },
            Event::PagesServed(e) => {
                for impression in &e.impressions {
                    add(CounterField::PostImpressions, impression.post_id, impression.count);
                }
            }
            _ => {}
        }
    }
    let changed = sums.into_iter().filter(|(_, delta)| *delta != 0);
    changed.map(|((field, subject), delta)| CounterDelta { field, subject, delta }).collect()
}

/// What events add to the affinity of viewers for authors, each pair once.
fn affinities(events: &[Delivered]) -> Vec<(ProfileId, ProfileId, Affinity)> {
    let mut sums: BTreeMap<(i64, i64), Affinity> = BTreeMap::new();
    for delivered in events {
        let (viewer, author, weight) = match &delivered.event {
            Event::Followed(e) => (e.follower_id, e.followee_id, AFFINITY_OF_FOLLOW),
            Event::CommentCreated(e) => (e.author_id, e.post_author_id, AFFINITY_OF_COMMENT),
            Event::ReactionSet(e) if e.previous == 0 => (e.by_id, e.target_author_id, AFFINITY_OF_REACTION),
            _ => continue,
        };
        if viewer != author {
            let more = Affinity { sum: weight, at: delivered.envelope.time };
            sums.entry((viewer, author)).and_modify(|sum| *sum = sum.plus(more)).or_insert(more);
        }
    }
    let pair = |((viewer, author), sum)| (ProfileId::from_raw(viewer), ProfileId::from_raw(author), sum);
    sums.into_iter().map(pair).collect()
}

#[async_trait]
impl Consumer for Counters {
    fn group(&self) -> Group {
        Self::GROUP
    }

    async fn apply(&self, events: &[Delivered], unit: &mut dyn UnitOfWork) -> Result<()> {
        let deltas = deltas(events);
        if !deltas.is_empty() {
            unit.counters().apply(&deltas).await?;
        }
        let affinities = affinities(events);
        if !affinities.is_empty() {
            unit.feed().add_affinity(&affinities).await?;
        }
        Ok(())
    }

    /// The scheduled reconciliation corrects what was missed; nothing else is derived here but affinity, which decays.
    async fn rebuild(&self, ports: &daira_core::Ports) -> Result<()> {
        crate::job::reconcile(ports).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daira_core::event::Envelope;
    use daira_core::time::Timestamp;
    use proptest::prelude::*;

    fn delivered(id: i64, event: Event) -> Delivered {
        let envelope = Envelope { id, kind: event.kind(), key: event.key(), time: Timestamp::from_seconds(id) };
        Delivered { envelope, event, attempts: 0 }
    }

    fn follow(follower_id: i64, followee_id: i64) -> Event {
        v1::Followed { follower_id, followee_id, at_micros: 0, approved: false }.into()
    }

    #[test]
    fn a_follow_that_is_taken_back_changes_nothing() {
        let undone = v1::Unfollowed { follower_id: 1, followee_id: 2 }.into();
        assert!(deltas(&[delivered(1, follow(1, 2)), delivered(2, undone)]).is_empty());
    }

    #[test]
    fn how_a_batch_is_cut_does_not_change_an_affinity() {
        let fortnight = i64::try_from(Affinity::HALF_LIFE.as_secs()).unwrap();
        let (old, new) = (delivered(0, follow(1, 2)), delivered(fortnight, follow(1, 2)));
        let [(_, _, together)] = affinities(&[old, new])[..] else { panic!("one pair") };
        assert!((together.sum - 1.5 * AFFINITY_OF_FOLLOW).abs() < 1e-9, "half of the older is left: {together:?}");
    }

    #[test]
    fn a_changed_reaction_counts_once() {
        let set = |previous| v1::ReactionSet {
            by_id: 1,
            target: Some(v1::reaction_set::Target::PostId(9)),
            kind: 2,
            previous,
            ..Default::default()
        };
        let sum = deltas(&[delivered(1, set(0).into()), delivered(2, set(2).into())]);
        assert_eq!(sum, [CounterDelta { field: CounterField::PostReactions, subject: 9, delta: 1 }]);
    }

    proptest! {
        #[test]
        fn cutting_a_batch_anywhere_gives_the_same_sums(pairs in proptest::collection::vec((1..5i64, 1..5i64), 0..30), cut in any::<prop::sample::Index>()) {
            let events: Vec<_> = pairs.iter().zip(1..).map(|((a, b), id)| delivered(id, follow(*a, *b))).collect();
            let cut = if events.is_empty() { 0 } else { cut.index(events.len()) };
            let mut parts: BTreeMap<(CounterField, i64), i64> = BTreeMap::new();
            for d in deltas(&events[..cut]).into_iter().chain(deltas(&events[cut..])) {
                *parts.entry((d.field, d.subject)).or_default() += d.delta;
            }
            let whole: BTreeMap<_, _> = deltas(&events).into_iter().map(|d| ((d.field, d.subject), d.delta)).collect();
            prop_assert_eq!(parts, whole);
        }
    }
}
