//! Sessions: what a cursor leads to, whatever happens between two pages.

use std::time::Duration;

use daira_core::Actor;
use daira_core::page::Limit;
use daira_core::post::Visibility;
use daira_core::testkit::fixture::Writing;
use daira_feed::{FeedService, FeedSettings};
use proptest::prelude::*;

use crate::town::{Town, ids, sorted};

#[tokio::test]
async fn later_posts_are_a_count_and_never_move_a_page() {
    let town = Town::new(6).await;
    let posts = town.posts(30).await;
    let first = town.home(10, None).await;
    town.clock.advance(Duration::from_mins(2));
    for number in 0..5 {
        town.post(0, Writing::new(format!("جديد {number}")).pull()).await;
    }
    let rest = town.rest(7, town.last(&first)).await;
    assert_eq!(
        sorted([ids(&first), rest].concat()),
        sorted(posts),
        "what was there when the first page was, once each"
    );
    assert_eq!(town.feed.count_new(&town.reader.actor(), first.as_of).await.unwrap(), 5);
    assert_eq!(ids(&town.home(100, None).await).len(), 35, "a new session has them");
}

#[tokio::test]
async fn a_list_is_frozen_by_its_second_page() {
    let town = Town::new(6).await;
    let posts = town.posts(40).await;
    let first = town.home(10, None).await;
    let cursor = town.last(&first);
    let second = town.home(10, cursor.as_deref()).await;
    // From now on nothing moves, whatever becomes of the ranks.
    for post in posts.iter().take(20) {
        town.like(*post, 500).await;
    }
    town.clock.advance(Duration::from_mins(30));
    assert_eq!(ids(&town.home(10, cursor.as_deref()).await), ids(&second));
    let third = town.home(10, town.last(&second).as_deref()).await;
    assert_eq!(third.as_of, first.as_of);
    let all = [ids(&first), ids(&second), ids(&third), town.rest(10, town.last(&third)).await].concat();
    assert_eq!(sorted(all), sorted(posts));
    // The middle of a page is a place too.
    let from_the_middle = town.home(3, town.feed.cursor(&second, 3).as_deref()).await;
    assert_eq!(ids(&from_the_middle), ids(&second)[4..7]);
    assert_eq!(town.feed.cursor(&second, 10), None);
}

#[tokio::test]
async fn what_goes_between_two_pages_leaves_no_gap() {
    let town = Town::new(6).await;
    town.posts(30).await;
    let first = town.home(10, None).await;
    let second = town.home(5, town.last(&first).as_deref()).await;
    // Of what comes next, some is deleted and one author is blocked.
    let coming = ids(&town.home(15, town.last(&second).as_deref()).await);
    let mut view = town.world.view(&town.reader.actor()).await;
    let cards = view.posts().cards(&coming).await.unwrap();
    drop(view);
    town.world.delete(&cards[0].post).await;
    town.world.delete(&cards[3].post).await;
    town.world.block(&town.authors[2], &town.reader).await;
    let gone = |card: &daira_core::post::PostCard| {
        card.post.id == cards[0].post.id || card.post.id == cards[3].post.id || card.post.author == town.authors[2].id
    };
    let left = coming.iter().filter(|id| cards.iter().any(|card| card.post.id == **id && !gone(card))).count();
    let page = town.home(5, town.last(&second).as_deref()).await;
    assert_eq!((page.items.len(), page.has_next), (5, left > 5), "the page is full of what is left");
    let rest = [ids(&page), town.rest(5, town.last(&page)).await].concat();
    assert_eq!(rest.len(), left);
    assert!(rest.iter().all(|id| coming.contains(id)));
}

#[tokio::test]
async fn two_second_pages_at_once_are_one_list() {
    let town = Town::new(5).await;
    let posts = town.posts(25).await;
    let first = town.home(5, None).await;
    let cursor = town.last(&first).unwrap();
    let other = FeedService::new(town.world.ports.clone(), FeedSettings::default());
    let (actor, size) = (town.reader.actor(), Limit::new(20).unwrap());
    let (one, two) = tokio::join!(town.feed.home(&actor, size, Some(&cursor)), other.home(&actor, size, Some(&cursor)));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(ids(&one), ids(&two));
    assert_eq!(sorted([ids(&first), ids(&one)].concat()), sorted(posts));
}

