//! Follows, requests, blocks, mutes and circles as they are written.

use super::{failure, world};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::graph::{Block, Circle, Follow, Mute, Relation};
use crate::port::Ports;
use crate::port::store::Lock;
use crate::post::Visibility;
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing, limit};

async fn relation(world: &Fixture, from: &Person, to: &Person) -> Relation {
    let mut unit = world.unit(&from.actor()).await;
    unit.graph().relation(&from.profile, &to.profile).await.unwrap()
}

/// A follow is there or not; putting it twice or taking it twice says so and changes nothing.
pub async fn a_follow_is_one_edge(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let follow = Follow { follower: mona.id, followee: ali.id, at: world.tick() };
    let mut unit = world.unit(&mona.actor()).await;
    unit.graph().lock_pair(&mona.profile, &ali.profile, false).await.unwrap();
    assert!(unit.graph().insert_follow(&follow).await.unwrap());
    assert!(!unit.graph().insert_follow(&Follow { at: world.tick(), ..follow }).await.unwrap());
    unit.commit().await.unwrap();
    assert!(relation(&world, &mona, &ali).await.follows && !relation(&world, &ali, &mona).await.follows);
    let page = world.view(&mona.actor()).await.graph().following(mona.id, None, limit(10)).await.unwrap();
    assert_eq!(page.items[0].at, follow.at, "the first one's time stays");
    let mut unit = world.unit(&ali.actor()).await;
    assert!(unit.graph().delete_follow(mona.id, ali.id).await.unwrap(), "the followed may end it too");
    assert!(!unit.graph().delete_follow(mona.id, ali.id).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(relation(&world, &mona, &ali).await, Relation::default());
}

/// A third person can neither make nor take away an edge between two others, and nobody blocks or mutes for others.
pub async fn only_the_ends_write_an_edge(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    world.follow(&ali, &mona).await;
    let at = world.tick();
    for stranger in [eve.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(unit.graph().insert_follow(&Follow { follower: mona.id, followee: ali.id, at }).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.graph().insert_request(&Follow { follower: mona.id, followee: ali.id, at }).await.is_err());
        drop(unit);
        let block = Block { blocker: mona.id, blocked: ali.id, blocked_account: ali.account, at };
        let mut unit = world.unit(&stranger).await;
        assert!(unit.graph().insert_block(&block).await.is_err());
        drop(unit);
        let mute = Mute { muter: mona.id, muted: ali.id, posts: true, stories: true, notifications: true, at };
        let mut unit = world.unit(&stranger).await;
        assert!(unit.graph().put_mute(&mute).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.graph().delete_follow(ali.id, mona.id).await, Ok(true)));
    }
    world.block(&mona, &eve).await;
    let mut unit = world.unit(&eve.actor()).await;
    assert!(!matches!(unit.graph().delete_block(mona.id, eve.id).await, Ok(true)), "the blocked cannot lift a block");
    drop(unit);
    assert!(relation(&world, &mona, &eve).await.blocks && relation(&world, &ali, &mona).await.follows);
}

/// A private person lets in who asked; nobody is made a follower who did not.
pub async fn following_takes_consent(ports: &Ports) {
    let world = world(ports);
    let (sara, ali) = (world.person(Draft::new("sara").private()).await, world.person("ali").await);
    let follow = Follow { follower: ali.id, followee: sara.id, at: world.tick() };
    let mut unit = world.unit(&sara.actor()).await;
    assert!(unit.graph().insert_follow(&follow).await.is_err(), "without a request");
    drop(unit);
    world.request(&ali, &sara).await;
    let mut unit = world.unit(&sara.actor()).await;
    assert!(unit.graph().insert_follow(&follow).await.unwrap());
    assert!(unit.graph().delete_request(ali.id, sara.id).await.unwrap());
    unit.commit().await.unwrap();
    let stands = relation(&world, &ali, &sara).await;
    assert!(stands.follows && !stands.requested);
}

