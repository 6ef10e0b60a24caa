//! `codegen`: the generated files of the repository, made again. They are checked in, so that nobody who uses a crate
//! needs the generators; `--check` proves that they are what the generators make today.

use anyhow::{Result, bail};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask codegen [--check]"),
    };
    work(check)
}

/// The generators are far heavier than everything else here, so they are a feature: we run ourselves again with it.
#[cfg(not(feature = "proto"))]
fn work(check: bool) -> Result<()> {
    let mut command =
        crate::run::cargo(&["run", "--quiet", "--package", "xtask", "--features", "proto", "--", "codegen"])?;
    if check {
        command.arg("--check");
    }
    if command.status()?.success() { Ok(()) } else { bail!("code generation failed") }
}

#[cfg(feature = "proto")]
fn work(check: bool) -> Result<()> {
    let root = crate::run::root();
    let generated = root.join("daira-core/src/proto/generated");
    let before = contents(&generated)?;
    crate::proto::generate(&root)?;
    let after = contents(&generated)?;
    if !check || before == after {
        return Ok(());
    }
    let changed: std::collections::BTreeSet<_> = before
        .iter()
        .filter(|(file, text)| after.get(*file) != Some(text))
        .chain(after.iter().filter(|(file, _)| !before.contains_key(*file)))
        .map(|(file, _)| file.display().to_string())
        .collect();
    bail!(
        "these generated files were out of date and have been written anew; commit them:\n  {}",
        changed.into_iter().collect::<Vec<_>>().join("\n  ")
    )
}

#[cfg(feature = "proto")]
fn contents(folder: &std::path::Path) -> Result<std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>> {
    let mut files = std::collections::BTreeMap::new();
    if folder.exists() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            files.insert(path.clone(), std::fs::read(path)?);
        }
    }
    Ok(files)
}
