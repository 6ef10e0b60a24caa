//! Erasing accounts: who is due, what goes, what stays.

use core::time::Duration;

use super::{failure, last_page, world};
use crate::account::{Account, AccountState};
use crate::actor::Actor;
use crate::error::ErrorKind;
use crate::id::{AccountId, Id, ProfileId};
use crate::port::Ports;
use crate::port::store::{CounterField, Erased, Gone, Lock};
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing, limit};
use crate::time::Timestamp;

/// Changes an account as the platform would.
async fn change(world: &Fixture, account: AccountId, change: impl Fn(&mut Account) + Sync) {
    let change = &change;
    let save = world.ports.transact(&PLATFORM, |mut unit| {
        Box::pin(async move {
            let mut stored = unit.accounts().account(account, Lock::Update).await?.unwrap();
            change(&mut stored);
            stored.version += 1;
            unit.accounts().update_account(&stored).await
        })
    });
    save.await.unwrap();
}

async fn due(world: &Fixture, now: Timestamp, most: u32) -> Vec<AccountId> {
    let due = world.unit(&PLATFORM).await.erasures().due(now, None, most).await.unwrap();
    due.into_iter().map(|(_, account)| account).collect()
}

/// One portion, committed.
async fn portion(world: &Fixture, account: AccountId, most: u32) -> Erased {
    let now = world.now();
    let erased = world
        .ports
        .transact(&PLATFORM, |mut unit| Box::pin(async move { unit.erasures().erase(account, most, now).await }));
    erased.await.unwrap()
}

/// Erases a person, some rows at a time; answers what went.
async fn erase(world: &Fixture, person: &Person, most: u32) -> Vec<Gone> {
    change(world, person.account, |account| account.state = AccountState::Deleted).await;
    let mut all = Vec::new();
    for _ in 0..1000 {
        let Erased { gone, done } = portion(world, person.account, most).await;
        all.extend(gone);
        if done {
            return all;
        }
    }
    panic!("an erasure ends");
}

/// Those come first who wait longest; whoever stays is not due, and nobody but the platform asks.
pub async fn accounts_are_due_when_their_time_comes(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, nour) = (world.person("mona").await, world.person("ali").await, world.person("nour").await);
    let (first, second) = (world.tick(), world.tick());
    change(&world, mona.account, |account| account.leaving_at = Some(second)).await;
    change(&world, ali.account, |account| account.leaving_at = Some(first)).await;
    change(&world, nour.account, |account| account.leaving_at = Some(second)).await;
    change(&world, nour.account, |account| account.leaving_at = None).await;
    let stored = world.unit(&PLATFORM).await.accounts().account(mona.account, Lock::None).await.unwrap().unwrap();
    assert_eq!(stored.leaving_at, Some(second));
    assert_eq!(
        world.view(&mona.actor()).await.accounts().own_account().await.unwrap().unwrap().leaving_at,
        Some(second)
    );
    assert_eq!(due(&world, first - Duration::from_micros(1), 10).await, []);
    assert_eq!(due(&world, first, 10).await, [ali.account]);
    assert_eq!(due(&world, second, 10).await, [ali.account, mona.account]);
    assert_eq!(due(&world, second, 1).await, [ali.account]);
    let mut unit = world.unit(&PLATFORM).await;
    let mut after = None;
    for (at, account) in [(first, ali.account), (second, mona.account)] {
        assert_eq!(unit.erasures().due(second, after, 1).await.unwrap(), [(at, account)]);
        after = Some((at, account));
    }
    assert_eq!(unit.erasures().due(second, after, 1).await.unwrap(), []);
    drop(unit);
    for stranger in [mona.actor(), Actor::Anonymous] {
        let asked = world.unit(&stranger).await.erasures().due(second, None, 10).await;
        assert!(asked.is_err() || asked.unwrap().iter().all(|(_, account)| *account == mona.account));
    }
}

