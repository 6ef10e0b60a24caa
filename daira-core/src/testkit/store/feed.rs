//! Candidates, the newest feed, affinity, frozen lists and pages served.

use core::time::Duration;

use super::{all_pages, last_page, world};
use crate::account::Standing;
use crate::actor::Actor;
use crate::id::{FeedSessionId, Id, PostId};
use crate::port::Ports;
use crate::port::store::{Affinity, Candidate, CounterField, InboxReason, PageServed, SEEN_PAGES, Signals};
use crate::post::{MediaKind, Post, Visibility};
use crate::reaction::{ReactionKind, Target};
use crate::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing, limit};
use crate::time::Timestamp;

/// The same through a view and without.
async fn candidates(world: &Fixture, of: &Person, as_of: Timestamp, limit: u16) -> Vec<Candidate> {
    let candidates = world.view(&of.actor()).await.feed().candidates(as_of, limit).await.unwrap();
    let alone = world.ports.store.candidates(&of.actor(), as_of, limit).await.unwrap();
    assert_eq!(alone, candidates, "asked for through a view and without");
    candidates
}

fn posts(candidates: &[Candidate]) -> Vec<PostId> {
    candidates.iter().map(|candidate| candidate.post).collect()
}

async fn like(world: &Fixture, post: &Post, reactions: i64) {
    world.count(CounterField::PostReactions, post.id.raw(), reactions).await;
}

/// Inbox, pulled authors and own posts are one list of candidates, the newest first, each once, at most so many.
pub async fn candidates_are_newest_and_once_each(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    world.follow(&ali, &mona).await;
    let followed = world.follow(&ali, &star).await;
    let picture = world.picture(&mona).await;
    let pushed = world.published(&mona, Writing::new("1").picture(&picture)).await;
    let own = world.post(&ali, "2").await;
    let pulled = world.post(&star, Writing::new("3").pull()).await;
    let all = candidates(&world, &ali, world.now(), 500).await;
    assert_eq!(posts(&all), [pulled.id, own.id, pushed.id]);
    let [third, second, first] = [all[0], all[1], all[2]];
    assert_eq!((first.author, first.reason, first.media), (mona.id, InboxReason::Follow, MediaKind::Image));
    assert_eq!((second.author, second.reason, second.media), (ali.id, InboxReason::Own, MediaKind::Text));
    assert_eq!((third.author, third.reason), (star.id, InboxReason::Follow));
    assert!(first.delivered_at > pushed.created_at(), "when the fan-out delivered it");
    assert_eq!((second.delivered_at, third.delivered_at), (own.created_at(), pulled.created_at()));
    assert_eq!(posts(&candidates(&world, &ali, world.now(), 2).await), [pulled.id, own.id]);
    assert!(followed.at < pulled.created_at());
    assert!(world.view(&Actor::Anonymous).await.feed().candidates(world.now(), 9).await.unwrap().is_empty());
}

/// As of an instant, only what was deliverable by then is there, however much came since.
pub async fn candidates_are_as_of_an_instant(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    world.follow(&ali, &mona).await;
    let before = world.post(&star, Writing::new("قبل ما أتابع").pull()).await;
    let first = world.published(&mona, "1").await;
    let late = world.post(&mona, "2").await;
    let as_of = world.tick();
    world.deliver(&late).await;
    world.follow(&ali, &star).await;
    let after = world.published(&mona, "3").await;
    let own = world.post(&ali, "4").await;
    assert_eq!(posts(&candidates(&world, &ali, as_of, 500).await), [first.id]);
    let now = posts(&candidates(&world, &ali, world.now(), 500).await);
    assert_eq!(now, [own.id, after.id, late.id, first.id, before.id]);
}

