//! Staff, sanctions and takedowns.

use core::time::Duration;

use super::{failure, world};
use crate::account::{AccountState, Profile, ProfileKind};
use crate::actor::Actor;
use crate::comment::Comment;
use crate::error::ErrorKind;
use crate::id::{Id, PostId, ProfileId};
use crate::idempotency::{Claim, IdempotencyKey, Keyed};
use crate::port::Ports;
use crate::port::store::{AuditRecord, CounterField, Lock};
use crate::post::{Post, Revision};
use crate::reaction::{ReactionKind, Target as ReactionTarget};
use crate::staff::{Reason, Sanction, StaffMember, StaffRole, Strike, Struck, Target, Why};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing, limit, tag};

/// Roles are given, changed and taken by the platform; a member sees their own and gives none.
pub async fn roles_come_and_go(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, nour) = (world.person("mona").await, world.person("ali").await, world.person("nour").await);
    let put = async |person: &Person, role| {
        let member = StaffMember { account: person.account, role, since: world.tick() };
        let mut unit = world.unit(&PLATFORM).await;
        unit.staff().put_role(&member).await.unwrap();
        unit.commit().await.unwrap();
    };
    for (person, role) in [
        (&mona, StaffRole::Moderator),
        (&ali, StaffRole::Admin),
        (&nour, StaffRole::Admin),
        (&mona, StaffRole::SeniorModerator),
    ] {
        put(person, role).await;
    }
    let mut unit = world.unit(&PLATFORM).await;
    for lock in [Lock::None, Lock::Share, Lock::Update] {
        assert_eq!(unit.staff().role(mona.account, lock).await.unwrap(), Some(StaffRole::SeniorModerator));
    }
    let staff = unit.staff().staff().await.unwrap();
    let of_town = |account| [mona.account, ali.account, nour.account].contains(&account);
    let order: Vec<_> = staff.iter().map(|member| member.account).filter(|account| of_town(*account)).collect();
    assert_eq!(order, [ali.account, nour.account, mona.account], "by rank, then by time");
    let mut admins = unit.staff().admins().await.unwrap();
    admins.retain(|account| of_town(*account));
    let mut both = [ali.account, nour.account];
    both.sort_unstable();
    assert_eq!(admins, both);
    drop(unit);
    let own = async |person: &Person| world.view(&person.actor()).await.staff().own_role().await.unwrap();
    assert_eq!((own(&mona).await, own(&ali).await), (Some(StaffRole::SeniorModerator), Some(StaffRole::Admin)));
    for stranger in [mona.actor(), Actor::Anonymous] {
        let member = StaffMember { account: mona.account, role: StaffRole::Admin, since: world.tick() };
        let mut unit = world.unit(&stranger).await;
        assert!(unit.staff().put_role(&member).await.is_err());
        let mut unit = world.unit(&stranger).await;
        assert!(unit.staff().remove_role(ali.account).await.is_err());
    }
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.staff().remove_role(mona.account).await.unwrap());
    assert!(!unit.staff().remove_role(mona.account).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(own(&mona).await, None);
    assert_eq!(world.view(&Actor::Anonymous).await.staff().own_role().await.unwrap(), None);
}

/// A sanction is kept, changed and forgotten; its account sees it, and nobody else.
pub async fn a_sanction_is_kept_for_its_account(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let first = Sanction {
        account: mona.account,
        by: Some(ali.id),
        rank: Some(StaffRole::SeniorModerator),
        why: Why { reason: Reason::Hate, reference: None },
        at: world.tick(),
        asleep: true,
    };
    let why = world.takedown(Target::Name(mona.id), mona.id).why;
    let second = Sanction { by: None, rank: None, why, asleep: false, at: world.tick(), ..first.clone() };
    for sanction in [first, second.clone()] {
        let mut unit = world.unit(&PLATFORM).await;
        unit.staff().put_sanction(&sanction).await.unwrap();
        assert_eq!(unit.staff().sanction(mona.account).await.unwrap(), Some(sanction));
        unit.commit().await.unwrap();
    }
    let own = async |person: &Person| world.view(&person.actor()).await.staff().own_sanction().await.unwrap();
    assert_eq!((own(&mona).await, own(&ali).await), (Some(second.clone()), None));
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.staff().remove_sanction(mona.account).await.is_err());
    let mut unit = world.unit(&mona.actor()).await;
    assert!(unit.staff().put_sanction(&second).await.is_err());
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.staff().remove_sanction(mona.account).await.unwrap());
    assert!(!unit.staff().remove_sanction(mona.account).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(own(&mona).await, None);
}

