//! Gets PostgreSQL's programs in the version that a test wants: the system's, else its package, else a build from Maven
//! Central, kept in the cache.

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::host::{Host, install, require};
use crate::run::{have, output};

/// Builds of PostgreSQL for Java programs to embed: the whole server with its extensions, without clients.
const ARTIFACT: &str = "io.zonky.test.postgres:embedded-postgres-binaries";

/// The release of each major version that is fetched.
const RELEASES: [(u32, &str); 2] = [(15, "15.18.0"), (18, "18.6.0")];

/// The versions that the programs look for by themselves.
const KNOWN: RangeInclusive<u32> = 15..=19;

/// The folder that holds `postgres`, `initdb` and `pg_ctl` of this major version.
pub(crate) fn postgres(host: &Host, major: u32) -> Result<PathBuf> {
    if let Some(found) = installed(major) {
        return Ok(found);
    }
    let package = format!("postgresql-{major}");
    if offers(&package) {
        install(&[&package])?;
        return installed(major)
            .with_context(|| format!("`{package}` is installed, but its programs are not in any usual place"));
    }
    fetch(host, major)
}

/// Some version that can be used: the system's, else its package, else a build that is fetched. The folder is told for the
/// last only: the programs find what is installed by themselves, in the version that made their data.
pub(crate) fn any_postgres(host: &Host) -> Result<Option<PathBuf>> {
    let [.., (newest, _)] = RELEASES;
    if KNOWN.into_iter().any(|major| installed(major).is_some()) {
        return Ok(None);
    }
    match KNOWN.rev().find(|major| offers(&format!("postgresql-{major}"))) {
        Some(major) => postgres(host, major).map(|_installed| None),
        None => fetch(host, newest).map(Some),
    }
}

/// Where systems put the programs of a major version, if they are there.
fn installed(major: u32) -> Option<PathBuf> {
    let places = [
        format!("/usr/lib/postgresql/{major}/bin"),
        format!("/usr/pgsql-{major}/bin"),
        format!("/opt/homebrew/opt/postgresql@{major}/bin"),
        format!("/usr/local/opt/postgresql@{major}/bin"),
    ];
    places.iter().map(PathBuf::from).find(|folder| folder.join("postgres").is_file())
}

/// Whether apt knows a package by this name.
fn offers(package: &str) -> bool {
    have("apt-cache") && output(Command::new("apt-cache").args(["show", "--quiet=2", package])).is_ok()
}

fn fetch(host: &Host, major: u32) -> Result<PathBuf> {
    let (_, release) = RELEASES
        .iter()
        .find(|(known, _)| *known == major)
        .with_context(|| format!("please install PostgreSQL {major}: no build of it is known here"))?;
    let folder = host.folder.join(format!("postgres-{release}"));
    let bin = folder.join("bin");
    if bin.join("postgres").is_file() {
        return Ok(bin);
    }
    require("mvn", "maven")?;
    require("unzip", "unzip")?;
    require("xz", "xz-utils")?;
    let artifact = format!("{ARTIFACT}-{}:{release}", platform()?);
    eprintln!("fetching {artifact}");
    let work = host.folder.join(format!("fetch-{}", std::process::id()));
    fs::create_dir_all(&work)?;
    let unpacked = unpack(&artifact, &work, &host.folder.join("maven")).with_context(|| format!("fetching {artifact}"));
    let moved = unpacked.and_then(|from| Ok(fs::rename(from, &folder)?));
    fs::remove_dir_all(&work)?;
    moved?;
    Ok(bin)
}

/// Downloads and unpacks; the folder that holds `bin`. Maven keeps what it needs for that in `repository`: its own default
/// is the home folder of the password file, which not every user has.
fn unpack(artifact: &str, work: &Path, repository: &Path) -> Result<PathBuf> {
    let jars = work.join("jars");
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"]);
    maven.arg(format!("-Dmaven.repo.local={}", repository.display()));
    maven.arg(format!("-Dartifact={artifact}")).arg(format!("-DoutputDirectory={}", jars.display()));
    output(maven.current_dir(work))?;
    let jar = with_ending(&jars, "jar")?;
    output(Command::new("unzip").arg("-q").arg(jar).arg("-d").arg(&jars))?;
    let archive = with_ending(&jars, "txz")?;
    let folder = work.join("postgres");
    fs::create_dir(&folder)?;
    output(Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(&folder))?;
    // Servers may run as another user than the one who fetched them.
    output(Command::new("chmod").args(["-R", "a+rX"]).arg(&folder))?;
    Ok(folder)
}

fn with_ending(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut paths = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let found = paths.find(|path| path.extension().is_some_and(|end| end == ending));
    found.with_context(|| format!("no .{ending} file in {}", folder.display()))
}

/// What the builds call this kind of machine.
fn platform() -> Result<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-amd64"),
        ("linux", "aarch64") => Ok("linux-arm64v8"),
        ("macos", "x86_64") => Ok("darwin-amd64"),
        ("macos", "aarch64") => Ok("darwin-arm64v8"),
        (system, machine) => bail!("there is no build of PostgreSQL for {system} on {machine}"),
    }
}
