//! The inbox laws: what is delivered, when it counts, and how it goes.

use super::{last_page, world};
use crate::id::{FeedSessionId, PostId};
use crate::port::Ports;
use crate::port::store::{InboxReason, PageServed};
use crate::post::{Post, Visibility};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing, limit};

/// What somebody's own feed holds, newest first.
async fn feed(world: &Fixture, of: &Person) -> Vec<PostId> {
    last_page(world.view(&of.actor()).await.feed().newest(world.now(), None, limit(100)).await.unwrap())
}

/// Why a post is a candidate of somebody's.
async fn reason(world: &Fixture, of: &Person, post: &Post) -> Option<InboxReason> {
    let all = world.view(&of.actor()).await.feed().candidates(world.now(), 500).await.unwrap();
    all.iter().find(|candidate| candidate.post == post.id).map(|candidate| candidate.reason)
}

/// A post reaches every follower once, in chunks that cover all of them, however often a chunk is repeated.
pub async fn a_post_is_delivered_once_to_each(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let mut followers = Vec::new();
    for n in 0..7 {
        let follower = world.person(format!("follower{n}").as_str()).await;
        world.follow(&follower, &mona).await;
        followers.push(follower);
    }
    let post = world.post(&mona, "1").await;
    let at = world.tick();
    let chunk = async |from| {
        let mut unit = world.unit(&PLATFORM).await;
        let chunk = unit.feed().deliver(post.id, from, 3, at).await.unwrap();
        unit.commit().await.unwrap();
        chunk
    };
    let (mut from, mut rows, mut chunks) = (None, 0, 0);
    loop {
        let delivered = chunk(from).await;
        assert!(delivered.rows <= 3);
        let again = chunk(from).await;
        assert_eq!((again.rows, again.next), (0, delivered.next), "repeating a chunk changes nothing");
        rows += delivered.rows;
        chunks += 1;
        from = delivered.next;
        if from.is_none() {
            break;
        }
        assert!(chunks < 10, "the chunks must come to an end");
    }
    assert_eq!((rows, chunks), (7, 3));
    for follower in &followers {
        assert_eq!(feed(&world, follower).await, [post.id]);
        assert_eq!(reason(&world, follower, &post).await, Some(InboxReason::Follow));
    }
}

/// Followers who may not see a post do not get it.
pub async fn only_who_may_see_gets_it(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let (ali, blocked, blocker) =
        (world.person("ali").await, world.person("blocked").await, world.person("blocker").await);
    let stranger = world.person("stranger").await;
    for follower in [&ali, &blocked, &blocker] {
        world.follow(follower, &mona).await;
    }
    world.block(&mona, &blocked).await;
    world.block(&blocker, &mona).await;
    for visibility in [Visibility::Public, Visibility::Followers, Visibility::Unlisted] {
        let post = world.post(&mona, Writing::new("1").visible(visibility)).await;
        assert_eq!(world.deliver(&post).await, 1, "{visibility:?}");
        assert_eq!(feed(&world, &ali).await[0], post.id);
    }
    let private = world.post(&mona, Writing::new("1").visible(Visibility::Private)).await;
    assert_eq!(world.deliver(&private).await, 0);
    let deleted = world.post(&mona, "1").await;
    let deleted = world.delete(&deleted).await;
    assert_eq!(world.deliver(&deleted).await, 0);
    world.unblock(&mona, &blocked).await;
    for nobody in [&blocked, &stranger] {
        assert!(feed(&world, nobody).await.is_empty());
    }
}

