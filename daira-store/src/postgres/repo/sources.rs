//! Where a feed's posts come from, as one statement: the inbox, authors that are looked up, and the reader's own posts,
//! with everything about their authors that decides whether they may stand there.
//!
//! The statement joins nothing. It takes the newest rows of each source, and answers them and small sets about exactly
//! those posts and authors as arrays, each found by an array of keys in one index scan; putting them together here
//! costs a few microseconds. So the cost follows the size of the page, never that of somebody's follow list.
//!
//! An inbox row that came by a follow was visible when it was delivered. It still is when the follow stands, the author
//! stands, no block or mute lies between, and the post is not among those whose readers may have changed. Whatever
//! else there is (other reasons, changed posts) is checked one by one through the view `visible_post`.

use std::collections::{HashMap, HashSet};

use daira_core::actor::Member;
use daira_core::error::Result;
use daira_core::id::Id;
use daira_core::port::store::InboxReason;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::view::PgView;

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
    /// The smallest id, or nothing for what inboxes reach back to now.
    pub(super) from: Option<i64>,
    /// The id above the largest.
    pub(super) below: i64,
    /// Delivered at or before this instant, if that matters.
    pub(super) as_of: Option<OffsetDateTime>,
    /// How many are wanted.
    pub(super) wanted: usize,
}

/// What the statement answers: rows as parallel arrays, and sets about their posts and authors.
#[derive(Debug, Default)]
struct Answer {
    origins: Vec<i16>,
    posts: Vec<i64>,
    authors: Vec<i64>,
    reasons: Vec<i16>,
    kinds: Vec<i16>,
    times: Vec<OffsetDateTime>,
    follows: Vec<i64>,
    hidden: Vec<i64>,
    shut_out: Vec<i64>,
    changed: Vec<i64>,
}

/// From where a row came: its branch of the statement.
const INBOX: i16 = 1;
const OWN: i16 = 2;

impl PgView {
    /// The newest posts of the reader's sources, newest first, each once, at most as many as wanted.
    pub(super) async fn sources(&mut self, me: Member, window: Window) -> Result<Vec<Source>> {
        // Most rows pass; some more are taken at once so that a second look is rare.
        let mut taken = window.wanted + window.wanted / 8 + 4;
        loop {
            let answer = self.newest_of_each(me, window, taken).await?;
            let (horizon, candidates) = answer.candidates(me.profile.raw(), taken)?;
            let mut found = self.settle(me, candidates).await?;
            found.sort_unstable_by_key(|source| (core::cmp::Reverse(source.post), source.at, source.reason.code()));
            found.dedup_by_key(|source| source.post);
            found.truncate(window.wanted);
            if found.len() == window.wanted || horizon == i64::MIN {
                return Ok(found);
            }
            taken *= 4;
        }
    }

    async fn newest_of_each(&mut self, me: Member, window: Window, taken: usize) -> Result<Answer> {
        let found = sqlx::query_as!(
            Answer,
            r#"with newest as materialized (
                   (select 1::smallint as origin, post, author, reason, kind, at
                    from daira.inbox
                    where profile = $1 and post >= case when $3::bigint is null then daira.id_floor(now() - make_interval(days => $7)) else $3 end and post < $4
                      and at <= coalesce($5, 'infinity'::timestamptz)
                    order by post desc limit $6)
                   union all
                   (select 2::smallint, p.id, p.author, 4::smallint, p.kind, daira.id_at(p.id)
                    from daira.post p
                    where p.author = $1 and p.id >= case when $3::bigint is null then daira.id_floor(now() - make_interval(days => $7)) else $3 end and p.id < $4
                      and p.deleted_at is null
                      and daira.id_at(p.id) <= coalesce($5, 'infinity'::timestamptz)
                    order by p.id desc limit $6)
                   union all
                   (select 3::smallint, p.id, p.author, 1::smallint, p.kind, greatest(daira.id_at(p.id), f.at)
                    from daira.pull_author a
                    join daira.follow f on f.follower = $1 and f.followee = a.author
                    cross join lateral (
                        select q.id, q.author, q.kind
                        from daira.post q
                        where q.author = a.author and q.delivery = 2 and q.id >= case when $3::bigint is null then daira.id_floor(now() - make_interval(days => $7)) else $3 end
                          and q.id < $4 and q.deleted_at is null
                          and greatest(daira.id_at(q.id), f.at) <= coalesce($5, 'infinity'::timestamptz)
                        order by q.id desc limit $6) p
                    where a.latest >= case when $3::bigint is null then daira.id_floor(now() - make_interval(days => $7)) else $3 end
                    order by p.id desc limit $6)
               ), keys as materialized (
                   select array_agg(origin) as origins, array_agg(post) as posts, array_agg(author) as authors,
                          array_agg(reason) as reasons, array_agg(kind) as kinds, array_agg(at) as times
                   from newest
               )
               select origins as "origins!", posts as "posts!", authors as "authors!", reasons as "reasons!", kinds as "kinds!",
                      times as "times!",
                      array(select f.followee from daira.follow f where f.follower = $1 and f.followee = any (authors)) as "follows!",
                      array(select p.id from daira.profile p where p.standing <> 0 and p.id = any (authors)) as "hidden!",
                      array(select b.blocked from daira.block b where b.blocker = $1 and b.blocked = any (authors)
                            union all
                            select b.blocker from daira.block b where b.blocked_account = $2 and b.blocker = any (authors)
                            union all
                            select m.muted from daira.mute m where m.muter = $1 and m.posts and m.muted = any (authors)) as "shut_out!",
                      array(select c.post from daira.post_changed c where c.post = any (posts)) as "changed!"
               from keys where posts is not null"#,
            me.profile.raw(),
            me.account.raw(),
            window.from as Option<i64>,
            window.below,
            window.as_of,
            i64::try_from(taken).unwrap_or(i64::MAX),
            i32::from(self.inbox_days),
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("feed.sources", e))?;
        Ok(found.unwrap_or_default())
    }

    /// Keeps what is certain and what proves visible.
    async fn settle(&mut self, me: Member, candidates: Candidates) -> Result<Vec<Source>> {
        let Candidates { mut certain, doubtful } = candidates;
        if doubtful.is_empty() {
            return Ok(certain);
        }
        let posts: Vec<i64> = doubtful.iter().map(|source| source.post).collect();
        let visible = sqlx::query!(
            r#"select p.id as "id!", p.visibility = 3 as "circle!", coalesce($2 = any (p.mentions), false) as "mentioned!"
               from daira.visible_post p where p.id = any ($1)"#,
            &posts,
            me.profile.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("feed.sources", e))?;
        let visible: HashMap<i64, (bool, bool)> =
            visible.iter().map(|row| (row.id, (row.circle, row.mentioned))).collect();
        // The edge that a row came by must still be what makes the post visible.
        certain.extend(doubtful.into_iter().filter(|source| match (source.reason, visible.get(&source.post)) {
            (_, None) => false,
            (InboxReason::Circle, Some((circle, _))) => *circle,
            (InboxReason::Mention, Some((_, mentioned))) => *mentioned,
            (_, Some(_)) => true,
        }));
        Ok(certain)
    }
}

