//! The log of breaches.

use core::time::Duration;

use super::world;
use crate::actor::Actor;
use crate::port::Ports;
use crate::port::store::Lock;
use crate::record::{Breach, BreachNote, BreachStep};
use crate::testkit::fixture::{Fixture, PLATFORM};

fn breach(world: &Fixture) -> Breach {
    let known_at = world.tick();
    Breach {
        id: world.draw(),
        known_at,
        opened_at: known_at + Duration::from_secs(1),
        reported_at: None,
        closed_at: None,
    }
}

/// A breach comes back as it was written, with its notes in order, and counts as open until it is closed.
pub async fn a_breach_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let (first, second) = (breach(&world), breach(&world));
    let note =
        |step, by, text: &str| BreachNote { breach: first.id, at: world.tick(), by, step, text: text.to_owned() };
    let notes = [
        note(BreachStep::Opened, None, "نسخة قديمة من الداتا كانت مفتوحة"),
        note(BreachStep::Noted, Some(mona.id), "closed at 12:40"),
    ];
    let mut unit = world.unit(&PLATFORM).await;
    for breach in [&second, &first] {
        unit.breaches().insert_breach(breach).await.unwrap();
    }
    for note in &notes {
        unit.breaches().add_breach_note(note).await.unwrap();
    }
    unit.commit().await.unwrap();
    let closed = Breach { reported_at: Some(world.tick()), closed_at: Some(world.tick()), ..first };
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.breaches().breaches(true).await.unwrap(), [first, second]);
    assert_eq!(unit.breaches().breach(first.id, Lock::Update).await.unwrap(), Some(first));
    assert_eq!(unit.breaches().breach(world.draw(), Lock::None).await.unwrap(), None);
    unit.breaches().update_breach(&closed).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.breaches().breaches(true).await.unwrap(), [second]);
    assert_eq!(unit.breaches().breaches(false).await.unwrap(), [closed, second]);
    assert_eq!(unit.breaches().breach_notes(first.id).await.unwrap(), notes);
    assert_eq!(unit.breaches().breach_notes(second.id).await.unwrap(), []);
}

/// People neither read nor write the log.
pub async fn breaches_are_the_platforms(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let kept = breach(&world);
    let mut unit = world.unit(&PLATFORM).await;
    unit.breaches().insert_breach(&kept).await.unwrap();
    unit.commit().await.unwrap();
    for stranger in [mona.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(unit.breaches().breaches(false).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.breaches().breach_notes(kept.id).await.is_err(), "{stranger:?}");
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.breaches().insert_breach(&breach(&world)).await.is_err(), "{stranger:?}");
    }
}