/// A post for a circle goes to its members, one for the mentioned to them, whether they follow or not.
pub async fn circles_and_mentions_are_delivered(ports: &Ports) {
    let world = world(ports);
    let mona = world.person(Draft::new("mona").private()).await;
    let (ali, sara, nada) = (world.person("ali").await, world.person("sara").await, world.person("nada").await);
    world.follow(&nada, &mona).await;
    let circle = world.circle(&mona, "الشلة", &[&ali, &sara]).await;
    let close = world.post(&mona, Writing::new("لينا").visible(Visibility::Circle(circle.id))).await;
    let meant = world.post(&mona, Writing::new("@sara").visible(Visibility::Mentioned).mention(&sara)).await;
    assert_eq!((world.deliver(&close).await, world.deliver(&meant).await), (2, 1));
    assert_eq!(feed(&world, &ali).await, [close.id]);
    assert_eq!(feed(&world, &sara).await, [meant.id, close.id]);
    assert!(feed(&world, &nada).await.is_empty());
    assert_eq!(reason(&world, &ali, &close).await, Some(InboxReason::Circle));
    assert_eq!(reason(&world, &sara, &meant).await, Some(InboxReason::Mention));
    let mut unit = world.unit(&mona.actor()).await;
    unit.graph().delete_circle_member(circle.id, sara.id).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(feed(&world, &sara).await, [meant.id]);
}

/// A row counts only while the edge it came by stands, whether or not it was taken out yet.
pub async fn a_row_counts_while_its_edge_stands(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let post = world.published(&mona, "1").await;
    assert_eq!(feed(&world, &ali).await, [post.id]);
    world.unfollow(&ali, &mona).await;
    assert!(feed(&world, &ali).await.is_empty());
    assert_eq!(reason(&world, &ali, &post).await, None);
    world.follow(&ali, &mona).await;
    assert_eq!(feed(&world, &ali).await, [post.id], "the row was there all the time");
    world.block(&mona, &ali).await;
    assert!(feed(&world, &ali).await.is_empty());
    world.unblock(&mona, &ali).await;
    let post = world.delete(&post).await;
    assert!(feed(&world, &ali).await.is_empty());
    world.edit(&post, |post| post.deleted_at = None).await;
    assert_eq!(feed(&world, &ali).await, [post.id]);
}

/// Ending a follow takes the author's posts out of the inbox, and nobody else's.
pub async fn an_unfollow_withdraws(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    for author in [&mona, &sara] {
        world.follow(&ali, author).await;
    }
    world.published(&mona, "1").await;
    world.published(&mona, "2").await;
    let kept = world.published(&sara, "3").await;
    world.unfollow(&ali, &mona).await;
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.feed().withdraw_author(ali.id, mona.id).await.unwrap(), 2);
    assert_eq!(unit.feed().withdraw_author(ali.id, mona.id).await.unwrap(), 0);
    unit.commit().await.unwrap();
    world.follow(&ali, &mona).await;
    assert_eq!(feed(&world, &ali).await, [kept.id], "they were really taken out");
}

/// An unfollow that is worked off after the follow stands again takes nothing out.
pub async fn a_refollow_keeps_the_inbox(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let post = world.published(&mona, "1").await;
    world.unfollow(&ali, &mona).await;
    world.follow(&ali, &mona).await;
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.feed().withdraw_author(ali.id, mona.id).await.unwrap(), 0);
    unit.commit().await.unwrap();
    assert_eq!(feed(&world, &ali).await, [post.id]);
}

/// A post is taken out of all inboxes, so many rows at a time.
pub async fn a_post_is_withdrawn(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    for n in 0..5 {
        let follower = world.person(format!("follower{n}").as_str()).await;
        world.follow(&follower, &mona).await;
    }
    let (post, other) = (world.published(&mona, "1").await, world.published(&mona, "2").await);
    let mut from = None;
    for expected in [2, 2, 1] {
        let mut unit = world.unit(&PLATFORM).await;
        let chunk = unit.feed().withdraw_post(post.id, from, 2).await.unwrap();
        assert_eq!((chunk.rows, chunk.next.is_some()), (expected, expected == 2));
        unit.commit().await.unwrap();
        from = chunk.next;
    }
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.feed().withdraw_post(post.id, None, 9).await.unwrap().rows, 0, "it is in no inbox");
    unit.commit().await.unwrap();
    assert_eq!(world.deliver(&other).await, 0, "the other one is still everywhere");
    assert_eq!(world.deliver(&post).await, 5);
}

