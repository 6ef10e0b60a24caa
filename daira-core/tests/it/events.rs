//! Stored forms of events are for ever: what was written once must be read by every later version.

use daira_core::event::{Envelope, Event};
use daira_core::proto::event::v1::{self, reaction_removed, reaction_set};
use daira_core::time::Timestamp;
use data_encoding::HEXLOWER;

/// One line an event that was ever written: its type, and its payload in hexadecimal digits. Lines are added, never edited.
const GOLDENS: &str = include_str!("../golden/events/v1.txt");
/// The first instant of 2025, in microseconds.
const AT: i64 = 1_735_689_600_000_000;

/// Every event with something in every field, as the goldens have it.
fn samples() -> Vec<Event> {
    let (registration_id, profile_id, session_id, other, circle_id) = (11, 12, 13, 14, 15);
    let (post_id, comment_id, parent_id, parent_author_id, batch_id) = (16, 17, 18, 19, 20);
    let (follower_id, followee_id, blocker_id, blocked_id) = (profile_id, other, profile_id, other);
    let author_id = profile_id;
    vec![
        v1::RegistrationOpened { registration_id }.into(),
        v1::ProfileCreated { profile_id }.into(),
        v1::ProfileChanged { profile_id }.into(),
        v1::SessionRevoked { session_id, profile_id, reason: "reuse".to_owned() }.into(),
        v1::Followed { follower_id, followee_id, at_micros: AT, approved: true }.into(),
        v1::Unfollowed { follower_id, followee_id }.into(),
        v1::FollowRequested { follower_id, followee_id, at_micros: AT }.into(),
        v1::Blocked { blocker_id, blocked_id }.into(),
        v1::Unblocked { blocker_id, blocked_id }.into(),
        v1::CircleMemberRemoved { circle_id, owner_id: profile_id, member_id: other }.into(),
        v1::PostCreated { post_id, author_id, mentioned_ids: vec![other, 300], pull: true, open: true }.into(),
        v1::PostEdited { post_id, author_id, newly_mentioned_ids: vec![other], visibility_changed: true, opened: -1 }
            .into(),
        v1::PostDeleted { post_id, author_id, open: true }.into(),
        v1::PostRestored { post_id, author_id, pull: true, open: true }.into(),
        v1::CommentCreated {
            comment_id,
            post_id,
            parent_id,
            author_id: other,
            post_author_id: author_id,
            parent_author_id,
        }
        .into(),
        v1::CommentDeleted { comment_id, post_id, parent_id, author_id: other, uncounted: false }.into(),
        v1::ReactionSet {
            by_id: other,
            target: Some(reaction_set::Target::PostId(post_id)),
            target_author_id: author_id,
            kind: 3,
            previous: 1,
            at_micros: AT,
        }
        .into(),
        v1::ReactionRemoved {
            by_id: other,
            target: Some(reaction_removed::Target::CommentId(comment_id)),
            target_author_id: author_id,
            previous: 3,
        }
        .into(),
        v1::PagesServed {
            impressions: vec![v1::Impression { post_id, count: 5 }, v1::Impression { post_id: 300, count: 1 }],
            batch_id,
        }
        .into(),
        v1::MailDue { mailing_id: 21 }.into(),
        v1::AccountStateChanged {
            account_id: 22,
            state: "suspended".to_owned(),
            until_micros: AT,
            reason: "spam".to_owned(),
            at_micros: AT,
        }
        .into(),
        v1::StaffRoleChanged { account_id: 22, role: "moderator".to_owned(), at_micros: AT }.into(),
        v1::PostTakenDown { post_id, author_id, open: true }.into(),
        v1::PostPutBack { post_id, author_id, open: true }.into(),
        v1::CommentTakenDown { comment_id, post_id, parent_id, author_id: other }.into(),
        v1::CommentPutBack { comment_id, post_id, parent_id, author_id: other }.into(),
        v1::AppConnected { profile_id, app_id: 22 }.into(),
        v1::AppDisconnected { profile_id, app_id: 22 }.into(),
        v1::DeviceSeen { session_id, profile_id }.into(),
        v1::ProfileErased { profile_id, at_micros: AT }.into(),
    ]
}

#[test]
fn events_are_written_and_read_as_their_goldens_say() {
    let samples = samples();
    let kinds: Vec<&str> = samples.iter().map(Event::kind).collect();
    assert_eq!(kinds, Event::TYPES.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), "a sample of each type");
    let written: Vec<_> = samples.iter().map(|e| format!("{} {}", e.kind(), HEXLOWER.encode(&e.encode()))).collect();
    assert_eq!(written, GOLDENS.lines().collect::<Vec<_>>());
    for (line, sample) in GOLDENS.lines().zip(samples) {
        let (kind, payload) = line.split_once(' ').unwrap();
        assert_eq!(Event::decode(kind, &HEXLOWER.decode(payload.as_bytes()).unwrap()).unwrap(), sample);
    }
}

#[test]
fn the_envelope_is_cloudevents_in_binary_mode() {
    let time = Timestamp::from_micros(AT);
    let headers = Envelope { id: 7, kind: "daira.post.v1.created", key: 16, time }.headers();
    let shown: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        shown,
        [
            "ce_specversion: 1.0",
            "ce_id: 7",
            "ce_source: /daira",
            "ce_type: daira.post.v1.created",
            "ce_subject: 16",
            "ce_time: 2025-01-01T00:00:00Z",
            "content-type: application/protobuf",
        ]
    );
}
