//! Several faces of one person: made, moved between, and ended together.

use std::sync::atomic::{AtomicBool, Ordering};

use daira_core::account::MAX_FACES;
use daira_core::error::{CommonRefusal, ErrorKind};
use daira_core::id::{Id, ProfileId};
use daira_core::idempotency::IdempotencyKey;
use futures_util::future::join_all;

use super::*;

async fn face(world: &World, of: &LoggedIn, handle: &str) -> ProfileId {
    world.accounts.create_profile(&actor(of), handle, "وش تاني", None).await.unwrap()
}

async fn switch(world: &World, of: &Actor, to: ProfileId) -> Result<(Member, daira_core::account::Tokens)> {
    world.accounts.switch_profile(of, to, "Firefox", None).await
}

#[tokio::test]
async fn a_face_has_tokens_of_its_own_and_the_account_ends_them_together() {
    let world = world();
    let mona = world.join("mona").await;
    let shade = face(&world, &mona, "zell").await;
    let (as_shade, tokens) = switch(&world, &actor(&mona), shade).await.unwrap();
    assert_eq!((as_shade.profile, as_shade.account), (shade, mona.member.account));
    assert_ne!(as_shade.session, mona.member.session);
    assert_eq!(world.accounts.authenticate(&tokens.access).await.unwrap(), Actor::Member(as_shade));
    assert_eq!(world.accounts.authenticate(&mona.tokens.access).await.unwrap(), actor(&mona), "the other goes on");
    let refreshed = world.accounts.refresh(&Client::default(), &tokens.refresh).await.unwrap();
    assert_eq!(world.accounts.authenticate(&refreshed.access).await.unwrap(), Actor::Member(as_shade));
    // Back again, from the mask.
    let (back, _) = switch(&world, &Actor::Member(as_shade), mona.member.profile).await.unwrap();
    assert_eq!(back.profile, mona.member.profile);
    assert_eq!(world.accounts.sessions(&actor(&mona)).await.unwrap().len(), 3);
    assert_eq!(world.accounts.revoke_other_sessions(&Actor::Member(as_shade), None).await.unwrap(), 2);
    assert!(is_invalid(world.accounts.authenticate(&mona.tokens.access).await));
}

#[tokio::test]
async fn nobody_moves_to_a_face_that_is_not_theirs() {
    let world = world();
    let [mona, omar] = [world.join("mona").await, world.join("omar_s").await];
    let shade = face(&world, &omar, "zell").await;
    let nobody = ProfileId::from_raw(77);
    for to in [omar.member.profile, shade, nobody] {
        let refused = switch(&world, &actor(&mona), to).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(CommonRefusal::NotFound), "a stranger's face and none look alike");
    }
    assert!(switch(&world, &Actor::Anonymous, shade).await.is_err());
    world.accounts.log_out(&actor(&omar)).await.unwrap();
    let late = switch(&world, &actor(&omar), shade).await.unwrap_err();
    assert_eq!(late.refusal(), Some(AccountRefusal::SessionEnded), "an ended session begins no other");
}

#[tokio::test]
async fn there_are_so_many_faces_however_many_ask_at_once() {
    let world = world();
    let mona = world.join("mona").await;
    let asks = (0..12).map(|n| {
        let (accounts, who) = (world.accounts.clone(), actor(&mona));
        async move { accounts.create_profile(&who, &format!("wesh_{n}"), "وش", None).await }
    });
    let outcomes = join_all(asks).await;
    let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(made, MAX_FACES - 1, "the first is one of them");
    let refused = outcomes.into_iter().find_map(Result::err).unwrap();
    assert_eq!(refused.refusal(), Some(AccountRefusal::TooManyProfiles));
    assert_eq!(world.accounts.me(&actor(&mona)).await.unwrap().profiles.len(), MAX_FACES);
}

#[tokio::test]
async fn a_faces_name_and_handle_follow_the_rules() {
    let world = world();
    let mona = world.join("mona").await;
    for (handle, name, refusal) in [
        ("mona", "وش", AccountRefusal::HandleTaken),
        ("MONA", "وش", AccountRefusal::HandleTaken),
        ("a", "وش", AccountRefusal::HandleInvalid),
        ("wesh", "", AccountRefusal::NameInvalid),
        ("wesh", "\u{202e}وش", AccountRefusal::ForbiddenCharacter),
    ] {
        let outcome = world.accounts.create_profile(&actor(&mona), handle, name, None).await;
        assert_eq!(outcome.unwrap_err().refusal(), Some(refusal), "{handle} {name}");
    }
}

