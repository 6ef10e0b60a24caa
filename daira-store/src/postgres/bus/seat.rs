//! A consumer's seat in its group: the lanes it holds, how far each of them is, and the window it is reading.
//!
//! Lanes are shared out by looking, once a second: every living member takes free lanes up to its share and gives back
//! what it has beyond it. A member lives while its row is renewed; the lanes of a dead one are free. Taking or giving a
//! lane raises its epoch, and a commit counts only under the epoch that its batch was read with, so a lane that changed
//! hands cannot be moved by whoever had it before.
//!
//! How far a lane is, is kept here as well, because nobody but its owner moves it: lanes without events advance in
//! memory and are written down once a second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Row as _;

use super::tick::{self, Tick};
use super::window::{self, Bounds, Row};
use super::{BusSettings, fault};
use crate::postgres::wire::{Pool, Wire};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::event::LANES;
use daira_core::port::Group;

/// How many events are fetched from a window at once and how far apart its ticks are taken, at least.
const FETCH: i64 = 4_096;

/// How far a lane is: all that `tick` sees is done and, of what the second tick sees besides, the events up to the id.
#[derive(Debug, Clone)]
struct Cursor {
    tick: Arc<Tick>,
    part: Option<(Arc<Tick>, i64)>,
}

impl Cursor {
    /// Tick, id and further tick: lanes of one key go on together.
    fn key(&self) -> (i64, i64, i64) {
        self.part.as_ref().map_or((self.tick.n, 0, 0), |(upto, after)| (self.tick.n, *after, upto.n))
    }
}

struct Held {
    epoch: i64,
    cursor: Cursor,
    /// The key as it is stored.
    stored: (i64, i64, i64),
}

/// What is left of the window being read.
struct Window {
    start: Cursor,
    upto: Arc<Tick>,
    lanes: Vec<i16>,
    rows: Vec<Row>,
    /// Whether the window holds more than `rows`.
    more: bool,
}

/// Where a batch moves its lanes to when it is committed.
#[derive(Debug, Clone)]
pub(super) struct Step {
    turn: u64,
    taken: usize,
    lanes: Vec<i16>,
    active: Vec<i16>,
    to: Cursor,
}

/// One consumer's place in a group.
pub(super) struct Seat {
    pub(super) group: Group,
    pub(super) owner: String,
    lanes: BTreeMap<i16, Held>,
    window: Option<Window>,
    /// Grows with every change: a batch read before it is void.
    turn: u64,
    registered: bool,
    parked: bool,
    renewed: Option<Instant>,
    settled: Option<Instant>,
    flushed: Instant,
    /// Whether dead letters are to be looked at.
    pub(super) letters_due: bool,
    /// On which of its store's primaries this place is.
    moves: u64,
}

impl Seat {
    pub(super) fn new(group: Group, owner: &str) -> Self {
        Self {
            group,
            owner: owner.to_owned(),
            lanes: BTreeMap::new(),
            window: None,
            turn: 0,
            registered: false,
            parked: false,
            renewed: None,
            settled: None,
            flushed: Instant::now(),
            letters_due: true,
            moves: 0,
        }
    }

    /// Forgets everything when the primary is another one than before: its log may lack what was read here, and use the same
    /// numbers anew for what was not.
    pub(super) fn follow(&mut self, moves: u64) {
        if self.moves != moves {
            self.reset();
            self.moves = moves;
        }
    }

    /// Forgets everything: the outcome of a commit is not known, or a lane was lost. The lanes are taken anew, which
    /// fences whatever may still be on its way.
    pub(super) fn reset(&mut self) {
        let (group, owner, turn) = (self.group, std::mem::take(&mut self.owner), self.turn);
        let moves = self.moves;
        *self = Self { turn: turn + 1, moves, ..Self::new(group, &owner) };
    }

    pub(super) fn turn(&self) -> u64 {
        self.turn
    }

    /// The lanes held, and whether the group may read at all.
    pub(super) fn lanes(&self) -> Vec<i16> {
        if self.parked { Vec::new() } else { self.lanes.keys().copied().collect() }
    }

