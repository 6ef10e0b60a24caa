//! Who sees a post: the table of visibilities and relations, written out. Random worlds are the [`law`](crate::testkit::law)'s.

use super::world;
use crate::account::{AccountState, Standing};
use crate::actor::Actor;
use crate::id::Id;
use crate::port::Ports;
use crate::port::store::{CounterField, Lock};
use crate::post::{Post, PostCounters, Visibility};
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Draft, Fixture, Person, Writing};

/// An author with one post per visibility, and one person for every relation to them.
struct Table {
    world: Fixture,
    author: Person,
    /// Public, unlisted, followers, circle, mentioned, private.
    posts: [Post; 6],
    follower: Person,
    in_circle: Person,
    mentioned: Person,
    stranger: Person,
    followee: Person,
    other_face: Person,
}

async fn table(ports: &Ports, author: Draft) -> Table {
    let world = world(ports);
    let author = world.person(author).await;
    let (follower, in_circle) = (world.person("follower").await, world.person("in.circle").await);
    let (mentioned, stranger) = (world.person("mentioned").await, world.person("stranger").await);
    let followee = world.person("followee").await;
    let other_face = world.person(Draft::new("other.face").face_of(&author)).await;
    world.follow(&follower, &author).await;
    world.follow(&author, &followee).await;
    let circle = world.circle(&author, "الشلة", &[&in_circle]).await;
    world.circle(&author, "تانية", &[&stranger]).await;
    let write =
        async |visibility| world.post(&author, Writing::new("بوست").visible(visibility).mention(&mentioned)).await;
    let posts = [
        write(Visibility::Public).await,
        write(Visibility::Unlisted).await,
        write(Visibility::Followers).await,
        write(Visibility::Circle(circle.id)).await,
        write(Visibility::Mentioned).await,
        write(Visibility::Private).await,
    ];
    Table { world, author, posts, follower, in_circle, mentioned, stranger, followee, other_face }
}

