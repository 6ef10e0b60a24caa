//! Back-fills: what a migration would have to do to rows that are there already, done in portions while everybody works.
//!
//! A portion is one transaction: it fills in, and says how far it got. Killed, paused or run by two at once, each row is gone
//! over once; and filling in once more changes nothing.

use daira_core::error::Result;
use daira_core::port::{Backfill, BackfillState};

use super::error::fault;
use super::store::{BEGIN, PgStore};
use super::wire::Wire;

/// What is filled in.
struct Fill {
    name: &'static str,
    about: &'static str,
    /// Goes over at most `$2` rows whose keys come after `$1`, locked, in their order; answers the last key and how many there
    /// were, or nothing.
    statement: &'static str,
}

/// In the order in which they run. One that every installation has done is removed in a later release.
const FILLS: [Fill; 2] = [
    Fill {
        name: "strikes-of-sanctions",
        about: "what staff did to accounts before that weighed on trust",
        statement: "with portion as materialized (
                        select account, at, by_role from daira.sanction where account > coalesce($1[1], 0)
                        order by account limit $2 for no key update),
                    filled as (
                        insert into daira.strike as strike (account, kind, subject, at, by_role)
                        select account, 0, 0, at, by_role from portion
                        on conflict (account, at, kind, subject) do update set by_role = excluded.by_role
                        where strike.by_role is null)
                    select array[max(account)], count(*) from portion having count(*) > 0",
    },
    Fill {
        name: "strikes-of-takedowns",
        about: "what staff took down before that weighed on trust",
        statement: "with portion as materialized (
                        select kind, subject, owner, at from daira.takedown
                        where (kind, subject) > (coalesce($1[1], 0), coalesce($1[2], 0))
                        order by kind, subject limit $2 for no key update),
                    filled as (
                        insert into daira.strike (account, kind, subject, at)
                        select face.account, portion.kind, portion.subject, portion.at from portion join daira.profile face on face.id = portion.owner
                        on conflict do nothing)
                    select array[kind::bigint, subject], (select count(*) from portion) from portion
                    order by kind desc, subject desc limit 1",
    },
];

/// How far each is.
pub(super) async fn all(store: &PgStore) -> Result<Vec<Backfill>> {
    let kept: Vec<(String, i64, bool, bool)> =
        sqlx::query_as("select name, rows, paused, done_at is not null from daira.backfill")
            .fetch_all(store.worker_pool())
            .await
            .map_err(|e| fault("backfill.all", e))?;
    let all = FILLS.iter().map(|fill| match kept.iter().find(|row| row.0 == fill.name) {
        Some((_, rows, paused, done)) => fill.at(*rows, *paused, *done),
        None => fill.at(0, false, false),
    });
    Ok(all.collect())
}

/// Does the next portion of one.
pub(super) async fn next(store: &PgStore, rows: u32) -> Result<Option<Backfill>> {
    const OPERATION: &str = "backfill.next";
    let mut unit = store.worker_pool().begin(BEGIN).await.map_err(|e| fault(OPERATION, e))?;
    let moved = portion(&mut unit, i64::from(rows)).await.map_err(|e| fault(OPERATION, e))?;
    unit.commit().await.map_err(|e| fault(OPERATION, e))?;
    Ok(moved)
}

async fn portion(unit: &mut Wire, most: i64) -> sqlx::Result<Option<Backfill>> {
    let names: Vec<&str> = FILLS.iter().map(|fill| fill.name).collect();
    sqlx::query("insert into daira.backfill (name) select unnest($1::text[]) on conflict do nothing")
        .bind(&names)
        .execute(&mut *unit)
        .await?;
    let open: Option<(String, Vec<i64>, i64)> = sqlx::query_as(
        "select name, after, rows from daira.backfill where name = any($1) and done_at is null and not paused
         order by array_position($1, name) limit 1 for update skip locked",
    )
    .bind(&names)
    .fetch_optional(&mut *unit)
    .await?;
    let found = open.and_then(|(name, after, rows)| Some((FILLS.iter().find(|fill| fill.name == name)?, after, rows)));
    let Some((fill, after, rows)) = found else { return Ok(None) };
    let went: Option<(Vec<i64>, i64)> =
        sqlx::query_as(fill.statement).bind(&after).bind(most).fetch_optional(&mut *unit).await?;
    let is_done = went.is_none();
    let (after, more) = went.unwrap_or((after, 0));
    sqlx::query(
        "update daira.backfill set after = $2, rows = $3, moved_at = now(), done_at = case when $4 then now() end where name = $1",
    )
    .bind(fill.name)
    .bind(after)
    .bind(rows + more)
    .bind(is_done)
    .execute(&mut *unit)
    .await?;
    Ok(Some(fill.at(rows + more, false, is_done)))
}

/// Lets one wait, or go on; a portion that is under way ends first.
pub(super) async fn pause(store: &PgStore, name: &str, paused: bool) -> Result<bool> {
    if FILLS.iter().all(|fill| fill.name != name) {
        return Ok(false);
    }
    sqlx::query(
        "insert into daira.backfill (name, paused) values ($1, $2) on conflict (name) do update set paused = excluded.paused",
    )
    .bind(name)
    .bind(paused)
    .execute(store.worker_pool())
    .await
    .map_err(|e| fault("backfill.pause", e))?;
    Ok(true)
}

impl Fill {
    fn at(&self, rows: i64, paused: bool, done: bool) -> Backfill {
        let state = match (done, paused) {
            (true, _) => BackfillState::Done,
            (false, true) => BackfillState::Paused,
            (false, false) => BackfillState::Running,
        };
        let rows = u64::try_from(rows).unwrap_or(0);
        Backfill { name: self.name.to_owned(), about: self.about.to_owned(), rows, state }
    }
}
