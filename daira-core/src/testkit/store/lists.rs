//! Edges as they are read.

use super::{all_pages, last_page, world};
use crate::account::AccountState;
use crate::actor::Actor;
use crate::graph::{Edge, Follow, Relation};
use crate::id::ProfileId;
use crate::page::Limit;
use crate::port::Ports;
use crate::port::store::EdgeKey;
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, limit};

const ALL: i64 = 100;

async fn people<const N: usize>(world: &Fixture, handles: [&str; N]) -> Vec<Person> {
    let mut people = Vec::new();
    for handle in handles {
        people.push(world.person(handle).await);
    }
    people
}

fn ends(edges: &[Edge]) -> Vec<ProfileId> {
    edges.iter().map(|edge| edge.profile).collect()
}

async fn followers(world: &Fixture, viewer: &Actor, of: &Person) -> Vec<ProfileId> {
    ends(&last_page(world.view(viewer).await.graph().followers(of.id, None, limit(ALL)).await.unwrap()))
}

async fn following(world: &Fixture, viewer: &Actor, of: &Person) -> Vec<ProfileId> {
    ends(&last_page(world.view(viewer).await.graph().following(of.id, None, limit(ALL)).await.unwrap()))
}

/// Both lists of a profile begin with the newest edge, for everybody, and page lawfully.
pub async fn followers_and_followees_go_newest_first(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let others = people(&world, ["ali", "sara", "nada", "omar", "laila"]).await;
    for other in &others {
        world.follow(other, &mona).await;
        world.follow(&mona, other).await;
    }
    let newest: Vec<ProfileId> = others.iter().rev().map(|p| p.id).collect();
    for viewer in [mona.actor(), others[0].actor(), Actor::Anonymous] {
        let mut view = world.view(&viewer).await;
        let graph = view.graph();
        let to = all_pages!(|after, size| graph.followers(mona.id, after, size).await.unwrap(), |e| EdgeKey::of(e));
        assert_eq!(ends(&to), newest);
        let from = all_pages!(|after, size| graph.following(mona.id, after, size).await.unwrap(), |e| EdgeKey::of(e));
        assert_eq!(ends(&from), newest);
        assert!(graph.followers(others[1].id, None, Limit::DEFAULT).await.unwrap().items.len() == 1);
    }
}

