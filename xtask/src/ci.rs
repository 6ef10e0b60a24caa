//! `ci`: everything that a change must pass, as one command; each step is a command of its own.

use anyhow::Result;

use crate::run::Steps;
use crate::{codegen, deps, features, lint, test};

pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    let arguments = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    // What takes seconds comes first; what builds upon another's artifacts comes after it.
    for lint in ["fmt", "files"] {
        steps.step(lint, || lint::run(&arguments(&[lint])));
    }
    steps.step("deps", || deps::run(&[]));
    for lint in ["clippy", "doc"] {
        steps.step(lint, || lint::run(&arguments(&[lint])));
    }
    steps.step("features", || features::run(&[]));
    steps.step("codegen --check", || codegen::run(&arguments(&["--check"])));
    // Last, so that the run closes with the tests' own sum.
    steps.step("test", || test::run(&[]));
    steps.finish()
}
