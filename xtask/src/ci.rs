//! `ci`: everything that a change must pass, as one command; each step is a command of its own.

use anyhow::Result;

use crate::run::Steps;
use crate::{codegen, deps, lint, test};

pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    let arguments = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    steps.step("lint", || lint::run(&[]));
    steps.step("deps", || deps::run(&[]));
    steps.step("codegen --check", || codegen::run(&arguments(&["--check"])));
    // Last, so that the run closes with the tests' own sum.
    steps.step("test", || test::run(&[]));
    steps.finish()
}