/// Rows that pass all that is known of their authors.
#[derive(Debug, Default)]
struct Candidates {
    certain: Vec<Source>,
    doubtful: Vec<Source>,
}

impl Answer {
    /// Sorts the rows, and says down to which id they are complete: below the last row of a branch that gave as many as
    /// were taken, others may follow.
    fn candidates(self, me: i64, taken: usize) -> Result<(i64, Candidates)> {
        let set = |ids: &[i64]| ids.iter().copied().collect::<HashSet<i64>>();
        let (follows, changed) = (set(&self.follows), set(&self.changed));
        let (hidden, shut_out) = (set(&self.hidden), set(&self.shut_out));
        let mut branches: HashMap<i16, (usize, i64)> = HashMap::new();
        for (origin, post) in self.origins.iter().zip(&self.posts) {
            let (rows, last) = branches.entry(*origin).or_insert((0, i64::MAX));
            (*rows, *last) = (*rows + 1, (*last).min(*post));
        }
        let horizon =
            branches.values().filter(|(rows, _)| *rows >= taken).map(|(_, last)| *last).max().unwrap_or(i64::MIN);
        let mut candidates = Candidates::default();
        let rows = self
            .origins
            .into_iter()
            .zip(self.posts)
            .zip(self.authors)
            .zip(self.reasons)
            .zip(self.kinds)
            .zip(self.times);
        for (((((origin, post), author), reason), kind), at) in rows {
            let barred = author != me && (hidden.contains(&author) || shut_out.contains(&author));
            if post < horizon || barred {
                continue;
            }
            let reason = InboxReason::from_code(reason).ok_or_else(|| corrupt("feed.sources", reason.to_string()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: &[(i16, i64, i64, i16)]) -> Answer {
        let at = OffsetDateTime::UNIX_EPOCH;
        Answer {
            origins: rows.iter().map(|r| r.0).collect(),
            posts: rows.iter().map(|r| r.1).collect(),
            authors: rows.iter().map(|r| r.2).collect(),
            reasons: rows.iter().map(|r| r.3).collect(),
            kinds: vec![0; rows.len()],
            times: vec![at; rows.len()],
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
        let answer =
            Answer { follows: vec![1, 3, 4], hidden: vec![3], shut_out: vec![6], changed: vec![60], ..answer(&rows) };
        let (horizon, candidates) = answer.candidates(9, 10).unwrap();
        assert_eq!(horizon, i64::MIN);
        assert_eq!(posts(&candidates.certain), [90, 40]);
        assert_eq!(posts(&candidates.doubtful), [60, 50], "changed, or there for another reason");
    }

    #[test]
    fn below_a_branch_that_was_cut_nothing_is_complete() {
        let rows = [(1, 90, 1, 1), (1, 70, 1, 1), (2, 80, 9, 4), (2, 60, 9, 4)];
        let (horizon, candidates) = Answer { follows: vec![1], ..answer(&rows) }.candidates(9, 2).unwrap();
        assert_eq!((horizon, posts(&candidates.certain)), (70, vec![90, 70, 80]));
    }
}
