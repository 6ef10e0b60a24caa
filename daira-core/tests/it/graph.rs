//! Following, asking, shutting out, muting, circles.

use std::time::Duration;

use daira_core::account::{AccountRefusal, AccountState};
use daira_core::actor::{Actor, ActorRefusal};
use daira_core::error::CommonRefusal;
use daira_core::event::Event;
use daira_core::graph::{FollowOutcome, GraphRefusal, MAX_CIRCLES, MuteWhat, Relation};
use daira_core::id::{CircleId, Id, ProfileId};
use daira_core::port::{LimitRefusal, Quota};
use daira_core::time::Timestamp;

use crate::world::{World, all_pages, id, key, limit, not_found, refused};

async fn relation(world: &World, from: &Actor, to: &Actor) -> Option<Relation> {
    let mut view = world.view(from).await;
    world.graph.relations(view.as_mut(), &[id(to)]).await.unwrap().pop().map(|(_, relation)| relation)
}

#[tokio::test]
async fn following_twice_is_following_once() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    assert_eq!(world.graph.follow(&mona, id(&karim), None).await.unwrap(), FollowOutcome::Following);
    assert_eq!(world.graph.follow(&mona, id(&karim), None).await.unwrap(), FollowOutcome::AlreadyFollowing);
    let events = world.events().await;
    let [Event::Followed(event)] = &events.iter().map(|one| one.event.clone()).collect::<Vec<_>>()[..] else {
        panic!("{events:?}")
    };
    assert_eq!((event.follower_id, event.followee_id, event.approved), (id(&mona).raw(), id(&karim).raw(), false));
    assert!(relation(&world, &karim, &mona).await.unwrap().followed_by);

    assert!(world.graph.unfollow(&mona, id(&karim), None).await.unwrap());
    assert!(!world.graph.unfollow(&mona, id(&karim), None).await.unwrap());
    assert_eq!(world.happened().await, ["daira.graph.v1.unfollowed"]);
}

#[tokio::test]
async fn how_many_one_may_follow_in_a_day_grows_with_trust() {
    let world = World::with(|ports| ports.settings_mut().limits.follows = Quota::a_day(10));
    let [mona, a, b, c, d] = world.join_all(["mona", "a.a", "b.b", "c.c", "d.d"]).await;
    let follow = async |whom, key| world.graph.follow(&mona, id(whom), key).await;
    follow(&a, Some(key("k"))).await.unwrap();
    follow(&a, Some(key("k"))).await.unwrap();
    assert_eq!(
        follow(&a, None).await.unwrap(),
        FollowOutcome::AlreadyFollowing,
        "what changes nothing counts for nothing"
    );
    follow(&b, None).await.unwrap();
    let error = follow(&c, None).await.unwrap_err();
    assert_eq!(error.refusal(), Some(LimitRefusal::Reached), "a fifth of ten");
    let wait = error.retry_after().unwrap();
    assert_eq!(wait, Duration::from_hours(12));
    assert!(relation(&world, &mona, &c).await.is_none_or(|relation| !relation.follows), "nothing is left behind");
    world.clock.advance(wait);
    follow(&c, None).await.unwrap();
    assert!(follow(&d, None).await.is_err());
    world.clock.advance(Duration::from_hours(24 * 90));
    for whom in [&d, &a, &b, &c] {
        world.graph.unfollow(&mona, id(whom), None).await.unwrap();
        follow(whom, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_makes_one_effect_and_one_answer() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    for _ in 0..3 {
        let outcome = world.graph.follow(&mona, id(&karim), Some(key("k1"))).await.unwrap();
        assert_eq!(outcome, FollowOutcome::Following, "a replay has the first answer");
    }
    refused(world.graph.follow(&mona, id(&sara), Some(key("k1"))).await, CommonRefusal::KeyReused);
    world.graph.follow(&sara, id(&karim), Some(key("k1"))).await.unwrap();
    assert_eq!(world.happened().await.len(), 2, "a key belongs to one actor");
}

#[tokio::test]
async fn private_people_are_asked_first() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    world.change(&karim, |profile| profile.private = true).await;
    for (asker, outcome) in
        [(&mona, FollowOutcome::Requested), (&mona, FollowOutcome::AlreadyRequested), (&sara, FollowOutcome::Requested)]
    {
        assert_eq!(world.graph.follow(asker, id(&karim), None).await.unwrap(), outcome);
    }
    let mut view = world.view(&karim).await;
    let asking = world.graph.requests(&karim, view.as_mut(), None, limit(10)).await.unwrap();
    assert_eq!(asking.items.len(), 2);

    assert!(world.graph.approve_request(&karim, id(&mona), None).await.unwrap());
    assert!(!world.graph.approve_request(&karim, id(&mona), None).await.unwrap(), "approving again changes nothing");
    assert_eq!(world.graph.follow(&mona, id(&karim), None).await.unwrap(), FollowOutcome::AlreadyFollowing);
    assert!(world.graph.refuse_request(&karim, id(&sara), None).await.unwrap());
    assert!(!world.graph.refuse_request(&karim, id(&sara), None).await.unwrap());
    not_found(world.graph.approve_request(&karim, id(&sara), None).await);
    let requested = "daira.graph.v1.follow_requested";
    assert_eq!(world.happened().await, [requested, requested, "daira.graph.v1.followed"]);
}

#[tokio::test]
async fn a_withdrawn_request_cannot_be_approved() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    world.change(&karim, |profile| profile.private = true).await;
    world.graph.follow(&mona, id(&karim), None).await.unwrap();
    assert!(world.graph.cancel_request(&mona, id(&karim), None).await.unwrap());
    assert!(!world.graph.cancel_request(&mona, id(&karim), None).await.unwrap());
    not_found(world.graph.approve_request(&karim, id(&mona), None).await);
    assert!(!relation(&world, &mona, &karim).await.unwrap().follows);
}

