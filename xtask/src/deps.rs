//! `deps`: the arrows of the architecture, proved. Which of our crates may depend on which comes from `cargo metadata`;
//! that a heavy dependency stays out of a crate's tree comes from `cargo tree`. What a manifest names, a source must name.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::run::{cargo, output};

/// Our crates, and those of ours that each may depend on, tests included. What is not listed here is refused.
const ARROWS: [(&str, &[&str]); 9] = [
    ("daira-core", &[]),
    ("daira-store", &["daira-core"]),
    ("daira-media", &["daira-core"]),
    ("daira-feed", &["daira-core"]),
    ("daira-search", &["daira-core"]),
    ("daira-worker", &["daira-core", "daira-feed", "daira-media", "daira-search", "daira-store"]),
    ("daira-server", &["daira-core", "daira-feed", "daira-media", "daira-search", "daira-store", "daira-worker"]),
    (
        "daira-examples",
        &["daira-core", "daira-feed", "daira-media", "daira-search", "daira-server", "daira-store", "daira-worker"],
    ),
    ("xtask", &[]),
];

/// Arguments that choose a tree, and the packages that must not be in it.
const ABSENT: [(&[&str], &[&str]); 7] = [
    (
        &["-p", "daira-core", "--features", "credential,testkit"],
        &["tokio", "sqlx", "hyper", "axum", "tonic", "reqwest"],
    ),
    (&["-p", "daira-core", "--all-features"], &["sqlx", "reqwest"]),
    (&["-p", "daira-feed", "--all-features"], &["tokio", "sqlx", "hyper", "axum", "tonic", "reqwest"]),
    (&["-p", "daira-search"], &["sqlx", "hyper", "axum", "tonic", "reqwest"]),
    (&["-p", "daira-media"], &["sqlx", "hyper", "axum", "tonic", "reqwest"]),
    (&["-p", "daira-store"], &["hyper", "axum", "tonic", "reqwest", "redis", "rdkafka"]),
    (
        &["--workspace", "--all-features", "-e", "normal,build,dev"],
        &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"],
    ),
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), "usage: cargo xtask deps");
    let packages = metadata()?;
    let mut wrong = arrows(&packages)?;
    for (tree, absent) in ABSENT {
        let present = in_tree(tree)?;
        let found: Vec<_> = absent.iter().filter(|name| present.contains(**name)).copied().collect();
        println!("{:<62} {:>3} packages, none of: {}", tree.join(" "), present.len(), absent.join(" "));
        for name in found {
            wrong.push(format!("`{name}` is in the tree of `{0}`; see `cargo tree {0} -i {name}`", tree.join(" ")));
        }
    }
    wrong.extend(unused(&packages)?);
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n       ")) }
}

/// Declared dependencies that no source of their crate names: each makes every build of an embedder longer.
fn unused(packages: &[Value]) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for package in packages {
        let name = text(package, "name")?;
        let manifest = Path::new(text(package, "manifest_path")?);
        let folder = manifest.parent().context("a manifest in no folder")?;
        let sources = sources(folder)?;
        let words: BTreeSet<&str> = sources.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for dependency in package.get("dependencies").and_then(Value::as_array).context("no dependencies")? {
            let needed = text(dependency, "name")?;
            if needed != name && !words.contains(needed.replace('-', "_").as_str()) {
                wrong.push(format!("no source of `{name}` names `{needed}`: take it out of its manifest"));
            }
        }
    }
    Ok(wrong)
}

/// All Rust below a folder, in one text.
fn sources(folder: &Path) -> Result<String> {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all += &sources(&path)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            all += &std::fs::read_to_string(&path)?;
        }
    }
    Ok(all)
}

/// What `cargo metadata` says of our own packages.
pub(crate) fn metadata() -> Result<Vec<Value>> {
    let text = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"])?)?;
    let mut all: Value = serde_json::from_str(&text)?;
    match all.get_mut("packages").map(Value::take) {
        Some(Value::Array(packages)) => Ok(packages),
        _ => bail!("cargo metadata lists no packages"),
    }
}

/// A package's text field.
pub(crate) fn text<'a>(package: &'a Value, field: &str) -> Result<&'a str> {
    package.get(field).and_then(Value::as_str).with_context(|| format!("cargo metadata without `{field}`"))
}

/// Checks every declared dependency between our crates, optional ones and those of tests included.
fn arrows(packages: &[Value]) -> Result<Vec<String>> {
    let ours: BTreeSet<_> = packages.iter().map(|package| text(package, "name")).collect::<Result<_>>()?;
    let mut wrong = Vec::new();
    for package in packages {
        let name = text(package, "name")?;
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!(
                "the crate `{name}` has no place in the architecture yet; give it one in xtask/src/deps.rs"
            ));
            continue;
        };
        let declared = package.get("dependencies").and_then(Value::as_array).context("no dependencies")?;
        let mut seen = BTreeSet::new();
        for dependency in declared {
            let to = text(dependency, "name")?;
            // A crate may name itself among what its tests need, with a feature more.
            if to != name && ours.contains(to) && seen.insert(to) && !allowed.contains(&to) {
                wrong.push(format!("`{name}` must not depend on `{to}`"));
            }
        }
        let arrows: Vec<_> = seen.into_iter().collect();
        println!("{name:<15} → {}", if arrows.is_empty() { "nothing of ours".to_owned() } else { arrows.join(", ") });
    }
    Ok(wrong)
}

/// The names of all packages in a tree.
fn in_tree(tree: &[&str]) -> Result<BTreeSet<String>> {
    let mut command = cargo(&["tree", "--prefix", "none", "--format", "{p}", "--target", "all"])?;
    if !tree.contains(&"-e") {
        command.args(["-e", "normal,build"]);
    }
    let listed = output(command.args(tree))?;
    Ok(listed
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(Into::into)
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_arrow_that_is_not_allowed_is_found_even_when_it_is_optional() {
        let packages = [
            json!({"name": "daira-core", "dependencies": [{"name": "serde"}]}),
            json!({"name": "daira-store", "dependencies": [{"name": "daira-core"}]}),
            json!({"name": "daira-feed", "dependencies": [{"name": "daira-store", "optional": true}, {"name": "tokio"}]}),
        ];
        assert_eq!(arrows(&packages).unwrap(), ["`daira-feed` must not depend on `daira-store`"]);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let wrong = arrows(&[json!({"name": "daira-extra", "dependencies": []})]).unwrap();
        assert!(wrong.first().is_some_and(|text| text.contains("has no place in the architecture")), "{wrong:?}");
    }

    #[test]
    fn every_tree_has_the_packages_that_it_must_have() {
        let core = in_tree(&["-p", "daira-core"]).unwrap();
        assert!(core.contains("serde") && core.contains("daira-core"), "{core:?}");
    }
}
