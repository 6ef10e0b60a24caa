//! The event log under everything that can go wrong with it: late commits, open writers, held snapshots, inverted
//! transaction ids, races for lanes, stolen leases, killed connections, poison, and days that go.
//!
//! The effect of an event is one more event, in another topic, appended in the batch's unit: whether an effect happened
//! once and in order can then be read from the log itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use daira_core::actor::Actor;
use daira_core::error::ErrorKind;
use daira_core::event::{Event, lane};
use daira_core::port::{Delivered, EventBatch, EventBus, Group, JobOutcome, Maintenance};
use daira_core::proto::event::v1;
use daira_core::secret::Secret;
use daira_core::time::Timestamp;
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{BusSettings, PgBus, PgMaintenance, PgStore, PgStoreConfig};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;

const GROUP: Group = Group { name: "test", topics: &["daira.post.v1"], rebuilds: false };
const QUICK: BusSettings =
    BusSettings { lease: Duration::from_secs(3), settle: Duration::from_millis(50), poll: Duration::from_millis(20) };

/// A database of its own, with a ticker.
struct World {
    config: PgStoreConfig,
    store: PgStore,
    bus: PgBus,
    tasks: JoinSet<()>,
    database: TestDatabase,
}

impl World {
    async fn new(server: Server) -> Self {
        Self::without_ticker(server).await.with_ticker()
    }

    async fn without_ticker(server: Server) -> Self {
        let database = server.database().await.unwrap();
        let mut config = database.config();
        config.worker_connections = 12;
        let store = PgStore::connect(&config).await.unwrap();
        let bus = PgBus::new(&store, QUICK);
        Self { config, store, bus, tasks: JoinSet::new(), database }
    }

    fn with_ticker(mut self) -> Self {
        self.start_ticker();
        let attendant = self.bus.attendant(&Secret::new(&self.config.worker_url));
        self.tasks.spawn(attendant.run(std::future::pending()));
        self
    }

    fn start_ticker(&mut self) -> tokio::task::AbortHandle {
        let ticker = PgBus::ticker(&self.config.worker_url).unwrap();
        self.tasks.spawn(ticker.run(std::future::pending()))
    }

    /// A bus as another process has one.
    fn other_bus(&self) -> PgBus {
        PgBus::new(&self.store, QUICK)
    }

    async fn app(&self) -> PgConnection {
        PgConnection::connect(&self.config.app_url).await.unwrap()
    }

    async fn worker(&self) -> PgConnection {
        PgConnection::connect(&self.config.worker_url).await.unwrap()
    }

    /// Somebody whom row security does not apply to.
    async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url()).await.unwrap()
    }

    /// The effects in the log: for each key the numbers, in order.
    async fn effects(&self) -> BTreeMap<i64, Vec<i64>> {
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("select kind, payload from daira.event where topic = 'daira.comment.v1' order by id")
                .fetch_all(&mut self.worker().await)
                .await
                .unwrap();
        let mut effects: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (kind, payload) in rows {
            let Event::CommentCreated(effect) = Event::decode(&kind, &payload).unwrap() else { panic!("{kind}") };
            effects.entry(effect.post_id).or_default().push(effect.comment_id);
        }
        effects
    }

    /// Delivers everything there is, with effects; answers what came. Done when nothing came for a while.
    async fn drain(&self, owner: &str) -> Vec<(i64, i64)> {
        drain(&self.bus, owner, Duration::from_millis(700)).await
    }
}

/// Appends event `number` of a key, in whatever transaction the connection is in.
async fn append(db: &mut PgConnection, key: i64, number: i64) {
    let event = Event::from(v1::PostCreated { post_id: key, author_id: number, ..v1::PostCreated::default() });
    sqlx::query("insert into daira.event (lane, key, topic, kind, payload) values ($1, $2, $3, $4, $5)")
        .bind(lane(key))
        .bind(key)
        .bind(event.topic())
        .bind(event.kind())
        .bind(event.encode())
        .execute(db)
        .await
        .unwrap();
}

/// Key and number of an event.
fn read(delivered: &Delivered) -> (i64, i64) {
    let Event::PostCreated(event) = &delivered.event else { panic!("{delivered:?}") };
    (event.post_id, event.author_id)
}

fn effect((key, number): (i64, i64)) -> Event {
    v1::CommentCreated { comment_id: number, post_id: key, ..v1::CommentCreated::default() }.into()
}

async fn apply(batch: &mut dyn EventBatch) -> Vec<(i64, i64)> {
    let events: Vec<_> = batch.events().iter().map(read).collect();
    for event in &events {
        batch.unit().journal().append(&[effect(*event)]).await.unwrap();
    }
    events
}

