//! Where a feed's posts come from, as one statement: the inbox, authors that are looked up, and the reader's own posts,
//! with everything about their authors that decides whether they may stand there, and what ranks them.
//!
//! The statement is the function `daira.home_sources`. It joins nothing: it takes the newest rows of each source, and answers
//! them and small sets about exactly those posts and authors as arrays, each found by an array of keys in one index scan;
//! putting them together here costs a few microseconds. So the cost follows the size of the page, never that of somebody's
//! follow list. It says itself who asks, so it needs no transaction around it.
//!
//! An inbox row that came by a follow was visible when it was delivered. It still is when the follow stands, the author
//! stands, no block or mute lies between, and the post is not among those whose readers may have changed. Whatever
//! else there is (other reasons, changed posts) is checked one by one through the view `visible_post`.

use std::collections::{HashMap, HashSet};

use daira_core::actor::Member;
use daira_core::error::Result;
use daira_core::id::{Id, PostId, ProfileId};
use daira_core::port::store::{Candidate, InboxReason, SEEN_PAGES, Signals};
use daira_core::time::Timestamp;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::shared::Counts;
use super::super::view::PgView;
use super::rows::{instant, media_kind, stored};

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
    origins: Option<Vec<i16>>,
    posts: Option<Vec<i64>>,
    authors: Option<Vec<i64>>,
    reasons: Option<Vec<i16>>,
    kinds: Option<Vec<i16>>,
    /// When a row was delivered; nothing for the reader's own, which were there at once.
    times: Option<Vec<Option<OffsetDateTime>>>,
    follows: Option<Vec<i64>>,
    hidden: Option<Vec<i64>>,
    shut_out: Option<Vec<i64>>,
    changed: Option<Vec<i64>>,
    visible: Option<Vec<i64>>,
    in_circle: Option<Vec<bool>>,
    mentioned: Option<Vec<bool>>,
    counted: Option<Vec<i64>>,
    reactions: Option<Vec<i64>>,
    comments: Option<Vec<i64>>,
    impressions: Option<Vec<i64>>,
    close: Option<Vec<i64>>,
    sums: Option<Vec<f64>>,
    sums_at: Option<Vec<OffsetDateTime>>,
    seen: Option<Vec<u8>>,
}

/// What ranks posts: their counters, how much the reader has to do with their authors, and how often they were lately served
/// to the reader.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) counts: HashMap<i64, Counts>,
    pub(super) affinity: HashMap<i64, (f64, Timestamp)>,
    pub(super) seen: HashMap<i64, u16>,
}

/// Posts that stand in the reader's feed, with what was asked for along with them.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) sources: Vec<Source>,
    pub(super) known: Known,
}

/// From where a row came: its branch of the statement.
const INBOX: i16 = 1;
const OWN: i16 = 2;

/// Asks for the newest rows of each of the reader's sources.
pub(super) async fn look(
    executor: impl PgExecutor<'_>,
    me: Member,
    window: Window,
    taken: usize,
) -> sqlx::Result<Answer> {
    sqlx::query_as!(
        Answer,
        r#"select origins, posts, authors, reasons, kinds, times as "times: Vec<Option<OffsetDateTime>>", follows, hidden, shut_out,
                  changed, visible, in_circle, mentioned, counted, reactions, comments, impressions, close, sums, sums_at, seen
           from daira.home_sources($1, $2, $3, $4, $5, $6, $7, $8)"#,
        me.profile.raw(),
        me.account.raw(),
        window.from,
        window.below,
        window.as_of,
        i64::try_from(taken).unwrap_or(i64::MAX),
        window.ranked,
        i64::try_from(SEEN_PAGES).unwrap_or(i64::MAX)
    )
    .fetch_one(executor)
    .await
}

impl PgView {
    /// The newest posts of the reader's sources, newest first, each once, at most as many as wanted.
    pub(super) async fn sources(&mut self, me: Member, window: Window) -> Result<Found> {
        let mut taken = window.taken();
        loop {
            let answer = look(self.connection(), me, window, taken).await.map_err(|e| fault("feed.sources", e))?;
            if let Some(found) = answer.found(me.profile.raw(), window.wanted, taken)? {
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
        let (affinity, affinity_at) = self.affinity.get(&source.author).copied().unwrap_or((0.0, Timestamp::EPOCH));
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
                seen: self.seen.get(&source.post).copied().unwrap_or_default(),
            },
        })
    }
}

/// Rows that pass all that is known of their authors.
#[derive(Debug, Default)]
struct Candidates {
    certain: Vec<Source>,
    doubtful: Vec<Source>,
}

impl Answer {
    /// The newest posts that may stand in the feed, newest first, each once, at most as many as wanted; or nothing when more
    /// rows must be taken to know them all.
    pub(super) fn found(mut self, me: i64, wanted: usize, taken: usize) -> Result<Option<Found>> {
        let known = self.known();
        let visible = self.visible();
        let (horizon, Candidates { certain: mut sources, doubtful }) = self.candidates(me, taken)?;
        // The edge that a row came by must still be what makes the post visible.
        sources.extend(doubtful.into_iter().filter(|source| match (source.reason, visible.get(&source.post)) {
            (_, None) => false,
            (InboxReason::Circle, Some((in_circle, _))) => *in_circle,
            (InboxReason::Mention, Some((_, mentioned))) => *mentioned,
            (_, Some(_)) => true,
        }));
        sources.sort_unstable_by_key(|source| (core::cmp::Reverse(source.post), source.at, source.reason.code()));
        sources.dedup_by_key(|source| source.post);
        sources.truncate(wanted);
        Ok((sources.len() == wanted || horizon == i64::MIN).then_some(Found { sources, known }))
    }

