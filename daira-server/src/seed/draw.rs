//! Randomness for the demo world: one seed in, the same draws out on every machine.
//!
//! Everything random passes through [`Draw`], a `ChaCha8` generator with one stream per purpose, so that adding a draw to
//! one part of the world leaves the other parts as they were. Only integer arithmetic and the exactly rounded
//! operations of IEEE 754 (`+ - * /` and `sqrt`) are used: no logarithm, no power, whose last bit depends on the
//! machine's mathematics library.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A part of the world that has its own stream of randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// Names, tastes and habits of the people.
    People,
    /// Who follows whom.
    Graph,
    /// Who posts what, and when.
    Posts,
    /// The wording of one post.
    Text(u32),
    /// The comments under one post.
    Comments(u32),
    /// The reactions to one post.
    Reactions(u32),
}

impl Stream {
    fn number(self) -> u64 {
        let (part, item) = match self {
            Self::People => (0, 0),
            Self::Graph => (1, 0),
            Self::Posts => (2, 0),
            Self::Text(post) => (3, post),
            Self::Comments(post) => (4, post),
            Self::Reactions(post) => (5, post),
        };
        (part << 32) | u64::from(item)
    }
}

/// A source of draws for one [`Stream`] of one seed.
#[derive(Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream.number());
        Self(rng)
    }

    /// A number in `0..bound`; 0 when the bound is 0. The bias of the multiplication is below 2⁻³² for our bounds.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * (bound as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `percent` times out of a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A number in `[0, 1)` with 32 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    /// One of `items`, each as likely as the other.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of `words`; empty when there are none.
    pub(crate) fn word<'a>(&mut self, words: &[&'a str]) -> &'a str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// Puts `items` in a random order (Fisher–Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A table from which an index is drawn in proportion to its weight.
#[derive(Debug)]
pub(crate) struct Weighted(Vec<usize>);

impl Weighted {
    pub(crate) fn new(weights: impl IntoIterator<Item = usize>) -> Self {
        let running = weights.into_iter().scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self(running.collect())
    }

    /// An index into the weights given; 0 when there are none.
    pub(crate) fn draw(&self, draw: &mut Draw) -> usize {
        let point = draw.below(self.0.last().copied().unwrap_or(0));
        self.0.partition_point(|&edge| edge <= point)
    }
}

/// An index as the 32-bit number that the plan stores.
///
/// Worlds are bounded far below 2³² people and posts; a larger index would saturate rather than wrap.
pub(crate) fn short(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A stored number as an index.
pub(crate) fn wide(index: u32) -> usize {
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_independent_and_repeat() {
        let first = |seed, stream| Draw::new(seed, stream).below(1_000_000);
        assert_eq!(first(7, Stream::Graph), first(7, Stream::Graph));
        assert_ne!(first(7, Stream::Graph), first(7, Stream::People));
        assert_ne!(first(7, Stream::Text(1)), first(7, Stream::Text(2)));
        assert_ne!(first(7, Stream::Graph), first(8, Stream::Graph));
    }

    #[test]
    fn a_weight_is_a_share() {
        let table = Weighted::new([0, 10, 0, 30]);
        let mut draw = Draw::new(1, Stream::Graph);
        let mut hits = [0; 4];
        for _ in 0..4_000 {
            hits[table.draw(&mut draw)] += 1;
        }
        assert_eq!((hits[0], hits[2]), (0, 0));
        assert!((900..1_100).contains(&hits[1]), "{hits:?}");
    }

    #[test]
    fn bounds_are_kept() {
        let mut draw = Draw::new(1, Stream::Graph);
        assert_eq!(draw.below(0), 0);
        assert!((0..1_000).all(|_| (3..=5).contains(&draw.between(3, 5))));
        assert!((0..1_000).all(|_| draw.unit() < 1.0));
        assert_eq!(draw.word(&[]), "");
    }
}
