//! Second factors.

use super::world;
use crate::account::{Authenticator, SecondFactor};
use crate::actor::Actor;
use crate::port::Ports;
use crate::testkit::fixture::{Fixture, Person};

fn factor(world: &Fixture, person: &Person) -> SecondFactor {
    let at = world.tick();
    let authenticator = Authenticator { sealed: vec![7; 60], begun_at: at, confirmed_at: Some(at), step: 58_000_000 };
    SecondFactor { account: person.account, authenticator: Some(authenticator), recovery: vec![[1; 32], [2; 32]] }
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
