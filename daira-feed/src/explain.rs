//! "Why this?": the parts of a score, packed into a few bytes when a page is served, and told in words when asked.
//!
//! What is told comes from the very numbers that ranked the item: source and parts are stored beside the page, and the
//! parts add up to the score (to 1e-6, being stored as 32-bit floats).

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::locale::Locale;
use daira_core::port::store::InboxReason;
use daira_core::time::Timestamp;

use crate::rank::{self, Parts, Ranked};

/// Smaller contributions are not worth a sentence.
const WORTH_TELLING: f64 = 0.01;

/// One part of a score, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartCode {
    /// How close the reader is to the author.
    Affinity,
    /// How well the post does per impression.
    Quality,
    /// How young it is.
    Freshness,
    /// How unlike its neighbours it is.
    Diversity,
    /// When it was published.
    Prior,
    /// That it was served before.
    Seen,
}

impl PartCode {
    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affinity => "affinity",
            Self::Quality => "quality",
            Self::Freshness => "freshness",
            Self::Diversity => "diversity",
            Self::Prior => "prior",
            Self::Seen => "seen",
        }
    }
}

/// Why an item stood on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// By what way it came in.
    pub source: InboxReason,
    /// What its score was made of.
    pub parts: Parts,
    /// When the page was served.
    pub served_at: Timestamp,
}

impl Why {
    /// All parts with their contribution to the score, the largest effect first.
    pub fn contributions(&self) -> Vec<(PartCode, f64)> {
        let p = &self.parts;
        let mut all = vec![
            (PartCode::Affinity, p.affinity),
            (PartCode::Quality, p.quality),
            (PartCode::Freshness, p.freshness),
            (PartCode::Diversity, p.diversity),
            (PartCode::Prior, p.prior),
            (PartCode::Seen, p.seen),
        ];
        all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        all
    }

    /// The sentences for people: how it came in, then every part worth telling, the largest effect first.
    pub fn sentences(&self, author: &str, locale: Locale) -> Vec<String> {
        let mut out = vec![source_text(self.source, author, locale)];
        for (code, by) in self.contributions() {
            if by.abs() >= WORTH_TELLING {
                out.push(part_text(code, author, locale));
            }
        }
        out
    }
}

/// Packs what ranked an item: formula version, source, six contributions.
pub fn pack(ranked: &Ranked) -> Vec<u8> {
    let p = &ranked.parts;
    let mut out = vec![rank::VERSION, ranked.candidate.reason.code().to_be_bytes()[1]];
    for part in [p.affinity, p.quality, p.freshness, p.diversity, p.prior, p.seen] {
        #[expect(clippy::cast_possible_truncation, reason = "six digits are enough to tell a reason")]
        out.extend_from_slice(&(part as f32).to_be_bytes());
    }
    out
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// [`ErrorKind::Corrupt`] for anything else.
pub fn unpack(bytes: &[u8], served_at: Timestamp) -> Result<Why> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "feed.unpack_reason");
    let (head, rest) = bytes.split_first_chunk::<2>().ok_or_else(corrupt)?;
    let [version, source] = *head;
    let floats: [[u8; 4]; 6] = rest.as_chunks::<4>().0.try_into().map_err(|_| corrupt())?;
    if version != rank::VERSION || rest.len() != 24 {
        return Err(corrupt());
    }
    let [affinity, quality, freshness, diversity, prior, seen] = floats.map(|f| f64::from(f32::from_be_bytes(f)));
    Ok(Why {
        source: InboxReason::from_code(i16::from(source)).ok_or_else(corrupt)?,
        parts: Parts { affinity, quality, freshness, diversity, prior, seen },
        served_at,
    })
}

