//! Where a feed's posts come from, as one statement: the inbox, authors that are looked up, and the reader's own posts,
//! with everything about their authors that decides whether they may stand there, and what ranks them.
//!
//! The statement is the function `daira.home_sources`. It joins nothing: it takes the newest rows of each source, and answers
//! them and sets about their authors as arrays; putting them together here costs a few microseconds. The reader's [ties](Ties)
//! are kept from one time to the next, and read only when they have changed; of the [cards](super::super::cards) that are kept,
//! it tells which have, and of [counters](super::super::counts) what they are now. So the cost follows the size of the page, never that of
//! somebody's follow list. It says itself who asks, so it needs no transaction around it.
//!
//! An inbox row that came by a follow was visible when it was delivered. It still is when the follow stands, the author
//! stands, no block or mute lies between, and the post is not among those whose readers may have changed. Whatever else
//! there is (other reasons, changed posts) is checked one by one through the view `visible_post`. For a ranked feed, whether
//! author and post still stand is left to the cards of the few that are shown.

use std::sync::Arc;
use std::time::Instant;

use daira_core::actor::Member;
use daira_core::error::Result;
use daira_core::id::{Id, IdMap, IdSet, PostId, ProfileId};
use daira_core::port::store::{Along, Candidate, InboxReason, SEEN_PAGES, Signals};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::super::cards::UpTo;
use super::super::counts::Counts;
use super::super::error::{corrupt, fault};
use super::super::shared::Shared;
use super::super::ties::{Kept, MOST, Ties, ordered};
use super::super::view::PgView;
use super::rows::{instant, media_kind, reaction_kind, stored};

/// A post that stands in the reader's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) post: i64,
    pub(super) author: i64,
    pub(super) reason: InboxReason,
    pub(super) kind: i16,
    pub(super) at: OffsetDateTime,
}

/// Which posts are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// The smallest id.
    pub(super) from: i64,
    /// The id above the largest.
    pub(super) below: i64,
    /// Delivered at or before this instant, if that matters.
    pub(super) as_of: Option<OffsetDateTime>,
    /// How many are wanted.
    pub(super) wanted: usize,
    /// Since when pages that were served count as seen, when what ranks the posts is asked for, too.
    pub(super) ranked: Option<OffsetDateTime>,
}

impl Window {
    /// How many rows to take of each source at first. Most pass; some more are taken at once so that a second look is rare.
    pub(super) fn taken(&self) -> usize {
        self.wanted + self.wanted / 8 + 4
    }
}

/// What the statement answers: rows as parallel arrays, and sets about their posts and authors; nothing where there is
/// nothing.
#[derive(Debug, Default)]
pub(super) struct Answer {
    posts: Option<Vec<i64>>,
    authors: Option<Vec<i64>>,
    /// A row's source, reason and kind in one number.
    facts: Option<Vec<i16>>,
    /// When a row was delivered; nothing for the reader's own, which were there at once.
    times: Option<Vec<Option<OffsetDateTime>>>,
    /// Down to which id rows were looked for.
    since: i64,
    version: i64,
    /// Whether the sets of ties are complete: as they were kept when they are absent.
    whole: bool,
    follows: Option<Vec<i64>>,
    blocked: Option<Vec<i64>>,
    muted: Option<Vec<i64>>,
    pulled: Option<Vec<i64>>,
    close: Option<Vec<i64>>,
    sums: Option<Vec<f64>>,
    sums_at: Option<Vec<OffsetDateTime>>,
    hidden: Option<Vec<i64>>,
    changed: Option<Vec<i64>>,
    visible: Option<Vec<i64>>,
    in_circle: Option<Vec<bool>>,
    mentioned: Option<Vec<bool>>,
    counts: Option<Vec<u8>>,
    seen: Option<Vec<u8>>,
    /// The reader's reactions to posts of the window.
    reacted: Option<Vec<u8>>,
    /// Posts and profiles that changed since the snapshot told, unless they are too many.
    stale: Option<Vec<i64>>,
    snapshot: Option<String>,
    server: Option<OffsetDateTime>,
}

/// What ranks posts: their counters, how much the reader has to do with their authors, and how often they were lately served
/// to the reader. And how the reader reacted, if that was asked for.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) counts: IdMap<i64, Counts>,
    pub(super) ties: Arc<Ties>,
    pub(super) seen: Seen,
    pub(super) reacted: Option<IdMap<i64, i16>>,
}

/// Posts that stand in the reader's feed, with what was asked for along with them.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) sources: Vec<Source>,
    pub(super) known: Known,
}

/// An answer with the counters and ties that are relied on.
#[derive(Debug)]
pub(super) struct Looked {
    answer: Answer,
    counts: IdMap<i64, Counts>,
    ties: Arc<Ties>,
}

