//! `bench`: what a request costs. A release build serves a large demo world from a private, durable PostgreSQL in the cache
//! folder; requests come from this process, over loopback, bounded in number and time.
//!
//! The steady measure is the time on the processors that a request takes, in the server and in the database, read from
//! `/proc`: it hardly moves when other programs load the machine. Latencies and rates do; what others took is printed too.
//! With `--rivals DIR` the rivals that live there are measured in the same run, in turns with ours.

#![expect(clippy::cast_precision_loss, reason = "counts of requests, rows and bytes, far below 2^52")]

mod load;
mod machine;
mod report;
mod rivals;
mod world;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use load::{Load, Measured};
use machine::Tree;
use report::Report;
use world::{Size, Viewer, World};

const HOME: &str = "query Home($first: Int!) { homeFeed(first: $first) { edges { node { id text author { handle name } \
                    counters { reactions comments } viewerReaction } } pageInfo { hasNextPage endCursor } } }";
const POST: &str = "mutation Post($text: String!) { createPost(input: { text: $text }) { post { id text } } }";
const TEXT: &str = "صباح الخير من القاهرة، الجو النهارده جميل والنيل هادي";

/// How long consumers may take to catch up.
const PATIENCE: Duration = Duration::from_mins(5);

/// How much is measured.
struct Options {
    size: Size,
    viewers: usize,
    connections: usize,
    runs: usize,
    time: Duration,
    rivals: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            size: Size { people: 10_000, posts: 200_000 },
            viewers: 500,
            connections: 16,
            runs: 3,
            time: Duration::from_secs(8),
            rivals: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => {
                    options.size = Size { people: 1_000, posts: 20_000 };
                    (options.viewers, options.runs, options.time) = (50, 1, Duration::from_secs(3));
                }
                "--rivals" => options.rivals = Some(arguments.next().context("--rivals takes a folder")?.into()),
                _ => bail!("usage: cargo xtask bench [--quick] [--rivals DIR]"),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let mut world = World::prepare(options.size)?;
    let mut report = Report::new(&options);

    let began = Instant::now();
    world.serve(false)?;
    report.fact("start on an existing cluster", format!("{:.2} s", began.elapsed().as_secs_f64()));
    let viewers = world.log_in(options.viewers)?;
    world.work()?;
    settle(&world)?;

    let asks: Vec<_> = viewers.iter().map(|viewer| viewer.ask(HOME, &serde_json::json!({ "first": 20 }))).collect();
    let load = Load { asks, connections: options.connections };
    eprintln!("homeFeed(first: 20): warming up");
    load.run(options.time / 2)?;
    for run in 1..=options.runs {
        eprintln!("homeFeed(first: 20): run {run} of {}", options.runs);
        report.take("homeFeed(first: 20)", measure(&world, &load, options.time)?);
        if let Some(folder) = &options.rivals {
            rivals::turn(folder, &options, &mut report)?;
        }
    }
    report.fact("resident after that, server", mebibytes(world.server()?.resident()));
    report.fact("resident after that, worker", mebibytes(world.worker()?.resident()));

    // Without consumers, so that the requests alone are measured; what they leave to do is measured after that.
    world.rest()?;
    let asks: Vec<_> = viewers.iter().map(|viewer| viewer.ask(POST, &serde_json::json!({ "text": TEXT }))).collect();
    let load = Load { asks, connections: options.connections };
    eprintln!("createPost: warming up");
    let mut made = load.run(options.time / 4)?.by_ask;
    for run in 1..=options.runs {
        eprintln!("createPost: run {run} of {}", options.runs);
        let (measured, cost) = measure(&world, &load, options.time / 2)?;
        for (sum, more) in made.iter_mut().zip(&measured.by_ask) {
            *sum += more;
        }
        report.take("createPost", (measured, cost));
    }
    fan_out(&mut world, &viewers, &made, &mut report)?;
    world.end()?;

