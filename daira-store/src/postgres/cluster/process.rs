//! Drives PostgreSQL's own programs: set up a new folder, start the server, stop it.
//!
//! Everything here is called with the set-up lock held, so no two processes do it at once. The server is started in a
//! process group of its own: Ctrl-C in the terminal reaches our group only, and we decide when the server stops.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use data_encoding::HEXLOWER;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rand::Rng as _;
use tokio::{
    process::Child,
    time::{Instant, sleep},
};

use super::{
    binaries::Binaries,
    config::ClusterConfig,
    error::ClusterError,
    facts::SUPERUSER,
    layout::{Layout, UNFINISHED},
    postmaster::{self, Postmaster},
};

const POLL: Duration = Duration::from_millis(10);

/// How many of the server's log files are kept; each is at most 10 MB.
const LOG_FILES: usize = 10;

/// Creates the server's files, with a fresh superuser password. Killed half-way, it leaves nothing that the next
/// attempt could mistake for a cluster: the files get their final name only when they are complete.
pub(super) async fn set_up(layout: &Layout, binaries: &Binaries, durable: bool) -> Result<(), ClusterError> {
    remove_unfinished(layout)?;
    let fresh = layout.folder().join(format!("{UNFINISHED}{}", random_hex::<8>()));
    let password = random_hex::<32>();
    layout.write(&layout.password(), 0o600, &password)?;
    // The server's user must be able to read a copy for a moment; the kept one is ours alone.
    layout.write(&layout.setup_password(), 0o600, &password)?;
    let give_away = |path: &Path| layout.account.own(path).map_err(|e| ClusterError::io("give away", path, e));
    give_away(&layout.setup_password())?;

    // Version 17 brought a UTF-8 locale that is the same on every system; before, the C library's must do.
    let locales: [&[&str]; 2] = if binaries.major() >= 17 {
        [&["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"], &["--locale=C"]]
    } else {
        [&["--locale=C.UTF-8"], &["--locale=C"]]
    };
    let mut said = String::new();
    for locale in locales {
        if fresh.exists() {
            remove(&fresh)?;
        }
        layout.create_for_server(&fresh)?;
        let (done, output) = initdb(layout, binaries, &fresh, locale, durable).await?;
        if done {
            remove_file(&layout.setup_password())?;
            fs::rename(&fresh, layout.pgdata()).map_err(|e| ClusterError::io("finish", layout.pgdata(), e))?;
            return layout.sync();
        }
        let try_next = output.contains("invalid locale name");
        said = output;
        if !try_next {
            break;
        }
    }
    // Not an error of its own: what `initdb` said is the cause, and the next attempt cleans up again.
    let _ = remove_unfinished(layout);
    let _ = remove_file(&layout.setup_password());
    let (folder, log) = (layout.folder().to_owned(), last_lines(&said));
    Err(if is_disk_full(&said) { ClusterError::DiskFull { folder, log } } else { ClusterError::Setup { folder, log } })
}

async fn initdb(
    layout: &Layout,
    binaries: &Binaries,
    fresh: &Path,
    locale: &[&str],
    durable: bool,
) -> Result<(bool, String), ClusterError> {
    let program = binaries.program("initdb");
    let mut command = layout.account.command(&program);
    command.arg("-D").arg(fresh).args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "--data-checksums"]);
    command.arg("--pwfile").arg(layout.setup_password()).args(locale).kill_on_drop(true);
    if !durable {
        command.arg("--no-sync");
    }
    let output = command.output().await.map_err(|e| ClusterError::io("run", program, e))?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// Starts the server, or waits for the one that is already coming up, until it accepts connections.
pub(super) async fn run(
    layout: &Layout,
    binaries: &Binaries,
    config: &ClusterConfig,
) -> Result<Postmaster, ClusterError> {
    let deadline = Instant::now() + config.start_timeout;
    let pgdata = layout.pgdata();
    loop {
        // Somebody's live server is adopted. One that is stopping disappears within this loop, and a new one follows.
        while let Some(found) = Postmaster::running(&pgdata, &layout.account) {
            if found.ready {
                return Ok(found);
            }
            wait(layout, config, deadline).await?;
        }
        if !clear_the_way(layout, deadline).await? {
            continue;
        }
        match start(layout, binaries, config, deadline).await? {
            Some(started) => return Ok(started),
            None => wait(layout, config, deadline).await?,
        }
    }
}

