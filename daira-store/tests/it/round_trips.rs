//! How often the database is asked: counted on the wire, between the store and the server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daira_core::port::Store as _;
use daira_core::post::{PostCard, Visibility};
use daira_core::testkit::fixture::{Fixture, Writing};
use daira_store::postgres::PgStore;
use daira_store::postgres::testing::Server;

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

    let mut config = database.config();
    let (before, rest) = config.app_url.split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let name = name.split('?').next().unwrap();
    let wire = Wire::to(address.to_owned());
    config.app_url = format!("{before}@127.0.0.1:{}/{name}?sslmode=disable", wire.port);
    config.app_connections = 1;
    let store = PgStore::connect(&config).await.unwrap();
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

on_each_server!(a_first_page_is_at_most_two_round_trips);
