//! Reads from a replica: who wrote sees it, whatever the replica lacks; who may wait for news waits no longer than the limit; and a
//! replica that cannot be read is not missed.

use core::time::Duration;

use daira_core::actor::Actor;
use daira_core::id::PostId;
use daira_core::port::store::Access;
use daira_core::port::{Ports, Store as _};
use daira_core::post::Post;
use daira_core::testkit::fixture::{Draft, Fixture, Person};
use daira_store::postgres::testing::{Server, TestDatabase};
use daira_store::postgres::{PgStore, PgStoreConfig};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::conformance::ports_over;

/// Makes one of a server's pair: macros name servers that stand alone.
fn pair(server: Server) -> Server {
    match server {
        Server::Pg15 | Server::Primary15 => Server::Primary15,
        Server::Pg18 | Server::Primary18 => Server::Primary18,
    }
}

/// Ports over a primary and its replica, and what watches both.
pub(crate) async fn replicated(server: Server) -> (Ports, (JoinSet<()>, TestDatabase)) {
    let replicated = Replicated::new(server, |_| ()).await;
    (replicated.ports, (replicated.watching, replicated.database))
}

daira_core::store_kit!(pg15_replica_store, replicated(Server::Primary15).await);
daira_core::store_kit!(pg18_replica_store, replicated(Server::Primary18).await);

struct Replicated {
    ports: Ports,
    server: Server,
    store: PgStore,
    world: Fixture,
    database: TestDatabase,
    watching: JoinSet<()>,
}

impl Replicated {
    async fn new(server: Server, change: impl FnOnce(&mut PgStoreConfig)) -> Self {
        let server = pair(server);
        let database = server.database().await.unwrap();
        let mut config = database.config();
        config.replica_url = Some(database.replica(server).unwrap());
        config.popular_age = Duration::ZERO;
        change(&mut config);
        let store = PgStore::connect(&config).await.unwrap();
        let ports = ports_over(&store);
        let mut watching = JoinSet::new();
        watching.spawn(store.watch().run(core::future::pending()));
        Self { world: Fixture::new(ports.clone()), ports, server, store, database, watching }
    }

    /// Whether somebody who may do with an old view finds the post in one.
    async fn finds(&self, actor: &Actor, post: PostId) -> bool {
        let mut view = self.store.read(actor, Access::ReadStale).await.unwrap();
        !view.posts().cards(&[post]).await.unwrap().is_empty()
    }

    /// Whether it is the replica that answers this reader, and shows them the post.
    async fn shows(&self, actor: &Actor, post: PostId) -> bool {
        let mut admin = PgConnection::connect(&self.server.replica_url().unwrap()).await.unwrap();
        let mut view = self.store.read(actor, Access::ReadStale).await.unwrap();
        let there = !view.posts().cards(&[post]).await.unwrap().is_empty();
        let open = "select count(*) from pg_stat_activity
                    where datname = $1 and usename = 'daira_app' and state = 'idle in transaction'";
        let open: i64 = sqlx::query_scalar(open).bind(self.database.name()).fetch_one(&mut admin).await.unwrap();
        there && open == 1
    }

    /// Writes a post as a member does.
    async fn writes(&self, author: &Person, text: &str) -> Post {
        let post = self.world.written(author, text);
        let mut unit = self.store.begin(&author.actor()).await.unwrap();
        unit.posts().insert(&post).await.unwrap();
        unit.commit().await.unwrap();
        post
    }
}

/// Waits until something is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within a minute: {what}");
}

/// A replica that replays nothing until this is dropped. One test at a time, over all programs.
struct Standstill {
    replica: String,
    _turn: PgConnection,
}

impl Standstill {
    async fn of(server: Server) -> Self {
        let server = pair(server);
        let mut turn = PgConnection::connect(&server.admin_url().unwrap()).await.unwrap();
        sqlx::raw_sql("select pg_advisory_lock(815)").execute(&mut turn).await.unwrap();
        Self { replica: server.replica_url().unwrap(), _turn: turn }
    }

    async fn begin(&self) {
        let mut db = PgConnection::connect(&self.replica).await.unwrap();
        sqlx::raw_sql("select pg_wal_replay_pause()").execute(&mut db).await.unwrap();
        until("replay stands still", async || {
            let state = "select pg_get_wal_replay_pause_state() = 'paused'";
            sqlx::query_scalar(state).fetch_one(&mut db).await.unwrap()
        })
        .await;
    }

    async fn end(&self) {
        let mut db = PgConnection::connect(&self.replica).await.unwrap();
        sqlx::raw_sql("select pg_wal_replay_resume()").execute(&mut db).await.unwrap();
    }

    /// How late everything is shown from now on.
    async fn delay(&self, by: &str) {
        let mut db = PgConnection::connect(&self.replica).await.unwrap();
        let set = format!("alter system set recovery_min_apply_delay = '{by}'");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut db).await.unwrap();
        sqlx::raw_sql("select pg_reload_conf()").execute(&mut db).await.unwrap();
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        let replica = self.replica.clone();
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut db = PgConnection::connect(&replica).await.unwrap();
                for sql in [
                    "alter system reset recovery_min_apply_delay",
                    "select pg_reload_conf()",
                    "select pg_wal_replay_resume()",
                ] {
                    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
                }
            });
        });
        drop(end.join());
    }
}