/// The next batch, waited for.
async fn next(bus: &PgBus, owner: &str, max: usize) -> Box<dyn EventBatch> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(batch) = bus.next(GROUP, owner, max).await.unwrap() {
            return batch;
        }
        bus.wait(Duration::from_millis(20)).await;
    }
    panic!("{owner} got nothing for 20 s");
}

async fn drain(bus: &PgBus, owner: &str, quiet: Duration) -> Vec<(i64, i64)> {
    let mut seen = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < quiet {
        let Some(mut batch) = bus.next(GROUP, owner, 100).await.unwrap() else {
            bus.wait(Duration::from_millis(20)).await;
            continue;
        };
        let events = apply(batch.as_mut()).await;
        match batch.commit().await {
            Ok(()) => seen.extend(events),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Serialization, "{error:?}"),
        }
        last = Instant::now();
    }
    seen
}

/// Every key has the numbers 0, 1, 2, … up to its count.
fn in_order(effects: &BTreeMap<i64, Vec<i64>>, counts: &BTreeMap<i64, i64>) {
    for (key, count) in counts {
        assert_eq!(effects.get(key).cloned().unwrap_or_default(), (0..*count).collect::<Vec<_>>(), "key {key}");
    }
    assert_eq!(effects.len(), counts.len());
}

async fn a_late_commit_is_delivered(server: Server) {
    let world = World::new(server).await;
    let (mut early, mut late) = (world.app().await, world.app().await);
    let mut open = late.begin().await.unwrap();
    append(&mut open, 1, 0).await;
    append(&mut early, 2, 0).await;
    assert_eq!(world.drain("a").await, [(2, 0)], "an open transaction holds up nobody");
    append(&mut early, 3, 0).await;
    open.commit().await.unwrap();
    let mut rest = world.drain("a").await;
    rest.sort_unstable();
    assert_eq!(rest, [(1, 0), (3, 0)], "the smaller id came later and is not skipped");
}

async fn a_writer_held_open_for_twenty_seconds_holds_up_nobody(server: Server) {
    let world = World::new(server).await;
    let (mut held, mut writer) = (world.app().await, world.app().await);
    let mut open = held.begin().await.unwrap();
    sqlx::raw_sql("set local idle_in_transaction_session_timeout = 0").execute(&mut *open).await.unwrap();
    append(&mut open, 1, 0).await;
    let (begun, mut number) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(20) {
        let mut rolled_back = writer.begin().await.unwrap();
        append(&mut rolled_back, 2, 1_000_000 + number).await;
        rolled_back.rollback().await.unwrap();
        append(&mut writer, 2, number).await;
        number += 1;
        let mut batch = next(&world.bus, "a", 100).await;
        assert_eq!(apply(batch.as_mut()).await, [(2, number - 1)]);
        batch.commit().await.unwrap();
        sleep(Duration::from_millis(200)).await;
    }
    append(&mut open, 1, 1).await;
    open.commit().await.unwrap();
    assert_eq!(world.drain("a").await, [(1, 0), (1, 1)]);
    in_order(&world.effects().await, &BTreeMap::from([(1, 2), (2, number)]));
}

/// What a plan says it touched: the buffers of its topmost node.
fn buffers(plan: &[String]) -> i64 {
    let line =
        plan.iter().find(|line| line.trim_start().starts_with("Buffers: ")).unwrap_or_else(|| panic!("{plan:#?}"));
    line.split_whitespace().filter_map(|word| word.split_once('=')).filter_map(|(_, n)| n.parse::<i64>().ok()).sum()
}

async fn the_cost_is_flat_under_a_held_snapshot(server: Server) {
    let world = World::new(server).await;
    let mut reader = world.superuser().await;
    let mut snapshot = reader.begin().await.unwrap();
    sqlx::raw_sql(
        "set transaction isolation level repeatable read; select count(*) from daira.event, daira.position, daira.tick",
    )
    .execute(&mut *snapshot)
    .await
    .unwrap();
    let mut writer = world.app().await;
    let (mut costs, mut number) = (Vec::new(), 0);
    for _ in 0..8 {
        // Many small batches: each leaves positions and ticks behind that no vacuum may remove.
        for _ in 0..40 {
            let mut some = writer.begin().await.unwrap();
            for key in 0..16 {
                append(&mut some, key, number).await;
            }
            some.commit().await.unwrap();
            number += 1;
            let mut delivered = 0;
            while delivered < 16 {
                let mut batch = next(&world.bus, "a", 100).await;
                delivered += apply(batch.as_mut()).await.len();
                batch.commit().await.unwrap();
            }
        }
        for key in 0..16 {
            append(&mut writer, key, number).await;
        }
        number += 1;
        // The same work for every measurement: one window of sixteen events.
        let plan = loop {
            let plan = world.bus.explain(GROUP, "a").await.unwrap();
            if plan.iter().any(|line| line.contains("rows=16 ") && line.contains("Sort")) {
                break plan;
            }
            sleep(Duration::from_millis(20)).await;
        };
        costs.push(buffers(&plan));
        let mut delivered = 0;
        while delivered < 16 {
            let mut batch = next(&world.bus, "a", 100).await;
            delivered += apply(batch.as_mut()).await.len();
            batch.commit().await.unwrap();
        }
    }
    let (first, last) = (costs[1], costs[costs.len() - 1]);
    assert!(last <= first + first / 3 + 8, "buffers per window: {costs:?}");
    snapshot.rollback().await.unwrap();
    in_order(&world.effects().await, &(0..16).map(|key| (key, number)).collect());
}

