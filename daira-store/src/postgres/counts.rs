//! The counters of the newest posts, kept in the process: they rank every page and stand on its cards, and are the same for all
//! readers.
//!
//! Kept are those of all posts from some id on, so that a post without any is known to have none yet. Each row carries a
//! version: in whatever order answers come, the newest counters stay. Which changed is told along with what changed of
//! cards; see [`cards`](super::cards).

use core::mem::take;
use core::time::Duration;
use std::time::Instant;

use daira_core::id::IdMap;
use daira_core::port::store::Signals;

/// After a reading that failed, none begins for so long.
const REST: Duration = Duration::from_mins(1);

/// The counters of a post, and how often they changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) version: i64,
    pub(super) reactions: i64,
    pub(super) comments: i64,
    /// Only in steps: what lies between is not told.
    pub(super) impressions: i64,
}

impl Counts {
    /// Rows of counters: of each the post, the version, reactions, comments and impressions, eight bytes each.
    pub(super) fn unpacked(rows: &[u8]) -> impl Iterator<Item = (i64, Self)> {
        let (numbers, _) = rows.as_chunks();
        let (rows, _) = numbers.as_chunks();
        rows.iter().map(|row: &[[u8; 8]; 5]| {
            let [post, version, reactions, comments, impressions] = row.map(i64::from_be_bytes);
            (post, Self { version, reactions, comments, impressions: Signals::in_steps(impressions) })
        })
    }
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Nothing,
    /// What was told since the others are being read.
    Reading(IdMap<i64, Counts>),
    /// Of all posts from an id on.
    From(i64, IdMap<i64, Counts>),
}

/// The counters of about so many posts, and at most twice as many.
#[derive(Debug)]
pub(super) struct KeptCounts {
    most: usize,
    /// How often all began anew.
    turn: u64,
    /// When a reading failed last.
    failed: Option<Instant>,
    state: State,
}

/// Leave to read the counters of the newest posts, so many.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) most: usize,
    turn: u64,
}

impl KeptCounts {
    pub(super) fn new(most: usize) -> Self {
        Self { most, turn: 0, failed: None, state: State::Nothing }
    }

    /// From which post on all counters are kept, so that only their changes must be told; nothing when none ever will be.
    pub(super) fn from(&self) -> Option<i64> {
        match self.state {
            _ if self.most == 0 => None,
            State::From(from, _) => Some(from),
            State::Nothing | State::Reading(_) => Some(i64::MAX),
        }
    }

    /// Whoever gets this reads the counters, and then [`keeps`](Self::keep) them.
    pub(super) fn begin(&mut self) -> Option<Reading> {
        let rests = self.failed.is_some_and(|failed| failed.elapsed() < REST);
        let wanted = self.most > 0 && !rests && matches!(self.state, State::Nothing);
        wanted.then(|| {
            self.state = State::Reading(IdMap::default());
            Reading { most: self.most, turn: self.turn }
        })
    }

    /// Keeps the counters of the newest posts, as they were read at any time since the reading began.
    pub(super) fn keep(&mut self, reading: &Reading, mut kept: IdMap<i64, Counts>) {
        let current = self.turn == reading.turn;
        let State::Reading(told) = &mut self.state else { return };
        if !current {
            return;
        }
        let all = kept.len() < reading.most;
        let from = if all { i64::MIN } else { kept.keys().copied().min().unwrap_or(i64::MIN) };
        for (post, counts) in take(told) {
            change(&mut kept, post, counts);
        }
        self.state = State::From(from, kept);
    }

    /// Gives up a reading that failed.
    pub(super) fn give_up(&mut self, reading: &Reading) {
        if self.turn == reading.turn {
            self.failed = Some(Instant::now());
            self.forget_all();
        }
    }

    /// Takes what was told.
    pub(super) fn change(&mut self, told: impl IntoIterator<Item = (i64, Counts)>) {
        let (from, kept) = match &mut self.state {
            State::Nothing => return,
            State::Reading(kept) => (i64::MIN, kept),
            State::From(from, kept) => (*from, kept),
        };
        for (post, counts) in told.into_iter().filter(|(post, _)| *post >= from) {
            change(kept, post, counts);
        }
        if let State::From(from, kept) = &mut self.state
            && kept.len() > self.most.saturating_mul(2)
        {
            let mut posts: Vec<i64> = kept.keys().copied().collect();
            let older = posts.len() - self.most;
            *from = *posts.select_nth_unstable(older).1;
            kept.retain(|post, _| *post >= *from);
            kept.shrink_to_fit();
        }
    }

    /// Begins anew.
    pub(super) fn forget_all(&mut self) {
        self.turn += 1;
        self.state = State::Nothing;
    }

