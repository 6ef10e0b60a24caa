//! Uploaded pictures.

use core::time::Duration;

use super::{failure, world};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::id::MediaId;
use crate::media::Media;
use crate::port::Ports;
use crate::post::Visibility;
use crate::testkit::fixture::{Fixture, PLATFORM, Person, Writing};

async fn attach(world: &Fixture, owner: &Person, ids: &[MediaId], to: Option<crate::id::PostId>) {
    let mut unit = world.unit(&owner.actor()).await;
    unit.media().attach(ids, to).await.unwrap();
    unit.commit().await.unwrap();
}

async fn seen(world: &Fixture, viewer: &Actor, media: &Media) -> bool {
    !world.view(viewer).await.media().media(&[media.id]).await.unwrap().is_empty()
}

/// Everything of a picture survives being stored by its owner.
pub async fn a_picture_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let stored = world.picture(&mona).await;
    let mine = Media { id: world.draw(), ..stored.clone() };
    let mut unit = world.unit(&mona.actor()).await;
    unit.media().insert(&mine).await.unwrap();
    assert_eq!(unit.media().lock(&[mine.id]).await.unwrap().first(), Some(&mine));
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.media().insert(&mine).await), ErrorKind::IdCollision);
    drop(unit);
    let mut found = world.view(&mona.actor()).await.media().media(&[mine.id, world.draw(), stored.id]).await.unwrap();
    found.sort_by_key(|m| m.id);
    assert_eq!(found, [stored, mine]);
}

/// Pictures are locked and attached by their owner only, and uploaded in nobody else's name.
pub async fn a_picture_belongs_to_its_owner(ports: &Ports) {
    let world = world(ports);
    let (mona, eve) = (world.person("mona").await, world.person("eve").await);
    let picture = world.picture(&mona).await;
    let stolen = world.post(&eve, "مش بتاعتي").await;
    let mut unit = world.unit(&eve.actor()).await;
    assert_eq!(unit.media().lock(&[picture.id]).await.unwrap(), []);
    drop(unit);
    let mut unit = world.unit(&eve.actor()).await;
    // Whether it is an error or silence is the adapter's; that nothing happened is everybody's.
    if unit.media().attach(&[picture.id], Some(stolen.id)).await.is_ok() {
        unit.commit().await.unwrap();
    }
    let mut unit = world.unit(&eve.actor()).await;
    assert!(unit.media().insert(&Media { id: world.draw(), ..picture.clone() }).await.is_err());
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.media().lock(&[picture.id]).await.unwrap(), [picture]);
}

/// A picture is seen by its owner, with a visible post, or as the picture of a visible person.
pub async fn pictures_are_seen_with_what_they_hang_on(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let [free, open, closed, face] = [
        world.picture(&mona).await,
        world.picture(&mona).await,
        world.picture(&mona).await,
        world.picture(&mona).await,
    ];
    let public = world.post(&mona, Writing::new("1").picture(&open)).await;
    let followers = world.post(&mona, Writing::new("2").visible(Visibility::Followers).picture(&closed)).await;
    attach(&world, &mona, &[open.id], Some(public.id)).await;
    attach(&world, &mona, &[closed.id], Some(followers.id)).await;
    attach(&world, &mona, &[face.id], None).await;
    world.change(&mona, |profile| profile.avatar = Some(face.id)).await;
    for (viewer, row) in [(mona.actor(), "xxxx"), (ali.actor(), ".x.x"), (Actor::Anonymous, ".x.x")] {
        let mut found = String::new();
        for media in [&free, &open, &closed, &face] {
            found.push(if seen(&world, &viewer, media).await { 'x' } else { '.' });
        }
        assert_eq!(found, row, "{viewer:?}");
    }
    world.follow(&ali, &mona).await;
    assert!(seen(&world, &ali.actor(), &closed).await);
    world.block(&mona, &ali).await;
    for hidden in [&open, &closed, &face] {
        assert!(!seen(&world, &ali.actor(), hidden).await);
    }
    world.delete(&public).await;
    assert!(!seen(&world, &Actor::Anonymous, &open).await && seen(&world, &mona.actor(), &open).await);
}

/// What hangs on nothing since before an instant goes, so many at a time; what is used stays.
pub async fn free_pictures_are_swept(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let [one, two, used, avatar] = [
        world.picture(&mona).await,
        world.picture(&mona).await,
        world.picture(&mona).await,
        world.picture(&mona).await,
    ];
    let before = world.tick();
    let fresh = world.picture(&mona).await;
    let post = world.post(&mona, Writing::new("1").picture(&used)).await;
    attach(&world, &mona, &[used.id], Some(post.id)).await;
    attach(&world, &mona, &[avatar.id], None).await;
    let mut gone = Vec::new();
    for expected in [1, 1, 0] {
        let mut unit = world.unit(&PLATFORM).await;
        let some = unit.media().sweep(before, 1).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(some.len(), expected);
        gone.extend(some);
    }
    gone.sort_by_key(|m| m.id);
    assert_eq!(gone, [one, two], "answered whole, so that their blobs can go too");
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.media().lock(&[used.id, avatar.id, fresh.id]).await.unwrap().len(), 3);
    assert!(!matches!(unit.media().sweep(world.now() + Duration::from_mins(1), 9).await, Ok(gone) if !gone.is_empty()));
}

/// A picture that nothing uses any more is free again; only its owner lets it go.
pub async fn a_picture_let_go_is_free(ports: &Ports) {
    let world = world(ports);
    let (mona, eve) = (world.person("mona").await, world.person("eve").await);
    let face = world.picture(&mona).await;
    attach(&world, &mona, &[face.id], None).await;
    let after = world.tick();
    let mut unit = world.unit(&eve.actor()).await;
    // As above: an error or silence, but nothing happens.
    if unit.media().detach(&[face.id]).await.is_ok() {
        unit.commit().await.unwrap();
    }
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.media().sweep(after, 9).await.unwrap(), []);
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    unit.media().detach(&[face.id]).await.unwrap();
    assert_eq!(unit.media().lock(&[face.id]).await.unwrap(), core::slice::from_ref(&face));
    unit.commit().await.unwrap();
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.media().sweep(after, 9).await.unwrap(), [face]);
}
