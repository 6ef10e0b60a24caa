//! Counters: views of the rows, and the reconciler that proves them.

use super::world;
use crate::id::Id;
use crate::port::Ports;
use crate::port::store::{CounterDelta, CounterField, Recount};
use crate::post::Visibility;
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Fixture, PLATFORM, Writing};

async fn value(world: &Fixture, field: CounterField, subject: i64) -> i64 {
    world.unit(&PLATFORM).await.counters().value(field, subject).await.unwrap()
}

async fn recount(
    world: &Fixture,
    field: CounterField,
    from: Option<i64>,
    chunk: u32,
    pending: &[CounterDelta],
) -> Recount {
    let mut unit = world.unit(&PLATFORM).await;
    let found = unit.counters().recount(field, from, chunk, pending).await.unwrap();
    unit.commit().await.unwrap();
    found
}

/// Deltas add up, below zero as well: drift is never clamped away. What was never counted is zero.
pub async fn deltas_add_up(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&mona, "1").await;
    let followers = |delta| CounterDelta { field: CounterField::ProfileFollowers, subject: mona.id.raw(), delta };
    let reactions = |delta| CounterDelta { field: CounterField::PostReactions, subject: post.id.raw(), delta };
    assert_eq!(value(&world, CounterField::ProfileFollowers, mona.id.raw()).await, 0);
    for (batch, expected) in
        [(vec![followers(2), reactions(1)], (2, 1)), (vec![reactions(-3), followers(5)], (7, -2)), (vec![], (7, -2))]
    {
        let mut unit = world.unit(&PLATFORM).await;
        unit.counters().apply(&batch).await.unwrap();
        unit.commit().await.unwrap();
        let followers = value(&world, CounterField::ProfileFollowers, mona.id.raw()).await;
        assert_eq!((followers, value(&world, CounterField::PostReactions, post.id.raw()).await), expected);
    }
    assert_eq!(value(&world, CounterField::ProfileFollowing, mona.id.raw()).await, 0, "a field of its own");
    assert_eq!(value(&world, CounterField::ProfileFollowers, ali.id.raw()).await, 0);
    let mut unit = world.unit(&mona.actor()).await;
    let own = unit.counters().value(CounterField::ProfileFollowers, mona.id.raw()).await.unwrap();
    assert_eq!(own, 7, "publishing asks for the author's followers");
}

/// A counter that is off is corrected, and the correction told; one that is right is left alone.
pub async fn a_recount_corrects_drift(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    world.follow(&ali, &mona).await;
    world.follow(&sara, &mona).await;
    world.follow(&mona, &sara).await;
    world.count(CounterField::ProfileFollowers, mona.id.raw(), 5).await;
    world.count(CounterField::ProfileFollowers, sara.id.raw(), 1).await;
    let field = CounterField::ProfileFollowers;
    let found = recount(&world, field, None, 100, &[]).await;
    let drift = vec![CounterDelta { field, subject: mona.id.raw(), delta: -3 }];
    assert_eq!(found, Recount { checked: 3, drift, next: None });
    assert_eq!(value(&world, field, mona.id.raw()).await, 2);
    assert_eq!(recount(&world, field, None, 100, &[]).await.drift, []);
}

/// What events will still add is not drift: the rows have it, the counter has it to come.
pub async fn a_recount_leaves_pending_deltas_out(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let field = CounterField::ProfileFollowers;
    let subject = mona.id.raw();
    let pending = [
        CounterDelta { field, subject, delta: 1 },
        CounterDelta { field: CounterField::ProfileFollowing, subject, delta: 1 },
    ];
    assert_eq!(recount(&world, field, None, 100, &pending).await.drift, []);
    assert_eq!(value(&world, field, subject).await, 0);
    world.count(field, subject, 1).await;
    assert_eq!(recount(&world, field, None, 100, &[]).await.drift, []);
    let found = recount(&world, field, None, 100, &pending).await;
    assert_eq!(found.drift, [CounterDelta { field, subject, delta: -1 }], "counted before its event was");
}

