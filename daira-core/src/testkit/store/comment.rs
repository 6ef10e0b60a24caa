//! Comments: a tree under each post.

use super::{all_pages, failure, last_page, world};
use crate::account::AccountState;
use crate::actor::Actor;
use crate::comment::{Comment, CommentCard, CommentCounters};
use crate::error::ErrorKind;
use crate::id::{CommentId, Id};
use crate::port::Ports;
use crate::port::store::{CounterField, Lock};
use crate::post::{Post, Visibility};
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Draft, Fixture, Writing, limit};

const ALL: i64 = 100;

fn ids(cards: &[CommentCard]) -> Vec<CommentId> {
    cards.iter().map(|card| card.comment.id).collect()
}

async fn newest(world: &Fixture, viewer: &Actor, post: &Post, parent: Option<&Comment>) -> Vec<CommentCard> {
    let parent = parent.map(|p| p.id);
    last_page(world.view(viewer).await.comments().newest(post.id, parent, None, limit(ALL)).await.unwrap())
}

/// Everything of a comment survives being stored, and its card carries author, counters and the viewer's reaction.
pub async fn a_comment_comes_back_whole(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&mona, "رأيكم؟").await;
    let first = world.said(&ali, &post, None, "جامد 👌🏽");
    let answer = world.said(&mona, &post, Some(&first), "شكراً يا @ali");
    for (writer, comment) in [(&ali, &first), (&mona, &answer)] {
        let mut unit = world.unit(&writer.actor()).await;
        unit.comments().insert(comment).await.unwrap();
        unit.commit().await.unwrap();
        let mut unit = world.unit(&writer.actor()).await;
        assert_eq!(failure(unit.comments().insert(comment).await), ErrorKind::IdCollision);
    }
    let edited =
        Comment { text: "جامد جداً".to_owned(), edited_at: Some(world.tick()), version: 2, ..first.clone() };
    let mut unit = world.unit(&ali.actor()).await;
    unit.comments().update(&edited).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.comments().comment(first.id, Lock::Share).await.unwrap(), Some(edited.clone()));
    assert_eq!(unit.comments().comment(world.draw(), Lock::None).await.unwrap(), None);
    drop(unit);
    world.react(&mona, Target::Comment(first.id), ReactionKind::Laugh).await;
    world.count(CounterField::CommentReactions, first.id.raw(), 1).await;
    world.count(CounterField::CommentReplies, first.id.raw(), 1).await;
    let mut view = world.view(&mona.actor()).await;
    let mut cards = view.comments().cards(&[answer.id, first.id]).await.unwrap();
    cards.sort_by_key(|card| card.comment.id);
    assert_eq!(cards[0].comment, edited);
    assert_eq!(cards[0].author.as_ref(), Some(&ali.profile));
    assert_eq!(cards[0].counters, CommentCounters { reactions: 1, replies: 1 });
    assert_eq!((cards[0].viewer_reaction, cards[1].viewer_reaction), (Some(ReactionKind::Laugh), None));
    assert_eq!(cards[1].comment, answer);
}

/// A change counts only when it is one version above what is stored.
pub async fn a_stale_comment_is_refused(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "1").await;
    let comment = world.comment(&mona, &post, None, "2").await;
    for version in [1, 3] {
        let mut unit = world.unit(&mona.actor()).await;
        let stale = Comment { version, text: "3".to_owned(), ..comment.clone() };
        assert_eq!(failure(unit.comments().update(&stale).await), ErrorKind::Stale);
    }
    assert_eq!(newest(&world, &mona.actor(), &post, None).await[0].comment, comment);
}