async fn a_generic_plan_leaves_other_days_out(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    world.drain("a").await;
    append(&mut world.app().await, 1, 1).await;
    sleep(Duration::from_millis(300)).await;
    let plan = world.bus.explain(GROUP, "a").await.unwrap();
    let removed: Vec<_> = plan.iter().filter(|line| line.contains("Subplans Removed")).collect();
    assert!(!removed.is_empty(), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{plan:#?}");
}

async fn inverted_transaction_ids_keep_the_order_of_an_aggregate(server: Server) {
    let world = World::new(server).await;
    let (mut one, mut other) = (world.app().await, world.app().await);
    for round in 0..5 {
        let mut elder = one.begin().await.unwrap();
        let elder_id: String =
            sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *elder).await.unwrap();
        let mut younger = other.begin().await.unwrap();
        append(&mut younger, 1, 2 * round).await;
        let younger_id: String =
            sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *younger).await.unwrap();
        assert!(elder_id.parse::<u64>().unwrap() < younger_id.parse::<u64>().unwrap());
        younger.commit().await.unwrap();
        // Sometimes a tick lies between the two, sometimes not.
        sleep(Duration::from_millis(40 * u64::try_from(round % 2).unwrap())).await;
        append(&mut elder, 1, 2 * round + 1).await;
        elder.commit().await.unwrap();
    }
    world.drain("a").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 10)]));
}

/// Writers that lock what they write about, as services do: ids, transaction ids and commits come in any order.
async fn write(url: String, writer: i64, keys: i64, rounds: i64) {
    let mut db = PgConnection::connect(&url).await.unwrap();
    for round in 0..rounds {
        let mut tx = db.begin().await.unwrap();
        if round % 3 == 0 {
            sqlx::query("select pg_current_xact_id()").execute(&mut *tx).await.unwrap();
        }
        let key = 1 + (round * 7 + writer * 3) % keys;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(key).execute(&mut *tx).await.unwrap();
        let next = sqlx::query_scalar("select coalesce(max(reactions), 0) from daira.post_counter where post = $1");
        let number: i64 = next.bind(key).fetch_one(&mut *tx).await.unwrap();
        append(&mut tx, key, number).await;
        if round % 11 == 10 {
            tx.rollback().await.unwrap();
            continue;
        }
        let count = "insert into daira.post_counter as c (post, reactions) values ($1, 1) on conflict (post) do update set reactions = c.reactions + 1";
        sqlx::query(count).bind(key).execute(&mut *tx).await.unwrap();
        if round % 5 == 0 {
            sleep(Duration::from_millis(30)).await;
        }
        tx.commit().await.unwrap();
    }
}

impl World {
    /// How many events each key has, as the writers counted.
    async fn written(&self) -> BTreeMap<i64, i64> {
        let rows: Vec<(i64, i64)> = sqlx::query_as("select post, reactions from daira.post_counter")
            .fetch_all(&mut self.worker().await)
            .await
            .unwrap();
        rows.into_iter().collect()
    }
}

async fn three_consumers_keep_the_order_of_every_key(server: Server) {
    let world = World::new(server).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        writers.spawn(write(world.config.worker_url.clone(), writer, 40, 250));
    }
    let mut readers = JoinSet::new();
    for owner in ["a", "b", "c"] {
        let bus = world.other_bus();
        readers.spawn(async move { (owner, drain(&bus, owner, Duration::from_secs(2)).await.len()) });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let shares: Vec<_> = readers.join_all().await;
    let written = world.written().await;
    in_order(&world.effects().await, &written);
    assert_eq!(shares.iter().map(|(_, n)| i64::try_from(*n).unwrap()).sum::<i64>(), written.values().sum::<i64>());
    assert!(shares.iter().all(|(_, n)| *n > 0), "every consumer has lanes: {shares:?}");
}