/// A post that is pulled and was delivered as well came by whichever was first, and is new only since then.
pub async fn the_first_way_to_a_post_counts(ports: &Ports) {
    let world = world(ports);
    let (star, ali, sara) = (world.person("star").await, world.person("ali").await, world.person("sara").await);
    world.follow(&ali, &star).await;
    let writing = Writing::new("@ali @sara").visible(Visibility::Mentioned).mention(&ali).mention(&sara).pull();
    let post = world.post(&star, writing).await;
    let between = world.tick();
    world.deliver(&post).await;
    let later = world.tick();
    let follow = world.follow(&sara, &star).await;
    let way = async |of: &Person| {
        let all = candidates(&world, of, world.now(), 9).await;
        let [only] = all[..] else { panic!("{all:?}") };
        (only.post, only.reason, only.delivered_at)
    };
    assert_eq!(way(&ali).await, (post.id, InboxReason::Follow, post.created_at()), "pulled before it was delivered");
    let (_, reason, at) = way(&sara).await;
    assert_eq!(reason, InboxReason::Mention, "delivered before she followed");
    assert!(at > between && at < later && later < follow.at);
    let count = async |of: &Person, since| world.view(&of.actor()).await.feed().count_new(since).await.unwrap();
    assert_eq!((count(&ali, between).await, count(&sara, between).await, count(&sara, later).await), (0, 1, 0));
}

/// Posts of muted and hidden people are in nobody's candidates, from whatever source.
pub async fn mutes_and_blocks_keep_posts_out(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    let viral = world.person("viral").await;
    world.follow(&ali, &mona).await;
    world.follow(&ali, &star).await;
    world.published(&mona, "1").await;
    world.post(&star, Writing::new("2").pull()).await;
    let loved = world.post(&viral, "3").await;
    like(&world, &loved, 99).await;
    assert_eq!(candidates(&world, &ali, world.now(), 500).await.len(), 3);
    for author in [&mona, &star, &viral] {
        world.mute(&ali, author, true, false).await;
    }
    assert!(candidates(&world, &ali, world.now(), 500).await.is_empty());
    assert!(world.view(&ali.actor()).await.feed().newest(world.now(), None, limit(9)).await.unwrap().items.is_empty());
    for author in [&mona, &star, &viral] {
        world.mute(&ali, author, false, true).await;
    }
    assert_eq!(candidates(&world, &ali, world.now(), 500).await.len(), 3, "muted notifications are another thing");
    world.block(&ali, &mona).await;
    world.block(&star, &ali).await;
    world.block(&viral, &ali).await;
    assert!(candidates(&world, &ali, world.now(), 500).await.is_empty());
}

/// Whatever changes between somebody and others shows in the very next look, also where ties are kept from one to the next.
pub async fn candidates_follow_every_change_of_ties(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    world.follow(&ali, &mona).await;
    let hers = world.published(&mona, "1").await.id;
    let look = async || candidates(&world, &ali, world.now(), 9).await;
    // Read anew, not as they were when the candidates were found.
    let cards = async |of: &[Candidate]| {
        let of: Vec<Candidate> = of.iter().map(|c| Candidate { along: None, ..*c }).collect();
        world.ports.store.cards(&ali.actor(), &of).await.unwrap().len()
    };
    let found = look().await;
    assert_eq!((posts(&found), cards(&found).await), (vec![hers], 1));
    // Somebody who is looked up, before and after they became that.
    world.follow(&ali, &star).await;
    assert_eq!(posts(&look().await), [hers]);
    let pulled = world.post(&star, Writing::new("2").pull()).await.id;
    assert_eq!(posts(&look().await), [pulled, hers]);
    world.unfollow(&ali, &star).await;
    assert_eq!(posts(&look().await), [hers]);
    world.follow(&ali, &star).await;
    assert_eq!(posts(&look().await), [pulled, hers]);
    world.unfollow(&ali, &star).await;
    world.unfollow(&ali, &mona).await;
    assert_eq!(posts(&look().await), []);
    world.follow(&ali, &mona).await;
    assert_eq!(posts(&look().await), [hers]);
    world.mute(&ali, &mona, true, true).await;
    assert_eq!(posts(&look().await), []);
    world.mute(&ali, &mona, false, true).await;
    assert_eq!(posts(&look().await), [hers]);
    world.mute(&ali, &mona, true, true).await;
    assert_eq!(posts(&look().await), []);
    world.mute(&ali, &mona, false, false).await;
    let found = look().await;
    assert_eq!(posts(&found), [hers]);
    let more = Affinity { sum: 2.0, at: world.now() };
    let mut unit = world.unit(&PLATFORM).await;
    unit.feed().add_affinity(&[(ali.id, mona.id, more)]).await.unwrap();
    unit.commit().await.unwrap();
    assert!((look().await[0].signals.affinity - 2.0).abs() < 1e-9);
    // A block that comes between finding and showing.
    world.block(&mona, &ali).await;
    assert_eq!(cards(&found).await, 0);
    assert_eq!(posts(&look().await), []);
    world.unblock(&mona, &ali).await;
    assert_eq!(posts(&look().await), [hers]);
    world.block(&ali, &mona).await;
    assert_eq!((cards(&found).await, posts(&look().await)), (0, vec![]));
    world.unblock(&ali, &mona).await;
    assert_eq!((posts(&look().await), cards(&found).await), (vec![hers], 1));
}

