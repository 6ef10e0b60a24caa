//! The score of one candidate for one reader.

use core::time::Duration;

use daira_core::id::Id;
use daira_core::port::store::{Candidate, Signals};
use daira_core::time::Timestamp;

use crate::FeedSettings;

/// Weight of a comment against a reaction in the engagement rate.
const COMMENT_WEIGHT: f64 = 3.0;
/// Impressions that a post is assumed to have had already: the smoothing of small numbers.
const PRIOR_IMPRESSIONS: f64 = 40.0;
/// Engagement per impression that a post is assumed to have had in them.
const PRIOR_RATE: f64 = 0.05;
/// The engagement rate at which quality is one half.
const HALF_QUALITY_RATE: f64 = 0.15;

/// The weighted parts of a score. Their sum is the score, exactly: nothing else enters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Parts {
    /// From how close the reader is to the author.
    pub affinity: f64,
    /// From how well the post does per impression.
    pub quality: f64,
    /// From how young it is.
    pub freshness: f64,
    /// From how unlike its neighbours it is; set when it is placed.
    pub diversity: f64,
    /// From the hour it was published.
    pub prior: f64,
    /// From having been served before; never positive.
    pub seen: f64,
}

impl Parts {
    /// The score.
    pub fn total(&self) -> f64 {
        self.affinity + self.quality + self.freshness + self.diversity + self.prior + self.seen
    }
}

/// Scores a candidate, all but its diversity. Decay is computed here, from stored facts that never age.
pub fn score(candidate: &Candidate, now: Timestamp, settings: &FeedSettings) -> Parts {
    let signals = &candidate.signals;
    let age = now.since(candidate.post.at());
    Parts {
        affinity: settings.affinity * affinity(signals, now, settings.affinity_half_life),
        quality: settings.quality * quality(signals),
        freshness: settings.freshness * halved(age, settings.freshness_half_life),
        diversity: 0.0,
        prior: if is_peak(candidate.post.at()) { settings.peak_prior } else { 0.0 },
        seen: -settings.seen * (1.0 - f64::exp2(-f64::from(signals.seen))),
    }
}

/// 1 − e^(−S), S being the interactions decayed to now: rises fast with the first ones, never passes 1.
fn affinity(signals: &Signals, now: Timestamp, half_life: Duration) -> f64 {
    let sum = signals.affinity.max(0.0) * halved(now.since(signals.affinity_at), half_life);
    1.0 - (-sum).exp()
}

/// Weighted engagement per impression, smoothed towards a prior, on a scale from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn quality(signals: &Signals) -> f64 {
    let engagement = signals.reactions.max(0) as f64 + COMMENT_WEIGHT * signals.comments.max(0) as f64;
    let rate = (engagement + PRIOR_RATE * PRIOR_IMPRESSIONS) / (signals.impressions.max(0) as f64 + PRIOR_IMPRESSIONS);
    rate / (rate + HALF_QUALITY_RATE)
}

/// 2^(−elapsed / half-life).
fn halved(elapsed: Duration, half_life: Duration) -> f64 {
    f64::exp2(-elapsed.as_secs_f64() / half_life.as_secs_f64().max(1.0))
}

/// Cairo's Egyptian Standard Time is UTC+2 and summer time one hour more; for a prior of two hundredths the difference
/// at the edges of the evening does not matter, and a table look-up per candidate would.
fn is_peak(at: Timestamp) -> bool {
    let local = at.as_seconds() + 2 * 3600;
    let hour = local.div_euclid(3600).rem_euclid(24);
    // The Unix epoch was a Thursday.
    let weekday = (local.div_euclid(86_400) + 4).rem_euclid(7);
    !(1..21).contains(&hour) || weekday == 5
}

#[cfg(test)]
mod tests {
    use super::*;
    use daira_core::id::{PostId, ProfileId, Shard, compose};
    use daira_core::port::store::InboxReason;
    use daira_core::post::MediaKind;
    use proptest::prelude::*;

    fn candidate(at: Timestamp, signals: Signals) -> Candidate {
        Candidate {
            post: PostId::from_raw(compose(at, Shard::from_random(0), 0)),
            author: ProfileId::from_raw(1),
            reason: InboxReason::Follow,
            delivered_at: at,
            media: MediaKind::Text,
            signals,
            along: None,
        }
    }

    const NOON: Timestamp = Timestamp::from_seconds(1_795_000_000);

    #[test]
    fn freshness_halves_every_six_hours() {
        let settings = FeedSettings::default();
        let young = score(&candidate(NOON, Signals::default()), NOON, &settings);
        let old = score(&candidate(NOON, Signals::default()), NOON + Duration::from_hours(6), &settings);
        assert!((young.freshness - 0.15).abs() < 1e-9 && (old.freshness - 0.075).abs() < 1e-9);
    }

    #[test]
    fn peak_is_the_evening_and_friday() {
        assert!(is_peak(Timestamp::parse("2026-11-23T20:00:00Z").unwrap()), "22:00 in Cairo");
        assert!(!is_peak(Timestamp::parse("2026-11-23T10:00:00Z").unwrap()), "Monday noon");
        assert!(is_peak(Timestamp::parse("2026-11-27T10:00:00Z").unwrap()), "Friday noon");
    }

    proptest! {
        #[test]
        fn parts_keep_their_bounds(r in 0..1_000_000i64, c in 0..1_000_000i64, i in 0..10_000_000i64, a in 0.0..500.0f64, seen in 0..50u16, age in 0..10_000_000u64) {
            let settings = FeedSettings::default();
            let signals = Signals { reactions: r, comments: c, impressions: i, affinity: a, affinity_at: NOON, seen };
            let parts = score(&candidate(NOON, signals), NOON + Duration::from_secs(age), &settings);
            prop_assert!((0.0..=0.35).contains(&parts.affinity) && (0.0..=0.35).contains(&parts.quality));
            prop_assert!((0.0..=0.15).contains(&parts.freshness) && (-0.25..=0.0).contains(&parts.seen));
        }

        #[test]
        fn more_engagement_never_ranks_lower(r in 0..10_000i64, c in 0..10_000i64, i in 0..100_000i64) {
            let q = |reactions, comments| quality(&Signals { reactions, comments, impressions: i, ..Signals::default() });
            prop_assert!(q(r + 1, c) >= q(r, c) && q(r, c + 1) >= q(r, c));
        }

        #[test]
        fn seen_items_sink(seen in 0..20u16) {
            let settings = FeedSettings::default();
            let at = |seen| score(&candidate(NOON, Signals { seen, ..Signals::default() }), NOON, &settings).total();
            prop_assert!(at(seen + 1) < at(seen));
        }
    }
}
