//! Who is told of what, in groups, up to the read marker.

use std::time::Duration;

use daira_core::actor::{Actor, ActorRefusal};
use daira_core::error::{CommonRefusal, Result};
use daira_core::graph::MuteWhat;
use daira_core::locale::Locale;
use daira_core::notification::{NotificationGroup, NotificationKind, OVERLAP, line};
use daira_core::page::Connection;
use daira_core::port::Clock;
use daira_core::post::Visibility;
use daira_core::reaction::{ReactionKind, Target};
use daira_core::time::Timestamp;
use futures_util::stream::{BoxStream, StreamExt};

use crate::world::{World, all_pages, id, limit, refused};

async fn groups(world: &World, actor: &Actor) -> Vec<NotificationGroup> {
    let mut view = world.view(actor).await;
    let list = all_pages(async |after, limit| world.notifications.list(actor, view.as_mut(), after, limit).await);
    list.await
}

async fn kinds(world: &World, actor: &Actor) -> Vec<(NotificationKind, i64)> {
    groups(world, actor).await.iter().map(|group| (group.kind, group.count)).collect()
}

async fn unread(world: &World, actor: &Actor) -> i64 {
    let mut view = world.view(actor).await;
    world.notifications.unread(actor, view.as_mut()).await.unwrap()
}

#[tokio::test]
async fn what_happens_reaches_the_right_people_once() {
    use NotificationKind::{Commented, FollowApproved, FollowRequested, Followed, Mentioned, Reacted, Replied};
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let step = || world.clock.advance(Duration::from_secs(1));
    world.graph.follow(&karim, id(&mona), None).await.unwrap();
    step();
    world.change(&sara, |profile| profile.private = true).await;
    world.graph.follow(&karim, id(&sara), None).await.unwrap();
    world.notify().await;
    assert_eq!(kinds(&world, &sara).await, [(FollowRequested, 1)]);
    world.graph.approve_request(&sara, id(&karim), None).await.unwrap();
    let post = world.publish(&mona, "يا @karim و@mona", Visibility::Public).await;
    step();
    let comment = world.comments.create(&mona, post, None, "وكمان", None).await.unwrap();
    step();
    let answer = world.comments.create(&karim, post, Some(comment), "صح", None).await.unwrap();
    step();
    world.comments.create(&sara, post, Some(answer), "فعلاً", None).await.unwrap();
    for person in [&karim, &sara, &mona] {
        step();
        world.reactions.react(person, Target::Post(post), ReactionKind::Like, None).await.unwrap();
        world.reactions.react(person, Target::Post(post), ReactionKind::Love, None).await.unwrap();
    }
    world.notify().await;
    assert_eq!(kinds(&world, &mona).await, [(Reacted, 2), (Commented, 1), (Replied, 1), (Followed, 1)]);
    assert_eq!(kinds(&world, &karim).await, [(Replied, 1), (Mentioned, 1), (FollowApproved, 1)]);
    assert!(kinds(&world, &sara).await.is_empty(), "the request is no more");

    let liked = &groups(&world, &mona).await[0];
    assert_eq!(liked.actors, [id(&sara), id(&karim)]);
    let shown = line(liked, &["سارة", "كريم"], Locale::Ar).replace(['\u{2068}', '\u{2069}'], "");
    assert_eq!(shown, "سارة وكريم تفاعلوا مع البوست بتاعك");
}

#[tokio::test]
async fn blocked_and_muted_people_are_not_heard() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let post = world.publish(&mona, "صورة", Visibility::Public).await;
    let quiet = MuteWhat { notifications: true, ..MuteWhat::default() };
    world.graph.mute(&mona, id(&sara), quiet, None).await.unwrap();
    for person in [&karim, &sara] {
        world.reactions.react(person, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    }
    world.notify().await;
    assert_eq!(kinds(&world, &mona).await, [(NotificationKind::Reacted, 1)]);
    world.graph.block(&mona, id(&karim), None).await.unwrap();
    assert!(kinds(&world, &mona).await.is_empty(), "gone with the block");
    assert_eq!(unread(&world, &mona).await, 0);
}