/// A request is one edge; all of somebody's requests are taken in portions, each once.
pub async fn a_request_is_taken_once(ports: &Ports) {
    let world = world(ports);
    let sara = world.person(Draft::new("sara").private()).await;
    let mut asked = Vec::new();
    for handle in ["ali", "mona", "nada"] {
        let person = world.person(handle).await;
        let request = Follow { follower: person.id, followee: sara.id, at: world.tick() };
        let mut unit = world.unit(&person.actor()).await;
        assert!(unit.graph().insert_request(&request).await.unwrap());
        assert!(!unit.graph().insert_request(&request).await.unwrap());
        unit.commit().await.unwrap();
        assert!(relation(&world, &person, &sara).await.requested);
        assert!(relation(&world, &sara, &person).await.requested_by);
        asked.push(person.id);
    }
    let mut taken = Vec::new();
    for expected in [2, 1, 0] {
        let mut unit = world.unit(&sara.actor()).await;
        let some = unit.graph().take_requests(sara.id, 2).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(some.len(), expected);
        taken.extend(some);
    }
    taken.sort_unstable();
    assert_eq!(taken, asked);
    let mut unit = world.unit(&sara.actor()).await;
    assert!(!unit.graph().delete_request(asked[0], sara.id).await.unwrap());
}

/// A relation tells every edge in its own direction; blocks count for the person behind the face.
pub async fn a_relation_tells_every_edge(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let mask = world.person(Draft::new("mask").face_of(&ali)).await;
    assert_eq!(relation(&world, &mona, &ali).await, Relation::default());
    world.follow(&mona, &ali).await;
    world.request(&ali, &mona).await;
    world.mute(&mona, &ali, true, false).await;
    let there = Relation { follows: true, requested_by: true, mutes_posts: true, ..Relation::default() };
    assert_eq!(relation(&world, &mona, &ali).await, there);
    let back = Relation { followed_by: true, requested: true, ..Relation::default() };
    assert_eq!(relation(&world, &ali, &mona).await, back);
    world.block(&mona, &ali).await;
    assert!(relation(&world, &mona, &ali).await.blocks && relation(&world, &ali, &mona).await.blocked_by);
    assert!(relation(&world, &mask, &mona).await.blocked_by, "every face of the blocked person");
    assert!(!relation(&world, &mona, &mask).await.blocks, "only the face that was blocked vanishes");
}

/// A block is one edge and goes once.
pub async fn a_block_is_one_edge(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let block = Block { blocker: mona.id, blocked: ali.id, blocked_account: ali.account, at: world.tick() };
    let mut unit = world.unit(&mona.actor()).await;
    unit.graph().lock_pair(&mona.profile, &ali.profile, true).await.unwrap();
    assert!(unit.graph().insert_block(&block).await.unwrap());
    assert!(!unit.graph().insert_block(&block).await.unwrap());
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.graph().delete_block(mona.id, ali.id).await.unwrap());
    assert!(!unit.graph().delete_block(mona.id, ali.id).await.unwrap());
    unit.commit().await.unwrap();
    assert!(!relation(&world, &mona, &ali).await.blocked());
}

/// A mute is replaced as a whole; one that mutes nothing is gone.
pub async fn a_mute_of_nothing_is_none(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let put = async |posts, stories, notifications| {
        let mute = Mute { muter: mona.id, muted: ali.id, posts, stories, notifications, at: world.tick() };
        let mut unit = world.unit(&mona.actor()).await;
        unit.graph().put_mute(&mute).await.unwrap();
        unit.commit().await.unwrap();
        let stands = relation(&world, &mona, &ali).await;
        assert_eq!(
            (stands.mutes_posts, stands.mutes_stories, stands.mutes_notifications),
            (posts, stories, notifications)
        );
        let listed = world.view(&mona.actor()).await.graph().mutes(None, limit(10)).await.unwrap().items;
        assert_eq!(listed.iter().any(|e| e.profile == ali.id), posts || stories || notifications);
    };
    put(true, false, false).await;
    put(false, true, true).await;
    put(false, false, false).await;
    put(false, false, false).await;
    assert_eq!(relation(&world, &ali, &mona).await, Relation::default(), "the muted never learns of it");
}

