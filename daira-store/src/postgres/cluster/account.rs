//! As which operating-system user PostgreSQL runs.
//!
//! An ordinary user runs it as himself. Root cannot (PostgreSQL refuses), so it gives the server's own folders to an
//! unprivileged user and drops to that one in the child process; the user is chosen once, and afterwards it is the
//! owner of the existing files.

use std::{io, os::unix::fs::chown, path::Path, process::Stdio};

use nix::unistd::{Uid, User, geteuid};
use tokio::process::Command;

use super::error::ClusterError;

/// Users that may stand in for root, best first: the distribution's, Homebrew's, our own, and the one every Unix has.
const STAND_INS: [&str; 4] = ["postgres", "_postgres", "daira", "nobody"];

/// The user that PostgreSQL runs as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) name: String,
    gid: u32,
    /// Whether child processes must change to it, because we are root.
    dropped_to: bool,
}

impl Account {
    /// Chooses the user, given the owner (user and group id) of the server's existing files.
    pub(super) fn choose(owner_of_files: Option<(u32, u32)>) -> Result<Self, ClusterError> {
        let me = geteuid();
        if !me.is_root() {
            return Ok(Self { uid: me.as_raw(), gid: 0, name: name_of(me.as_raw()), dropped_to: false });
        }
        if let Some((uid, gid)) = owner_of_files.filter(|(uid, _)| *uid != 0) {
            return Ok(Self { uid, gid, name: name_of(uid), dropped_to: true });
        }
        STAND_INS
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name, dropped_to: true })
            .ok_or_else(|| ClusterError::NoUnprivilegedUser { tried: STAND_INS.join(", ") })
    }

    /// Whether it is another user than the one this process runs as.
    pub(super) fn is_stand_in(&self) -> bool {
        self.dropped_to
    }

    /// Gives a file or folder that we just created to this user.
    pub(super) fn own(&self, path: &Path) -> io::Result<()> {
        if self.dropped_to { chown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// A command that runs as this user, with a clean environment: what the server process inherits can be read by
    /// everybody who can read its memory, so our secrets must not be in it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("HOME", "/");
        command.current_dir("/").stdin(Stdio::null());
        if self.dropped_to {
            // Dropping from root this way also clears the supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// The outermost of `folder` and its parents that this user may not enter. The kernel answers, so access lists count.
    pub(super) async fn first_closed<'a>(&self, folder: &'a Path) -> io::Result<Option<&'a Path>> {
        if !self.dropped_to {
            return Ok(None);
        }
        let mut parents: Vec<_> = folder.ancestors().collect();
        parents.reverse();
        // Prints how many of its arguments, from the first on, may be entered.
        let script = r#"n=0; for f; do [ -x "$f" ] || break; n=$((n+1)); done; echo $n"#;
        let output = self.command(Path::new("/bin/sh")).args(["-c", script, "sh"]).args(&parents).output().await?;
        let open: usize = String::from_utf8_lossy(&output.stdout).trim().parse().map_err(io::Error::other)?;
        Ok(parents.get(open).copied())
    }
}

/// The user id of this process.
pub(super) fn my_uid() -> u32 {
    geteuid().as_raw()
}

/// A user's name, or his number where he has none.
pub(super) fn name_of(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_never_runs_as_root() {
        for owner in [None, Some((0, 0)), Some((1234, 1234))] {
            assert_ne!(Account::choose(owner).unwrap().uid, 0);
        }
    }

    #[test]
    fn root_keeps_the_user_that_owns_the_files() {
        let account = Account::choose(Some((1234, 1234))).unwrap();
        assert_eq!(account.is_stand_in(), my_uid() == 0);
        assert_eq!(account.uid, if my_uid() == 0 { 1234 } else { my_uid() });
    }

    #[tokio::test]
    async fn commands_run_as_the_user_and_inherit_no_environment() {
        let account = Account::choose(None).unwrap();
        let output = account.command(Path::new("/usr/bin/env")).output().await.unwrap();
        let seen = String::from_utf8(output.stdout).unwrap();
        assert!(!seen.contains("CARGO"), "{seen}");
        let id = account.command(Path::new("/usr/bin/id")).arg("-u").output().await.unwrap();
        assert_eq!(String::from_utf8(id.stdout).unwrap().trim(), account.uid.to_string());
    }
}
