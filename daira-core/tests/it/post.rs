//! Publishing, editing, deleting, restoring, and who sees what.

use std::time::Duration;

use daira_core::account::AccountState;
use daira_core::actor::Actor;
use daira_core::error::CommonRefusal;
use daira_core::event::Event;
use daira_core::id::{CircleId, Id, MediaId, PostId};
use daira_core::page::Limit;
use daira_core::post::{Attachment, CreatePost, Delivery, EditPost, Post, PostRefusal, ReplyRule, Visibility};
use daira_core::text::TagKey;

use crate::world::{World, all_pages, id, key, limit, not_found, post, refused};

async fn read(world: &World, actor: &Actor, id: PostId) -> Post {
    let mut view = world.view(actor).await;
    world.posts.get(view.as_mut(), id).await.unwrap().post.as_ref().clone()
}

fn to(text: &str, visibility: Visibility) -> EditPost {
    EditPost { text: text.to_owned(), visibility, replies: ReplyRule::Everyone, warning: None, version: None }
}

fn with(media: &[MediaId]) -> CreatePost {
    let media = media.iter().map(|media| Attachment { media: *media, alt: " البحر ".to_owned() }).collect();
    CreatePost { media, ..post("", Visibility::Public) }
}

#[tokio::test]
async fn a_post_is_kept_as_cleaned_with_tags_and_mentions() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let written = CreatePost {
        warning: Some(" حرق أحداث ".to_owned()),
        replies: ReplyRule::Followers,
        ..post("  مع @Karim و@nobody.here يا @mona #الأهلي #الاهلى ", Visibility::Public)
    };
    let id_ = world.posts.create(&mona, &written, None).await.unwrap();
    let kept = read(&world, &karim, id_).await;
    assert_eq!(kept.text, "مع @Karim و@nobody.here يا @mona #الأهلي #الاهلى");
    assert_eq!((kept.warning.as_deref(), kept.replies, kept.version), (Some("حرق أحداث"), ReplyRule::Followers, 1));
    let mut mentioned = [id(&karim), id(&mona)];
    mentioned.sort_unstable();
    assert_eq!(kept.mentions, mentioned);
    assert_eq!(kept.tags.len(), 1);
    assert_eq!(kept.id.shard(), id(&mona).shard(), "a post lies where its author lies");
    let events = world.events().await;
    let Event::PostCreated(event) = &events[0].event else { panic!("{events:?}") };
    assert_eq!((event.post_id, event.author_id, event.pull), (id_.raw(), id(&mona).raw(), false));
    assert_eq!(event.mentioned_ids.len(), 2);
}

#[tokio::test]
async fn who_is_hidden_from_the_author_is_not_mentioned() {
    let world = World::new();
    let [mona, blocker, blocked, asleep] = world.join_all(["mona", "blocker", "blocked", "asleep"]).await;
    world.graph.block(&blocker, id(&mona), None).await.unwrap();
    world.graph.block(&mona, id(&blocked), None).await.unwrap();
    world.set_state(&asleep, AccountState::Deactivated).await;
    let text = "@blocker @blocked @asleep @missing";
    let id_ = world.publish(&mona, text, Visibility::Mentioned).await;
    let kept = read(&world, &mona, id_).await;
    assert_eq!((kept.text.as_str(), kept.mentions.as_slice()), (text, [].as_slice()), "plain text");
}

#[tokio::test]
async fn bad_posts_are_refused_by_code() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let foreign_circle = world.graph.create_circle(&karim, "شلة", None).await.unwrap();
    let many: Vec<_> = (1..=11).map(MediaId::from_raw).collect();
    let public = |text: &str| post(text, Visibility::Public);
    for (input, refusal) in [
        (public(" \n "), PostRefusal::Empty),
        (public(&"ب".repeat(2_201)), PostRefusal::TooLong),
        (public(&"x".repeat(1_000_000)), PostRefusal::TooLong),
        (public("a\u{202E}b"), PostRefusal::ForbiddenCharacter),
        (CreatePost { warning: Some("ت".repeat(201)), ..public("x") }, PostRefusal::LabelTooLong),
        (with(&many), PostRefusal::TooManyMedia),
        (with(&[MediaId::from_raw(1)]), PostRefusal::MediaUnavailable),
        (post("x", Visibility::Circle(foreign_circle)), PostRefusal::CircleUnknown),
        (post("x", Visibility::Circle(CircleId::from_raw(1))), PostRefusal::CircleUnknown),
    ] {
        refused(world.posts.create(&mona, &input, None).await, refusal);
    }
    world.set_state(&mona, AccountState::Restricted).await;
    refused(world.posts.create(&mona, &public("x"), None).await, PostRefusal::Restricted);
    assert!(world.happened().await.is_empty());
}

