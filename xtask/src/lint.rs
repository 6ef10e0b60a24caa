//! `lint`: what can be judged without running anything: format, clippy, documentation, and the house rules on files
//! (a `//!` head, a size that can be read in one sitting, nothing unfinished, no path of somebody's machine, no table that
//! names a test which is gone).

use std::{fs, path::Path, process::Command};

use anyhow::{Result, bail};

use crate::run::{Steps, cargo, output, root};
use crate::tables;

/// No file is longer than this, but generated ones and conformance kits.
const LONGEST: usize = 600;

/// What a finished file does not hold, and why. Cut in two, so that this list does not find itself.
const FORBIDDEN: [(&str, &str, &str); 10] = [
    ("TO", "DO", "finish it, or say in the documentation what is missing"),
    ("FIX", "ME", "fix it"),
    ("XX", "X:", "say what is meant"),
    ("todo", "!(", "finish it"),
    ("unimplemented", "!(", "implement it"),
    ("#[ign", "ore", "a test runs, or is deleted"),
    ("Lorem ", "ipsum", "write real text"),
    ("/ro", "ot/", "a path of one machine"),
    ("/ho", "me/", "a path of one machine"),
    ("/wo", "rk/", "a path of one machine"),
];

/// What is documented. The example is there for its tests' dependencies: with any, cargo chooses the features that it
/// chooses for clippy and tests, and finds other crates' work done.
pub(crate) const DOCUMENTED: [&str; 6] = ["--workspace", "--no-deps", "--all-features", "--lib", "--example", "embed"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let chosen: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let all = ["fmt", "clippy", "doc", "files"];
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        bail!("there is no lint `{unknown}`; there are: {}", all.join(" "));
    }
    let wants = |name: &str| chosen.is_empty() || chosen.contains(&name);
    let mut steps = Steps::default();
    if wants("fmt") {
        steps.command("fmt", &mut cargo(&["fmt", "--all", "--check"])?);
    }
    if wants("files") {
        steps.step("files", files);
    }
    if wants("clippy") {
        let arguments = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        steps.command("clippy", &mut cargo(&arguments)?);
    }
    if wants("doc") {
        steps.command("doc", cargo(&["doc"])?.args(DOCUMENTED).env("RUSTDOCFLAGS", "-D warnings"));
    }
    steps.finish()
}

/// The house rules on files.
fn files() -> Result<()> {
    let mut listing = Command::new("git");
    // What is not ignored counts, whether or not it is committed yet.
    listing.args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]).current_dir(root());
    let (mut sizes, mut wrong) = (Vec::new(), Vec::new());
    let (mut sources, mut documents) = (Vec::new(), Vec::new());
    for name in output(&mut listing)?.lines() {
        let path = Path::new(name);
        let ours = !["/generated/", "/vendor/", "/assets/"].iter().any(|place| name.contains(place));
        let readable = path.extension().and_then(|end| end.to_str()).is_some_and(|end| {
            ["rs", "md", "sql", "toml", "proto", "graphql", "yml", "yaml", "html", "js", "sh"].contains(&end)
        });
        if !ours || !readable {
            continue;
        }
        // Deleted, but not committed yet.
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (start, end, why) in FORBIDDEN {
                if line.contains(&format!("{start}{end}")) {
                    wrong.push(format!("{name}:{}: `{start}{end}`: {why}", number + 1));
                }
            }
        }
        if path.extension().is_some_and(|end| end == "rs") {
            let lines = text.lines().count();
            sizes.push(lines);
            if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!(") {
                wrong.push(format!("{name}: begins without a `//!` head that says what it is for"));
            }
            if lines > LONGEST && !name.contains("/testkit/") {
                wrong.push(format!("{name}: {lines} lines; split it by subject (at most {LONGEST})"));
            }
            sources.push(text);
        } else if name.starts_with("docs/") {
            documents.push((name.to_owned(), text));
        }
    }
    wrong.extend(tables::faults(&sources, &documents)?);
    sizes.sort_unstable();
    let rank = |share: usize| sizes.get(sizes.len() * share / 100).copied().unwrap_or_default();
    let longest = sizes.last().copied().unwrap_or_default();
    println!("{} Rust files: median {} lines, p90 {}, longest {longest}", sizes.len(), rank(50), rank(90));
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}
