//! What a client carries from one page of the home feed to the next.
//!
//! After a first page nothing is stored anywhere: the cursor itself carries the session, its instant and the ids served,
//! at most 100 × 8 bytes. When the second page is asked for, the list is frozen in the store and later cursors carry a
//! position only. Sealed by [`Cursors`], so that none can be made up.

use daira_core::error::{CommonRefusal, Error, Result};
use daira_core::id::{FeedSessionId, Id, PostId, ProfileId};
use daira_core::page::Cursors;
use daira_core::time::Timestamp;

use crate::rank;

/// A place in a feed session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCursor {
    /// The session.
    pub session: FeedSessionId,
    /// The instant whose candidates the session is made of.
    pub as_of: Timestamp,
    /// How far the reader has come in the list.
    pub position: u16,
    /// The ids of a first page that were served, in order; empty once the list is frozen.
    pub served: Vec<PostId>,
}

impl FeedCursor {
    /// The sealed text for one reader.
    pub fn seal(&self, cursors: &Cursors, reader: ProfileId) -> String {
        let mut bytes = Vec::with_capacity(19 + 8 * self.served.len());
        bytes.push(rank::VERSION);
        bytes.extend_from_slice(&self.session.raw().to_be_bytes());
        bytes.extend_from_slice(&self.as_of.as_micros().to_be_bytes());
        bytes.extend_from_slice(&self.position.to_be_bytes());
        for id in &self.served {
            bytes.extend_from_slice(&id.raw().to_be_bytes());
        }
        cursors.seal(&list(reader), &bytes)
    }

    /// Opens a sealed text of the same reader.
    ///
    /// # Errors
    /// [`CommonRefusal::Cursor`] for anything else, a cursor of an older ranker included.
    pub fn open(cursors: &Cursors, reader: ProfileId, text: &str) -> Result<Self> {
        let bytes = cursors.open(&list(reader), text)?;
        Self::parse(&bytes).ok_or_else(|| Error::from(CommonRefusal::Cursor).on_field("after"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<19>()?;
        let (version, head) = head.split_first()?;
        let (session, head) = head.split_first_chunk::<8>()?;
        let (as_of, head) = head.split_first_chunk::<8>()?;
        let position = u16::from_be_bytes(head.try_into().ok()?);
        if *version != rank::VERSION || rest.len() % 8 != 0 {
            return None;
        }
        let served = rest.as_chunks::<8>().0.iter().map(|id| PostId::from_raw(i64::from_be_bytes(*id))).collect();
        Some(Self {
            session: FeedSessionId::from_raw(i64::from_be_bytes(*session)),
            as_of: Timestamp::from_micros(i64::from_be_bytes(*as_of)),
            position,
            served,
        })
    }
}

fn list(reader: ProfileId) -> String {
    format!("home/{reader}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use daira_core::secret::Key;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_round_trip_for_their_reader_alone(session in 0..i64::MAX, as_of in 0..i64::MAX, position in any::<u16>(), served in proptest::collection::vec(0..i64::MAX, 0..100)) {
            let cursors = Cursors::new(Key::new([3; 32]));
            let cursor = FeedCursor {
                session: FeedSessionId::from_raw(session), as_of: Timestamp::from_micros(as_of), position,
                served: served.into_iter().map(PostId::from_raw).collect(),
            };
            let sealed = cursor.seal(&cursors, ProfileId::from_raw(1));
            prop_assert!(sealed.len() <= 1_200);
            prop_assert_eq!(FeedCursor::open(&cursors, ProfileId::from_raw(1), &sealed).unwrap(), cursor);
            prop_assert!(FeedCursor::open(&cursors, ProfileId::from_raw(2), &sealed).is_err());
        }
    }
}