    /// Puts the counters that are kept to those that were looked up; whether all are known now.
    pub(super) fn complete(&self, posts: &[i64], asked_from: Option<i64>, counts: &mut IdMap<i64, Counts>) -> bool {
        let Some(asked_from) = asked_from else { return true };
        let mut missing = posts.iter().filter(|post| **post >= asked_from).peekable();
        let State::From(from, kept) = &self.state else { return missing.peek().is_none() };
        missing.all(|post| {
            if let Some(known) = kept.get(post) {
                counts.insert(*post, *known);
            }
            post >= from
        })
    }
}

/// Puts counters in the place of older ones.
fn change(kept: &mut IdMap<i64, Counts>, post: i64, counts: Counts) {
    let known = kept.entry(post).or_insert(counts);
    if known.version < counts.version {
        *known = counts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counters of a version: so many reactions.
    const fn at(version: i64) -> Counts {
        Counts { version, reactions: version, comments: 0, impressions: 0 }
    }

    /// The posts from 10 on are kept, two of them with counters.
    fn kept() -> KeptCounts {
        let mut counts = KeptCounts::new(2);
        assert_eq!(counts.from(), Some(i64::MAX));
        let reading = counts.begin().unwrap();
        counts.keep(&reading, [(20, at(1)), (10, at(1))].into_iter().collect());
        assert_eq!(counts.from(), Some(10));
        counts
    }

    /// What is known of some posts of which those from `asked_from` on were not looked up.
    fn known(counts: &KeptCounts, posts: &[i64], asked_from: Option<i64>) -> Option<Vec<(i64, i64)>> {
        let mut known = IdMap::default();
        let all = counts.complete(posts, asked_from, &mut known);
        let mut known: Vec<_> = known.iter().map(|(post, counts)| (*post, counts.version)).collect();
        known.sort_unstable();
        all.then_some(known)
    }

    #[test]
    fn of_posts_that_are_kept_all_is_known() {
        let counts = kept();
        assert_eq!(
            known(&counts, &[30, 20, 5], Some(10)),
            Some(vec![(20, 1)]),
            "the first has none, the last was looked up"
        );
        assert_eq!(known(&counts, &[30, 20, 5], Some(5)), None);
        assert_eq!(known(&counts, &[30, 20, 5], None), Some(Vec::new()), "all were");
    }

    #[test]
    fn the_newest_stay() {
        let mut counts = kept();
        counts.change([(20, at(3)), (15, at(1)), (5, at(9))]);
        counts.change([(20, at(2))]);
        assert_eq!(known(&counts, &[20, 15, 5], Some(10)), Some(vec![(15, 1), (20, 3)]));
    }

    #[test]
    fn what_is_told_while_others_are_read_counts() {
        let mut counts = KeptCounts::new(3);
        let reading = counts.begin().unwrap();
        assert!(counts.begin().is_none(), "one reads");
        assert_eq!(known(&counts, &[1], Some(1)), None);
        counts.change([(20, at(2)), (30, at(1)), (10, at(1))]);
        counts.keep(&reading, [(20, at(1)), (10, at(3))].into_iter().collect());
        assert_eq!(counts.from(), Some(i64::MIN), "these were all there are");
        assert_eq!(known(&counts, &[10, 20, 30, 40], Some(0)), Some(vec![(10, 3), (20, 2), (30, 1)]));
    }

    #[test]
    fn what_was_read_before_all_began_anew_is_dropped() {
        let mut counts = KeptCounts::new(3);
        let late = counts.begin().unwrap();
        counts.forget_all();
        counts.keep(&late, [(20, at(1))].into_iter().collect());
        assert_eq!(counts.from(), Some(i64::MAX));
        let reading = counts.begin().unwrap();
        counts.give_up(&late);
        counts.keep(&late, [(20, at(1))].into_iter().collect());
        assert_eq!(counts.from(), Some(i64::MAX));
        counts.give_up(&reading);
        assert!(counts.begin().is_none(), "not at once");
        counts.failed = counts.failed.and_then(|failed| failed.checked_sub(REST));
        assert!(counts.begin().is_some(), "another may");
    }

    #[test]
    fn older_ones_go() {
        let mut counts = kept();
        counts.change([(40, at(1)), (30, at(1))]);
        assert_eq!(counts.from(), Some(10));
        counts.change([(50, at(1))]);
        assert_eq!(counts.from(), Some(40));
        assert_eq!(known(&counts, &[50, 40], Some(40)), Some(vec![(40, 1), (50, 1)]));
        assert_eq!(known(&counts, &[50, 30], Some(10)), None, "asked when it was kept");
        let mut none = KeptCounts::new(0);
        assert_eq!(none.from(), None);
        assert!(none.begin().is_none());
    }

    #[test]
    fn rows_are_unpacked() {
        let bytes: Vec<u8> = [7_i64, 1, 2, 3, 47, 9, 1, 0, 0, 4].into_iter().flat_map(i64::to_be_bytes).collect();
        let of = |reactions, comments, impressions| Counts { version: 1, reactions, comments, impressions };
        assert_eq!(Counts::unpacked(&bytes).collect::<Vec<_>>(), [(7, of(2, 3, 40)), (9, of(0, 0, 0))]);
    }
}
