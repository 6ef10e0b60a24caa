//! Ranking: pure, without clock or store. [`score`] gives every candidate the parts of its score, [`place`] puts them in
//! order, adding the one part that depends on the neighbours.

mod place;
mod score;

pub use place::{Context, place};
pub use score::{Parts, score};

use daira_core::port::store::Candidate;

/// Which formula ranked a page; part of cursors and packed reasons. Raised when the meaning of a part changes.
pub const VERSION: u8 = 1;

/// A candidate with the parts of its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The candidate.
    pub candidate: Candidate,
    /// What its score is made of.
    pub parts: Parts,
}
