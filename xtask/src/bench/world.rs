//! The world that is measured: a release build, a data folder in the cache with a demo world in it, and the programs over a
//! copy of that folder, so that every run finds the same.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::load::{once, request};
use super::machine::Tree;
use super::pointed;
use crate::run::{cargo, output, target};
use crate::services;

/// A world is made anew when it is older: feeds reach back some days only.
const FRESH: Duration = Duration::from_hours(24);
/// How long a program may take to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// How large a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) people: u32,
    pub(super) posts: u32,
}

/// Somebody who is logged in.
pub(super) struct Viewer {
    server: SocketAddr,
    token: String,
}

impl Viewer {
    /// A request of theirs: where to, and what.
    pub(super) fn ask(&self, query: &str, variables: &Value) -> (SocketAddr, Vec<u8>) {
        let body = json!({ "query": query, "variables": variables }).to_string();
        (self.server, request(self.server, "POST", "/graphql", Some(&self.token), &body))
    }
}

/// The programs over their data.
pub(super) struct World {
    programs: PathBuf,
    binaries: Option<PathBuf>,
    data: PathBuf,
    http: SocketAddr,
    grpc: SocketAddr,
    server: Option<Child>,
    worker: Option<Child>,
}

impl World {
    /// Builds the programs, makes the world unless there is one that will do, and lays out a copy of it.
    pub(super) fn prepare(size: Size) -> Result<Self> {
        let binaries = services::postgresql()?;
        eprintln!("building for release (the first time takes some minutes)");
        let arguments = ["--package", "daira-server", "--package", "daira-worker", "--features", "daira-worker/bin"];
        let built = cargo(&["build", "--release"])?.args(arguments).status()?;
        ensure!(built.success(), "the build failed");
        let folder = services::folder()?.join("bench");
        let mut world = Self {
            programs: target()?.join("release"),
            binaries,
            data: folder.join("run"),
            http: free_address()?,
            grpc: free_address()?,
            server: None,
            worker: None,
        };
        world.copy(&folder, size)?;
        Ok(world)
    }

    fn copy(&mut self, folder: &Path, size: Size) -> Result<()> {
        let pristine = folder.join(format!("world-{}-{}", size.people, size.posts));
        // Programs that fit the data say so by starting on it; those that do not, say that.
        for made_now in [false, true] {
            if made_now || !is_fresh(&pristine) {
                remove(&pristine)?;
                let began = Instant::now();
                eprintln!("making a world of {} people and {} posts", size.people, size.posts);
                std::fs::create_dir_all(&pristine)?;
                let (people, posts) = (size.people.to_string(), size.posts.to_string());
                let mut seed = self.command("daira-server", &pristine);
                seed.args(["seed", "--people", &people, "--posts", &posts, "--seed", "1"]);
                ensure!(seed.status()?.success(), "the world could not be made");
                std::fs::write(pristine.join("made"), "")?;
                eprintln!("made in {:.0} s", began.elapsed().as_secs_f64());
            }
            remove(&self.data)?;
            output(Command::new("cp").args(["-a", "--reflink=auto"]).arg(&pristine).arg(&self.data))?;
            // The first start after copying reads what was written; it is not the one that is timed.
            let started = self.serve(false);
            self.end()?;
            match started {
                Err(error) if !made_now => eprintln!("the world there is does not fit: {error:#}"),
                outcome => return outcome,
            }
        }
        Ok(())
    }