/// Everything of all faces goes, portion by portion, and is told of once; what is asked for afterwards is not there.
pub async fn everything_of_a_person_goes(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let mask = world.person(Draft::new("zell").face_of(&mona)).await;
    world.follow(&mona, &ali).await;
    world.follow(&ali, &mask).await;
    world.block(&ali, &mona).await;
    world.block(&mask, &ali).await;
    world.mute(&ali, &mona, true, true).await;
    world.circle(&mona, "العيلة", &[&ali]).await;
    let picture = world.picture(&mona).await;
    let (own, his) = (world.post(&mona, Writing::new("صباح الخير").tag("cairo")).await, world.post(&ali, "أهلا").await);
    let hidden = world.delete(&world.post(&mask, "سر").await).await;
    let comment = world.comment(&mona, &his, None, "نورت").await;
    world.comment(&ali, &own, None, "الله ينور").await;
    world.react(&mona, Target::Post(his.id), ReactionKind::Love).await;
    world.react(&ali, Target::Post(own.id), ReactionKind::Like).await;
    world.count(CounterField::ProfilePosts, mona.id.raw(), 1).await;

    let mut gone = erase(&world, &mona, 1).await;
    let expected = [
        Gone::Follow { follower: mona.id, followee: ali.id },
        Gone::Follow { follower: ali.id, followee: mask.id },
        Gone::Block { blocker: ali.id, blocked: mona.id },
        Gone::Block { blocker: mask.id, blocked: ali.id },
        Gone::Reaction { by: mona.id, target: Target::Post(his.id), owner: Some(ali.id), kind: ReactionKind::Love },
        Gone::Comment { id: comment.id, post: his.id, parent: None, author: mona.id, uncounted: false },
        Gone::Post { id: own.id, author: mona.id, open: true },
        Gone::Post { id: hidden.id, author: mask.id, open: false },
        Gone::Picture(picture.clone()),
        Gone::Face(mona.id),
        Gone::Face(mask.id),
    ];
    for one in &expected {
        let at = gone.iter().position(|other| other == one);
        gone.swap_remove(at.unwrap_or_else(|| panic!("{one:?} is not told of: {gone:?}")));
    }
    assert_eq!(gone, [], "nothing is told of twice");

    let mut unit = world.unit(&PLATFORM).await;
    assert_eq!(unit.accounts().account(mona.account, Lock::None).await.unwrap(), None);
    for face in [mona.id, mask.id] {
        assert_eq!(unit.accounts().profile(face, Lock::None).await.unwrap(), None);
    }
    for post in [own.id, hidden.id] {
        assert_eq!(unit.posts().post(post, Lock::None).await.unwrap(), None);
    }
    assert_eq!(unit.comments().comment(comment.id, Lock::None).await.unwrap(), None);
    assert_eq!(unit.media().lock(&[picture.id]).await.unwrap(), []);
    let counted = unit.counters().value(CounterField::ProfilePosts, mona.id.raw()).await.unwrap();
    assert_eq!(counted, 0);
    drop(unit);
    assert_eq!(portion(&world, mona.account, 1).await, Erased { gone: Vec::new(), done: true }, "and once more");
    // The handle and the address are anybody's.
    let again = world.person("mona").await;
    let circles = world.view(&again.actor()).await.graph().circles().await;
    assert_eq!(circles.unwrap(), []);
}

/// What others answered stays where it hangs, under a comment that says nothing and is nobody's.
pub async fn an_answered_comment_stays_without_its_author(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let post = world.post(&ali, "رأيكم؟").await;
    let asked = world.comment(&mona, &post, None, "اسمي منى").await;
    let answer = world.comment(&ali, &post, Some(&asked), "أهلا يا منى").await;
    let below = world.comment(&mona, &post, Some(&answer), "أهلا بيك").await;
    let gone = erase(&world, &mona, 10).await;
    let told = |id, parent| Gone::Comment { id, post: post.id, parent, author: mona.id, uncounted: false };
    assert_eq!(gone, [told(below.id, Some(answer.id)), told(asked.id, None), Gone::Face(mona.id)], "the deepest first");
    let mut unit = world.unit(&PLATFORM).await;
    let left = unit.comments().comment(asked.id, Lock::None).await.unwrap().unwrap();
    assert_eq!((left.text.as_str(), left.author, left.deleted_at.is_some()), ("", ProfileId::from_raw(0), true));
    assert_eq!(unit.comments().comment(below.id, Lock::None).await.unwrap(), None);
    drop(unit);
    let mut view = world.view(&ali.actor()).await;
    let top = last_page(view.comments().newest(post.id, None, None, limit(10)).await.unwrap());
    assert!(top.len() == 1 && top[0].comment.id == asked.id && top[0].author.is_none(), "a tombstone");
    let answers = last_page(view.comments().newest(post.id, Some(asked.id), None, limit(10)).await.unwrap());
    assert_eq!(answers.iter().map(|card| card.comment.clone()).collect::<Vec<_>>(), [answer]);
}

