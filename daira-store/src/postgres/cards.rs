//! Posts and authors as they are on cards, kept in the process: only those that everybody without a tie sees, so that one row
//! is on the cards of many readers.
//!
//! What is kept is never trusted for its age. Postgres notes each change of a post or a profile in the transaction that makes
//! it; the statement that finds candidates says which changes came since the snapshot that this process has caught up with,
//! and they are forgotten before any of those candidates is shown. So a card is never older than the snapshot its candidate
//! was found in. Who may not see the author any more, because of a block, has no such candidate.
//!
//! What is read while something is forgotten may be what was to be forgotten, so it is not kept.

use core::mem::size_of;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use daira_core::account::Profile;
use daira_core::id::Id as _;
use daira_core::post::{Audience, Post, PostCard, policy};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use time::OffsetDateTime;

/// Who did not catch up for this long begins anew; changes are noted for a day.
const BEHIND: Duration = Duration::from_mins(10);
/// How many bytes an entry is, usually.
const USUAL: u64 = 768;
/// What an entry of the cache takes beside its strings, roughly.
const OVERHEAD: usize = 256;

/// Up to where changes are known: a snapshot of one run of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UpTo {
    pub(super) server: OffsetDateTime,
    pub(super) snapshot: String,
}

#[derive(Debug, Default)]
struct State {
    /// Counts how often something was forgotten.
    turn: u64,
    up_to: Option<(UpTo, Instant)>,
}

/// The cards that are kept, within a bound of memory. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct KeptCards {
    posts: Arc<Cache<i64, Arc<Post>, Bytes>>,
    authors: Arc<Cache<i64, Arc<Profile>, Bytes>>,
    state: Arc<Mutex<State>>,
}

impl KeptCards {
    /// At most so many bytes; zero keeps nothing.
    pub(super) fn new(bytes: u64) -> Self {
        let room = |bytes: u64| usize::try_from(bytes / USUAL).unwrap_or(usize::MAX);
        let (authors, posts) = (bytes / 4, bytes - bytes / 4);
        Self {
            posts: Arc::new(Cache::with_weighter(room(posts), posts, Bytes)),
            authors: Arc::new(Cache::with_weighter(room(authors), authors, Bytes)),
            state: Arc::default(),
        }
    }

    /// The snapshot to ask for changes since; none when all begins anew.
    pub(super) fn told(&self) -> Option<String> {
        let state = self.state();
        let (up_to, at) = state.up_to.as_ref()?;
        (at.elapsed() < BEHIND).then(|| up_to.snapshot.clone())
    }

    /// Forgets what changed up to a snapshot since the one that was told.
    pub(super) fn catch_up(&self, told: Option<&str>, up_to: UpTo, stale: &[i64]) {
        let mut state = self.state();
        let same = told.is_some() && state.up_to.as_ref().is_some_and(|(known, _)| known.server == up_to.server);
        if !same {
            self.posts.clear();
            self.authors.clear();
        }
        for id in stale {
            self.posts.remove(id);
            self.authors.remove(id);
        }
        state.turn += u64::from(!same || !stale.is_empty());
        // Answers may overtake each other. An earlier snapshot only means that some changes are told again.
        state.up_to = Some((up_to, Instant::now()));
    }

    /// How often something was forgotten so far: to be asked for before cards are read that shall be kept.
    pub(super) fn turn(&self) -> u64 {
        self.state().turn
    }

    /// Keeps what everybody sees of cards that were read since a turn, unless something was forgotten meanwhile.
    pub(super) fn keep(&self, since: u64, cards: &[PostCard]) {
        let state = self.state();
        if state.turn != since {
            return;
        }
        for PostCard { post, author, .. } in cards {
            let stranger = Audience { standing: author.standing, private: author.private, ..Audience::default() };
            if policy::sees(post, &stranger) {
                self.posts.insert(post.id.raw(), Arc::clone(post));
                self.authors.insert(author.id.raw(), Arc::clone(author));
            }
        }
    }

