//! The embedded cluster, on the real programs: its life, everything that may be killed under it, and every way in which
//! a folder can be unfit.
//!
//! `DAIRA_TEST_PG15_BIN` and `DAIRA_TEST_PG18_BIN` name folders of programs for the life-cycle test; without them it
//! runs on what the cluster finds by itself. Other processes are this program again, with `DAIRA_TEST_HOLD` set.

use std::{
    fs,
    io::{BufRead, BufReader, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use daira_store::postgres::cluster::{Cluster, ClusterConfig, ClusterError, ConnectionFacts, Departure};
use sqlx::{Connection as _, PgConnection};

const HOLD: &str = "DAIRA_TEST_HOLD";
/// A user without any rights, for what root may not be tried with.
const NOBODY: u32 = 65534;

/// A folder of its own for each test, removed with whatever still runs in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("daira-it-{}-{n}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn cluster(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// A throw-away cluster: quick, not durable.
    fn config(&self) -> ClusterConfig {
        quick(self.cluster())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for pgdata in [self.cluster().join("pgdata"), self.0.join("held/pgdata")] {
            if let Some(pid) = recorded_pid(&pgdata).filter(|pid| works_in(*pid, &pgdata)) {
                signal("KILL", &pid.to_string());
                // Its children notice and go; a folder that they still write to cannot be removed.
                std::thread::sleep(Duration::from_millis(300));
            }
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn quick(folder: impl Into<PathBuf>) -> ClusterConfig {
    let mut config = ClusterConfig::new(folder);
    config.durable = false;
    config
}

fn recorded_pid(pgdata: &Path) -> Option<u32> {
    fs::read_to_string(pgdata.join("postmaster.pid")).ok()?.lines().next()?.parse().ok()
}

fn works_in(pid: u32, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)
}

fn signal(name: &str, target: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), "--", target]).status().unwrap().success());
}

fn is_root() -> bool {
    fs::metadata("/proc/self").map_or_else(|_| false, |me| me.uid() == 0)
}

async fn connect(facts: &ConnectionFacts) -> PgConnection {
    PgConnection::connect(&facts.superuser_url("postgres")).await.unwrap()
}

async fn text(facts: &ConnectionFacts, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&mut connect(facts).await).await.unwrap()
}

async fn execute(facts: &ConnectionFacts, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&mut connect(facts).await).await.unwrap();
}

async fn refused(config: ClusterConfig) -> ClusterError {
    match Cluster::ensure(config).await {
        Err(error) => error,
        Ok(cluster) => panic!("it was not refused: {cluster:?}"),
    }
}

/// In the other process: attaches, says so, and holds on until it is killed or its input ends.
async fn hold_if_asked() -> bool {
    let Some(folder) = std::env::var_os(HOLD) else { return false };
    let cluster = Cluster::ensure(quick(folder)).await.unwrap();
    println!("\nheld {}", cluster.pid().unwrap());
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
    println!("\nleft {:?}", cluster.shutdown().await.unwrap());
    true
}

/// Another process that runs the named test as a holder of the folder, in a process group of its own.
fn holder(test: &str, folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(HOLD, folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().unwrap()
}

/// The rest of the first line of the process's output that begins with `word`.
fn line(output: &mut impl BufRead, word: &str) -> String {
    let mut seen = String::new();
    for line in output.lines().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix(word) {
            return rest.trim().to_owned();
        }
        seen.push_str(&line);
    }
    panic!("the process ended without saying `{word}`: {seen}");
}

