//! The audit trail as a chain.

use core::time::Duration;

use super::world;
use crate::actor::Actor;
use crate::port::Ports;
use crate::port::store::AuditRecord;
use crate::record::{AuditLine, AuditService, Month, Seal};
use crate::secret::Key;
use crate::testkit::fixture::{Fixture, PLATFORM};

/// Leaves lines, one unit each.
async fn lines(world: &Fixture, actor: &Actor, details: &[&str]) {
    for detail in details {
        let record = AuditRecord { action: "test.done", subject: 7, detail: (*detail).to_owned(), at: world.tick() };
        let mut unit = world.unit(actor).await;
        unit.journal().audit(&record).await.unwrap();
        unit.commit().await.unwrap();
    }
}

async fn waiting(world: &Fixture) -> Vec<AuditLine> {
    let mut unit = world.unit(&PLATFORM).await;
    let month = Month::of(world.now());
    unit.audits().unsealed(month, 0, 100).await.unwrap()
}

/// Lines wait until a seal covers them, also those that came late among sealed ones, and come back as they were.
pub async fn lines_wait_for_their_seal(ports: &Ports) {
    let (world, key) = (world(ports), &Key::new([7; 32]));
    let mona = world.person("mona").await;
    lines(&world, &mona.actor(), &["one", "كود", "three"]).await;
    let all = waiting(&world).await;
    assert_eq!(all.iter().map(|line| line.detail.as_str()).collect::<Vec<_>>(), ["one", "كود", "three"]);
    assert!(all.iter().all(|line| line.action == "test.done" && line.subject == 7 && line.at < world.now()));
    // The middle one is late.
    let month = Month::of(all[0].at);
    let first = Seal::new(key, None, world.tick(), month, &[all[0].clone(), all[2].clone()]);
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.audits().last_seal().await.unwrap(), None);
    assert_eq!(unit.audits().settled(world.now()).await.unwrap(), 0);
    unit.audits().append_seal(&first).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(waiting(&world).await, [all[1].clone()]);
    let second = Seal::new(key, Some(&first), world.tick(), month, &all[1..2]);
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.audits().count_waiting(month, 0).await.unwrap(), 1);
    assert_eq!(unit.audits().strays(month, all[2].id, 10).await.unwrap(), [all[1].id]);
    assert_eq!(unit.audits().strays(month, all[0].id, 10).await.unwrap(), [0_i64; 0]);
    unit.audits().append_seal(&second).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    let audits = unit.audits();
    assert_eq!(audits.last_seal().await.unwrap(), Some(second.clone()));
    assert_eq!(audits.seals(0, 10).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(audits.seals(1, 10).await.unwrap(), core::slice::from_ref(&second));
    assert_eq!(audits.lines_of(&first).await.unwrap(), [all[0].clone(), all[2].clone()]);
    assert_eq!(audits.lines_of(&second).await.unwrap(), all[1..2]);
    assert_eq!(audits.settled(world.now() + Duration::from_hours(1)).await.unwrap(), all[2].id);
    assert_eq!((audits.count_lines(month).await.unwrap(), audits.count_sealed(month).await.unwrap()), (3, 3));
    assert!(audits.months().await.unwrap().contains(&month) && !audits.is_let_go(month).await.unwrap());
    assert!(!audits.drop_month(month).await.unwrap(), "no seal says so");
}

/// The service seals all that there is and finds nothing wrong with it.
pub async fn what_is_sealed_is_sound(ports: &Ports) {
    let (world, audit) = (world(ports), AuditService::new(ports.clone()));
    let mona = world.person("mona").await;
    assert_eq!(audit.seal().await.unwrap(), None, "there is nothing to seal");
    lines(&world, &mona.actor(), &["one", "two"]).await;
    let noted = audit.seal().await.unwrap().unwrap();
    assert_eq!(audit.seal().await.unwrap(), Some(noted), "nothing is sealed twice");
    lines(&world, &Actor::System("testkit"), &["three"]).await;
    let verdict = audit.verify(Some(noted)).await.unwrap();
    assert_eq!((verdict.seals, verdict.lines, verdict.waiting, verdict.head), (1, 2, 1, Some(noted)));
    let head = audit.seal().await.unwrap();
    let verdict = audit.verify(Some(noted)).await.unwrap();
    assert_eq!((verdict.seals, verdict.lines, verdict.waiting, verdict.head), (2, 3, 0, head));
    assert_eq!(verdict.breaks, []);
    let other = noted.to_string().replace("1:", "9:").parse().unwrap();
    assert_eq!(audit.verify(Some(other)).await.unwrap().breaks.len(), 1, "what was noted is not there");
}

/// People neither read lines nor write seals.
pub async fn the_chain_is_the_platforms(ports: &Ports) {
    let (world, key) = (world(ports), &Key::new([7; 32]));
    let mona = world.person("mona").await;
    lines(&world, &mona.actor(), &["one"]).await;
    let all = waiting(&world).await;
    for stranger in [mona.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(unit.audits().unsealed(Month::of(world.now()), 0, 10).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let seal = Seal::new(key, None, world.tick(), Month::of(all[0].at), &all);
        assert!(unit.audits().append_seal(&seal).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.audits().drop_month(Month::of(all[0].at)).await.is_err(), "{stranger:?}");
    }
}
