//! Notifications: insert-only rows, grouped when read, with one marker per profile.

use core::time::Duration;

use super::{all_pages, last_page, world};
use crate::id::{CommentId, PostId};
use crate::notification::{GroupPosition, Notification, NotificationGroup, NotificationKind};
use crate::port::Ports;
use crate::post::Visibility;
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Fixture, PLATFORM, Person, limit};
use crate::time::Timestamp;

const ALL: i64 = 100;

/// A world whose events are numbered.
struct Told {
    world: Fixture,
    events: core::sync::atomic::AtomicI64,
}

fn told(ports: &Ports) -> Told {
    Told { world: world(ports), events: core::sync::atomic::AtomicI64::new(1) }
}

impl Told {
    fn about(
        &self,
        recipient: &Person,
        kind: NotificationKind,
        actor: &Person,
        post: Option<PostId>,
        comment: Option<CommentId>,
    ) -> Notification {
        let event = self.events.fetch_add(1, core::sync::atomic::Ordering::SeqCst);
        Notification { recipient: recipient.id, kind, actor: actor.id, post, comment, event, at: self.world.tick() }
    }

    async fn insert(&self, notifications: &[Notification]) -> u64 {
        let mut unit = self.world.unit(&PLATFORM).await;
        let new = unit.notifications().insert(notifications).await.unwrap();
        unit.commit().await.unwrap();
        new
    }

    /// Somebody follows the recipient, who is told.
    async fn followed(&self, recipient: &Person, by: &Person) -> Notification {
        self.world.follow(by, recipient).await;
        let told = self.about(recipient, NotificationKind::Followed, by, None, None);
        self.insert(&[told]).await;
        told
    }

    /// Somebody reacts to a post, whose author is told.
    async fn reacted(&self, recipient: &Person, by: &Person, post: PostId) -> Notification {
        self.world.react(by, Target::Post(post), ReactionKind::Like).await;
        let told = self.about(recipient, NotificationKind::Reacted, by, Some(post), None);
        self.insert(&[told]).await;
        told
    }

    async fn groups(&self, of: &Person, as_of: Timestamp) -> Vec<NotificationGroup> {
        let position = GroupPosition { as_of, after: None };
        last_page(self.world.view(&of.actor()).await.notifications().groups(position, limit(ALL)).await.unwrap())
    }

    async fn unread(&self, of: &Person) -> i64 {
        self.world.view(&of.actor()).await.notifications().unread().await.unwrap()
    }
}

/// One event tells one recipient once, however often it is delivered; another recipient is told apart.
pub async fn an_event_notifies_once(ports: &Ports) {
    let told = told(ports);
    let (mona, ali) = (told.world.person("mona").await, told.world.person("ali").await);
    let post = told.world.post(&mona, "1").await;
    let comment = told.world.comment(&ali, &post, None, "2").await;
    let first = told.about(&mona, NotificationKind::Commented, &ali, Some(post.id), Some(comment.id));
    assert_eq!(told.insert(&[first]).await, 1);
    assert_eq!(told.insert(&[first, first]).await, 0);
    assert_eq!(told.unread(&mona).await, 1);
    let sara = told.world.person("sara").await;
    let other = Notification { recipient: sara.id, kind: NotificationKind::Replied, ..first };
    assert_eq!(told.insert(&[first, other]).await, 1);
    assert_eq!((told.unread(&mona).await, told.unread(&sara).await, told.unread(&ali).await), (1, 1, 0));
}

/// Who blocks or mutes the one who acts, or is blocked by them, is not told.
pub async fn nobody_is_notified_across_a_block(ports: &Ports) {
    let told = told(ports);
    let world = &told.world;
    let eve = world.person("eve").await;
    let (blocks, blocked) = (world.person("blocks").await, world.person("blocked").await);
    let (mutes, mutes_posts) = (world.person("mutes").await, world.person("mutes.posts").await);
    world.block(&blocks, &eve).await;
    world.block(&eve, &blocked).await;
    world.mute(&mutes, &eve, false, true).await;
    world.mute(&mutes_posts, &eve, true, false).await;
    let mut all = Vec::new();
    for recipient in [&blocks, &blocked, &mutes, &mutes_posts] {
        world.follow(&eve, recipient).await;
        all.push(told.about(recipient, NotificationKind::Followed, &eve, None, None));
    }
    assert_eq!(told.insert(&all).await, 1);
    assert_eq!(told.unread(&mutes_posts).await, 1, "muted posts are another thing");
    world.unblock(&blocks, &eve).await;
    assert_eq!(told.unread(&blocks).await, 0);
}