#[tokio::test]
async fn its_life_set_up_start_stop_and_start_again() {
    let mut installations: Vec<_> =
        ["DAIRA_TEST_PG15_BIN", "DAIRA_TEST_PG18_BIN"].into_iter().filter_map(std::env::var_os).map(Some).collect();
    if installations.is_empty() {
        installations.push(None);
    }
    for bin_dir in installations {
        let scratch = Scratch::new();
        let mut config = scratch.config();
        config.bin_dir = bin_dir.map(PathBuf::from);
        config.settings.push(("work_mem".into(), "7MB".into()));
        let cluster = Cluster::ensure(config.clone()).await.unwrap();
        let facts = cluster.facts().clone();
        println!("PostgreSQL {}", facts.major());

        assert_eq!(text(&facts, "show listen_addresses").await, "");
        assert_eq!(text(&facts, "show server_encoding").await, "UTF8");
        assert_eq!(text(&facts, "show work_mem").await, "7MB");
        assert_eq!(text(&facts, "show data_checksums").await, "on");
        assert_eq!(text(&facts, "select lower('ΑΒΓ É')").await, "αβγ é");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(facts.socket_dir()), 0o700);
        assert_eq!(mode(&scratch.cluster().join("superuser.password")), 0o600);
        assert_eq!(facts.socket_dir(), scratch.cluster().canonicalize().unwrap().join("run"));
        let wrong = PgConnection::connect(&facts.url("postgres", "guess", "postgres")).await.unwrap_err();
        assert!(wrong.to_string().contains("password authentication failed"), "{wrong}");
        if cfg!(target_os = "linux") {
            let proc = PathBuf::from(format!("/proc/{}", cluster.pid().unwrap()));
            assert_ne!(fs::metadata(&proc).unwrap().uid(), 0, "PostgreSQL must not run as root");
            let environment = fs::read(proc.join("environ")).unwrap();
            assert!(!String::from_utf8_lossy(&environment).contains("CARGO"), "our environment leaked");
        }

        execute(&facts, "create table kept as select 'سمك' as word").await;
        assert_eq!(cluster.shutdown().await.unwrap(), Departure::Stopped);
        assert!(!cluster.is_alive());
        assert_eq!(recorded_pid(&scratch.cluster().join("pgdata")), None, "an orderly stop removes its file");

        let began = std::time::Instant::now();
        let again = Cluster::ensure(config).await.unwrap();
        println!("started again in {:?}", began.elapsed());
        assert_eq!(text(again.facts(), "select word from kept").await, "سمك");
        assert_eq!(again.shutdown().await.unwrap(), Departure::Stopped);
    }
}

#[tokio::test]
async fn the_last_to_leave_stops_it() {
    let scratch = Scratch::new();
    let first = Cluster::ensure(scratch.config()).await.unwrap();
    let second = Cluster::ensure(scratch.config()).await.unwrap();
    assert_eq!(first.pid(), second.pid());
    assert_eq!(first.shutdown().await.unwrap(), Departure::LeftRunning);
    assert_eq!(first.shutdown().await.unwrap(), Departure::LeftRunning);
    assert!(second.is_alive());
    assert_eq!(second.shutdown().await.unwrap(), Departure::Stopped);
    assert!(!second.is_alive());
    assert_eq!(first.shutdown().await.unwrap(), Departure::Stopped);
}

#[tokio::test]
async fn a_dropped_handle_leaves_the_server_to_the_next() {
    let scratch = Scratch::new();
    let dropped = Cluster::ensure(scratch.config()).await.unwrap();
    let pid = dropped.pid();
    drop(dropped);
    let next = Cluster::ensure(scratch.config()).await.unwrap();
    assert_eq!(next.pid(), pid);
    assert_eq!(next.shutdown().await.unwrap(), Departure::Stopped);
}

#[tokio::test]
async fn a_killed_server_recovers_at_the_next_start() {
    let scratch = Scratch::new();
    let config = ClusterConfig::new(scratch.cluster());
    let cluster = Cluster::ensure(config.clone()).await.unwrap();
    execute(cluster.facts(), "create table kept as select 'acknowledged' as word").await;
    let mut session = connect(cluster.facts()).await;
    let killed = cluster.pid().unwrap();
    signal("KILL", &killed.to_string());
    // Straight away, with an open session's process still about.
    let again = Cluster::ensure(config).await.unwrap();
    assert_ne!(again.pid(), Some(killed));
    assert!(sqlx::query("select 1").execute(&mut session).await.is_err());
    assert_eq!(text(again.facts(), "select word from kept").await, "acknowledged");
    assert_eq!(cluster.shutdown().await.unwrap(), Departure::LeftRunning);
    assert_eq!(again.shutdown().await.unwrap(), Departure::Stopped);
}