#[tokio::test]
async fn a_request_becomes_a_follow_when_the_profile_is_open_by_now() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    world.change(&karim, |profile| profile.private = true).await;
    world.graph.follow(&mona, id(&karim), None).await.unwrap();
    world.change(&karim, |profile| profile.private = false).await;
    assert_eq!(world.graph.follow(&mona, id(&karim), None).await.unwrap(), FollowOutcome::Following);
    let relation = relation(&world, &mona, &karim).await.unwrap();
    assert!(relation.follows && !relation.requested);
}

#[tokio::test]
async fn hidden_people_are_as_good_as_missing() {
    let world = World::new();
    let [mona, blocker, blocked, gone, asleep] = world.join_all(["mona", "blocker", "blocked", "gone", "asleep"]).await;
    world.graph.block(&blocker, id(&mona), None).await.unwrap();
    world.graph.block(&mona, id(&blocked), None).await.unwrap();
    world.set_state(&gone, AccountState::Deleted).await;
    world.set_state(&asleep, AccountState::Deactivated).await;
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    let nobody = ProfileId::from_raw(1);
    for target in [nobody, id(&blocker), id(&blocked), id(&gone), id(&asleep)] {
        not_found(world.graph.follow(&mona, target, None).await);
        not_found(world.graph.mute(&mona, target, MuteWhat { posts: true, ..MuteWhat::default() }, None).await);
        not_found(world.graph.add_circle_member(&mona, circle, target, None).await);
        not_found(world.graph.approve_request(&mona, target, None).await);
        assert!(!world.graph.unfollow(&mona, target, None).await.unwrap());
        assert!(!world.graph.cancel_request(&mona, target, None).await.unwrap());
        world.graph.mute(&mona, target, MuteWhat::default(), None).await.unwrap();
    }
    for target in [nobody, id(&blocker), id(&gone), id(&asleep)] {
        not_found(world.graph.block(&mona, target, None).await);
        assert!(!world.graph.unblock(&mona, target, None).await.unwrap());
    }
    assert_eq!(relation(&world, &mona, &blocker).await, None, "who blocks is left out");
    assert!(relation(&world, &mona, &blocked).await.unwrap().blocks, "whom one blocks is told");
}

