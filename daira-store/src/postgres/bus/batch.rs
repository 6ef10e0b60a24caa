//! A batch: events, the unit that their effects join, and the step that its commit takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use tokio::sync::Mutex;

use super::seat::{Seat, Step};
use super::window::Row;
use super::{BusSettings, letter};
use crate::postgres::unit::PgUnit;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Delivered, EventBatch, Group, Savepoint, UnitOfWork};

/// Where a batch's events come from.
pub(super) enum Source {
    /// The log: the step is written with the effects.
    Log(Step),
    /// Dead letters whose turn came again: their rows go with the effects. The seat's turn fences them.
    Letters(u64),
}

/// See the [module](self).
pub(super) struct PgBatch {
    group: Group,
    settings: BusSettings,
    seat: Arc<Mutex<Seat>>,
    unit: Box<PgUnit>,
    source: Source,
    rows: Vec<Row>,
    events: Vec<Delivered>,
    /// Events that became letters in this batch.
    buried: BTreeSet<i64>,
    points: u32,
}

impl PgBatch {
    /// Opens a batch. What this version cannot read becomes a dead letter on the spot.
    pub(super) async fn open(
        group: Group,
        settings: BusSettings,
        seat: Arc<Mutex<Seat>>,
        unit: Box<PgUnit>,
        source: Source,
        rows: Vec<Row>,
    ) -> Result<Self> {
        let mut events = Vec::with_capacity(rows.len());
        let mut unread = Vec::new();
        for row in &rows {
            match row.deliver() {
                Ok(event) => events.push(event),
                Err(error) => unread.push((row.clone(), error)),
            }
        }
        let mut batch = Self { group, settings, seat, unit, source, rows, events, buried: BTreeSet::new(), points: 0 };
        for (row, error) in unread {
            let blocked = batch.blocked(&[row.key], true).await?;
            tracing::error!(group = group.name, event = row.id, kind = row.kind, %error, "an event cannot be read");
            let reason = format!("this version cannot read it: {error}");
            batch.keep(&row, row.attempts.saturating_add(1), &reason, !blocked.is_empty()).await?;
        }
        Ok(batch)
    }

    async fn keep(&mut self, row: &Row, attempts: i16, reason: &str, parked: bool) -> Result<()> {
        let kept = letter::bury(self.unit.connection(), self.group.name, row, attempts, reason, parked).await;
        self.unit.check("bus.bury", kept)?;
        self.buried.insert(row.id);
        Ok(())
    }

    async fn blocked(&mut self, keys: &[i64], dead: bool) -> Result<Vec<i64>> {
        let keys = letter::blocked_keys(self.unit.connection(), self.group.name, keys, dead).await;
        self.unit.check("bus.parked_keys", keys)
    }

    async fn command(&mut self, sql: String) -> Result<()> {
        let sent = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.unit.connection()).await;
        self.unit.check("bus.savepoint", sent).map(drop)
    }

    /// Writes down, in the unit, that the events are done with. Answers the lanes whose position was stored.
    async fn settle(&mut self, seat: &mut Seat) -> Result<Option<Vec<i16>>> {
        let db = self.unit.connection();
        match &self.source {
            Source::Log(step) => seat.store(db, step, &self.settings).await,
            Source::Letters(turn) => {
                let mut lanes: Vec<i16> = self.rows.iter().map(|r| r.lane).collect();
                lanes.sort_unstable();
                lanes.dedup();
                let ids: Vec<i64> = self.rows.iter().map(|r| r.id).filter(|id| !self.buried.contains(id)).collect();
                if *turn != seat.turn() || !seat.fence(db, &lanes).await? {
                    return Ok(None);
                }
                let gone = letter::delivered(db, self.group.name, &ids).await;
                Ok(self.unit.check("bus.delivered", gone)?.then(Vec::new))
            }
        }
    }
}

#[async_trait]
impl EventBatch for PgBatch {
    fn events(&self) -> &[Delivered] {
        &self.events
    }

    fn unit(&mut self) -> &mut dyn UnitOfWork {
        &mut *self.unit
    }

    async fn savepoint(&mut self) -> Result<Savepoint> {
        // Only one stands at a time: hundreds of nested ones would slow down every reader's snapshots.
        let release = if self.points == 0 { String::new() } else { format!("release savepoint p{}; ", self.points) };
        self.points += 1;
        self.command(format!("{release}savepoint p{}", self.points)).await?;
        Ok(Savepoint(self.points))
    }

    async fn rollback_to(&mut self, point: Savepoint) -> Result<()> {
        if point.0 == 0 || point.0 != self.points {
            return Err(Error::new(ErrorKind::Internal, "bus.savepoint").with_source("only the latest point holds"));
        }
        self.command(format!("rollback to savepoint p{}", point.0)).await?;
        self.unit.mended();
        Ok(())
    }

    async fn bury(&mut self, event: i64, attempts: u16, reason: &str, parked: bool) -> Result<()> {
        let row = self.rows.iter().find(|r| r.id == event).cloned();
        let row =
            row.ok_or_else(|| Error::new(ErrorKind::Internal, "bus.bury").with_source("no such event in this batch"))?;
        self.keep(&row, i16::try_from(attempts).unwrap_or(i16::MAX), reason, parked).await
    }

    async fn parked_keys(&mut self) -> Result<Vec<i64>> {
        let keys: Vec<i64> = self.events.iter().map(|e| e.envelope.key).collect();
        // Behind what waits in the letters everything of its key waits; what comes from there waits only for the dead.
        let dead = matches!(self.source, Source::Letters(_));
        self.blocked(&keys, dead).await
    }

    async fn commit(mut self: Box<Self>) -> Result<()> {
        let seat = Arc::clone(&self.seat);
        let mut seat = seat.lock().await;
        let settled = match self.settle(&mut seat).await {
            Ok(Some(lanes)) => lanes,
            Ok(None) => {
                seat.reset();
                return Err(Error::new(ErrorKind::Serialization, "bus.lease_lost"));
            }
            Err(error) => {
                seat.reset();
                return Err(error);
            }
        };
        let Self { unit, source, .. } = *self;
        if let Err(error) = unit.finish().await {
            // It may have happened: only a new epoch can tell.
            seat.reset();
            return Err(error);
        }
        match source {
            Source::Log(step) => seat.done(&step, &settled),
            Source::Letters(_) => seat.letters_due = true,
        }
        Ok(())
    }
}