    /// Those that were looked at one by one and are visible: whether a circle makes them so, and whether they mention the
    /// reader.
    fn visible(&mut self) -> HashMap<i64, (bool, bool)> {
        let whether = take(&mut self.in_circle).into_iter().zip(take(&mut self.mentioned));
        take(&mut self.visible).into_iter().zip(whether).collect()
    }

    fn known(&mut self) -> Known {
        let counts =
            take(&mut self.reactions).into_iter().zip(take(&mut self.comments)).zip(take(&mut self.impressions));
        let counts = counts.map(|((reactions, comments), impressions)| Counts { reactions, comments, impressions });
        let sums = take(&mut self.sums).into_iter().zip(take(&mut self.sums_at).into_iter().map(instant));
        Known {
            counts: take(&mut self.counted).into_iter().zip(counts).collect(),
            affinity: take(&mut self.close).into_iter().zip(sums).collect(),
            seen: occurrences(&take(&mut self.seen)),
        }
    }

    /// Sorts the rows, and says down to which id they are complete: below the last row of a branch that gave as many as
    /// were taken, others may follow.
    fn candidates(mut self, me: i64, taken: usize) -> Result<(i64, Candidates)> {
        let set = |ids: &mut Option<Vec<i64>>| take(ids).into_iter().collect::<HashSet<i64>>();
        let (follows, changed) = (set(&mut self.follows), set(&mut self.changed));
        let (hidden, shut_out) = (set(&mut self.hidden), set(&mut self.shut_out));
        let (origins, posts) = (take(&mut self.origins), take(&mut self.posts));
        let mut branches: HashMap<i16, (usize, i64)> = HashMap::new();
        for (origin, post) in origins.iter().zip(&posts) {
            let (rows, last) = branches.entry(*origin).or_insert((0, i64::MAX));
            (*rows, *last) = (*rows + 1, (*last).min(*post));
        }
        let horizon =
            branches.values().filter(|(rows, _)| *rows >= taken).map(|(_, last)| *last).max().unwrap_or(i64::MIN);
        let mut candidates = Candidates::default();
        let rows = origins
            .into_iter()
            .zip(posts)
            .zip(take(&mut self.authors))
            .zip(take(&mut self.reasons))
            .zip(take(&mut self.kinds))
            .zip(take(&mut self.times));
        for (((((origin, post), author), reason), kind), at) in rows {
            let barred = author != me && (hidden.contains(&author) || shut_out.contains(&author));
            if post < horizon || barred {
                continue;
            }
            let reason = InboxReason::from_code(reason).ok_or_else(|| corrupt("feed.sources", reason.to_string()))?;
            let at = at.unwrap_or_else(|| stored(PostId::from_raw(post).at()));
            let source = Source { post, author, reason, kind, at };
            match (origin, reason) {
                (INBOX, InboxReason::Follow) if !follows.contains(&author) => {}
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

/// How often each id is in pages.
pub(super) fn occurrences(pages: &[u8]) -> HashMap<i64, u16> {
    let (ids, _) = pages.as_chunks();
    let mut times: HashMap<i64, u16> = HashMap::with_capacity(ids.len());
    for id in ids {
        let times = times.entry(i64::from_be_bytes(*id)).or_default();
        *times = times.saturating_add(1);
    }
    times
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
            origins: Some(rows.iter().map(|r| r.0).collect()),
            posts: Some(rows.iter().map(|r| r.1).collect()),
            authors: Some(rows.iter().map(|r| r.2).collect()),
            reasons: Some(rows.iter().map(|r| r.3).collect()),
            kinds: Some(vec![0; rows.len()]),
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
        let answer = Answer {
            follows: Some(vec![1, 3, 4]),
            hidden: Some(vec![3]),
            shut_out: Some(vec![6]),
            changed: Some(vec![60]),
            ..answer(&rows)
        };
        let (horizon, candidates) = answer.candidates(9, 10).unwrap();
        assert_eq!(horizon, i64::MIN);
        assert_eq!(posts(&candidates.certain), [90, 40]);
        assert_eq!(posts(&candidates.doubtful), [60, 50], "changed, or there for another reason");
    }

    #[test]
    fn below_a_branch_that_was_cut_nothing_is_complete() {
        let rows = [(1, 90, 1, 1), (1, 70, 1, 1), (2, 80, 9, 4), (2, 60, 9, 4)];
        let (horizon, candidates) = Answer { follows: Some(vec![1]), ..answer(&rows) }.candidates(9, 2).unwrap();
        assert_eq!((horizon, posts(&candidates.certain)), (70, vec![90, 70, 80]));
    }
}
