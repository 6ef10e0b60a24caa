//! Answering, editing, deleting, and paging through branches.

use std::time::Duration;

use daira_core::account::AccountState;
use daira_core::actor::Actor;
use daira_core::comment::{CommentRefusal, MAX_TOP};
use daira_core::error::CommonRefusal;
use daira_core::event::Event;
use daira_core::id::{CommentId, Id, PostId};
use daira_core::port::store::{CounterDelta, CounterField};
use daira_core::port::{LimitRefusal, Quota};
use daira_core::post::{CreatePost, ReplyRule, Visibility};

use crate::world::{World, all_pages, id, key, limit, not_found, post, refused};

async fn say(world: &World, by: &Actor, post: PostId, parent: Option<CommentId>) -> CommentId {
    world.clock.advance(Duration::from_secs(1));
    world.comments.create(by, post, parent, "تمام", None).await.unwrap()
}

#[tokio::test]
async fn answers_form_a_tree_of_ten_levels() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    world.events().await;
    let first = world.comments.create(&karim, post, None, "  رأيي كده ", Some(key("c"))).await.unwrap();
    assert_eq!(world.comments.create(&karim, post, None, "  رأيي كده ", Some(key("c"))).await.unwrap(), first);
    let second = say(&world, &sara, post, Some(first)).await;
    let events = world.events().await;
    let [Event::CommentCreated(one), Event::CommentCreated(two)] =
        &events.iter().map(|one| one.event.clone()).collect::<Vec<_>>()[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((one.parent_id, one.parent_author_id, one.post_author_id), (0, 0, id(&mona).raw()));
    assert_eq!((two.parent_id, two.parent_author_id, two.author_id), (first.raw(), id(&karim).raw(), id(&sara).raw()));

    let mut deepest = second;
    for _ in 3..=10 {
        deepest = say(&world, &mona, post, Some(deepest)).await;
    }
    let mut view = world.view(&mona).await;
    assert_eq!(world.comments.get(view.as_mut(), deepest).await.unwrap().comment.depth, 10);
    let too_deep = world.comments.create(&mona, post, Some(deepest), "كمان", None).await;
    refused(too_deep, CommentRefusal::TooDeep);
    assert_eq!(world.comments.get(view.as_mut(), first).await.unwrap().comment.text, "رأيي كده");
}

#[tokio::test]
async fn a_new_account_comments_less_often() {
    let world = World::with(|ports| ports.settings_mut().limits.comments = Quota::a_minute(10));
    let mona = world.join("mona").await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    let create = async |text: &str| world.comments.create(&mona, post, None, text, Some(key("again"))).await;
    let first = create("تمام").await.unwrap();
    assert_eq!(create("تمام").await.unwrap(), first, "a repeat is not counted");
    world.comments.create(&mona, post, None, "تمام", None).await.unwrap();
    let error = world.comments.create(&mona, post, None, "تمام", None).await.unwrap_err();
    assert_eq!((error.refusal(), error.retry_after()), (Some(LimitRefusal::Reached), Some(Duration::from_secs(30))));
    assert_eq!(create("تمام").await.unwrap(), first, "what was done before is answered all the same");
    world.clock.advance(Duration::from_secs(30));
    world.comments.create(&mona, post, None, "تمام", None).await.unwrap();
}

#[tokio::test]
async fn bad_comments_are_refused_by_code() {
    let world = World::new();
    let mona = world.join("mona").await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    for (text, refusal) in [
        ("  ", CommentRefusal::Empty),
        (&"ك".repeat(1_001), CommentRefusal::TooLong),
        (&"x".repeat(1_000_000), CommentRefusal::TooLong),
        ("a\u{2066}b", CommentRefusal::ForbiddenCharacter),
    ] {
        refused(world.comments.create(&mona, post, None, text, None).await, refusal);
    }
    let comment = say(&world, &mona, post, None).await;
    refused(world.comments.edit(&mona, comment, "", None, None).await, CommentRefusal::Empty);
    world.set_state(&mona, AccountState::Restricted).await;
    refused(world.comments.create(&mona, post, None, "x", None).await, CommentRefusal::Restricted);
    world.comments.delete(&mona, comment, None).await.unwrap();
}

