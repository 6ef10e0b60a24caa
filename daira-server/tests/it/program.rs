//! The program itself: an installation in a folder of its own, its commands run to their end, and the server while it
//! runs.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daira_store::postgres::cluster::{Cluster, ClusterConfig};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::client::{Answer, send, try_send};

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_mins(3);

/// A folder with an installation in it.
pub(crate) struct Installation {
    folder: tempfile::TempDir,
    http: SocketAddr,
    grpc: SocketAddr,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Installation {
    /// In a fresh folder; nothing is set up yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("daira-it-").tempdir().unwrap();
        // Under root PostgreSQL runs as somebody else, who must get through.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (http, grpc) = (free(), free());
        Self { folder, http: http.local_addr().unwrap(), grpc: grpc.local_addr().unwrap() }
    }

    /// Where everything is kept.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// The program with these arguments, and no settings but those of this installation.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daira-server"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("DATABASE_URL")
            .env("DAIRA_DATA", self.data())
            .env("DAIRA_HTTP__LISTEN", self.http.to_string())
            .env("DAIRA_GRPC__LISTEN", self.grpc.to_string())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments))
    }

    /// Runs a command that must succeed, and answers what it printed.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        ended.out
    }

    /// Runs statements as the private PostgreSQL's superuser, whom nothing holds back.
    pub(crate) fn sql(&self, statements: &str) {
        self.as_superuser(async |connection| {
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.unwrap();
        });
    }

    /// One number out of the private PostgreSQL.
    pub(crate) fn number(&self, query: &str) -> i64 {
        self.as_superuser(async |connection| {
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(connection).await.unwrap()
        })
    }

    fn as_superuser<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let cluster = Cluster::ensure(ClusterConfig::new(self.data().join("postgres"))).await.unwrap();
            let mut connection = PgConnection::connect(&cluster.facts().superuser_url("daira")).await.unwrap();
            let value = work(&mut connection).await;
            connection.close().await.unwrap();
            cluster.shutdown().await.unwrap();
            value
        })
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn serve(&self) -> Running<'_> {
        self.start(self.http, self.command(&["serve"]))
    }

    /// Starts a server with settings besides, on ports of its own, beside those that run.
    pub(crate) fn serve_another(&self, settings: &[(&str, &str)]) -> Running<'_> {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (http, grpc) = (free(), free());
        let mut command = self.command(&["serve"]);
        command.env("DAIRA_HTTP__LISTEN", http.to_string()).env("DAIRA_GRPC__LISTEN", grpc.to_string());
        command.envs(settings.iter().copied());
        self.start(http, command)
    }

    fn start(&self, http: SocketAddr, mut command: Command) -> Running<'_> {
        let log = self.folder.path().join(format!("server-{}.log", http.port()));
        let file = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stderr(file).stdout(Stdio::null()).spawn().unwrap();
        let running = Running { installation: self, http, child, log };
        running.until("ready", || running.status("/readyz") == Some(200));
        running
    }

    /// The process id of the private PostgreSQL, as it was last written down.
    pub(crate) fn postmaster(&self) -> Option<String> {
        let file = std::fs::read_to_string(self.data().join("postgres/pgdata/postmaster.pid")).ok()?;
        file.lines().next().map(str::to_owned)
    }
}

impl Ended {
    /// Runs a command to its end.
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(name: &str, pid: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), pid]).status().unwrap().success(), "kill -{name} {pid}");
}

/// A server while it runs.
pub(crate) struct Running<'a> {
    installation: &'a Installation,
    http: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Running<'_> {
    /// Waits for what must come about.
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "never {what}: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it listens.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// What it logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The status of a GET, if there is an answer.
    pub(crate) fn status(&self, path: &str) -> Option<u16> {
        try_send(self.http, &format!("GET {path}"), &[], b"").ok().map(|answer| answer.status)
    }

    /// Asks GraphQL.
    pub(crate) fn ask(&self, token: Option<&str>, document: &str, variables: &Value) -> Answer {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let mut headers = vec![("content-type", "application/json")];
        if token.is_some() {
            headers.push(("authorization", &bearer));
        }
        send(self.http, "POST /graphql", &headers, body.as_bytes())
    }

    /// Logs in as the demo world's liveliest person.
    pub(crate) fn log_in(&self) -> String {
        let login = std::fs::read(self.installation.data().join("demo-login.json")).unwrap();
        self.log_in_with(&serde_json::from_slice(&login).unwrap())
    }

    /// Logs in with an e-mail address and a password.
    pub(crate) fn log_in_with(&self, login: &Value) -> String {
        let document = "mutation ($email: String!, $password: String!) { logIn(input: { email: $email, password: $password, device: \"Test\" }) { tokens { accessToken } userErrors { code } } }";
        let answer = self.ask(None, document, login).json();
        let token = answer.pointer("/data/logIn/tokens/accessToken").and_then(Value::as_str);
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Publishes a post; its id, or the answer that it was not.
    pub(crate) fn publish(&self, token: &str, input: &Value) -> Result<String, Answer> {
        let document =
            "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } userErrors { code } } }";
        let answer = self.ask(Some(token), document, &json!({ "input": input }));
        let id = answer.json().pointer("/data/createPost/post/id").and_then(Value::as_str).map(str::to_owned);
        id.ok_or(answer)
    }

    /// Whether a post can be read.
    pub(crate) fn has(&self, token: &str, post: &str) -> bool {
        let answer = self.ask(Some(token), "query ($id: ID!) { post(id: $id) { id } }", &json!({ "id": post })).json();
        answer.pointer("/data/post/id").and_then(Value::as_str) == Some(post)
    }

    /// Ends it at once, so that it says nothing more.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does, and answers with which code it ended.
    pub(crate) fn stop(mut self) -> i32 {
        signal("TERM", &self.child.id().to_string());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
            let begun = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) {
                if begun.elapsed() > Duration::from_mins(1) {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // What a failed test leaves running, and only that: a server whose folder this is.
        let pgdata = self.data().join("postgres/pgdata");
        if let Some(pid) = self.postmaster()
            && std::fs::read_link(Path::new("/proc").join(&pid).join("cwd")).is_ok_and(|cwd| cwd == pgdata)
        {
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        }
    }
}
