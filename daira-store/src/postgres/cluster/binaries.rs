//! Finds the PostgreSQL programs on this machine: a configured folder, or the best of the usual places.
//!
//! In goes the configured folder, if any, and the major version of the cluster's existing files, if any; out comes the
//! folder whose `postgres`, `initdb` and `pg_ctl` may open them. A new cluster takes the newest version; an existing
//! one only its own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::error::ClusterError;

/// The oldest major version of PostgreSQL that DAIRA's schema works on.
pub const MINIMUM_MAJOR: u32 = 15;

/// Folders that packages put their programs in; a `*` stands for a version. Searched after `pg_config --bindir`.
const USUAL_PLACES: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/local/pgsql/bin",
    "/usr/bin",
];

/// A folder of PostgreSQL programs and the major version they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Picks the programs for a cluster whose existing files, if there are any, are of version `made_by`.
    ///
    /// # Errors
    /// [`ClusterError::BinariesNotFound`], [`ClusterError::UnusableBinaries`], [`ClusterError::WrongMajor`].
    pub async fn find(configured: Option<&Path>, made_by: Option<u32>, cluster: &Path) -> Result<Self, ClusterError> {
        let (installed, looked_in) = match configured {
            Some(folder) => (vec![Self::configured(folder).await?], Vec::new()),
            None => installed().await,
        };
        choose(&installed, looked_in, made_by, cluster)
    }

    async fn configured(folder: &Path) -> Result<Self, ClusterError> {
        let unusable = |why| ClusterError::UnusableBinaries { folder: folder.to_owned(), why };
        let found = Self::probe(folder)
            .await
            .ok_or_else(|| unusable("it does not hold `postgres`, `initdb` and `pg_ctl`, or they do not run".into()))?;
        if found.major < MINIMUM_MAJOR {
            return Err(unusable(format!("it is PostgreSQL {}", found.major)));
        }
        Ok(found)
    }

    /// Whether the folder holds a complete server, and which version it says it is.
    async fn probe(folder: &Path) -> Option<Self> {
        let complete = ["postgres", "initdb", "pg_ctl"].iter().all(|program| folder.join(program).is_file());
        if !complete {
            return None;
        }
        let answer = output(folder.join("postgres").as_os_str(), &["--version"]).await?;
        Some(Self { folder: folder.to_owned(), major: parse_major(&answer)? })
    }

    /// The full path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder the programs are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Their major version, for example 18.
    pub fn major(&self) -> u32 {
        self.major
    }
}

fn choose(
    installed: &[Binaries],
    looked_in: Vec<PathBuf>,
    made_by: Option<u32>,
    cluster: &Path,
) -> Result<Binaries, ClusterError> {
    let usable = || installed.iter().filter(|found| found.major >= MINIMUM_MAJOR);
    if let Some(best) = match made_by {
        Some(major) => usable().find(|found| found.major == major),
        None => usable().max_by_key(|found| found.major),
    } {
        return Ok(best.clone());
    }
    match made_by {
        Some(made_by) if usable().next().is_some() => {
            let available: BTreeSet<_> = usable().map(|found| found.major).collect();
            Err(ClusterError::WrongMajor {
                folder: cluster.to_owned(),
                made_by,
                available: available.into_iter().collect(),
            })
        }
        _ => Err(ClusterError::BinariesNotFound {
            looked_in,
            too_old: installed.iter().map(|found| (found.folder.clone(), found.major)).collect(),
        }),
    }
}

/// Every complete installation in the usual places, in order of preference, and the folders that were looked into.
async fn installed() -> (Vec<Binaries>, Vec<PathBuf>) {
    let mut places = Vec::new();
    // `pg_config` may be that of a client library only: its folder is a hint like the others.
    if let Some(folder) = output("pg_config".as_ref(), &["--bindir"]).await {
        places.push(PathBuf::from(folder.trim()));
    }
    for pattern in USUAL_PLACES {
        places.extend(expand(pattern));
    }
    // The shell knows the search path as the user sees it; links lead to the folder of the whole installation.
    if let Some(program) = output("sh".as_ref(), &["-c", "command -v postgres"]).await
        && let Ok(program) = Path::new(program.trim()).canonicalize()
        && let Some(folder) = program.parent()
    {
        places.push(folder.to_owned());
    }
    let (mut found, mut looked_in) = (Vec::new(), Vec::new());
    for place in places {
        if looked_in.contains(&place) {
            continue;
        }
        if let Some(binaries) = Binaries::probe(&place).await {
            found.push(binaries);
        }
        looked_in.push(place);
    }
    (found, looked_in)
}

/// The folders that a pattern with at most one `*`, inside one path component, stands for; itself when it has none.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut folders: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .filter(|folder| folder.is_dir())
        .collect();
    folders.sort();
    folders
}

/// What a program prints, if it runs and ends well.
async fn output(program: &std::ffi::OsStr, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The major version in `postgres (PostgreSQL) 18.6` or `postgres (PostgreSQL) 19beta1`.
fn parse_major(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32) -> Binaries {
        Binaries { folder: format!("/pg/{major}/bin").into(), major }
    }

    fn pick(installed: &[u32], made_by: Option<u32>) -> Result<u32, ClusterError> {
        let installed: Vec<_> = installed.iter().copied().map(version).collect();
        choose(&installed, vec!["/pg".into()], made_by, Path::new("/data")).map(|found| found.major)
    }

    #[test]
    fn a_new_cluster_takes_the_newest_and_an_old_one_its_own() {
        assert_eq!(pick(&[15, 18, 17], None).unwrap(), 18);
        assert_eq!(pick(&[15, 18, 17], Some(15)).unwrap(), 15);
    }

    #[test]
    fn no_other_version_opens_a_folder() {
        match pick(&[18, 15, 15], Some(17)).unwrap_err() {
            ClusterError::WrongMajor { made_by: 17, available, .. } => assert_eq!(available, [15, 18]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn too_old_is_not_found_and_says_so() {
        match pick(&[13, 14], None).unwrap_err() {
            ClusterError::BinariesNotFound { too_old, .. } => assert_eq!(too_old.len(), 2),
            other => panic!("{other:?}"),
        }
        assert!(matches!(pick(&[], Some(15)).unwrap_err(), ClusterError::BinariesNotFound { .. }));
    }

    #[test]
    fn versions_are_read_as_each_packager_prints_them() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(parse_major("postgres (PostgreSQL) 18"), Some(18));
        assert_eq!(parse_major("something else 18.1"), None);
    }

    #[test]
    fn a_star_stands_for_part_of_one_folder_name() {
        let root = std::env::temp_dir().join(format!("daira-expand-{}", std::process::id()));
        for folder in ["pgsql-15/bin", "pgsql-18/bin", "other/bin", "pgsql-19"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let found = expand(&format!("{}/pgsql-*/bin", root.display()));
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, [root.join("pgsql-15/bin"), root.join("pgsql-18/bin")]);
    }
}
