//! What ties a reader to others, kept in the process: whom they follow, whose posts they are not shown, whom of the followed
//! one looks up, and how much they have to do with whom.
//!
//! Kept ties are never trusted for their age. They belong to a version, which Postgres draws anew in the transaction that changes
//! one of them; the statement that uses them compares it in its own snapshot, and reads them anew when it is another one.

use core::mem::size_of;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use daira_core::time::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Ties of which one list is as long as this are not kept: the lists are looked into instead.
pub(super) const MOST: i64 = 5_000;
/// Who was found to have more is asked about again after this.
const TOO_MANY_FOR: Duration = Duration::from_hours(1);
/// How many bytes a reader's ties are, usually.
const USUAL: u64 = 4 << 10;
/// What an entry of the cache takes beside its lists, roughly.
const OVERHEAD: usize = 256;

/// One reader's ties as of a version. Lists are in order, for binary search.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ties {
    pub(super) version: i64,
    pub(super) follows: Box<[i64]>,
    /// Those whom the reader blocks, and who block the reader.
    pub(super) blocked: Box<[i64]>,
    pub(super) muted: Box<[i64]>,
    /// Those of the followed whose posts are looked up.
    pub(super) pulled: Box<[i64]>,
    /// By author.
    pub(super) affinity: Box<[(i64, f64, Timestamp)]>,
}

impl Ties {
    pub(super) fn follows(&self, author: i64) -> bool {
        self.follows.binary_search(&author).is_ok()
    }

    pub(super) fn blocked(&self, author: i64) -> bool {
        self.blocked.binary_search(&author).is_ok()
    }

    pub(super) fn muted(&self, author: i64) -> bool {
        self.muted.binary_search(&author).is_ok()
    }

    /// The sum of interactions with an author, and when it was brought forward.
    pub(super) fn affinity(&self, author: i64) -> (f64, Timestamp) {
        let at = self.affinity.binary_search_by_key(&author, |(author, ..)| *author).ok();
        at.and_then(|at| self.affinity.get(at)).map_or((0.0, Timestamp::EPOCH), |(_, sum, at)| (*sum, *at))
    }

    fn bytes(&self) -> usize {
        let ids = self.follows.len() + self.blocked.len() + self.muted.len() + self.pulled.len();
        OVERHEAD + ids * size_of::<i64>() + self.affinity.len() * size_of::<(i64, f64, Timestamp)>()
    }
}

/// A list of ids in order.
pub(super) fn ordered(mut ids: Vec<i64>) -> Box<[i64]> {
    ids.sort_unstable();
    ids.into()
}

/// What is known of somebody's ties.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    Ties(Arc<Ties>),
    /// More than are kept, as was found then.
    TooMany(Instant),
}

impl Kept {
    /// What the statement is told: the version, or that it need not read whole lists.
    pub(super) fn version(&self) -> i64 {
        match self {
            Self::Ties(ties) => ties.version,
            Self::TooMany(_) => -1,
        }
    }
}

/// What is kept weighs its bytes.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Weighter<i64, Kept> for Bytes {
    fn weight(&self, _: &i64, kept: &Kept) -> u64 {
        let bytes = match kept {
            Kept::Ties(ties) => ties.bytes(),
            Kept::TooMany(_) => OVERHEAD,
        };
        bytes as u64
    }
}

/// The ties of those who read lately, within a bound of memory.
#[derive(Debug, Clone)]
pub(super) struct KeptTies(Arc<Cache<i64, Kept, Bytes>>);

impl KeptTies {
    /// At most so many bytes; zero keeps nothing.
    pub(super) fn new(bytes: u64) -> Self {
        Self(Arc::new(Cache::with_weighter(usize::try_from(bytes / USUAL).unwrap_or(usize::MAX), bytes, Bytes)))
    }

    pub(super) fn of(&self, profile: i64) -> Option<Kept> {
        self.0.get(&profile).filter(|kept| !matches!(kept, Kept::TooMany(since) if since.elapsed() > TOO_MANY_FOR))
    }

    pub(super) fn keep(&self, profile: i64, kept: Kept) {
        self.0.insert(profile, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_found_by_author() {
        let at = Timestamp::from_micros(7);
        let ties = Ties {
            follows: ordered(vec![5, 1, 3]),
            blocked: ordered(vec![9, 2]),
            muted: ordered(vec![8]),
            affinity: Box::new([(1, 0.5, at), (4, 2.0, at)]),
            ..Ties::default()
        };
        assert_eq!([1, 2, 3, 4, 5].map(|author| ties.follows(author)), [true, false, true, false, true]);
        assert_eq!([2, 8, 9].map(|author| ties.blocked(author)), [true, false, true]);
        assert_eq!([2, 8, 9].map(|author| ties.muted(author)), [false, true, false]);
        assert_eq!([1, 2, 4].map(|author| ties.affinity(author)), [(0.5, at), (0.0, Timestamp::EPOCH), (2.0, at)]);
    }

    #[test]
    fn memory_is_bounded() {
        let kept = KeptTies::new(64 * 1024);
        for profile in 0..100 {
            let follows = vec![0; 1_000].into();
            kept.keep(profile, Kept::Ties(Arc::new(Ties { follows, ..Ties::default() })));
        }
        assert!(kept.0.weight() <= 64 * 1024);
        assert!((1..=8).contains(&kept.0.len()), "{}", kept.0.len());

        let nothing = KeptTies::new(0);
        nothing.keep(1, Kept::TooMany(Instant::now()));
        assert!(nothing.of(1).is_none());
    }
}
