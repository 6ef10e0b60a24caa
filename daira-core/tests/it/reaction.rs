//! Giving, changing and taking back reactions.

use std::time::Duration;

use daira_core::account::AccountState;
use daira_core::event::Event;
use daira_core::id::{CommentId, Id, PostId};
use daira_core::post::Visibility;
use daira_core::proto::event::v1;
use daira_core::reaction::{ReactionKind, ReactionRefusal, Target};

use crate::world::{World, all_pages, id, key, not_found, refused};

#[tokio::test]
async fn one_reaction_per_person_and_target() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let post = world.publish(&mona, "صورة", Visibility::Public).await;
    let target = Target::Post(post);
    world.events().await;
    for kind in [ReactionKind::Like, ReactionKind::Like, ReactionKind::Love] {
        world.reactions.react(&karim, target, kind, None).await.unwrap();
    }
    let events = world.events().await;
    let [Event::ReactionSet(first), Event::ReactionSet(changed)] =
        &events.iter().map(|one| one.event.clone()).collect::<Vec<_>>()[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((first.kind, first.previous, first.target_author_id), (1, 0, id(&mona).raw()));
    assert_eq!((changed.kind, changed.previous), (2, 1));
    assert_eq!(changed.target, Some(v1::reaction_set::Target::PostId(post.raw())));
    let mut view = world.view(&karim).await;
    assert_eq!(world.posts.get(view.as_mut(), post).await.unwrap().viewer_reaction, Some(ReactionKind::Love));

    assert!(world.reactions.unreact(&karim, target, None).await.unwrap());
    assert!(!world.reactions.unreact(&karim, target, None).await.unwrap());
    let events = world.events().await;
    let [Event::ReactionRemoved(removed)] = &events.iter().map(|one| one.event.clone()).collect::<Vec<_>>()[..] else {
        panic!("{events:?}")
    };
    assert_eq!((removed.previous, removed.target_author_id), (2, id(&mona).raw()));
}

#[tokio::test]
async fn fifty_at_once_are_one() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let target = Target::Post(world.publish(&mona, "صورة", Visibility::Public).await);
    world.events().await;
    let reactions = (0..50).map(|_| world.reactions.react(&karim, target, ReactionKind::Laugh, None));
    for outcome in futures_util::future::join_all(reactions).await {
        outcome.unwrap();
    }
    assert_eq!(world.happened().await, ["daira.reaction.v1.set"]);
    let keyed = (0..50).map(|_| world.reactions.unreact(&karim, target, Some(key("u"))));
    let removed = futures_util::future::join_all(keyed).await;
    assert!(removed.into_iter().all(|outcome| outcome.unwrap()), "a replay has the first answer");
    assert_eq!(world.happened().await, ["daira.reaction.v1.removed"]);
}

#[tokio::test]
async fn nobody_reacts_to_what_they_do_not_see() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let open = world.publish(&mona, "علني", Visibility::Public).await;
    let private = world.publish(&mona, "سر", Visibility::Private).await;
    let comment = world.comments.create(&karim, open, None, "رأي", None).await.unwrap();
    let secret = world.comments.create(&mona, private, None, "لنفسي", None).await.unwrap();
    let react = async |target| world.reactions.react(&sara, target, ReactionKind::Like, None).await;
    for hidden in [
        Target::Post(private),
        Target::Post(PostId::from_raw(1)),
        Target::Comment(secret),
        Target::Comment(CommentId::from_raw(1)),
    ] {
        not_found(react(hidden).await);
        assert!(!world.reactions.unreact(&sara, hidden, None).await.unwrap());
    }
    react(Target::Comment(comment)).await.unwrap();
    react(Target::Post(open)).await.unwrap();
    world.graph.block(&karim, id(&sara), None).await.unwrap();
    not_found(react(Target::Comment(comment)).await);
    world.graph.block(&mona, id(&sara), None).await.unwrap();
    not_found(react(Target::Post(open)).await);
    let omar = world.join("omar").await;
    let friendly = Target::Comment(world.comments.create(&omar, open, None, "أهلاً", None).await.unwrap());
    not_found(react(friendly).await);
    for target in [Target::Comment(comment), Target::Post(open)] {
        assert!(world.reactions.unreact(&sara, target, None).await.unwrap(), "one's own can always be taken back");
    }
    let target = Target::Comment(comment);
    world.reactions.react(&mona, target, ReactionKind::Sad, None).await.unwrap();
    world.comments.delete(&karim, comment, None).await.unwrap();
    not_found(world.reactions.react(&mona, target, ReactionKind::Like, None).await);
    world.set_state(&mona, AccountState::Restricted).await;
    let restricted = world.reactions.react(&mona, Target::Post(open), ReactionKind::Like, None).await;
    refused(restricted, ReactionRefusal::Restricted);
}

#[tokio::test]
async fn reactors_page_newest_first_without_the_hidden() {
    let world = World::new();
    let mona = world.join("mona").await;
    let target = Target::Post(world.publish(&mona, "صورة", Visibility::Public).await);
    let mut fans = Vec::new();
    for n in 0..5 {
        let fan = world.join(&format!("fan{n}")).await;
        world.clock.advance(Duration::from_secs(1));
        world.reactions.react(&fan, target, ReactionKind::Like, None).await.unwrap();
        fans.push(fan);
    }
    world.graph.block(&mona, id(&fans[3]), None).await.unwrap();
    let mut view = world.view(&mona).await;
    let seen =
        all_pages(async |after, limit| world.reactions.reactors(view.as_mut(), target, after, limit).await).await;
    let expected: Vec<_> = [4, 2, 1, 0].map(|n: usize| (id(&fans[n]), ReactionKind::Like)).to_vec();
    assert_eq!(seen.into_iter().map(|(edge, kind)| (edge.profile, kind)).collect::<Vec<_>>(), expected);
}