/// Edges made in one instant are ordered by profile, so no page repeats or skips one.
pub async fn edges_of_one_instant_are_paged_once_each(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let others = people(&world, ["ali", "sara", "nada", "omar", "laila", "hana", "tarek"]).await;
    let at = world.tick();
    let mut unit = world.unit(&PLATFORM).await;
    for other in &others {
        unit.graph().insert_follow(&Follow { follower: other.id, followee: mona.id, at }).await.unwrap();
        let mute = crate::graph::Mute {
            muter: mona.id,
            muted: other.id,
            posts: true,
            stories: false,
            notifications: false,
            at,
        };
        unit.graph().put_mute(&mute).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut expected: Vec<ProfileId> = others.iter().map(|p| p.id).collect();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    let mut view = world.view(&mona.actor()).await;
    let graph = view.graph();
    let all = all_pages!(|after, size| graph.followers(mona.id, after, size).await.unwrap(), |e| EdgeKey::of(e));
    assert_eq!(ends(&all), expected);
    let all = all_pages!(|after, size| graph.mutes(after, size).await.unwrap(), |e| EdgeKey::of(e));
    assert_eq!(ends(&all), expected);
}

/// A private profile's lists are for itself and its followers.
pub async fn private_lists_are_for_followers(ports: &Ports) {
    let world = world(ports);
    let sara = world.person(Draft::new("sara").private()).await;
    let (ali, eve) = (world.person("ali").await, world.person("eve").await);
    world.follow(&ali, &sara).await;
    world.follow(&sara, &eve).await;
    for viewer in [eve.actor(), Actor::Anonymous] {
        assert!(
            followers(&world, &viewer, &sara).await.is_empty() && following(&world, &viewer, &sara).await.is_empty()
        );
    }
    for viewer in [&sara, &ali] {
        assert_eq!(followers(&world, &viewer.actor(), &sara).await, [ali.id]);
        assert_eq!(following(&world, &viewer.actor(), &sara).await, [eve.id]);
    }
    assert_eq!(following(&world, &eve.actor(), &ali).await, [sara.id], "an open person's list names private people");
}

/// People who do not stand, and people across a block, are in no list; the lists of such people are empty.
pub async fn lists_leave_hidden_people_out(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    let mask = world.person(Draft::new("mask").face_of(&eve)).await;
    let asleep = world.person(Draft::new("asleep").state(AccountState::Deactivated)).await;
    for follower in [&ali, &eve, &mask, &asleep] {
        world.follow(follower, &mona).await;
    }
    world.block(&ali, &eve).await;
    assert_eq!(followers(&world, &mona.actor(), &mona).await, [mask.id, eve.id, ali.id]);
    assert_eq!(followers(&world, &ali.actor(), &mona).await, [mask.id, ali.id]);
    assert_eq!(followers(&world, &eve.actor(), &mona).await, [mask.id, eve.id]);
    assert_eq!(followers(&world, &mask.actor(), &mona).await, [mask.id, eve.id]);
    assert!(following(&world, &eve.actor(), &ali).await.is_empty());
    assert!(following(&world, &ali.actor(), &eve).await.is_empty());
    assert!(following(&world, &mona.actor(), &asleep).await.is_empty());
}

/// Requests, blocks and mutes are listed for the person they are of, newest first; blocked people are shown in the list
/// of blocks, and there alone.
pub async fn own_lists_are_ones_own(ports: &Ports) {
    let world = world(ports);
    let sara = world.person(Draft::new("sara").private()).await;
    let others = people(&world, ["ali", "nada", "omar"]).await;
    for other in &others {
        world.request(other, &sara).await;
        world.mute(&sara, other, true, true).await;
    }
    let newest: Vec<ProfileId> = others.iter().rev().map(|p| p.id).collect();
    let mut view = world.view(&sara.actor()).await;
    let graph = view.graph();
    let requests = all_pages!(|after, size| graph.requests(after, size).await.unwrap(), |e| EdgeKey::of(e));
    assert_eq!(ends(&requests), newest);
    assert_eq!(ends(&last_page(graph.mutes(None, limit(ALL)).await.unwrap())), newest);
    for other in &others {
        world.block(&sara, other).await;
    }
    let mut view = world.view(&sara.actor()).await;
    let graph = view.graph();
    let blocks = all_pages!(|after, size| graph.blocks(after, size).await.unwrap(), |b| EdgeKey::of(&b.0));
    assert_eq!(blocks.iter().map(|(edge, _)| edge.profile).collect::<Vec<_>>(), newest);
    assert_eq!(blocks[2].1, others[0].profile);
    assert!(graph.mutes(None, limit(ALL)).await.unwrap().items.is_empty());
    assert!(graph.requests(None, limit(ALL)).await.unwrap().items.is_empty());
    for stranger in [others[0].actor(), Actor::Anonymous] {
        let mut view = world.view(&stranger).await;
        assert!(view.graph().requests(None, limit(ALL)).await.unwrap().items.is_empty());
        assert!(view.graph().blocks(None, limit(ALL)).await.unwrap().items.is_empty());
        assert!(view.graph().mutes(None, limit(ALL)).await.unwrap().items.is_empty());
    }
}

/// How the actor stands to people, each once. Who blocks the actor is left out like somebody who does not exist; whom the
/// actor blocks is not.
pub async fn relations_tell_nobody_that_they_are_blocked(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara, eve) =
        (world.person("mona").await, world.person("ali").await, world.person("sara").await, world.person("eve").await);
    world.follow(&mona, &ali).await;
    world.follow(&ali, &mona).await;
    world.block(&eve, &mona).await;
    world.block(&mona, &sara).await;
    let ids = [ali.id, eve.id, sara.id, ali.id, world.draw()];
    let mut told = world.view(&mona.actor()).await.graph().relations(&ids).await.unwrap();
    told.sort_unstable_by_key(|(id, _)| *id);
    told.retain(|(_, relation)| !relation.blocked_by);
    let friends = Relation { follows: true, followed_by: true, ..Relation::default() };
    let blocked = Relation { blocks: true, ..Relation::default() };
    assert_eq!(told, [(ali.id, friends), (sara.id, blocked)]);
    assert!(
        world
            .view(&Actor::Anonymous)
            .await
            .graph()
            .relations(&ids)
            .await
            .unwrap()
            .iter()
            .all(|(_, r)| *r == Relation::default())
    );
}

