//! How people are seen by others.

use super::world;
use crate::account::{AccountState, ProfileCounters, Standing};
use crate::actor::Actor;
use crate::id::{Id, ProfileId};
use crate::port::Ports;
use crate::port::store::CounterField;
use crate::testkit::fixture::{Draft, Fixture, Person};
use crate::text::Handle;

async fn sees(world: &Fixture, viewer: &Actor, person: &Person) -> bool {
    !world.view(viewer).await.accounts().profiles(&[person.id]).await.unwrap().is_empty()
}

/// A face is seen while it stands and no block lies between, whichever side made it; also a private one.
pub async fn standing_and_blocks_hide_people(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let private = world.person(Draft::new("private").private()).await;
    let restricted = world.person(Draft::new("restricted").state(AccountState::Restricted)).await;
    let asleep = world.person(Draft::new("asleep").state(AccountState::Deactivated)).await;
    let suspended = world.person(Draft::new("suspended").state(AccountState::Suspended(world.now()))).await;
    let gone = world.person(Draft::new("gone").state(AccountState::Deleted)).await;
    for viewer in [mona.actor(), Actor::Anonymous] {
        for (person, seen) in [
            (&mona, true),
            (&private, true),
            (&restricted, true),
            (&asleep, false),
            (&suspended, false),
            (&gone, false),
        ] {
            assert_eq!(sees(&world, &viewer, person).await, seen, "{viewer:?} sees {}", person.profile.handle);
        }
    }
    assert!(sees(&world, &asleep.actor(), &asleep).await, "one sees oneself");
    let (blocker, blocked) = (world.person("blocker").await, world.person("blocked").await);
    world.block(&mona, &blocked).await;
    world.block(&blocker, &mona).await;
    for (one, other) in [(&mona, &blocked), (&mona, &blocker)] {
        assert!(!sees(&world, &one.actor(), other).await && !sees(&world, &other.actor(), one).await);
    }
    world.unblock(&mona, &blocked).await;
    assert!(sees(&world, &mona.actor(), &blocked).await && sees(&world, &blocked.actor(), &mona).await);
}

/// No face of a blocked person sees the blocker, and the blocker's own view of the other faces does not change, so that a
/// block tells nobody which faces belong together.
pub async fn a_block_shuts_out_every_face(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let mask = world.person(Draft::new("mask").face_of(&ali)).await;
    let other_mona = world.person(Draft::new("mona.work").face_of(&mona)).await;
    world.block(&mona, &ali).await;
    assert!(!sees(&world, &ali.actor(), &mona).await && !sees(&world, &mask.actor(), &mona).await);
    assert!(!sees(&world, &mona.actor(), &ali).await && sees(&world, &mona.actor(), &mask).await);
    assert!(sees(&world, &ali.actor(), &other_mona).await, "the blocker's other faces are no party to it");
    assert!(sees(&world, &other_mona.actor(), &ali).await);
}

/// A handle leads to the visible face that bears it now.
pub async fn a_profile_is_found_by_its_handle(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let [old, new, nobody] = ["mona", "mona.new", "nobody"].map(|h| Handle::existing(h).unwrap());
    let found = async |viewer: &Actor, handle: &Handle| {
        let profile = world.view(viewer).await.accounts().profile_by_handle(handle).await.unwrap();
        profile.map(|p| p.id)
    };
    assert_eq!(found(&Actor::Anonymous, &old).await, Some(mona.id));
    assert_eq!(found(&Actor::Anonymous, &nobody).await, None);
    world.change(&mona, |profile| profile.handle = Handle::existing("mona.new").unwrap()).await;
    assert_eq!(found(&ali.actor(), &old).await, None);
    assert_eq!(found(&ali.actor(), &new).await, Some(mona.id));
    world.block(&mona, &ali).await;
    assert_eq!(found(&ali.actor(), &new).await, None);
    assert_eq!(found(&mona.actor(), &new).await, Some(mona.id));
}

/// The faces of the own account, the oldest first, and nobody else's.
pub async fn own_faces_come_oldest_first(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    world.person("ali").await;
    let work = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let quiet = world.person(Draft::new("mona.quiet").face_of(&mona)).await;
    for face in [&mona, &work] {
        let own = world.view(&face.actor()).await.accounts().own_profiles().await.unwrap();
        assert_eq!(own.iter().map(|p| p.id).collect::<Vec<_>>(), [mona.id, work.id, quiet.id]);
        assert_eq!(own[0], mona.profile);
    }
    let mut view = world.view(&Actor::Anonymous).await;
    assert!(view.accounts().own_profiles().await.unwrap().is_empty());
    assert!(view.accounts().own_account().await.unwrap().is_none());
}

/// Handles are turned into ids in one go; those that nobody bears are left out.
pub async fn unknown_handles_are_left_out(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let gone = world.person(Draft::new("gone").state(AccountState::Deleted)).await;
    assert_eq!(gone.profile.standing, Standing::Gone);
    let handles = ["ali", "nobody", "mona", "gone"].map(|h| Handle::existing(h).unwrap());
    let mut unit = world.unit(&mona.actor()).await;
    let mut found = unit.accounts().profiles_by_handle(&handles).await.unwrap();
    found.sort_unstable();
    assert_eq!(found, [mona.id, ali.id]);
    assert_eq!(unit.accounts().profiles_by_handle(&[]).await.unwrap(), []);
}

/// Counters are told of people who are seen, and of no one else.
pub async fn counters_come_with_visible_people(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    for (field, delta) in
        [(CounterField::ProfilePosts, 3), (CounterField::ProfileFollowers, 2), (CounterField::ProfileFollowing, 1)]
    {
        for person in [&mona, &sara] {
            world.count(field, person.id.raw(), delta).await;
        }
    }
    world.block(&sara, &ali).await;
    let mut view = world.view(&ali.actor()).await;
    let ids: [ProfileId; 2] = [mona.id, sara.id];
    let counters = view.accounts().profile_counters(&ids).await.unwrap();
    assert_eq!(counters, [(mona.id, ProfileCounters { posts: 3, followers: 2, following: 1 })]);
}
