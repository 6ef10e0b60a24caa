//! Groups that fell behind the oldest kept day, and how they come back.
//!
//! The days go without a group that can rebuild; it is parked in the transaction that drops them (`expire_events`). Coming
//! back: move to the oldest tick after which nothing is missing, rebuild what lies before from the rows, go on.

use sqlx::PgExecutor;

use super::fault;
use crate::postgres::wire::Wire;
use daira_core::error::Result;

// The first instant of the oldest day there is.
macro_rules! kept_sql {
    () => {
        "(select min(to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC')
          from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'daira.event'::regclass)"
    };
}

/// Whether a group is parked.
pub(super) async fn is_parked(db: impl PgExecutor<'_>, group: &str) -> Result<bool> {
    sqlx::query_scalar("select exists (select from daira.consumer_group where name = $1 and parked_at is not null)")
        .bind(group)
        .fetch_one(db)
        .await
        .map_err(|e| fault("bus.is_parked", e))
}

/// Moves a parked group's lanes to the oldest tick whose events are all kept. Their epochs grow: what was read before is
/// void.
pub(super) async fn skip(db: &mut Wire, group: &str) -> Result<()> {
    let failed = |e| fault("bus.skip", e);
    sqlx::query("update daira.lease set owner = null, epoch = epoch + 1 where grp = $1 and (select parked_at is not null from daira.consumer_group where name = $1)")
        .bind(group)
        .execute(&mut *db)
        .await
        .map_err(failed)?;
    sqlx::query(concat!(
        "insert into daira.position (grp, lane, tick)
         select l.grp, l.lane, t.n
         from daira.lease l
         join daira.consumer_group g on g.name = l.grp and g.parked_at is not null
         cross join lateral (
             select tick, after from daira.position where grp = l.grp and lane = l.lane order by tick desc, after desc limit 1
         ) p
         cross join (
             select coalesce((select min(n) from daira.tick where since >= ",
        kept_sql!(),
        "), (select max(n) from daira.tick)) as n
         ) t
         where l.grp = $1 and (t.n, 0::bigint) > (p.tick, p.after)"
    ))
    .bind(group)
    .execute(&mut *db)
    .await
    .map(drop)
    .map_err(failed)
}

/// Lets a group go on, unless it stands before the oldest kept day again.
pub(super) async fn unpark(db: impl PgExecutor<'_>, group: &str) -> Result<bool> {
    let freed = sqlx::query(concat!(
        "update daira.consumer_group set parked_at = null where name = $1 and not exists (
             select from daira.lease l cross join lateral (
                 select tick from daira.position where grp = l.grp and lane = l.lane order by tick desc, after desc limit 1
             ) p
             join daira.tick t on t.n = p.tick
             where l.grp = $1 and t.since < ",
        kept_sql!(),
        " and t.n < (select max(n) from daira.tick))"
    ))
    .bind(group)
    .execute(db)
    .await
    .map_err(|e| fault("bus.unpark", e))?;
    Ok(freed.rows_affected() == 1)
}
