//! What an access token opened closes when its session ends, wherever it ended, and when the token lapses.

use core::pin::pin;

use daira_core::account::Pass;
use daira_core::error::CommonRefusal;
use daira_core::memory::MemoryPubSub;
use futures_util::future::{Either, select};
use futures_util::stream::{self, BoxStream, StreamExt};

use super::*;

/// Another node of the platform: it shares everything but its memory.
fn node(world: &World) -> AccountService {
    AccountService::new(world.ports.clone())
}

async fn pass(accounts: &AccountService, person: &LoggedIn) -> Pass {
    accounts.admit(&person.tokens.access).await.unwrap()
}

/// A stream that never has anything to say.
fn silent(accounts: &AccountService, pass: Pass) -> BoxStream<'static, Result<()>> {
    accounts.while_valid(pass, stream::pending())
}

/// Whatever else runs, until something is done.
async fn beside<T>(others: impl Future<Output = ()>, done: impl Future<Output = T>) -> T {
    match select(pin!(others), pin!(done)).await {
        Either::Left(_) => panic!("what was to run on has ended"),
        Either::Right((done, _)) => done,
    }
}

/// How a stream ends.
async fn end(mut stream: BoxStream<'static, Result<()>>) -> Error {
    let end = stream.next().await.unwrap().unwrap_err();
    assert!(stream.next().await.is_none(), "nothing comes after the end");
    end
}

#[tokio::test]
async fn security_28_an_open_stream_ends_with_its_session_on_every_node() {
    let world = world();
    let [mona, ali] = [world.join("mona").await, world.join("karim").await];
    let other = node(&world);
    other.poll_revocations().await.unwrap();
    let (here, there) = (pass(&world.accounts, &mona).await, pass(&other, &mona).await);
    let stays = silent(&other, pass(&other, &ali).await);
    let streams = [silent(&world.accounts, here), silent(&other, there)];
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    for stream in streams {
        let ended = beside(other.keep_up(), end(stream)).await;
        assert_eq!(ended.refusal(), Some(AccountRefusal::SessionEnded));
    }
    let stays_open = tokio::time::timeout(Duration::from_millis(600), end(stays));
    assert!(beside(other.keep_up(), stays_open).await.is_err(), "whoever else is there stays");
}

#[tokio::test]
async fn the_end_of_a_session_is_heard_without_a_poll() {
    let world = world();
    let mona = world.join("mona").await;
    let other = node(&world);
    let mut told = world.ports.pubsub.subscribe(daira_core::port::Topic::Sessions).await;
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    let heard = told.next(Duration::from_secs(10)).await;
    let id = daira_core::id::Id::raw(mona.member.session).to_be_bytes().to_vec();
    assert_eq!(heard, daira_core::port::Heard::Message(id.into()));
    assert!(!other.directory().is_revoked(mona.member.session));
    // What keeps up listens from its beginning on: the second end is heard by it.
    let again = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let ends = async {
        tokio::task::yield_now().await;
        world.accounts.log_out(&actor(&again)).await.unwrap();
        while !other.directory().is_revoked(again.member.session) {
            tokio::task::yield_now().await;
        }
    };
    beside(other.keep_up(), ends).await;
}

/// Nothing that is told arrives: the poll finds it all the same.
#[tokio::test]
async fn lost_messages_are_made_up_for_by_the_poll() {
    let world = world();
    let mona = world.join("mona").await;
    let deaf = AccountService::new(Ports { pubsub: Arc::new(MemoryPubSub::default()), ..world.ports.clone() });
    let stream = silent(&deaf, pass(&deaf, &mona).await);
    world.accounts.log_out(&actor(&mona)).await.unwrap();
    let ended = beside(deaf.keep_up(), end(stream)).await;
    assert_eq!(ended.refusal(), Some(AccountRefusal::SessionEnded));
}

#[tokio::test]
async fn an_open_stream_ends_with_its_token() {
    let world = world();
    let mona = world.join("mona").await;
    let pass = pass(&world.accounts, &mona).await;
    assert_eq!(pass.until(), Some(mona.tokens.access_expires_at));
    let stream = silent(&world.accounts, pass.clone());
    world.clock.set(mona.tokens.access_expires_at);
    assert_eq!(end(stream).await.refusal(), Some(AccountRefusal::TokenInvalid), "a new token opens it again");
    assert!(world.accounts.check(&pass).await.is_err());
    assert!(world.accounts.check(&Pass::ANONYMOUS).await.is_ok() && Pass::ANONYMOUS.until().is_none());
}

/// A node that cannot learn of ends lets nobody listen on.
#[tokio::test]
async fn a_blind_node_ends_its_streams() {
    let world = world();
    let mona = world.join("mona").await;
    world.accounts.poll_revocations().await.unwrap();
    let stream = silent(&world.accounts, pass(&world.accounts, &mona).await);
    world.advance(Duration::from_secs(6));
    assert_eq!(end(stream).await.refusal(), Some(CommonRefusal::Unavailable));
}

#[tokio::test]
async fn a_stream_gives_what_it_has_and_ends_with_it() {
    let world = world();
    let mona = world.join("mona").await;
    let given = |items: Vec<Result<i32>>| async {
        let stream = world.accounts.while_valid(pass(&world.accounts, &mona).await, stream::iter(items));
        stream.map(|item| item.map_err(|error| error.kind())).collect::<Vec<_>>().await
    };
    assert_eq!(given(vec![Ok(1), Ok(2)]).await, [Ok(1), Ok(2)]);
    let failed = || Error::new(daira_core::error::ErrorKind::Unavailable, "test");
    assert_eq!(
        given(vec![Ok(1), Err(failed()), Ok(2)]).await,
        [Ok(1), Err(failed().kind()), Ok(2)],
        "a failed one is not the end"
    );
}
