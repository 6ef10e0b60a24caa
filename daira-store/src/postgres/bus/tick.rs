//! Ticks: what a reader could see at some moment, written down.
//!
//! A tick is a snapshot of transactions. The events that tick `b` sees and an earlier tick `a` did not are those of
//! transactions that finished in between, however long they had been open: exactly once, whatever ids they drew. Here a
//! stored tick is read, the next boundary for a batch is chosen, and the bounds of the query between two are computed.

use sqlx::postgres::PgRow;
use sqlx::types::time::OffsetDateTime;
use sqlx::{PgExecutor, Row as _};

use super::fault;
use daira_core::error::{Error, ErrorKind, Result};

/// Which transactions a reader could see, as `pg_snapshot` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    xmin: u64,
    /// Every transaction from here on is unseen.
    pub(super) xmax: u64,
    /// The ones below that were still open.
    xip: Vec<u64>,
}

impl Snapshot {
    /// Reads the text form, `xmin:xmax:xip,xip`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (xmin, xmax, xip) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let xip = xip.split(',').filter(|x| !x.is_empty()).map(|x| x.parse().ok()).collect::<Option<_>>()?;
        Some(Self { xmin, xmax, xip })
    }

    /// The transactions that were open.
    pub(super) fn open(&self) -> Vec<String> {
        self.xip.iter().map(ToString::to_string).collect()
    }

    fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && !self.xip.contains(&xid))
    }

    /// The transactions that were open here and are finished in `later`.
    pub(super) fn closed_by(&self, later: &Self) -> Vec<String> {
        self.xip.iter().filter(|x| later.sees(**x)).map(ToString::to_string).collect()
    }
}

/// A stored tick.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    pub(super) n: i64,
    pub(super) snap: Snapshot,
    /// The snapshot as Postgres wrote it.
    pub(super) text: String,
    /// No event that the tick does not see was appended before.
    pub(super) since: OffsetDateTime,
    /// The highest event id handed out by then.
    pub(super) top: i64,
    pub(super) at: OffsetDateTime,
}

impl Tick {
    /// Reads `n, snap::text, since, top, at`, from the given place in a row on.
    pub(super) fn read(row: &PgRow, from: usize) -> Result<Self> {
        let column = |e| fault("bus.tick", e);
        let text: String = row.try_get(from + 1).map_err(column)?;
        Ok(Self {
            n: row.try_get(from).map_err(column)?,
            snap: Snapshot::parse(&text)
                .ok_or_else(|| Error::new(ErrorKind::Corrupt, "bus.snapshot").with_source(text.clone()))?,
            text,
            since: row.try_get(from + 2).map_err(column)?,
            top: row.try_get(from + 3).map_err(column)?,
            at: row.try_get(from + 4).map_err(column)?,
        })
    }

    /// No event that this tick sees lies after this instant. Clocks may step back, hence a whole day of room; it keeps
    /// the queries out of the days made ahead.
    pub(super) fn until(&self) -> OffsetDateTime {
        self.at + time::Duration::DAY
    }
}

/// The newest tick.
pub(super) async fn newest(db: impl PgExecutor<'_>) -> Result<Tick> {
    let row = sqlx::query("select n, snap::text, since, top, at from daira.tick order by n desc limit 1")
        .fetch_one(db)
        .await
        .map_err(|e| fault("bus.newest_tick", e))?;
    Tick::read(&row, 0)
}

/// The boundary of the next batch after tick `a`: the farthest one within about `events` events, else the very next,
/// but none beyond the tick `cap`. Old ticks that may be thinned out before the batch is done are passed over.
pub(super) async fn next(db: impl PgExecutor<'_>, a: &Tick, events: i64, cap: Option<i64>) -> Result<Option<Tick>> {
    let row = sqlx::query(
        "with usable as not materialized (
             select * from daira.tick where n > $1 and n <= $3 and (n % 256 = 0 or n = $3 or at > now() - interval '50 minutes')
         )
         select n, snap::text, since, top, at from daira.tick where n = coalesce(
             (select n from usable where top between $4 and $2 order by top desc, n desc limit 1),
             (select n from usable order by n limit 1))",
    )
    .bind(a.n)
    .bind(a.top.saturating_add(events))
    .bind(cap.unwrap_or(i64::MAX))
    .bind(a.top)
    .fetch_optional(db)
    .await
    .map_err(|e| fault("bus.next_tick", e))?;
    row.map(|row| Tick::read(&row, 0)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_and_knows_what_it_sees() {
        let snap = Snapshot::parse("100:110:100,104").unwrap();
        assert!(snap.sees(99) && snap.sees(101) && snap.sees(109));
        assert!(!snap.sees(100) && !snap.sees(104) && !snap.sees(110) && !snap.sees(999));
        assert_eq!(Snapshot::parse("1:1:").unwrap(), Snapshot { xmin: 1, xmax: 1, xip: vec![] });
        for bad in ["", "1:2", "a:b:c", "1:2:x", "1:2:3,,x"] {
            assert!(Snapshot::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_was_open_and_is_finished_is_found() {
        let before = Snapshot::parse("100:110:100,104,107").unwrap();
        let after = Snapshot::parse("104:120:104,115").unwrap();
        assert_eq!(before.closed_by(&after), ["100", "107"]);
        assert!(before.closed_by(&before).is_empty());
    }
}
