//! What all readers share: what is popular now, which a feed may know a moment late, and what is kept of ties, cards and counters,
//! which is as true as what is read.

use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::cards::KeptCards;
use super::config::PgStoreConfig;
use super::ties::KeptTies;

/// A post that many people like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Popular {
    pub(super) post: i64,
    pub(super) author: i64,
    pub(super) kind: i16,
}

/// The list of popular posts, and when it was made.
type Learned = (Instant, Arc<[Popular]>);

/// The shared knowledge of one store.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    popular: Arc<Mutex<Option<Learned>>>,
    age: Duration,
    pub(super) ties: KeptTies,
    pub(super) cards: KeptCards,
}

impl Shared {
    /// Nothing yet, and room for as much as is configured.
    pub(super) fn new(config: &PgStoreConfig) -> Self {
        Self {
            popular: Arc::default(),
            age: config.popular_age,
            ties: KeptTies::new(config.ties_bytes),
            cards: KeptCards::new(config.cards_bytes, config.counters_kept),
        }
    }

    /// Nothing, and no room: for a server whose snapshots are not brought together with those of the primary.
    pub(super) fn bare(config: &PgStoreConfig) -> Self {
        let (ties, cards) = (KeptTies::new(0), KeptCards::new(0, 0));
        Self { popular: Arc::default(), age: config.popular_age, ties, cards }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Learned>> {
        // Whatever a panicking thread left is a list or none.
        self.popular.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is popular, the most popular first, if that is known.
    pub(super) fn popular(&self) -> Option<Arc<[Popular]>> {
        let popular = self.lock();
        let (at, popular) = popular.as_ref()?;
        (at.elapsed() < self.age).then(|| Arc::clone(popular))
    }

    /// Remembers what is popular.
    pub(super) fn learn_popular(&self, popular: &Arc<[Popular]>) {
        *self.lock() = Some((Instant::now(), Arc::clone(popular)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_popular_does_not_outlive_its_age() {
        let list: Arc<[Popular]> = Arc::new([Popular { post: 1, author: 2, kind: 0 }]);
        for (popular_age, known) in [(Duration::ZERO, false), (Duration::from_hours(1), true)] {
            let shared = Shared::new(&PgStoreConfig { popular_age, ..PgStoreConfig::new("", "") });
            assert_eq!(shared.popular(), None);
            shared.learn_popular(&list);
            assert_eq!(shared.popular(), known.then(|| Arc::clone(&list)));
        }
    }
}
