//! Posts, their history and tags.

use core::cmp::Reverse;

use super::{all_pages, failure, last_page, world};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::id::{Id, PostId};
use crate::port::Ports;
use crate::port::store::{CounterField, Lock};
use crate::post::{Audience, Post, ReplyRule, Revision, Visibility};
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Writing, limit, tag};
use crate::text::TagKey;

const ALL: i64 = 100;

async fn under(world: &Fixture, viewer: &Actor, tag: &str) -> Vec<PostId> {
    let key = TagKey::new(tag).unwrap();
    last_page(world.view(viewer).await.posts().by_tag(&key, None, limit(ALL)).await.unwrap())
}

/// Everything of a post survives being stored, and the author can write it without help.
pub async fn a_post_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let (one, two) = (world.picture(&mona).await, world.picture(&mona).await);
    let circle = world.circle(&mona, "الشلة", &[&ali]).await;
    let full = Writing::new("شفت الأهلي؟ 👏🏽 @ali #الأهلي").mention(&ali).mention(&mona).tag("الأهلي").tag("ElAhly");
    let mut full = world.written(&mona, full.picture(&two).picture(&one).pull().replies(ReplyRule::Following));
    full.warning = Some("حرق".to_owned());
    let plain = world.written(&mona, "صباح الفل");
    let narrow =
        world.written(&mona, Writing::new("سر").visible(Visibility::Circle(circle.id)).replies(ReplyRule::Nobody));
    let mut unit = world.unit(&mona.actor()).await;
    for post in [&full, &plain, &narrow] {
        unit.posts().insert(post).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    for post in [&full, &plain, &narrow] {
        for lock in [Lock::None, Lock::Share, Lock::Update] {
            assert_eq!(unit.posts().post(post.id, lock).await.unwrap().as_ref(), Some(post));
        }
    }
    assert_eq!(unit.posts().post(world.draw(), Lock::Update).await.unwrap(), None);
    drop(unit);
    let cards = world.cards(&ali.actor(), &[narrow.id, full.id, plain.id]).await;
    assert_eq!(cards.iter().map(|c| &*c.post).collect::<Vec<_>>(), [&full, &plain, &narrow]);
    assert!(cards.iter().all(|card| *card.author == mona.profile));
}

/// An id that is taken is told apart from everything else.
pub async fn a_post_has_one_id(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "الأول").await;
    let again = Post { text: "التاني".to_owned(), ..post.clone() };
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(failure(unit.posts().insert(&again).await), ErrorKind::IdCollision);
    drop(unit);
    assert_eq!(*world.cards(&mona.actor(), &[post.id]).await[0].post, post);
}

/// An edit counts only when it is one version above what is stored.
pub async fn a_stale_edit_is_refused(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "الأول").await;
    let edited = world.edit(&post, |post| post.text.push_str(" تاني")).await;
    for version in [1, 2, 4] {
        let mut unit = world.unit(&mona.actor()).await;
        let stale = Post { version, text: "التالت".to_owned(), ..post.clone() };
        assert_eq!(failure(unit.posts().update(&stale, None).await), ErrorKind::Stale, "version {version}");
    }
    let mut unit = world.unit(&mona.actor()).await;
    let unknown = Post { id: world.draw(), version: 2, ..post };
    assert_eq!(failure(unit.posts().update(&unknown, None).await), ErrorKind::Stale);
    drop(unit);
    assert_eq!(*world.cards(&mona.actor(), &[edited.id]).await[0].post, edited);
}

/// An edit replaces mentions and tags, and what was said before goes into the history, newest first.
pub async fn an_edit_replaces_tags_and_keeps_history(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let mut post = world.post(&mona, Writing::new("1").tag("cairo").tag("nile").mention(&ali)).await;
    let mut history = Vec::new();
    for (text, tags) in [("2", vec!["nile", "giza"]), ("3", vec!["giza"])] {
        let replaced_at = world.tick();
        let before = Revision {
            post: post.id,
            version: post.version,
            text: post.text.clone(),
            warning: post.warning.clone(),
            replaced_at,
        };
        post = Post {
            text: text.to_owned(),
            tags: tags.into_iter().map(tag).collect(),
            mentions: Vec::new(),
            warning: Some("تنبيه".to_owned()),
            edited_at: Some(replaced_at),
            version: post.version + 1,
            ..post
        };
        let mut unit = world.unit(&mona.actor()).await;
        unit.posts().update(&post, Some(&before)).await.unwrap();
        unit.commit().await.unwrap();
        history.insert(0, before);
    }
    assert_eq!(*world.cards(&ali.actor(), &[post.id]).await[0].post, post);
    assert_eq!(world.view(&ali.actor()).await.posts().revisions(post.id).await.unwrap(), history);
    for (tag, expected) in [("cairo", vec![]), ("nile", vec![]), ("giza", vec![post.id])] {
        assert_eq!(under(&world, &ali.actor(), tag).await, expected, "{tag}");
    }
}