/// One line for all that happened to one thing: the last three people by name, every person counted once.
pub async fn groups_count_people(ports: &Ports) {
    let told = told(ports);
    let mona = told.world.person("mona").await;
    let post = told.world.post(&mona, "1").await;
    let mut people = Vec::new();
    for handle in ["ali", "sara", "nada", "omar"] {
        people.push(told.world.person(handle).await);
    }
    let followed = told.followed(&mona, &people[0]).await;
    for person in &people {
        told.reacted(&mona, person, post.id).await;
    }
    let last = told.reacted(&mona, &people[0], post.id).await;
    let groups = told.groups(&mona, told.world.now()).await;
    assert_eq!(groups.len(), 2);
    let reacted = NotificationGroup {
        kind: NotificationKind::Reacted,
        post: Some(post.id),
        comment: None,
        actors: vec![people[0].id, people[3].id, people[2].id],
        count: 4,
        latest_at: last.at,
        latest_event: last.event,
        unread: true,
    };
    assert_eq!(groups[0], reacted);
    assert_eq!(
        (groups[1].kind, &groups[1].actors, groups[1].count),
        (NotificationKind::Followed, &vec![people[0].id], 1)
    );
    assert_eq!((groups[1].latest_at, groups[1].latest_event), (followed.at, followed.event));
    assert_eq!(told.unread(&mona).await, 2, "the badge counts lines, as the list shows them");
}

/// The list is frozen at an instant: what comes later neither pushes nor repeats a line; ties go by event.
pub async fn groups_page_as_of_an_instant(ports: &Ports) {
    let told = told(ports);
    let (mona, ali) = (told.world.person("mona").await, told.world.person("ali").await);
    let at = told.world.tick();
    let mut posts = Vec::new();
    for n in 0..5 {
        let post = told.world.post(&mona, "1").await.id;
        told.world.react(&ali, Target::Post(post), ReactionKind::Like).await;
        // Two share each instant.
        let at = at + Duration::from_millis(n / 2);
        let reacted = Notification { at, ..told.about(&mona, NotificationKind::Reacted, &ali, Some(post), None) };
        told.insert(&[reacted]).await;
        posts.insert(0, Some(post));
    }
    let as_of = told.world.tick();
    told.followed(&mona, &ali).await;
    let late = told.world.comment(&ali, &told.world.post(&mona, "6").await, None, "7").await;
    told.insert(&[told.about(&mona, NotificationKind::Commented, &ali, Some(late.post), Some(late.id))]).await;
    let mut view = told.world.view(&mona.actor()).await;
    let reads = view.notifications();
    let all = all_pages!(|after, size| reads.groups(GroupPosition { as_of, after }, size).await.unwrap(), |group| (
        group.latest_at,
        group.latest_event
    ));
    assert_eq!(all.iter().map(|g| g.post).collect::<Vec<_>>(), posts);
    drop(view);
    assert_eq!(told.groups(&mona, told.world.now()).await.len(), 7);
}

/// The marker moves forward and never back, and nobody moves another's.
pub async fn the_marker_moves_forward(ports: &Ports) {
    let told = told(ports);
    let (mona, ali, sara) =
        (told.world.person("mona").await, told.world.person("ali").await, told.world.person("sara").await);
    let first = told.followed(&mona, &ali).await;
    let post = told.world.post(&mona, "1").await;
    let second = told.reacted(&mona, &sara, post.id).await;
    let mark = async |by: &Person, up_to: Timestamp| {
        let mut unit = told.world.unit(&by.actor()).await;
        unit.notifications().mark_read(by.id, up_to).await.unwrap();
        unit.commit().await.unwrap();
    };
    assert_eq!(told.unread(&mona).await, 2);
    mark(&mona, first.at).await;
    assert_eq!(told.unread(&mona).await, 1);
    let unread: Vec<bool> = told.groups(&mona, told.world.now()).await.iter().map(|g| g.unread).collect();
    assert_eq!(unread, [true, false]);
    let third = told.reacted(&mona, &ali, post.id).await;
    assert_eq!(told.unread(&mona).await, 1, "one more of the same is no other line");
    mark(&mona, second.at).await;
    assert_eq!(told.unread(&mona).await, 1, "a line is unread while any of it is");
    mark(&mona, third.at).await;
    mark(&mona, first.at).await;
    assert_eq!(told.unread(&mona).await, 0);
    let other = told.followed(&ali, &sara).await;
    let mut unit = told.world.unit(&mona.actor()).await;
    if unit.notifications().mark_read(ali.id, other.at).await.is_ok() {
        unit.commit().await.unwrap();
    }
    assert_eq!(told.unread(&ali).await, 1);
}