#[tokio::test]
async fn the_read_marker_moves_forward_only_and_not_past_now() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    world.graph.follow(&karim, id(&mona), None).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let post = world.publish(&mona, "صورة", Visibility::Public).await;
    world.reactions.react(&sara, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    world.notify().await;
    let middle = world.ports.clock.now() - Duration::from_secs(1);
    assert_eq!(unread(&world, &mona).await, 2);
    world.notifications.mark_read(&mona, Some(middle), None).await.unwrap();
    assert_eq!(unread(&world, &mona).await, 1);
    world.notifications.mark_read(&mona, Some(Timestamp::EPOCH), None).await.unwrap();
    assert_eq!(unread(&world, &mona).await, 1, "never back");
    world.notifications.mark_read(&mona, Some(Timestamp::from_micros(i64::MAX)), None).await.unwrap();
    assert_eq!(unread(&world, &mona).await, 0);
    assert!(groups(&world, &mona).await.iter().all(|group| !group.unread));
    world.clock.advance(Duration::from_secs(1));
    world.reactions.react(&karim, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    world.notify().await;
    assert_eq!(unread(&world, &mona).await, 1, "what came later is unread");
    let anonymous = world.notifications.mark_read(&Actor::Anonymous, Some(middle), None).await;
    refused(anonymous, ActorRefusal::LogInFirst);
}

#[tokio::test]
async fn late_ones_neither_push_nor_repeat() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let mut posts = Vec::new();
    for _ in 0..5 {
        let post = world.publish(&mona, "صورة", Visibility::Public).await;
        world.reactions.react(&karim, Target::Post(post), ReactionKind::Like, None).await.unwrap();
        posts.push(post);
    }
    world.notify().await;
    let mut view = world.view(&mona).await;
    let first = world.notifications.list(&mona, view.as_mut(), None, limit(2)).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    for post in [posts[0], posts[4]] {
        world.reactions.react(&sara, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    }
    world.notify().await;
    let mut view = world.view(&mona).await;
    let rest = world.notifications.list(&mona, view.as_mut(), first.next(), limit(100)).await.unwrap();
    let shown: Vec<_> =
        [first.clone(), rest].into_iter().flat_map(Connection::into_nodes).map(|g| g.post.unwrap()).collect();
    assert_eq!(shown, posts.iter().rev().copied().collect::<Vec<_>>());
    let mut karims = world.view(&karim).await;
    let stolen = world.notifications.list(&karim, karims.as_mut(), first.next(), limit(2)).await;
    refused(stolen, CommonRefusal::Cursor);
}

/// The next news of somebody who watches, by kind and count.
async fn next(stream: &mut BoxStream<'static, Result<NotificationGroup>>) -> (NotificationKind, i64) {
    let group = stream.next().await.unwrap().unwrap();
    (group.kind, group.count)
}

async fn is_quiet(stream: &mut BoxStream<'static, Result<NotificationGroup>>) -> bool {
    tokio::time::timeout(Duration::from_millis(300), stream.next()).await.is_err()
}

#[tokio::test]
async fn whoever_watches_is_told_what_comes_and_nothing_else() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let post = world.publish(&mona, "صورة", Visibility::Public).await;
    world.reactions.react(&karim, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    world.notify().await;
    let mut watched = world.notifications.watch(&mona, None).await.unwrap();
    assert!(is_quiet(&mut watched).await, "what was there before is in the list");

    world.reactions.react(&sara, Target::Post(post), ReactionKind::Love, None).await.unwrap();
    world.notify().await;
    assert_eq!(next(&mut watched).await, (NotificationKind::Reacted, 2));
    world.comments.create(&karim, post, None, "حلوة", None).await.unwrap();
    world.notify().await;
    assert_eq!(next(&mut watched).await, (NotificationKind::Commented, 1));
    assert!(is_quiet(&mut watched).await);
}

#[tokio::test]
async fn security_75_a_block_is_heeded_while_somebody_watches() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let post = world.publish(&mona, "صورة", Visibility::Public).await;
    let mut watched = world.notifications.watch(&mona, None).await.unwrap();
    world.reactions.react(&karim, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    world.notify().await;
    // Committed, not told yet, and hidden by now.
    world.graph.block(&mona, id(&karim), None).await.unwrap();
    assert!(is_quiet(&mut watched).await);
    let [sara] = world.join_all(["sara"]).await;
    world.reactions.react(&sara, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    world.notify().await;
    assert_eq!(next(&mut watched).await, (NotificationKind::Reacted, 1), "others are told of");
}

#[tokio::test]
async fn whoever_comes_back_is_told_what_came_meanwhile() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let post = world.publish(&mona, "صورة", Visibility::Public).await;
    world.reactions.react(&karim, Target::Post(post), ReactionKind::Like, None).await.unwrap();
    world.notify().await;
    world.clock.advance(OVERLAP * 2);
    let left_at = world.clock.now();
    world.comments.create(&sara, post, None, "حلوة", None).await.unwrap();
    world.notify().await;
    world.clock.advance(Duration::from_mins(1));
    let mut watched = world.notifications.watch(&mona, Some(left_at)).await.unwrap();
    assert_eq!(next(&mut watched).await, (NotificationKind::Commented, 1));
    assert!(is_quiet(&mut watched).await);
    refused(world.notifications.watch(&Actor::Anonymous, None).await.map(drop), ActorRefusal::LogInFirst);
}