/// What binds others to each other is as it was.
pub async fn neighbours_keep_what_is_theirs(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, nour) = (world.person("mona").await, world.person("ali").await, world.person("nour").await);
    for (one, other) in [(&mona, &ali), (&ali, &mona), (&ali, &nour), (&nour, &ali)] {
        world.follow(one, other).await;
    }
    let post = world.post(&ali, Writing::new("أنا ومنى ونور").mention(&mona).mention(&nour)).await;
    let comment = world.comment(&nour, &post, None, "تمام").await;
    world.react(&nour, Target::Post(post.id), ReactionKind::Laugh).await;
    world.react(&mona, Target::Post(post.id), ReactionKind::Like).await;
    let circle = world.circle(&ali, "صحاب", &[&mona, &nour]).await;
    erase(&world, &mona, 2).await;
    let mut view = world.view(&ali.actor()).await;
    assert_eq!(view.accounts().own_account().await.unwrap().unwrap().id, ali.account);
    assert_eq!(view.posts().cards(&[post.id]).await.unwrap()[0].post.text, "أنا ومنى ونور");
    assert_eq!(view.comments().cards(&[comment.id]).await.unwrap()[0].comment, comment);
    let reactors = last_page(view.reactions().reactors(Target::Post(post.id), None, limit(10)).await.unwrap());
    assert_eq!(reactors.iter().map(|(edge, _)| edge.profile).collect::<Vec<_>>(), [nour.id]);
    let followers = last_page(view.graph().followers(ali.id, None, limit(10)).await.unwrap());
    assert_eq!(followers.iter().map(|edge| edge.profile).collect::<Vec<_>>(), [nour.id]);
    let members = last_page(view.graph().circle_members(circle.id, None, limit(10)).await.unwrap());
    assert_eq!(members.iter().map(|edge| edge.profile).collect::<Vec<_>>(), [nour.id]);
}

/// A portion that was taken back is found again, and nothing twice.
pub async fn an_erasure_goes_on_where_it_was_cut_off(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    for handle in ["ali", "nour", "karim"] {
        let other = world.person(handle).await;
        world.follow(&other, &mona).await;
    }
    change(&world, mona.account, |account| account.state = AccountState::Deleted).await;
    let first = portion(&world, mona.account, 2).await;
    assert_eq!((first.gone.len(), first.done), (2, false));
    let mut killed = world.unit(&PLATFORM).await;
    let taken_back = killed.erasures().erase(mona.account, 2, world.now()).await.unwrap();
    killed.rollback().await.unwrap();
    let again = portion(&world, mona.account, 2).await;
    assert_eq!(again, taken_back);
    assert!(!first.gone.contains(&again.gone[0]));
    assert!(portion(&world, mona.account, 2).await.done);
}

/// Nobody is erased by mistake, nor by anybody but the platform.
pub async fn who_is_not_deleted_is_not_erased(ports: &Ports) {
    let world = world(ports);
    let mona = world.person("mona").await;
    let now = world.tick();
    change(&world, mona.account, |account| account.leaving_at = Some(now)).await;
    let refused = world.unit(&PLATFORM).await.erasures().erase(mona.account, 10, now).await;
    assert_eq!(failure(refused), ErrorKind::Internal);
    change(&world, mona.account, |account| account.state = AccountState::Deleted).await;
    for stranger in [mona.actor(), Actor::Anonymous] {
        assert!(world.unit(&stranger).await.erasures().erase(mona.account, 10, now).await.is_err());
    }
    assert!(world.unit(&PLATFORM).await.accounts().account(mona.account, Lock::None).await.unwrap().is_some());
}
