//! The ticker: writes down, many times a second, what a reader can see.
//!
//! Any number of tickers may run and one works: whoever finds that another has ticked stands by, and takes over when
//! there is news that nobody writes down. Each tick is taken under a lock on one row, and its snapshot in the statement
//! after the one that got the lock, so that a later tick never sees less. Readers are told by NOTIFY, on a connection of the
//! ticker's own: writers never notify, because that makes their commits wait for each other.

use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::time::Instant;

use futures_util::future::{Either, select};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::tick::{self, Snapshot, Tick};
use super::{CHANNEL, fault, sweep};
use crate::postgres::hosts::Hosts;
use daira_core::error::{Error, ErrorKind, Result};

/// How often the working ticker looks for news.
const BEAT: Duration = Duration::from_millis(25);
/// How often one that stands by looks, and how long others may leave news lying before it takes over.
const STAND_BY: Duration = Duration::from_millis(250);
/// How long it waits to connect again.
const RECONNECT: Duration = Duration::from_secs(1);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often spent ticks and positions are removed.
const SWEEP: Duration = Duration::from_mins(1);

/// Writes ticks.
pub struct Ticker {
    hosts: Hosts,
    /// The newest tick known.
    last: Option<Tick>,
    working: bool,
    sweeper: sweep::Sweeper,
    swept: Option<Instant>,
}

impl core::fmt::Debug for Ticker {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ticker").field("working", &self.working).finish_non_exhaustive()
    }
}

impl Ticker {
    /// With a way to connect directly, past any pooler, as the role of the workers.
    pub(in crate::postgres) fn new(hosts: Hosts) -> Self {
        // A ticker that hangs in its transaction must not stop all others.
        let hosts = hosts.map(|options| {
            options.options([
                ("idle_in_transaction_session_timeout", "5s"),
                ("lock_timeout", "5s"),
                ("statement_timeout", "60s"),
            ])
        });
        Self { hosts, last: None, working: false, sweeper: sweep::Sweeper::default(), swept: None }
    }

    /// Ticks until `shutdown` completes. A lost connection is made again; a fault is logged and tried again.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        loop {
            let error = {
                let work = pin!(self.connected());
                match select(&mut shutdown, work).await {
                    Either::Left(((), _)) => return,
                    Either::Right((error, _)) => error,
                }
            };
            tracing::warn!(error = %error, cause = ?core::error::Error::source(&error), "the ticker lost its footing");
            // Another server may be the primary now, and lack what this one had not been sent.
            (self.working, self.last) = (false, None);
            let pause = pin!(tokio::time::sleep(RECONNECT));
            if let Either::Left(_) = select(&mut shutdown, pause).await {
                return;
            }
        }
    }

    async fn connected(&mut self) -> Error {
        match self.hosts.primary().await {
            Ok((_, mut db)) => loop {
                // A server that is gone without a word would be waited for, and nobody would tick.
                match tokio::time::timeout(PATIENCE, self.step(&mut db)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error,
                    Err(_) => return Error::new(ErrorKind::Unavailable, "ticker.silent"),
                }
                if self.working && self.swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                    self.swept = Some(Instant::now());
                    if let Err(error) = self.sweeper.sweep(&mut db).await {
                        return error;
                    }
                }
                tokio::time::sleep(if self.working { BEAT } else { STAND_BY }).await;
            },
            Err(error) => fault("ticker.connect", error),
        }
    }

    /// One look, and a tick when there is news that is this ticker's to write down.
    async fn step(&mut self, db: &mut PgConnection) -> Result<()> {
        let Some(last) = &self.last else {
            self.working = false;
            self.last = Some(tick::newest(db).await?);
            return Ok(());
        };
        let look = look(db, last).await?;
        if look.newest == last.n && !look.news {
            return Ok(());
        }
        // When another was faster, now or since the last look, this one stands by.
        self.working = look.newest == last.n && tick_after(db, last.n).await?;
        self.last = Some(tick::newest(db).await?);
        Ok(())
    }
}

/// Writes the tick after the tick `last`, unless somebody else did.
async fn tick_after(db: &mut PgConnection, last: i64) -> Result<bool> {
    let failed = |e| fault("ticker.tick", e);
    let mut tx = db.begin().await.map_err(failed)?;
    // Losing a tick in a crash loses nothing: no position can rest on it that is not lost too.
    sqlx::raw_sql("set local synchronous_commit = off; select from daira.ticker for update")
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    // The snapshot of this statement is younger than the lock. The oldest transaction that it does not see was begun after
    // every tick that ends at or before it; what it appends is younger than the latest such tick.
    let written = sqlx::query(
        "insert into daira.tick (n, snap, since, top)
         select l.n + 1, pg_current_snapshot(),
                greatest(l.since, (
                    select t.at from daira.tick t where pg_snapshot_xmax(t.snap) <= pg_snapshot_xmin(pg_current_snapshot())
                    order by pg_snapshot_xmax(t.snap) desc, t.at desc limit 1) - interval '1 hour'),
                (select last_value from daira.event_id_seq)
         from (select n, since from daira.tick order by n desc limit 1) l where l.n = $1",
    )
    .bind(last)
    .execute(&mut *tx)
    .await
    .map_err(failed)?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("select pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind((last + 1).to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(true)
}

struct Look {
    newest: i64,
    news: bool,
}

/// Whether there is anything that the last tick does not see: an event; a writer that has been open for a while, so
/// that what it appends is looked up by its own id and not found again and again among what is new; or silence for
/// long enough that readers should move on to a younger tick.
async fn look(db: &mut PgConnection, last: &Tick) -> Result<Look> {
    let read = |e| fault("ticker.look", e);
    let row = sqlx::query(
        "select (select max(n) from daira.tick), pg_current_snapshot()::text,
                clock_timestamp() - $4 > interval '5 minutes'
             or (clock_timestamp() - $4 > interval '250 ms' and exists (
                    select from pg_snapshot_xip(pg_current_snapshot()) x where x >= $2::text::xid8))
             or exists (select from unnest($5::smallint[]) l (of) cross join lateral (
                    select from daira.event
                    where at >= $1 and at < now() + interval '1 day' and lane = l.of and xid >= $2::text::xid8 limit 1) e)
             or exists (select from unnest($5::smallint[]) l (of)
                    cross join (select x from unnest($3::text[]::xid8[]) x where pg_visible_in_snapshot(x, pg_current_snapshot())) x (closed)
                    cross join lateral (
                    select from daira.event
                    where at >= $1 and at < now() + interval '1 day' and lane = l.of and xid = x.closed limit 1) e)",
    )
    .bind(last.since)
    .bind(last.snap.xmax.to_string())
    .bind(last.snap.open())
    .bind(last.at)
    .bind((0..daira_core::event::LANES).collect::<Vec<i16>>())
    .fetch_one(db)
    .await
    .map_err(read)?;
    let now: String = row.try_get(1).map_err(read)?;
    if Snapshot::parse(&now).is_none_or(|now| now.xmax < last.snap.xmax) {
        return Err(Error::new(ErrorKind::Corrupt, "ticker.restored").with_source(
            "transaction ids lie behind those of the log: the database was restored from a dump; run daira.restart_event_log() as its owner",
        ));
    }
    Ok(Look { newest: row.try_get(0).map_err(read)?, news: row.try_get(2).map_err(read)? })
}
