//! The cluster's folder: what is where, whose it is, and whether it can be used at all.
//!
//! ```text
//! <folder>/              ours, 0700 (0711 under root: the server's user must pass through)
//!   setup.lock           held while preparing, starting, stopping
//!   attached.lock        held, shared, by every process that uses the cluster
//!   superuser.password   0600
//!   postgresql.conf      written anew at each start
//!   start.log            what the server says before its own log begins
//!   pgdata/              the server's files        } the server's user's, 0700
//!   run/                 its socket                }
//!   log/                 its log, rotated by size  }
//! ```
//!
//! Under root only the last three belong to the stand-in user, and we never write inside them: a folder that somebody
//! less privileged controls may hold links that lead a careless root anywhere.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use super::{
    account::{Account, my_uid, name_of},
    error::ClusterError,
};

/// The socket file's name ends in this number; no TCP port is opened.
pub(super) const PORT: u16 = 5432;

/// The longest path of a socket that every system takes (Linux allows 107 bytes, macOS 103).
const MAX_SOCKET_PATH: usize = 99;

/// Everything that may lie in a cluster's folder; entries that begin with `pgdata.new-` are unfinished set-ups.
const ENTRIES: [&str; 9] = [
    "setup.lock",
    "attached.lock",
    "superuser.password",
    "setup.password",
    "postgresql.conf",
    "start.log",
    "pgdata",
    "run",
    "log",
];

/// Beginning of the names of folders that `initdb` is still filling.
pub(super) const UNFINISHED: &str = "pgdata.new-";

/// The prepared folder and the user that the server runs as.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    folder: PathBuf,
    pub(super) account: Account,
}

impl Layout {
    /// Creates the folder if need be and checks that it is ours, writable, and reachable for the server's user.
    pub(super) async fn prepare(configured: &Path) -> Result<Self, ClusterError> {
        let folder = std::path::absolute(configured).map_err(|e| ClusterError::io("resolve", configured, e))?;
        let account = Account::choose(owner(&folder.join("pgdata")))?;
        create(&folder, &account)?;
        let folder = folder.canonicalize().map_err(|e| ClusterError::io("resolve", &folder, e))?;
        let layout = Self { folder, account };
        layout.check_contents()?;
        let mode = if layout.account.is_stand_in() { 0o711 } else { 0o700 };
        fs::set_permissions(&layout.folder, Permissions::from_mode(mode)).map_err(|e| layout.unwritable(e))?;
        layout.check_parents().await?;
        for folder in [layout.run(), layout.log()] {
            layout.create_for_server(&folder)?;
        }
        Ok(layout)
    }

    fn check_contents(&self) -> Result<(), ClusterError> {
        let entries = fs::read_dir(&self.folder).map_err(|e| self.unwritable(e))?;
        for entry in entries {
            let name = entry.map_err(|e| ClusterError::io("list", &self.folder, e))?.file_name();
            let name = name.to_string_lossy();
            if !ENTRIES.contains(&&*name) && !name.starts_with(UNFINISHED) && name != ".DS_Store" {
                return Err(ClusterError::NotOurs { folder: self.folder.clone(), found: name.into_owned() });
            }
        }
        Ok(())
    }

    async fn check_parents(&self) -> Result<(), ClusterError> {
        let closed = self.account.first_closed(&self.folder).await;
        match closed.map_err(|e| ClusterError::io("check the parents of", &self.folder, e))? {
            None => Ok(()),
            Some(parent) => Err(ClusterError::ClosedParent {
                parent: parent.to_owned(),
                folder: self.folder.clone(),
                user: self.account.name.clone(),
            }),
        }
    }