/// The actor's circles come by name, their members newest first, and nobody else sees either.
pub async fn circles_go_by_name(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let others = people(&world, ["ali", "sara", "nada"]).await;
    let members: Vec<&Person> = others.iter().collect();
    let work = world.circle(&mona, "b.work", &members).await;
    let family = world.circle(&mona, "a.family", &[&others[0]]).await;
    world.circle(&others[0], "c.other", &[&mona]).await;
    let mut view = world.view(&mona.actor()).await;
    let graph = view.graph();
    assert_eq!(graph.circles().await.unwrap(), [family, work.clone()]);
    let all = all_pages!(|after, size| graph.circle_members(work.id, after, size).await.unwrap(), |e| EdgeKey::of(e));
    assert_eq!(ends(&all), others.iter().rev().map(|p| p.id).collect::<Vec<_>>());
    world.block(&others[1], &mona).await;
    let left = world.view(&mona.actor()).await.graph().circle_members(work.id, None, limit(ALL)).await.unwrap();
    assert_eq!(ends(&left.items), [others[2].id, others[0].id]);
    for stranger in [others[0].actor(), Actor::Anonymous] {
        let mut view = world.view(&stranger).await;
        assert!(view.graph().circle_members(work.id, None, limit(ALL)).await.unwrap().items.is_empty());
        assert!(view.graph().circles().await.unwrap().iter().all(|circle| circle.owner != mona.id));
    }
}

/// Whether somebody is active is shown to people whom they follow and who see them, as long as they let it; nobody else sets that.
pub async fn activity_is_for_whom_one_follows_and_lets_see_it(ports: &Ports) {
    let world = world(ports);
    let [mona, ali, eve] = [world.person("mona").await, world.person("ali").await, world.person("eve").await];
    world.follow(&ali, &mona).await;
    let all = [eve.id, ali.id, mona.id, ali.id];
    let shown = async |to: &Actor| world.view(to).await.graph().showing_activity(&all).await.unwrap();
    assert_eq!(shown(&mona.actor()).await, [ali.id]);
    assert!(shown(&ali.actor()).await.is_empty(), "following somebody does not show them");
    assert!(shown(&eve.actor()).await.is_empty() && shown(&Actor::Anonymous).await.is_empty());

    let set = async |actor: &Actor, shows| {
        let mut unit = world.unit(actor).await;
        unit.accounts().set_shows_activity(ali.id, shows).await?;
        unit.commit().await
    };
    for other in [&mona.actor(), &eve.actor(), &Actor::Anonymous] {
        assert!(set(other, false).await.is_err());
    }
    assert_eq!(shown(&mona.actor()).await, [ali.id]);
    for shows in [false, false, true, true] {
        set(&ali.actor(), shows).await.unwrap();
        assert_eq!(world.view(&ali.actor()).await.accounts().shows_activity().await.unwrap(), shows);
        assert_eq!(shown(&mona.actor()).await.len(), usize::from(shows));
    }
    assert!(world.view(&mona.actor()).await.accounts().shows_activity().await.unwrap(), "from the start");
    assert!(!world.view(&Actor::Anonymous).await.accounts().shows_activity().await.unwrap());
    world.block(&ali, &mona).await;
    assert!(shown(&mona.actor()).await.is_empty(), "whoever is hidden is");
}