    /// Renews the membership and shares the lanes out, when it is time for either.
    pub(super) async fn settle(&mut self, db: &Pool, settings: &BusSettings) -> Result<()> {
        if !self.registered {
            self.register(db).await?;
        }
        if due(self.renewed, settings.lease / 3) {
            renew(db, &[self.group.name], &[&self.owner], settings.lease).await?;
            self.renewed = Some(Instant::now());
        }
        if !due(self.settled, settings.settle) {
            return Ok(());
        }
        let rows = sqlx::query(
            "select l.lane, l.epoch, l.owner is not distinct from $2 as mine,
                    not exists (select from daira.member m where m.grp = $1 and m.owner = l.owner and m.until > now()) as free,
                    (select count(*) from daira.member m where m.grp = $1 and m.until > now()) as members,
                    (select parked_at is not null from daira.consumer_group where name = $1) as parked
             from daira.lease l where l.grp = $1",
        )
        .bind(self.group.name)
        .bind(&self.owner)
        .fetch_all(db)
        .await
        .map_err(|e| fault("bus.lanes", e))?;
        let (mut members, mut free, mut mine) = (1, Vec::new(), BTreeMap::new());
        for row in &rows {
            let read = |e| fault("bus.lanes", e);
            let lane: i16 = row.try_get("lane").map_err(read)?;
            members = row.try_get::<i64, _>("members").map_err(read)?.max(1);
            self.parked = row.try_get("parked").map_err(read)?;
            if row.try_get("mine").map_err(read)? {
                mine.insert(lane, row.try_get::<i64, _>("epoch").map_err(read)?);
            } else if row.try_get("free").map_err(read)? {
                free.push(lane);
            }
        }
        let before = self.lanes.len();
        self.lanes.retain(|lane, held| mine.get(lane) == Some(&held.epoch));
        if self.lanes.len() < before {
            self.changed();
        }
        // What carries my name and is not in my memory was held by a former life of mine: it is taken anew.
        free.extend(mine.keys().filter(|lane| !self.lanes.contains_key(lane)));
        let share = usize::try_from(i64::from(LANES).unsigned_abs().div_ceil(members.unsigned_abs())).unwrap_or(1);
        if self.lanes.len() > share {
            self.give_back(db, self.lanes.len() - share).await?;
        } else if self.lanes.len() < share && !free.is_empty() {
            self.take(db, &free, share - self.lanes.len()).await?;
        }
        self.letters_due = true;
        self.settled = Some(Instant::now());
        Ok(())
    }

