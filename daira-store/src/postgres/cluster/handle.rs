//! [`Cluster`]: the handle that keeps the cluster running while somebody uses it.

use std::{
    convert::Infallible,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{Connection as _, PgConnection};
use tokio::time::{sleep, timeout};

use super::{
    binaries::Binaries,
    config::ClusterConfig,
    error::ClusterError,
    facts::{ConnectionFacts, SUPERUSER},
    layout::Layout,
    lock::FileLock,
    postmaster::Postmaster,
    process,
};

/// How soon a death is noticed.
const WATCH: Duration = Duration::from_millis(200);
/// Pauses between attempts to bring a dead server back: the first, doubled each time up to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// An attachment to the running embedded cluster.
///
/// While any process holds one, PostgreSQL runs; the last to leave by [`shutdown`](Self::shutdown) stops it. A process
/// that dies or merely drops its handle leaves the server running for the next one to adopt.
#[derive(Debug)]
pub struct Cluster {
    config: ClusterConfig,
    layout: Layout,
    binaries: Binaries,
    facts: ConnectionFacts,
    /// The shared lock; gone after `shutdown`.
    attachment: Mutex<Option<FileLock>>,
}

/// What became of the server when a process left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// We were the last one: it was stopped.
    Stopped,
    /// Other processes still use it: it goes on.
    LeftRunning,
}

impl Cluster {
    /// Makes sure that the cluster exists and runs, and attaches to it.
    ///
    /// Sets the folder up when it is new, starts the server when none is alive (recovering what a killed one left), and
    /// adopts a live one. Any number of processes may call it at once.
    pub async fn ensure(config: ClusterConfig) -> Result<Self, ClusterError> {
        let layout = Layout::prepare(&config.data_dir).await?;
        let setup = lock_setup(&layout, &config).await?;
        let made_by = layout.made_by()?;
        let binaries = Binaries::find(config.bin_dir.as_deref(), made_by, layout.folder()).await?;
        if made_by.is_none() {
            tracing::info!(folder = %layout.folder().display(), postgres = binaries.major(), "setting up PostgreSQL");
            process::set_up(&layout, &binaries, config.durable).await?;
        }
        let password = read_password(&layout)?;
        // Attached before the start, so that whoever comes after a crash of ours finds nothing half-owned; the set-up
        // lock keeps everybody else from trying this one exclusively.
        let attachment = FileLock::try_shared(&layout.attached_lock())
            .map_err(|e| ClusterError::io("lock", layout.attached_lock(), e))?
            .ok_or_else(|| busy(&layout, &config))?;
        let running = process::run(&layout, &binaries, &config).await?;
        let facts =
            ConnectionFacts { socket_dir: running.socket_dir, port: running.port, major: binaries.major(), password };
        let cluster = Self { config, layout, binaries, facts, attachment: Mutex::new(Some(attachment)) };
        if let Err(error) = cluster.check().await {
            // Nobody would be left to stop a server that we have just started and cannot use.
            cluster.leave().await?;
            return Err(error);
        }
        drop(setup);
        tracing::info!(pid = running.pid, folder = %cluster.layout.folder().display(), "PostgreSQL is ready");
        Ok(cluster)
    }

    /// How to connect.
    pub fn facts(&self) -> &ConnectionFacts {
        &self.facts
    }

    /// The cluster's folder, with links resolved.
    pub fn folder(&self) -> &Path {
        self.layout.folder()
    }