/// One attempt; `None` when the remains of a killed server were still in the way.
async fn start(
    layout: &Layout,
    binaries: &Binaries,
    config: &ClusterConfig,
    deadline: Instant,
) -> Result<Option<Postmaster>, ClusterError> {
    let socket_dir = layout.socket_dir()?;
    layout.write(&layout.settings(), 0o644, &config.render(&socket_dir, socket_dir == layout.run())?)?;
    prune_logs(&layout.log())?;
    let mut child = spawn(layout, binaries)?;
    loop {
        if let Some(found) = Postmaster::read(&layout.pgdata())
            && found.ready
            && child.id() == u32::try_from(found.pid).ok()
        {
            // Dropped, not killed: the runtime collects it when it ends, and whoever comes after us adopts it.
            return Ok(Some(found));
        }
        if child.try_wait().map_err(|e| ClusterError::io("watch", binaries.program("postgres"), e))?.is_some() {
            let log = log_tail(layout);
            let in_the_way = ["pre-existing shared memory block", "lock file \"postmaster.pid\" already exists"];
            return if in_the_way.iter().any(|said| log.contains(said)) {
                Ok(None)
            } else {
                Err(diagnose(layout, log))
            };
        }
        wait(layout, config, deadline).await?;
    }
}

fn spawn(layout: &Layout, binaries: &Binaries) -> Result<Child, ClusterError> {
    let program = binaries.program("postgres");
    layout.write(&layout.start_log(), 0o600, "")?;
    let log = File::options().append(true).open(layout.start_log());
    let log = log.map_err(|e| ClusterError::io("open", layout.start_log(), e))?;
    let again = log.try_clone().map_err(|e| ClusterError::io("open", layout.start_log(), e))?;
    let mut command = layout.account.command(&program);
    command.arg("-D").arg(layout.pgdata()).arg("-c").arg(config_file(&layout.settings()));
    command.stdout(log).stderr(again).stdin(Stdio::null()).process_group(0);
    command.spawn().map_err(|e| ClusterError::io("run", program, e))
}

fn config_file(path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from("config_file=");
    argument.push(path);
    argument
}

/// Makes sure that nothing of a killed server is left at work, and that its lock files, `postmaster.pid` and the socket's,
/// do not keep out the next.
///
/// PostgreSQL itself only asks whether the recorded process id is taken. After a `kill -9` it may be: by a corpse that
/// nobody has collected yet, or by an unrelated process of the same user. Then, and only when no process of the old
/// server works in the folder any more, the files may go.
///
/// `false` when the processes turn out to be a living server's, one that had not yet written its file a moment ago.
async fn clear_the_way(layout: &Layout, deadline: Instant) -> Result<bool, ClusterError> {
    let pgdata = layout.pgdata();
    loop {
        if Postmaster::running(&pgdata, &layout.account).is_some() {
            return Ok(false);
        }
        let orphans = postmaster::processes_in(&pgdata, &layout.account);
        if orphans.is_empty() {
            break;
        }
        if Instant::now() >= deadline {
            let pids: Vec<_> = orphans.iter().map(i32::to_string).collect();
            return Err(ClusterError::Orphans { folder: layout.folder().to_owned(), pids: pids.join(" ") });
        }
        sleep(POLL).await;
    }
    for lock in [postmaster::file(&pgdata), layout.socket_lock()?] {
        if postmaster::recorded_pid(&lock).is_some_and(postmaster::pid_is_taken) {
            remove_file(&lock)?;
        }
    }
    Ok(true)
}

