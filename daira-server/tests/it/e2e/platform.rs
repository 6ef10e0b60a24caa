//! The programs: where they run, how they are started, killed and stopped, and what they leave behind.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use daira_store::postgres::cluster::{Cluster, ClusterConfig};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::client::{Client, Person};

/// How long anything that must happen may take on a machine that is busy with other things.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// Server and worker over one data folder. Dropped, everything is killed and the folder goes.
pub(super) struct Platform {
    folder: PathBuf,
    settings: Vec<(String, String)>,
    http: SocketAddr,
    server: Child,
    worker: Child,
}

impl Platform {
    /// Starts both and waits until the server is ready.
    pub(super) async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = folder();
        let (http, grpc) = (free_address(), free_address());
        let mut settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settings.push(("DAIRA_HTTP__LISTEN".into(), http.to_string()));
        settings.push(("DAIRA_GRPC__LISTEN".into(), grpc.to_string()));
        let server = spawn("daira-server", &folder, &settings);
        let worker = spawn("daira-worker", &folder, &settings);
        let mut platform = Self { folder, settings, http, server, worker };
        platform.ready().await;
        platform
    }

    /// Starts both again after [`stop`](Self::stop).
    pub(super) async fn start_again(&mut self) {
        self.server = spawn("daira-server", &self.folder, &self.settings);
        self.worker = spawn("daira-worker", &self.folder, &self.settings);
        self.ready().await;
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.http)
    }

    pub(super) fn grpc(&self) -> &str {
        let listen = self.settings.iter().find(|(name, _)| name == "DAIRA_GRPC__LISTEN");
        listen.map(|(_, address)| address.as_str()).unwrap()
    }

    pub(super) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Everything that was logged so far: by both programs, and by PostgreSQL.
    pub(super) fn logs(&self) -> Vec<(String, String)> {
        let folders = [self.folder.clone(), self.data().join("postgres"), self.pgdata(), self.pgdata().join("log")];
        let files = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok));
        let logs = files.filter(|file| file.path().extension().is_some_and(|kind| kind == "log"));
        let read = |file: fs::DirEntry| {
            let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned();
            (file.file_name().to_string_lossy().into_owned(), text)
        };
        logs.map(read).collect()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Waits until the server says that it is ready.
    pub(super) async fn ready(&mut self) {
        let client = self.client();
        let began = Instant::now();
        loop {
            if client.send("GET", "/readyz", None, "").await.is_ok_and(|answer| answer.status == 200) {
                return;
            }
            for (name, child) in [("server", &mut self.server), ("worker", &mut self.worker)] {
                let ended = child.try_wait().unwrap();
                assert!(ended.is_none(), "the {name} ended by itself: {ended:?}");
            }
            assert!(began.elapsed() < PATIENCE, "the server is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts again what has ended by itself, as whatever watches over programs does: one that begins in the very moment in
    /// which its database dies may give up. Answers how many did.
    pub(super) fn watch(&mut self) -> usize {
        let mut ended = 0;
        for (name, child) in [("daira-server", &mut self.server), ("daira-worker", &mut self.worker)] {
            if let Some(status) = child.try_wait().unwrap() {
                println!("{name} ended by itself ({status}) and is started again");
                *child = spawn(name, &self.folder, &self.settings);
                ended += 1;
            }
        }
        ended
    }

    /// `kill -9`, then a new one.
    pub(super) fn kill_server(&mut self) {
        kill(&mut self.server);
        self.server = spawn("daira-server", &self.folder, &self.settings);
    }

    pub(super) fn kill_worker(&mut self) {
        kill(&mut self.worker);
        self.worker = spawn("daira-worker", &self.folder, &self.settings);
    }

    /// `kill -9` to PostgreSQL; whoever of the programs notices first starts it again. Answers its process id.
    pub(super) fn kill_postgres(&self) -> u32 {
        let pid = self.postgres().expect("PostgreSQL runs");
        signal("KILL", pid);
        pid
    }

    /// Everything at the same moment.
    pub(super) fn kill_all(&mut self) -> u32 {
        let pid = self.kill_postgres();
        kill(&mut self.worker);
        kill(&mut self.server);
        self.worker = spawn("daira-worker", &self.folder, &self.settings);
        self.server = spawn("daira-server", &self.folder, &self.settings);
        pid
    }

    /// The process id of the private PostgreSQL, if its folder records one.
    pub(super) fn postgres(&self) -> Option<u32> {
        let recorded = fs::read_to_string(self.pgdata().join("postmaster.pid")).ok()?;
        recorded.lines().next()?.parse().ok()
    }

    fn pgdata(&self) -> PathBuf {
        self.data().join("postgres/pgdata")
    }

    /// How many servers run in the folder; there must never be two.
    pub(super) fn postmasters(&self) -> usize {
        let pgdata = self.pgdata();
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let postmasters = processes.filter(|process| {
            let commanded = fs::read(process.path().join("cmdline")).unwrap_or_default();
            // Its children carry titles of their own instead of arguments.
            let arguments: Vec<_> = commanded.split(|byte| *byte == 0).collect();
            arguments.first().is_some_and(|program| program.ends_with(b"/postgres"))
                && fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == pgdata)
        });
        postmasters.count()
    }

    /// Asks both to finish, one after the other, and waits until they have.
    pub(super) async fn stop(&mut self) -> (ExitStatus, ExitStatus) {
        signal("TERM", self.server.id());
        let server = ended(&mut self.server).await;
        signal("TERM", self.worker.id());
        (server, ended(&mut self.worker).await)
    }

    /// Somebody whom row security does not apply to.
    pub(super) async fn superuser(&self) -> PgConnection {
        let cluster = Cluster::ensure(cluster_config(&self.data())).await.unwrap();
        PgConnection::connect(&cluster.facts().superuser_url("daira")).await.unwrap()
    }

    /// Joins as everybody does: registers, reads the mail, proves the address.
    pub(super) async fn join(&self, client: &Client, handle: &str) -> Person {
        let email = format!("{handle}@example.com");
        let input = json!({
            "email": email, "password": "kahraba nour shams", "handle": handle, "name": handle, "birthDate": "1999-03-21",
            "language": "EN", "idempotencyKey": format!("join-{handle}"),
        });
        client.insist(None, "register", "RegisterInput", &input, "registrationId").await;
        self.verify(client, handle).await
    }

    /// Proves the address that a registration was opened with.
    pub(super) async fn verify(&self, client: &Client, handle: &str) -> Person {
        let email = format!("{handle}@example.com");
        let (registration, code) = self.mailed(&email).await;
        let input = json!({ "registrationId": registration, "code": code, "device": "Nokia" });
        let joined = client
            .insist(None, "verifyEmail", "VerifyEmailInput", &input, "tokens { accessToken } profile { id }")
            .await;
        let text = |path: &str| joined.pointer(path).and_then(|value| value.as_str()).unwrap().to_owned();
        Person { handle: handle.to_owned(), id: text("/profile/id"), token: text("/tokens/accessToken") }
    }

    /// The registration and the code of the mail to an address, waited for.
    async fn mailed(&self, email: &str) -> (String, String) {
        let began = Instant::now();
        loop {
            let mails = fs::read_dir(self.data().join("mail")).unwrap().filter_map(Result::ok);
            let mails = mails.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "eml"));
            for mail in mails.filter_map(|entry| fs::read_to_string(entry.path()).ok()) {
                let code = mail.lines().find_map(|line| line.strip_prefix("Your code: "));
                // The host behind the id is the sender's.
                let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: <"));
                let registration = id.and_then(|id| id.split_once('@')).map(|(registration, _)| registration);
                if let (true, Some(code), Some(registration)) = (mail.contains(email), code, registration) {
                    return (registration.to_owned(), code.trim().to_owned());
                }
            }
            assert!(began.elapsed() < PATIENCE, "no mail came to {email}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for program in ["daira-server", "daira-worker"] {
                let log = fs::read_to_string(self.folder.join(program).with_extension("log")).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                println!("── {program}\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
            }
        }
        for child in [&mut self.server, &mut self.worker] {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(pid) = self.postgres()
            && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == self.pgdata())
        {
            signal("KILL", pid);
            let began = Instant::now();
            // Its children notice and go; a folder that they still write to cannot be removed.
            while fs::remove_dir_all(&self.folder).is_err() && began.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The private cluster of a data folder, as the programs configure it.
pub(super) fn cluster_config(data: &Path) -> ClusterConfig {
    let mut config = ClusterConfig::new(data.join("postgres"));
    config.bin_dir = binaries().map(PathBuf::from);
    config
}

/// A program of ours over a data folder, configured by nothing but these settings.
fn program(name: &str, folder: &Path, settings: &[(String, String)]) -> Command {
    // Cargo tells where the server is, and builds the worker beside it.
    let path = Path::new(env!("CARGO_BIN_EXE_daira-server")).with_file_name(name);
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build -p daira-worker --features bin`",
        path.display()
    );
    let mut command = Command::new(path);
    command
        .env_clear()
        .current_dir(folder)
        .env("DAIRA_DATA", folder.join("data"))
        .env("DAIRA_WORKERS__IN_SERVER", "false");
    if let Some(binaries) = binaries() {
        command.env("DAIRA_DATABASE__BINARIES", binaries);
    }
    for kept in ["PATH", "LLVM_PROFILE_FILE"] {
        command.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

/// Where PostgreSQL's programs are, when the environment of the tests says so; otherwise they are found as always.
fn binaries() -> Option<std::ffi::OsString> {
    std::env::var_os("DAIRA_TEST_PG15_BIN")
}

fn spawn(name: &str, folder: &Path, settings: &[(String, String)]) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join(name).with_extension("log")).unwrap();
    let errors = log.try_clone().unwrap();
    program(name, folder, settings).stdin(Stdio::null()).stdout(log).stderr(errors).spawn().unwrap()
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn ended(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(began.elapsed() < PATIENCE, "a program did not finish");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success());
}

/// A folder of its own, which other users may pass: under root PostgreSQL runs as one of them.
fn folder() -> PathBuf {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("daira-e2e-{}-{number}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// An address that nobody listens on, below the range from which the kernel takes ports for outgoing connections, so that
/// it stays free while its server is down.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 20_000).unwrap();
    loop {
        let port = 10_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
