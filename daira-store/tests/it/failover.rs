//! The primary dies, its replica is promoted, and the same store goes on: on servers of the test's own, which it may kill.

use core::time::Duration;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use daira_core::actor::Actor;
use daira_core::error::ErrorKind;
use daira_core::event::Event;
use daira_core::port::store::Access;
use daira_core::port::{Delivered, EventBus as _, Group, Store as _};
use daira_core::proto::event::v1;
use daira_core::secret::Secret;
use daira_core::testkit::fixture::Fixture;
use daira_store::postgres::testing::Server;
use daira_store::postgres::{Bootstrap, PgBus, PgStore, PgStoreConfig};
use nix::unistd::{Uid, User};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::conformance::ports_over;
use crate::event_log::QUICK;
use crate::wire::Wire;

/// Where and as whom servers run that are thrown away.
pub(crate) struct Yard {
    folder: PathBuf,
    bin: PathBuf,
    /// PostgreSQL refuses to run as root.
    user: Option<User>,
}

impl Yard {
    pub(crate) fn new(server: Server) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("daira-failover-{}-{n}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let variable = if server == Server::Pg15 { "DAIRA_TEST_PG15_BIN" } else { "DAIRA_TEST_PG18_BIN" };
        let bin = std::env::var_os(variable).expect("`cargo xtask services up` says where the programs are").into();
        let user = Uid::effective().is_root().then(|| {
            let found = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).unwrap());
            found.expect("a user that PostgreSQL can run as")
        });
        if let Some(user) = &user {
            chown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        }
        Self { folder, bin, user }
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    fn run(&self, program: impl AsRef<Path>, arguments: &[&str]) {
        let status = self.command(program.as_ref()).args(arguments).status().unwrap();
        let logs = ["one", "two"].map(|name| fs::read_to_string(self.folder.join(name).with_extension("log")));
        assert!(status.success(), "{} {arguments:?}: {logs:?}", program.as_ref().display());
    }

    fn data(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Sets up a server that nobody has started yet.
    pub(crate) fn set_up(&self, name: &str) {
        let arguments = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D", &self.data(name)];
        self.run(self.bin.join("initdb"), &arguments);
    }

    /// Copies a server's files, or those in a folder of them, without the note that it runs.
    pub(crate) fn copy(&self, from: &str, to: &str, folder: &str) {
        let (from, into) = (Path::new(&self.data(from)).join(folder), Path::new(&self.data(to)).join(folder));
        drop(fs::remove_dir_all(&into));
        // Files may go while they are copied: what PostgreSQL needs of them is in its log.
        let copied = self.command("cp").arg("-a").args([&from, &into]).status().unwrap();
        assert!(copied.code().is_some_and(|code| code <= 1));
        drop(fs::remove_file(into.join("postmaster.pid")));
    }

    /// Puts a file among a server's.
    pub(crate) fn give(&self, name: &str, file: &str, text: &str) {
        let path = Path::new(&self.data(name)).join(file);
        fs::write(&path, text).unwrap();
        if let Some(user) = &self.user {
            chown(&path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        }
    }

    /// Starts a server with these settings; its port.
    pub(crate) fn start(&self, name: &str, settings: &str) -> u16 {
        let data = self.data(name);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\nshared_buffers = '32MB'\n\
             {settings}\n"
        );
        let mut file = OpenOptions::new().append(true).open(Path::new(&data).join("postgresql.conf")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        let log = self.folder.join(name).with_extension("log").display().to_string();
        self.run(self.bin.join("pg_ctl"), &["start", "-s", "-w", "-t", "60", "-D", &data, "-l", &log]);
        port
    }

    pub(crate) fn control(&self, name: &str, arguments: &[&str]) {
        let data = self.data(name);
        let mut all = arguments.to_vec();
        all.extend(["-s", "-w", "-D", &data]);
        self.run(self.bin.join("pg_ctl"), &all);
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        for name in ["one", "two"] {
            let data = self.data(name);
            // One that was stopped before cannot be stopped.
            drop(
                self.command(self.bin.join("pg_ctl"))
                    .args(["stop", "-s", "-w", "-m", "immediate", "-D", &data])
                    .status(),
            );
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Tells of a post of this number.
pub(crate) async fn told(store: &PgStore, number: i64) {
    let mut unit = store.begin(&Actor::System("test")).await.unwrap();
    let event = Event::from(v1::PostCreated { post_id: number, author_id: 7, ..v1::PostCreated::default() });
    unit.journal().append(&[event]).await.unwrap();
    unit.commit().await.unwrap();
}

/// The numbers that are delivered next, once any are.
pub(crate) async fn delivered(bus: &PgBus, group: Group) -> Vec<i64> {
    for _ in 0..600 {
        let Ok(Some(batch)) = bus.next(group, "one", 100).await else {
            bus.wait(Duration::from_millis(100)).await;
            continue;
        };
        let number = |event: &Delivered| match &event.event {
            Event::PostCreated(created) => created.post_id,
            other => panic!("{other:?}"),
        };
        let numbers = batch.events().iter().map(number).collect();
        batch.commit().await.unwrap();
        return numbers;
    }
    panic!("nothing was delivered within a minute");
}

/// A primary and its replica, and how a store connects to the primary.
struct Pair {
    yard: Yard,
    one: u16,
    two: u16,
    config: PgStoreConfig,
}

impl Pair {
    async fn new(server: Server) -> Self {
        let yard = Yard::new(server);
        yard.set_up("one");
        // A copy of what was never started is as good as a backup.
        yard.copy("one", "two", "");
        yard.give("two", "standby.signal", "");
        let one = yard.start("one", "");
        let follow = format!("primary_conninfo = 'host=127.0.0.1 port={one} user=postgres'\nhot_standby_feedback = on");
        let two = yard.start("two", &follow);
        // Nothing that was acknowledged may be lost, so a commit waits for the replica.
        let admin = format!("postgres://postgres@127.0.0.1:{one}/postgres");
        let plan = Bootstrap::new("daira", Secret::new("app"), Secret::new("worker"));
        let mut config = plan.run(&admin).await.unwrap();
        let mut db = PgConnection::connect(&admin).await.unwrap();
        for sql in ["alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"] {
            sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
        }
        drop(db);
        config.acquire_timeout = Duration::from_millis(500);
        Self { yard, one, two, config }
    }
}

async fn the_same_store_goes_on_after_the_replica_was_promoted(server: Server) {
    const GROUP: Group = Group { name: "failover", topics: &["daira.post.v1"], rebuilds: false };
    let Pair { yard, one, two, mut config } = Pair::new(server).await;
    // The replica is named first: where writes go is not a matter of order.
    let several = |url: &str| url.replace(&format!("127.0.0.1:{one}"), &format!("127.0.0.1:{two},127.0.0.1:{one}"));
    config.app_url = several(&config.app_url);
    config.worker_url = several(&config.worker_url);
    config.popular_age = Duration::ZERO;
    let store = PgStore::connect(&config).await.unwrap();
    let bus = PgBus::new(&store, QUICK);
    let mut running = JoinSet::new();
    running.spawn(store.watch().run(core::future::pending()));
    running.spawn(PgBus::ticker(&config.worker_url).unwrap().run(core::future::pending()));
    running.spawn(bus.attendant(&Secret::new(&config.worker_url)).run(core::future::pending()));
    let world = Fixture::new(ports_over(&store));
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let before = world.post(&mona, "قبل").await;
    let as_candidate = world.candidate(before.id).await;
    assert_eq!(store.cards(&ali.actor(), &[as_candidate]).await.unwrap().len(), 1);

    told(&store, 1).await;
    assert_eq!(delivered(&bus, GROUP).await, [1]);

    // Views are open, connections wait in the pools, and the server is gone from one moment to the next.
    let open: Vec<_> =
        [store.read(&ali.actor(), Access::Read).await, store.read(&Actor::Anonymous, Access::Read).await].into();
    yard.control("one", &["stop", "-m", "immediate"]);
    drop(open);
    let mut refused = 0;
    for _ in 0..3 {
        match store.begin(&mona.actor()).await {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                refused += 1;
            }
            Ok(_) => panic!("there is no server that takes writes"),
        }
    }
    assert_eq!(refused, 3);
    assert_eq!(store.ping().await.unwrap_err().kind(), ErrorKind::Unavailable);

    yard.control("two", &["promote"]);
    let after = world.written(&mona, "بعد");
    let mut written = false;
    for _ in 0..600 {
        let attempt = async {
            let mut unit = store.begin(&mona.actor()).await?;
            unit.posts().insert(&after).await?;
            unit.commit().await
        };
        match attempt.await {
            Ok(()) => {
                written = true;
                break;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(written, "the store went over to the promoted server");
    for reader in [mona.actor(), ali.actor(), Actor::Anonymous] {
        assert_eq!(world.cards(&reader, &[before.id, after.id]).await.len(), 2, "nothing acknowledged was lost");
    }
    assert_eq!(store.cards(&ali.actor(), &[as_candidate]).await.unwrap().len(), 1, "questions went over, too");
    // All connections at once, more than were ever tried again.
    let all: Vec<_> = futures_util::future::join_all((0..16).map(|_| store.begin(&Actor::Anonymous))).await;
    assert!(all.iter().all(Result::is_ok));
    drop(all);
    // And the log ticks there, and is delivered.
    told(&store, 2).await;
    assert_eq!(delivered(&bus, GROUP).await, [2], "events go on, and none comes again");
    running.shutdown().await;
    store.close().await;
}

async fn a_primary_that_falls_silent_holds_up_nobody(server: Server) {
    let Pair { yard, one, two, mut config } = Pair::new(server).await;
    let wire = Wire::to(&format!("127.0.0.1:{one}")).await;
    for url in [&mut config.app_url, &mut config.worker_url] {
        *url = url.replace(&format!("127.0.0.1:{one}"), &format!("127.0.0.1:{two},{}", wire.address));
    }
    config.app_connections = 2;
    config.popular_age = Duration::ZERO;
    let store = PgStore::connect(&config).await.unwrap();
    let mut watching = JoinSet::new();
    watching.spawn(store.watch().run(core::future::pending()));
    let world = Fixture::new(ports_over(&store));
    let mona = world.person("mona").await;
    let before = world.post(&mona, "قبل").await;
    let as_candidate = world.candidate(before.id).await;

    assert_eq!(store.cards(&mona.actor(), &[as_candidate]).await.unwrap().len(), 1);
    // All connections are in use when the server falls silent: by a statement, by a commit, and by a question.
    let (mut writing, mut committing) =
        (store.begin(&mona.actor()).await.unwrap(), store.begin(&mona.actor()).await.unwrap());
    committing.posts().insert(&world.written(&mona, "بين")).await.unwrap();
    wire.fall_silent(true).await;
    let post = world.written(&mona, "بعد");
    let (reader, these) = (mona.actor(), [as_candidate]);
    let all = async {
        tokio::join!(writing.posts().insert(&post), committing.commit(), store.cards(&reader, &these), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            yard.control("two", &["promote"]);
        })
    };
    let (written, committed, asked, ()) = all.await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(committed.unwrap_err().kind(), ErrorKind::Unknown, "it may have happened");
    assert_eq!(asked.unwrap().len(), 1, "it changes nothing, so it was asked again");
    world.post(&mona, "بعدين").await;
    watching.shutdown().await;
    store.close().await;
}

/// Hands on what comes to a server of this machine.
struct Relay {
    address: String,
    lost: watch::Sender<()>,
    _running: JoinSet<()>,
}

impl Relay {
    async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (lost, losing) = watch::channel(());
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut relayed = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut losing = losing.clone();
                losing.mark_unchanged();
                relayed.spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = losing.changed() => core::future::pending().await,
                    }
                });
            }
        });
        Self { address, lost, _running: running }
    }

    /// Nothing comes through any more on connections that are open now.
    fn lose(&self) {
        self.lost.send_replace(());
    }
}

