//! The repository's own commands: `cargo xtask <command>`. Each command is one module; this file only finds it.
//!
//! Few dependencies, so that it compiles in seconds: everything heavy is a program that it calls.

mod bench;
mod chaos;
mod ci;
mod codegen;
mod coverage;
mod deps;
mod dev;
mod features;
mod lint;
mod mutants;
mod run;
mod services;
mod tables;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// A command: its name, what it is good for, and what it does with the arguments that follow the name.
type Command = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const COMMANDS: [Command; 12] = [
    ("bench", "what a request costs, beside the rivals in a folder: [--quick] [--rivals DIR]", bench::run),
    ("chaos", "kill -9 server, worker and PostgreSQL under load; --rounds N, five when left out", chaos::run),
    ("ci", "everything that a change must pass; each step is a command of its own", ci::run),
    (
        "codegen",
        "make the generated files again, or with --check fail where they are out of date; all, or those named",
        codegen::run,
    ),
    (
        "coverage",
        "which lines the tests reach, of all or of what --package names, closing with a TOTAL line",
        coverage::run,
    ),
    ("deps", "prove which crate depends on which, and that heavy dependencies stay out", deps::run),
    ("dev", "build and run everything on this machine, with a demo world", dev::run),
    ("features", "build every library crate alone: without features, with each one, with all", features::run),
    (
        "lint",
        "format, clippy and docs without a warning, file sizes and heads; or one of: fmt clippy doc files",
        lint::run,
    ),
    ("mutants", "break the policies of visibility one by one, and show that the law notices", mutants::run),
    (
        "services",
        "up | down | status: the servers that tests run against; `eval \"$(cargo xtask services up)\"`",
        services::run,
    ),
    ("test", "start the servers that tests need, run all tests, and say how many cases ran on each adapter", test::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) =
        arguments.split_first().filter(|(name, _)| !["help", "--help", "-h"].contains(&name.as_str()))
    else {
        println!("cargo xtask <command>\n");
        for (name, purpose, _) in COMMANDS {
            println!("  {name:<10} {purpose}");
        }
        return Ok(());
    };
    match COMMANDS.iter().find(|(command, ..)| command == name) {
        Some((_, _, run)) => run(rest),
        None => bail!("there is no command `{name}`; `cargo xtask --help` lists them"),
    }
}
