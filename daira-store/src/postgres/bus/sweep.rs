//! Removes spent ticks and positions.
//!
//! Both are rows that are only ever inserted and read at their young end, so what is removed at the old end costs
//! readers nothing, vacuumed or not. Each round begins where the one before ended, for the same reason. A tick is kept
//! while a lane stands on it; of old ones every 256th is kept for a few days more, as boundaries for groups that are
//! far behind and for new ones.

use sqlx::{Connection as _, PgConnection, Row as _};

use super::fault;
use daira_core::error::Result;

/// Where the last round ended.
#[derive(Debug, Default)]
pub(super) struct Sweeper {
    /// No tick below is left but kept ones.
    ticks: i64,
    /// No position below is left but newest ones.
    positions: i64,
    /// The lowest of the newest positions, as of the last round: what lies below was old enough to go in this one.
    lowest: i64,
    rounds: u32,
}

impl Sweeper {
    /// One round.
    pub(super) async fn sweep(&mut self, db: &mut PgConnection) -> Result<()> {
        let failed = |e| fault("bus.sweep", e);
        // Once a day from the very start, for what was still needed when it was passed.
        self.rounds += 1;
        if self.rounds.is_multiple_of(1_440) {
            *self = Self::default();
        }
        let row = sqlx::query(
            "with newest as (
                 select p.grp, p.lane, p.tick, p.after from daira.lease l cross join lateral (
                     select * from daira.position where grp = l.grp and lane = l.lane order by tick desc, after desc limit 1
                 ) p
             ), gone as (
                 delete from daira.position p using newest n
                 where p.grp = n.grp and p.lane = n.lane and p.tick >= $1 and (p.tick, p.after) < (n.tick, n.after)
                   and p.at < now() - interval '1 minute'
             )
             select coalesce(min(tick), 0) from newest",
        )
        .bind(self.positions)
        .fetch_one(&mut *db)
        .await
        .map_err(failed)?;
        let lowest: i64 = row.try_get(0).map_err(failed)?;

        sqlx::query("delete from daira.member where until < now() - interval '1 day'")
            .execute(&mut *db)
            .await
            .map_err(failed)?;

        // Whoever moves a lane onto an old tick locks it first. So: lock what may go, then look again who stands on it.
        let mut tx = db.begin().await.map_err(failed)?;
        let old: Vec<i64> = sqlx::query_scalar(
            "select n from daira.tick
             where n >= $1 and n > 0 and at < now() - interval '1 hour' and (n % 256 <> 0 or at < now() - interval '8 days')
             order by n limit 20000 for update skip locked",
        )
        .bind(self.ticks)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed)?;
        sqlx::query(
            "delete from daira.tick where n = any($1) and n <> all(array(
                 select unnest(array[p.tick, coalesce(p.upto, p.tick)]) from daira.lease l cross join lateral (
                     select * from daira.position where grp = l.grp and lane = l.lane order by tick desc, after desc limit 1
                 ) p))",
        )
        .bind(&old)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        self.ticks = old.last().map_or(self.ticks, |n| *n);
        self.positions = self.lowest.min(lowest);
        self.lowest = lowest;
        Ok(())
    }
}