/// The answers to a post and to a comment are lists of their own, each newest first, and page lawfully.
pub async fn comments_go_newest_first(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let (post, other) = (world.post(&mona, "1").await, world.post(&mona, "2").await);
    let mut top = Vec::new();
    for n in 0..5 {
        top.insert(0, world.comment(if n % 2 == 0 { &ali } else { &mona }, &post, None, "كومنت").await);
    }
    let mut under = Vec::new();
    for _ in 0..3 {
        under.insert(0, world.comment(&ali, &post, Some(&top[2]), "رد").await);
    }
    let deep = world.comment(&mona, &post, Some(&under[0]), "رد على رد").await;
    world.comment(&ali, &other, None, "في حتة تانية").await;
    let mut view = world.view(&Actor::Anonymous).await;
    let reads = view.comments();
    let pages = all_pages!(|after, size| reads.newest(post.id, None, after, size).await.unwrap(), |c| c.comment.id);
    assert_eq!(ids(&pages), top.iter().map(|c| c.id).collect::<Vec<_>>());
    let parent = Some(top[2].id);
    let pages = all_pages!(|after, size| reads.newest(post.id, parent, after, size).await.unwrap(), |c| c.comment.id);
    assert_eq!(ids(&pages), under.iter().map(|c| c.id).collect::<Vec<_>>());
    assert_eq!(ids(&last_page(reads.newest(post.id, Some(under[0].id), None, limit(ALL)).await.unwrap())), [deep.id]);
    let foreign = reads.newest(other.id, parent, None, limit(ALL)).await.unwrap();
    assert!(foreign.items.is_empty(), "a comment's answers are under its own post");
}

/// The best come first, ties newest first; what was shown is left out, so that a moving order repeats nothing.
pub async fn comments_go_by_reactions(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let post = world.post(&mona, "1").await;
    let mut all = Vec::new();
    for reactions in [1, 5, 0, 5, 2] {
        let comment = world.comment(&mona, &post, None, "كومنت").await;
        if reactions > 0 {
            world.count(CounterField::CommentReactions, comment.id.raw(), reactions).await;
        }
        all.push(comment.id);
    }
    let mut expected = [all[3], all[1], all[4], all[0], all[2]].to_vec();
    let first = world.view(&mona.actor()).await.comments().top(post.id, None, &[], limit(2)).await.unwrap();
    assert_eq!((ids(&first.items), first.has_next), (expected[..2].to_vec(), true));
    world.count(CounterField::CommentReactions, all[2].raw(), 9).await;
    expected = [all[2], all[4], all[0]].to_vec();
    let shown = ids(&first.items);
    let rest = world.view(&mona.actor()).await.comments().top(post.id, None, &shown, limit(ALL)).await.unwrap();
    assert_eq!((ids(&rest.items), rest.has_next), (expected, false));
}

/// A deleted comment that living answers hang on, at any depth, stays as a tombstone without words and writer; one without
/// is gone.
pub async fn a_deleted_comment_stays_while_answers_hang_on_it(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&mona, "1").await;
    let leaf = world.comment(&ali, &post, None, "هتتمسح").await;
    let branch = world.comment(&ali, &post, None, "هتتمسح برضه").await;
    let twig = world.comment(&ali, &post, Some(&branch), "ودي كمان").await;
    let last = world.comment(&mona, &post, Some(&twig), "أنا قاعدة").await;
    for comment in [&leaf, &branch, &twig] {
        world.delete_comment(comment).await;
    }
    let cards = newest(&world, &Actor::Anonymous, &post, None).await;
    assert_eq!(ids(&cards), [branch.id]);
    assert_eq!((cards[0].comment.text.as_str(), &cards[0].author, cards[0].viewer_reaction), ("", &None, None));
    assert!(cards[0].comment.deleted_at.is_some());
    assert_eq!(ids(&newest(&world, &ali.actor(), &post, Some(&branch)).await), [twig.id]);
    assert_eq!(ids(&newest(&world, &ali.actor(), &post, Some(&twig)).await), [last.id]);
    let top = world.view(&ali.actor()).await.comments().top(post.id, None, &[], limit(ALL)).await.unwrap();
    assert_eq!(ids(&top.items), [branch.id]);
    let asked = [leaf.id, branch.id, twig.id, last.id];
    assert_eq!(
        ids(&world.view(&ali.actor()).await.comments().cards(&asked).await.unwrap()),
        [last.id],
        "cards are of the living"
    );
    world.delete_comment(&last).await;
    assert!(newest(&world, &Actor::Anonymous, &post, None).await.is_empty(), "with the last answer the branch goes");
}

