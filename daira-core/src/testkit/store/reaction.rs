//! Reactions: one per person and target.

use super::{all_pages, last_page, world};
use crate::actor::Actor;
use crate::id::{CommentId, Id};
use crate::port::Ports;
use crate::port::store::EdgeKey;
use crate::post::Visibility;
use crate::reaction::{Reaction, ReactionKind, Target};
use crate::testkit::fixture::{Writing, limit};

const ALL: i64 = 100;

/// A reaction replaces the one before and says what it was; taking it back says so too.
pub async fn one_reaction_per_person_and_target(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let target = Target::Post(world.post(&mona, "1").await.id);
    let mut before = None;
    for kind in [ReactionKind::Like, ReactionKind::Angry, ReactionKind::Angry, ReactionKind::Love] {
        let mut unit = world.unit(&ali.actor()).await;
        let reaction = Reaction { by: ali.id, target, kind, at: world.tick() };
        assert_eq!(unit.reactions().put(&reaction).await.unwrap(), before);
        unit.commit().await.unwrap();
        before = Some(kind);
    }
    let listed =
        last_page(world.view(&mona.actor()).await.reactions().reactors(target, None, limit(ALL)).await.unwrap());
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].0.profile, listed[0].1), (ali.id, ReactionKind::Love));
    let mut unit = world.unit(&ali.actor()).await;
    assert_eq!(unit.reactions().remove(ali.id, target).await.unwrap(), Some(ReactionKind::Love));
    assert_eq!(unit.reactions().remove(ali.id, target).await.unwrap(), None);
    unit.commit().await.unwrap();
    assert!(
        world.view(&mona.actor()).await.reactions().reactors(target, None, limit(ALL)).await.unwrap().items.is_empty()
    );
}

/// A post and a comment that happen to have the same number are different things.
pub async fn posts_and_comments_are_different_targets(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "1").await;
    let mut comment = world.said(&mona, &post, None, "2");
    comment.id = CommentId::from_raw(post.id.raw());
    let mut unit = world.unit(&mona.actor()).await;
    unit.comments().insert(&comment).await.unwrap();
    unit.commit().await.unwrap();
    world.react(&mona, Target::Post(post.id), ReactionKind::Like).await;
    world.react(&mona, Target::Comment(comment.id), ReactionKind::Sad).await;
    let mut view = world.view(&mona.actor()).await;
    assert_eq!(view.posts().cards(&[post.id]).await.unwrap()[0].viewer_reaction, Some(ReactionKind::Like));
    assert_eq!(view.comments().cards(&[comment.id]).await.unwrap()[0].viewer_reaction, Some(ReactionKind::Sad));
    for (target, kind) in
        [(Target::Post(post.id), ReactionKind::Like), (Target::Comment(comment.id), ReactionKind::Sad)]
    {
        let listed = last_page(view.reactions().reactors(target, None, limit(ALL)).await.unwrap());
        assert_eq!(listed.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), [kind]);
    }
}

/// Who reacted, newest first, also under ties, for posts and comments alike.
pub async fn reactors_go_newest_first(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "1").await;
    let comment = world.comment(&mona, &post, None, "2").await;
    for (kind, target) in [("post", Target::Post(post.id)), ("comment", Target::Comment(comment.id))] {
        let mut expected = Vec::new();
        let at = world.tick();
        for n in 0..6 {
            let person = world.person(format!("on.{kind}{n}").as_str()).await;
            // Two share each instant.
            let at = at + core::time::Duration::from_millis(n / 2);
            let reaction = Reaction { by: person.id, target, kind: ReactionKind::Laugh, at };
            let mut unit = world.unit(&person.actor()).await;
            unit.reactions().put(&reaction).await.unwrap();
            unit.commit().await.unwrap();
            expected.push(EdgeKey { at, profile: person.id });
        }
        expected.sort_unstable_by(|a, b| b.cmp(a));
        let mut view = world.view(&Actor::Anonymous).await;
        let reads = view.reactions();
        let all = all_pages!(|after, size| reads.reactors(target, after, size).await.unwrap(), |r| EdgeKey::of(&r.0));
        assert_eq!(all.iter().map(|(edge, _)| EdgeKey::of(edge)).collect::<Vec<_>>(), expected);
    }
}

/// Nobody learns who reacted to what they do not see, and people hidden from the viewer are left out.
pub async fn reactors_are_visible_people(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    let post = world.post(&mona, "1").await;
    let closed = world.post(&mona, Writing::new("2").visible(Visibility::Followers)).await;
    let comment = world.comment(&mona, &closed, None, "3").await;
    for target in [Target::Post(post.id), Target::Post(closed.id), Target::Comment(comment.id)] {
        for person in [&mona, &ali, &eve] {
            world.react(person, target, ReactionKind::Like).await;
        }
    }
    world.block(&ali, &eve).await;
    for (viewer, expected) in [
        (mona.actor(), vec![eve.id, ali.id, mona.id]),
        (ali.actor(), vec![ali.id, mona.id]),
        (eve.actor(), vec![eve.id, mona.id]),
    ] {
        let listed =
            world.view(&viewer).await.reactions().reactors(Target::Post(post.id), None, limit(ALL)).await.unwrap();
        assert_eq!(listed.items.iter().map(|(edge, _)| edge.profile).collect::<Vec<_>>(), expected);
    }
    for viewer in [ali.actor(), Actor::Anonymous] {
        let mut view = world.view(&viewer).await;
        for hidden in [Target::Post(closed.id), Target::Comment(comment.id), Target::Post(world.draw())] {
            assert!(view.reactions().reactors(hidden, None, limit(ALL)).await.unwrap().items.is_empty());
        }
    }
}

/// Nobody reacts, or takes a reaction back, in another's name.
pub async fn nobody_reacts_for_others(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    let target = Target::Post(world.post(&mona, "1").await.id);
    world.react(&ali, target, ReactionKind::Love).await;
    for stranger in [eve.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        let forged = Reaction { by: mona.id, target, kind: ReactionKind::Angry, at: world.tick() };
        assert!(unit.reactions().put(&forged).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.reactions().remove(ali.id, target).await, Ok(Some(_))));
    }
    let listed =
        last_page(world.view(&mona.actor()).await.reactions().reactors(target, None, limit(ALL)).await.unwrap());
    assert_eq!(
        listed.iter().map(|(edge, kind)| (edge.profile, *kind)).collect::<Vec<_>>(),
        [(ali.id, ReactionKind::Love)]
    );
}