#[tokio::test]
async fn a_supervised_server_comes_back_each_time_and_never_after_shutdown() {
    let scratch = Scratch::new();
    let cluster = Cluster::ensure(scratch.config()).await.unwrap();
    let mut restarts = 0;
    for _ in 0..2 {
        let killed = cluster.pid().unwrap();
        signal("KILL", &killed.to_string());
        let back = async {
            while cluster.pid().is_none_or(|pid| pid == killed) || !cluster.is_alive() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // The supervisor hears of its own success a moment later.
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        tokio::select! {
            ended = cluster.supervise(|| restarts += 1) => panic!("{ended:?}"),
            () = back => {}
            () = tokio::time::sleep(Duration::from_mins(1)) => panic!("it did not come back"),
        }
        assert_eq!(text(cluster.facts(), "select 'here'").await, "here");
    }
    assert_eq!(restarts, 2);
    let watched = async {
        cluster.shutdown().await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    tokio::select! {
        ended = cluster.supervise(|| panic!("it was started after the shutdown")) => panic!("{ended:?}"),
        () = watched => assert!(!cluster.is_alive()),
    }
}

#[tokio::test]
async fn the_next_process_adopts_the_server_of_a_killed_one() {
    if hold_if_asked().await {
        return;
    }
    let scratch = Scratch::new();
    let mut owner = holder("cluster::the_next_process_adopts_the_server_of_a_killed_one", &scratch.cluster());
    let pid = line(&mut BufReader::new(owner.stdout.take().unwrap()), "held ");
    // The whole group, as a terminal does it: the server is in another one.
    signal("KILL", &format!("-{}", owner.id()));
    owner.wait().unwrap();
    let heir = Cluster::ensure(scratch.config()).await.unwrap();
    assert_eq!(heir.pid().unwrap().to_string(), pid);
    assert_eq!(text(heir.facts(), "select 'alive'").await, "alive");
    assert_eq!(heir.shutdown().await.unwrap(), Departure::Stopped);
}

#[tokio::test]
async fn an_attached_process_keeps_the_server_when_its_starter_leaves() {
    if hold_if_asked().await {
        return;
    }
    let scratch = Scratch::new();
    let starter = Cluster::ensure(scratch.config()).await.unwrap();
    let mut worker =
        holder("cluster::an_attached_process_keeps_the_server_when_its_starter_leaves", &scratch.cluster());
    let mut output = BufReader::new(worker.stdout.take().unwrap());
    assert_eq!(line(&mut output, "held "), starter.pid().unwrap().to_string());
    assert_eq!(starter.shutdown().await.unwrap(), Departure::LeftRunning);
    assert!(starter.is_alive());
    drop(worker.stdin.take());
    assert_eq!(line(&mut output, "left "), "Stopped");
    assert!(worker.wait().unwrap().success());
    assert!(!starter.is_alive());
}

#[tokio::test]
async fn many_that_begin_at_once_share_one_server() {
    if hold_if_asked().await {
        return;
    }
    let scratch = Scratch::new();
    let test = "cluster::many_that_begin_at_once_share_one_server";
    let mut others: Vec<_> = (0..3).map(|_| holder(test, &scratch.cluster())).collect();
    let (first, second) = tokio::join!(Cluster::ensure(scratch.config()), Cluster::ensure(scratch.config()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.pid(), second.pid());
    for other in &mut others {
        let mut output = BufReader::new(other.stdout.take().unwrap());
        assert_eq!(line(&mut output, "held "), first.pid().unwrap().to_string());
        drop(other.stdin.take());
        assert_eq!(line(&mut output, "left "), "LeftRunning");
        assert!(other.wait().unwrap().success());
    }
    first.shutdown().await.unwrap();
    assert_eq!(second.shutdown().await.unwrap(), Departure::Stopped);
}

#[tokio::test]
async fn a_recorded_process_id_that_somebody_else_has_now_is_no_server() {
    let scratch = Scratch::new();
    let cluster = Cluster::ensure(scratch.config()).await.unwrap();
    cluster.shutdown().await.unwrap();
    let pgdata = scratch.cluster().join("pgdata");
    let server = fs::metadata(&pgdata).unwrap();
    let mut sleep = Command::new("sleep");
    if is_root() {
        sleep.uid(server.uid()).gid(server.gid());
    }
    let mut stranger = sleep.arg("60").spawn().unwrap();
    let stale = format!("{}\n{}\n1\n5432\n../run\n\n\nready\n", stranger.id(), pgdata.display());
    // Both locks that PostgreSQL keeps outlive a killed server.
    for lock in [pgdata.join("postmaster.pid"), scratch.cluster().join("run/.s.PGSQL.5432.lock")] {
        fs::write(lock, &stale).unwrap();
    }
    let started = Cluster::ensure(scratch.config()).await.unwrap();
    assert_ne!(started.pid().unwrap().to_string(), stranger.id().to_string());
    started.shutdown().await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "a stranger was stopped");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_long_path_gets_a_short_private_socket_folder() {
    let scratch = Scratch::new();
    let config = quick(scratch.0.join("x".repeat(120)).join("held"));
    let cluster = Cluster::ensure(config.clone()).await.unwrap();
    let socket_dir = cluster.facts().socket_dir().to_owned();
    assert!(socket_dir.starts_with("/tmp") || socket_dir.starts_with("/private/tmp"), "{}", socket_dir.display());
    assert_eq!(fs::metadata(&socket_dir).unwrap().mode() & 0o777, 0o700);
    assert_eq!(text(cluster.facts(), "select 'here'").await, "here");
    cluster.shutdown().await.unwrap();
    // Somebody who prepares the name is not trusted with our socket.
    fs::remove_dir(&socket_dir).unwrap();
    std::os::unix::fs::symlink("/tmp", &socket_dir).unwrap();
    let error = refused(config).await;
    fs::remove_file(&socket_dir).unwrap();
    assert!(matches!(error, ClusterError::SocketFolder { .. }), "{error}");
    assert!(error.to_string().contains(socket_dir.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_folder_of_another_version_is_left_alone() {
    let scratch = Scratch::new();
    Cluster::ensure(scratch.config()).await.unwrap().shutdown().await.unwrap();
    fs::write(scratch.cluster().join("pgdata/PG_VERSION"), "99\n").unwrap();
    let error = refused(scratch.config()).await;
    assert!(matches!(error, ClusterError::WrongMajor { made_by: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("was made by PostgreSQL 99, a newer version"), "{error}");
}

#[tokio::test]
async fn a_folder_with_other_things_is_left_alone() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.cluster()).unwrap();
    fs::write(scratch.cluster().join("thesis.odt"), "years of work").unwrap();
    let error = refused(scratch.config()).await;
    assert!(matches!(&error, ClusterError::NotOurs { found, .. } if found == "thesis.odt"), "{error:?}");
    let names: Vec<_> = fs::read_dir(scratch.cluster()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["thesis.odt"]);
}

#[tokio::test]
async fn damaged_folders_are_told_and_kept() {
    let scratch = Scratch::new();
    Cluster::ensure(scratch.config()).await.unwrap().shutdown().await.unwrap();
    let control = scratch.cluster().join("pgdata/global/pg_control");
    let whole = fs::read(&control).unwrap();

    fs::write(&control, vec![0; whole.len()]).unwrap();
    let error = refused(scratch.config()).await;
    assert!(matches!(&error, ClusterError::Corrupted { log, .. } if !log.is_empty()), "{error:?}");
    fs::remove_file(&control).unwrap();
    let error = refused(scratch.config()).await;
    assert!(error.to_string().contains("pg_control` is missing"), "{error}");

    fs::write(&control, whole).unwrap();
    let folder = fs::metadata(scratch.cluster().join("pgdata")).unwrap();
    if is_root() {
        chown(&control, Some(folder.uid()), Some(folder.gid())).unwrap();
    }
    let password = scratch.cluster().join("superuser.password");
    let kept = fs::read(&password).unwrap();
    fs::remove_file(&password).unwrap();
    assert!(refused(scratch.config()).await.to_string().contains("superuser.password"));
    fs::write(&password, "not the password").unwrap();
    let error = refused(scratch.config()).await;
    assert!(matches!(error, ClusterError::Connect { .. }), "{error:?}");
    assert_eq!(recorded_pid(&scratch.cluster().join("pgdata")), None, "a server that nobody can use was left behind");

    fs::write(&password, kept).unwrap();
    Cluster::ensure(scratch.config()).await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_set_up_is_begun_again() {
    let scratch = Scratch::new();
    let remains = scratch.cluster().join("pgdata.new-0123");
    fs::create_dir_all(remains.join("base")).unwrap();
    fs::write(remains.join("PG_VERSION"), "15\n").unwrap();
    let cluster = Cluster::ensure(scratch.config()).await.unwrap();
    assert!(!remains.exists());
    assert!(!scratch.cluster().join("setup.password").exists());
    cluster.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_slow_start_is_given_up_but_not_killed() {
    let scratch = Scratch::new();
    Cluster::ensure(scratch.config()).await.unwrap().shutdown().await.unwrap();
    let mut hasty = scratch.config();
    hasty.start_timeout = Duration::ZERO;
    let error = refused(hasty).await;
    assert!(matches!(error, ClusterError::StartTimeout { .. }), "{error:?}");
    let patient = Cluster::ensure(scratch.config()).await.unwrap();
    assert_eq!(patient.shutdown().await.unwrap(), Departure::Stopped);
}

#[tokio::test]
async fn durability_is_not_silently_missing() {
    let scratch = Scratch::new();
    let quick = Cluster::ensure(scratch.config()).await.unwrap();
    let error = refused(ClusterConfig::new(scratch.cluster())).await;
    assert!(matches!(error, ClusterError::NotDurable { .. }), "{error:?}");
    quick.shutdown().await.unwrap();
    let durable = Cluster::ensure(ClusterConfig::new(scratch.cluster())).await.unwrap();
    assert_eq!(text(durable.facts(), "show fsync").await, "on");
    durable.shutdown().await.unwrap();
}

#[tokio::test]
async fn missing_and_old_programs_are_told_with_the_setting_that_named_them() {
    let scratch = Scratch::new();
    let mut config = scratch.config();
    let bin_dir = scratch.0.join("bin");
    fs::create_dir(&bin_dir).unwrap();
    config.bin_dir = Some(bin_dir.clone());
    let error = refused(config.clone()).await;
    assert!(matches!(error, ClusterError::UnusableBinaries { .. }), "{error:?}");
    programs(&bin_dir, "echo 'postgres (PostgreSQL) 14.2'", "exit 1");
    let error = refused(config).await;
    assert!(error.to_string().contains("it is PostgreSQL 14"), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_told_during_set_up_and_start() {
    let scratch = Scratch::new();
    let mut config = scratch.config();
    config.bin_dir = Some(scratch.0.join("bin"));
    fs::create_dir(scratch.0.join("bin")).unwrap();
    let full = "echo 'could not write to file: No space left on device' >&2; exit 1";
    let version = "[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) 15.1' && exit 0";
    programs(&scratch.0.join("bin"), &format!("{version}\n{full}"), full);
    let error = refused(config.clone()).await;
    assert!(matches!(&error, ClusterError::DiskFull { log, .. } if log.contains("No space left")), "{error:?}");
    assert!(error.to_string().contains("free some space"), "{error}");

    let real = Cluster::ensure(scratch.config()).await.unwrap();
    real.shutdown().await.unwrap();
    let made_by = real.facts().major();
    let version = version.replace("15.1", &format!("{made_by}.1"));
    programs(&scratch.0.join("bin"), &format!("{version}\n{full}"), full);
    let error = refused(config).await;
    assert!(matches!(error, ClusterError::DiskFull { .. }), "{error:?}");
    // Nothing is lost: with room again it starts.
    Cluster::ensure(scratch.config()).await.unwrap().shutdown().await.unwrap();
}

/// Stand-ins for PostgreSQL's programs that do what the scripts say.
fn programs(folder: &Path, postgres: &str, initdb: &str) {
    for (name, script) in [("postgres", postgres), ("initdb", initdb), ("pg_ctl", "exit 1")] {
        fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test]
async fn unwritable_and_foreign_folders_are_told() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("file"), "").unwrap();
    for folder in [scratch.0.join("file"), scratch.0.join("file/postgres")] {
        let error = refused(quick(&folder)).await;
        assert!(matches!(error, ClusterError::NotWritable { .. }), "{error:?}");
        assert!(error.to_string().contains("cannot be written"), "{error}");
    }
    if is_root() {
        fs::create_dir(scratch.cluster()).unwrap();
        chown(scratch.cluster(), Some(NOBODY), Some(NOBODY)).unwrap();
    } else {
        fs::create_dir(scratch.0.join("closed")).unwrap();
        fs::set_permissions(scratch.0.join("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        let error = refused(quick(scratch.0.join("closed/postgres"))).await;
        assert!(matches!(error, ClusterError::NotWritable { .. }), "{error:?}");
    }
    let foreign = if is_root() { scratch.cluster() } else { "/usr".into() };
    let error = refused(quick(foreign)).await;
    assert!(matches!(error, ClusterError::ForeignOwner { .. }), "{error:?}");
}

#[tokio::test]
async fn root_is_told_which_parent_keeps_the_server_out() {
    let scratch = Scratch::new();
    let closed = scratch.0.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let outcome = Cluster::ensure(quick(closed.join("deeper/postgres"))).await;
    if is_root() {
        let error = outcome.unwrap_err();
        let named = matches!(&error, ClusterError::ClosedParent { parent, .. } if *parent == closed);
        assert!(named && error.to_string().contains("chmod o+x"), "{error:?}");
    } else {
        // Nobody else has to pass.
        outcome.unwrap().shutdown().await.unwrap();
    }
}

/// Under root, the tests above have shown root's side; here they run once more as an ordinary user.
#[test]
fn an_ordinary_user_can_do_it_all_too() {
    let scratch = Scratch::new();
    // Where the program lies, only root may be able to reach it.
    let program = scratch.0.join("it");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for test in [
        "cluster::its_life_set_up_start_stop_and_start_again",
        "cluster::a_killed_server_recovers_at_the_next_start",
        "cluster::unwritable_and_foreign_folders_are_told",
        "cluster::root_is_told_which_parent_keeps_the_server_out",
        "cluster::a_recorded_process_id_that_somebody_else_has_now_is_no_server",
    ] {
        let mut command = Command::new(&program);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.args([test, "--exact", "--nocapture"]).current_dir("/").output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{test}: {said}");
    }
}