/// Stops the server: in order if it can (open transactions roll back, a checkpoint is written), at once if it must.
pub(super) async fn stop(layout: &Layout, config: &ClusterConfig) -> Result<(), ClusterError> {
    let pgdata = layout.pgdata();
    let began = Instant::now();
    for (signal, patience) in [(Signal::SIGINT, config.stop_timeout), (Signal::SIGQUIT, Duration::from_secs(10))] {
        let Some(found) = Postmaster::running(&pgdata, &layout.account) else { return Ok(()) };
        kill(Pid::from_raw(found.pid), signal).map_err(|e| ClusterError::io("stop", &pgdata, e.into()))?;
        let deadline = Instant::now() + patience;
        while Postmaster::running(&pgdata, &layout.account).is_some_and(|now| now.pid == found.pid) {
            if Instant::now() >= deadline {
                break;
            }
            sleep(POLL).await;
        }
    }
    match Postmaster::running(&pgdata, &layout.account) {
        None => Ok(()),
        Some(found) => Err(ClusterError::StopTimeout {
            folder: layout.folder().to_owned(),
            pid: found.pid,
            seconds: began.elapsed().as_secs(),
        }),
    }
}

/// One turn of waiting for the server to be ready.
async fn wait(layout: &Layout, config: &ClusterConfig, deadline: Instant) -> Result<(), ClusterError> {
    if Instant::now() >= deadline {
        return Err(ClusterError::StartTimeout {
            folder: layout.folder().to_owned(),
            seconds: config.start_timeout.as_secs(),
            log: log_tail(layout),
        });
    }
    sleep(POLL).await;
    Ok(())
}

/// What a server that ended instead of starting died of.
fn diagnose(layout: &Layout, log: String) -> ClusterError {
    /// What PostgreSQL says when the files themselves are at fault.
    const DAMAGE: [&str; 6] = [
        "could not locate a valid checkpoint record",
        "could not locate required checkpoint record",
        "database files are incompatible with server",
        "incorrect checksum in control file",
        "is not a valid data directory",
        "PANIC:",
    ];
    let folder = layout.folder().to_owned();
    if is_disk_full(&log) {
        return ClusterError::DiskFull { folder, log };
    }
    match log.lines().find(|line| DAMAGE.iter().any(|said| line.contains(said))) {
        Some(line) => {
            let detail = line.split_once(":  ").map_or(line, |(_, said)| said).to_owned();
            ClusterError::Corrupted { folder, detail, log }
        }
        None => ClusterError::Start { folder, log },
    }
}

fn is_disk_full(said: &str) -> bool {
    said.contains("No space left on device") || said.contains("Disk quota exceeded")
}

/// The end of what the server said: before its log began, and in the newest file of its log.
fn log_tail(layout: &Layout) -> String {
    let mut text = fs::read_to_string(layout.start_log()).unwrap_or_default();
    if let Some(newest) = log_files(&layout.log()).ok().and_then(|files| files.into_iter().next_back()) {
        text.push_str(&String::from_utf8_lossy(&fs::read(newest).unwrap_or_default()));
    }
    last_lines(&text)
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("HINT:  Future log output")).collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

/// The server's log files, oldest first: their names are times.
fn log_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Deletes all but the newest log files.
pub(super) fn prune_logs(folder: &Path) -> Result<(), ClusterError> {
    let mut files = log_files(folder).map_err(|e| ClusterError::io("list", folder, e))?;
    files.truncate(files.len().saturating_sub(LOG_FILES));
    files.iter().try_for_each(|file| remove_file(file))
}

/// Removes what interrupted set-ups left behind.
fn remove_unfinished(layout: &Layout) -> Result<(), ClusterError> {
    let entries = fs::read_dir(layout.folder()).map_err(|e| layout.unwritable(e))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<(), ClusterError> {
    fs::remove_dir_all(folder).map_err(|e| ClusterError::io("remove", folder, e))
}

/// Removes a file; one that is not there is fine.
fn remove_file(path: &Path) -> Result<(), ClusterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ClusterError::io("remove", path, error)),
        _ => Ok(()),
    }
}

fn random_hex<const BYTES: usize>() -> String {
    let mut bytes = [0_u8; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    HEXLOWER.encode(&bytes)
}