/// Whatever changes a post, its author or the reader's reaction shows in the very next look, also where cards are kept from one
/// to the next.
pub async fn cards_follow_every_change(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    for reader in [&ali, &sara] {
        world.follow(reader, &mona).await;
    }
    let older = world.published(&mona, "1").await;
    let mut hers = world.published(&mona, "2").await;
    let both = [older.id, hers.id];
    // As many as are in the reader's sources, and more.
    let look = async |who: &Person| {
        let mut looks = Vec::new();
        for limit in [2, 9] {
            let found = candidates(&world, who, world.now(), limit).await;
            let mut cards = world.ports.store.cards(&who.actor(), &found).await.unwrap();
            cards.sort_by_key(|card| core::cmp::Reverse(card.post.id));
            looks.push(cards);
        }
        let now = world.cards(&who.actor(), &both).await;
        assert!(looks.iter().all(|cards| cards.iter().rev().eq(&now)), "other than they are now: {looks:?}, {now:?}");
        looks.swap_remove(0)
    };
    let count = async || (look(&ali).await.len(), look(&sara).await.len());
    assert_eq!(count().await, (2, 2));
    hers = world.edit(&hers, |post| post.text.push_str(" تاني")).await;
    for reader in [&ali, &sara] {
        assert_eq!(look(reader).await[0].post.text, "2 تاني");
    }
    world.change(&mona, |profile| profile.name = "منى".into()).await;
    assert_eq!(look(&sara).await[0].author.name, "منى");
    world.react(&ali, Target::Post(hers.id), ReactionKind::Love).await;
    assert_eq!(look(&ali).await[0].viewer_reaction, Some(ReactionKind::Love));
    assert_eq!(look(&sara).await[0].viewer_reaction, None);
    world.change(&mona, |profile| profile.private = true).await;
    assert_eq!(count().await, (2, 2));
    world.change(&mona, |profile| (profile.private, profile.standing) = (false, Standing::Hidden)).await;
    assert_eq!(count().await, (0, 0));
    world.change(&mona, |profile| profile.standing = Standing::Live).await;
    assert_eq!(count().await, (2, 2));
    for visibility in [Visibility::Private, Visibility::Followers] {
        hers = world.edit(&hers, |post| post.visibility = visibility).await;
        let left = if visibility == Visibility::Private { 1 } else { 2 };
        assert_eq!(count().await, (left, left));
    }
    hers = world.edit(&hers, |post| post.visibility = Visibility::Public).await;
    assert_eq!(count().await, (2, 2));
    hers = world.delete(&hers).await;
    assert_eq!(count().await, (1, 1));
    world.edit(&hers, |post| post.deleted_at = None).await;
    assert_eq!(count().await, (2, 2));
    world.block(&mona, &ali).await;
    assert_eq!(count().await, (0, 2));
    world.unblock(&mona, &ali).await;
    assert_eq!(count().await, (2, 2));
}

/// When one's own sources give too little, posts that many like fill up, the most liked first: public ones of people whom
/// the viewer sees.
pub async fn popular_posts_fill_up(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, viral) = (world.person("mona").await, world.person("ali").await, world.person("viral").await);
    let quiet = world.person(Draft::new("quiet").private()).await;
    world.follow(&ali, &mona).await;
    let hers = world.published(&mona, "1").await;
    let own = world.post(&ali, "2").await;
    let (good, best) = (world.post(&viral, "3").await, world.post(&viral, "4").await);
    for (post, reactions) in [(&good, 5), (&best, 50), (&hers, 70), (&own, 80)] {
        like(&world, post, reactions).await;
    }
    for hidden in [Visibility::Unlisted, Visibility::Followers, Visibility::Private, Visibility::Mentioned] {
        let post = world.post(&viral, Writing::new("5").visible(hidden).mention(&ali)).await;
        like(&world, &post, 90).await;
    }
    let closed = world.post(&quiet, "6").await;
    like(&world, &closed, 90).await;
    let all = candidates(&world, &ali, world.now(), 500).await;
    assert_eq!(posts(&all), [own.id, hers.id, best.id, good.id]);
    let reasons: Vec<InboxReason> = all.iter().map(|c| c.reason).collect();
    assert_eq!(reasons, [InboxReason::Own, InboxReason::Follow, InboxReason::Popular, InboxReason::Popular]);
    assert_eq!(posts(&candidates(&world, &ali, world.now(), 3).await), [own.id, hers.id, best.id]);
    assert_eq!(posts(&candidates(&world, &ali, world.now(), 2).await), [own.id, hers.id]);
    let strangers =
        last_page(world.view(&ali.actor()).await.feed().newest(world.now(), None, limit(100)).await.unwrap());
    assert_eq!(strangers, [own.id, hers.id], "the newest feed has no strangers");
}