    /// A post and its author, if both are kept.
    pub(super) fn of(&self, post: i64) -> Option<(Arc<Post>, Arc<Profile>)> {
        let post = self.posts.get(&post)?;
        let author = self.authors.get(&post.author.raw())?;
        Some((post, author))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst changes that are told again.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept weighs its bytes.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Weighter<i64, Arc<Post>> for Bytes {
    fn weight(&self, _: &i64, post: &Arc<Post>) -> u64 {
        let tags = post.tags.len() * size_of::<[String; 2]>();
        let warning = post.warning.as_ref().map_or(0, String::len);
        let media: usize = post.media.iter().map(|m| size_of_val(m) + m.alt.len()).sum();
        let rest = post.text.len() + warning + tags + media + size_of_val(&*post.mentions);
        (OVERHEAD + size_of::<Post>() + rest) as u64
    }
}

impl Weighter<i64, Arc<Profile>> for Bytes {
    fn weight(&self, _: &i64, author: &Arc<Profile>) -> u64 {
        let links: usize = author.links.iter().map(|link| size_of_val(link) + link.len()).sum();
        (OVERHEAD + size_of::<Profile>() + author.name.len() + author.bio.len() + links) as u64
    }
}

#[cfg(test)]
mod tests {
    use daira_core::account::{ProfileKind, Standing};
    use daira_core::id::{AccountId, PostId, ProfileId};
    use daira_core::post::{Delivery, PostCounters, ReplyRule, Visibility};
    use daira_core::text::Handle;
    use daira_core::time::Timestamp;

    use super::*;

    const AUTHOR: i64 = 1_000;

    fn card(id: i64, visibility: Visibility, private: bool) -> PostCard {
        let post = Post {
            id: PostId::from_raw(id),
            author: ProfileId::from_raw(AUTHOR),
            text: "صباح الخير".into(),
            visibility,
            replies: ReplyRule::Everyone,
            media: Vec::new(),
            mentions: Vec::new(),
            tags: Vec::new(),
            warning: None,
            delivery: Delivery::Push,
            edited_at: None,
            deleted_at: None,
            version: 1,
        };
        let author = Profile {
            id: ProfileId::from_raw(AUTHOR),
            account: AccountId::from_raw(1),
            handle: Handle::new("mona").unwrap(),
            name: "منى".into(),
            bio: String::new(),
            links: Vec::new(),
            avatar: None,
            kind: ProfileKind::Regular,
            private,
            standing: Standing::Live,
            created_at: Timestamp::EPOCH,
            version: 1,
        };
        let counters = PostCounters::default();
        PostCard { post: post.into(), author: author.into(), counters, viewer_reaction: None }
    }

    fn at(second: i64) -> UpTo {
        let server = OffsetDateTime::from_unix_timestamp(second).unwrap();
        UpTo { server, snapshot: "10:20:".into() }
    }

    fn kept(cards: &KeptCards) -> Vec<i64> {
        (0..10).filter(|post| cards.of(*post).is_some()).collect()
    }

    /// Caught up with a server, with two posts of one author kept.
    fn caught_up() -> KeptCards {
        let cards = KeptCards::new(1 << 20);
        assert_eq!(cards.told(), None);
        cards.catch_up(None, at(1), &[]);
        let all = [(1, Visibility::Public), (2, Visibility::Unlisted), (3, Visibility::Followers)];
        cards.keep(cards.turn(), &all.map(|(id, visibility)| card(id, visibility, false)));
        assert_eq!(kept(&cards), [1, 2], "what everybody sees");
        cards
    }

    #[test]
    fn what_changed_is_forgotten() {
        let cards = caught_up();
        cards.keep(cards.turn(), &[card(4, Visibility::Public, true)]);
        assert_eq!(kept(&cards), [1, 2], "not what only followers see");
        let told = cards.told();
        assert_eq!(told.as_deref(), Some("10:20:"));
        cards.catch_up(told.as_deref(), at(1), &[2, 77]);
        assert_eq!(kept(&cards), [1]);
        cards.catch_up(told.as_deref(), at(1), &[AUTHOR]);
        assert!(kept(&cards).is_empty());
    }

    #[test]
    fn what_was_read_before_something_was_forgotten_is_not_kept() {
        let cards = caught_up();
        let turn = cards.turn();
        cards.catch_up(Some("10:20:"), at(1), &[]);
        assert_eq!(cards.turn(), turn, "nothing was");
        cards.catch_up(Some("10:20:"), at(1), &[5]);
        cards.keep(turn, &[card(5, Visibility::Public, false)]);
        assert_eq!(kept(&cards), [1, 2]);
    }

    #[test]
    fn another_run_of_a_server_begins_anew_and_so_does_who_told_nothing() {
        let cards = caught_up();
        let turn = cards.turn();
        cards.catch_up(Some("10:20:"), at(2), &[]);
        assert!(kept(&cards).is_empty());
        cards.keep(turn, &[card(1, Visibility::Public, false)]);
        assert!(kept(&cards).is_empty());
        cards.keep(cards.turn(), &[card(1, Visibility::Public, false)]);
        assert_eq!(kept(&cards), [1]);
        cards.catch_up(None, at(2), &[]);
        assert!(kept(&cards).is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let cards = KeptCards::new(64 << 10);
        cards.catch_up(None, at(1), &[]);
        for id in 0..1_000 {
            cards.keep(cards.turn(), &[card(id, Visibility::Public, false)]);
        }
        assert!(cards.posts.weight() <= 48 << 10);
        assert!((10..200).contains(&cards.posts.len()), "{}", cards.posts.len());
        let nothing = KeptCards::new(0);
        nothing.catch_up(None, at(1), &[]);
        nothing.keep(nothing.turn(), &[card(1, Visibility::Public, false)]);
        assert!(kept(&nothing).is_empty());
    }
}