async fn chaos_loses_and_repeats_nothing(server: Server) {
    // Batches are dropped half done, leases are stolen, connections are cut, consumers go and come.
    let world = World::new(server).await;
    let mut writers = JoinSet::new();
    for writer in 0..3 {
        writers.spawn(write(world.config.worker_url.clone(), writer, 25, 300));
    }
    let mut readers = JoinSet::new();
    for owner in 0..3_u64 {
        let bus = world.other_bus();
        readers.spawn(async move {
            let name = format!("chaos-{owner}");
            for turn in 0..120_u64 {
                let Some(mut batch) = bus.next(GROUP, &name, 7).await.unwrap_or_default() else {
                    bus.wait(Duration::from_millis(20)).await;
                    continue;
                };
                for event in batch.events().iter().map(read).collect::<Vec<_>>() {
                    if batch.unit().journal().append(&[effect(event)]).await.is_err() {
                        break;
                    }
                }
                match (turn * 7 + owner) % 10 {
                    0 => drop(batch),
                    1 => {
                        bus.release(GROUP, &name).await.unwrap();
                        assert!(batch.commit().await.is_err(), "a lane given up is not moved");
                    }
                    _ => drop(batch.commit().await),
                }
            }
        });
    }
    let mut cutter = world.superuser().await;
    for _ in 0..10 {
        sleep(Duration::from_millis(250)).await;
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'daira_worker' and application_name = 'daira' and state = 'idle in transaction' limit 1")
            .execute(&mut cutter)
            .await
            .unwrap();
        sqlx::query("update daira.member set until = now() where owner = (select max(owner) from daira.member)")
            .execute(&mut cutter)
            .await
            .unwrap();
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    while let Some(done) = readers.join_next().await {
        done.unwrap();
    }
    world.drain("last").await;
    sleep(QUICK.lease).await;
    world.drain("last").await;
    in_order(&world.effects().await, &world.written().await);
}

async fn two_consumers_share_the_lanes_and_never_one_of_them(server: Server) {
    let world = World::new(server).await;
    let (one, other) = (world.other_bus(), world.other_bus());
    for _ in 0..10 {
        let _ = tokio::join!(one.next(GROUP, "one", 10), other.next(GROUP, "other", 10));
        sleep(Duration::from_millis(60)).await;
    }
    let shares = |db: PgConnection| async move {
        let mut db = db;
        let rows: Vec<(Option<String>, i64)> =
            sqlx::query_as("select owner, count(*) from daira.lease group by owner order by owner")
                .fetch_all(&mut db)
                .await
                .unwrap();
        rows
    };
    let held = shares(world.worker().await).await;
    assert_eq!(held, [(Some("one".to_owned()), 8), (Some("other".to_owned()), 8)]);
    other.release(GROUP, "other").await.unwrap();
    sleep(Duration::from_millis(60)).await;
    let _ = one.next(GROUP, "one", 10).await.unwrap();
    assert_eq!(shares(world.worker().await).await, [(Some("one".to_owned()), 16)], "what is released is taken at once");
}

async fn a_stolen_lease_commits_nothing(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    let slow = world.other_bus();
    let mut batch = next(&slow, "slow", 10).await;
    assert_eq!(apply(batch.as_mut()).await, [(1, 0)]);
    // Nobody renews it, so its lanes go to somebody else, who does the work.
    sleep(QUICK.lease + Duration::from_millis(200)).await;
    assert_eq!(world.drain("quick").await, [(1, 0)]);
    let refused = batch.commit().await.unwrap_err();
    assert_eq!((refused.kind(), refused.operation()), (ErrorKind::Serialization, "bus.lease_lost"));
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn an_attended_batch_outlives_its_lease(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    let mut batch = next(&world.bus, "slow", 10).await;
    apply(batch.as_mut()).await;
    sleep(QUICK.lease * 2).await;
    assert!(drain(&world.other_bus(), "quick", Duration::from_millis(500)).await.is_empty());
    batch.commit().await.unwrap();
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn a_killed_consumer_neither_loses_nor_repeats(server: Server) {
    let world = World::new(server).await;
    for number in 0..5 {
        append(&mut world.app().await, 1, number).await;
    }
    let mut dying = next(&world.other_bus(), "dying", 100).await;
    apply(dying.as_mut()).await;
    let cut = "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and usename = 'daira_worker' and state = 'idle in transaction') cut";
    let cut: i64 = sqlx::query_scalar(cut).fetch_one(&mut world.superuser().await).await.unwrap();
    assert_eq!(cut, 1);
    assert!(dying.commit().await.is_err());
    assert!(world.effects().await.is_empty());
    sleep(QUICK.lease).await;
    assert_eq!(world.drain("heir").await.len(), 5);
    in_order(&world.effects().await, &BTreeMap::from([(1, 5)]));
}

async fn what_is_rolled_back_never_was_and_what_is_dropped_comes_again(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    let mut tx = app.begin().await.unwrap();
    append(&mut tx, 1, 99).await;
    tx.rollback().await.unwrap();
    append(&mut app, 1, 0).await;
    for _ in 0..3 {
        let mut batch = next(&world.bus, "a", 10).await;
        assert_eq!(apply(batch.as_mut()).await, [(1, 0)]);
    }
    world.drain("a").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn one_batch_at_a_time_moves_a_lane(server: Server) {
    let world = World::new(server).await;
    append(&mut world.app().await, 1, 0).await;
    let (mut first, mut second) = (next(&world.bus, "a", 10).await, next(&world.bus, "a", 10).await);
    apply(first.as_mut()).await;
    apply(second.as_mut()).await;
    first.commit().await.unwrap();
    assert!(second.commit().await.is_err(), "both had the same events");
    in_order(&world.effects().await, &BTreeMap::from([(1, 1)]));
}

async fn one_huge_transaction_comes_in_pages(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    let mut tx = app.begin().await.unwrap();
    let counts: BTreeMap<i64, i64> = (1..=50).map(|key| (key, 200)).collect();
    for number in 0..200 {
        for key in 1..=50 {
            append(&mut tx, key, number).await;
        }
    }
    tx.commit().await.unwrap();
    let mut delivered = 0;
    for turn in 0.. {
        // Another process goes on in the middle, again and again.
        let (bus, owner) = (world.other_bus(), format!("reader-{turn}"));
        for _ in 0..7 {
            let Some(mut batch) = bus.next(GROUP, &owner, 300).await.unwrap() else { break };
            assert!(batch.events().len() <= 300);
            delivered += apply(batch.as_mut()).await.len();
            batch.commit().await.unwrap();
        }
        bus.release(GROUP, &owner).await.unwrap();
        if delivered >= 10_000 {
            break;
        }
        assert!(turn < 200, "{delivered} delivered");
    }
    assert_eq!(delivered, 10_000);
    in_order(&world.effects().await, &counts);
}

async fn poison_is_buried_its_key_waits_and_comes_back(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    append(&mut app, 1, 0).await;
    append(&mut app, 2, 0).await;
    append(&mut app, 1, 1).await;
    let mut seen = 0;
    while seen < 3 {
        let mut batch = next(&world.bus, "a", 10).await;
        let parked = batch.parked_keys().await.unwrap();
        for event in batch.events().to_vec() {
            seen += 1;
            if read(&event) == (1, 0) {
                let point = batch.savepoint().await.unwrap();
                batch.unit().journal().append(&[effect((1, 0))]).await.unwrap();
                batch.rollback_to(point).await.unwrap();
                batch.bury(event.envelope.id, 5, "it does not agree with me\0", false).await.unwrap();
            } else if event.envelope.key == 1 {
                batch.bury(event.envelope.id, 0, "waits", true).await.unwrap();
            } else {
                assert!(parked.is_empty());
                batch.unit().journal().append(&[effect(read(&event))]).await.unwrap();
            }
        }
        batch.commit().await.unwrap();
    }
    assert_eq!(world.effects().await, BTreeMap::from([(2, vec![0])]), "other keys go on");
    let letters = world.bus.dead_letters("test", None, 10).await.unwrap();
    assert_eq!(
        letters.iter().map(|l| (l.key, l.attempts, l.parked)).collect::<Vec<_>>(),
        [(1, 5, false), (1, 0, true)]
    );
    assert_eq!(
        (letters[0].reason.as_str(), letters[0].kind.as_str()),
        ("it does not agree with me", "daira.post.v1.created")
    );
    assert!(matches!(letters[0].decode().unwrap(), Event::PostCreated(e) if e.author_id == 0));
    assert_eq!(world.bus.dead_letters("test", Some(letters[0].event), 10).await.unwrap().len(), 1);
    assert_eq!(world.bus.lag(GROUP).await.unwrap().dead, 2);

    // A later event of the key finds it blocked.
    append(&mut app, 1, 2).await;
    let mut batch = next(&world.bus, "a", 10).await;
    assert_eq!(batch.parked_keys().await.unwrap(), [1]);
    let late = batch.events()[0].envelope.id;
    batch.bury(late, 0, "waits", true).await.unwrap();
    batch.commit().await.unwrap();
    assert!(world.drain("a").await.is_empty(), "what is parked stays so");

    // It still fails when it is tried again: buried again, the others wait on.
    assert!(world.bus.replay("test", letters[0].event).await.unwrap());
    assert!(!world.bus.replay("test", letters[0].event).await.unwrap(), "once");
    assert!(!world.bus.drop_letter("test", letters[1].event).await.unwrap(), "one that only waits is no dead letter");
    let mut batch = next(&world.bus, "a", 1).await;
    assert!(batch.parked_keys().await.unwrap().is_empty());
    assert_eq!(batch.events().iter().map(read).collect::<Vec<_>>(), [(1, 0)]);
    batch.bury(letters[0].event, 6, "still not", false).await.unwrap();
    batch.commit().await.unwrap();
    assert!(world.drain("a").await.is_empty());
    assert_eq!(world.bus.dead_letters("test", None, 10).await.unwrap()[0].attempts, 6);

    // Replayed, all of the key comes, in order.
    assert!(world.bus.replay("test", letters[0].event).await.unwrap());
    assert_eq!(world.drain("a").await, [(1, 0), (1, 1), (1, 2)]);
    in_order(&world.effects().await, &BTreeMap::from([(1, 3), (2, 1)]));
    assert!(world.bus.dead_letters("test", None, 10).await.unwrap().is_empty());
}

async fn a_dropped_letter_releases_its_key(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    append(&mut app, 1, 0).await;
    let mut batch = next(&world.bus, "a", 10).await;
    let poison = batch.events()[0].envelope.id;
    batch.bury(poison, 1, "no", false).await.unwrap();
    batch.commit().await.unwrap();
    append(&mut app, 1, 1).await;
    let mut batch = next(&world.bus, "a", 10).await;
    let follower = batch.events()[0].envelope.id;
    batch.bury(follower, 0, "waits", true).await.unwrap();
    batch.commit().await.unwrap();
    assert!(world.bus.drop_letter("test", poison).await.unwrap());
    assert_eq!(world.drain("a").await, [(1, 1)]);
}

async fn what_cannot_be_read_is_buried_and_blocks_its_key_alone(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    let mut tx = app.begin().await.unwrap();
    sqlx::query("insert into daira.event (lane, key, topic, kind, payload) values ($1, 1, 'daira.post.v1', 'daira.post.v9.sung', '\\x00')")
        .bind(lane(1))
        .execute(&mut *tx)
        .await
        .unwrap();
    append(&mut tx, 1, 0).await;
    append(&mut tx, 2, 0).await;
    tx.commit().await.unwrap();
    let mut batch = next(&world.bus, "a", 10).await;
    assert_eq!(batch.events().iter().map(read).collect::<Vec<_>>(), [(1, 0), (2, 0)]);
    assert_eq!(batch.parked_keys().await.unwrap(), [1]);
    let follower = batch.events()[0].envelope.id;
    batch.bury(follower, 0, "waits", true).await.unwrap();
    batch.commit().await.unwrap();
    let letters = world.bus.dead_letters("test", None, 10).await.unwrap();
    assert_eq!(
        (letters[0].kind.as_str(), letters[0].parked, letters[0].payload.as_slice()),
        ("daira.post.v9.sung", false, &[0_u8][..])
    );
    assert!(letters[0].decode().is_err());
    assert!(letters[1].parked);
}

async fn of_two_tickers_one_works_and_the_other_takes_over(server: Server) {
    let mut world = World::without_ticker(server).await;
    let first = world.start_ticker();
    append(&mut world.app().await, 1, 0).await;
    world.drain("a").await;
    let _second = world.start_ticker();
    for number in 1..30 {
        append(&mut world.app().await, 1, number).await;
        sleep(Duration::from_millis(20)).await;
    }
    world.drain("a").await;
    first.abort();
    append(&mut world.app().await, 1, 30).await;
    world.drain("a").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 31)]));
    let ticks: Vec<(i64, String)> = sqlx::query_as("select n, pg_snapshot_xmax(snap)::text from daira.tick order by n")
        .fetch_all(&mut world.worker().await)
        .await
        .unwrap();
    let ends: Vec<u64> = ticks.iter().map(|t| t.1.parse().unwrap()).collect();
    assert!(ends.is_sorted(), "a later tick never sees less");
    assert!(ticks.iter().map(|t| t.0).eq(0..i64::try_from(ticks.len()).unwrap()), "without gaps");
}