    /// Makes the group known, with all its lanes at the oldest kept tick.
    async fn register(&mut self, db: &Pool) -> Result<()> {
        sqlx::query(
            "with made as (
                 insert into daira.consumer_group as g (name, topics, rebuilds) values ($1, $2, $3)
                 on conflict (name) do update set topics = excluded.topics, rebuilds = excluded.rebuilds
                 where (g.topics, g.rebuilds) is distinct from (excluded.topics, excluded.rebuilds)
             ), lanes as (
                 insert into daira.lease (grp, lane) select $1, generate_series(0, $4 - 1) on conflict do nothing returning lane
             )
             insert into daira.position (grp, lane, tick) select $1, lane, (select min(n) from daira.tick) from lanes",
        )
        .bind(self.group.name)
        .bind(self.group.topics)
        .bind(self.group.rebuilds)
        .bind(i32::from(LANES))
        .execute(db)
        .await
        .map_err(|e| fault("bus.register", e))?;
        self.registered = true;
        Ok(())
    }

    async fn take(&mut self, db: &Pool, free: &[i16], count: usize) -> Result<()> {
        let taken: Vec<(i16, i64)> = sqlx::query_as(
            "update daira.lease l set owner = $2, epoch = l.epoch + 1 from (
                 select lane from daira.lease f
                 where grp = $1 and lane = any($3) and (owner is null or owner = $2 or not exists (
                     select from daira.member m where m.grp = $1 and m.owner = f.owner and m.until > now()))
                 order by lane limit $4 for update skip locked
             ) f where l.grp = $1 and l.lane = f.lane returning l.lane, l.epoch",
        )
        .bind(self.group.name)
        .bind(&self.owner)
        .bind(free)
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await
        .map_err(|e| fault("bus.take", e))?;
        if taken.is_empty() {
            return Ok(());
        }
        // In a later statement than the taking: the former owner can commit nothing any more.
        let lanes: Vec<i16> = taken.iter().map(|t| t.0).collect();
        let rows = sqlx::query(
            "select u.lane, p.after, b.n is not null,
                    a.n, a.snap::text, a.since, a.top, a.at, b.n, b.snap::text, b.since, b.top, b.at
             from unnest($2::smallint[]) u (lane)
             cross join lateral (
                 select * from daira.position where grp = $1 and lane = u.lane order by tick desc, after desc limit 1
             ) p
             join daira.tick a on a.n = p.tick left join daira.tick b on b.n = p.upto",
        )
        .bind(self.group.name)
        .bind(&lanes)
        .fetch_all(db)
        .await
        .map_err(|e| fault("bus.positions", e))?;
        if rows.len() != lanes.len() {
            return Err(
                Error::new(ErrorKind::Corrupt, "bus.positions").with_source("a lane's position or its tick is missing")
            );
        }
        let mut ticks = BTreeMap::new();
        for row in &rows {
            let read = |e| fault("bus.positions", e);
            let mut tick =
                |at| Tick::read(row, at).map(|t| Arc::clone(ticks.entry(t.n).or_insert_with(|| Arc::new(t))));
            let lane: i16 = row.try_get(0).map_err(read)?;
            let partial: bool = row.try_get(2).map_err(read)?;
            let part = if partial { Some((tick(8)?, row.try_get(1).map_err(read)?)) } else { None };
            let cursor = Cursor { tick: tick(3)?, part };
            let Some(epoch) = taken.iter().find(|t| t.0 == lane).map(|t| t.1) else { continue };
            let stored = cursor.key();
            self.lanes.insert(lane, Held { epoch, cursor, stored });
        }
        self.changed();
        Ok(())
    }

    async fn give_back(&mut self, db: &Pool, count: usize) -> Result<()> {
        let lanes: Vec<i16> = self.lanes.keys().rev().take(count).copied().collect();
        free(db, self.group.name, &self.owner, Some(&lanes)).await?;
        self.lanes.retain(|lane, _| !lanes.contains(lane));
        self.changed();
        Ok(())
    }

    fn changed(&mut self) {
        self.window = None;
        self.turn += 1;
    }

    /// The next events and where committing them leads, or nothing when there are none now.
    pub(super) async fn advance(
        &mut self,
        db: &Pool,
        settings: &BusSettings,
        max: usize,
    ) -> Result<Option<(Vec<Row>, Step)>> {
        // Windows without events are stepped over; that many at once, then others get a turn.
        for _ in 0..64 {
            if self.window.is_none() && !self.open(db, max).await? {
                break;
            }
            let Some(window) = &self.window else { break };
            if !window.rows.is_empty() {
                return Ok(Some(Self::cut(window, self.turn, max)));
            }
            let (lanes, to) = (window.lanes.clone(), Cursor { tick: Arc::clone(&window.upto), part: None });
            self.moved(&lanes, &to);
            self.changed();
        }
        if self.flushed.elapsed() >= settings.settle {
            self.flush(db).await?;
        }
        Ok(None)
    }

    /// Opens the window of the lanes that are farthest behind; says whether there is one.
    async fn open(&mut self, db: &Pool, max: usize) -> Result<bool> {
        let Some((start, lanes)) = self.hindmost() else { return Ok(false) };
        let limit = i64::try_from(max).unwrap_or(FETCH).max(FETCH);
        let (upto, after) = if let Some((upto, after)) = &start.part {
            (Arc::clone(upto), *after)
        } else {
            // Never past the place where other lanes stand, so that all go on together from there.
            let cap = self.lanes.values().filter(|h| h.cursor.key() != start.key()).map(|h| match &h.cursor.part {
                Some((upto, _)) if h.cursor.tick.n == start.tick.n => upto.n,
                _ => h.cursor.tick.n,
            });
            match tick::next(db, &start.tick, limit, cap.min()).await? {
                Some(upto) => (Arc::new(upto), 0),
                None => return Ok(false),
            }
        };
        let bounds = Bounds { from: &start.tick, upto: &upto, after, lanes: &lanes, topics: self.group.topics };
        let rows = window::fetch(db, &bounds, limit).await?;
        let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
        self.window = Some(Window { start, upto, lanes, rows, more });
        Ok(true)
    }

    fn hindmost(&self) -> Option<(Cursor, Vec<i16>)> {
        let start = self.lanes.values().map(|h| &h.cursor).min_by_key(|c| c.key())?.clone();
        let lanes = self.lanes.iter().filter(|(_, h)| h.cursor.key() == start.key()).map(|(lane, _)| *lane).collect();
        Some((start, lanes))
    }

    fn cut(window: &Window, turn: u64, max: usize) -> (Vec<Row>, Step) {
        let rows: Vec<Row> = window.rows.iter().take(max.max(1)).cloned().collect();
        let last = rows.last().map_or(0, |r| r.id);
        let to = if rows.len() == window.rows.len() && !window.more {
            Cursor { tick: Arc::clone(&window.upto), part: None }
        } else {
            Cursor { tick: Arc::clone(&window.start.tick), part: Some((Arc::clone(&window.upto), last)) }
        };
        let mut active: Vec<i16> = rows.iter().map(|r| r.lane).collect();
        active.sort_unstable();
        active.dedup();
        let step = Step { turn, taken: rows.len(), lanes: window.lanes.clone(), active, to };
        (rows, step)
    }

    /// Writes a step down in the transaction of its effects and answers for which lanes. Nothing means that the batch
    /// does not count: somebody else has the lanes, or this seat has moved since.
    pub(super) async fn store(
        &mut self,
        db: &mut Wire,
        step: &Step,
        settings: &BusSettings,
    ) -> Result<Option<Vec<i16>>> {
        if step.turn != self.turn {
            return Ok(None);
        }
        // Lanes without events go along once a second.
        let lanes = if self.flushed.elapsed() >= settings.settle { &step.lanes } else { &step.active };
        let counts = self.fence(db, lanes).await? && self.place(db, lanes, &step.to).await?;
        Ok(counts.then(|| lanes.clone()))
    }

    /// Notes that a step is durable.
    pub(super) fn done(&mut self, step: &Step, stored: &[i16]) {
        if stored.len() == step.lanes.len() {
            self.flushed = Instant::now();
        }
        self.wrote(stored, &step.to);
        self.moved(&step.lanes, &step.to);
        self.turn += 1;
        if let Some(window) = &mut self.window {
            window.rows.drain(..step.taken.min(window.rows.len()));
            window.start = step.to.clone();
        }
        if self.window.as_ref().is_some_and(|w| w.rows.is_empty()) {
            self.window = None;
        }
    }

    fn moved(&mut self, lanes: &[i16], to: &Cursor) {
        for lane in lanes {
            if let Some(held) = self.lanes.get_mut(lane) {
                held.cursor = to.clone();
            }
        }
    }

    fn wrote(&mut self, lanes: &[i16], to: &Cursor) {
        for lane in lanes {
            if let Some(held) = self.lanes.get_mut(lane) {
                held.stored = to.key();
            }
        }
    }

    /// Writes down how far lanes without events are.
    async fn flush(&mut self, db: &Pool) -> Result<()> {
        let mut behind: BTreeMap<(i64, i64, i64), (Cursor, Vec<i16>)> = BTreeMap::new();
        for (lane, held) in self.lanes.iter().filter(|(_, h)| h.stored != h.cursor.key()) {
            behind.entry(held.cursor.key()).or_insert_with(|| (held.cursor.clone(), Vec::new())).1.push(*lane);
        }
        self.flushed = Instant::now();
        for (to, lanes) in behind.into_values() {
            let mut tx = super::begin(db).await?;
            if !(self.fence(&mut tx, &lanes).await? && self.place(&mut tx, &lanes, &to).await?) {
                self.reset();
                return Ok(());
            }
            if let Err(error) = tx.commit().await {
                self.reset();
                return Err(fault("bus.flush", error));
            }
            self.wrote(&lanes, &to);
        }
        Ok(())
    }

    /// Locks the leases of these lanes to the end of the transaction. Says whether all are still held, and the group is
    /// not parked.
    pub(super) async fn fence(&self, db: &mut Wire, lanes: &[i16]) -> Result<bool> {
        let epochs: Vec<i64> = lanes.iter().map(|lane| self.lanes.get(lane).map_or(-1, |h| h.epoch)).collect();
        let (held, parked): (i64, bool) = sqlx::query_as(
            "select count(*), (select parked_at is not null from daira.consumer_group where name = $1) from (
                 select from daira.lease l join unnest($2::smallint[], $3::bigint[]) u (lane, epoch) using (lane, epoch)
                 where l.grp = $1 for share of l
             ) held",
        )
        .bind(self.group.name)
        .bind(lanes)
        .bind(&epochs)
        .fetch_one(db)
        .await
        .map_err(|e| fault("bus.fence", e))?;
        Ok(usize::try_from(held) == Ok(lanes.len()) && !parked)
    }

    /// Inserts positions. An old tick is locked, so that it cannot be thinned out meanwhile; one that is gone is refused.
    async fn place(&self, db: &mut Wire, lanes: &[i16], to: &Cursor) -> Result<bool> {
        let placed = sqlx::query(
            "with old as materialized (
                 select n from daira.tick where n in ($3, $4) and at <= now() - interval '30 minutes' for key share
             ), young as (
                 select n from daira.tick where n in ($3, $4) and at > now() - interval '30 minutes'
             )
             insert into daira.position (grp, lane, tick, upto, after)
             select $1, u.lane, $3, $4, $5 from unnest($2::smallint[]) u (lane)
             where (select count(*) from old) + (select count(*) from young) = case when $4 is null then 1 else 2 end
             on conflict do nothing",
        )
        .bind(self.group.name)
        .bind(lanes)
        .bind(to.tick.n)
        .bind(to.part.as_ref().map(|p| p.0.n))
        .bind(to.part.as_ref().map_or(0, |p| p.1))
        .execute(db)
        .await
        .map_err(|e| fault("bus.place", e))?;
        Ok(usize::try_from(placed.rows_affected()) == Ok(lanes.len()))
    }

    /// The bounds and plan of the window that is read next, for people who look after the database.
    pub(super) async fn explain(&mut self, db: &Pool) -> Result<Vec<String>> {
        let Some((start, lanes)) = self.hindmost() else { return Ok(Vec::new()) };
        let upto = match &start.part {
            Some((upto, _)) => Arc::clone(upto),
            None => match tick::next(db, &start.tick, FETCH, None).await? {
                Some(upto) => Arc::new(upto),
                None => Arc::clone(&start.tick),
            },
        };
        let bounds = Bounds { from: &start.tick, upto: &upto, after: 0, lanes: &lanes, topics: self.group.topics };
        let mut tx = super::begin(db).await?;
        window::explain(&mut tx, &bounds, FETCH).await
    }
}

