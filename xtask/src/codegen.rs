//! `codegen`: the generated files of the repository, made again. They are checked in, so that nobody who uses a crate
//! needs the generators, and so that a review sees what a change does to an interface. Each is made in a scratch folder and
//! then taken over; `--check` changes nothing and fails where the repository differs from what was made.

mod api;
mod contracts;
mod data;
mod permissions;
mod queries;
mod rust;
mod rustdoc;
mod schema;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run::{Steps, cache, root, tail};

/// A generator: its name, the file or folder that is its own, or only the files in it that end so, and what makes that at a
/// path.
type Generator = (&'static str, &'static str, &'static str, fn(&Path) -> Result<()>);

const GENERATORS: [Generator; 7] = [
    ("contracts", "daira-core/src/proto/generated", "", contracts::generate),
    ("queries", "daira-store/.sqlx", "", queries::generate),
    ("schema", "docs/api/schema.graphql", "", schema::generate),
    ("api", "docs/api", ".txt", api::generate),
    ("settings", "docs/SETTINGS.md", "", settings::generate),
    ("permissions", "docs/PERMISSIONS.md", "", permissions::generate),
    ("data", "docs/DATA.md", "", data::generate),
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let [flag, out] = arguments
        && flag == contracts::INTO
    {
        return contracts::generate(Path::new(out));
    }
    let (flags, chosen): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    let names = GENERATORS.map(|(name, ..)| name);
    if flags.iter().any(|flag| *flag != "--check") || chosen.iter().any(|word| !names.contains(&word.as_str())) {
        bail!("usage: cargo xtask codegen [--check] [{}]", names.join(" | "));
    }
    let scratch = cache()?.join(format!("codegen-{}", std::process::id()));
    let mut steps = Steps::default();
    for (name, place, ending, generate) in GENERATORS {
        if chosen.is_empty() || chosen.iter().any(|word| *word == name) {
            steps.step(name, || {
                let made = scratch.join(name);
                fs::create_dir_all(&scratch)?;
                generate(&made)?;
                settle(&made, place, ending, !flags.is_empty())
            });
        }
    }
    let _never_made = fs::remove_dir_all(&scratch);
    steps.finish()
}

/// Takes over what was made, or only says how the repository differs from it.
fn settle(made: &Path, place: &str, ending: &str, check: bool) -> Result<()> {
    let kept = root().join(place);
    let (old, new) = (contents(&kept, ending)?, contents(made, ending)?);
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let changed: Vec<_> = names.into_iter().filter(|name| old.get(*name) != new.get(*name)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let shown = |name: &PathBuf| format!("  {}", at(Path::new(place), name).display());
    let list = changed.iter().map(|name| shown(name)).collect::<Vec<_>>().join("\n");
    if check {
        let difference: String = changed.iter().map(|name| difference(&at(&kept, name), &at(made, name))).collect();
        let head: Vec<_> = difference.lines().take(60).collect();
        bail!(
            "not what their generator makes today:\n{list}\n\n{}\n\nrun `cargo xtask codegen`, look at the difference, and commit it",
            head.join("\n")
        );
    }
    for name in changed {
        let to = at(&kept, name);
        match new.get(name) {
            Some(bytes) => {
                fs::create_dir_all(to.parent().context("a file in no folder")?)?;
                fs::write(&to, bytes)?;
            }
            None => fs::remove_file(&to)?,
        }
    }
    println!("written anew:\n{}", tail(&list, 20));
    Ok(())
}

/// A file below a place; one that is a generator's own has no name below it.
fn at(place: &Path, name: &Path) -> PathBuf {
    if name.as_os_str().is_empty() { place.to_owned() } else { place.join(name) }
}

/// How two files differ, either of which may be missing.
fn difference(old: &Path, new: &Path) -> String {
    let there = |path: &Path| if path.exists() { path.to_owned() } else { PathBuf::from("/dev/null") };
    let mut diff = Command::new("git");
    diff.args(["--no-pager", "diff", "--no-index", "--no-color", "--unified=1"]).args([there(old), there(new)]);
    diff.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The files below a folder that end so, by their path in it; a file alone has the empty path; nothing is nothing.
fn contents(place: &Path, ending: &str) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![place.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if path.exists() && path.to_string_lossy().ends_with(ending) {
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.insert(path.strip_prefix(place)?.to_owned(), bytes);
        }
    }
    Ok(files)
}