async fn lag_is_told(server: Server) {
    let world = World::new(server).await;
    assert_eq!(world.bus.lag(GROUP).await.unwrap().events, 0, "nobody reads yet");
    world.drain("a").await;
    append(&mut world.app().await, 1, 0).await;
    append(&mut world.app().await, 2, 0).await;
    sqlx::raw_sql("insert into daira.event (lane, key, topic, kind, payload) values (3, 1, 'daira.other.v1', 'x', '')")
        .execute(&mut world.app().await)
        .await
        .unwrap();
    sleep(Duration::from_millis(1_100)).await;
    let lag = world.bus.lag(GROUP).await.unwrap();
    assert_eq!(lag.events, 2);
    assert!(lag.oldest >= Duration::from_secs(1) && lag.oldest < Duration::from_mins(1), "{lag:?}");
    let (unit, pending) = PgMaintenance::new(&world.store).snapshot(&Actor::System("test"), GROUP, 10).await.unwrap();
    drop(unit);
    assert_eq!(pending.iter().map(read).collect::<Vec<_>>(), [(1, 0), (2, 0)]);
    let far = PgMaintenance::new(&world.store).snapshot(&Actor::System("test"), GROUP, 1).await.err().unwrap();
    assert_eq!(far.kind(), ErrorKind::Unavailable);
    world.drain("a").await;
    assert_eq!(world.bus.lag(GROUP).await.unwrap(), daira_core::port::Lag::default());
}

