//! What all readers share and a feed may know a moment late: the counters that rank a post, and what is popular now.
//!
//! Both are the same for every viewer, and both are views that a consumer keeps, so they lag behind the rows anyway. Held
//! for a bounded time, they spare every first page hundreds of look-ups. A first page also shows the counters that ranked it;
//! all other cards read them in their own snapshot.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use daira_core::id::IdMap;

use super::cards::KeptCards;
use super::config::PgStoreConfig;
use super::ties::KeptTies;

/// What ranks a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) reactions: i64,
    pub(super) comments: i64,
    pub(super) impressions: i64,
}

/// A post that many people like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Popular {
    pub(super) post: i64,
    pub(super) author: i64,
    pub(super) kind: i16,
}

/// Two generations of counters: nothing lives longer than the two together.
#[derive(Debug, Default)]
struct State {
    turned: Option<Instant>,
    young: IdMap<i64, Counts>,
    old: IdMap<i64, Counts>,
    popular: Option<(Instant, Arc<[Popular]>)>,
}

/// The shared knowledge of one store.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    state: Arc<Mutex<State>>,
    age: Duration,
    /// These two are as true as what is read.
    pub(super) ties: KeptTies,
    pub(super) cards: KeptCards,
}

impl Shared {
    /// Nothing yet, and room for as much as is configured.
    pub(super) fn new(config: &PgStoreConfig) -> Self {
        let (ties, cards) = (KeptTies::new(config.ties_bytes), KeptCards::new(config.cards_bytes));
        Self { state: Arc::default(), age: config.shared_age, ties, cards }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever a panicking thread left is still a set of true counters.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counters that are known, by post; those of the other posts are to be looked up.
    pub(super) fn known(&self, posts: &[i64]) -> (IdMap<i64, Counts>, Vec<i64>) {
        let (mut known, mut unknown) = (IdMap::default(), Vec::new());
        let mut state = self.lock();
        let now = Instant::now();
        if state.turned.is_none_or(|turned| now.duration_since(turned) >= self.age / 2) {
            // Both halves at once when nobody asked for long.
            let stale = state.turned.is_none_or(|turned| now.duration_since(turned) >= self.age);
            let young = core::mem::take(&mut state.young);
            state.old = if stale { IdMap::default() } else { young };
            state.turned = Some(now);
        }
        for post in posts {
            match state.young.get(post).or_else(|| state.old.get(post)) {
                Some(counts) => {
                    known.insert(*post, *counts);
                }
                None => unknown.push(*post),
            }
        }
        (known, unknown)
    }

    /// Remembers counters that were just looked up.
    pub(super) fn learn(&self, counts: impl IntoIterator<Item = (i64, Counts)>) {
        if !self.age.is_zero() {
            self.lock().young.extend(counts);
        }
    }

    /// What is popular, the most popular first, if that is known.
    pub(super) fn popular(&self) -> Option<Arc<[Popular]>> {
        let state = self.lock();
        let (at, popular) = state.popular.as_ref()?;
        (at.elapsed() < self.age).then(|| Arc::clone(popular))
    }

    /// Remembers what is popular.
    pub(super) fn learn_popular(&self, popular: &Arc<[Popular]>) {
        self.lock().popular = Some((Instant::now(), Arc::clone(popular)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Counts = Counts { reactions: 1, comments: 2, impressions: 3 };

    fn aged(shared_age: Duration) -> Shared {
        Shared::new(&PgStoreConfig { shared_age, ..PgStoreConfig::new("", "") })
    }

    #[test]
    fn nothing_outlives_its_age() {
        let shared = aged(Duration::from_millis(40));
        assert_eq!(shared.known(&[7]).1, [7]);
        shared.learn([(7, ONE)]);
        assert_eq!(shared.known(&[7, 8]), ([(7, ONE)].into_iter().collect(), vec![8]));
        let learned = Instant::now();
        // Asked for all the time, it still goes.
        while shared.known(&[7]).1.is_empty() {
            assert!(learned.elapsed() < Duration::from_millis(400), "it never goes");
            std::thread::sleep(Duration::from_millis(5));
        }
        let list: Arc<[Popular]> = Arc::new([Popular { post: 1, author: 2, kind: 0 }]);
        shared.learn_popular(&list);
        assert_eq!(shared.popular(), Some(list));
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(shared.popular(), None);
    }

    #[test]
    fn at_age_zero_nothing_is_remembered() {
        let shared = aged(Duration::ZERO);
        shared.known(&[7]);
        shared.learn([(7, ONE)]);
        assert_eq!(shared.known(&[7]).1, [7]);
        shared.learn_popular(&Arc::from([]));
        assert_eq!(shared.popular(), None);
    }
}