/// People hidden from the viewer are left out of other people's threads as well; the page is full without them.
pub async fn comments_of_hidden_people_are_left_out(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    let asleep = world.person(Draft::new("asleep").state(AccountState::Deactivated)).await;
    let post = world.post(&mona, "1").await;
    let first = world.comment(&ali, &post, None, "أول").await;
    let second = world.comment(&eve, &post, None, "تاني").await;
    world.comment(&asleep, &post, None, "نايم").await;
    let last = world.comment(&ali, &post, None, "آخر").await;
    world.block(&ali, &eve).await;
    assert_eq!(ids(&newest(&world, &mona.actor(), &post, None).await), [last.id, second.id, first.id]);
    assert_eq!(ids(&newest(&world, &eve.actor(), &post, None).await), [second.id]);
    assert_eq!(ids(&newest(&world, &ali.actor(), &post, None).await), [last.id, first.id]);
    let page = world.view(&ali.actor()).await.comments().newest(post.id, None, None, limit(2)).await.unwrap();
    assert_eq!((page.items.len(), page.has_next), (2, false), "a page is full unless the list is over");
    assert!(world.view(&eve.actor()).await.comments().cards(&[first.id]).await.unwrap().is_empty());
}

/// Whoever does not see a post sees nothing said under it, not even what they said themselves.
pub async fn comments_hang_on_visible_posts(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&mona, "1").await;
    let comment = world.comment(&ali, &post, None, "كنت هنا").await;
    let post = world.edit(&post, |post| post.visibility = Visibility::Followers).await;
    for viewer in [ali.actor(), Actor::Anonymous] {
        assert!(newest(&world, &viewer, &post, None).await.is_empty());
        let mut view = world.view(&viewer).await;
        assert!(view.comments().cards(&[comment.id]).await.unwrap().is_empty());
        assert!(view.comments().top(post.id, None, &[], limit(ALL)).await.unwrap().items.is_empty());
    }
    let hidden = world.post(&mona, Writing::new("2").visible(Visibility::Private)).await;
    let own = world.comment(&mona, &hidden, None, "لنفسي").await;
    let mut unit = world.unit(&ali.actor()).await;
    assert_eq!(unit.comments().comment(own.id, Lock::None).await.unwrap(), None, "row security follows the post");
    assert!(unit.comments().comment(comment.id, Lock::None).await.unwrap().is_some(), "one's own can be taken back");
}

/// A comment is changed by its writer, and taken away by the author of the post too; by nobody else.
pub async fn the_author_and_the_host_delete_a_comment(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, eve) = (world.person("mona").await, world.person("ali").await, world.person("eve").await);
    let post = world.post(&mona, "1").await;
    let (one, two) = (world.comment(&ali, &post, None, "1").await, world.comment(&ali, &post, None, "2").await);
    for stranger in [eve.actor(), Actor::Anonymous] {
        let mut unit = world.unit(&stranger).await;
        let gone = Comment { deleted_at: Some(world.tick()), version: 2, ..one.clone() };
        assert!(unit.comments().update(&gone).await.is_err());
        drop(unit);
        let mut unit = world.unit(&stranger).await;
        assert!(unit.comments().insert(&world.said(&ali, &post, None, "مش أنا")).await.is_err());
    }
    for (actor, comment) in [(ali.actor(), &one), (mona.actor(), &two)] {
        let mut unit = world.unit(&actor).await;
        let gone = Comment { deleted_at: Some(world.tick()), version: 2, ..comment.clone() };
        unit.comments().update(&gone).await.unwrap();
        unit.commit().await.unwrap();
    }
    assert!(newest(&world, &ali.actor(), &post, None).await.is_empty());
}
