//! Upkeep of the database: partitions ahead and expired, job leases, and a standing snapshot to prove counters against.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::actor::Actor;
use daira_core::error::Result;
use daira_core::id::{Id as _, PostId};
use daira_core::port::{Backfill, Delivered, Group, JobOutcome, Maintenance, UnitOfWork};
use daira_core::time::Timestamp;

use super::backfill;
use super::bus::lag::undelivered;
use super::error::fault;
use super::store::{BEGIN_SNAPSHOT, PgStore};

/// How long the event log is kept at least; longer while a group needs it.
const KEEP_EVENTS: Duration = Duration::from_hours(72);
/// How long it is known which posts and profiles changed: far longer than a process relies on it.
const KEEP_CHANGES: Duration = Duration::from_hours(24);
/// How many rows are deleted at once.
const CHUNK: i64 = 10_000;

/// The upkeep of a [`PgStore`]. Days and leases go by the database's clock.
#[derive(Debug, Clone)]
pub struct PgMaintenance {
    store: PgStore,
    keep_events: Duration,
}

impl PgMaintenance {
    /// Looks after a store.
    pub fn new(store: &PgStore) -> Self {
        Self { store: store.clone(), keep_events: KEEP_EVENTS }
    }

    /// Keeps the event log for this long at least, instead of three days.
    #[must_use]
    pub fn keep_events(mut self, keep: Duration) -> Self {
        self.keep_events = keep;
        self
    }
}

/// A duration as Postgres takes it: whole milliseconds.
fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Maintenance for PgMaintenance {
    async fn ensure_partitions(&self, now: Timestamp, days: u16) -> Result<u16> {
        const OPERATION: &str = "maintenance.ensure_partitions";
        // Ids carry the program's time and defaults the database's: both get their days.
        sqlx::query("select daira.ensure_partitions(at, $2) from unnest(array[now(), 'epoch'::timestamptz + $1 * interval '1 microsecond']) at")
            .bind(now.as_micros())
            .bind(i32::from(days))
            .execute(self.store.worker_pool())
            .await
            .map_err(|e| fault(OPERATION, e))?;
        let ahead: i32 = sqlx::query_scalar(
            "select least(daira.partition_days_ahead(now()), daira.partition_days_ahead('epoch'::timestamptz + $1 * interval '1 microsecond'))",
        )
        .bind(now.as_micros())
        .fetch_one(self.store.worker_pool())
        .await
        .map_err(|e| fault(OPERATION, e))?;
        Ok(u16::try_from(ahead).unwrap_or(0))
    }

    async fn expire(&self, now: Timestamp) -> Result<u32> {
        let gone: i32 = sqlx::query_scalar(
            "select daira.expire_partitions('epoch'::timestamptz + $1 * interval '1 microsecond')
                  + daira.expire_events($2::bigint * interval '1 ms')",
        )
        .bind(now.as_micros())
        .bind(milliseconds(self.keep_events))
        .fetch_one(self.store.worker_pool())
        .await
        .map_err(|e| fault("maintenance.expire", e))?;
        loop {
            let forgotten = sqlx::query(
                "delete from daira.card_change where ctid = any (array(
                     select ctid from daira.card_change where at < now() - $1::bigint * interval '1 ms' limit $2))",
            )
            .bind(milliseconds(KEEP_CHANGES))
            .bind(CHUNK)
            .execute(self.store.worker_pool())
            .await
            .map_err(|e| fault("maintenance.expire", e))?;
            if i64::try_from(forgotten.rows_affected()).unwrap_or(i64::MAX) < CHUNK {
                break;
            }
        }
        Ok(u32::try_from(gone).unwrap_or(0))
    }

    async fn snapshot(&self, actor: &Actor, group: Group, most: u32) -> Result<(Box<dyn UnitOfWork>, Vec<Delivered>)> {
        let mut unit = self.store.unit(actor, BEGIN_SNAPSHOT).await?;
        let pending = undelivered(unit.connection(), group, most).await?;
        Ok((Box::new(unit), pending))
    }

    async fn pushed_posts(&self, after: PostId, limit: u32) -> Result<Vec<PostId>> {
        let posts: Vec<i64> = sqlx::query_scalar(
            "select id from daira.post where delivery = 1 and id > $1 and deleted_at is null order by id limit $2",
        )
        .bind(after.raw())
        .bind(i64::from(limit))
        .fetch_all(self.store.worker_pool())
        .await
        .map_err(|e| fault("maintenance.pushed_posts", e))?;
        Ok(posts.into_iter().map(PostId::from_raw).collect())
    }

    async fn backfills(&self) -> Result<Vec<Backfill>> {
        backfill::all(&self.store).await
    }

    async fn fill(&self, rows: u32) -> Result<Option<Backfill>> {
        backfill::next(&self.store, rows).await
    }

    async fn pause_backfill(&self, name: &str, paused: bool) -> Result<bool> {
        backfill::pause(&self.store, name, paused).await
    }

    async fn begin_job(&self, name: &str, owner: &str, every: Duration, lease: Duration) -> Result<bool> {
        let begun = sqlx::query(
            "insert into daira.job as j (name, owner, until, began_at) values ($1, $2, now() + $4::bigint * interval '1 ms', now())
             on conflict (name) do update
                 set owner = excluded.owner, until = excluded.until, began_at = excluded.began_at, ended_at = null, failed = false
                 where case when j.owner is null then j.failed or j.began_at <= now() - $3::bigint * interval '1 ms' else j.until <= now() end",
        )
        .bind(name)
        .bind(owner)
        .bind(milliseconds(every))
        .bind(milliseconds(lease))
        .execute(self.store.worker_pool())
        .await
        .map_err(|e| fault("maintenance.begin_job", e))?;
        Ok(begun.rows_affected() == 1)
    }

    async fn keep_job(&self, name: &str, owner: &str, lease: Duration) -> Result<bool> {
        let kept = sqlx::query(
            "update daira.job set until = now() + $3::bigint * interval '1 ms' where name = $1 and owner = $2 and until > now()",
        )
        .bind(name)
        .bind(owner)
        .bind(milliseconds(lease))
        .execute(self.store.worker_pool())
        .await
        .map_err(|e| fault("maintenance.keep_job", e))?;
        Ok(kept.rows_affected() == 1)
    }

    async fn end_job(&self, name: &str, owner: &str, outcome: JobOutcome) -> Result<()> {
        sqlx::query(
            "update daira.job set owner = null, until = null, ended_at = now(), failed = $3
             where name = $1 and owner = $2 and until > now()",
        )
        .bind(name)
        .bind(owner)
        .bind(outcome == JobOutcome::Failed)
        .execute(self.store.worker_pool())
        .await
        .map(drop)
        .map_err(|e| fault("maintenance.end_job", e))
    }
}
