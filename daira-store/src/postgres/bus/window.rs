//! The events between two ticks: the one query that every delivery rests on.

use sqlx::postgres::PgRow;
use sqlx::types::time::OffsetDateTime;
use sqlx::{AssertSqlSafe, PgExecutor, Row as _};

use super::fault;
use super::tick::Tick;
use crate::postgres::wire::Wire;
use daira_core::error::Result;
use daira_core::event::{Envelope, Event};
use daira_core::port::Delivered;
use daira_core::time::Timestamp;

/// An event as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) lane: i16,
    pub(super) key: i64,
    pub(super) topic: String,
    pub(super) kind: String,
    pub(super) payload: Vec<u8>,
    pub(super) at: OffsetDateTime,
    /// Failures so far: of letters that are tried again.
    pub(super) attempts: i16,
}

impl Row {
    /// Reads `id, lane, key, topic, kind, payload, at, attempts`.
    pub(super) fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get(0)?,
            lane: row.try_get(1)?,
            key: row.try_get(2)?,
            topic: row.try_get(3)?,
            kind: row.try_get(4)?,
            payload: row.try_get(5)?,
            at: row.try_get(6)?,
            attempts: row.try_get(7)?,
        })
    }

    /// The event in the kernel's words.
    ///
    /// # Errors
    /// `Corrupt` for a type or a payload that this version cannot read.
    pub(super) fn deliver(&self) -> Result<Delivered> {
        let event = Event::decode(&self.kind, &self.payload)?;
        let envelope = Envelope { id: self.id, kind: event.kind(), key: self.key, time: timestamp(self.at) };
        Ok(Delivered { envelope, event, attempts: u16::try_from(self.attempts).unwrap_or(0) })
    }
}

/// A database's instant as the kernel's.
pub(super) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp::from_micros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}

/// The bounds of a window: what `upto` sees and `from` does not, in some lanes and topics, behind an id.
pub(super) struct Bounds<'a> {
    pub(super) from: &'a Tick,
    pub(super) upto: &'a Tick,
    pub(super) after: i64,
    pub(super) lanes: &'a [i16],
    pub(super) topics: &'a [&'static str],
}

// Two ways into the window, both ranges of the index (lane, xid, id): transactions that began after the first tick, and those
// that were open in it and are finished in the second. The bounds on `at` are plain parameters, so that a generic plan
// leaves all other days out before it starts. The snapshot is read once, not for each row.
// Lane by lane and transaction by transaction, because a plan is kept: one for all of them at once that is made while a
// day is young and small would read the whole day, or a whole lane of it, and go on so when it has grown.
const WINDOW: &str = "select id, lane, key, topic, kind, payload, at, 0::smallint as attempts
 from unnest($3::smallint[]) l (of)
 cross join lateral (
     select * from daira.event
     where at >= $1 and at < $2 and lane = l.of and topic = any($4) and id > $5
       and xid >= $6::text::xid8 and xid < $7::text::xid8
       and pg_visible_in_snapshot(xid, (select $8::text::pg_snapshot))
     union all
     select late.* from unnest($9::text[]::xid8[]) x (closed)
     cross join lateral (
         select * from daira.event
         where at >= $1 and at < $2 and lane = l.of and topic = any($4) and id > $5 and xid = x.closed
         offset 0
     ) late
     offset 0
 ) e order by id limit $10";

/// The window's events in order of id, at most `limit`.
pub(super) async fn fetch(db: impl PgExecutor<'_>, bounds: &Bounds<'_>, limit: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query(WINDOW)
        .bind(bounds.from.since)
        .bind(bounds.upto.until())
        .bind(bounds.lanes)
        .bind(bounds.topics)
        .bind(bounds.after)
        .bind(bounds.from.snap.xmax.to_string())
        .bind(bounds.upto.snap.xmax.to_string())
        .bind(&bounds.upto.text)
        .bind(bounds.from.snap.closed_by(&bounds.upto.snap))
        .bind(limit)
        .fetch_all(db)
        .await
        .map_err(|e| fault("bus.window", e))?;
    rows.iter().map(Row::read).collect::<Result<_, _>>().map_err(|e| fault("bus.window", e))
}

/// How Postgres reads the window, with what it touched: the plan of the very statement that [`fetch`] prepared on this
/// connection, or nothing where statements are not kept.
pub(super) async fn explain(db: &mut Wire, bounds: &Bounds<'_>, limit: i64) -> Result<Vec<String>> {
    let failed = |e| fault("bus.explain", e);
    fetch(&mut *db, bounds, limit).await?;
    let name: Option<String> = sqlx::query_scalar("select name from pg_prepared_statements where statement = $1")
        .bind(WINDOW)
        .fetch_optional(&mut *db)
        .await
        .map_err(failed)?;
    let Some(name) = name else { return Ok(Vec::new()) };
    let lanes: Vec<String> = bounds.lanes.iter().map(ToString::to_string).collect();
    let values = [
        bounds.from.since.to_string(),
        bounds.upto.until().to_string(),
        format!("{{{}}}", lanes.join(",")),
        format!("{{{}}}", bounds.topics.join(",")),
        bounds.after.to_string(),
        bounds.from.snap.xmax.to_string(),
        bounds.upto.snap.xmax.to_string(),
        bounds.upto.text.clone(),
        format!("{{{}}}", bounds.from.snap.closed_by(&bounds.upto.snap).join(",")),
        limit.to_string(),
    ];
    // Numbers, instants and names of topics: a quote in one of them would be doubled all the same.
    let values = values.map(|value| format!("'{}'", value.replace('\'', "''"))).join(", ");
    let sql = format!("explain (analyze, buffers, costs off, timing off, summary off) execute \"{name}\" ({values})");
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(db).await.map_err(failed)?;
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed)
}