async fn days_go_when_all_are_past_and_only_a_rebuilding_group_is_left_behind(server: Server) {
    const REBUILDS: Group = Group { name: "rebuilds", rebuilds: true, ..GROUP };
    let world = World::new(server).await;
    let mut root = world.superuser().await;
    let upkeep = PgMaintenance::new(&world.store).keep_events(Duration::from_hours(24));
    let now = Timestamp::from_seconds(
        sqlx::query_scalar("select extract(epoch from now())::bigint").fetch_one(&mut root).await.unwrap(),
    );
    // Five days ago there was a day with events, and nobody has read since.
    sqlx::raw_sql("set role daira_owner; select daira.ensure_partitions(now() - interval '5 days', 0); reset role")
        .execute(&mut root)
        .await
        .unwrap();
    append(&mut world.app().await, 1, 0).await;
    world.drain("a").await;
    let _ = world.bus.next(REBUILDS, "r", 1).await.unwrap();
    world.bus.release(REBUILDS, "r").await.unwrap();
    sqlx::raw_sql("update daira.tick set since = since - interval '5 days', at = at - interval '5 days' where n > 0")
        .execute(&mut root)
        .await
        .unwrap();
    let days = |db: PgConnection| async move {
        let mut db = db;
        let count =
            sqlx::query_scalar::<_, i64>("select count(*) from pg_inherits where inhparent = 'daira.event'::regclass");
        count.fetch_one(&mut db).await.unwrap()
    };
    let before = days(world.worker().await).await;
    upkeep.expire(now).await.unwrap();
    assert_eq!(days(world.worker().await).await, before, "the group without a rebuild holds its days");
    assert!(!world.bus.is_parked(REBUILDS).await.unwrap());

    append(&mut world.app().await, 1, 1).await;
    world.drain("a").await;
    assert!(upkeep.expire(now).await.unwrap() > 0);
    assert_eq!(days(world.worker().await).await, before - 2, "the day with its events and the one before go");
    assert!(world.bus.is_parked(REBUILDS).await.unwrap(), "and the other one is parked");
    sleep(Duration::from_millis(60)).await;
    assert!(world.bus.next(REBUILDS, "r", 10).await.unwrap().is_none(), "a parked group gets nothing");
    assert!(!world.bus.unpark(REBUILDS).await.unwrap(), "it cannot go on where it stands");
    world.bus.skip(REBUILDS).await.unwrap();
    assert!(world.bus.is_parked(REBUILDS).await.unwrap());
    assert!(world.bus.unpark(REBUILDS).await.unwrap());
    append(&mut world.app().await, 1, 2).await;
    sleep(Duration::from_millis(400)).await;
    let batch = world.bus.next(REBUILDS, "r", 10).await.unwrap().unwrap();
    assert_eq!(batch.events().last().map(read), Some((1, 2)));
    drop(batch);
    assert_eq!(upkeep.ensure_partitions(now, 9).await.unwrap(), 9);
}