/// From where a row came: its branch of the statement.
const INBOX: i16 = 1;
const OWN: i16 = 2;

/// The source, the reason and the kind in a row's facts.
const fn taken_apart(facts: i16) -> (i16, i16, i16) {
    (facts >> 8, facts >> 4 & 15, facts & 15)
}

/// Asks for the newest rows of each of the reader's sources, for their ties unless those that are kept still stand, and when they
/// shall be ranked, which of the cards that are kept do not.
pub(super) async fn look<C>(
    connection: &mut C,
    me: Member,
    window: Window,
    taken: usize,
    shared: &Shared,
) -> sqlx::Result<Looked>
where
    for<'c> &'c mut C: PgExecutor<'c>,
{
    let profile = me.profile.raw();
    let known = shared.ties.of(profile);
    let pulled = match &known {
        Some(Kept::Ties(ties)) => Some(&*ties.pulled),
        Some(Kept::TooMany(_)) | None => None,
    };
    let (mut answer, counts) = loop {
        let told = window.ranked.and_then(|_| shared.cards.told());
        let mut answer = sqlx::query_as!(
            Answer,
            r#"select posts, authors, facts, times as "times: Vec<Option<OffsetDateTime>>", since as "since!",
                      version as "version!", whole as "whole!", follows, blocked, muted, pulled, close, sums, sums_at, hidden, changed,
                      visible, in_circle, mentioned, counts, seen, reacted, stale, snapshot, server
               from daira.home_sources($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"#,
            profile,
            me.account.raw(),
            window.from,
            window.below,
            window.as_of,
            i64::try_from(taken).unwrap_or(i64::MAX),
            window.ranked,
            i64::try_from(SEEN_PAGES).unwrap_or(i64::MAX),
            known.as_ref().map(Kept::version),
            pulled,
            MOST,
            told.as_ref().map(|told| &*told.up_to.snapshot),
            told.as_ref().and_then(|told| told.counts_from)
        )
        .fetch_one(&mut *connection)
        .await?;
        let mut counts: IdMap<i64, Counts> = Counts::unpacked(&take(&mut answer.counts)).collect();
        if let (Some(_), Some(server), Some(snapshot)) = (window.ranked, answer.server, answer.snapshot.take()) {
            let stale = answer.stale.take();
            shared.cards.catch_up(told.as_ref(), UpTo { server, snapshot }, stale.as_deref(), &counts);
        }
        let asked_from = told.and_then(|told| told.counts_from);
        if shared.cards.complete(answer.posts.as_deref().unwrap_or_default(), asked_from, &mut counts) {
            break (answer, counts);
        }
        // Counters that were kept when this was asked are no more.
    };
    let ties = match known {
        Some(Kept::Ties(ties)) if answer.whole && ties.version == answer.version => ties,
        _ => {
            let ties = Arc::new(answer.ties());
            shared.ties.keep(
                profile,
                if answer.whole { Kept::Ties(Arc::clone(&ties)) } else { Kept::TooMany(Instant::now()) },
            );
            ties
        }
    };
    Ok(Looked { answer, counts, ties })
}

impl PgView {
    /// The newest posts of the reader's sources, newest first, each once, at most as many as wanted.
    pub(super) async fn sources(&mut self, me: Member, window: Window) -> Result<Found> {
        let mut taken = window.taken();
        loop {
            let shared = self.shared.clone();
            let looked = look(self.connection(), me, window, taken, &shared).await;
            let looked = looked.map_err(|e| fault("feed.sources", e))?;
            if let Some(found) = looked.found(me.profile.raw(), window, taken)? {
                return Ok(found);
            }
            taken *= 4;
        }
    }
}

impl Known {
    /// A post of a feed with what ranks it.
    pub(super) fn candidate(&self, source: &Source) -> Result<Candidate> {
        let counts = self.counts.get(&source.post).copied().unwrap_or_default();
        let (affinity, affinity_at) = self.ties.affinity(source.author);
        let reaction = |reacted: &IdMap<i64, i16>| reacted.get(&source.post).copied().map(reaction_kind).transpose();
        let viewer_reaction = self.reacted.as_ref().map(reaction).transpose()?;
        Ok(Candidate {
            post: PostId::from_raw(source.post),
            author: ProfileId::from_raw(source.author),
            reason: source.reason,
            delivered_at: instant(source.at),
            media: media_kind(source.kind)?,
            signals: Signals {
                reactions: counts.reactions,
                comments: counts.comments,
                impressions: counts.impressions,
                affinity,
                affinity_at,
                seen: self.seen.times(source.post),
            },
            along: viewer_reaction.map(|viewer_reaction| Along { viewer_reaction }),
        })
    }
}

/// Rows that pass all that is known of their authors.
#[derive(Debug, Default)]
struct Candidates {
    certain: Vec<Source>,
    doubtful: Vec<Source>,
}

impl Looked {
    /// The newest posts that may stand in the feed, newest first, each once, at most as many as wanted; or nothing when more
    /// rows must be taken to know them all.
    pub(super) fn found(self, me: i64, window: Window, taken: usize) -> Result<Option<Found>> {
        let Self { mut answer, counts, ties } = self;
        let seen = Seen::of(answer.posts.as_deref().unwrap_or_default(), &take(&mut answer.seen));
        let reacted = window.ranked.map(|_| reactions(&take(&mut answer.reacted)));
        let visible = answer.visible();
        let (horizon, Candidates { certain: mut sources, doubtful }) =
            answer.candidates(&ties, me, window.from, taken)?;
        // The edge that a row came by must still be what makes the post visible.
        sources.extend(doubtful.into_iter().filter(|source| match (source.reason, visible.get(&source.post)) {
            (_, None) => false,
            (InboxReason::Circle, Some((in_circle, _))) => *in_circle,
            (InboxReason::Mention, Some((_, mentioned))) => *mentioned,
            (_, Some(_)) => true,
        }));
        sources.sort_unstable_by_key(|source| (core::cmp::Reverse(source.post), source.at, source.reason.code()));
        sources.dedup_by_key(|source| source.post);
        sources.truncate(window.wanted);
        let known = Known { counts, ties, seen, reacted };
        Ok((sources.len() == window.wanted || horizon == i64::MIN).then_some(Found { sources, known }))
    }
}

impl Answer {
    /// Those that were looked at one by one and are visible: whether a circle makes them so, and whether they mention the
    /// reader.
    fn visible(&mut self) -> IdMap<i64, (bool, bool)> {
        let whether = take(&mut self.in_circle).into_iter().zip(take(&mut self.mentioned));
        take(&mut self.visible).into_iter().zip(whether).collect()
    }

    fn ties(&mut self) -> Ties {
        let close = take(&mut self.close).into_iter().zip(take(&mut self.sums)).zip(take(&mut self.sums_at));
        let mut affinity: Box<[_]> = close.map(|((author, sum), at)| (author, sum, instant(at))).collect();
        affinity.sort_unstable_by_key(|(author, ..)| *author);
        Ties {
            version: self.version,
            follows: ordered(take(&mut self.follows)),
            blocked: ordered(take(&mut self.blocked)),
            muted: ordered(take(&mut self.muted)),
            pulled: take(&mut self.pulled).into(),
            affinity,
        }
    }

    /// Sorts the rows, and says down to which id they are complete: below the last row of a branch that gave as many as
    /// were taken, others may follow, and below the id down to which they were looked for, if that is not the window's.
    fn candidates(mut self, ties: &Ties, me: i64, from: i64, taken: usize) -> Result<(i64, Candidates)> {
        let set = |ids: &mut Option<Vec<i64>>| take(ids).into_iter().collect::<IdSet<i64>>();
        let (hidden, changed) = (set(&mut self.hidden), set(&mut self.changed));
        let (facts, posts) = (take(&mut self.facts), take(&mut self.posts));
        let mut branches: IdMap<i16, (usize, i64)> = IdMap::default();
        for (facts, post) in facts.iter().zip(&posts) {
            let (rows, last) = branches.entry(taken_apart(*facts).0).or_insert((0, i64::MAX));
            (*rows, *last) = (*rows + 1, (*last).min(*post));
        }
        let cut = branches.values().filter(|(rows, _)| *rows >= taken).map(|(_, last)| *last);
        let horizon = cut.chain((self.since > from).then_some(self.since)).max().unwrap_or(i64::MIN);
        let mut candidates = Candidates::default();
        let rows = facts.into_iter().zip(posts).zip(take(&mut self.authors)).zip(take(&mut self.times));
        for (((facts, post), author), at) in rows {
            let (origin, reason, kind) = taken_apart(facts);
            let barred = author != me && (hidden.contains(&author) || ties.blocked(author) || ties.muted(author));
            if post < horizon || barred {
                continue;
            }
            let reason = InboxReason::from_code(reason).ok_or_else(|| corrupt("feed.sources", reason.to_string()))?;
            let at = at.unwrap_or_else(|| stored(PostId::from_raw(post).at()));
            let source = Source { post, author, reason, kind, at };
            match (origin, reason) {
                (INBOX, InboxReason::Follow) if !ties.follows(author) => {}
                (INBOX, InboxReason::Follow) if !changed.contains(&post) => candidates.certain.push(source),
                (INBOX, _) => candidates.doubtful.push(source),
                // The tables of these two were read under row security just now: the class is decided.
                (OWN, _) | (_, InboxReason::Follow) => candidates.certain.push(source),
                _ => return Err(corrupt("feed.sources", origin.to_string())),
            }
        }
        Ok((horizon, candidates))
    }
}

/// Ids as pages that were served hold them: one after another, eight bytes each.
pub(super) fn packed(posts: impl Iterator<Item = PostId>) -> Vec<u8> {
    posts.flat_map(|post| post.raw().to_be_bytes()).collect()
}

/// Reactions by post: of each the post's id in eight bytes and the kind in two.
fn reactions(packed: &[u8]) -> IdMap<i64, i16> {
    let (all, _) = packed.as_chunks();
    let one = |[a, b, c, d, e, f, g, h, kind @ ..]: &[u8; 10]| {
        (i64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), i16::from_be_bytes(*kind))
    };
    all.iter().map(one).collect()
}