    fn command(&self, program: &str, data: &Path) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .env("DAIRA_ENVIRONMENT", "production")
            .env("DAIRA_DATA", data)
            .env("DAIRA_HTTP__LISTEN", self.http.to_string())
            .env("DAIRA_GRPC__LISTEN", self.grpc.to_string())
            .env("DAIRA_PRODUCT__ACCESS_TOKEN_SECONDS", "3600")
            // Counted like in production, but a few hundred people at one address ask for what thousands would.
            .env("DAIRA_LIMITS__MEMBER", "100000000/1m")
            .env("DAIRA_LIMITS__LOG_IN_ADDRESS", "1000000/1m")
            .env("DAIRA_LOG__FILTER", "warn,sqlx::query=error")
            // Another project's database is none of ours.
            .env_remove("DATABASE_URL")
            .envs(self.binaries.iter().map(|folder| ("DAIRA_DATABASE__BINARIES", folder)));
        command
    }

    /// Starts the server and waits until it is ready.
    pub(super) fn serve(&mut self, with_consumers: bool) -> Result<()> {
        let mut command = self.command("daira-server", &self.data);
        command.env("DAIRA_WORKERS__IN_SERVER", with_consumers.to_string());
        self.server = Some(command.spawn()?);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok((200, _)) = once(self.http, &request(self.http, "GET", "/readyz", None, "")) {
                return Ok(());
            }
            if let Some(status) = self.server.as_mut().and_then(|server| server.try_wait().transpose()).transpose()? {
                bail!("the server ended by itself ({status})");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the server is not ready")
    }

    /// Starts the worker beside the server.
    pub(super) fn work(&mut self) -> Result<()> {
        self.worker = Some(self.command("daira-worker", &self.data).spawn()?);
        Ok(())
    }

    /// Stops the worker.
    pub(super) fn rest(&mut self) -> Result<()> {
        self.worker.take().map_or(Ok(()), |child| end("worker", child))
    }

    /// Stops everything; the last of the programs stops the database.
    pub(super) fn end(&mut self) -> Result<()> {
        self.rest()?;
        self.server.take().map_or(Ok(()), |child| end("server", child))
    }

    /// Logs in people, spread evenly over all there are.
    pub(super) fn log_in(&self, wanted: usize) -> Result<Vec<Viewer>> {
        const LOG_IN: &str = "mutation LogIn($input: LogInInput!) { logIn(input: $input) { tokens { accessToken } } }";
        let login: Value = serde_json::from_slice(&std::fs::read(self.data.join("demo-login.json"))?)?;
        let password = pointed(&login, "/password")?;
        let people = std::fs::read_to_string(self.data.join("demo-people.txt"))?;
        let people: Vec<&str> = people.lines().collect();
        eprintln!("logging in {wanted} of {} people", people.len());
        let step = (people.len() / wanted.max(1)).max(1);
        let viewers = people.iter().step_by(step).take(wanted).map(|email| {
            let input = json!({ "email": email, "password": password, "device": "bench" });
            let body = json!({ "query": LOG_IN, "variables": { "input": input } }).to_string();
            let (_, answer) = once(self.http, &request(self.http, "POST", "/graphql", None, &body))?;
            let token = pointed(&answer, "/data/logIn/tokens/accessToken")?.as_str().context("no token")?.to_owned();
            Ok(Viewer { server: self.http, token })
        });
        viewers.collect()
    }

    /// How many followers somebody has.
    pub(super) fn followers(viewer: &Viewer) -> Result<u64> {
        let (address, ask) = viewer.ask("{ me { profile { counters { followers } } } }", &json!({}));
        let (_, answer) = once(address, &ask)?;
        pointed(&answer, "/data/me/profile/counters/followers")?.as_u64().context("no number")
    }

    /// The text of the server's metrics.
    pub(super) fn metrics(&self) -> Result<String> {
        let (_, text) = once(self.http, &request(self.http, "GET", "/metrics", None, ""))?;
        Ok(text.as_str().context("metrics are no text")?.to_owned())
    }

    /// The server without the database, which it may have started itself.
    pub(super) fn server(&self) -> Result<Tree> {
        let server = self.server.as_ref().map(|child| Tree::of(child.id())).context("no server runs")?;
        Ok(server.without(self.database()?))
    }

    pub(super) fn worker(&self) -> Result<Tree> {
        self.worker.as_ref().map(|child| Tree::of(child.id())).context("no worker runs")
    }

    /// The database's first process: its id is in the first line of a file of its own.
    pub(super) fn database(&self) -> Result<Tree> {
        let file = self.data.join("postgres/pgdata/postmaster.pid");
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Ok(Tree::of(text.lines().next().unwrap_or_default().trim().parse()?))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{error:#}");
        }
    }
}

fn is_fresh(pristine: &Path) -> bool {
    let made = std::fs::metadata(pristine.join("made")).and_then(|made| made.modified());
    made.is_ok_and(|made| SystemTime::elapsed(&made).is_ok_and(|age| age < FRESH))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn end(name: &str, mut child: Child) -> Result<()> {
    // It may have ended by itself.
    if child.try_wait()?.is_none() {
        output(Command::new("kill").args(["-TERM", &child.id().to_string()]))?;
    }
    let asked = Instant::now();
    while child.try_wait()?.is_none() {
        if asked.elapsed() > PATIENCE {
            child.kill()?;
            bail!("the {name} did not stop and was killed");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
