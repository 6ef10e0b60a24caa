//! What was measured, as a table.

use std::time::Duration;

use super::load::Measured;
use super::{Cost, Options};

/// A line of the table: medians over the runs of one thing.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) name: String,
    /// Milliseconds of processor time for each request.
    pub(super) server: f64,
    pub(super) database: f64,
    pub(super) worker: f64,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) rate: f64,
    /// Bytes of an answer.
    pub(super) bytes: f64,
    /// Processors that programs other than ours kept busy.
    pub(super) others: f64,
}

impl Line {
    pub(super) fn cost(&self) -> f64 {
        self.server + self.database
    }
}

/// Everything that was found out.
pub(super) struct Report {
    head: String,
    runs: Vec<Line>,
    rivals: Vec<Line>,
    facts: Vec<(String, String)>,
}

impl Report {
    pub(super) fn new(options: &Options) -> Self {
        let Options { size, viewers, connections, runs, time, .. } = options;
        let head = format!(
            "{} people, {} posts, {viewers} viewers, {connections} connections; medians of {runs} runs of {} s",
            size.people,
            size.posts,
            time.as_secs()
        );
        Self { head, runs: Vec::new(), rivals: Vec::new(), facts: Vec::new() }
    }

    /// Takes one run.
    pub(super) fn take(&mut self, name: &str, (measured, cost): (Measured, Cost)) {
        let requests = measured.requests.max(1) as f64;
        let each = |time: Duration| time.as_secs_f64() * 1e3 / requests;
        let milliseconds = |percent| measured.percentile(percent).as_secs_f64() * 1e3;
        let line = Line {
            name: name.to_owned(),
            server: each(cost.server),
            database: each(cost.database),
            worker: each(cost.worker),
            p50: milliseconds(50),
            p99: milliseconds(99),
            rate: requests / measured.took.as_secs_f64(),
            bytes: measured.bytes as f64 / requests,
            others: cost.others,
        };
        eprintln!("{}", row(&line, 0.0));
        self.runs.push(line);
    }

    /// Takes a rival's result.
    pub(super) fn rival(&mut self, line: Line) {
        self.rivals.push(line);
    }

    /// Takes a number that is not about requests.
    pub(super) fn fact(&mut self, what: &str, value: String) {
        eprintln!("{what}: {value}");
        self.facts.push((what.to_owned(), value));
    }

    /// The table, as Markdown.
    pub(super) fn print(&self) {
        let (ours, rivals) = (medians(&self.runs), medians(&self.rivals));
        let home = ours.first().map_or(0.0, Line::cost);
        println!("\n{}\n", self.head);
        println!(
            "| what | CPU ms each | server | database | worker beside | p50 ms | p99 ms | requests/s | bytes | others' cores | to our homeFeed |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for line in ours.iter().chain(&rivals) {
            println!("{}", row(line, home));
        }
        println!("\n| what | |\n|---|---|");
        for (what, value) in &self.facts {
            println!("| {what} | {value} |");
        }
    }
}

/// The medians of all lines of each name, in the order in which the names came.
fn medians(lines: &[Line]) -> Vec<Line> {
    let mut names: Vec<&str> = Vec::new();
    for line in lines {
        if !names.contains(&line.name.as_str()) {
            names.push(&line.name);
        }
    }
    let of_name = |name: &str| {
        let of = |value: fn(&Line) -> f64| median(lines.iter().filter(|line| line.name == name).map(value));
        Line {
            name: name.to_owned(),
            server: of(|l| l.server),
            database: of(|l| l.database),
            worker: of(|l| l.worker),
            p50: of(|l| l.p50),
            p99: of(|l| l.p99),
            rate: of(|l| l.rate),
            bytes: of(|l| l.bytes),
            others: of(|l| l.others),
        }
    };
    names.into_iter().map(of_name).collect()
}

fn row(line: &Line, home: f64) -> String {
    let Line { name, server, database, worker, p50, p99, rate, bytes, others } = line;
    let cost = line.cost();
    let ratio = if home > 0.0 { format!("{:.2}×", cost / home) } else { String::new() };
    format!(
        "| {name} | **{cost:.3}** | {server:.3} | {database:.3} | {worker:.3} | {p50:.1} | {p99:.1} | {rate:.0} | {bytes:.0} | {others:.2} | {ratio} |"
    )
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!(median(std::iter::empty()).abs() < 1e-9);
    }
}