async fn a_wire_that_was_cut_is_given_up_and_a_slow_one_is_not(server: Server) {
    let yard = Yard::new(server);
    yard.set_up("one");
    let one = yard.start("one", "");
    let relay = Relay::to(one).await;
    let wire = Wire::to(&relay.address).await;
    let plan = Bootstrap::new("daira", Secret::new("app"), Secret::new("worker"));
    let mut config = plan.run(&format!("postgres://postgres@127.0.0.1:{one}/postgres")).await.unwrap();
    for url in [&mut config.app_url, &mut config.worker_url] {
        *url = url.replace(&format!("127.0.0.1:{one}"), &wire.address);
    }
    let store = PgStore::connect(&config).await.unwrap();
    let mut watching = JoinSet::new();
    watching.spawn(store.watch().run(core::future::pending()));
    let world = Fixture::new(ports_over(&store));
    let mona = world.person("mona").await;

    let mut unit = store.begin(&mona.actor()).await.unwrap();
    wire.slow_down(Duration::from_secs(3)).await;
    // Longer than an answer may take, and than the server would then be sought.
    tokio::time::sleep(Duration::from_secs(6)).await;
    wire.mend("slowness").await;
    unit.posts().insert(&world.written(&mona, "على مهلك")).await.unwrap();
    unit.commit().await.unwrap();

    let mut unit = store.begin(&mona.actor()).await.unwrap();
    relay.lose();
    // Neither side is told. What begins from now on comes through.
    let lost = unit.posts().insert(&world.written(&mona, "ألو؟")).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Unavailable);
    world.post(&mona, "أيوه").await;
    watching.shutdown().await;
    store.close().await;
}

on_each_server!(
    the_same_store_goes_on_after_the_replica_was_promoted,
    a_primary_that_falls_silent_holds_up_nobody,
    a_wire_that_was_cut_is_given_up_and_a_slow_one_is_not,
);
