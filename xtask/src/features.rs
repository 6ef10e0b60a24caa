//! `features`: every library crate builds by itself, whatever an embedder switches on: without features, with each one
//! alone, with the default ones, with all. A warning counts as a failure.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::{
    deps::{metadata, text},
    run::{Steps, cargo},
};

/// The crates that others build upon.
pub(crate) const LIBRARIES: [&str; 6] =
    ["daira-core", "daira-store", "daira-media", "daira-feed", "daira-search", "daira-worker"];

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
        let declared = package.get("features").unwrap_or(&Value::Null);
        let names: Vec<&str> = declared.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let choices = [vec![], names.clone()].into_iter().chain(names.iter().map(|name| vec![*name]));
        let mut built = BTreeSet::new();
        for choice in choices {
            // Two choices that come to the same are one build.
            let all = closure(declared, &choice);
            if built.insert(all) {
                check(&mut steps, library, &choice);
            }
        }
    }
    steps.finish()
}

/// The features that a choice switches on in its own crate, but `default`, which holds nothing of itself.
fn closure<'a>(declared: &'a Value, choice: &[&'a str]) -> BTreeSet<&'a str> {
    let mut on = BTreeSet::new();
    let mut open = choice.to_vec();
    while let Some(feature) = open.pop() {
        if let Some(implied) = declared.get(feature).and_then(Value::as_array)
            && (feature == "default" || on.insert(feature))
        {
            open.extend(implied.iter().filter_map(Value::as_str));
        }
    }
    on
}

fn check(steps: &mut Steps, library: &str, features: &[&str]) {
    let label = if features.is_empty() { "none".to_owned() } else { features.join(",") };
    steps.step(&format!("{library}: {label}"), || {
        let mut command = cargo(&["check", "--quiet", "--lib", "--package", library, "--no-default-features"])?;
        let output = command.args(["--features", &features.join(",")]).output()?;
        // Quiet: what is said at all is a warning or an error.
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && said.trim().is_empty() { Ok(()) } else { bail!("{said}") }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_that_come_to_the_same_are_seen_to() {
        let declared = serde_json::json!({ "default": ["a"], "a": ["dep:x"], "b": ["a", "y/z"] });
        assert_eq!(closure(&declared, &["default"]), closure(&declared, &["a"]));
        assert_eq!(closure(&declared, &["b"]), closure(&declared, &["default", "a", "b"]));
        assert_eq!(closure(&declared, &["b"]), BTreeSet::from(["a", "b"]));
    }
}