#[tokio::test]
async fn a_picture_hangs_on_one_post_of_its_owner() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let [one, two] = [world.upload(&mona).await, world.upload(&mona).await];
    refused(world.posts.create(&karim, &with(&[one]), None).await, PostRefusal::MediaUnavailable);
    refused(world.posts.create(&mona, &with(&[one, one]), None).await, PostRefusal::MediaUnavailable);
    let id_ = world.posts.create(&mona, &with(&[two, one]), None).await.unwrap();
    let kept = read(&world, &karim, id_).await;
    assert_eq!(
        kept.media.iter().map(|a| (a.media, a.alt.as_str())).collect::<Vec<_>>(),
        [(two, "البحر"), (one, "البحر")]
    );
    refused(world.posts.create(&mona, &with(&[one]), None).await, PostRefusal::MediaUnavailable);
    let wordless = to("", Visibility::Public);
    world.posts.edit(&mona, id_, &wordless, None).await.unwrap();
}

#[tokio::test]
async fn a_picture_that_a_post_leaves_undescribed_keeps_the_words_of_its_upload() {
    let world = World::new();
    let [mona] = world.join_all(["mona"]).await;
    let mut wordless = with(&[world.upload(&mona).await]);
    wordless.media[0].alt = " ".to_owned();
    let id_ = world.posts.create(&mona, &wordless, None).await.unwrap();
    assert_eq!(read(&world, &mona, id_).await.media[0].alt, "القلعة");
}

#[tokio::test]
async fn delivery_is_stamped_by_the_followers_of_the_moment() {
    let world = World::with(|ports| ports.settings_mut().pull_threshold = 2);
    let mona = world.join("mona").await;
    for (followers, delivery) in [(1, Delivery::Push), (1, Delivery::Pull)] {
        world.set_followers(&mona, followers).await;
        let id_ = world.publish(&mona, "أهلاً", Visibility::Public).await;
        assert_eq!(read(&world, &mona, id_).await.delivery, delivery);
        let events = world.events().await;
        let Event::PostCreated(event) = &events[0].event else { panic!("{events:?}") };
        assert_eq!(event.pull, delivery == Delivery::Pull);
    }
}

#[tokio::test]
async fn each_class_has_its_readers() {
    let world = World::new();
    let [mona, fan, friend, guest] = world.join_all(["mona", "fan", "friend", "guest"]).await;
    world.graph.follow(&fan, id(&mona), None).await.unwrap();
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    world.graph.add_circle_member(&mona, circle, id(&friend), None).await.unwrap();
    let readers = [&mona, &fan, &friend, &guest, &Actor::Anonymous];
    for (visibility, seen_by) in [
        (Visibility::Public, [true, true, true, true, true]),
        (Visibility::Unlisted, [true, true, true, true, true]),
        (Visibility::Followers, [true, true, false, false, false]),
        (Visibility::Circle(circle), [true, false, true, false, false]),
        (Visibility::Mentioned, [true, false, false, true, false]),
        (Visibility::Private, [true, false, false, false, false]),
    ] {
        let id_ = world.publish(&mona, "يا @guest", visibility).await;
        for (reader, seen) in readers.iter().zip(seen_by) {
            assert_eq!(world.sees(reader, id_).await, seen, "{visibility:?} {reader:?}");
        }
    }
}

#[tokio::test]
async fn access_ends_at_once() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    world.graph.follow(&karim, id(&mona), None).await.unwrap();
    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    world.graph.add_circle_member(&mona, circle, id(&karim), None).await.unwrap();
    let inner = world.publish(&mona, "للشلة", Visibility::Circle(circle)).await;
    let followers = world.publish(&mona, "للمتابعين", Visibility::Followers).await;
    let public = world.publish(&mona, "للكل", Visibility::Public).await;

    world.graph.remove_circle_member(&mona, circle, id(&karim), None).await.unwrap();
    assert!(!world.sees(&karim, inner).await && world.sees(&karim, followers).await);
    world.graph.remove_follower(&mona, id(&karim), None).await.unwrap();
    assert!(!world.sees(&karim, followers).await && world.sees(&karim, public).await);
    world.graph.block(&mona, id(&karim), None).await.unwrap();
    assert!(!world.sees(&karim, public).await);
    world.graph.unblock(&mona, id(&karim), None).await.unwrap();
    assert!(world.sees(&karim, public).await);
    world.set_state(&mona, AccountState::Suspended(daira_core::time::Timestamp::from_seconds(4_000_000_000))).await;
    assert!(!world.sees(&karim, public).await);
}

