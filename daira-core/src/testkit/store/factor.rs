//! Second factors and passkeys.

use core::time::Duration;

use super::{failure, world};
use crate::account::{Authenticator, CeremonyKind, Passkey, PendingCeremony, SecondFactor, StoredPasskey};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::id::AccountId;
use crate::port::{Ports, PublicPart};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person};

fn factor(world: &Fixture, person: &Person) -> SecondFactor {
    let at = world.tick();
    let authenticator = Authenticator { sealed: vec![7; 60], begun_at: at, confirmed_at: Some(at), step: 58_000_000 };
    SecondFactor {
        account: person.account,
        authenticator: Some(authenticator),
        recovery: vec![[1; 32], [2; 32]],
        passkeys: 0,
    }
}

/// A second factor is kept, changed and removed, with and without a device.
pub async fn a_second_factor_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let whole = factor(&world, &mona);
    let mut begun = whole.clone();
    begun.authenticator.as_mut().unwrap().confirmed_at = None;
    begun.recovery.clear();
    let bare = SecondFactor { authenticator: None, ..whole.clone() };
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().second_factor(mona.account).await.unwrap(), None);
    unit.commit().await.unwrap();
    for factor in [begun, whole, bare] {
        let mut unit = world.unit(&mona.actor()).await;
        unit.factors().put_second_factor(&factor).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = world.unit(&mona.actor()).await;
        assert_eq!(unit.factors().second_factor(mona.account).await.unwrap(), Some(factor));
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.factors().delete_second_factor(mona.account).await.unwrap());
    assert!(!unit.factors().delete_second_factor(mona.account).await.unwrap());
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().second_factor(mona.account).await.unwrap(), None);
}

/// Nobody reads, sets or removes somebody else's second factor.
pub async fn a_second_factor_is_its_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let hers = factor(&world, &mona);
    let mut unit = world.unit(&mona.actor()).await;
    unit.factors().put_second_factor(&hers).await.unwrap();
    unit.commit().await.unwrap();
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.factors().second_factor(mona.account).await, Ok(Some(_))));
        drop(unit);
        // Whether it is an error or silence is the adapter's; that nothing happened is everybody's.
        let mut unit = world.unit(&stranger).await;
        if unit.factors().delete_second_factor(mona.account).await.is_ok_and(|gone| !gone) {
            unit.commit().await.unwrap();
        }
        let mut unit = world.unit(&stranger).await;
        let open = SecondFactor { authenticator: None, ..hers.clone() };
        assert!(unit.factors().put_second_factor(&open).await.is_err());
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().second_factor(mona.account).await.unwrap(), Some(hers));
}

fn passkey(world: &Fixture, person: &Person, credential: u8) -> Passkey {
    Passkey {
        id: world.draw(),
        account: person.account,
        public: PublicPart { credential: vec![credential; 32], key: b"{\"key\":1}".to_vec() },
        name: "موبايل منى".to_owned(),
        created_at: world.tick(),
        used_at: None,
    }
}

async fn keep(world: &Fixture, person: &Person, passkey: &Passkey) {
    let mut unit = world.unit(&person.actor()).await;
    unit.factors().insert_passkey(passkey).await.unwrap();
    unit.commit().await.unwrap();
}