#[tokio::test]
async fn a_repeated_request_makes_one_face_and_one_session() {
    let world = world();
    let mona = world.join("mona").await;
    let key = || Some(IdempotencyKey::new("once").unwrap());
    let make = async || world.accounts.create_profile(&actor(&mona), "zell", "وش", key()).await.unwrap();
    let shade = make().await;
    assert_eq!(make().await, shade);
    let move_there = async || world.accounts.switch_profile(&actor(&mona), shade, "Firefox", key()).await;
    let (first, tokens) = move_there().await.unwrap();
    let (again, same) = move_there().await.unwrap();
    assert_eq!((first, tokens.refresh), (again, same.refresh));
    world.accounts.log_out(&Actor::Member(first)).await.unwrap();
    assert_eq!(move_there().await.unwrap_err().refusal(), Some(AccountRefusal::TokenInvalid));
}

/// Moving to another face, or to the same, is no proof of who moves, and makes no session last.
#[tokio::test]
async fn security_12_moving_between_faces_proves_nothing_and_lasts_no_longer() {
    let world = world();
    let mona = world.join("mona").await;
    let shade = face(&world, &mona, "zell").await;
    world.advance(world.ports.settings.proof_life + Duration::from_secs(1));
    for to in [shade, mona.member.profile] {
        let (moved, tokens) = switch(&world, &actor(&mona), to).await.unwrap();
        let refused = world.accounts.begin_authenticator(&Actor::Member(moved)).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(AccountRefusal::ProofNeeded), "as on the session that moved");
        let all = world.accounts.sessions(&actor(&mona)).await.unwrap();
        let of = |id| all.iter().find(|session| session.id == id).unwrap();
        let (first, new) = (of(mona.member.session), of(moved.session));
        assert_eq!((first.created_at, first.proven_at), (new.created_at, new.proven_at));
        world.advance(world.ports.settings.session_life);
        assert!(
            is_invalid(world.accounts.refresh(&Client::default(), &tokens.refresh).await),
            "a log-in lasts so long and no longer"
        );
        world.clock.set(first.created_at + world.ports.settings.proof_life + Duration::from_secs(2));
    }
}

/// Whoever copied a token may have moved on from it: what was begun from it ends with it.
#[tokio::test]
async fn security_25_a_copied_token_ends_every_session_of_its_log_in() {
    let world = world();
    let mona = world.join("mona").await;
    let shade = face(&world, &mona, "zell").await;
    world.advance(Duration::from_secs(1));
    let other = entered(world.accounts.log_in(&Client::default(), logging_in("mona"), None).await).unwrap();
    let (_, moved) = switch(&world, &actor(&mona), shade).await.unwrap();
    let next = world.accounts.refresh(&Client::default(), &mona.tokens.refresh).await.unwrap();
    world.accounts.authenticate(&next.access).await.unwrap();
    world.advance(world.ports.settings.refresh_grace);
    assert!(is_invalid(world.accounts.refresh(&Client::default(), &mona.tokens.refresh).await));
    for access in [&next.access, &moved.access] {
        assert!(is_invalid(world.accounts.authenticate(access).await));
    }
    assert!(world.accounts.authenticate(&other.tokens.access).await.is_ok(), "another log-in is another's");
}

/// A store that is away for members, as long as it is said to be.
struct Away {
    inner: MemoryStore,
    away: AtomicBool,
}

#[async_trait]
impl Store for Away {
    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>> {
        if matches!(actor, Actor::Member(_)) && self.away.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "test.away"));
        }
        self.inner.begin(actor).await
    }
    async fn read(&self, actor: &Actor, access: Access) -> Result<Box<dyn ReadView>> {
        self.inner.read(actor, access).await
    }
    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

/// A fault in the middle leaves no part of a log-in open that nothing would close any more.
#[tokio::test]
async fn security_25_what_a_copied_token_ends_is_ended_whole() {
    let world = world();
    let store = Arc::new(Away { inner: world.store.clone(), away: AtomicBool::new(false) });
    let node = AccountService::new(Ports { store: store.clone(), ..world.ports.clone() });
    let mona = world.join("mona").await;
    let shade = face(&world, &mona, "zell").await;
    let (_, moved) = switch(&world, &actor(&mona), shade).await.unwrap();
    let next = node.refresh(&Client::default(), &mona.tokens.refresh).await.unwrap();
    node.authenticate(&next.access).await.unwrap();
    world.advance(world.ports.settings.refresh_grace);
    store.away.store(true, Ordering::SeqCst);
    assert_eq!(
        node.refresh(&Client::default(), &mona.tokens.refresh).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    store.away.store(false, Ordering::SeqCst);
    assert!(
        is_invalid(node.refresh(&Client::default(), &mona.tokens.refresh).await),
        "it comes back, and finds all of it"
    );
    for access in [&next.access, &moved.access] {
        assert!(is_invalid(node.authenticate(access).await));
    }
}