#[tokio::test]
async fn authors_choose_who_may_answer() {
    let world = World::new();
    let [mona, fan, idol, guest] = world.join_all(["mona", "fan", "idol", "guest"]).await;
    world.graph.follow(&fan, id(&mona), None).await.unwrap();
    world.graph.follow(&mona, id(&idol), None).await.unwrap();
    for (replies, may) in [
        (ReplyRule::Everyone, [true, true, true, true]),
        (ReplyRule::Followers, [true, true, false, false]),
        (ReplyRule::Following, [true, false, true, false]),
        (ReplyRule::Mentioned, [true, false, false, true]),
        (ReplyRule::Nobody, [true, false, false, false]),
    ] {
        let input = CreatePost { replies, ..post("يا @guest", Visibility::Public) };
        let post = world.posts.create(&mona, &input, None).await.unwrap();
        for (person, may) in [&mona, &fan, &idol, &guest].into_iter().zip(may) {
            let outcome = world.comments.create(person, post, None, "رأيي", None).await;
            if may { assert!(outcome.is_ok()) } else { refused(outcome, CommentRefusal::NotAllowed) }
        }
    }
}

#[tokio::test]
async fn nobody_answers_what_they_do_not_see() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let private = world.publish(&mona, "سر", Visibility::Private).await;
    let open = world.publish(&mona, "علني", Visibility::Public).await;
    let elsewhere = world.publish(&mona, "تاني", Visibility::Public).await;
    let karims = say(&world, &karim, open, None).await;
    let deleted = say(&world, &karim, open, None).await;
    world.comments.delete(&karim, deleted, None).await.unwrap();
    not_found(world.comments.create(&sara, private, None, "x", None).await);
    not_found(world.comments.create(&sara, PostId::from_raw(1), None, "x", None).await);
    not_found(world.comments.create(&sara, elsewhere, Some(karims), "x", None).await);
    not_found(world.comments.create(&sara, open, Some(deleted), "x", None).await);
    not_found(world.comments.create(&sara, open, Some(CommentId::from_raw(1)), "x", None).await);

    world.graph.block(&karim, id(&sara), None).await.unwrap();
    not_found(world.comments.create(&sara, open, Some(karims), "x", None).await);
    say(&world, &sara, open, None).await;
    world.graph.block(&mona, id(&sara), None).await.unwrap();
    not_found(world.comments.create(&sara, open, None, "x", None).await);
    world.posts.delete(&mona, open, None).await.unwrap();
    not_found(world.comments.create(&karim, open, None, "x", None).await);
}

#[tokio::test]
async fn writers_edit_while_they_see_the_post() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    let comment = say(&world, &karim, post, None).await;
    world.clock.advance(Duration::from_secs(9));
    world.comments.edit(&karim, comment, "تمام", None, None).await.unwrap();
    let mut view = world.view(&mona).await;
    assert_eq!(world.comments.get(view.as_mut(), comment).await.unwrap().comment.version, 1, "nothing changed");
    world.comments.edit(&karim, comment, " لا بلاش ", None, None).await.unwrap();
    let mut view = world.view(&mona).await;
    let after = world.comments.get(view.as_mut(), comment).await.unwrap().comment;
    assert_eq!((after.text.as_str(), after.version, after.edited_at), ("لا بلاش", 2, Some(world.ports.clock.now())));
    not_found(world.comments.edit(&mona, comment, "كلام على لسانه", None, None).await);
    let late = world.comments.edit(&karim, comment, "من نسخة قديمة", Some(1), None).await.unwrap_err();
    assert_eq!((late.refusal(), late.version()), (Some(CommonRefusal::Stale), Some(2)));
    world.graph.block(&mona, id(&karim), None).await.unwrap();
    not_found(world.comments.edit(&karim, comment, "من ورا الباب", None, None).await);
    world.comments.delete(&karim, comment, None).await.unwrap();
}

#[tokio::test]
async fn writer_and_host_delete_and_answers_stay() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    let parent = say(&world, &karim, post, None).await;
    let answer = say(&world, &sara, post, Some(parent)).await;
    world.events().await;
    for foreign in [parent, CommentId::from_raw(1)] {
        not_found(world.comments.delete(&sara, foreign, None).await);
    }
    for _ in 0..2 {
        world.comments.delete(&mona, parent, None).await.unwrap();
    }
    let events = world.events().await;
    let [Event::CommentDeleted(event)] = &events.iter().map(|one| one.event.clone()).collect::<Vec<_>>()[..] else {
        panic!("{events:?}")
    };
    assert_eq!((event.comment_id, event.parent_id, event.author_id), (parent.raw(), 0, id(&karim).raw()));
    let mut view = world.view(&sara).await;
    let branch = world.comments.newest(view.as_mut(), post, None, None, limit(5)).await.unwrap().into_nodes();
    assert!(branch[0].author.is_none() && branch[0].comment.text.is_empty(), "a tombstone");
    not_found(world.comments.get(view.as_mut(), parent).await);
    world.comments.delete(&sara, answer, None).await.unwrap();
    let mut view = world.view(&sara).await;
    assert!(world.comments.newest(view.as_mut(), post, None, None, limit(5)).await.unwrap().items.is_empty());
    not_found(world.comments.edit(&sara, answer, "رجعت", None, None).await);
}

