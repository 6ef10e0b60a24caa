//! The law of visibility, over random worlds.
//!
//! A [`Town`] is drawn from a seed: people in every state, edges and blocks either way, circles, and posts of every
//! visibility and reply rule with comments under them, some of which staff took down. The oracle ([`visible`], [`may_answer`], [`may_ever_learn`]) says
//! who sees what from the product's rules alone: it looks at the town as plain lists and calls no policy. [`check`] loads
//! towns into a store and holds its readers to the oracle, for every viewer and every thing:
//!
//! - what readers show is what the oracle calls visible: no thing more, no thing less;
//! - so is what a home feed shows, and nothing is missing there of whom the viewer follows;
//! - what repositories load, which is what row security lets through, is what the visibility's class allows, so that
//!   *policy allows* implies *row security allows*;
//! - the audience that a store computes, put to the reply rule, allows what the oracle calls answerable.

mod oracle;
mod town;

use crate::actor::{Actor, Member};
use crate::id::Id;
use crate::id::{CommentId, PostId, ProfileId, SessionId};
use crate::page::Limit;
use crate::port::Ports;
use crate::port::store::{Access, Lock};
use crate::post::{Visibility, policy};

pub use oracle::{may_answer, may_ever_learn, visible};
pub use town::{Thing, Town};

/// How much was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Towns drawn.
    pub towns: u64,
    /// Pairs of a viewer and a thing.
    pub pairs: u64,
    /// Pairs in which the viewer sees the thing.
    pub seen: u64,
}

/// Holds a store to the law over towns drawn from `seed`, until at least so many pairs were compared. Panics at the first
/// pair that breaks it, with all that is needed to understand why.
pub async fn check(ports: &Ports, seed: u64, pairs: u64) -> Tally {
    let mut tally = Tally::default();
    while tally.pairs < pairs {
        let town = Town::draw(seed, tally.towns, ports);
        town.load(ports).await;
        for viewer in town.viewers() {
            check_viewer(ports, &town, viewer, &mut tally).await;
        }
        tally.towns += 1;
    }
    assert!(tally.seen * 20 > tally.pairs && tally.seen * 20 < tally.pairs * 19, "too dull a world: {tally:?}");
    tally
}

async fn check_viewer(ports: &Ports, town: &Town, viewer: Option<ProfileId>, tally: &mut Tally) {
    let actor = viewer.map_or(Actor::Anonymous, |id| {
        Actor::Member(Member { account: town.profile(id).account, profile: id, session: SessionId::from_raw(1) })
    });
    let mut view = ports.store.read(&actor, Access::Read).await.unwrap();
    let mut shown: Vec<Thing> = Vec::new();
    let profiles: Vec<ProfileId> = town.profiles.iter().map(|p| p.id).collect();
    shown.extend(view.accounts().profiles(&profiles).await.unwrap().into_iter().map(|p| Thing::Profile(p.id)));
    let posts: Vec<PostId> = town.posts.iter().map(|p| p.id).collect();
    for card in view.posts().cards(&posts).await.unwrap() {
        let stored = town.posts.iter().find(|p| p.id == card.post.id);
        assert_eq!(Some(&*card.post), stored, "a card is the post as it was written");
        shown.push(Thing::Post(card.post.id));
    }
    let comments: Vec<CommentId> = town.comments.iter().map(|c| c.id).collect();
    shown.extend(view.comments().cards(&comments).await.unwrap().into_iter().map(|c| Thing::Comment(c.comment.id)));
    shown.sort_unstable();
    let before = shown.len();
    shown.dedup();
    assert_eq!(shown.len(), before, "each thing once");

    for thing in town.things() {
        let expected = visible(town, viewer, thing);
        let actual = shown.binary_search(&thing).is_ok();
        assert_eq!(actual, expected, "{}", town.explain(viewer, thing));
        tally.pairs += 1;
        tally.seen += u64::from(expected);
    }
    for author in &profiles {
        let size = Limit::new(100).unwrap();
        let mut listed = view.posts().by_author(*author, None, size).await.unwrap().items;
        listed.reverse();
        let own = town.posts.iter().filter(|p| p.author == *author && visible(town, viewer, Thing::Post(p.id)));
        assert_eq!(listed, own.map(|p| p.id).collect::<Vec<_>>(), "{viewer:?} lists the posts of {author}");
    }
    drop(view);

    // A home feed may put cards together from what it keeps.
    let candidates = ports.store.candidates(&actor, ports.clock.now(), u16::MAX).await.unwrap();
    let cards = ports.store.cards(&actor, &candidates).await.unwrap();
    for post in &town.posts {
        let seen = visible(town, viewer, Thing::Post(post.id));
        let card = cards.iter().find(|card| card.post.id == post.id);
        assert!(card.is_none_or(|card| seen && *card.post == *post), "{}", town.explain(viewer, Thing::Post(post.id)));
        let follows = town.follows.iter().any(|f| Some(f.follower) == viewer && f.followee == post.author);
        let for_followers = matches!(post.visibility, Visibility::Public | Visibility::Followers) && follows;
        let missing = card.is_none() && seen && (Some(post.author) == viewer || for_followers);
        assert!(!missing, "not in the feed: {}", town.explain(viewer, Thing::Post(post.id)));
    }

    let mut unit = ports.store.begin(&actor).await.unwrap();
    for post in &town.posts {
        let learns = may_ever_learn(town, viewer, post);
        let loaded = unit.posts().post(post.id, Lock::None).await.unwrap().is_some();
        assert_eq!(loaded, learns, "row security: {}", town.explain(viewer, Thing::Post(post.id)));
        assert!(learns || !visible(town, viewer, Thing::Post(post.id)), "policy allows what row security forbids");
        if let Some(viewer) = viewer.filter(|_| learns) {
            let audience = unit.posts().audience(post, viewer).await.unwrap();
            let answers = policy::may_reply(post, &audience);
            assert_eq!(
                answers,
                may_answer(town, viewer, post),
                "answering: {}",
                town.explain(Some(viewer), Thing::Post(post.id))
            );
        }
    }
}