/// On how many of the pages that were served lately each of some posts was.
#[derive(Debug, Default)]
pub(super) struct Seen(IdMap<i64, u16>);

impl Seen {
    /// Counts the posts in [`packed`] pages; what else was on them does not matter.
    pub(super) fn of(posts: &[i64], pages: &[u8]) -> Self {
        let mut seen: IdMap<i64, u16> = posts.iter().map(|post| (*post, 0)).collect();
        let (ids, _) = pages.as_chunks();
        for id in ids {
            if let Some(times) = seen.get_mut(&i64::from_be_bytes(*id)) {
                *times = times.saturating_add(1);
            }
        }
        Self(seen)
    }

    fn times(&self, post: i64) -> u16 {
        self.0.get(&post).copied().unwrap_or_default()
    }
}

fn take<T>(list: &mut Option<Vec<T>>) -> Vec<T> {
    list.take().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: &[(i16, i64, i64, i16)]) -> Answer {
        let at = OffsetDateTime::UNIX_EPOCH;
        Answer {
            posts: Some(rows.iter().map(|r| r.1).collect()),
            authors: Some(rows.iter().map(|r| r.2).collect()),
            facts: Some(rows.iter().map(|r| r.0 << 8 | r.3 << 4).collect()),
            times: Some(vec![Some(at); rows.len()]),
            ..Answer::default()
        }
    }

    fn posts(sources: &[Source]) -> Vec<i64> {
        sources.iter().map(|s| s.post).collect()
    }

    #[test]
    fn rows_pass_by_what_is_known_of_their_authors() {
        let rows =
            [(1, 90, 1, 1), (1, 80, 2, 1), (1, 70, 3, 1), (1, 60, 4, 1), (1, 50, 5, 2), (2, 40, 9, 4), (3, 30, 6, 1)];
        let ties = Ties { follows: ordered(vec![1, 3, 4]), blocked: ordered(vec![6]), ..Ties::default() };
        let answer = Answer { hidden: Some(vec![3]), changed: Some(vec![60]), ..answer(&rows) };
        let (horizon, candidates) = answer.candidates(&ties, 9, 0, 10).unwrap();
        assert_eq!(horizon, i64::MIN);
        assert_eq!(posts(&candidates.certain), [90, 40]);
        assert_eq!(posts(&candidates.doubtful), [60, 50], "changed, or there for another reason");
    }

    #[test]
    fn below_a_branch_that_was_cut_nothing_is_complete() {
        let rows = [(1, 90, 1, 1), (1, 70, 1, 1), (2, 80, 9, 4), (2, 60, 9, 4)];
        let ties = Ties { follows: ordered(vec![1]), ..Ties::default() };
        let (horizon, candidates) = answer(&rows).candidates(&ties, 9, 0, 2).unwrap();
        assert_eq!((horizon, posts(&candidates.certain)), (70, vec![90, 70, 80]));
        let (horizon, _) = Answer { since: 75, ..answer(&rows) }.candidates(&ties, 9, 60, 3).unwrap();
        assert_eq!(horizon, 75, "nor below where the look ended");
    }

    #[test]
    fn packed_reactions_are_taken_apart() {
        let mut reacted = packed([7].map(PostId::from_raw).into_iter());
        reacted.extend([0, 5]);
        assert_eq!(reactions(&reacted), [(7, 5)].into_iter().collect());
    }

    #[test]
    fn seen_is_counted_for_the_posts_at_hand() {
        let pages = packed([5, 7, 5, 9, 5].map(PostId::from_raw).into_iter());
        let seen = Seen::of(&[7, 5, 3, 5], &pages);
        assert_eq!([3, 5, 7, 9].map(|post| seen.times(post)), [0, 3, 1, 0]);
    }
}