/// A circle is its owner's: others can neither load nor change it, and its versions are counted.
pub async fn circles_are_their_owners(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    let circle =
        Circle {
            id: world.draw(), owner: mona.id, name: "الشلة".to_owned(), created_at: world.tick(), version: 1
        };
    let mut unit = world.unit(&mona.actor()).await;
    unit.graph().insert_circle(&circle).await.unwrap();
    assert!(unit.graph().insert_circle_member(circle.id, ali.id, world.tick()).await.unwrap());
    assert!(!unit.graph().insert_circle_member(circle.id, ali.id, world.tick()).await.unwrap());
    assert_eq!(unit.graph().count_circles(mona.id).await.unwrap(), 1);
    unit.commit().await.unwrap();
    for stranger in [&ali, &eve] {
        let mut unit = world.unit(&stranger.actor()).await;
        assert_eq!(unit.graph().circle(circle.id, Lock::None).await.unwrap(), None, "its members do not learn of it");
        assert!(!matches!(unit.graph().insert_circle_member(circle.id, eve.id, world.tick()).await, Ok(true)));
        drop(unit);
        let mut unit = world.unit(&stranger.actor()).await;
        assert!(unit.graph().update_circle(&Circle { version: 2, ..circle.clone() }).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger.actor()).await;
        assert!(!matches!(unit.graph().delete_circle(circle.id).await, Ok(true)));
    }
    let renamed = Circle { name: "العيلة".to_owned(), version: 2, ..circle.clone() };
    let mut unit = world.unit(&mona.actor()).await;
    unit.graph().update_circle(&renamed).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.graph().update_circle(&renamed).await), ErrorKind::Stale);
    drop(unit);
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.graph().circle(circle.id, Lock::Share).await.unwrap(), Some(renamed));
    assert!(unit.graph().delete_circle_member(circle.id, ali.id).await.unwrap());
    assert!(!unit.graph().delete_circle_member(circle.id, ali.id).await.unwrap());
}

/// With a circle its memberships go, and posts made for it are their author's alone.
pub async fn a_deleted_circle_is_seen_by_nobody(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let circle = world.circle(&mona, "الشلة", &[&ali]).await;
    let post = world.post(&mona, Writing::new("لينا بس").visible(Visibility::Circle(circle.id))).await;
    assert!(world.sees(&ali.actor(), &post).await);
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.graph().delete_circle(circle.id).await.unwrap());
    assert!(!unit.graph().delete_circle(circle.id).await.unwrap());
    assert_eq!(unit.graph().count_circles(mona.id).await.unwrap(), 0);
    unit.commit().await.unwrap();
    assert!(!world.sees(&ali.actor(), &post).await && world.sees(&mona.actor(), &post).await);
}

/// Somebody is taken out of all circles of one owner, and of nobody else's.
pub async fn one_leaves_all_circles_of_an_owner(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    let mut seen = Vec::new();
    for (owner, name) in [(&mona, "الشلة"), (&mona, "العيلة"), (&sara, "الشغل")] {
        let circle = world.circle(owner, name, &[&ali, if owner.id == mona.id { &sara } else { &mona }]).await;
        seen.push(world.post(owner, Writing::new("سر").visible(Visibility::Circle(circle.id))).await);
    }
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.graph().leave_circles(mona.id, ali.id).await.unwrap(), 2);
    assert_eq!(unit.graph().leave_circles(mona.id, ali.id).await.unwrap(), 0);
    unit.commit().await.unwrap();
    for (post, expected) in seen.iter().zip([false, false, true]) {
        assert_eq!(world.sees(&ali.actor(), post).await, expected);
    }
    assert!(world.sees(&sara.actor(), &seen[0]).await, "others stay in");
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.graph().leave_circles(sara.id, ali.id).await.unwrap(), 1);
}