    /// A folder of the server's user inside ours; nothing happens when it exists.
    pub(super) fn create_for_server(&self, folder: &Path) -> Result<(), ClusterError> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => self.account.own(folder).map_err(|e| ClusterError::io("give away", folder, e)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.unwritable(error)),
        }
    }

    /// What keeps a second server from the socket.
    pub(super) fn socket_lock(&self) -> Result<PathBuf, ClusterError> {
        Ok(self.socket_dir()?.join(format!(".s.PGSQL.{PORT}.lock")))
    }

    /// Where the socket goes: our own `run`, or a short folder under `/tmp` when its path would be too long.
    pub(super) fn socket_dir(&self) -> Result<PathBuf, ClusterError> {
        if fits(&self.run()) {
            return Ok(self.run());
        }
        let folder = Path::new("/tmp").join(format!("daira-{:016x}", fnv1a(self.folder.as_os_str().as_bytes())));
        let unusable = |why: String| ClusterError::SocketFolder { folder: folder.clone(), why };
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => self.account.own(&folder).map_err(|e| unusable(e.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(error.to_string())),
        }
        // Everybody may create names under /tmp, so what stands there must be a real folder, the server's and nobody
        // else's; the sticky bit then keeps others from replacing it.
        let found = fs::symlink_metadata(&folder).map_err(|e| unusable(e.to_string()))?;
        if found.is_dir() && found.uid() == self.account.uid && found.mode() & 0o777 == 0o700 {
            Ok(folder)
        } else {
            Err(unusable(format!("it belongs to {}, or is open to others", name_of(found.uid()))))
        }
    }

    /// The major version that made the existing files; `None` when there are none yet.
    pub(super) fn made_by(&self) -> Result<Option<u32>, ClusterError> {
        let pgdata = self.pgdata();
        if fs::symlink_metadata(&pgdata).is_err() {
            return Ok(None);
        }
        let damaged = |detail: &str| ClusterError::Corrupted {
            folder: self.folder.clone(),
            detail: detail.to_owned(),
            log: String::new(),
        };
        if owner(&pgdata).is_some_and(|(uid, _)| uid != self.account.uid) {
            return Err(self.foreign(&pgdata));
        }
        let version = match fs::read_to_string(pgdata.join("PG_VERSION")) {
            Ok(version) => version,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("`pgdata` holds no PG_VERSION file"));
            }
            Err(error) => return Err(ClusterError::io("read", pgdata.join("PG_VERSION"), error)),
        };
        let major = version.trim().parse().map_err(|_| damaged("PG_VERSION does not hold a version"))?;
        if !pgdata.join("global/pg_control").is_file() {
            return Err(damaged("`pgdata/global/pg_control` is missing"));
        }
        Ok(Some(major))
    }

    /// Writes a file of ours that the server does not change.
    pub(super) fn write(&self, path: &Path, mode: u32, text: &str) -> Result<(), ClusterError> {
        use io::Write as _;
        // Removed first, so that the mode holds from the first byte on.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ClusterError::io("replace", path, error));
            }
            _ => {}
        }
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .and_then(|mut file| {
                file.set_permissions(Permissions::from_mode(mode))?; // whatever the umask says
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull => ClusterError::io("write", &self.folder, error),
                _ => self.unwritable(error),
            })
    }

    /// Makes renames and new names in our folder outlive a power cut.
    pub(super) fn sync(&self) -> Result<(), ClusterError> {
        let synced = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| ClusterError::io("sync", &self.folder, e))
    }

    pub(super) fn unwritable(&self, source: io::Error) -> ClusterError {
        unwritable(&self.folder, source)
    }

    fn foreign(&self, path: &Path) -> ClusterError {
        let owner = owner(path).map_or_else(|| "somebody else".to_owned(), |(uid, _)| name_of(uid));
        ClusterError::ForeignOwner { folder: path.to_owned(), owner, me: self.account.name.clone() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
    pub(super) fn pgdata(&self) -> PathBuf {
        self.folder.join("pgdata")
    }
    pub(super) fn run(&self) -> PathBuf {
        self.folder.join("run")
    }
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
    pub(super) fn start_log(&self) -> PathBuf {
        self.folder.join("start.log")
    }
    pub(super) fn settings(&self) -> PathBuf {
        self.folder.join("postgresql.conf")
    }
    pub(super) fn password(&self) -> PathBuf {
        self.folder.join("superuser.password")
    }
    pub(super) fn setup_password(&self) -> PathBuf {
        self.folder.join("setup.password")
    }
    pub(super) fn setup_lock(&self) -> PathBuf {
        self.folder.join("setup.lock")
    }
    pub(super) fn attached_lock(&self) -> PathBuf {
        self.folder.join("attached.lock")
    }
}

/// Creates the folder, or checks that the existing one belongs to us.
fn create(folder: &Path, account: &Account) -> Result<(), ClusterError> {
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => {
            Err(unwritable(folder, io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder")))
        }
        Ok(found) if found.uid() == my_uid() => Ok(()),
        Ok(found) => Err(ClusterError::ForeignOwner {
            folder: folder.to_owned(),
            owner: name_of(found.uid()),
            me: name_of(my_uid()),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Parents that we make are made passable for the stand-in user whatever the umask says.
            let missing: Vec<_> = folder.ancestors().take_while(|parent| !parent.exists()).collect();
            for parent in missing.into_iter().rev() {
                match DirBuilder::new().mode(0o700).create(parent) {
                    Ok(()) if account.is_stand_in() => fs::set_permissions(parent, Permissions::from_mode(0o711))
                        .map_err(|e| ClusterError::io("open", parent, e))?,
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(unwritable(parent.parent().unwrap_or(parent), error)),
                }
            }
            Ok(())
        }
        Err(error) => Err(unwritable(folder, error)),
    }
}

fn unwritable(folder: &Path, source: io::Error) -> ClusterError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ClusterError::io("write", folder, source),
        _ => ClusterError::NotWritable { folder: folder.to_owned(), user: name_of(my_uid()), source },
    }
}

fn owner(path: &Path) -> Option<(u32, u32)> {
    fs::symlink_metadata(path).ok().map(|found| (found.uid(), found.gid()))
}

fn fits(socket_dir: &Path) -> bool {
    socket_dir.as_os_str().len() + format!("/.s.PGSQL.{PORT}").len() <= MAX_SOCKET_PATH
}

/// The 64-bit FNV-1a hash (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same in every build, so that a restarted
/// server puts its socket where clients of the old one look.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_stay_under_a_hundred_bytes() {
        let folder = |length: usize| PathBuf::from(format!("/{}", "x".repeat(length - 1)));
        let socket = "/.s.PGSQL.5432".len();
        assert!(fits(&folder(99 - socket)));
        assert!(!fits(&folder(100 - socket)));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