impl Table {
    fn viewers(&self) -> [(&'static str, Actor); 8] {
        [
            ("author", self.author.actor()),
            ("follower", self.follower.actor()),
            ("in circle", self.in_circle.actor()),
            ("mentioned", self.mentioned.actor()),
            ("stranger", self.stranger.actor()),
            ("followee", self.followee.actor()),
            ("other face", self.other_face.actor()),
            ("anonymous", Actor::Anonymous),
        ]
    }

    /// Asserts which posts each viewer sees, as rows of `x` and `.`.
    async fn assert(&self, rows: [(&str, &str); 8]) {
        for ((name, viewer), (expected_name, row)) in self.viewers().into_iter().zip(rows) {
            assert_eq!(name, expected_name);
            let cards = self.world.cards(&viewer, &self.posts.each_ref().map(|p| p.id)).await;
            let seen = |post: &Post| if cards.iter().any(|card| card.post.id == post.id) { 'x' } else { '.' };
            assert_eq!(self.posts.iter().map(seen).collect::<String>(), row, "what the {name} sees");
        }
    }
}

/// Six visibilities and eight relations to a person whose profile is open.
pub async fn every_visibility_for_every_relation(ports: &Ports) {
    let table = table(ports, Draft::new("author")).await;
    table
        .assert([
            ("author", "xxxxxx"),
            ("follower", "xxx..."),
            ("in circle", "xx.x.."),
            ("mentioned", "xx..x."),
            ("stranger", "xx...."),
            ("followee", "xx...."),
            ("other face", "xx...."),
            ("anonymous", "xx...."),
        ])
        .await;
}

/// The same of a private person: what is for all is for followers only; circles and mentions are chosen one by one.
pub async fn private_authors_are_for_followers(ports: &Ports) {
    let table = table(ports, Draft::new("author").private()).await;
    table
        .assert([
            ("author", "xxxxxx"),
            ("follower", "xxx..."),
            ("in circle", "...x.."),
            ("mentioned", "....x."),
            ("stranger", "......"),
            ("followee", "......"),
            ("other face", "......"),
            ("anonymous", "......"),
        ])
        .await;
}

/// A deleted post is in nobody's lists, its author's included.
pub async fn a_deleted_post_is_seen_by_nobody(ports: &Ports) {
    let table = table(ports, Draft::new("author")).await;
    for post in &table.posts {
        table.world.delete(post).await;
    }
    table.assert(table.viewers().map(|(name, _)| (name, "......"))).await;
}

/// Whoever does not stand, blocks or is blocked, is seen by nobody concerned, whatever else holds.
pub async fn standing_and_blocks_hide_posts(ports: &Ports) {
    let Table { world, author, posts, follower, in_circle, mentioned, .. } = table(ports, Draft::new("author")).await;
    let mask = world.person(Draft::new("mask").face_of(&follower)).await;
    assert!(world.sees(&mask.actor(), &posts[0]).await);
    world.block(&author, &follower).await;
    world.block(&mentioned, &author).await;
    for blocked in [&follower, &mask, &mentioned] {
        assert!(world.cards(&blocked.actor(), &posts.each_ref().map(|p| p.id)).await.is_empty());
    }
    assert!(world.sees(&in_circle.actor(), &posts[3]).await, "others are no party to it");
    let from_blocked = world.post(&follower, "أنا").await;
    assert!(!world.sees(&author.actor(), &from_blocked).await, "the blocker is shut out as well");
    for standing in [Standing::Hidden, Standing::Gone] {
        world.change(&author, |profile| profile.standing = standing).await;
        assert!(world.cards(&in_circle.actor(), &posts.each_ref().map(|p| p.id)).await.is_empty());
    }
    let asleep = world.person(Draft::new("asleep").state(AccountState::Deactivated)).await;
    let silent = world.post(&asleep, "نايم").await;
    assert!(!world.sees(&Actor::Anonymous, &silent).await);
}

/// What a repository loads is decided by the visibility's class alone: neither a block nor a private profile nor standing
/// hides a row there, so that a use case can decide on it; and nobody learns of a row outside their class.
pub async fn row_security_decides_the_class(ports: &Ports) {
    let table = table(ports, Draft::new("author").private()).await;
    let Table { world, author, posts, stranger, .. } = &table;
    world.block(author, stranger).await;
    for ((name, viewer), row) in table
        .viewers()
        .into_iter()
        .zip(["xxxxxx", "xxx...", "xx.x..", "xx..x.", "xx....", "xx....", "xx....", "xx...."])
    {
        for lock in [Lock::None, Lock::Share] {
            let mut loaded = String::new();
            let mut unit = world.unit(&viewer).await;
            for post in posts {
                loaded.push(if unit.posts().post(post.id, lock).await.unwrap().is_some() { 'x' } else { '.' });
            }
            assert_eq!(loaded, row, "what the {name} may ever learn");
        }
    }
    let deleted = world.delete(&posts[0]).await;
    for (name, viewer) in table.viewers() {
        let mut unit = world.unit(&viewer).await;
        let found = unit.posts().post(deleted.id, Lock::None).await.unwrap();
        assert_eq!(found.is_some(), name == "author", "a deleted post is its author's: {name}");
    }
}

/// A card has the author, the counters and the viewer's own reaction, not another's.
pub async fn a_card_carries_its_viewer(ports: &Ports) {
    let Table { world, author, posts, follower, stranger, .. } = table(ports, Draft::new("author")).await;
    world.react(&follower, Target::Post(posts[0].id), ReactionKind::Love).await;
    world.count(CounterField::PostReactions, posts[0].id.raw(), 7).await;
    world.count(CounterField::PostComments, posts[0].id.raw(), 2).await;
    for (viewer, reaction) in
        [(follower.actor(), Some(ReactionKind::Love)), (stranger.actor(), None), (Actor::Anonymous, None)]
    {
        let card = world.cards(&viewer, &[posts[0].id]).await.remove(0);
        assert_eq!((card.viewer_reaction, card.counters), (reaction, PostCounters { reactions: 7, comments: 2 }));
        assert_eq!((&*card.author, &*card.post), (&author.profile, &posts[0]));
    }
}