/// The history of a post is for those who see the post now.
pub async fn history_is_for_who_sees_the_post(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&mona, "للكل").await;
    let before =
        Revision { post: post.id, version: 1, text: post.text.clone(), warning: None, replaced_at: world.tick() };
    let hidden = Post { visibility: Visibility::Private, version: 2, ..post };
    let mut unit = world.unit(&mona.actor()).await;
    unit.posts().update(&hidden, Some(&before)).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(world.view(&mona.actor()).await.posts().revisions(hidden.id).await.unwrap(), [before]);
    for stranger in [ali.actor(), Actor::Anonymous] {
        assert_eq!(world.view(&stranger).await.posts().revisions(hidden.id).await.unwrap(), []);
    }
}

/// A visible post can be looked at and relied on by others, and neither changed nor written in another's name.
pub async fn others_cannot_change_a_post(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let work = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let post = world.post(&mona, "للكل").await;
    for stranger in [ali.actor(), work.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        let changed = Post { text: "مش كلامي".to_owned(), version: 2, ..post.clone() };
        assert!(unit.posts().update(&changed, None).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        let forged = Post { id: world.draw(), ..post.clone() };
        assert!(unit.posts().insert(&forged).await.is_err());
    }
    let mut unit = world.unit(&ali.actor()).await;
    assert_eq!(
        unit.posts().post(post.id, Lock::Share).await.unwrap().as_ref(),
        Some(&post),
        "a visible row can be locked"
    );
    drop(unit);
    assert_eq!(*world.cards(&ali.actor(), &[post.id]).await[0].post, post);
}

/// What decides on a post: the author's state and each edge, in its own direction.
pub async fn an_audience_tells_every_edge(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let sara = world.person(Draft::new("sara").private()).await;
    let work = world.person(Draft::new("mona.work").face_of(&mona)).await;
    let circle = world.circle(&mona, "الشلة", &[&ali]).await;
    let post = world.post(&mona, Writing::new("لينا").visible(Visibility::Circle(circle.id)).mention(&ali)).await;
    let quiet = world.post(&sara, "هدوء").await;
    world.follow(&ali, &mona).await;
    world.follow(&sara, &ali).await;
    let audience = async |post: &Post, viewer: &crate::testkit::fixture::Person| {
        let mut unit = world.unit(&viewer.actor()).await;
        unit.posts().audience(post, viewer.id).await.unwrap()
    };
    let close = Audience { follows: true, in_circle: true, mentioned: true, ..Audience::default() };
    assert_eq!(audience(&post, &ali).await, close);
    assert!(audience(&post, &mona).await.is_author && !audience(&post, &work).await.is_author);
    let followed = Audience { private: true, followed_by: true, ..Audience::default() };
    assert_eq!(audience(&quiet, &ali).await, followed);
    world.block(&sara, &ali).await;
    assert_eq!(audience(&quiet, &ali).await, Audience { blocked: true, ..followed });
    let ali_wrote = world.post(&ali, "أنا").await;
    assert!(audience(&ali_wrote, &sara).await.blocked, "the blocker is shut out as well");
    world.change(&mona, |profile| profile.standing = crate::account::Standing::Hidden).await;
    assert_eq!(audience(&post, &ali).await, Audience { standing: crate::account::Standing::Hidden, ..close });
}

/// A profile's posts begin with the newest; everybody gets those they see, in full pages.
pub async fn posts_of_an_author_go_newest_first(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let mut posts = Vec::new();
    for visibility in
        [Visibility::Public, Visibility::Followers, Visibility::Unlisted, Visibility::Private, Visibility::Public]
    {
        posts.push(world.post(&mona, Writing::new("بوست").visible(visibility)).await.id);
    }
    let deleted = world.post(&mona, "راح").await;
    world.delete(&deleted).await;
    world.post(&ali, "حد تاني").await;
    for (viewer, expected) in [
        (Actor::Anonymous, vec![posts[4], posts[2], posts[0]]),
        (ali.actor(), vec![posts[4], posts[2], posts[1], posts[0]]),
        (mona.actor(), vec![posts[4], posts[3], posts[2], posts[1], posts[0]]),
    ] {
        let mut view = world.view(&viewer).await;
        let reads = view.posts();
        let all = all_pages!(|after, size| reads.by_author(mona.id, after, size).await.unwrap(), |id| *id);
        assert_eq!(all, expected);
        assert!(all.windows(2).all(|w| Reverse(w[0]) < Reverse(w[1])));
    }
    world.block(&mona, &ali).await;
    assert!(
        world.view(&ali.actor()).await.posts().by_author(mona.id, None, limit(ALL)).await.unwrap().items.is_empty()
    );
}

/// A tag's list holds the public posts of any spelling that the viewer sees, newest first.
pub async fn a_tag_lists_public_posts(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let sara = world.person(Draft::new("sara").private()).await;
    let mut public = Vec::new();
    for (n, spelling) in ["#الأهلي", "الاهلى", "الأهلي"].into_iter().enumerate() {
        let author = [&mona, &ali, &mona][n];
        public.insert(0, world.post(author, Writing::new("جول").tag(spelling)).await.id);
    }
    for hidden in [Visibility::Followers, Visibility::Mentioned, Visibility::Private, Visibility::Unlisted] {
        world.post(&mona, Writing::new("مش هنا").visible(hidden).tag("الأهلي").mention(&ali)).await;
    }
    let private = world.post(&sara, Writing::new("لمتابعيني").tag("الأهلي")).await;
    world.follow(&ali, &mona).await;
    let mut view = world.view(&ali.actor()).await;
    let (reads, key) = (view.posts(), TagKey::new("#الاهلي").unwrap());
    let all = all_pages!(|after, size| reads.by_tag(&key, after, size).await.unwrap(), |id| *id);
    assert_eq!(all, public);
    drop(view);
    world.follow(&ali, &sara).await;
    assert_eq!(under(&world, &ali.actor(), "الأهلي").await, [&[private.id][..], &public].concat());
    world.block(&mona, &ali).await;
    assert_eq!(under(&world, &ali.actor(), "الأهلي").await, [private.id, public[1]]);
    assert!(under(&world, &ali.actor(), "زمالك").await.is_empty());
}

/// A tag is shown in the spelling that it was first used with.
pub async fn a_tag_keeps_its_first_spelling(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    world.post(&mona, Writing::new("1").tag("الإسكندرية")).await;
    world.post(&mona, Writing::new("2").tag("اسكندريه")).await;
    let mut view = world.view(&Actor::Anonymous).await;
    let found = view.posts().tag(&TagKey::new("الاسكندرية").unwrap()).await.unwrap().unwrap();
    assert_eq!(found.spelling, "الإسكندرية");
    assert_eq!(view.posts().tag(&TagKey::new("نوت_فاوند").unwrap()).await.unwrap(), None);
}

/// A tag that stands only in posts for fewer people is known to nobody; it is known once such a post becomes public.
pub async fn hidden_posts_make_no_tag_known(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let key = TagKey::new("surprise_party").unwrap();
    let post = world.post(&mona, Writing::new("بين أصحاب").visible(Visibility::Followers).tag("surprise_party")).await;
    let mut view = world.view(&Actor::Anonymous).await;
    assert_eq!(view.posts().tag(&key).await.unwrap(), None);
    assert!(view.search().tags("surprise", None, limit(ALL)).await.unwrap().items.is_empty());
    drop(view);
    world.edit(&post, |post| post.visibility = Visibility::Public).await;
    assert!(world.view(&Actor::Anonymous).await.posts().tag(&key).await.unwrap().is_some());
    assert_eq!(under(&world, &Actor::Anonymous, "surprise_party").await, [post.id]);
}

/// Deleted posts are found by their author alone, among the deleted, and are back when restored.
pub async fn deleted_posts_wait_for_their_author(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let since = world.tick();
    let mut deleted = Vec::new();
    for text in ["1", "2", "3"] {
        let post = world.post(&mona, text).await;
        deleted.insert(0, world.delete(&post).await);
    }
    let other = world.post(&ali, "4").await;
    let other = world.delete(&other).await;
    let ids: Vec<PostId> = deleted.iter().map(|p| p.id).collect();
    let mut view = world.view(&mona.actor()).await;
    let reads = view.posts();
    assert_eq!(all_pages!(|after, size| reads.own_deleted(since, after, size).await.unwrap(), |id| *id), ids);
    let second = deleted[1].deleted_at.unwrap();
    assert_eq!(last_page(reads.own_deleted(second, None, limit(ALL)).await.unwrap()), ids[..2]);
    let mut whole = reads.own_deleted_posts(&[ids[0], ids[2], other.id]).await.unwrap();
    whole.sort_by_key(|p| p.id);
    assert_eq!(whole, [deleted[2].clone(), deleted[0].clone()]);
    drop(view);
    for stranger in [ali.actor(), Actor::Anonymous] {
        let mut view = world.view(&stranger).await;
        assert!(
            !view.posts().own_deleted(since, None, limit(ALL)).await.unwrap().items.iter().any(|id| ids.contains(id))
        );
        assert_eq!(view.posts().own_deleted_posts(&ids).await.unwrap(), []);
    }
    let restored = world.edit(&deleted[0], |post| post.deleted_at = None).await;
    assert!(world.sees(&ali.actor(), &restored).await);
    let left = world.view(&mona.actor()).await.posts().own_deleted(since, None, limit(ALL)).await.unwrap();
    assert_eq!(left.items, ids[1..]);
}

/// A purge removes posts deleted before an instant with all that hangs on them, so many at a time, and leaves the rest.
pub async fn a_purge_takes_all_that_hangs_on_a_post(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let picture = world.picture(&mona).await;
    let doomed = world.published(&mona, Writing::new("وداعاً").picture(&picture).tag("bye")).await;
    let mut unit = world.unit(&mona.actor()).await;
    unit.media().attach(&[picture.id], Some(doomed.id)).await.unwrap();
    unit.commit().await.unwrap();
    let comment = world.comment(&ali, &doomed, None, "ليه؟").await;
    world.comment(&mona, &doomed, Some(&comment), "كده").await;
    world.react(&ali, Target::Post(doomed.id), ReactionKind::Sad).await;
    world.react(&mona, Target::Comment(comment.id), ReactionKind::Love).await;
    world.count(CounterField::PostReactions, doomed.id.raw(), 1).await;
    let doomed = world.delete(&doomed).await;
    let other = world.post(&mona, "2").await;
    let other = world.delete(&other).await;
    let before = world.tick();
    let fresh = world.post(&mona, "3").await;
    let fresh = world.delete(&fresh).await;
    let living = world.post(&mona, "4").await;

    let mut gone = Vec::new();
    for expected in [1, 1, 0] {
        let mut unit = world.unit(&PLATFORM).await;
        let some = unit.posts().purge(before, 1).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(some.len(), expected);
        gone.extend(some);
    }
    gone.sort_unstable();
    assert_eq!(gone, [doomed.id, other.id]);
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.posts().post(doomed.id, Lock::None).await.unwrap(), None);
    assert_eq!(unit.comments().comment(comment.id, Lock::None).await.unwrap(), None);
    assert!(unit.posts().post(fresh.id, Lock::None).await.unwrap().is_some());
    assert!(unit.posts().post(living.id, Lock::None).await.unwrap().is_some());
    assert_eq!(unit.reactions().remove(ali.id, Target::Post(doomed.id)).await.unwrap(), None);
    assert_eq!(unit.reactions().remove(mona.id, Target::Comment(comment.id)).await.unwrap(), None);
    let free = unit.media().lock(&[picture.id]).await.unwrap();
    assert!(free.iter().all(|m| m.post.is_none() && !m.attached), "its picture is free to be swept");
    drop(unit);
    assert!(world.view(&mona.actor()).await.posts().own_deleted_posts(&[doomed.id]).await.unwrap().is_empty());
    assert_eq!(world.view(&ali.actor()).await.feed().newest(world.now(), None, limit(ALL)).await.unwrap().items, []);
}

/// An id that is asked for twice comes once, one that is unknown not at all.
pub async fn an_id_asked_for_twice_comes_once(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "واحد").await;
    let comment = world.comment(&mona, &post, None, "اتنين").await;
    let mut view = world.view(&mona.actor()).await;
    assert_eq!(view.posts().cards(&[post.id, world.draw(), post.id]).await.unwrap().len(), 1);
    assert_eq!(view.posts().cards(&[]).await.unwrap(), []);
    assert_eq!(view.comments().cards(&[comment.id, world.draw(), comment.id]).await.unwrap().len(), 1);
    assert_eq!(view.accounts().profiles(&[mona.id, world.draw(), mona.id]).await.unwrap().len(), 1);
}