#[tokio::test]
async fn nobody_does_it_to_themselves_under_any_face() {
    let world = World::new();
    let mona = world.join("mona").await;
    let mask = world.face(mona.member().unwrap().account, "moonlight").await;
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    for target in [id(&mona), id(&mask)] {
        refused(world.graph.follow(&mona, target, None).await, GraphRefusal::Yourself);
        refused(world.graph.block(&mona, target, None).await, GraphRefusal::Yourself);
        refused(world.graph.add_circle_member(&mona, circle, target, None).await, GraphRefusal::Yourself);
        let mute = world.graph.mute(&mona, target, MuteWhat { posts: true, ..MuteWhat::default() }, None).await;
        refused(mute, GraphRefusal::Yourself);
    }
}

#[tokio::test]
async fn restricted_accounts_protect_themselves_and_reach_nobody() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    world.graph.follow(&mona, id(&karim), None).await.unwrap();
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    world.graph.add_circle_member(&mona, circle, id(&karim), None).await.unwrap();
    world.change(&mona, |profile| profile.private = true).await;
    world.graph.follow(&sara, id(&mona), None).await.unwrap();
    world.set_state(&mona, AccountState::Restricted).await;

    refused(world.graph.follow(&mona, id(&sara), None).await, GraphRefusal::Restricted);
    refused(world.graph.approve_request(&mona, id(&sara), None).await, GraphRefusal::Restricted);
    refused(world.graph.create_circle(&mona, "تانية", None).await, GraphRefusal::Restricted);
    refused(world.graph.rename_circle(&mona, circle, "تانية", None).await, GraphRefusal::Restricted);
    refused(world.graph.add_circle_member(&mona, circle, id(&sara), None).await, GraphRefusal::Restricted);

    assert!(world.graph.unfollow(&mona, id(&karim), None).await.unwrap());
    assert!(world.graph.refuse_request(&mona, id(&sara), None).await.unwrap());
    assert!(world.graph.remove_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    world.graph.delete_circle(&mona, circle, None).await.unwrap();
    assert!(world.graph.block(&mona, id(&sara), None).await.unwrap());
}

#[tokio::test]
async fn only_members_with_a_usable_account_act() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    refused(world.graph.follow(&Actor::Anonymous, id(&mona), None).await, ActorRefusal::LogInFirst);
    refused(world.graph.block(&Actor::System("test"), id(&mona), None).await, ActorRefusal::LogInFirst);
    let later = Timestamp::from_seconds(4_000_000_000);
    for (state, refusal) in [
        (AccountState::Suspended(later), AccountRefusal::Suspended),
        (AccountState::Deactivated, AccountRefusal::TokenInvalid),
        (AccountState::Deleted, AccountRefusal::TokenInvalid),
    ] {
        world.set_state(&mona, state).await;
        refused(world.graph.follow(&mona, id(&karim), None).await, refusal);
    }
    world.set_state(&mona, AccountState::Suspended(Timestamp::EPOCH)).await;
    assert_eq!(world.graph.follow(&mona, id(&karim), None).await.unwrap(), FollowOutcome::Following, "it is over");
}

#[tokio::test]
async fn a_block_ends_what_was_between_the_two() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    world.graph.follow(&mona, id(&karim), None).await.unwrap();
    world.graph.follow(&karim, id(&mona), None).await.unwrap();
    world.graph.follow(&sara, id(&mona), None).await.unwrap();
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    for person in [&karim, &sara] {
        world.graph.add_circle_member(&mona, circle, id(person), None).await.unwrap();
    }
    world.events().await;

    assert!(world.graph.block(&mona, id(&karim), None).await.unwrap());
    assert!(!world.graph.block(&mona, id(&karim), None).await.unwrap());
    let unfollowed = "daira.graph.v1.unfollowed";
    assert_eq!(world.happened().await, [unfollowed, unfollowed, "daira.graph.v1.blocked"]);
    let mut view = world.view(&mona).await;
    let members = world.graph.circle_members(&mona, view.as_mut(), circle, None, limit(10)).await.unwrap();
    assert_eq!(members.into_nodes().iter().map(|edge| edge.profile).collect::<Vec<_>>(), [id(&sara)]);
    let blocks = world.graph.blocks(&mona, view.as_mut(), None, limit(10)).await.unwrap();
    assert_eq!(blocks.items[0].0.1.id, id(&karim));

    assert!(world.graph.unblock(&mona, id(&karim), None).await.unwrap());
    assert!(!world.graph.unblock(&mona, id(&karim), None).await.unwrap());
    assert_eq!(world.happened().await, ["daira.graph.v1.unblocked"]);
    let relation = relation(&world, &mona, &karim).await.unwrap();
    assert_eq!(relation, Relation::default(), "what the block ended does not come back");
    assert!(!world.graph.remove_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    assert_eq!(world.graph.follow(&karim, id(&mona), None).await.unwrap(), FollowOutcome::Following);
}