/// Trust is made of age, a phone, a checked face, and strikes that were not taken back and are not too old.
pub async fn trust_is_made_of_what_is_known(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let since = world.tick();
    let facts = async |actor: &Actor, of: &Person, since| {
        world.unit(actor).await.accounts().trust_facts(of.account, since).await.unwrap().unwrap()
    };
    let first = facts(&mona.actor(), &mona, since).await;
    assert_eq!((first.has_phone, first.is_verified, first.strikes), (false, false, 0));
    assert!(first.joined_at <= since);
    let strikes: Vec<Strike> = [None, Some(Target::Name(mona.id)), Some(Target::Picture(mona.id))]
        .map(|what| Strike { account: mona.account, what, at: world.tick(), rank: Some(StaffRole::Moderator) })
        .to_vec();
    let mut unit = world.unit(&PLATFORM).await;
    for strike in strikes.iter().chain(&strikes[..1]) {
        unit.staff().put_strike(strike).await.unwrap();
    }
    let mut face = unit.accounts().profile(mona.id, Lock::Update).await.unwrap().unwrap();
    face = Profile { kind: ProfileKind::VerifiedCreator, version: face.version + 1, ..face };
    unit.accounts().update_profile(&face).await.unwrap();
    unit.commit().await.unwrap();
    for actor in [Actor::Anonymous, mona.actor(), PLATFORM] {
        let known = facts(&actor, &mona, since).await;
        assert_eq!((known.strikes, known.is_verified), (3, true), "{actor:?}");
        assert_eq!(facts(&actor, &mona, strikes[1].at).await.strikes, 1, "those at that instant are too old");
    }
    assert_eq!(facts(&ali.actor(), &ali, since).await.strikes, 0);
    for strike in &strikes[..1] {
        assert!(world.unit(&mona.actor()).await.staff().remove_strike(strike).await.is_err());
        assert!(world.unit(&ali.actor()).await.staff().put_strike(strike).await.is_err());
    }
    let mut unit = world.unit(&PLATFORM).await;
    let again = Strike { at: world.tick(), rank: None, ..strikes[0] };
    unit.staff().put_strike(&again).await.unwrap();
    let (itself, name) = (Struck::Account(mona.account), Struck::Content(Target::Name(mona.id)));
    assert_eq!(unit.staff().latest_strike(itself).await.unwrap(), Some(again), "not an older one, nor one for content");
    assert!(unit.staff().remove_strike(&again).await.unwrap());
    assert_eq!(unit.staff().latest_strike(itself).await.unwrap(), Some(strikes[0]));
    assert_eq!(unit.staff().latest_strike(name).await.unwrap(), Some(strikes[1]));
    for other in [Struck::Account(ali.account), Struck::Content(Target::Name(ali.id))] {
        assert_eq!(unit.staff().latest_strike(other).await.unwrap(), None);
    }
    assert!(unit.staff().remove_strike(&strikes[2]).await.unwrap());
    assert!(!unit.staff().remove_strike(&strikes[2]).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(facts(&mona.actor(), &mona, since).await.strikes, 2);
}

/// Everything by which a post and a comment under it are seen: how often each shows.
async fn shown(world: &Fixture, viewer: &Actor, post: &Post, comment: &Comment) -> (Vec<bool>, Vec<bool>) {
    let size = limit(100);
    let mut view = world.view(viewer).await;
    let is_it = |id: &PostId| *id == post.id;
    let (key, reaction) = (tag("takedown").key, ReactionTarget::Post(post.id));
    let mut posts = vec![
        !view.posts().cards(&[post.id]).await.unwrap().is_empty(),
        view.posts().by_author(post.author, None, size).await.unwrap().items.iter().any(is_it),
        view.posts().by_tag(&key, None, size).await.unwrap().items.iter().any(is_it),
        !view.posts().revisions(post.id).await.unwrap().is_empty(),
        !view.reactions().reactors(reaction, None, size).await.unwrap().items.is_empty(),
    ];
    let answers = view.comments().newest(post.id, None, None, size).await.unwrap().items;
    let top = view.comments().top(post.id, None, &[], size).await.unwrap().items;
    let reaction = ReactionTarget::Comment(comment.id);
    let comments = vec![
        !view.comments().cards(&[comment.id]).await.unwrap().is_empty(),
        answers.iter().any(|card| card.comment.id == comment.id),
        top.iter().any(|card| card.comment.id == comment.id),
        !view.reactions().reactors(reaction, None, size).await.unwrap().items.is_empty(),
    ];
    drop(view);
    if viewer.member().is_ok() {
        // Twice: the second feed is put together from what the first kept.
        for _ in 0..2 {
            let now = world.ports.clock.now();
            let candidates = world.ports.store.candidates(viewer, now, 100).await.unwrap();
            let cards = world.ports.store.cards(viewer, &candidates).await.unwrap();
            posts.push(cards.iter().any(|card| card.post.id == post.id));
        }
    }
    let mut unit = world.unit(viewer).await;
    posts.push(unit.posts().post(post.id, Lock::None).await.unwrap().is_some());
    let mut unit_of_comments = world.unit(viewer).await;
    let mut comments = comments;
    comments.push(unit_of_comments.comments().comment(comment.id, Lock::None).await.unwrap().is_some());
    (posts, comments)
}

/// The post under another text, with what it said before in its history.
async fn revise(world: &Fixture, post: &Post) -> Post {
    let before = Revision {
        post: post.id,
        version: post.version,
        text: post.text.clone(),
        warning: None,
        replaced_at: world.tick(),
    };
    let after = Post { text: "منشور اتعدّل".to_owned(), version: post.version + 1, ..post.clone() };
    let mut unit = world.unit(&PLATFORM).await;
    unit.posts().update(&after, Some(&before)).await.unwrap();
    unit.commit().await.unwrap();
    after
}

/// What was taken down is seen by its writer and by nobody else, whichever way it is looked for, until it is put back.
pub async fn what_was_taken_down_is_its_writers_alone(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, nour) = (world.person("mona").await, world.person("ali").await, world.person("nour").await);
    world.follow(&ali, &mona).await;
    world.follow(&nour, &mona).await;
    let post = world.post(&mona, Writing::new("منشور").tag("takedown")).await;
    world.deliver(&post).await;
    let revised = revise(&world, &post).await;
    let comment = world.comment(&ali, &revised, None, "رد").await;
    world.react(&nour, ReactionTarget::Post(post.id), ReactionKind::Like).await;
    world.react(&nour, ReactionTarget::Comment(comment.id), ReactionKind::Like).await;
    let all = |seen: &[bool]| seen.iter().all(|seen| *seen);
    let none = |seen: &[bool]| !seen.iter().any(|seen| *seen);
    let everybody = [mona.actor(), ali.actor(), nour.actor(), Actor::Anonymous];
    for viewer in &everybody {
        let (posts, comments) = shown(&world, viewer, &revised, &comment).await;
        assert!(all(&posts) && all(&comments), "{viewer:?}: {posts:?} {comments:?}");
    }

    world.take_down(Target::Comment(comment.id), ali.id).await;
    for viewer in &everybody {
        let (posts, comments) = shown(&world, viewer, &revised, &comment).await;
        let own = viewer.profile() == Some(ali.id);
        assert!(all(&posts) && (if own { all(&comments) } else { none(&comments) }), "{viewer:?}: {comments:?}");
    }
    world.put_back(Target::Comment(comment.id)).await;

    world.take_down(Target::Post(post.id), mona.id).await;
    // The author first: what is shown to her is kept for nobody.
    for viewer in &everybody {
        let (posts, comments) = shown(&world, viewer, &revised, &comment).await;
        if viewer.profile() == Some(mona.id) {
            assert!(all(&posts) && all(&comments), "{viewer:?}: {posts:?} {comments:?}");
        } else {
            assert!(none(&posts) && none(&comments[..4]), "{viewer:?}: {posts:?} {comments:?}");
        }
    }
    world.put_back(Target::Post(post.id)).await;
    for viewer in &everybody {
        let (posts, comments) = shown(&world, viewer, &revised, &comment).await;
        assert!(all(&posts) && all(&comments), "back for {viewer:?}: {posts:?} {comments:?}");
    }
}