fn source_text(source: InboxReason, author: &str, locale: Locale) -> String {
    match (source, locale) {
        (InboxReason::Mention, Locale::Ar) => format!("{author} عمل لك منشن"),
        (InboxReason::Mention, Locale::En) => format!("{author} mentioned you"),
        (InboxReason::Circle, Locale::Ar) => format!("{author} شاركه مع دايرة إنت فيها"),
        (InboxReason::Circle, Locale::En) => format!("{author} shared it with a circle you are in"),
        (InboxReason::Own, Locale::Ar) => "ده بوست من عندك".to_owned(),
        (InboxReason::Own, Locale::En) => "It is your own post".to_owned(),
        (InboxReason::Popular, Locale::Ar) => "ناس كتير متفاعلة معاه دلوقتي".to_owned(),
        (InboxReason::Popular, Locale::En) => "Many people are reacting to it now".to_owned(),
        (_, Locale::Ar) => format!("إنت متابع {author}"),
        (_, Locale::En) => format!("You follow {author}"),
    }
}

fn part_text(code: PartCode, author: &str, locale: Locale) -> String {
    match (code, locale) {
        (PartCode::Affinity, Locale::Ar) => format!("بتتفاعل كتير مع {author}"),
        (PartCode::Affinity, Locale::En) => format!("You often interact with {author}"),
        (PartCode::Quality, Locale::Ar) => "اللي بيشوفوه بيتفاعلوا معاه".to_owned(),
        (PartCode::Quality, Locale::En) => "People who see it react to it".to_owned(),
        (PartCode::Freshness, Locale::Ar) => "لسه جديد".to_owned(),
        (PartCode::Freshness, Locale::En) => "It is recent".to_owned(),
        (PartCode::Diversity, Locale::Ar) => "مختلف عن اللي حواليه".to_owned(),
        (PartCode::Diversity, Locale::En) => "It differs from what is around it".to_owned(),
        (PartCode::Prior, Locale::Ar) => "اتنشر في وقت الناس فيه موجودة".to_owned(),
        (PartCode::Prior, Locale::En) => "It was posted at a busy hour".to_owned(),
        (PartCode::Seen, Locale::Ar) => "شفته قبل كده، فنزل لتحت".to_owned(),
        (PartCode::Seen, Locale::En) => "You saw it before, so it sank".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daira_core::id::{Id, PostId, ProfileId};
    use daira_core::port::store::{Candidate, Signals};
    use daira_core::post::MediaKind;
    use proptest::prelude::*;

    fn ranked(parts: Parts, reason: InboxReason) -> Ranked {
        let candidate = Candidate {
            post: PostId::from_raw(1),
            author: ProfileId::from_raw(2),
            reason,
            delivered_at: Timestamp::EPOCH,
            media: MediaKind::Text,
            signals: Signals::default(),
            along: None,
        };
        Ranked { candidate, parts }
    }

    proptest! {
        #[test]
        fn what_is_told_adds_up_to_the_score(a in 0.0..0.35f64, q in 0.0..0.35f64, f in 0.0..0.15f64, d in 0.0..0.1f64, p in 0.0..0.02f64, s in -0.25..0.0f64) {
            let parts = Parts { affinity: a, quality: q, freshness: f, diversity: d, prior: p, seen: s };
            let why = unpack(&pack(&ranked(parts, InboxReason::Follow)), Timestamp::EPOCH).unwrap();
            let told: f64 = why.contributions().iter().map(|c| c.1).sum();
            prop_assert!((told - parts.total()).abs() < 1e-6);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = unpack(&bytes, Timestamp::EPOCH);
        }
    }

    #[test]
    fn both_languages_lead_with_the_source() {
        let parts = Parts { affinity: 0.3, quality: 0.001, ..Parts::default() };
        let why = unpack(&pack(&ranked(parts, InboxReason::Follow)), Timestamp::EPOCH).unwrap();
        assert_eq!(why.sentences("منى", Locale::Ar), ["إنت متابع منى", "بتتفاعل كتير مع منى"]);
        assert_eq!(why.sentences("Mona", Locale::En), ["You follow Mona", "You often interact with Mona"]);
    }
}