/// Chunks go on where the last one ended and compare every subject once.
pub async fn a_recount_goes_in_chunks(ports: &Ports) {
    let world = world(ports);
    let mut people = Vec::new();
    for n in 0..5 {
        let person = world.person(format!("person{n}").as_str()).await;
        world.count(CounterField::ProfilePosts, person.id.raw(), n + 1).await;
        people.push(person.id.raw());
    }
    let (mut from, mut checked, mut drift, mut steps) = (None, 0, Vec::new(), 0);
    loop {
        let found = recount(&world, CounterField::ProfilePosts, from, 2, &[]).await;
        assert!(found.checked <= 2);
        checked += found.checked;
        drift.extend(found.drift.iter().map(|d| (d.subject, d.delta)));
        steps += 1;
        from = found.next;
        if from.is_none() {
            break;
        }
        assert!(steps < 10, "the steps must come to an end");
    }
    drift.sort_unstable();
    assert_eq!((checked, drift), (5, people.iter().copied().zip((1..=5).map(|n: i64| -n)).collect::<Vec<_>>()));
}

/// Every field is proved by its own rows, the living ones; impressions have none. Posts that not everybody may see are not
/// counted: a number would tell of them.
pub async fn every_field_is_recounted(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let (post, gone) = (world.post(&mona, "1").await, world.post(&mona, "2").await);
    world.delete(&gone).await;
    for (text, visibility) in [
        ("7", Visibility::Unlisted),
        ("8", Visibility::Private),
        ("9", Visibility::Followers),
        ("10", Visibility::Mentioned),
    ] {
        world.post(&mona, Writing::new(text).visible(visibility)).await;
    }
    let first = world.comment(&ali, &post, None, "3").await;
    let answer = world.comment(&mona, &post, Some(&first), "4").await;
    world.comment(&mona, &post, Some(&answer), "5").await;
    let silent = world.comment(&ali, &post, Some(&first), "6").await;
    world.delete_comment(&silent).await;
    for person in [&mona, &ali] {
        world.react(person, Target::Post(post.id), ReactionKind::Like).await;
    }
    world.react(&ali, Target::Comment(first.id), ReactionKind::Love).await;
    for (field, subject, expected) in [
        (CounterField::ProfilePosts, mona.id.raw(), 2),
        (CounterField::ProfileFollowers, mona.id.raw(), 1),
        (CounterField::ProfileFollowing, ali.id.raw(), 1),
        (CounterField::PostReactions, post.id.raw(), 2),
        (CounterField::PostComments, post.id.raw(), 3),
        (CounterField::CommentReactions, first.id.raw(), 1),
        (CounterField::CommentReplies, first.id.raw(), 1),
    ] {
        let drift = recount(&world, field, None, 100, &[]).await.drift;
        assert!(drift.contains(&CounterDelta { field, subject, delta: expected }), "{field:?}: {drift:?}");
        assert_eq!(value(&world, field, subject).await, expected, "{field:?}");
        assert_eq!(recount(&world, field, None, 100, &[]).await.drift, [], "{field:?}");
    }
    world.count(CounterField::PostImpressions, post.id.raw(), 9).await;
    assert_eq!(recount(&world, CounterField::PostImpressions, None, 100, &[]).await.drift, []);
    assert_eq!(value(&world, CounterField::PostImpressions, post.id.raw()).await, 9);
}

/// Nobody writes counters but the platform.
pub async fn counters_are_the_platforms(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let field = CounterField::ProfileFollowers;
    let delta = CounterDelta { field, subject: mona.id.raw(), delta: 1_000_000 };
    for stranger in [mona.actor(), crate::Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(unit.counters().apply(&[delta]).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.counters().recount(field, None, 10, &[delta]).await.is_err());
    }
    assert_eq!(value(&world, field, mona.id.raw()).await, 0);
}

/// Counters of what is not there are forgotten, however long the list is; those of what is there stay.
pub async fn counters_of_what_is_gone_are_forgotten(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "1").await;
    let comment = world.comment(&mona, &post, None, "2").await;
    let fields = [
        (CounterField::ProfileFollowers, mona.id.raw()),
        (CounterField::PostReactions, post.id.raw()),
        (CounterField::PostImpressions, post.id.raw()),
        (CounterField::CommentReplies, comment.id.raw()),
    ];
    for (field, subject) in fields {
        let gone = [subject - 1, subject + 1, subject + 2];
        for subject in gone.into_iter().chain([subject]) {
            world.count(field, subject, -1).await;
        }
        let mut from = None;
        loop {
            let mut unit = world.unit(&PLATFORM).await;
            from = unit.counters().forget(field, from, 2).await.unwrap();
            unit.commit().await.unwrap();
            if from.is_none() {
                break;
            }
        }
        assert_eq!(value(&world, field, subject).await, -1, "{field:?}");
        for subject in gone {
            assert_eq!(value(&world, field, subject).await, 0, "{field:?}");
        }
    }
}
