//! Placing scored candidates: a greedy pass that prefers what is unlike its neighbours, under two spacing rules.
//!
//! For each place the best few remaining candidates compete with score plus diversity. The spacing rules are hard while
//! anybody can keep them; when nobody can (one author left, or words only) the best rule-breaker is taken, because a
//! short page would be worse.

use daira_core::id::{IdMap, ProfileId};
use daira_core::post::MediaKind;

use super::Ranked;
use crate::FeedSettings;

/// How alike two items by one author are, on a scale to 1.
const SAME_AUTHOR: f64 = 0.7;
/// How much the kinds of the last three items add to likeness when all are the candidate's own kind.
const SAME_KIND: f64 = 0.3;

/// For how many items an author makes the next one less new.
const REMEMBERED: usize = 20;

/// What was placed just before: the newest last. Pages of one list go on from each other's context.
#[derive(Debug, Clone, Default)]
pub struct Context {
    placed: Vec<(ProfileId, MediaKind)>,
}

impl Context {
    /// A context of items already shown, in their order.
    pub fn after(items: impl IntoIterator<Item = (ProfileId, MediaKind)>) -> Self {
        Self { placed: items.into_iter().collect() }
    }

    fn tail(&self, n: usize) -> impl Iterator<Item = &(ProfileId, MediaKind)> {
        self.placed.iter().rev().take(n)
    }

    fn kind_too_often(&self, kind: MediaKind, run: usize) -> bool {
        self.placed.len() >= run && self.tail(run).all(|(_, k)| *k == kind)
    }

    /// How alike an item of a kind is to the last three by its kind alone.
    fn likeness(&self, kind: MediaKind) -> f64 {
        let kinds = self.tail(3).filter(|(_, k)| *k == kind).count();
        #[expect(clippy::cast_precision_loss, reason = "at most three")]
        let kinds = kinds as f64;
        SAME_KIND * kinds / 3.0
    }
}

/// 1 − likeness to what was placed, from 0 to 1, by kind and for an author whose last item was so many items ago.
fn novelty(ago: Option<usize>, of_kind: f64) -> f64 {
    let author = if ago.is_some_and(|ago| ago <= REMEMBERED) { SAME_AUTHOR } else { 0.0 };
    1.0 - author - of_kind
}

/// Where each author was placed last. Authors get numbers, because each is looked at for every place.
#[derive(Default)]
struct Authors {
    numbers: IdMap<ProfileId, usize>,
    last: Vec<Option<usize>>,
}

impl Authors {
    fn number(&mut self, author: ProfileId) -> usize {
        let number = *self.numbers.entry(author).or_insert(self.last.len());
        if number == self.last.len() {
            self.last.push(None);
        }
        number
    }

    fn place(&mut self, number: usize, at: usize) {
        if let Some(last) = self.last.get_mut(number) {
            *last = Some(at);
        }
    }

    /// How many items before the place `at` the author had the last one; 1 is the one just before.
    fn ago(&self, number: usize, at: usize) -> Option<usize> {
        self.last.get(number).copied().flatten().map(|last| at - last)
    }
}