async fn spent_ticks_go_and_those_that_lanes_stand_on_stay(server: Server) {
    let mut world = World::new(server).await;
    let mut app = world.app().await;
    for number in 0..40 {
        append(&mut app, 1, number).await;
        sleep(Duration::from_millis(30)).await;
    }
    world.drain("a").await;
    world.tasks.shutdown().await;
    let mut root = world.superuser().await;
    sqlx::raw_sql(
        "update daira.tick set at = at - interval '2 hours'; update daira.position set at = at - interval '2 hours'",
    )
    .execute(&mut root)
    .await
    .unwrap();
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql);
    let before: i64 = count("select count(*) from daira.tick").fetch_one(&mut root).await.unwrap();
    assert!(before > 20);
    append(&mut app, 1, 40).await;
    // A new process: it does not renew what the old one held.
    world.bus = world.other_bus();
    let world = world.with_ticker();
    let begun = Instant::now();
    while count("select count(*) from daira.tick").fetch_one(&mut root).await.unwrap() > 6 {
        assert!(begun.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(50)).await;
    }
    let dangling =
        "select count(*) from (select distinct on (grp, lane) tick from daira.position order by grp, lane, tick desc) p
                    where not exists (select from daira.tick t where t.n = p.tick)";
    assert_eq!(count(dangling).fetch_one(&mut root).await.unwrap(), 0);
    assert_eq!(
        count("select count(*) from daira.position").fetch_one(&mut root).await.unwrap(),
        16,
        "one for each lane"
    );
    assert_eq!(world.drain("b").await, [], "the lanes are the other owner's until its lease is over");
    sleep(QUICK.lease).await;
    world.drain("b").await;
    in_order(&world.effects().await, &BTreeMap::from([(1, 41)]));
}