/// The newest feed is in order of publication over all sources, and pages lawfully.
pub async fn the_newest_feed_pages(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    world.follow(&ali, &mona).await;
    world.follow(&ali, &star).await;
    let mut expected = Vec::new();
    for n in 0..9 {
        let post = match n % 3 {
            0 => world.published(&mona, "1").await,
            1 => world.post(&star, Writing::new("2").pull()).await,
            _ => world.post(&ali, "3").await,
        };
        expected.insert(0, post.id);
    }
    let mut view = world.view(&ali.actor()).await;
    let reads = view.feed();
    assert_eq!(all_pages!(|after, size| reads.newest(world.now(), after, size).await.unwrap(), |id| *id), expected);
    drop(view);
    assert!(
        world.view(&Actor::Anonymous).await.feed().newest(world.now(), None, limit(9)).await.unwrap().items.is_empty()
    );
}

/// What inboxes do not reach back to is found with its authors: whoever was away for long still finds their people.
pub async fn feeds_go_on_beyond_inboxes(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, stranger) = (world.person("mona").await, world.person("ali").await, world.person("other").await);
    world.follow(&ali, &mona).await;
    let mut expected = Vec::new();
    for (days, author, visibility) in [
        (40, &mona, Visibility::Public),
        (30, &ali, Visibility::Private),
        (20, &stranger, Visibility::Public),
        (15, &mona, Visibility::Private),
        (10, &mona, Visibility::Followers),
        (9, &ali, Visibility::Public),
    ] {
        let at = world.now() - Duration::from_hours(24 * days);
        let written = world.written(author, Writing::new("من زمان").visible(visibility));
        let post = &Post { id: ports.ids.draw(at, author.id.shard()), ..written };
        ports.transact(&PLATFORM, |mut unit| Box::pin(async move { unit.posts().insert(post).await })).await.unwrap();
        if author.id == ali.id || (author.id == mona.id && visibility != Visibility::Private) {
            expected.insert(0, post.id);
        }
    }
    expected.insert(0, world.published(&mona, "1").await.id);
    let mut view = world.view(&ali.actor()).await;
    let reads = view.feed();
    assert_eq!(all_pages!(|after, size| reads.newest(world.now(), after, size).await.unwrap(), |id| *id), expected);
    drop(view);
    assert_eq!(posts(&candidates(&world, &ali, world.now(), 500).await), expected);
    assert_eq!(posts(&candidates(&world, &ali, world.now(), 3).await), expected[..3]);
    world.mute(&ali, &mona, true, false).await;
    let own = last_page(world.view(&ali.actor()).await.feed().newest(world.now(), None, limit(9)).await.unwrap());
    assert_eq!(own.len(), 2, "muted people are not in it, however old their posts");
}

/// How many posts of followed people came since an instant, at most a hundred, without one's own.
pub async fn new_posts_are_counted(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, star) = (world.person("mona").await, world.person("ali").await, world.person("star").await);
    world.follow(&ali, &mona).await;
    world.follow(&ali, &star).await;
    world.published(&mona, "قبل").await;
    let since = world.tick();
    let count = async || world.view(&ali.actor()).await.feed().count_new(since).await.unwrap();
    assert_eq!(count().await, 0);
    let post = world.published(&mona, "1").await;
    world.post(&star, Writing::new("2").pull()).await;
    world.post(&ali, "3").await;
    world.post(&mona, Writing::new("4").visible(Visibility::Private)).await;
    assert_eq!(count().await, 2);
    world.delete(&post).await;
    assert_eq!(count().await, 1);
    let mut unit = world.unit(&PLATFORM).await;
    for _ in 0..120 {
        unit.posts().insert(&world.written(&star, Writing::new("كتير").pull())).await.unwrap();
    }
    unit.commit().await.unwrap();
    assert_eq!(count().await, 100);
    assert_eq!(world.view(&Actor::Anonymous).await.feed().count_new(since).await.unwrap(), 0);
}