/// Whoever a post was made for loses it: members of circles and the mentioned, too.
pub async fn a_post_for_few_is_withdrawn(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    let circle = world.circle(&mona, "الشلة", &[&ali, &sara]).await;
    for writing in [
        Writing::new("للشلة").visible(Visibility::Circle(circle.id)),
        Writing::new("@ali @sara").visible(Visibility::Mentioned).mention(&ali).mention(&sara),
    ] {
        let post = world.published(&mona, writing).await;
        assert_eq!((feed(&world, &ali).await, feed(&world, &sara).await), (vec![post.id], vec![post.id]));
        let mut unit = world.unit(&PLATFORM).await;
        let chunk = unit.feed().withdraw_post(post.id, None, 100).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!((chunk.rows, chunk.next), (2, None));
        assert!(feed(&world, &ali).await.is_empty());
    }
}

/// Who begins to follow gets the author's newest pushed posts that they may see, if the follow still stands.
pub async fn a_follow_is_backfilled(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let circle = world.circle(&mona, "الشلة", &[]).await;
    let old = world.post(&mona, "قديم").await;
    let since = world.tick();
    let mut posts = Vec::new();
    for text in ["1", "2", "3"] {
        posts.insert(0, world.post(&mona, text).await.id);
    }
    world.post(&mona, Writing::new("كبير").pull()).await;
    for hidden in [Visibility::Private, Visibility::Circle(circle.id), Visibility::Mentioned] {
        world.post(&mona, Writing::new("مش ليك").visible(hidden)).await;
    }
    let backfill = async |limit| {
        let mut unit = world.unit(&PLATFORM).await;
        let rows = unit.feed().backfill(ali.id, mona.id, since, limit, world.tick()).await.unwrap();
        unit.commit().await.unwrap();
        rows
    };
    assert_eq!(backfill(10).await, 0, "nobody follows");
    world.follow(&ali, &mona).await;
    assert_eq!(backfill(2).await, 2);
    let own = feed(&world, &ali).await;
    assert!(own.contains(&posts[0]) && own.contains(&posts[1]) && !own.contains(&posts[2]), "the newest first");
    assert_eq!((backfill(10).await, backfill(10).await), (1, 0), "what is there is left as it is");
    assert!(feed(&world, &ali).await.contains(&posts[2]) && !feed(&world, &ali).await.contains(&old.id));
}

/// An author who crosses the threshold either way loses and doubles nothing: pushed and pulled posts are one feed.
pub async fn crossing_the_threshold_loses_nothing(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let mut expected = Vec::new();
    for pull in [false, true, true, false, true] {
        let writing = if pull { Writing::new("1").pull() } else { Writing::new("1") };
        let post = if pull { world.post(&mona, writing).await } else { world.published(&mona, writing).await };
        expected.insert(0, post.id);
    }
    // A post that was delivered although it is pulled is one post.
    let both = world.published(&mona, Writing::new("1").pull()).await;
    expected.insert(0, both.id);
    assert_eq!(feed(&world, &ali).await, expected);
    let candidates = world.view(&ali.actor()).await.feed().candidates(world.now(), 500).await.unwrap();
    assert_eq!(candidates.iter().map(|c| c.post).collect::<Vec<_>>(), expected);
    assert!(candidates.iter().all(|c| c.reason == InboxReason::Follow && c.author == mona.id));
    world.unfollow(&ali, &mona).await;
    assert!(feed(&world, &ali).await.is_empty());
}

/// Only the platform delivers and withdraws; people freeze and weigh for themselves.
pub async fn the_inbox_is_the_platforms(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let (post, fresh) = (world.published(&mona, "1").await, world.post(&mona, "2").await);
    let at = world.tick();
    for stranger in [mona.actor(), crate::Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.feed().deliver(fresh.id, None, 10, at).await, Ok(chunk) if chunk.rows > 0));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(!matches!(unit.feed().withdraw_post(post.id, None, 10).await, Ok(chunk) if chunk.rows > 0));
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let page = PageServed { viewer: ali.id, at, items: vec![(post.id, vec![1])] };
        assert!(unit.feed().record_pages(&[page]).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let session: FeedSessionId = world.draw();
        assert!(unit.feed().freeze(session, ali.id, &[(post.id, vec![1])], at).await.is_err());
    }
    assert_eq!(feed(&world, &ali).await, [post.id]);
}