    if let Some(folder) = &options.rivals {
        rivals::rest(folder, &options, &mut report)?;
    }
    report.print();
    Ok(())
}

/// Waits until the database has nothing to do: what a worker does when it starts (the day's reconciliation of counters, which
/// reads every row) is no part of what a request costs.
fn settle(world: &World) -> Result<()> {
    eprintln!("waiting for the jobs of a start to end");
    let began = Instant::now();
    let mut quiet = 0;
    while quiet < 4 {
        ensure!(began.elapsed() < PATIENCE, "the database has no rest");
        let before = world.database()?.time()?;
        std::thread::sleep(Duration::from_millis(500));
        let busy = world.database()?.time()?.saturating_sub(before);
        quiet = if busy < Duration::from_millis(50) { quiet + 1 } else { 0 };
    }
    Ok(())
}

/// What a load took of the processors.
#[derive(Debug, Clone, Copy)]
struct Cost {
    server: Duration,
    database: Duration,
    worker: Duration,
    /// Processors that programs other than ours kept busy meanwhile.
    others: f64,
}

fn measure(world: &World, load: &Load, time: Duration) -> Result<(Measured, Cost)> {
    let trees: [Option<Tree>; 4] =
        [Some(world.server()?), Some(world.database()?), world.worker().ok(), Some(Tree::of(std::process::id()))];
    let spent = || trees.each_ref().map(|tree| tree.map_or(Ok(Duration::ZERO), Tree::time));
    let (began, busy, before) = (Instant::now(), machine::busy()?, spent());
    let measured = load.run(time)?;
    let mut cost = [Duration::ZERO; 4];
    for ((cost, before), after) in cost.iter_mut().zip(before).zip(spent()) {
        *cost = after?.saturating_sub(before?);
    }
    let all = machine::busy()?.saturating_sub(busy);
    let others = all.saturating_sub(cost.iter().sum()).as_secs_f64() / began.elapsed().as_secs_f64();
    let [server, database, worker, _] = cost;
    Ok((measured, Cost { server, database, worker, others }))
}

/// Starts consumers behind the posts that were made, and measures how they are brought to the authors' followers.
fn fan_out(world: &mut World, viewers: &[Viewer], made: &[u64], report: &mut Report) -> Result<()> {
    let (mut posts, mut rows) = (0, 0);
    for (viewer, made) in viewers.iter().zip(made) {
        posts += made;
        rows += made * World::followers(viewer)?;
    }
    eprintln!("fan-out: {posts} posts, {rows} inbox rows");
    world.end()?;
    let began = Instant::now();
    world.serve(true)?;
    loop {
        let metrics = world.metrics()?;
        let of = |name: &str| metric(&metrics, name);
        if of("daira_worker_events_total") >= posts as f64 {
            let cost = world.server()?.time()? + world.database()?.time()?;
            let seconds = of("daira_worker_batch_seconds_sum");
            ensure!(seconds > 0.0, "the consumer took no time");
            report
                .fact("fan-out, inbox rows a second while a batch is applied", format!("{:.0}", rows as f64 / seconds));
            report.fact(
                "fan-out, inbox rows a second of processor time, all consumers",
                format!("{:.0}", rows as f64 / cost.as_secs_f64()),
            );
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "the consumers do not catch up");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A number of the fan-out's from the text of `/metrics`.
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name) && line.contains("group=\"fan-out\""));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

fn mebibytes(bytes: Result<u64>) -> String {
    bytes.map_or_else(|_| "unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20))
}

/// A value of a JSON answer, or what the answer says instead.
fn pointed<'a>(answer: &'a Value, pointer: &str) -> Result<&'a Value> {
    answer.pointer(pointer).with_context(|| format!("no {pointer} in the answer: {answer}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_group_are_found() {
        let text = "# TYPE x counter\nx_total{group=\"counters\"} 7\nx_total{group=\"fan-out\"} 12.5\n";
        assert!((metric(text, "x_total") - 12.5).abs() < 1e-9 && metric(text, "y_total") == 0.0);
    }
}
