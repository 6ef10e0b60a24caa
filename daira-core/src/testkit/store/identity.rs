//! Identities at providers.

use super::{failure, world};
use crate::account::{Identity, LinkedIdentity, StoredCredential};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::port::Ports;
use crate::testkit::fixture::{Draft, Fixture, Person};

fn linked(world: &Fixture, person: &Person, issuer: &str, subject: &str) -> LinkedIdentity {
    LinkedIdentity {
        account: person.account,
        identity: Identity { issuer: format!("https://{issuer}.example"), subject: subject.to_owned() },
        linked_at: world.tick(),
        used_at: None,
    }
}

async fn keep(world: &Fixture, person: &Person, linked: &LinkedIdentity) {
    let mut unit = world.unit(&person.actor()).await;
    unit.factors().insert_identity(linked).await.unwrap();
    unit.commit().await.unwrap();
}

async fn found(world: &Fixture, identity: &Identity) -> Option<StoredCredential> {
    world.view(&Actor::Anonymous).await.accounts().credential_by_identity(identity).await.unwrap()
}

/// An identity is kept, found by issuer and subject with the oldest face of its account, used and unlinked.
pub async fn an_identity_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    world.person(Draft::new("mona.work").face_of(&mona)).await;
    let (old, new) = (linked(&world, &mona, "one", "Mona"), linked(&world, &mona, "other", "Mona"));
    for linked in [&old, &new] {
        keep(&world, &mona, linked).await;
    }
    let stored = found(&world, &old.identity).await.unwrap();
    assert_eq!((stored.account, stored.profile), (mona.account, mona.id));
    for (issuer, subject) in [("one", "mona"), ("third", "Mona"), ("one", "Mon"), ("one", "")] {
        assert_eq!(found(&world, &linked(&world, &mona, issuer, subject).identity).await, None, "met exactly");
    }
    let at = world.tick();
    let mut unit = world.unit(&mona.actor()).await;
    unit.factors().use_identity(mona.account, &old.identity.issuer, at).await.unwrap();
    unit.commit().await.unwrap();
    let used = LinkedIdentity { used_at: Some(at), ..old.clone() };
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().identities(mona.account).await.unwrap(), [used, new.clone()]);
    assert!(unit.factors().delete_identity(mona.account, &old.identity.issuer).await.unwrap());
    assert!(!unit.factors().delete_identity(mona.account, &old.identity.issuer).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(found(&world, &old.identity).await, None);
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().identities(mona.account).await.unwrap(), [new]);
    let stale = unit.factors().use_identity(mona.account, &old.identity.issuer, at).await;
    assert_eq!(failure(stale), ErrorKind::Stale);
}

/// An identity opens one account, and an account has one of each issuer.
pub async fn an_identity_opens_one_account(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let hers = linked(&world, &mona, "one", "7");
    keep(&world, &mona, &hers).await;
    let mut unit = world.unit(&ali.actor()).await;
    let taken = unit.factors().insert_identity(&linked(&world, &ali, "one", "7")).await;
    assert_eq!(failure(taken), ErrorKind::Conflict("identity_subject"));
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    let second = unit.factors().insert_identity(&linked(&world, &mona, "one", "8")).await;
    assert_eq!(failure(second), ErrorKind::Conflict("identity_issuer"));
    drop(unit);
    keep(&world, &ali, &linked(&world, &ali, "other", "7")).await;
    assert_eq!(found(&world, &hers.identity).await.map(|stored| stored.account), Some(mona.account));
}

/// Nobody sees, links, uses or unlinks somebody else's identity.
pub async fn an_identity_is_its_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let hers = linked(&world, &mona, "one", "7");
    keep(&world, &mona, &hers).await;
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!unit.factors().identities(mona.account).await.is_ok_and(|found| !found.is_empty()));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.factors().use_identity(mona.account, &hers.identity.issuer, world.now()).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.factors().delete_identity(mona.account, &hers.identity.issuer).await, Ok(true)));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.factors().insert_identity(&linked(&world, &mona, "other", "9")).await.is_err());
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().identities(mona.account).await.unwrap(), [hers]);
}
