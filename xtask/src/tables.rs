//! The tables of tests in the documents: every requirement of `docs/SECURITY.md` has its row, and every test that a
//! document names exists. A table that speaks of tests that are gone is worse than none.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

const SECURITY: &str = "docs/SECURITY.md";

/// So many requirements there are.
const NUMBERS: u32 = 130;

/// Begins the line that lists the numbers which must have a row: `Required: 1–5, 7.`
const REQUIRED: &str = "Required: ";

/// What is wrong with the tables, given all Rust sources and, by name, all documents.
pub(crate) fn faults(sources: &[String], documents: &[(String, String)]) -> Result<Vec<String>> {
    let functions: BTreeSet<&str> = sources.iter().flat_map(|source| functions(source)).collect();
    let mut wrong: Vec<String> =
        documents.iter().flat_map(|(name, text)| missing(name, named(text, name == SECURITY), &functions)).collect();
    let security = documents.iter().find(|(name, _)| name == SECURITY).context("docs/SECURITY.md is not there")?;
    let rows = rows_missing(&security.1)?.into_iter();
    wrong.extend(rows.map(|number| format!("{SECURITY}: {number} has no row with a test")));
    wrong
        .extend(untold(&security.1).map(|number| format!("{SECURITY}: {number} has no row, or one that says nothing")));
    Ok(wrong)
}

/// The names of the functions that a source defines.
fn functions(source: &str) -> impl Iterator<Item = &str> {
    let names = source.split("fn ").skip(1);
    names.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next())
}

/// What stands in backticks and names a test: whatever begins like one, and with `rows` all of a row's last cell.
fn named(text: &str, rows: bool) -> impl Iterator<Item = &str> {
    text.lines().flat_map(move |line| {
        let tests = row(line).filter(|_| rows).map(|(_, tests)| tests);
        let quoted = tests.unwrap_or(line).split('`').skip(1).step_by(2);
        quoted.filter(move |name| {
            let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            is_name && (tests.is_some() || name.starts_with("security_") || name.starts_with("failure_"))
        })
    })
}

fn missing<'a>(document: &str, names: impl Iterator<Item = &'a str>, functions: &BTreeSet<&str>) -> Vec<String> {
    let gone = names.filter(|name| !functions.contains(name));
    gone.map(|name| format!("{document}: there is no function `{name}`")).collect()
}

/// The number and the tests of a row `| number | what | tests |`.
fn row(line: &str) -> Option<(u32, &str)> {
    let mut cells = line.strip_prefix('|')?.split('|');
    let number = cells.next()?.trim().parse().ok()?;
    Some((number, cells.nth(1)?))
}

/// The required numbers without a row that names a test.
fn rows_missing(text: &str) -> Result<Vec<u32>> {
    let list = text.lines().find_map(|line| line.strip_prefix(REQUIRED)).context("no line says what is required")?;
    let there: BTreeSet<u32> =
        text.lines().filter_map(row).filter(|(_, tests)| tests.contains('`')).map(|(number, _)| number).collect();
    let mut missing = Vec::new();
    for run in list.trim_end_matches('.').split(", ") {
        let (first, last) = run.split_once('–').unwrap_or((run, run));
        let number = |text: &str| text.parse::<u32>().with_context(|| format!("`{run}` is no run of numbers"));
        missing.extend((number(first)?..=number(last)?).filter(|number| !there.contains(number)));
    }
    Ok(missing)
}

/// The numbers without a row, and those whose row neither names a test nor says why not.
fn untold(text: &str) -> impl Iterator<Item = u32> {
    let says = |tests: &str| ["`", "later", "does not apply"].iter().any(|told| tests.contains(told));
    let there: BTreeSet<u32> =
        text.lines().filter_map(row).filter(|(_, tests)| says(tests)).map(|(number, _)| number).collect();
    (1..=NUMBERS).filter(move |number| !there.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Required: 1–2, 95.\n| 1 | what holds | `it_holds`, `it_holds_still` |\n| 2 | what is open | |\n`security_03_gone` and `a_word`";

    #[test]
    fn tests_that_are_gone_are_found() {
        let functions: BTreeSet<&str> = functions("async fn it_holds() {} pub fn other<T>()").collect();
        assert!(functions.contains("it_holds") && functions.contains("other"));
        let wrong = missing("x.md", named(TABLE, true), &functions);
        assert_eq!(
            wrong,
            ["x.md: there is no function `it_holds_still`", "x.md: there is no function `security_03_gone`"]
        );
    }

    #[test]
    fn a_row_without_a_test_is_no_row() {
        assert_eq!(rows_missing(TABLE).unwrap(), [2, 95]);
        let untold: Vec<u32> = untold("| 1 | what | `holds` |\n| 2 | what | later: this |\n| 3 | what | |").collect();
        assert_eq!(untold, (3..=NUMBERS).collect::<Vec<_>>());
        assert!(rows_missing("| 1 | what | `holds` |").is_err() && rows_missing("Required: one").is_err());
    }
}