/// A takedown comes back whole to its owner and to nobody else, is made once, and goes with what it hides.
pub async fn a_takedown_is_told_to_its_owner(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&mona, "منشور").await;
    let targets = [Target::Post(post.id), Target::Name(mona.id), Target::Picture(mona.id)];
    let mut made = Vec::new();
    for target in targets {
        made.push(world.take_down(target, mona.id).await);
    }
    let own = async |person: &Person| world.view(&person.actor()).await.staff().own_takedowns().await.unwrap();
    let newest: Vec<_> = made.iter().rev().cloned().collect();
    assert_eq!((own(&mona).await, own(&ali).await), (newest, Vec::new()));
    let mut unit = world.unit(&mona.actor()).await;
    assert_eq!(unit.staff().takedown(targets[0]).await.unwrap().as_ref(), made.first());
    assert!(unit.staff().put_back(targets[0]).await.is_err());
    let mut unit = world.unit(&ali.actor()).await;
    assert_eq!(unit.staff().takedown(targets[0]).await.unwrap(), None);
    assert!(unit.staff().take_down(&world.takedown(Target::Name(ali.id), ali.id)).await.is_err());
    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.staff().takedown_told_by(made[1].notice).await.unwrap().as_ref(), made.get(1));
    assert_eq!(unit.staff().takedown_told_by(world.draw()).await.unwrap(), None);
    assert_eq!(failure(unit.staff().take_down(&made[0]).await), ErrorKind::Conflict("takedown"));
    drop(unit);
    let deleted = world.delete(&post).await;
    let before = deleted.deleted_at.unwrap() + Duration::from_secs(1);
    let mut unit = world.unit(&PLATFORM).await;
    assert!(unit.posts().purge(before, 100).await.unwrap().contains(&post.id));
    assert_eq!(unit.staff().takedown(targets[0]).await.unwrap(), None, "gone with the post");
    assert!(!unit.staff().put_back(targets[0]).await.unwrap());
}

