//! How far a group is behind, and which events those are.

use core::time::Duration;

use sqlx::Row as _;

use super::fault;
use super::window::Row;
use crate::postgres::wire::{Pool, Wire};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::event::LANES;
use daira_core::port::{Delivered, Group, Lag};

/// No more events than this are counted in a lane: a lag beyond it is "at least".
const COUNTED: i64 = 20_000;

// The events of each lane that its newest position does not cover, whatever ticks exist: all that is visible now. A lane
// without a position will begin at the oldest tick.
macro_rules! ahead_sql {
    ($head:literal, $lanes:literal, $columns:literal, $tail:literal) => {
        concat!(
            $head,
            "from ",
            $lanes,
            " l
             left join lateral (
                 select * from daira.position where grp = $1 and lane = l.lane order by tick desc, after desc limit 1
             ) q on true
             cross join lateral (
                 select coalesce(q.tick, (select min(n) from daira.tick)) as tick, coalesce(q.after, 0) as after, q.upto
             ) p
             join daira.tick a on a.n = p.tick left join daira.tick b on b.n = p.upto
             cross join lateral (
                 select * from (
                     select ",
            $columns,
            " from daira.event
                     where at >= a.since and at < now() + interval '1 day' and lane = l.lane and topic = any($2)
                       and xid >= pg_snapshot_xmax(a.snap)
                       and (id > p.after or p.upto is null or not pg_visible_in_snapshot(xid, b.snap))
                     union all
                     select ",
            $columns,
            " from pg_snapshot_xip(a.snap) x (open) cross join lateral (
                         select * from daira.event
                         where at >= a.since and at < now() + interval '1 day' and lane = l.lane and topic = any($2)
                           and xid = x.open and (id > p.after or p.upto is null or not pg_visible_in_snapshot(xid, b.snap))
                         offset 0
                     ) late
                 ) u limit $3
             ) e ",
            $tail
        )
    };
}

/// How far a group is behind. One that never read anything is not behind.
pub(super) async fn lag(db: &Pool, group: Group) -> Result<Lag> {
    let read = |e| fault("bus.lag", e);
    let row = sqlx::query(ahead_sql!(
        "select count(*), coalesce(extract(epoch from now() - min(e.at)), 0)::double precision, \
         (select count(*) from daira.dead_letter where grp = $1) ",
        "(select lane from daira.lease where grp = $1)",
        "at",
        ""
    ))
    .bind(group.name)
    .bind(group.topics)
    .bind(COUNTED)
    .fetch_one(db)
    .await
    .map_err(read)?;
    let oldest: f64 = row.try_get(1).map_err(read)?;
    Ok(Lag {
        events: row.try_get(0).map_err(read)?,
        oldest: Duration::try_from_secs_f64(oldest.max(0.0)).unwrap_or_default(),
        dead: row.try_get(2).map_err(read)?,
    })
}

/// The events in this transaction's snapshot whose effects are not in it, in order of the log. For a group that nobody has
/// begun to read with these are all that it will get.
///
/// # Errors
/// `Unavailable` when they are more than `most`.
pub(in crate::postgres) async fn undelivered(db: &mut Wire, group: Group, most: u32) -> Result<Vec<Delivered>> {
    let rows = sqlx::query(ahead_sql!(
        "select id, lane, key, topic, kind, payload, at, attempts from (
             select id, lane, key, topic, kind, payload, event_at as at, attempts from daira.dead_letter where grp = $1
             union all
             select e.id, e.lane, e.key, e.topic, e.kind, e.payload, e.at, 0::smallint ",
        "(select unnest($4::smallint[]) as lane)",
        "id, lane, key, topic, kind, payload, at",
        ") u order by id limit $3"
    ))
    .bind(group.name)
    .bind(group.topics)
    .bind(i64::from(most) + 1)
    .bind((0..LANES).collect::<Vec<i16>>())
    .fetch_all(db)
    .await
    .map_err(|e| fault("bus.undelivered", e))?;
    if rows.len() > most as usize {
        return Err(Error::new(ErrorKind::Unavailable, "bus.undelivered").with_source("the group is too far behind"));
    }
    let rows: Vec<Row> =
        rows.iter().map(Row::read).collect::<Result<_, _>>().map_err(|e| fault("bus.undelivered", e))?;
    // What cannot be read has no effects to come.
    Ok(rows.iter().filter_map(|row| row.deliver().ok()).collect())
}