fn due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|at| at.elapsed() >= every)
}

/// Keeps members alive for another lease.
pub(super) async fn renew(db: &Pool, groups: &[&str], owners: &[&str], lease: Duration) -> Result<()> {
    sqlx::query(
        "insert into daira.member (grp, owner, until)
         select grp, owner, now() + $3::bigint * interval '1 ms'
         from unnest($1::text[], $2::text[]) u (grp, owner) join daira.consumer_group g on g.name = u.grp order by grp, owner
         on conflict (grp, owner) do update set until = excluded.until",
    )
    .bind(groups)
    .bind(owners)
    .bind(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
    .execute(db)
    .await
    .map(drop)
    .map_err(|e| fault("bus.renew", e))
}

/// Gives lanes up, all of the owner's when none are named.
pub(super) async fn free(db: &Pool, group: &str, owner: &str, lanes: Option<&[i16]>) -> Result<()> {
    sqlx::query("update daira.lease set owner = null, epoch = epoch + 1 where grp = $1 and owner = $2 and ($3 is null or lane = any($3))")
        .bind(group)
        .bind(owner)
        .bind(lanes)
        .execute(db)
        .await
        .map(drop)
        .map_err(|e| fault("bus.free", e))
}

/// Leaves the group: all lanes are free at once.
pub(super) async fn leave(db: &Pool, group: &str, owner: &str) -> Result<()> {
    free(db, group, owner, None).await?;
    sqlx::query("delete from daira.member where grp = $1 and owner = $2")
        .bind(group)
        .bind(owner)
        .execute(db)
        .await
        .map(drop)
        .map_err(|e| fault("bus.leave", e))
}