/// What is down is in no recount.
pub async fn what_is_down_is_not_counted(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let (post, other) = (world.post(&mona, "واحد").await, world.post(&mona, "اتنين").await);
    let comment = world.comment(&mona, &post, None, "رد").await;
    world.comment(&mona, &post, Some(&comment), "رد تاني").await;
    let answer = world.comment(&mona, &post, Some(&comment), "رد تالت").await;
    let count = async |field, subject: i64| {
        let mut unit = world.unit(&PLATFORM).await;
        unit.counters().recount(field, Some(subject - 1), 1, &[]).await.unwrap();
        unit.commit().await.unwrap();
        world.unit(&PLATFORM).await.counters().value(field, subject).await.unwrap()
    };
    let counted = async || {
        let posts = count(CounterField::ProfilePosts, mona.id.raw()).await;
        let mut view = world.view(&mona.actor()).await;
        drop(view.posts().cards(&[post.id]).await.unwrap());
        drop(view);
        count(CounterField::PostComments, post.id.raw()).await;
        count(CounterField::CommentReplies, comment.id.raw()).await;
        let mut view = world.view(&mona.actor()).await;
        let comments = view.posts().cards(&[post.id]).await.unwrap().first().unwrap().counters.comments;
        let replies = view.comments().cards(&[comment.id]).await.unwrap().first().unwrap().counters.replies;
        (posts, comments, replies)
    };
    assert_eq!(counted().await, (2, 3, 2));
    world.take_down(Target::Post(other.id), mona.id).await;
    world.take_down(Target::Comment(answer.id), mona.id).await;
    assert_eq!(counted().await, (1, 2, 1));
    world.put_back(Target::Post(other.id)).await;
    world.put_back(Target::Comment(answer.id)).await;
    assert_eq!(counted().await, (2, 3, 2));
}