/// An interaction counts half after two weeks, whatever order they are recorded in.
pub async fn affinity_decays(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, sara) = (world.person("mona").await, world.person("ali").await, world.person("sara").await);
    for viewer in [&ali, &sara] {
        world.follow(viewer, &mona).await;
    }
    world.published(&mona, "1").await;
    let now = world.now();
    let then = now - Affinity::HALF_LIFE;
    for (viewer, steps) in [(&ali, [(4.0, then), (1.0, now)]), (&sara, [(1.0, now), (4.0, then)])] {
        for (sum, at) in steps {
            let mut unit = world.unit(&PLATFORM).await;
            unit.feed().add_affinity(&[(viewer.id, mona.id, Affinity { sum, at })]).await.unwrap();
            unit.commit().await.unwrap();
        }
        let signals = candidates(&world, viewer, now, 9).await[0].signals;
        assert!((signals.affinity - 3.0).abs() < 1e-6, "4 halved, and 1: {}", signals.affinity);
        assert_eq!(signals.affinity_at, now);
    }
    let nada = world.person("nada").await;
    world.follow(&nada, &mona).await;
    let pulled = world.post(&mona, Writing::new("2").pull()).await;
    let other = candidates(&world, &nada, now, 9).await;
    assert_eq!(
        (other[0].post, other[0].signals.affinity.to_bits()),
        (pulled.id, 0.0_f64.to_bits()),
        "affinity is one's own"
    );
}

/// A page as it was served tells why a post was on it, and makes its posts seen; only for who was served.
pub async fn seen_and_reason_come_from_pages(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let sara = world.person("sara").await;
    for viewer in [&ali, &sara] {
        world.follow(viewer, &mona).await;
    }
    let (one, two) = (world.published(&mona, "1").await, world.published(&mona, "2").await);
    let (first, second) = (world.tick(), world.tick());
    let page = |viewer: &Person, at, items: &[(PostId, u8)]| PageServed {
        viewer: viewer.id,
        at,
        items: items.iter().map(|(post, reason)| (*post, vec![*reason, 7])).collect(),
    };
    let mut unit = world.unit(&PLATFORM).await;
    unit.feed()
        .record_pages(&[page(&ali, first, &[(one.id, 1), (two.id, 2)]), page(&ali, second, &[(one.id, 3)])])
        .await
        .unwrap();
    unit.commit().await.unwrap();
    let mut view = world.view(&ali.actor()).await;
    assert_eq!(view.feed().served_reason(one.id).await.unwrap(), Some((second, vec![3, 7])), "the latest page");
    assert_eq!(view.feed().served_reason(two.id).await.unwrap(), Some((first, vec![2, 7])));
    assert_eq!(view.feed().served_reason(world.draw()).await.unwrap(), None);
    drop(view);
    let seen: Vec<u16> = candidates(&world, &ali, world.now(), 9).await.iter().map(|c| c.signals.seen).collect();
    assert_eq!(seen, [1, 2]);
    for stranger in [sara.actor(), Actor::Anonymous] {
        assert_eq!(world.view(&stranger).await.feed().served_reason(one.id).await.unwrap(), None);
    }
    assert!(candidates(&world, &sara, world.now(), 9).await.iter().all(|c| c.signals.seen == 0));
}

/// Seen is what stood on the latest pages before the instant that is asked about.
pub async fn seen_is_of_the_latest_pages(ports: &Ports) {
    let world = world(ports);
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    world.follow(&ali, &mona).await;
    let (one, two) = (world.published(&mona, "1").await, world.published(&mona, "2").await);
    let page = |post: &Post| PageServed { viewer: ali.id, at: world.tick(), items: vec![(post.id, vec![1])] };
    let pages: Vec<PageServed> = core::iter::once(&one).chain([&two; SEEN_PAGES]).map(page).collect();
    let mut unit = world.unit(&PLATFORM).await;
    unit.feed().record_pages(&pages).await.unwrap();
    unit.commit().await.unwrap();
    let seen = async |as_of| {
        let all = candidates(&world, &ali, as_of, 9).await;
        let of = |post: &Post| all.iter().find(|c| c.post == post.id).unwrap().signals.seen;
        (of(&one), of(&two))
    };
    let most = u16::try_from(SEEN_PAGES).unwrap();
    assert_eq!(seen(world.now()).await, (0, most));
    assert_eq!(seen(pages[SEEN_PAGES - 1].at).await, (1, most - 1));
}