#[tokio::test]
async fn an_edit_keeps_history_and_says_what_changed() {
    let world = World::new();
    let [mona, karim, sara] = world.join_all(["mona", "karim", "sara"]).await;
    let id_ = world.publish(&mona, "قبل @karim #قديم", Visibility::Public).await;
    world.events().await;
    world.clock.advance(Duration::from_mins(1));
    world.posts.edit(&mona, id_, &to("بعد @karim @sara #جديد", Visibility::Public), None).await.unwrap();
    let events = world.events().await;
    let Event::PostEdited(event) = &events[0].event else { panic!("{events:?}") };
    assert_eq!((event.newly_mentioned_ids.as_slice(), event.visibility_changed), ([id(&sara).raw()].as_slice(), false));
    let kept = read(&world, &karim, id_).await;
    assert_eq!((kept.version, kept.edited_at), (2, Some(world.ports.clock.now())));
    assert_eq!(kept.tags.iter().map(|tag| tag.spelling.as_str()).collect::<Vec<_>>(), ["جديد"]);

    let mut view = world.view(&karim).await;
    let revisions = world.posts.revisions(view.as_mut(), id_).await.unwrap();
    assert_eq!(revisions.iter().map(|r| (r.version, r.text.as_str())).collect::<Vec<_>>(), [(1, "قبل @karim #قديم")]);

    let same = to("بعد @karim @sara #جديد", Visibility::Public);
    world.posts.edit(&mona, id_, &same, None).await.unwrap();
    assert!(world.happened().await.is_empty(), "an edit that changes nothing leaves no trace");
    assert_eq!(read(&world, &karim, id_).await.version, 2);
}

#[tokio::test]
async fn a_change_of_audience_is_told_and_is_no_rewording() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let id_ = world.publish(&mona, "يا @karim", Visibility::Public).await;
    world.events().await;
    for (input, changed) in [
        (to("يا @karim", Visibility::Followers), true),
        (EditPost { replies: ReplyRule::Nobody, ..to("يا @karim", Visibility::Followers) }, false),
        (to("يا @karim", Visibility::Mentioned), true),
        (to("يا حد", Visibility::Mentioned), true),
        (to("يا @karim", Visibility::Public), true),
    ] {
        world.posts.edit(&mona, id_, &input, None).await.unwrap();
        let events = world.events().await;
        let Event::PostEdited(event) = &events[0].event else { panic!("{events:?}") };
        assert_eq!(event.visibility_changed, changed, "{input:?}");
    }
    let mut view = world.view(&karim).await;
    assert_eq!(world.posts.revisions(view.as_mut(), id_).await.unwrap().len(), 2, "words changed twice");
    let unworded = world.publish(&mona, "كلام", Visibility::Public).await;
    world.posts.edit(&mona, unworded, &to("كلام", Visibility::Unlisted), None).await.unwrap();
    assert_eq!(read(&world, &mona, unworded).await.edited_at, None);
}

#[tokio::test]
async fn edits_check_version_ownership_and_circle() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let id_ = world.publish(&mona, "أول", Visibility::Public).await;
    let based_on = |version| EditPost { version: Some(version), ..to("تاني", Visibility::Public) };
    refused(world.posts.edit(&mona, id_, &based_on(2), None).await, CommonRefusal::Stale);
    for foreign in [id_, PostId::from_raw(1)] {
        not_found(world.posts.edit(&karim, foreign, &to("بتاعي", Visibility::Public), None).await);
        not_found(world.posts.delete(&karim, foreign, None).await);
        not_found(world.posts.restore(&karim, foreign, None).await);
    }
    let foreign_circle = world.graph.create_circle(&karim, "شلة", None).await.unwrap();
    let into_circle = to("أول", Visibility::Circle(foreign_circle));
    refused(world.posts.edit(&mona, id_, &into_circle, None).await, PostRefusal::CircleUnknown);
    refused(world.posts.edit(&mona, id_, &to("", Visibility::Public), None).await, PostRefusal::Empty);
    world.posts.edit(&mona, id_, &based_on(1), Some(key("e"))).await.unwrap();
    world.posts.edit(&mona, id_, &based_on(1), Some(key("e"))).await.unwrap();
    refused(world.posts.edit(&mona, id_, &based_on(1), None).await, CommonRefusal::Stale);
    assert_eq!(read(&world, &karim, id_).await.version, 2);

    let circle = world.graph.create_circle(&mona, "شلة", None).await.unwrap();
    world.posts.edit(&mona, id_, &to("تاني", Visibility::Circle(circle)), None).await.unwrap();
    world.graph.delete_circle(&mona, circle, None).await.unwrap();
    let still = to("تالت", Visibility::Circle(circle));
    world.posts.edit(&mona, id_, &still, None).await.unwrap();
    assert!(!world.sees(&karim, id_).await, "without its circle it is its author's alone");
}