#[tokio::test]
async fn a_session_ends_and_says_so() {
    let town = Town::new(3).await;
    town.posts(9).await;
    let first = town.home(3, None).await;
    let second = town.home(3, town.last(&first).as_deref()).await;
    town.clock.advance(Duration::from_hours(3));
    let expired =
        town.feed.home(&town.reader.actor(), Limit::DEFAULT, town.last(&second).as_deref()).await.unwrap_err();
    assert_eq!(expired.operation(), "feed.expired");
    // A first page's cursor carries all that it takes to go on.
    assert_eq!(town.home(9, town.last(&first).as_deref()).await.items.len(), 6);
}

#[tokio::test]
async fn security_123_a_cursor_that_was_made_up_or_changed_is_refused() {
    let town = Town::new(4).await;
    town.posts(12).await;
    let home = town.home(4, None).await;
    let following = town.feed.following(&town.reader.actor(), Limit::new(4).unwrap(), None).await.unwrap();
    let (ranked, newest) = (town.last(&home).unwrap(), town.feed.cursor(&following, 3).unwrap());
    let mut forged = vec![String::new(), "x".to_owned(), "لأ".to_owned(), "A".repeat(5_000), newest.clone()];
    for at in (0..ranked.len()).step_by(7) {
        let mut bytes = ranked.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        forged.push(String::from_utf8(bytes).unwrap());
    }
    forged.push(ranked[..ranked.len() - 4].to_owned());
    for cursor in &forged {
        let refused = town.feed.home(&town.reader.actor(), Limit::DEFAULT, Some(cursor)).await.unwrap_err();
        assert_eq!((refused.operation(), refused.field()), ("page.cursor", Some("after")), "{cursor}");
    }
    for (actor, cursor) in [(town.authors[0].actor(), &ranked), (town.reader.actor(), &newest)] {
        assert_eq!(town.feed.home(&actor, Limit::DEFAULT, Some(cursor)).await.unwrap_err().operation(), "page.cursor");
    }
    for cursor in [&ranked, &ranked[..10].to_owned()] {
        let refused = town.feed.following(&town.reader.actor(), Limit::DEFAULT, Some(cursor)).await.unwrap_err();
        assert_eq!(refused.operation(), "page.cursor");
    }
    let stranger = town.feed.home(&Actor::Anonymous, Limit::DEFAULT, Some(&ranked)).await.unwrap_err();
    assert_eq!(stranger.operation(), "auth.required");
}

#[tokio::test]
async fn the_newest_first_feed_is_in_order_of_publication() {
    let town = Town::new(3).await;
    let mut posts = town.posts(10).await;
    posts.push(town.publish(&town.reader, Writing::new("بتاعي").visible(Visibility::Private)).await);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = town.feed.following(&town.reader.actor(), Limit::new(4).unwrap(), after.as_deref()).await.unwrap();
        found.extend(ids(&page));
        after = town.last(&page);
        if !page.has_next {
            break;
        }
    }
    posts.reverse();
    assert_eq!(found, posts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Pages never repeat and never skip, however they are cut, whatever happens between them.
    #[test]
    fn pages_never_repeat_nor_skip(sizes in proptest::collection::vec(1..12i64, 1..12), acts in proptest::collection::vec((0..5usize, 0..40usize), 12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let town = Town::new(5).await;
            let posts = town.posts(40).await;
            let (mut found, mut after) = (Vec::new(), None);
            for (step, size) in sizes.iter().cycle().enumerate() {
                let page = town.home(*size, after.as_deref()).await;
                found.extend(ids(&page));
                after = town.last(&page);
                if !page.has_next {
                    break;
                }
                town.clock.advance(Duration::from_secs(20));
                let (author, liked) = acts[step % acts.len()];
                town.like(posts[liked], 30).await;
                town.post(author, "في النص").await;
                if step == 1 {
                    town.feed.recorder().flush(&town.world.ports).await.unwrap();
                }
            }
            assert_eq!(sorted(found), sorted(posts));
        });
    }
}
