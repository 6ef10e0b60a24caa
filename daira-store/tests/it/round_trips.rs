//! How often the database is asked: counted on the wire, between the store and the server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daira_core::account::AccountService;
use daira_core::actor::Actor;
use daira_core::memory::{MemoryCache, WallClock};
use daira_core::port::Store as _;
use daira_core::port::store::Access;
use daira_core::post::{PostCard, Visibility};
use daira_core::read_through::ReadThrough;
use daira_core::testkit::fixture::{Fixture, Writing};
use daira_core::text::Handle;
use daira_store::postgres::PgStore;
use daira_store::postgres::testing::{Server, TestDatabase};
use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use super::conformance::ports_over;

/// Stands between the store and a server, and counts what is executed: each is a round trip that somebody waits for. The
/// empty message by which the pool tests a connection that was given back is none.
struct Wire {
    port: u16,
    waits: Arc<AtomicUsize>,
}

impl Wire {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let waits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waits);
        std::thread::spawn(move || {
            for store in listener.incoming() {
                let (store, server) = (store.unwrap(), TcpStream::connect(&server).unwrap());
                let (answers, questions) = ((server.try_clone().unwrap(), store.try_clone().unwrap()), (store, server));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || pass_on(questions, &counted));
                // It ends when either side does.
                std::thread::spawn(move || drop(std::io::copy(&mut &answers.0, &mut &answers.1)));
            }
        });
        Self { port, waits }
    }
}

/// Passes on messages of a client: the first has no type, all have their length.
fn pass_on((mut from, mut to): (TcpStream, TcpStream), waits: &AtomicUsize) {
    let mut kind = None;
    loop {
        let mut length = [0; 4];
        if from.read_exact(&mut length).is_err() {
            drop(to.shutdown(std::net::Shutdown::Both));
            return;
        }
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        from.read_exact(&mut body).unwrap();
        if matches!(kind, Some(b'Q' | b'E')) {
            waits.fetch_add(1, Ordering::SeqCst);
        }
        let message: Vec<u8> = kind.into_iter().chain(length).chain(body).collect();
        let mut next = [0];
        if to.write_all(&message).is_err() || from.read_exact(&mut next).is_err() {
            drop(to.shutdown(std::net::Shutdown::Both));
            return;
        }
        kind = Some(next[0]);
    }
}

/// A store of one connection, over a wire that counts.
async fn over_a_wire(database: &TestDatabase) -> (Wire, PgStore) {
    let mut config = database.config();
    let (before, rest) = config.app_url.split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let name = name.split('?').next().unwrap();
    let wire = Wire::to(address.to_owned());
    config.app_url = format!("{before}@127.0.0.1:{}/{name}?sslmode=disable", wire.port);
    config.app_connections = 1;
    (wire, PgStore::connect(&config).await.unwrap())
}

/// A first page of a feed asks once for candidates, and once more if not everything that is shown of the best of them is kept.
/// Nothing comes after it.
async fn a_first_page_is_at_most_two_round_trips(server: Server) {
    let database = server.database().await.unwrap();
    let world = Fixture::new(ports_over(&database.store().await.unwrap()));
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    for author in [&mona, &star] {
        world.follow(&ali, author).await;
    }
    for _ in 0..4 {
        world.published(&mona, "صباح الخير").await;
    }
    world.post(&star, Writing::new("pulled").pull()).await;
    world.post(&ali, "own").await;

    let (wire, store) = over_a_wire(&database).await;
    let page = async || -> Vec<PostCard> {
        let candidates = store.candidates(&ali.actor(), world.now(), 6).await.unwrap();
        assert_eq!(candidates.len(), 6);
        store.cards(&ali.actor(), &candidates).await.unwrap()
    };
    // A new connection prepares its statements first; after the second page the counters are read that shall be kept, on another.
    for _ in 0..2 {
        page().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let before = wire.waits.load(Ordering::SeqCst);
    assert!(before > 2, "nothing is counted");
    assert_eq!(page().await.len(), 6);
    // Anything left to be done, like the end of a transaction, would be done before this connection serves the next.
    assert_eq!(page().await.len(), 6);
    assert_eq!(wire.waits.load(Ordering::SeqCst) - before, 2, "one for each page");
    // What a candidate does not show to be visible is read each time.
    world.published(&mona, Writing::new("for few").mention(&ali).visible(Visibility::Mentioned)).await;
    let before = wire.waits.load(Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(page().await.len(), 6);
    }
    assert_eq!(wire.waits.load(Ordering::SeqCst) - before, 4, "two for each page");
}

/// A handle that nobody has is asked for once, however often and on however many nodes it is; one that somebody has costs the
/// profile alone.
async fn a_handle_is_looked_up_once(server: Server) {
    let database = server.database().await.unwrap();
    let world = Fixture::new(ports_over(&database.store().await.unwrap()));
    let mona = world.person("mona").await;
    let (wire, store) = over_a_wire(&database).await;
    let far = Arc::new(MemoryCache::new(Arc::new(WallClock), 1 << 20));
    let mut tasks = JoinSet::new();
    let mut node = async || {
        let mut ports = ports_over(&store);
        ports.kept = ReadThrough::new(far.clone(), ports.pubsub.clone(), ports.clock.clone(), ports.ids.clone(), 1);
        let attendant = ports.kept.clone();
        tasks.spawn(async move { attendant.attend().await });
        AccountService::new(ports)
    };
    let [one, other] = [node().await, node().await];
    let [known, nobody] = ["mona", "nobody.here"].map(|text| Handle::existing(text).unwrap());
    while one.bearer_at_hand(&known).is_none() || other.bearer_at_hand(&known).is_none() {
        // Until they are attended; a new connection prepares its statements meanwhile.
        tokio::try_join!(one.bearer(&known), other.bearer(&known)).unwrap();
    }
    // A transaction that was let go is ended behind the back of who let it go.
    let spent = async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        wire.waits.swap(0, Ordering::SeqCst)
    };
    spent().await;
    for (node, most) in [(&one, 4), (&other, 0)] {
        let asked = try_join_all((0..50).map(|_| node.bearer(&nobody))).await.unwrap();
        assert!(asked.iter().all(Option::is_none));
        let spent = spent().await;
        println!("who bears a handle that nobody has: {spent} round trips for fifty who ask at once");
        assert!(spent <= most, "{spent}: one unit for all of them, and none for another node");
        for _ in 0..10 {
            assert_eq!(node.bearer(&nobody).await.unwrap(), None);
        }
    }
    assert_eq!(spent().await, 0, "it is kept");

    let page = async |is_kept: bool| {
        let mut view = store.read(&Actor::Anonymous, Access::Read).await.unwrap();
        let found = match one.bearer_at_hand(&known).flatten().filter(|_| is_kept) {
            Some(bearer) => one.profile_of(view.as_mut(), &known, bearer).await.unwrap(),
            None => view.accounts().profile_by_handle(&known).await.unwrap(),
        };
        assert_eq!(found.unwrap().id, mona.id);
        drop(view);
    };
    for is_kept in [true, false] {
        page(is_kept).await;
    }
    spent().await;
    page(false).await;
    let without = spent().await;
    page(true).await;
    assert_eq!(spent().await, without, "the profile alone, and no look-up before it");
}

on_each_server!(a_first_page_is_at_most_two_round_trips, a_handle_is_looked_up_once);
