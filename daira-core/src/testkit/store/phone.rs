//! Phone numbers of accounts.

use core::time::Duration;

use super::{failure, world};
use crate::account::{Mailing, MailingKind, Phone, VerifiedPhone};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::locale::Locale;
use crate::port::Ports;
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person};

fn number(last: u8) -> Phone {
    Phone::from_stored(format!("+20100123456{last}"))
}

async fn put(world: &Fixture, person: &Person, number: Phone) -> VerifiedPhone {
    let phone = VerifiedPhone { account: person.account, number, verified_at: world.tick() };
    let mut unit = world.unit(&person.actor()).await;
    unit.phones().put_phone(&phone).await.unwrap();
    unit.commit().await.unwrap();
    phone
}

/// A number is kept, replaced, found by whom it lets in, and removed.
pub async fn a_number_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    world.person(Draft::new("mona.work").face_of(&mona)).await;
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.phones().phone(mona.account).await.unwrap(), None);
    drop(unit);
    for last in [1, 2] {
        let phone = put(&world, &mona, number(last)).await;
        let mut unit = world.unit(&mona.actor()).await;
        assert_eq!(unit.phones().phone(mona.account).await.unwrap(), Some(phone.clone()));
        drop(unit);
        assert_eq!(world.view(&mona.actor()).await.accounts().own_phone().await.unwrap(), Some(phone));
        let mut view = world.view(&Actor::Anonymous).await;
        let known = view.accounts().credential_by_phone(&number(last)).await.unwrap().unwrap();
        assert_eq!((known.account, known.profile), (mona.account, mona.id), "the oldest face");
        assert_eq!(view.accounts().credential_by_phone(&number(last - 1)).await.unwrap(), None);
        let mut unit = world.unit(&PLATFORM).await;
        assert_eq!(unit.phones().phone_holder(&number(last)).await.unwrap(), Some(mona.account));
        assert_eq!(unit.phones().phone_holder(&number(9)).await.unwrap(), None);
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.phones().delete_phone(mona.account).await.unwrap());
    assert!(!unit.phones().delete_phone(mona.account).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(world.view(&mona.actor()).await.accounts().own_phone().await.unwrap(), None);
}

/// No two accounts have the same number.
pub async fn a_number_has_one_account(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    put(&world, &mona, number(1)).await;
    let taken = VerifiedPhone { account: ali.account, number: number(1), verified_at: world.tick() };
    let mut unit = world.unit(&ali.actor()).await;
    assert_eq!(failure(unit.phones().put_phone(&taken).await), ErrorKind::Conflict("phone_number"));
    drop(unit);
    put(&world, &mona, number(2)).await;
    put(&world, &ali, number(1)).await;
}

/// Nobody reads, sets or removes somebody else's number.
pub async fn a_number_is_its_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let hers = put(&world, &mona, number(1)).await;
    let other = VerifiedPhone { number: number(2), ..hers.clone() };
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.phones().phone(mona.account).await, Ok(Some(_))), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.phones().phone_holder(&number(1)).await, Ok(Some(_))), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.phones().codes_for(&number(1), world.now()).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.phones().put_phone(&other).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        if unit.phones().delete_phone(mona.account).await.is_ok_and(|gone| !gone) {
            unit.commit().await.unwrap();
        }
        assert_eq!(world.view(&stranger).await.accounts().own_phone().await.unwrap(), None, "{stranger:?}");
    }
    assert_eq!(world.view(&mona.actor()).await.accounts().own_phone().await.unwrap(), Some(hers));
}

/// Codes that were meant for a number are counted while they hold, whoever asked for them; notices are not.
pub async fn codes_for_a_number_are_counted(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let (now, minute) = (world.tick(), Duration::from_mins(1));
    let mailing = |kind, to: Phone, expires_at| Mailing {
        id: world.draw(),
        kind,
        to: to.into(),
        account: (kind != MailingKind::LogInCode).then_some(mona.account),
        locale: Locale::Ar,
        attempts: 0,
        created_at: now,
        expires_at,
    };
    let mut unit = world.unit(&mona.actor()).await;
    for due in [
        mailing(MailingKind::LogInCode, number(1), now + minute),
        mailing(MailingKind::NewPhone, number(1), now + minute * 2),
        mailing(MailingKind::PhoneChanged, number(1), now + minute),
        mailing(MailingKind::LogInCode, number(2), now + minute),
    ] {
        unit.accounts().insert_mailing(&due).await.unwrap();
        assert_eq!(unit.accounts().mailing(due.id).await.unwrap(), Some(due));
    }
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    for (at, expected) in [(now, 2), (now + minute, 1), (now + minute * 2, 0)] {
        assert_eq!(unit.phones().codes_for(&number(1), at).await.unwrap(), expected);
    }
    assert_eq!(unit.phones().codes_for(&number(9), now).await.unwrap(), 0);
}
