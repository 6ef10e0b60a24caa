//! Idempotency keys and the audit trail. The event log is read through the bus, and tested by its kit.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use super::{failure, world};
use crate::actor::Actor;
use crate::error::CommonRefusal;
use crate::id::Id;
use crate::idempotency::{Claim, IdempotencyKey, Keyed, MAX_RESULT};
use crate::port::store::AuditRecord;
use crate::port::{Ports, UnitOfWork};
use crate::testkit::fixture::Fixture;

fn keyed(key: &str, request: &str) -> Keyed {
    Keyed::new("test.write", IdempotencyKey::new(key).unwrap(), &request)
}

/// What a unit of its own is told at once.
async fn claim_now(world: &Fixture, actor: &Actor, keyed: &Keyed) -> Claim {
    world.unit(actor).await.journal().claim(keyed).await.unwrap()
}

/// An open unit and what it is told once the ones before it are undone: an adapter may take a moment for that.
async fn claimed(world: &Fixture, actor: &Actor, keyed: &Keyed) -> (Box<dyn UnitOfWork>, Claim) {
    for _ in 0..100 {
        let mut unit = world.unit(actor).await;
        let claim = unit.journal().claim(keyed).await.unwrap();
        if claim != Claim::InFlight {
            return (unit, claim);
        }
        drop(unit);
        world.ports.clock.sleep(Duration::from_millis(20)).await;
    }
    panic!("the key stays in flight");
}

async fn claim(world: &Fixture, actor: &Actor, keyed: &Keyed) -> Claim {
    claimed(world, actor, keyed).await.1
}

async fn remember(world: &Fixture, actor: &Actor, keyed: &Keyed, result: &[u8]) {
    let (mut unit, claim) = claimed(world, actor, keyed).await;
    assert_eq!(claim, Claim::Fresh);
    unit.journal().remember(keyed, result).await.unwrap();
    unit.commit().await.unwrap();
}

/// A key that was used answers the stored result, as often as it comes.
pub async fn a_key_is_replayed(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await.actor();
    for (key, result) in [("k1", &b"the result"[..]), ("k2", &[]), ("k3", &[0xff; MAX_RESULT])] {
        let keyed = keyed(key, "same");
        remember(&world, &mona, &keyed, result).await;
        for _ in 0..2 {
            assert_eq!(claim(&world, &mona, &keyed).await, Claim::Replay(result.to_vec()));
        }
    }
}

/// The same key with another request is refused, and the stored result not told.
pub async fn a_key_is_bound_to_its_request(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await.actor();
    remember(&world, &mona, &keyed("k", "one"), b"1").await;
    assert_eq!(claim(&world, &mona, &keyed("k", "two")).await, Claim::Reused);
    assert_eq!(claim(&world, &mona, &keyed("k", "one")).await, Claim::Replay(b"1".to_vec()));
}

/// While a unit holds a key, another unit hears so at once instead of waiting; after the commit it gets the result.
pub async fn a_key_is_in_flight_while_its_unit_is_open(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await.actor();
    let (one, other) = (keyed("k", "one"), keyed("k", "two"));
    let mut early = world.unit(&mona).await;
    let mut unit = world.unit(&mona).await;
    assert_eq!(unit.journal().claim(&one).await.unwrap(), Claim::Fresh);
    assert_eq!(claim_now(&world, &mona, &one).await, Claim::InFlight);
    assert_eq!(claim_now(&world, &mona, &other).await, Claim::InFlight, "whatever the request");
    unit.journal().remember(&one, b"1").await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(
        early.journal().claim(&one).await.unwrap(),
        Claim::Replay(b"1".to_vec()),
        "a unit opened before sees it too"
    );
}

/// A unit that is dropped leaves its key free, even when it had remembered a result already. An adapter may take a moment
/// to undo it.
pub async fn a_dropped_unit_frees_its_key(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await.actor();
    let keyed = keyed("k", "one");
    for _ in 0..3 {
        let (mut unit, claim) = claimed(&world, &mona, &keyed).await;
        assert_eq!(claim, Claim::Fresh);
        unit.journal().remember(&keyed, b"1").await.unwrap();
    }
    assert_eq!(claim(&world, &mona, &keyed).await, Claim::Fresh);
}

/// The same text is another key for another person, another face of the same one, nobody, and another operation.
pub async fn keys_belong_to_an_actor_and_an_operation(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let work = world.person(crate::testkit::fixture::Draft::new("mona.work").face_of(&mona)).await;
    let ali = world.person("ali").await;
    let used = keyed("k", "one");
    remember(&world, &mona.actor(), &used, b"1").await;
    for other in [ali.actor(), work.actor(), Actor::Anonymous, Actor::System("testkit")] {
        assert_eq!(claim(&world, &other, &used).await, Claim::Fresh, "{other:?}");
    }
    let elsewhere = Keyed { operation: "test.other", ..used };
    assert_eq!(claim(&world, &mona.actor(), &elsewhere).await, Claim::Fresh);
}

/// Through `transact_once` a repeated request has one effect and the same answer; a refused one leaves the key free.
pub async fn a_repeated_request_has_one_effect(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let (actor, keyed, ran) = (mona.actor(), keyed("k", "one"), AtomicU32::new(0));
    let once = async |refuse: bool| {
        let (world, ran) = (&world, &ran);
        let author = mona.clone();
        ports
            .transact_once(&actor, Some(&keyed), move |mut unit| {
                let post = world.written(&author, "مرة واحدة");
                Box::pin(async move {
                    ran.fetch_add(1, Ordering::SeqCst);
                    unit.posts().insert(&post).await?;
                    if refuse { Err(CommonRefusal::Forbidden.into()) } else { Ok(post.id) }
                })
            })
            .await
    };
    let write = async |refuse: bool| {
        for _ in 0..100 {
            match once(refuse).await {
                Err(error) if error.refusal() == Some(CommonRefusal::KeyInFlight) => {
                    ports.clock.sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome,
            }
        }
        panic!("the key stays in flight");
    };
    assert_eq!(write(true).await.unwrap_err().refusal(), Some(CommonRefusal::Forbidden));
    let first = write(false).await.unwrap();
    assert_eq!(write(false).await.unwrap(), first);
    assert_eq!(ran.load(Ordering::SeqCst), 2, "once refused, once done");
    let all = world.view(&actor).await.posts().by_author(mona.id, None, crate::page::Limit::DEFAULT).await.unwrap();
    assert_eq!(all.items, [first]);
}

/// A result too large to be remembered is a fault, not a truncated answer.
pub async fn a_large_result_is_refused(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await.actor();
    let keyed = keyed("k", "one");
    let mut unit = world.unit(&mona).await;
    unit.journal().claim(&keyed).await.unwrap();
    let refused = failure(unit.journal().remember(&keyed, &[0; MAX_RESULT + 1]).await);
    assert!(!matches!(refused, crate::error::ErrorKind::Refused));
}

/// Everybody who acts may add a line to the audit trail.
pub async fn everybody_who_acts_leaves_a_line(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let record =
        AuditRecord { action: "test.done", subject: mona.id.raw(), detail: "code".to_owned(), at: world.now() };
    for actor in [mona.actor(), Actor::Anonymous, Actor::System("testkit")] {
        let mut unit = world.unit(&actor).await;
        unit.journal().audit(&record).await.unwrap();
        unit.commit().await.unwrap();
    }
}
