//! What the sources of all our crates must not say, whatever they do.

use std::fs;
use std::path::{Path, PathBuf};

/// All source files of the libraries and programs beside this crate, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("daira-"))
        .map(|path| path.join("src"))
        .collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                let program = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path, program));
            }
        }
    }
    found
}

/// Whether a line compares what a secret holds, or a tag, as ordinary bytes: that takes longer the more of it is right.
fn compares_a_secret(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let secret = [".expose()", ".tag(", "finalize()"].iter().any(|secret| code.contains(secret));
    secret && (code.contains(" == ") || code.contains(" != ") || code.contains(".eq("))
}

#[test]
fn security_33_secrets_are_compared_in_constant_time_only() {
    assert!(compares_a_secret("if typed.expose() == code {") && compares_a_secret("key.tag(&[x]) != given"));
    assert!(!compares_a_secret("typed.expose().as_bytes().ct_eq(code)"));
    let sources = sources();
    assert!(sources.len() > 100, "{}", sources.len());
    for (path, text) in sources {
        for (number, line) in text.lines().enumerate() {
            // A length is no secret.
            let allowed = line.contains("expose().len()") || line.contains("expose().is_empty()");
            assert!(allowed || !compares_a_secret(line), "{}:{}: {line}", path.display(), number + 1);
        }
    }
}