/// A passkey is kept, found by its credential with the oldest face of its account, changed, counted and removed.
pub async fn a_passkey_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    world.person(Draft::new("mona.work").face_of(&mona)).await;
    let (old, new) = (passkey(&world, &mona, 1), passkey(&world, &mona, 2));
    let mut unit = world.unit(&mona.actor()).await;
    unit.factors().put_second_factor(&SecondFactor::none(mona.account)).await.unwrap();
    unit.commit().await.unwrap();
    for passkey in [&old, &new] {
        keep(&world, &mona, passkey).await;
    }
    let at = world.tick();
    let public = PublicPart { key: b"{\"key\":2}".to_vec(), ..old.public.clone() };
    let signed = Passkey { public, name: "قديم".to_owned(), used_at: Some(at), ..old };
    let mut unit = world.unit(&mona.actor()).await;
    unit.factors().update_passkey(&signed).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().passkeys(mona.account).await.unwrap(), [signed.clone(), new.clone()]);
    assert_eq!(unit.factors().passkey(mona.account, new.id).await.unwrap(), Some(new.clone()));
    assert_eq!(unit.factors().second_factor(mona.account).await.unwrap().unwrap().passkeys, 2);
    drop(unit);
    let found = world.view(&Actor::Anonymous).await.accounts().passkey_by_credential(&[1; 32]).await.unwrap();
    assert_eq!(found, Some(StoredPasskey { passkey: signed.clone(), profile: mona.id }));
    assert_eq!(world.view(&Actor::Anonymous).await.accounts().passkey_by_credential(&[9; 32]).await.unwrap(), None);
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.factors().delete_passkey(mona.account, signed.id).await.unwrap());
    assert!(!unit.factors().delete_passkey(mona.account, signed.id).await.unwrap());
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().passkeys(mona.account).await.unwrap(), [new]);
}

/// Nobody has, changes or removes somebody else's passkey.
pub async fn a_passkey_is_its_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let hers = passkey(&world, &mona, 1);
    keep(&world, &mona, &hers).await;
    let mut unit = world.unit(&ali.actor()).await;
    let again = Passkey { id: world.draw(), account: ali.account, ..hers.clone() };
    let taken = failure(unit.factors().insert_passkey(&again).await);
    assert_eq!(taken, ErrorKind::Conflict("passkey_credential"));
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!unit.factors().passkeys(mona.account).await.is_ok_and(|found| !found.is_empty()));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.factors().passkey(mona.account, hers.id).await, Ok(Some(_))));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.factors().update_passkey(&Passkey { name: "بتاعي".to_owned(), ..hers.clone() }).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.factors().delete_passkey(mona.account, hers.id).await, Ok(true)));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.factors().insert_passkey(&passkey(&world, &mona, 3)).await.is_err());
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.factors().passkeys(mona.account).await.unwrap(), [hers]);
}

fn ceremony(world: &Fixture, account: Option<AccountId>) -> PendingCeremony {
    let kind = if account.is_some() { CeremonyKind::Making } else { CeremonyKind::LogIn };
    PendingCeremony {
        id: world.draw(),
        kind,
        account,
        state: b"{}".to_vec(),
        expires_at: world.now() + Duration::from_mins(1),
    }
}

/// A ceremony is taken out whole, once; nobody begins one in somebody else's name.
pub async fn a_ceremony_is_taken_once(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    for (actor, account) in [(mona.actor(), Some(mona.account)), (Actor::Anonymous, None)] {
        let pending = ceremony(&world, account);
        let mut unit = world.unit(&actor).await;
        unit.factors().insert_ceremony(&pending).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = world.unit(&Actor::Anonymous).await;
        assert_eq!(unit.factors().take_ceremony(pending.id).await.unwrap(), Some(pending.clone()));
        unit.commit().await.unwrap();
        let mut unit = world.unit(&actor).await;
        assert_eq!(unit.factors().take_ceremony(pending.id).await.unwrap(), None);
    }
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(unit.factors().insert_ceremony(&ceremony(&world, Some(mona.account))).await.is_err());
    }
}

/// What nobody answered goes, the oldest first, as many as asked for.
pub async fn lapsed_ceremonies_are_purged(ports: &Ports) {
    let world = world(ports);
    let mut unit = world.unit(&Actor::Anonymous).await;
    let pending: Vec<PendingCeremony> = (0..3).map(|_| ceremony(&world, None)).collect();
    for ceremony in &pending {
        unit.factors().insert_ceremony(ceremony).await.unwrap();
    }
    unit.commit().await.unwrap();
    let after = world.now() + Duration::from_mins(10);
    for (before, limit, gone) in [(pending[0].expires_at, 10, 0), (after, 2, 2), (after, 10, 1), (after, 10, 0)] {
        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.factors().purge_ceremonies(before, limit).await.unwrap(), gone);
        unit.commit().await.unwrap();
    }
}
