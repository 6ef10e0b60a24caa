//! Events: what happened, written in the transaction that made it happen.
//!
//! [`Event`] is one variant per message of `daira.event.v1`. A variant knows its CloudEvents type, its topic (one per
//! domain) and its key (the aggregate whose events stay in order). The payload is protobuf; the surroundings are
//! CloudEvents 1.0 in binary mode, see [`Envelope`]. Goldens of every stored form live in `tests/golden/events` and are
//! never edited: a reader of tomorrow must read what was written today.

mod envelope;

pub use envelope::Envelope;

use prost::Message;

use crate::error::{Error, ErrorKind, Result};
use crate::proto::event::v1;

/// How many lanes the log has; events of one key share a lane and stay in order.
pub const LANES: i16 = 16;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident: $topic:literal, $kind:literal, key = $key:ident;)*) => {
        /// One thing that happened.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$doc])* $name(v1::$name),)*
        }

        impl Event {
            /// Every type with its topic, in order of declaration.
            pub const TYPES: &'static [(&'static str, &'static str)] = &[$(($kind, $topic)),*];

            /// The CloudEvents type, for instance `daira.post.v1.created`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The topic it is published under.
            pub fn topic(&self) -> &'static str {
                match self { $(Self::$name(_) => $topic,)* }
            }

            /// The raw id of the aggregate it belongs to: events of one key stay in order.
            pub fn key(&self) -> i64 {
                match self { $(Self::$name(e) => e.$key,)* }
            }

            /// The protobuf payload.
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Self::$name(e) => e.encode_to_vec(),)* }
            }

            /// Reads a payload of a type.
            ///
            /// # Errors
            /// [`ErrorKind::Corrupt`] for a payload that is none, or a type that this version does not know.
            pub fn decode(kind: &str, payload: &[u8]) -> Result<Self> {
                match kind {
                    $($kind => v1::$name::decode(payload).map(Self::$name)
                        .map_err(|e| Error::new(ErrorKind::Corrupt, "event.decode").with_source(e)),)*
                    other => Err(Error::new(ErrorKind::Corrupt, "event.unknown_type").with_source(other.to_owned())),
                }
            }
        }

        $(impl From<v1::$name> for Event {
            fn from(event: v1::$name) -> Self { Self::$name(event) }
        })*
    };
}

events! {
    /// A registration waits for its e-mail to be verified.
    RegistrationOpened: "daira.account.v1", "daira.account.v1.registration_opened", key = registration_id;
    /// A profile was made.
    ProfileCreated: "daira.account.v1", "daira.account.v1.profile_created", key = profile_id;
    /// Something others see of a profile changed.
    ProfileChanged: "daira.account.v1", "daira.account.v1.profile_changed", key = profile_id;
    /// A session ended before its time.
    SessionRevoked: "daira.account.v1", "daira.account.v1.session_revoked", key = profile_id;
    /// Somebody follows somebody.
    Followed: "daira.graph.v1", "daira.graph.v1.followed", key = follower_id;
    /// A follow ended.
    Unfollowed: "daira.graph.v1", "daira.graph.v1.unfollowed", key = follower_id;
    /// Somebody asks to follow a private profile.
    FollowRequested: "daira.graph.v1", "daira.graph.v1.follow_requested", key = follower_id;
    /// Somebody shut somebody out.
    Blocked: "daira.graph.v1", "daira.graph.v1.blocked", key = blocker_id;
    /// A block was lifted.
    Unblocked: "daira.graph.v1", "daira.graph.v1.unblocked", key = blocker_id;
    /// Somebody is no longer in a circle.
    CircleMemberRemoved: "daira.graph.v1", "daira.graph.v1.circle_member_removed", key = circle_id;
    /// A post was published.
    PostCreated: "daira.post.v1", "daira.post.v1.created", key = post_id;
    /// A post was edited.
    PostEdited: "daira.post.v1", "daira.post.v1.edited", key = post_id;
    /// A post was deleted.
    PostDeleted: "daira.post.v1", "daira.post.v1.deleted", key = post_id;
    /// A deleted post is back.
    PostRestored: "daira.post.v1", "daira.post.v1.restored", key = post_id;
    /// A comment was written.
    CommentCreated: "daira.comment.v1", "daira.comment.v1.created", key = post_id;
    /// A comment was deleted.
    CommentDeleted: "daira.comment.v1", "daira.comment.v1.deleted", key = post_id;
    /// A reaction was given or changed.
    ReactionSet: "daira.reaction.v1", "daira.reaction.v1.set", key = by_id;
    /// A reaction was taken back.
    ReactionRemoved: "daira.reaction.v1", "daira.reaction.v1.removed", key = by_id;
    /// Pages of feeds were served.
    PagesServed: "daira.feed.v1", "daira.feed.v1.pages_served", key = batch_id;
    /// A mail is due.
    MailDue: "daira.account.v1", "daira.account.v1.mail_due", key = mailing_id;
    /// What an account may do changed by staff.
    AccountStateChanged: "daira.account.v1", "daira.account.v1.state_changed", key = account_id;
    /// Somebody became staff, or is no more.
    StaffRoleChanged: "daira.account.v1", "daira.account.v1.staff_role_changed", key = account_id;
    /// Staff took a post down.
    PostTakenDown: "daira.post.v1", "daira.post.v1.taken_down", key = post_id;
    /// A post that was taken down is back.
    PostPutBack: "daira.post.v1", "daira.post.v1.put_back", key = post_id;
    /// Staff took a comment down.
    CommentTakenDown: "daira.comment.v1", "daira.comment.v1.taken_down", key = post_id;
    /// A comment that was taken down is back.
    CommentPutBack: "daira.comment.v1", "daira.comment.v1.put_back", key = post_id;
    /// An app of somebody else's was let in.
    AppConnected: "daira.account.v1", "daira.account.v1.app_connected", key = profile_id;
    /// An app of somebody else's was shut out.
    AppDisconnected: "daira.account.v1", "daira.account.v1.app_disconnected", key = profile_id;
    /// Somebody logged in on a device that was not known.
    DeviceSeen: "daira.account.v1", "daira.account.v1.device_seen", key = profile_id;
    /// A profile is gone with everything of it, because its account was erased.
    ProfileErased: "daira.account.v1", "daira.account.v1.erased", key = profile_id;
}

/// The lane of a key: a fixed mix (the finaliser of `SplitMix64`), so that neighbouring ids spread.
pub fn lane(key: i64) -> i16 {
    let mut x = key.cast_unsigned();
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    i16::try_from(x % u64::from(LANES.unsigned_abs())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_belong_to_their_topic_and_are_distinct() {
        let mut kinds: Vec<_> = Event::TYPES.iter().map(|t| t.0).collect();
        assert!(Event::TYPES.iter().all(|(kind, topic)| kind.starts_with(&format!("{topic}."))));
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), Event::TYPES.len());
    }

    #[test]
    fn lanes_spread() {
        let mut seen = [0; LANES as usize];
        for key in 0..16_000 {
            seen[usize::try_from(lane(key)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|n| (800..1200).contains(n)), "{seen:?}");
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(Event::decode("daira.post.v1.created", &[0xff; 7]).is_err());
        assert!(Event::decode("daira.post.v9.created", &[]).is_err());
    }
}
