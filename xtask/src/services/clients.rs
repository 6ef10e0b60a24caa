//! Gets the clients of others that tests drive the server with: `grpcurl`, a Python with gRPC, a browser, and Node.
//!
//! Versions are pinned; what is not the system's is kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::host::{Host, install, require};
use crate::run::output;

const GRPCURL: &str = "v1.9.3";

/// Python's gRPC with reflection, health and error details, and the packages they rest on.
const PYTHON: [&str; 7] = [
    "grpcio==1.85.3",
    "grpcio-reflection==1.85.1",
    "grpcio-health-checking==1.85.1",
    "grpcio-status==1.85.3",
    "googleapis-common-protos==1.76.0",
    "protobuf==7.36.2",
    "typing-extensions==4.16.0",
];

/// Names that Chromium and its kin go by.
const BROWSERS: [&str; 4] = ["chromium", "google-chrome-stable", "google-chrome", "chromium-browser"];

/// The variables that tests find the clients by.
pub(crate) fn variables(host: &Host) -> Result<Vec<(String, String)>> {
    require("node", "nodejs")?;
    require("npm", "npm")?;
    let found = [
        ("DAIRA_TEST_GRPCURL", grpcurl(host)?),
        ("DAIRA_TEST_GRPC_PYTHON", python(host)?),
        ("DAIRA_TEST_BROWSER", browser()?),
    ];
    Ok(found.into_iter().map(|(name, path)| (name.to_owned(), path.display().to_string())).collect())
}

fn grpcurl(host: &Host) -> Result<PathBuf> {
    let program = host.folder.join(format!("grpcurl-{GRPCURL}/grpcurl"));
    go_install(&program, &format!("github.com/fullstorydev/grpcurl/cmd/grpcurl@{GRPCURL}"))?;
    Ok(program)
}

fn python(host: &Host) -> Result<PathBuf> {
    let folder = host.folder.join("grpc-python");
    let (ready, program) = (folder.join("ready"), folder.join("bin/python"));
    let wanted = PYTHON.join(" ");
    if fs::read_to_string(&ready).ok().as_ref() != Some(&wanted) {
        require("python3", "python3")?;
        eprintln!("installing {wanted}");
        // Programs in it hold its path, so it is made where it stays; `ready` comes last.
        let make = || output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        make().or_else(|_| install(&["python3-venv"]).and_then(|()| make()))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        output(Command::new(&program).args(pip).args(PYTHON))?;
        fs::write(ready, wanted)?;
    }
    Ok(program)
}

fn browser() -> Result<PathBuf> {
    let find = || BROWSERS.iter().find_map(|name| output(Command::new("which").arg(name)).ok());
    let found = if let Some(found) = find() {
        found
    } else {
        install(&["chromium"])?;
        find().context("`chromium` is installed, but it is not on the search path")?
    };
    Ok(found.trim().into())
}

/// Builds a program from a module of Go's, unless it is there.
pub(super) fn go_install(program: &Path, module: &str) -> Result<()> {
    if program.is_file() {
        return Ok(());
    }
    require("go", "golang-go")?;
    eprintln!("building {module}");
    into_place(program, |folder| output(Command::new("go").args(["install", module]).env("GOBIN", folder)))
}

/// Makes a program in a folder beside the one it belongs into, and moves the folder when it is complete.
fn into_place(program: &Path, make: impl FnOnce(&Path) -> Result<String>) -> Result<()> {
    let Some(folder) = program.parent() else { bail!("{} is in no folder", program.display()) };
    let work = folder.with_extension(format!("making-{}", std::process::id()));
    fs::create_dir_all(&work)?;
    let made = make(&work).and_then(|_| Ok(fs::rename(&work, folder)?));
    if made.is_err() {
        fs::remove_dir_all(&work)?;
    }
    made
}
