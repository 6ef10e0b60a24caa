//! The numbers of the feed; the defaults are the product's rules.

use core::time::Duration;

/// Weights and bounds of ranking and paging.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FeedSettings {
    /// Weight of how close the reader is to the author.
    pub affinity: f64,
    /// Weight of how well the post does per impression.
    pub quality: f64,
    /// Weight of how young the post is.
    pub freshness: f64,
    /// Weight of how unlike the items already placed it is.
    pub diversity: f64,
    /// Weight of having been served before: seen items sink.
    pub seen: f64,
    /// Added for posts of the hours when people are on: evenings from 21:00 to 01:00 in Cairo, and Fridays.
    pub peak_prior: f64,
    /// After this long freshness has halved.
    pub freshness_half_life: Duration,
    /// After this long affinity has halved.
    pub affinity_half_life: Duration,
    /// No author twice within this many items.
    pub author_gap: usize,
    /// No kind of media more often than this in a row.
    pub kind_run: usize,
    /// How many candidates are ranked for a first page at least; a large page takes twice its size.
    pub first_candidates: u16,
    /// How many candidates a session's frozen list is made of.
    pub session_candidates: u16,
    /// How many of the best candidates compete for each place.
    pub contenders: usize,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            affinity: 0.35,
            quality: 0.35,
            freshness: 0.15,
            diversity: 0.10,
            seen: 0.25,
            peak_prior: 0.02,
            freshness_half_life: Duration::from_hours(6),
            affinity_half_life: Duration::from_hours(14 * 24),
            author_gap: 4,
            kind_run: 3,
            first_candidates: 64,
            session_candidates: 500,
            contenders: 100,
        }
    }
}
