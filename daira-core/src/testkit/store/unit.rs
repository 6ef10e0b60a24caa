//! What binds a unit of work and a read view together, whatever is in them.

use super::world;
use crate::actor::Actor;
use crate::error::CommonRefusal;
use crate::graph::Follow;
use crate::port::Ports;
use crate::port::store::{Access, Lock};
use crate::testkit::fixture::limit;

/// Dropping a unit undoes all of it.
pub async fn a_dropped_unit_leaves_nothing(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.written(&mona, "مش هيتحفظ");
    let mut unit = world.unit(&mona.actor()).await;
    unit.posts().insert(&post).await.unwrap();
    unit.graph().insert_follow(&Follow { follower: mona.id, followee: ali.id, at: world.tick() }).await.unwrap();
    drop(unit);
    assert!(!world.sees(&mona.actor(), &post).await);
    let mut unit = world.unit(&mona.actor()).await;
    assert!(!unit.graph().relation(&mona.profile, &ali.profile).await.unwrap().follows);
    unit.posts().insert(&post).await.unwrap();
    unit.commit().await.unwrap();
    assert!(world.sees(&mona.actor(), &post).await, "the id was never taken");
}

/// A unit sees what it wrote; nobody else does before the commit.
pub async fn a_unit_sees_its_own_writes(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.written(&mona, "لسه");
    let mut unit = world.unit(&mona.actor()).await;
    unit.posts().insert(&post).await.unwrap();
    assert_eq!(unit.posts().post(post.id, Lock::None).await.unwrap().as_ref(), Some(&post));
    let mut other = world.unit(&mona.actor()).await;
    assert_eq!(other.posts().post(post.id, Lock::None).await.unwrap(), None);
    drop(other);
    assert!(!world.sees(&mona.actor(), &post).await);
    unit.commit().await.unwrap();
    assert!(world.sees(&mona.actor(), &post).await);
}

/// A view is one snapshot: two looks through it at different moments agree.
pub async fn a_view_is_one_snapshot(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let first = world.post(&mona, "1").await;
    let mut view = ports.store.read(&mona.actor(), Access::Read).await.unwrap();
    let before = view.posts().by_author(mona.id, None, limit(100)).await.unwrap();
    world.post(&mona, "2").await;
    world.edit(&first, |post| post.text.push('3')).await;
    assert_eq!(view.posts().by_author(mona.id, None, limit(100)).await.unwrap(), before);
    assert_eq!(*view.posts().cards(&[first.id]).await.unwrap()[0].post, first);
    drop(view);
    let mut stale = ports.store.read(&mona.actor(), Access::ReadStale).await.unwrap();
    let one = stale.posts().by_author(mona.id, None, limit(100)).await.unwrap();
    world.post(&mona, "4").await;
    assert_eq!(stale.posts().by_author(mona.id, None, limit(100)).await.unwrap(), one);
}

/// What was committed is seen by every view that opens afterwards.
pub async fn a_commit_is_seen_at_once(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    for n in 0..20 {
        let post = world.post(if n % 2 == 0 { &mona } else { &ali }, "دلوقتي").await;
        assert!(world.sees(&ali.actor(), &post).await && world.sees(&Actor::Anonymous, &post).await);
    }
}

/// A body that refuses has no effect.
pub async fn a_refused_body_rolls_back(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.written(&mona, "لا");
    let stored = &post;
    let actor = mona.actor();
    let refused = ports.transact(&actor, |mut unit| {
        Box::pin(async move {
            unit.posts().insert(stored).await?;
            Err::<(), _>(CommonRefusal::Forbidden.into())
        })
    });
    assert_eq!(refused.await.unwrap_err().refusal(), Some(CommonRefusal::Forbidden));
    assert!(!world.sees(&mona.actor(), &post).await);
}

/// A store that can be reached says so.
pub async fn the_store_answers_a_ping(ports: &Ports) {
    ports.store.ping().await.unwrap();
}