async fn nobody_misses_their_own_write_while_the_replica_stands_still(server: Server) {
    let still = Standstill::of(server).await;
    // Far behind, and good enough for who has not written.
    let all = Replicated::new(server, |config| config.replica_lag = Duration::from_hours(1)).await;
    let (mona, ali) = (all.world.person("mona").await, all.world.person("ali").await);
    let mask = all.world.person(Draft::new("shams").face_of(&mona)).await;
    let before = all.writes(&mona, "قبل").await;
    for reader in [&mona.actor(), &ali.actor(), &Actor::Anonymous] {
        until("the replica is read", async || all.shows(reader, before.id).await).await;
    }
    still.begin().await;
    for n in 0..20 {
        let post = all.writes(&mona, &format!("{n}")).await;
        assert!(all.finds(&mona.actor(), post.id).await, "her own, at once");
        assert!(all.finds(&mask.actor(), post.id).await, "with her other face");
        assert!(!all.finds(&ali.actor(), post.id).await, "what others wrote is on its way: the replica answers");
        assert!(!all.finds(&Actor::Anonymous, post.id).await);
        // What must be fresh is.
        assert!(all.world.sees(&ali.actor(), &post).await);
    }
    // Whoever joins finds themselves, although it was nobody who wrote them.
    let omar = all.world.person("omar").await;
    let mut view = all.store.read(&omar.actor(), Access::ReadStale).await.unwrap();
    assert_eq!(view.accounts().profiles(&[omar.id]).await.unwrap().len(), 1);
    let mut view = all.store.read(&ali.actor(), Access::ReadStale).await.unwrap();
    assert!(view.accounts().profiles(&[omar.id]).await.unwrap().is_empty(), "others do a moment later");
    let last = all.writes(&ali, "آخر").await;
    still.end().await;
    until("the replica has caught up", async || all.shows(&Actor::Anonymous, last.id).await).await;
}

async fn a_write_is_waited_for_on_a_replica_that_is_a_moment_late(server: Server) {
    let still = Standstill::of(server).await;
    let all = Replicated::new(server, |config| {
        config.replica_lag = Duration::from_hours(1);
        config.replica_patience = Duration::from_mins(1);
    })
    .await;
    let mona = all.world.person("mona").await;
    let before = all.writes(&mona, "قبل").await;
    until("the replica is read", async || all.shows(&Actor::Anonymous, before.id).await).await;
    still.delay("300ms").await;
    for n in 0..5 {
        let post = all.writes(&mona, &format!("{n}")).await;
        assert!(all.shows(&mona.actor(), post.id).await, "it is the replica that shows it");
    }
}

async fn a_replica_that_lags_more_than_it_may_is_not_read(server: Server) {
    let still = Standstill::of(server).await;
    let all = Replicated::new(server, |config| config.replica_lag = Duration::from_secs(2)).await;
    let (mona, ali) = (all.world.person("mona").await, all.world.person("ali").await);
    let before = all.writes(&mona, "قبل").await;
    until("the replica is read", async || all.shows(&ali.actor(), before.id).await).await;
    still.begin().await;
    let post = all.writes(&mona, "بعد").await;
    until("the primary is read", async || all.finds(&ali.actor(), post.id).await).await;
    let again = all.writes(&mona, "وبعد").await;
    assert!(
        all.finds(&ali.actor(), again.id).await && all.finds(&Actor::Anonymous, again.id).await,
        "and nothing else"
    );
    still.end().await;
    until("the replica is read again", async || all.shows(&ali.actor(), again.id).await).await;
}

async fn a_replica_that_is_away_is_not_missed(server: Server) {
    // Nobody listens on the first port there is; and nobody ever answers from a network that is for documents.
    for away in ["127.0.0.1:1", "192.0.2.1:5432"] {
        let all = Replicated::new(server, |config| {
            config.replica_url = Some(format!("postgres://daira_app:app@{away}/daira"));
        })
        .await;
        let (mona, ali) = (all.world.person("mona").await, all.world.person("ali").await);
        let post = all.writes(&mona, "كله تمام").await;
        for reader in [mona.actor(), ali.actor(), Actor::Anonymous] {
            assert!(all.finds(&reader, post.id).await);
        }
    }
}

/// Without somebody who watches, nobody knows how new a replica is.
async fn an_unwatched_replica_is_not_read(server: Server) {
    let mut all = Replicated::new(server, |config| config.replica_lag = Duration::from_millis(500)).await;
    let (mona, ali) = (all.world.person("mona").await, all.world.person("ali").await);
    let still = Standstill::of(server).await;
    let before = all.writes(&mona, "قبل").await;
    until("the replica is read", async || all.shows(&ali.actor(), before.id).await).await;
    all.watching.shutdown().await;
    still.begin().await;
    let post = all.writes(&mona, "بعد").await;
    until("the primary is read", async || all.finds(&ali.actor(), post.id).await).await;
}

on_each_server!(
    nobody_misses_their_own_write_while_the_replica_stands_still,
    a_write_is_waited_for_on_a_replica_that_is_a_moment_late,
    a_replica_that_lags_more_than_it_may_is_not_read,
    a_replica_that_is_away_is_not_missed,
    an_unwatched_replica_is_not_read,
);
