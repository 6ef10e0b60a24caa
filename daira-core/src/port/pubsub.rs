//! What nodes tell each other at once, so that nobody waits for the next look at the truth.
//!
//! A message is a hint, never the truth: it may be lost, and whoever rests on it looks at the store from time to time as
//! well. What is known to be lost is told as a [`Heard::Gap`], after which the truth is looked at at once.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};

use crate::error::{Error, ErrorKind, Result};
use crate::id::ProfileId;

/// The largest message, in bytes.
pub const MAX_SIGNAL: usize = 4_096;

/// How long somebody who tells waits for it.
const HINT_WITHIN: Duration = Duration::from_millis(250);

/// What messages are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Topic {
    /// Sessions that have ended: their ids as big-endian 64-bit numbers.
    Sessions,
    /// There is something new for this profile to be notified of. The message is empty.
    Notifications(ProfileId),
    /// What is kept of the truth is so no more: the names of keys of the cache, a line each.
    Cache,
}

/// As adapters name it: letters, digits, `_` and a colon, at most 40 characters.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sessions => f.write_str("sessions"),
            Self::Cache => f.write_str("cache"),
            Self::Notifications(profile) => write!(f, "notifications:{profile}"),
        }
    }
}

/// As [`Display`](fmt::Display) writes it.
impl FromStr for Topic {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        let unknown = || Error::new(ErrorKind::Corrupt, "pubsub.topic");
        match name.split_once(':') {
            None if name == "sessions" => Ok(Self::Sessions),
            None if name == "cache" => Ok(Self::Cache),
            Some(("notifications", profile)) => profile.parse().map(Self::Notifications).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// What a listener hears next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message(Bytes),
    /// Messages may have been lost: the wire was cut, or the listener was too slow.
    Gap,
    /// Nothing, for as long as there was patience.
    Silence,
}

/// Gives a hint and waits no longer for it to be told than whoever needs it waits to look for themselves.
///
/// # Errors
/// When it was not told in time; nobody needs to try again.
pub(crate) async fn hint(pubsub: &dyn PubSub, messages: &[(Topic, Bytes)]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    match select(pubsub.publish(messages), futures_timer::Delay::new(HINT_WITHIN)).await {
        Either::Left((told, _)) => told,
        Either::Right(_) => Err(Error::new(ErrorKind::Unavailable, "pubsub.late")),
    }
}

/// Tells and hears what happens on any node.
#[async_trait]
pub trait PubSub: Send + Sync {
    /// Tells all listeners on all nodes. Messages of one caller about one topic arrive in order.
    ///
    /// # Errors
    /// When it cannot be told now; nobody needs to try again.
    async fn publish(&self, messages: &[(Topic, Bytes)]) -> Result<()>;
    /// Listens from now on: what is published after this returned is heard, or a gap. While nobody can be listened to, it
    /// works all the same and begins with a gap.
    async fn subscribe(&self, topic: Topic) -> Box<dyn Subscription>;
}

/// Somebody who listens, until dropped. What is not listened to in time is lost, and told as a gap.
#[async_trait]
pub trait Subscription: Send {
    /// What comes next; silence when nothing does for so long.
    async fn next(&mut self, patience: Duration) -> Heard;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn names_are_read_as_they_are_written() {
        for topic in [
            Topic::Sessions,
            Topic::Cache,
            Topic::Notifications(ProfileId::from_raw(7)),
            Topic::Notifications(ProfileId::from_raw(i64::MAX)),
        ] {
            let name = topic.to_string();
            assert!(
                name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:".contains(&b)),
                "{name}"
            );
            assert_eq!(name.parse::<Topic>().unwrap(), topic);
        }
        for wrong in ["", "session", "notifications", "notifications:", "notifications:pst_1", "sessions:"] {
            assert!(wrong.parse::<Topic>().is_err(), "{wrong}");
        }
    }
}
