//! This machine: as which user servers run, where their folder may be, and how missing packages get installed.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::run::{self, have, output};

/// Where and as whom the servers run.
pub(crate) struct Host {
    /// The folder for downloads and running servers.
    pub(crate) folder: PathBuf,
    /// User and group id to drop to, when we are root: PostgreSQL refuses to run as root.
    stand_in: Option<(u32, u32)>,
}

impl Host {
    pub(crate) fn find() -> Result<Self> {
        let cache = run::cache()?;
        fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
        let mut host = Self { folder: cache.join("services"), stand_in: None };
        if is_root()? {
            host.stand_in = ["postgres", "nobody"].into_iter().find_map(ids);
            if host.stand_in.is_none() {
                bail!(
                    "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as"
                );
            }
            // Root's home is usually closed to others; servers that run as somebody else need a place they can reach.
            if std::env::var_os("DAIRA_CACHE").is_none() && !host.can_enter(&cache)? {
                host.folder = "/var/cache/daira/services".into();
            }
        }
        fs::create_dir_all(&host.folder).with_context(|| format!("creating {}", host.folder.display()))?;
        if !host.can_enter(&host.folder)? {
            bail!(
                "{} cannot be entered by the user that PostgreSQL runs as; set DAIRA_CACHE to a folder that everybody may enter",
                host.folder.display()
            );
        }
        Ok(host)
    }

    /// A command as the user that servers run as.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        if let Some((uid, gid)) = self.stand_in {
            command.env("HOME", "/").uid(uid).gid(gid);
        }
        command
    }

    /// Creates a folder for a server and gives it to the server's user.
    pub(crate) fn create(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        self.give(folder)
    }

    /// Gives a file to the server's user.
    pub(crate) fn give(&self, file: &Path) -> Result<()> {
        let Some((uid, gid)) = self.stand_in else { return Ok(()) };
        chown(file, Some(uid), Some(gid)).with_context(|| format!("giving away {}", file.display()))
    }

    fn can_enter(&self, folder: &Path) -> Result<bool> {
        let test = self.command(Path::new("/bin/sh")).args(["-c", "[ -x \"$1\" ]", "sh"]).arg(folder).status()?;
        Ok(test.success())
    }
}

fn is_root() -> Result<bool> {
    match fs::metadata("/proc/self") {
        Ok(me) => Ok(me.uid() == 0),
        Err(_) => Ok(output(Command::new("id").arg("-u"))?.trim() == "0"),
    }
}

fn ids(user: &str) -> Option<(u32, u32)> {
    let id = |flag| output(Command::new("id").args([flag, user])).ok()?.trim().parse().ok();
    Some((id("-u")?, id("-g")?))
}

/// Installs Debian packages, when this is a Debian and we may; else says what to type.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let wanted = packages.join(" ");
    if !have("apt-get") {
        bail!("please install: {wanted} (or what your system calls them)");
    }
    let prefix: &[&str] = if is_root()? {
        &[]
    } else if output(Command::new("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        bail!("please type: sudo apt-get install {wanted}");
    };
    eprintln!("installing {wanted}");
    let apt = |arguments: &[&str]| {
        let line: Vec<_> = prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]).collect();
        let (program, first) = line.split_first().context("an empty command")?;
        output(Command::new(program).args(first).args(arguments))
    };
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    // The package lists of a fresh machine are empty.
    apt(&arguments).or_else(|_| apt(&["update"]).and_then(|_| apt(&arguments)))?;
    Ok(())
}

/// Makes sure that a program is there; `package` is what Debian calls its package.
pub(crate) fn require(program: &str, package: &str) -> Result<()> {
    if have(program) { Ok(()) } else { install(&[package]).with_context(|| format!("`{program}` is needed")) }
}