async fn a_job_runs_once_over_all_processes(server: Server) {
    let world = World::without_ticker(server).await;
    let upkeep = PgMaintenance::new(&world.store);
    let (every, lease) = (Duration::from_millis(300), Duration::from_millis(400));
    let mut claims = JoinSet::new();
    for owner in 0..8 {
        let upkeep = upkeep.clone();
        claims.spawn(async move {
            upkeep.begin_job("purge", &format!("p{owner}"), every, lease).await.unwrap().then_some(owner)
        });
    }
    let winners: Vec<i32> = claims.join_all().await.into_iter().flatten().collect();
    let [winner] = winners[..] else { panic!("{winners:?}") };
    upkeep.end_job("purge", "somebody else", JobOutcome::Done).await.unwrap();
    assert!(!upkeep.begin_job("purge", "late", every, lease).await.unwrap(), "it runs");
    upkeep.end_job("purge", &format!("p{winner}"), JobOutcome::Done).await.unwrap();
    assert!(!upkeep.begin_job("purge", "late", every, lease).await.unwrap(), "it is not due");
    sleep(every).await;
    assert!(upkeep.begin_job("purge", "late", every, lease).await.unwrap());
    upkeep.end_job("purge", "late", JobOutcome::Failed).await.unwrap();
    assert!(upkeep.begin_job("purge", "again", every, lease).await.unwrap(), "a failed run is due at once");
    sleep(lease).await;
    assert!(upkeep.begin_job("purge", "heir", every, lease).await.unwrap(), "a lost run is due when its lease is over");
}

async fn the_log_cannot_be_read_or_changed_by_those_who_write_it(server: Server) {
    let world = World::new(server).await;
    let mut app = world.app().await;
    append(&mut app, 1, 0).await;
    for forbidden in [
        "select * from daira.event",
        "update daira.event set key = 2",
        "delete from daira.event",
        "truncate daira.event",
        "insert into daira.event (xid, lane, key, topic, kind, payload) values ('3', 1, 1, 't', 'k', '')",
        "insert into daira.event (at, lane, key, topic, kind, payload) values (now() - interval '1 hour', 1, 1, 't', 'k', '')",
        "select * from daira.dead_letter",
        "insert into daira.tick (n, snap, since, top) values (9999, '1:1:', now(), 0)",
        "select daira.expire_events('1 day')",
        "select daira.restart_event_log()",
    ] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut app).await.unwrap_err();
        assert_eq!(
            refused.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned)).as_deref(),
            Some("42501"),
            "{forbidden}"
        );
    }
    for forbidden in ["update daira.event set key = 2", "delete from daira.event", "select daira.restart_event_log()"] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut world.worker().await).await.unwrap_err();
        assert_eq!(
            refused.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned)).as_deref(),
            Some("42501"),
            "{forbidden}"
        );
    }
}

on_each_server!(
    a_late_commit_is_delivered,
    a_writer_held_open_for_twenty_seconds_holds_up_nobody,
    the_cost_is_flat_under_a_held_snapshot,
    a_generic_plan_leaves_other_days_out,
    inverted_transaction_ids_keep_the_order_of_an_aggregate,
    three_consumers_keep_the_order_of_every_key,
    chaos_loses_and_repeats_nothing,
    two_consumers_share_the_lanes_and_never_one_of_them,
    a_stolen_lease_commits_nothing,
    an_attended_batch_outlives_its_lease,
    a_killed_consumer_neither_loses_nor_repeats,
    what_is_rolled_back_never_was_and_what_is_dropped_comes_again,
    one_batch_at_a_time_moves_a_lane,
    one_huge_transaction_comes_in_pages,
    poison_is_buried_its_key_waits_and_comes_back,
    a_dropped_letter_releases_its_key,
    what_cannot_be_read_is_buried_and_blocks_its_key_alone,
    of_two_tickers_one_works_and_the_other_takes_over,
    lag_is_told,
    days_go_when_all_are_past_and_only_a_rebuilding_group_is_left_behind,
    spent_ticks_go_and_those_that_lanes_stand_on_stay,
    a_job_runs_once_over_all_processes,
    the_log_cannot_be_read_or_changed_by_those_who_write_it,
);
