//! `test`: starts every server that tests need, runs all tests, says how many conformance cases ran on each adapter, and
//! closes with the sum. A server that cannot be had fails the run: nothing is skipped.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::run::cargo;
use crate::services;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut command = cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"])?;
    let (ours, theirs) = split(arguments);
    command.args(ours).args(["--", "--show-output"]).args(theirs);
    command.envs(services::up()?);
    let summary = watch(&mut command)?;
    summary.print();
    ensure!(summary.ok, "tests failed, or did not compile");
    ensure!(summary.skipped == 0, "tests were skipped: a test runs, or is deleted");
    ensure!(summary.passed > 0, "no test ran");
    Ok(())
}

/// What belongs to cargo and what, after `--`, to the test programs.
fn split(arguments: &[String]) -> (&[String], &[String]) {
    match arguments.iter().position(|a| a == "--") {
        Some(at) => (arguments.get(..at).unwrap_or_default(), arguments.get(at + 1..).unwrap_or_default()),
        None => (arguments, &[]),
    }
}

/// What a run of tests came to.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    cases: BTreeMap<(String, String), usize>,
    failures: Vec<String>,
    passed: usize,
    failed: usize,
    skipped: usize,
    ok: bool,
}

impl Summary {
    pub(crate) fn print(&self) {
        println!("\nconformance cases that ran:");
        for ((port, adapter), cases) in &self.cases {
            println!("  {port:<12} {adapter:<14} {cases:>4}");
        }
        for name in &self.failures {
            println!("\nfailed: {name}");
        }
        println!("\n{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped);
    }
}

/// Runs a command that runs tests; passes its words on, without what passing tests printed, and counts.
pub(crate) fn watch(command: &mut Command) -> Result<Summary> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {command:?}"))?;
    let Some(output) = child.stdout.take() else { bail!("the tests' output cannot be read") };
    let mut summary = Summary::default();
    let mut of_passing_tests = false;
    for line in BufReader::new(output).lines() {
        let line = line?;
        match line.as_str() {
            "successes:" => of_passing_tests = true,
            "failures:" => of_passing_tests = false,
            _ => {}
        }
        if let Some(counts) = line.strip_prefix("test result: ") {
            of_passing_tests = false;
            summary.passed += count(counts, " passed");
            summary.failed += count(counts, " failed");
            summary.skipped += count(counts, " ignored");
        }
        if let Some(name) = line.strip_prefix("test ").and_then(|test| test.strip_suffix(" ... FAILED")) {
            summary.failures.push(name.to_owned());
        }
        // Printed by every conformance case: port, adapter, case.
        if let Some(case) = line.strip_prefix("conformance ") {
            let mut words = case.split(' ');
            let key = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
            *summary.cases.entry(key).or_default() += 1;
        } else if !of_passing_tests {
            println!("{line}");
        }
    }
    summary.ok = child.wait()?.success();
    Ok(summary)
}

/// The number before a word, as in `12 passed; 0 failed`.
fn count(text: &str, word: &str) -> usize {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit([' ', '.', ';']).next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_runners_own_line() {
        let line = "ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.61s";
        assert_eq!((count(line, " passed"), count(line, " failed"), count(line, " ignored")), (12, 3, 1));
    }
}