/// Whoever freezes first decides; everybody after gets that list.
pub async fn the_first_frozen_list_holds(ports: &Ports) {
    let world = world(ports);
    let ali = world.person("ali").await;
    let session: FeedSessionId = world.draw();
    let first: Vec<(PostId, Vec<u8>)> = (0..500_u16).map(|n| (world.draw(), n.to_be_bytes().to_vec())).collect();
    let second = vec![(world.draw(), vec![9])];
    for list in [&first, &second] {
        let mut unit = world.unit(&ali.actor()).await;
        assert_eq!(&unit.feed().freeze(session, ali.id, list, world.now()).await.unwrap(), &first);
        unit.commit().await.unwrap();
    }
    let held = world.view(&ali.actor()).await.feed().frozen(session, world.now()).await.unwrap();
    assert_eq!(held, Some(first));
}

/// A frozen list is for its owner, for two hours.
pub async fn a_frozen_list_is_its_owners_for_two_hours(ports: &Ports) {
    let world = world(ports);
    let (ali, eve) = (world.person("ali").await, world.person("eve").await);
    let session: FeedSessionId = world.draw();
    let (at, list) = (world.now(), vec![(world.draw(), vec![1, 2])]);
    let mut unit = world.unit(&ali.actor()).await;
    unit.feed().freeze(session, ali.id, &list, at).await.unwrap();
    unit.commit().await.unwrap();
    for (viewer, after, expected) in [
        (ali.actor(), Duration::from_secs(7_199), Some(list.clone())),
        (ali.actor(), Duration::from_secs(7_201), None),
        (eve.actor(), Duration::ZERO, None),
        (Actor::Anonymous, Duration::ZERO, None),
    ] {
        assert_eq!(world.view(&viewer).await.feed().frozen(session, at + after).await.unwrap(), expected);
    }
    assert_eq!(world.view(&ali.actor()).await.feed().frozen(world.draw(), at).await.unwrap(), None);
}

/// The counters of a post are its signals, impressions in steps, whenever and however often they change.
pub async fn signals_carry_counters(ports: &Ports) {
    let world = world(ports);
    let (mona, ali, nobody) = (world.person("mona").await, world.person("ali").await, world.person("nobody").await);
    world.follow(&ali, &mona).await;
    let mut posts = vec![world.published(&mona, "0").await.id];
    let mut expected = vec![[0; 3]];
    let changes = [
        (CounterField::PostReactions, 0, 5),
        (CounterField::PostComments, 1, 3),
        (CounterField::PostImpressions, 2, 13),
        (CounterField::PostImpressions, 2, 3),
        (CounterField::PostReactions, 0, -2),
    ];
    for (round, (field, column, delta)) in changes.into_iter().cycle().take(30).enumerate() {
        if round % 8 == 7 {
            posts.push(world.published(&mona, "1").await.id);
            expected.push([0; 3]);
        }
        let changed = round % posts.len();
        world.count(field, posts[changed].raw(), delta).await;
        expected[changed][column] += delta;
        // Whatever others are told, who have nothing.
        candidates(&world, &nobody, world.now(), 1).await;
        let found = candidates(&world, &ali, world.now(), posts.len().try_into().unwrap()).await;
        for (post, [reactions, comments, impressions]) in posts.iter().zip(&expected) {
            let signals = found.iter().find(|candidate| candidate.post == *post).unwrap().signals;
            let carried = (signals.reactions, signals.comments, signals.impressions);
            assert_eq!(carried, (*reactions, *comments, Signals::in_steps(*impressions)), "after {round} changes");
        }
    }
    assert_eq!([7, 8, 63, 64, 72, 127, 128, 143, 144].map(Signals::in_steps), [0, 8, 56, 64, 72, 120, 128, 128, 144]);
}
