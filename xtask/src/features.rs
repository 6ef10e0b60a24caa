//! `features`: every library crate builds by itself, whatever an embedder switches on: without features, with each one
//! alone, with the default ones, with all. A warning counts as a failure.

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::{
    deps::{metadata, text},
    run::{Steps, cargo},
};

/// The crates that others build upon.
const LIBRARIES: [&str; 6] = ["daira-core", "daira-store", "daira-media", "daira-feed", "daira-search", "daira-worker"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.iter().all(|name| LIBRARIES.contains(&name.as_str())), "usage: cargo xtask features [crate …]");
    let packages = metadata()?;
    let mut steps = Steps::default();
    for library in LIBRARIES {
        if !arguments.is_empty() && !arguments.iter().any(|chosen| chosen == library) {
            continue;
        }
        let Some(package) = packages.iter().find(|package| text(package, "name").is_ok_and(|name| name == library))
        else {
            bail!("there is no package {library}");
        };
        let features = package.get("features").and_then(Value::as_object);
        let features: Vec<_> = features.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        check(&mut steps, library, &["--no-default-features"]);
        for feature in features.iter().filter(|name| **name != "default") {
            check(&mut steps, library, &["--no-default-features", "--features", feature]);
        }
        // Without features, these would be the first build again.
        if !features.is_empty() {
            check(&mut steps, library, &[]);
            check(&mut steps, library, &["--all-features"]);
        }
    }
    steps.finish()
}

fn check(steps: &mut Steps, library: &str, selection: &[&str]) {
    let label =
        format!("{library} {}", if selection.is_empty() { "(default)".to_owned() } else { selection.join(" ") });
    steps.step(&label, || {
        let output = cargo(&["check", "--quiet", "--package", library])?.args(selection).output()?;
        // Quiet: what is said at all is a warning or an error.
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && said.trim().is_empty() { Ok(()) } else { bail!("{said}") }
    });
}
