//! From what happened to who is told: pure, so that the consumer only has to store the answer.
//!
//! Nobody is told of what they did themselves, nobody twice of one thing. Whether the recipient blocks or mutes the person
//! acting is the store's to check when it inserts, and whether they may (still) see the thing when they read.

use super::{Notification, NotificationKind};
use crate::event::{Envelope, Event};
use crate::id::{CommentId, Id, PostId, ProfileId};
use crate::proto::event::v1;

/// The notifications that an event makes, at most one per recipient.
pub fn plan(envelope: &Envelope, event: &Event) -> Vec<Notification> {
    let told = |recipient: i64, actor: i64, kind| Notification {
        recipient: ProfileId::from_raw(recipient),
        kind,
        actor: ProfileId::from_raw(actor),
        post: None,
        comment: None,
        event: envelope.id,
        at: envelope.time,
    };
    let mentioned = |people: &[i64], author: i64, post: i64| -> Vec<Notification> {
        let about = Some(PostId::from_raw(post));
        let told =
            |recipient: &i64| Notification { post: about, ..told(*recipient, author, NotificationKind::Mentioned) };
        people.iter().map(told).collect()
    };
    let mut planned = match event {
        Event::Followed(e) if e.approved => vec![told(e.follower_id, e.followee_id, NotificationKind::FollowApproved)],
        Event::Followed(e) => vec![told(e.followee_id, e.follower_id, NotificationKind::Followed)],
        Event::FollowRequested(e) => vec![told(e.followee_id, e.follower_id, NotificationKind::FollowRequested)],
        Event::PostCreated(e) => mentioned(&e.mentioned_ids, e.author_id, e.post_id),
        Event::PostEdited(e) => mentioned(&e.newly_mentioned_ids, e.author_id, e.post_id),
        Event::CommentCreated(e) => {
            // The answered writer first: when both are one person, the answer is what they are told of.
            let mut planned = Vec::with_capacity(2);
            if e.parent_id != 0 {
                planned.push(told(e.parent_author_id, e.author_id, NotificationKind::Replied));
            }
            planned.push(told(e.post_author_id, e.author_id, NotificationKind::Commented));
            let (post, comment) = (Some(PostId::from_raw(e.post_id)), Some(CommentId::from_raw(e.comment_id)));
            for told in &mut planned {
                (told.post, told.comment) = (post, comment);
            }
            planned
        }
        // A changed mind is no news.
        Event::ReactionSet(e) if e.previous == 0 => {
            let (post, comment) = match e.target {
                Some(v1::reaction_set::Target::PostId(id)) => (Some(PostId::from_raw(id)), None),
                Some(v1::reaction_set::Target::CommentId(id)) => (None, Some(CommentId::from_raw(id))),
                None => return Vec::new(),
            };
            vec![Notification { post, comment, ..told(e.target_author_id, e.by_id, NotificationKind::Reacted) }]
        }
        _ => Vec::new(),
    };
    let mut seen = Vec::with_capacity(planned.len());
    planned.retain(|told| {
        let is_new = told.recipient != told.actor && !seen.contains(&told.recipient);
        seen.push(told.recipient);
        is_new
    });
    planned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;

    const ENVELOPE: Envelope = Envelope { id: 77, kind: "test", key: 1, time: Timestamp::from_seconds(5) };

    /// Recipient and kind of each.
    fn planned(event: impl Into<Event>) -> Vec<(i64, NotificationKind)> {
        plan(&ENVELOPE, &event.into()).iter().map(|told| (told.recipient.raw(), told.kind)).collect()
    }

    fn comment(author_id: i64, post_author_id: i64, parent: Option<i64>) -> v1::CommentCreated {
        v1::CommentCreated {
            comment_id: 500,
            post_id: 400,
            parent_id: parent.map_or(0, |_| 499),
            author_id,
            post_author_id,
            parent_author_id: parent.unwrap_or(0),
        }
    }

    #[test]
    fn follows_tell_the_other_side() {
        let follow = |approved| v1::Followed { follower_id: 1, followee_id: 2, at_micros: 0, approved };
        assert_eq!(planned(follow(false)), [(2, NotificationKind::Followed)]);
        assert_eq!(planned(follow(true)), [(1, NotificationKind::FollowApproved)]);
        let asked = v1::FollowRequested { follower_id: 1, followee_id: 2, at_micros: 0 };
        assert_eq!(planned(asked), [(2, NotificationKind::FollowRequested)]);
    }

    #[test]
    fn comments_tell_the_host_and_the_answered_once_each() {
        use NotificationKind::{Commented, Replied};
        assert_eq!(planned(comment(1, 2, None)), [(2, Commented)]);
        assert_eq!(planned(comment(1, 2, Some(3))), [(3, Replied), (2, Commented)]);
        assert_eq!(planned(comment(1, 2, Some(2))), [(2, Replied)], "one's comment under one's own post was answered");
        assert_eq!(planned(comment(2, 2, Some(3))), [(3, Replied)], "the host answers a guest");
        assert_eq!(planned(comment(1, 2, Some(1))), [(2, Commented)], "somebody answers themselves");
        assert_eq!(planned(comment(2, 2, None)), []);
        let told = plan(&ENVELOPE, &comment(1, 2, Some(3)).into());
        let about = |told: &Notification| (told.post, told.comment, told.event, told.at, told.actor);
        let expected =
            (Some(PostId::from_raw(400)), Some(CommentId::from_raw(500)), 77, ENVELOPE.time, ProfileId::from_raw(1));
        assert!(told.iter().all(|told| about(told) == expected), "{told:?}");
    }

    #[test]
    fn reactions_tell_the_maker_the_first_time() {
        use v1::reaction_set::Target::{CommentId as OnComment, PostId as OnPost};
        let react = |by_id, previous, target| v1::ReactionSet {
            by_id,
            target_author_id: 2,
            kind: 1,
            previous,
            at_micros: 0,
            target: Some(target),
        };
        assert_eq!(planned(react(1, 0, OnPost(9))), [(2, NotificationKind::Reacted)]);
        assert_eq!(planned(react(1, 3, OnPost(9))), []);
        assert_eq!(planned(react(2, 0, OnPost(9))), []);
        assert_eq!(planned(v1::ReactionSet { target: None, ..react(1, 0, OnPost(9)) }), []);
        let told = plan(&ENVELOPE, &react(1, 0, OnComment(8)).into());
        assert_eq!((told[0].post, told[0].comment), (None, Some(CommentId::from_raw(8))));
    }

    #[test]
    fn mentions_tell_the_mentioned_once() {
        use NotificationKind::Mentioned;
        let post = v1::PostCreated { post_id: 9, author_id: 1, mentioned_ids: vec![2, 1, 3, 2], ..Default::default() };
        assert_eq!(planned(post), [(2, Mentioned), (3, Mentioned)]);
        let edit = v1::PostEdited {
            post_id: 9,
            author_id: 1,
            newly_mentioned_ids: vec![4],
            visibility_changed: true,
            opened: 0,
        };
        assert_eq!(planned(edit), [(4, Mentioned)]);
    }

    #[test]
    fn other_events_tell_nobody() {
        assert_eq!(planned(v1::Unfollowed { follower_id: 1, followee_id: 2 }), []);
        assert_eq!(planned(v1::Blocked { blocker_id: 1, blocked_id: 2 }), []);
        assert_eq!(planned(v1::PostRestored { post_id: 9, author_id: 1, pull: true, open: true }), []);
    }

    proptest! {
        #[test]
        fn nobody_twice_and_nobody_of_oneself(author in 1..4_i64, host in 1..4_i64, parent in proptest::option::of(1..4_i64), people in proptest::collection::vec(1..6_i64, 0..8)) {
            let post = v1::PostCreated { post_id: 9, author_id: author, mentioned_ids: people, ..Default::default() };
            for event in [comment(author, host, parent).into(), Event::from(post)] {
                let told = plan(&ENVELOPE, &event);
                let mut recipients: Vec<_> = told.iter().map(|told| told.recipient).collect();
                prop_assert!(told.iter().all(|told| told.recipient != told.actor && told.actor.raw() == author));
                recipients.sort_unstable();
                recipients.dedup();
                prop_assert_eq!(recipients.len(), told.len());
            }
        }
    }
}