    /// Whether the server accepts connections right now.
    pub fn is_alive(&self) -> bool {
        self.postmaster().is_some_and(|found| found.ready)
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<i32> {
        self.postmaster().map(|found| found.pid)
    }

    /// Returns when the server has died.
    pub async fn watch(&self) {
        while self.postmaster().is_some() {
            sleep(WATCH).await;
        }
    }

    /// Watches the server and brings it back whenever it dies, with back-off, for as long as this future is polled;
    /// `on_restart` hears of every recovery. Ends only with an error that no further attempt would change, or when the
    /// cluster was shut down through this handle (with [`Self::shutdown`]; then it stays pending).
    ///
    /// Several processes may supervise one cluster: the first that notices starts it, the others adopt it.
    pub async fn supervise(&self, mut on_restart: impl FnMut() + Send) -> Result<Infallible, ClusterError> {
        loop {
            self.watch().await;
            let mut pause = BACK_OFF.0;
            loop {
                if !self.is_attached() {
                    return std::future::pending().await;
                }
                match self.restart().await {
                    Ok(true) => break,
                    Ok(false) => return std::future::pending().await,
                    Err(error @ (ClusterError::Corrupted { .. } | ClusterError::BinariesNotFound { .. })) => {
                        return Err(error);
                    }
                    Err(error) => {
                        tracing::error!(%error, retry_in = ?pause, "PostgreSQL died and could not be started again");
                        sleep(pause).await;
                        pause = (pause * 2).min(BACK_OFF.1);
                    }
                }
            }
            on_restart();
        }
    }

    /// Starts the server again; `false` when the cluster was shut down meanwhile.
    async fn restart(&self) -> Result<bool, ClusterError> {
        let _setup = lock_setup(&self.layout, &self.config).await?;
        if !self.is_attached() {
            return Ok(false);
        }
        let running = process::run(&self.layout, &self.binaries, &self.config).await?;
        tracing::warn!(pid = running.pid, "PostgreSQL had died and is back");
        Ok(true)
    }

    /// Leaves the cluster, and stops it when nobody else is attached. Calling it again changes nothing.
    pub async fn shutdown(&self) -> Result<Departure, ClusterError> {
        let _setup = lock_setup(&self.layout, &self.config).await?;
        self.leave().await
    }

    /// Under the set-up lock: lets go, and stops the server if nobody else holds on.
    async fn leave(&self) -> Result<Departure, ClusterError> {
        let mine = self.attachment.lock().unwrap_or_else(PoisonError::into_inner).take();
        if mine.is_none() {
            return Ok(if self.postmaster().is_some() { Departure::LeftRunning } else { Departure::Stopped });
        }
        drop(mine);
        let path = self.layout.attached_lock();
        let alone = FileLock::try_exclusive(&path).map_err(|e| ClusterError::io("lock", path, e))?;
        if alone.is_none() {
            return Ok(Departure::LeftRunning);
        }
        process::stop(&self.layout, &self.config).await?;
        tracing::info!(folder = %self.layout.folder().display(), "PostgreSQL has stopped");
        Ok(Departure::Stopped)
    }

    /// Connects once as the superuser: the only proof that the server answers, and that the kept password is the right one.
    async fn check(&self) -> Result<(), ClusterError> {
        let refused = |source: Box<dyn std::error::Error + Send + Sync>| ClusterError::Connect {
            folder: self.layout.folder().to_owned(),
            password_file: self.layout.password(),
            source,
        };
        let options = self.facts.options(SUPERUSER, &self.facts.password, "postgres");
        let ask = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let fsync: String =
                sqlx::query_scalar("select current_setting('fsync')").fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>(fsync)
        };
        let fsync = timeout(self.config.start_timeout, ask).await.map_err(|e| refused(e.into()))?;
        if fsync.map_err(|e| refused(e.into()))? == "off" && self.config.durable {
            return Err(ClusterError::NotDurable { folder: self.layout.folder().to_owned() });
        }
        Ok(())
    }

    fn postmaster(&self) -> Option<Postmaster> {
        Postmaster::running(&self.layout.pgdata(), &self.layout.account)
    }

    fn is_attached(&self) -> bool {
        self.attachment.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Takes the lock that setting up, starting and stopping happen under. The holder may have to stop one server and wait
/// for the start of another, so that is how long we wait.
async fn lock_setup(layout: &Layout, config: &ClusterConfig) -> Result<FileLock, ClusterError> {
    let path = layout.setup_lock();
    let lock = FileLock::exclusive(&path, config.start_timeout + config.stop_timeout).await;
    lock.map_err(|e| layout.unwritable(e))?.ok_or_else(|| busy(layout, config))
}

fn busy(layout: &Layout, config: &ClusterConfig) -> ClusterError {
    let seconds = (config.start_timeout + config.stop_timeout).as_secs();
    ClusterError::Busy { folder: layout.folder().to_owned(), seconds }
}

fn read_password(layout: &Layout) -> Result<String, ClusterError> {
    match std::fs::read_to_string(layout.password()) {
        Ok(password) => Ok(password.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ClusterError::Corrupted {
            folder: layout.folder().to_owned(),
            detail: "`superuser.password`, which holds its superuser's password, is missing".into(),
            log: String::new(),
        }),
        Err(error) => Err(ClusterError::io("read", layout.password(), error)),
    }
}