/// What is over, deleted or hidden by now is in no list and in no count, and is back when it is so again.
pub async fn what_is_over_is_left_out(ports: &Ports) {
    let told = told(ports);
    let world = &told.world;
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    let post = world.post(&mona, "1").await;
    let other = world.post(&ali, crate::testkit::fixture::Writing::new("@mona").mention(&mona)).await;
    let comment = world.comment(&ali, &post, None, "2").await;
    let answer = world.comment(&sara, &post, Some(&comment), "3").await;
    told.followed(&mona, &ali).await;
    told.reacted(&mona, &ali, post.id).await;
    told.insert(&[
        told.about(&mona, NotificationKind::Commented, &ali, Some(post.id), Some(comment.id)),
        told.about(&mona, NotificationKind::Mentioned, &ali, Some(other.id), None),
        told.about(&mona, NotificationKind::Commented, &sara, Some(post.id), Some(answer.id)),
    ])
    .await;
    assert_eq!(told.unread(&mona).await, 5);
    world.unfollow(&ali, &mona).await;
    assert_eq!(told.unread(&mona).await, 4, "nobody follows any more");
    let mut unit = world.unit(&ali.actor()).await;
    unit.reactions().remove(ali.id, Target::Post(post.id)).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(told.unread(&mona).await, 3, "the reaction was taken back");
    world.delete_comment(&answer).await;
    assert_eq!(told.unread(&mona).await, 2, "the comment was deleted");
    let other = world.edit(&other, |post| post.mentions.clear()).await;
    assert_eq!(told.unread(&mona).await, 1, "the mention was edited away");
    let other = world.edit(&other, |post| post.mentions.push(mona.id)).await;
    world.edit(&other, |post| post.visibility = Visibility::Private).await;
    assert_eq!(told.unread(&mona).await, 1, "the post is hidden");
    world.block(&mona, &ali).await;
    assert_eq!((told.unread(&mona).await, told.groups(&mona, world.now()).await.len()), (0, 0));
    world.unblock(&mona, &ali).await;
    assert_eq!(told.unread(&mona).await, 1);
    world.delete(&post).await;
    assert_eq!((told.unread(&mona).await, told.groups(&mona, world.now()).await.len()), (0, 0));
}

/// The badge tells at most a hundred.
pub async fn unread_is_bounded(ports: &Ports) {
    let told = told(ports);
    let (mona, ali) = (told.world.person("mona").await, told.world.person("ali").await);
    told.world.follow(&ali, &mona).await;
    let mut all: Vec<Notification> =
        (0..120).map(|_| told.about(&mona, NotificationKind::Followed, &ali, None, None)).collect();
    assert_eq!(told.insert(&all).await, 120);
    let groups = told.groups(&mona, told.world.now()).await;
    assert_eq!((groups.len(), groups[0].count), (1, 1), "one person did it");
    assert_eq!(told.unread(&mona).await, 1);
    all.clear();
    let post = told.world.post(&mona, "1").await;
    for _ in 0..100 {
        let comment = told.world.comment(&ali, &post, None, "2").await;
        all.push(told.about(&mona, NotificationKind::Commented, &ali, Some(post.id), Some(comment.id)));
    }
    assert_eq!(told.insert(&all).await, 100);
    assert_eq!(told.unread(&mona).await, 100);
}

/// Only the platform notifies, and only their recipient reads notifications.
pub async fn notifications_are_the_platforms(ports: &Ports) {
    let told = told(ports);
    let (mona, ali) = (told.world.person("mona").await, told.world.person("ali").await);
    told.world.follow(&ali, &mona).await;
    let forged = told.about(&mona, NotificationKind::Followed, &ali, None, None);
    for stranger in [ali.actor(), mona.actor(), crate::Actor::Anonymous] {
        let mut unit = told.world.unit(&stranger).await;
        assert!(unit.notifications().insert(&[forged]).await.is_err());
    }
    told.insert(&[forged]).await;
    assert_eq!((told.unread(&mona).await, told.unread(&ali).await), (1, 0));
    let mut view = told.world.view(&crate::Actor::Anonymous).await;
    assert_eq!(view.notifications().unread().await.unwrap(), 0);
    let position = GroupPosition { as_of: told.world.now(), after: None };
    assert!(view.notifications().groups(position, limit(ALL)).await.unwrap().items.is_empty());
}