/// Staff work as the platform, under their own name: their keys are theirs, and so are their lines in the audit trail.
pub async fn staff_act_in_their_own_name(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let keyed = Keyed::new("staff.test", IdempotencyKey::new("k1").unwrap(), &1);
    let record = AuditRecord { action: "staff.test", subject: 1, detail: String::new(), at: world.tick() };
    let (hers, his) = (Actor::Staff(mona.member()), Actor::Staff(ali.member()));
    let mut unit = world.unit(&hers).await;
    assert_eq!(unit.journal().claim(&keyed).await.unwrap(), Claim::Fresh);
    unit.journal().remember(&keyed, b"done").await.unwrap();
    unit.journal().audit(&record).await.unwrap();
    let account = unit.accounts().account(ali.account, Lock::Update).await.unwrap().unwrap();
    let changed = crate::account::Account { state: AccountState::Banned, version: account.version + 1, ..account };
    unit.accounts().update_account(&changed).await.unwrap();
    unit.commit().await.unwrap();
    let claimed = async |actor: &Actor| world.unit(actor).await.journal().claim(&keyed).await.unwrap();
    assert_eq!(claimed(&hers).await, Claim::Replay(b"done".to_vec()));
    assert_eq!(claimed(&his).await, Claim::Fresh);
    let stored = world.unit(&PLATFORM).await.accounts().account(ali.account, Lock::None).await.unwrap();
    assert_eq!(stored.map(|account| account.state), Some(AccountState::Banned));
    let all = world.view(&hers).await.accounts().profiles(&[mona.id, ali.id]).await.unwrap();
    assert_eq!(all.len(), 2, "the platform sees everybody");
}

/// Suspensions that are over are found, and no others.
pub async fn suspensions_end(ports: &Ports) {
    let world = world(ports);
    let now = world.now();
    let second = Duration::from_secs(1);
    let over = world.person(Draft::new("over").state(AccountState::Suspended(now - second))).await;
    let just = world.person(Draft::new("just").state(AccountState::Suspended(now))).await;
    let later = world.person(Draft::new("later").state(AccountState::Suspended(now + second))).await;
    let banned = world.person(Draft::new("banned").state(AccountState::Banned)).await;
    let mut unit = world.unit(&PLATFORM).await;
    let found = unit.staff().suspensions_over(now, 1_000).await.unwrap();
    assert!(found.contains(&over.account) && found.contains(&just.account));
    assert!(!found.contains(&later.account) && !found.contains(&banned.account));
    assert_eq!(unit.staff().suspensions_over(now, 1).await.unwrap().len(), 1);
    assert_eq!(unit.accounts().resolve_session(banned.session, 0, now).await.unwrap(), None);
    let faces = unit.staff().faces_of(banned.account).await.unwrap();
    assert_eq!(faces.iter().map(|face| face.id).collect::<Vec<ProfileId>>(), [banned.id]);
}