#[tokio::test]
async fn deleted_posts_vanish_and_come_back_within_their_time() {
    let world = World::with(|ports| ports.settings_mut().pull_threshold = 2);
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let id_ = world.publish(&mona, "مؤقت #وسم", Visibility::Public).await;
    world.events().await;
    world.posts.delete(&mona, id_, None).await.unwrap();
    world.posts.delete(&mona, id_, None).await.unwrap();
    assert_eq!(world.happened().await, ["daira.post.v1.deleted"]);
    assert!(!world.sees(&karim, id_).await && !world.sees(&mona, id_).await);
    not_found(world.posts.edit(&mona, id_, &to("x", Visibility::Public), None).await);
    let mut view = world.view(&mona).await;
    let deleted = world.posts.deleted(&mona, view.as_mut(), None, limit(5)).await.unwrap().into_nodes();
    assert_eq!(deleted.iter().map(|post| (post.id, post.text.as_str())).collect::<Vec<_>>(), [(id_, "مؤقت #وسم")]);
    let mut view = world.view(&karim).await;
    assert!(world.posts.deleted(&karim, view.as_mut(), None, limit(5)).await.unwrap().items.is_empty());

    world.set_followers(&mona, 5).await;
    world.posts.restore(&mona, id_, None).await.unwrap();
    world.posts.restore(&mona, id_, None).await.unwrap();
    let events = world.events().await;
    let [Event::PostRestored(event)] = &events.iter().map(|one| one.event.clone()).collect::<Vec<_>>()[..] else {
        panic!("{events:?}")
    };
    assert!(event.pull, "delivered as a post of today");
    let back = read(&world, &karim, id_).await;
    assert_eq!((back.delivery, back.deleted_at, back.version), (Delivery::Pull, None, 3));

    world.posts.delete(&mona, id_, None).await.unwrap();
    world.clock.advance(world.ports.settings.restore_window + Duration::from_secs(1));
    refused(world.posts.restore(&mona, id_, None).await, PostRefusal::RestoreLate);
    let mut view = world.view(&mona).await;
    assert!(world.posts.deleted(&mona, view.as_mut(), None, limit(5)).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn the_same_key_publishes_once() {
    let world = World::new();
    let mona = world.join("mona").await;
    let input = post("مرة واحدة", Visibility::Public);
    let first = world.posts.create(&mona, &input, Some(key("p"))).await.unwrap();
    assert_eq!(world.posts.create(&mona, &input, Some(key("p"))).await.unwrap(), first);
    let other = post("حاجة تانية", Visibility::Public);
    refused(world.posts.create(&mona, &other, Some(key("p"))).await, CommonRefusal::KeyReused);
    refused(world.posts.create(&mona, &post("", Visibility::Public), Some(key("q"))).await, PostRefusal::Empty);
    world.posts.create(&mona, &input, Some(key("q"))).await.unwrap();
    assert_eq!(world.happened().await.len(), 2, "a refusal uses no key up");
}

#[tokio::test]
async fn lists_by_author_and_by_tag() {
    let world = World::new();
    let [mona, karim] = world.join_all(["mona", "karim"]).await;
    let mut ids = Vec::new();
    for visibility in
        [Visibility::Public, Visibility::Private, Visibility::Unlisted, Visibility::Public, Visibility::Public]
    {
        ids.push(world.publish(&mona, "#الأهلي", visibility).await);
    }
    let mut view = world.view(&karim).await;
    let by_mona =
        all_pages(async |after, limit: Limit| world.posts.by_author(view.as_mut(), id(&mona), after, limit).await);
    assert_eq!(by_mona.await, [ids[4], ids[3], ids[2], ids[0]]);
    let tag = world.hashtags.get(view.as_mut(), "#ألاهلى").await.unwrap();
    assert_eq!(tag.spelling, "الأهلي");
    let tagged = all_pages(async |after, limit| world.hashtags.posts(view.as_mut(), &tag.key, after, limit).await);
    assert_eq!(tagged.await, [ids[4], ids[3], ids[0]]);
    let cards = world.posts.cards(view.as_mut(), &[ids[0], ids[1], ids[4]]).await.unwrap();
    assert_eq!(cards.iter().map(|card| card.post.id).collect::<Vec<_>>(), [ids[0], ids[4]], "in the order asked for");
    not_found(world.hashtags.get(view.as_mut(), "#لسه_محدش_كتبه").await);
    not_found(world.hashtags.get(view.as_mut(), "# not a tag").await);
    not_found(world.posts.revisions(view.as_mut(), ids[1]).await);
    let other = TagKey::new("#زمالك").unwrap();
    let first = world.hashtags.posts(view.as_mut(), &tag.key, None, limit(1)).await.unwrap();
    refused(world.hashtags.posts(view.as_mut(), &other, first.next(), limit(1)).await, CommonRefusal::Cursor);
}