#[tokio::test]
async fn branches_page_newest_first() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    let mut tops = Vec::new();
    for n in 0..7 {
        tops.push(say(&world, if n % 3 == 0 { &sara } else { &karim }, post, None).await);
    }
    let answer = say(&world, &mona, post, Some(tops[0])).await;
    let mut view = world.view(&mona).await;
    let newest = all_pages(async |after, limit| world.comments.newest(view.as_mut(), post, None, after, limit).await);
    let ids: Vec<_> = newest.await.into_iter().map(|card| card.comment.id).collect();
    assert_eq!(ids, tops.iter().rev().copied().collect::<Vec<_>>());
    let branch = world.comments.newest(view.as_mut(), post, Some(tops[0]), None, limit(5)).await.unwrap().into_nodes();
    assert_eq!(branch[0].comment.id, answer);

    world.graph.block(&mona, id(&sara), None).await.unwrap();
    let mut view = world.view(&mona).await;
    let newest = all_pages(async |after, limit| world.comments.newest(view.as_mut(), post, None, after, limit).await);
    assert_eq!(newest.await.len(), 4, "without those of who is blocked, and no page short of it");
    let first = world.comments.newest(view.as_mut(), post, None, None, limit(1)).await.unwrap();
    let other_branch = world.comments.newest(view.as_mut(), post, Some(tops[1]), first.next(), limit(1)).await;
    refused(other_branch, CommonRefusal::Cursor);
    let other_order = world.comments.top(view.as_mut(), post, None, first.next(), limit(1)).await;
    refused(other_order, CommonRefusal::Cursor);
}

#[tokio::test]
async fn the_best_come_first_and_none_twice_while_the_order_moves() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(say(&world, &karim, post, None).await);
    }
    count_reactions(&world, said[1], 5).await;
    count_reactions(&world, said[4], 9).await;
    let mut view = world.view(&mona).await;
    let first = world.comments.top(view.as_mut(), post, None, None, limit(2)).await.unwrap();
    let after = first.next().unwrap().to_owned();
    let mut shown: Vec<_> = first.into_nodes().into_iter().map(|card| card.comment.id).collect();
    assert_eq!(shown, [said[4], said[1]]);

    count_reactions(&world, said[0], 100).await;
    count_reactions(&world, said[1], -5).await;
    let mut view = world.view(&mona).await;
    let rest = world.comments.top(view.as_mut(), post, None, Some(&after), limit(100)).await.unwrap();
    assert!(!rest.has_next);
    shown.extend(rest.into_nodes().into_iter().map(|card| card.comment.id));
    assert_eq!(shown, [said[4], said[1], said[0], said[5], said[3], said[2]]);
}

#[tokio::test]
async fn the_list_of_the_best_ends_and_its_cursor_stays_small() {
    let world = World::with(|ports| ports.settings_mut().limits.comments = Quota::a_minute(60_000));
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let post = world.publish(&mona, "سؤال", Visibility::Public).await;
    for _ in 0..MAX_TOP + 5 {
        say(&world, &karim, post, None).await;
    }
    let mut view = world.view(&mona).await;
    let mut after: Option<String> = None;
    let mut shown = std::collections::BTreeSet::new();
    loop {
        let page = world.comments.top(view.as_mut(), post, None, after.as_deref(), limit(70)).await.unwrap();
        shown.extend(page.items.iter().map(|(card, _)| card.comment.id));
        let last = page.items.last().map(|(_, cursor)| cursor.clone()).unwrap();
        assert!(last.len() <= 3_300, "{}", last.len());
        if !page.has_next {
            let beyond = world.comments.top(view.as_mut(), post, None, Some(&last), limit(70)).await.unwrap();
            assert!(beyond.items.is_empty() && !beyond.has_next);
            break;
        }
        after = Some(last);
    }
    assert_eq!(shown.len(), MAX_TOP);
}

async fn count_reactions(world: &World, comment: CommentId, delta: i64) {
    let delta = CounterDelta { field: CounterField::CommentReactions, subject: comment.raw(), delta };
    let system = Actor::System("test");
    world
        .ports
        .transact(&system, |mut unit| Box::pin(async move { unit.counters().apply(&[delta]).await }))
        .await
        .unwrap();
}