#[tokio::test]
async fn a_block_ends_requests_both_ways() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    for person in [&mona, &karim] {
        world.change(person, |profile| profile.private = true).await;
    }
    world.graph.follow(&mona, id(&karim), None).await.unwrap();
    world.graph.follow(&karim, id(&mona), None).await.unwrap();
    world.graph.block(&mona, id(&karim), None).await.unwrap();
    world.graph.unblock(&mona, id(&karim), None).await.unwrap();
    for (owner, asker) in [(&mona, &karim), (&karim, &mona)] {
        not_found(world.graph.approve_request(owner, id(asker), None).await);
    }
}

#[tokio::test]
async fn a_block_shuts_out_every_face_and_reveals_none() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let mask = world.face(karim.member().unwrap().account, "nightowl").await;
    world.graph.follow(&mask, id(&mona), None).await.unwrap();
    world.graph.block(&mona, id(&karim), None).await.unwrap();

    for face in [&karim, &mask] {
        not_found(world.graph.follow(face, id(&mona), None).await);
        assert_eq!(relation(&world, face, &mona).await, None);
    }
    let seen = relation(&world, &mona, &mask).await.unwrap();
    assert!(seen.followed_by && !seen.blocks, "the blocker's view of the other face is as before");
    assert_eq!(world.graph.follow(&mona, id(&mask), None).await.unwrap(), FollowOutcome::Following);
}

#[tokio::test]
async fn removing_a_follower_takes_them_out_of_circles() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    for person in [&karim, &sara] {
        world.graph.add_circle_member(&mona, circle, id(person), None).await.unwrap();
    }
    world.graph.follow(&karim, id(&mona), None).await.unwrap();
    world.events().await;

    assert!(world.graph.remove_follower(&mona, id(&karim), None).await.unwrap());
    assert!(!world.graph.remove_follower(&mona, id(&karim), None).await.unwrap());
    assert!(!world.graph.remove_follower(&mona, id(&sara), None).await.unwrap(), "she did not follow");
    assert_eq!(world.happened().await, ["daira.graph.v1.unfollowed"]);
    assert!(!world.graph.remove_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    assert!(world.graph.remove_circle_member(&mona, circle, id(&sara), None).await.unwrap(), "she stayed");
}

#[tokio::test]
async fn mutes_are_set_changed_and_lifted() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let what = MuteWhat { posts: true, stories: false, notifications: true };
    world.graph.mute(&mona, id(&karim), what, None).await.unwrap();
    let muted = relation(&world, &mona, &karim).await.unwrap();
    assert!(muted.mutes_posts && !muted.mutes_stories && muted.mutes_notifications);
    let mut view = world.view(&mona).await;
    assert_eq!(world.graph.mutes(&mona, view.as_mut(), None, limit(5)).await.unwrap().items.len(), 1);
    world.graph.mute(&mona, id(&karim), MuteWhat::default(), None).await.unwrap();
    assert_eq!(relation(&world, &mona, &karim).await, Some(Relation::default()));
    assert!(world.events().await.is_empty(), "mutes are nobody's business");
}

