//! Dead letters: events that failed, the later events of their keys that wait behind them, and their way back.
//!
//! A row is *dead* (`parked = false`): it failed and blocks its key; or *parked*: it waits. A parked row whose key has no
//! dead row is deliverable, and that is all there is to replaying and dropping: the dead row is turned into a parked one,
//! or deleted. Delivered rows are deleted in the transaction of their effects.

use sqlx::{PgExecutor, Row as _};

use super::fault;
use super::window::{Row, timestamp};
use crate::postgres::wire::{Pool, Wire};
use daira_core::error::Result;
use daira_core::port::DeadLetter;

/// Rows that wait for nothing any more, in order of id.
pub(super) async fn deliverable(db: &Pool, group: &str, lanes: &[i16], limit: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query(
        "select id, lane, key, topic, kind, payload, event_at, attempts from daira.dead_letter d
         where grp = $1 and lane = any($2) and parked
           and not exists (select from daira.dead_letter b where b.grp = $1 and b.key = d.key and not b.parked)
         order by id limit $3",
    )
    .bind(group)
    .bind(lanes)
    .bind(limit)
    .fetch_all(db)
    .await
    .map_err(|e| fault("bus.letters", e))?;
    rows.iter().map(Row::read).collect::<Result<_, _>>().map_err(|e| fault("bus.letters", e))
}

/// Keys among these that have a row, so that their later events must wait; of dead rows alone when `dead`.
pub(super) async fn blocked_keys(db: &mut Wire, group: &str, keys: &[i64], dead: bool) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "select distinct key from daira.dead_letter where grp = $1 and key = any($2) and not (parked and $3)",
    )
    .bind(group)
    .bind(keys)
    .bind(dead)
    .fetch_all(db)
    .await
}

/// Keeps an event as a dead letter, or a parked one.
pub(super) async fn bury(
    db: &mut Wire,
    group: &str,
    row: &Row,
    attempts: i16,
    reason: &str,
    parked: bool,
) -> sqlx::Result<()> {
    // NUL cannot be stored, and nobody reads a longer reason.
    let reason: String = reason.chars().filter(|c| *c != '\0').take(2_000).collect();
    sqlx::query(
        "insert into daira.dead_letter (grp, id, lane, key, topic, kind, payload, event_at, attempts, reason, parked)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (grp, id) do update set attempts = excluded.attempts, reason = excluded.reason, parked = excluded.parked, at = now()",
    )
    .bind(group)
    .bind(row.id)
    .bind(row.lane)
    .bind(row.key)
    .bind(&row.topic)
    .bind(&row.kind)
    .bind(&row.payload)
    .bind(row.at)
    .bind(attempts)
    .bind(&reason)
    .bind(parked)
    .execute(db)
    .await
    .map(drop)
}

/// Removes rows that were delivered.
pub(super) async fn delivered(db: &mut Wire, group: &str, ids: &[i64]) -> sqlx::Result<bool> {
    let gone = sqlx::query("delete from daira.dead_letter where grp = $1 and id = any($2) and parked")
        .bind(group)
        .bind(ids)
        .execute(db)
        .await?;
    Ok(usize::try_from(gone.rows_affected()) == Ok(ids.len()))
}

/// A group's rows after an event id, oldest first.
pub(super) async fn list(
    db: impl PgExecutor<'_>,
    group: &str,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<DeadLetter>> {
    let rows = sqlx::query(
        "select id, lane, key, topic, kind, payload, event_at, attempts, reason, parked, at
         from daira.dead_letter where grp = $1 and id > $2 order by id limit $3",
    )
    .bind(group)
    .bind(after.unwrap_or(0))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await
    .map_err(|e| fault("bus.dead_letters", e))?;
    rows.iter()
        .map(|row| {
            let event = Row::read(row)?;
            Ok(DeadLetter {
                group: group.to_owned(),
                event: event.id,
                kind: event.kind,
                key: event.key,
                payload: event.payload,
                time: timestamp(event.at),
                attempts: u16::try_from(event.attempts).unwrap_or(0),
                reason: row.try_get("reason")?,
                parked: row.try_get("parked")?,
                at: timestamp(row.try_get("at")?),
            })
        })
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|e| fault("bus.dead_letters", e))
}

/// Puts a dead row back among those to be delivered. Says whether there was one.
pub(super) async fn replay(db: &Pool, group: &str, event: i64) -> Result<bool> {
    let changed = sqlx::query(
        "update daira.dead_letter set parked = true, reason = 'to be delivered again', at = now()
         where grp = $1 and id = $2 and not parked",
    )
    .bind(group)
    .bind(event)
    .execute(db)
    .await
    .map_err(|e| fault("bus.replay", e))?;
    Ok(changed.rows_affected() == 1)
}

/// Deletes a dead row for good. Says whether there was one.
pub(super) async fn drop_letter(db: &Pool, group: &str, event: i64) -> Result<bool> {
    let gone = sqlx::query("delete from daira.dead_letter where grp = $1 and id = $2 and not parked")
        .bind(group)
        .bind(event)
        .execute(db)
        .await
        .map_err(|e| fault("bus.drop_letter", e))?;
    Ok(gone.rows_affected() == 1)
}
