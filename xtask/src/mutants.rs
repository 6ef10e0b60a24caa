//! `mutants`: shows that the law of visibility notices a broken policy. Each mutation is one edit of a `policy.rs`, made in
//! a scratch copy of the tree; the law must then fail, and must hold again in the copy as it was.
//!
//! The same for row security is a test of the store, which mutates the policies of a database.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::run::{cache, cargo, output, root};

/// Runs the law over the store in memory, which asks the policies.
const LAW: [&str; 5] = ["--package", "daira-core", "--all-features", "--example", "law"];

/// What breaks, where, and the text that becomes another.
type Mutation = (&'static str, &'static str, &'static str, &'static str);

const MUTATIONS: [Mutation; 11] = [
    ("a block hides no post", "post", "!reader.blocked && open", "open"),
    (
        "a block hides no person",
        "graph",
        "standing == Standing::Live && !relation.blocked()",
        "standing == Standing::Live",
    ),
    ("posts of hidden people are seen", "post", "reader.standing == Standing::Live && ", ""),
    ("hidden people are seen", "graph", "own || (standing == Standing::Live && ", "own || ("),
    (
        "followers and others change places",
        "post",
        "Followers => reader.follows,\n        Visibility",
        "Followers => !reader.follows,\n        Visibility",
    ),
    ("a circle is for everybody", "post", "Visibility::Circle(_) => reader.in_circle", "Visibility::Circle(_) => true"),
    ("private posts are seen", "post", "Visibility::Private => false", "Visibility::Private => true"),
    (
        "a private profile is open",
        "post",
        "!reader.private || reader.follows ||",
        "reader.follows || reader.private || !reader.private ||",
    ),
    ("deleted posts are seen", "post", "post.deleted_at.is_some() || !within_class", "!within_class"),
    (
        "what was taken down is seen",
        "post",
        "post.deleted_at.is_some() || reader.taken_down",
        "post.deleted_at.is_some()",
    ),
    ("deleted comments are seen", "comment", "comment.deleted_at.is_none() && crate", "crate"),
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), "usage: cargo xtask mutants");
    let copy = cache()?.join("mutants");
    take(&copy)?;
    if let Some(said) = law(&copy)? {
        bail!("the law fails on the tree as it is, so it proves nothing:\n{said}");
    }
    let mut survivors = 0;
    println!("{:<38} {:<32} the law", "mutation", "in");
    for (what, module, from, to) in MUTATIONS {
        let name = format!("daira-core/src/{module}/policy.rs");
        let file = copy.join(&name);
        let text = fs::read_to_string(&file)?;
        ensure!(text.matches(from).count() == 1, "{name} does not hold {from:?} once: look after xtask/src/mutants.rs");
        fs::write(&file, text.replacen(from, to, 1))?;
        let noticed = law(&copy)?;
        fs::write(&file, text)?;
        survivors += usize::from(noticed.is_none());
        println!(
            "{what:<38} {name:<32} {}",
            noticed.map_or("DOES NOT NOTICE".to_owned(), |said| format!("fails: {said}"))
        );
    }
    ensure!(survivors == 0, "{survivors} of {} mutations were not noticed", MUTATIONS.len());
    println!("{} mutations, all noticed", MUTATIONS.len());
    Ok(())
}

/// Makes the copy like the tree here, committed or not. What is the same already is left alone: it need not be built again.
fn take(copy: &Path) -> Result<()> {
    let mut listing = Command::new("git");
    listing.args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]).current_dir(root());
    for name in output(&mut listing)?.lines() {
        let (from, to) = (root().join(name), copy.join(name));
        // Deleted, but not committed yet.
        if !from.is_file() {
            continue;
        }
        let text = fs::read(&from).with_context(|| format!("reading {name}"))?;
        if fs::read(&to).is_ok_and(|there| there == text) {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file in no folder")?)?;
        fs::write(&to, text).with_context(|| format!("copying {name}"))?;
    }
    Ok(())
}

/// Runs the law in a tree; what it fails with, or nothing. A tree that does not compile is an error: that notices nothing.
fn law(tree: &Path) -> Result<Option<String>> {
    let command = |word: &str| -> Result<Command> {
        let mut command = cargo(&[word, "--quiet"])?;
        command.args(LAW).current_dir(tree);
        Ok(command)
    };
    output(&mut command("build")?)?;
    let run = command("run")?.output()?;
    if run.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at"));
    let reason = lines.nth(1).context("it failed without a reason")?;
    Ok(Some(reason.trim().trim_start_matches("assertion `left == right` failed: ").to_owned()))
}