#[tokio::test]
async fn circles_are_their_owners_alone() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let circle = world.graph.create_circle(&mona, "  الشلة ", Some(key("c"))).await.unwrap();
    assert_eq!(world.graph.create_circle(&mona, "  الشلة ", Some(key("c"))).await.unwrap(), circle);
    assert!(world.graph.add_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    assert!(!world.graph.add_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    for foreign in [circle, CircleId::from_raw(1)] {
        not_found(world.graph.rename_circle(&sara, foreign, "بتاعتي", None).await);
        not_found(world.graph.add_circle_member(&sara, foreign, id(&karim), None).await);
        not_found(world.graph.remove_circle_member(&sara, foreign, id(&karim), None).await);
        not_found(world.graph.delete_circle(&sara, foreign, None).await);
        let mut view = world.view(&sara).await;
        let members = world.graph.circle_members(&sara, view.as_mut(), foreign, None, limit(5)).await.unwrap();
        assert!(members.items.is_empty());
    }
    world.graph.rename_circle(&mona, circle, "العيلة", None).await.unwrap();
    let mut view = world.view(&mona).await;
    let circles = world.graph.circles(&mona, view.as_mut()).await.unwrap();
    assert_eq!(circles.iter().map(|circle| circle.name.as_str()).collect::<Vec<_>>(), ["العيلة"]);
    assert!(world.graph.remove_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    assert!(!world.graph.remove_circle_member(&mona, circle, id(&karim), None).await.unwrap());
    assert_eq!(world.happened().await, ["daira.graph.v1.circle_member_removed"]);
    world.graph.delete_circle(&mona, circle, None).await.unwrap();
    not_found(world.graph.delete_circle(&mona, circle, None).await);
}

#[tokio::test]
async fn circles_are_named_and_few() {
    let world = World::new();
    let mona = world.join("mona").await;
    for bad in ["", " \u{200B} ", &"د".repeat(51), &"x".repeat(1_000_000)] {
        refused(world.graph.create_circle(&mona, bad, None).await, GraphRefusal::CircleNameInvalid);
    }
    for bad in ["a\nb", "a\u{202E}b", "a\u{0}b"] {
        refused(world.graph.create_circle(&mona, bad, None).await, GraphRefusal::ForbiddenCharacter);
    }
    for n in 0..MAX_CIRCLES {
        world.graph.create_circle(&mona, &format!("دايرة {n}"), None).await.unwrap();
    }
    refused(world.graph.create_circle(&mona, "زيادة", None).await, GraphRefusal::TooManyCircles);
}

#[tokio::test]
async fn lists_page_without_gaps_and_hide_the_hidden() {
    let world = World::new();
    let mona = world.join("mona").await;
    let mut fans = Vec::new();
    for n in 0..9 {
        let fan = world.join(&format!("fan{n}")).await;
        world.clock.advance(Duration::from_secs(1));
        world.graph.follow(&fan, id(&mona), None).await.unwrap();
        fans.push(fan);
    }
    for blocked in &fans[2..7] {
        world.graph.block(&fans[0], id(blocked), None).await.unwrap();
    }
    let mut view = world.view(&fans[0]).await;
    let seen =
        all_pages(async |after, limit| world.graph.followers(view.as_mut(), id(&mona), after, limit).await).await;
    let expected: Vec<_> = [8, 7, 1, 0].map(|n: usize| id(&fans[n])).to_vec();
    assert_eq!(seen.iter().map(|edge| edge.profile).collect::<Vec<_>>(), expected);

    let first = world.graph.followers(view.as_mut(), id(&mona), None, limit(2)).await.unwrap();
    let cursor = first.next();
    refused(world.graph.followers(view.as_mut(), id(&fans[1]), cursor, limit(2)).await, CommonRefusal::Cursor);
    refused(world.graph.following(view.as_mut(), id(&mona), cursor, limit(2)).await, CommonRefusal::Cursor);
    refused(world.graph.followers(view.as_mut(), id(&mona), Some("nonsense"), limit(2)).await, CommonRefusal::Cursor);
    let mut nobody = world.view(&Actor::Anonymous).await;
    let own = world.graph.requests(&Actor::Anonymous, nobody.as_mut(), None, limit(2)).await;
    refused(own, ActorRefusal::LogInFirst);
}