/// Takes candidates for `places` places out of the pool, in their order; the diversity part of each is set to what it was
/// when it was placed. Equal scores fall to the newer post, so that the order depends on the input's content alone.
pub fn place(pool: &mut Vec<Ranked>, places: usize, context: &mut Context, settings: &FeedSettings) -> Vec<Ranked> {
    // Worst first, so that the best sit at the end and taking one out moves little.
    pool.sort_unstable_by(|a, b| {
        a.parts.total().total_cmp(&b.parts.total()).then(a.candidate.post.cmp(&b.candidate.post))
    });
    let mut authors = Authors::default();
    for (at, (author, _)) in context.placed.iter().enumerate() {
        let number = authors.number(*author);
        authors.place(number, at);
    }
    let mut numbers: Vec<usize> = pool.iter().map(|ranked| authors.number(ranked.candidate.author)).collect();
    let mut out = Vec::with_capacity(places.min(pool.len()));
    while out.len() < places && !pool.is_empty() {
        let first = pool.len().saturating_sub(settings.contenders);
        // The same for all contenders of a kind.
        let about = |kind| (kind, context.kind_too_often(kind, settings.kind_run), context.likeness(kind));
        let mut known = about(MediaKind::Text);
        // Ranks rule-keepers above rule-breakers, then by score; breaking the author rule is the worse breach.
        let mut best: Option<(usize, (u8, f64))> = None;
        for (at, (author, ranked)) in numbers.iter().zip(&*pool).enumerate().skip(first).rev() {
            let ago = authors.ago(*author, context.placed.len());
            if known.0 != ranked.candidate.media {
                known = about(ranked.candidate.media);
            }
            let (_, too_often, of_kind) = known;
            let too_near = ago.is_some_and(|ago| ago < settings.author_gap);
            let keeps = match (too_near, too_often) {
                (false, false) => 2,
                (false, true) => 1,
                (true, _) => 0,
            };
            let total = ranked.parts.total() + settings.diversity * novelty(ago, of_kind);
            if best.is_none_or(|(_, (k, t))| keeps > k || (keeps == k && total > t)) {
                best = Some((at, (keeps, total)));
            }
        }
        let Some((at, _)) = best else { break };
        let (author, mut ranked) = (numbers.remove(at), pool.remove(at));
        let kind = ranked.candidate.media;
        let ago = authors.ago(author, context.placed.len());
        ranked.parts.diversity = settings.diversity * novelty(ago, context.likeness(kind));
        authors.place(author, context.placed.len());
        context.placed.push((ranked.candidate.author, kind));
        out.push(ranked);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rank::Parts;
    use daira_core::id::{Id, PostId};
    use daira_core::port::store::{Candidate, InboxReason, Signals};
    use daira_core::time::Timestamp;
    use proptest::prelude::*;

    fn ranked(post: i64, author: i64, image: bool, quality: f64) -> Ranked {
        let candidate = Candidate {
            post: PostId::from_raw(post),
            author: ProfileId::from_raw(author),
            reason: InboxReason::Follow,
            delivered_at: Timestamp::EPOCH,
            media: if image { MediaKind::Image } else { MediaKind::Text },
            signals: Signals::default(),
            along: None,
        };
        Ranked { candidate, parts: Parts { quality, ..Parts::default() } }
    }

    fn arb() -> impl Strategy<Value = Vec<Ranked>> {
        proptest::collection::vec((0..8i64, any::<bool>(), 0.0..0.35f64), 0..60)
            .prop_map(|v| v.into_iter().zip(1i64..).map(|((a, i, q), n)| ranked(n, a, i, q)).collect())
    }

    #[test]
    fn a_loud_author_does_not_fill_the_page() {
        let mut pool: Vec<_> = (1..=10).map(|n| ranked(n, 1, false, 0.35)).collect();
        pool.extend((11..=20).map(|n| ranked(n, n, true, 0.01)));
        let page = place(&mut pool, 10, &mut Context::default(), &FeedSettings::default());
        for window in page.windows(4) {
            let mut authors: Vec<_> = window.iter().map(|r| r.candidate.author).collect();
            authors.sort_unstable();
            authors.dedup();
            assert_eq!(authors.len(), 4);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled(mut pool in arb()) {
            let mut before: Vec<_> = pool.iter().map(|r| r.candidate.post).collect();
            let settings = FeedSettings::default();
            let mut after: Vec<_> = place(&mut pool, usize::MAX, &mut Context::default(), &settings).iter().map(|r| r.candidate.post).collect();
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after);
        }

        #[test]
        fn rules_break_only_when_nobody_keeps_them(mut pool in arb()) {
            let settings = FeedSettings::default();
            let order = place(&mut pool, usize::MAX, &mut Context::default(), &settings);
            for n in 0..order.len() {
                let context = Context::after(order[..n].iter().map(|r| (r.candidate.author, r.candidate.media)));
                let just_before = || context.tail(settings.author_gap - 1);
                let near = |r: &Ranked| just_before().any(|(author, _)| *author == r.candidate.author);
                let run = |r: &Ranked| context.kind_too_often(r.candidate.media, settings.kind_run);
                if near(&order[n]) {
                    prop_assert!(order[n..].iter().all(near));
                } else if run(&order[n]) {
                    prop_assert!(order[n..].iter().all(|r| near(r) || run(r)));
                }
            }
        }

        #[test]
        fn two_pages_are_one_long_page(mut pool in arb(), cut in 0..60usize) {
            let settings = FeedSettings { contenders: usize::MAX, ..FeedSettings::default() };
            let whole = place(&mut pool.clone(), usize::MAX, &mut Context::default(), &settings);
            let mut context = Context::default();
            let first = place(&mut pool, cut, &mut context, &settings);
            let second = place(&mut pool, usize::MAX, &mut context, &settings);
            prop_assert_eq!(whole, [first, second].concat());
        }
    }
}
