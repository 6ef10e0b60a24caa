//! Posts and authors as they are on cards, kept in the process: only those that everybody without a tie sees, so that one row
//! is on the cards of many readers.
//!
//! What is kept is never trusted for its age. Postgres notes each change of a post or a profile in the transaction that makes
//! it; the statement that finds candidates says which changes came since the snapshot that this process has caught up with,
//! and they are forgotten before any of those candidates is shown. So a card is never older than the snapshot its candidate
//! was found in. Who may not see the author any more, because of a block, has no such candidate.
//!
//! It may be younger, though: from after an edge was cut that the candidate still came by. What rests on such an edge, as posts
//! for followers do, is therefore never kept, but read under row security each time.
//!
//! What is read while it is forgotten may be from before, so it is not kept. Snapshots and rows of different runs of a server are
//! never brought together.

use core::mem::size_of;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use daira_core::account::Profile;
use daira_core::id::{Id as _, IdMap, IdSet};
use daira_core::post::{Audience, Post, PostCard, policy};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use time::OffsetDateTime;

use super::counts::{Counts, KeptCounts, Reading};

/// Who did not catch up for this long begins anew; changes are noted for a day.
const BEHIND: Duration = Duration::from_mins(1);
/// How many of those forgotten last are remembered.
const REMEMBERED: usize = 4_096;
/// What is noted when counters of any posts changed.
const COUNTERS: i64 = 0;
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

/// What a statement is told, so that it tells what changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) up_to: UpTo,
    /// All counters are kept from this post on.
    pub(super) counts_from: Option<i64>,
}

/// How much was forgotten so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn(u64);

#[derive(Debug)]
struct State {
    up_to: Option<(UpTo, Instant)>,
    /// Whether the last answer told what changed.
    follows: bool,
    counts: KeptCounts,
    /// How many ids were forgotten.
    forgotten: u64,
    /// The last of them.
    last: VecDeque<i64>,
}

impl State {
    fn forget(&mut self, id: i64) {
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(id);
        self.forgotten += 1;
    }

    /// Nothing that was read before counts any more.
    fn forget_all(&mut self) {
        self.counts.forget_all();
        self.last.clear();
        self.forgotten += 1;
    }

    /// Which ids were forgotten since, if that is still remembered.
    fn since(&self, turn: Turn) -> Option<IdSet<i64>> {
        let new = usize::try_from(self.forgotten - turn.0).ok()?;
        let known = self.last.len().checked_sub(new)?;
        Some(self.last.iter().skip(known).copied().collect())
    }
}

/// The cards and counters that are kept, within a bound of memory. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct KeptCards {
    posts: Arc<Cache<i64, Arc<Post>, Bytes>>,
    authors: Arc<Cache<i64, Arc<Profile>, Bytes>>,
    state: Arc<Mutex<State>>,
}

impl KeptCards {
    /// At most so many bytes of cards, and the counters of so many posts; zero keeps none.
    pub(super) fn new(bytes: u64, counts: usize) -> Self {
        let room = |bytes: u64| usize::try_from(bytes / USUAL).unwrap_or(usize::MAX);
        let (authors, posts) = (bytes / 4, bytes - bytes / 4);
        Self {
            posts: Arc::new(Cache::with_weighter(room(posts), posts, Bytes)),
            authors: Arc::new(Cache::with_weighter(room(authors), authors, Bytes)),
            state: Arc::new(Mutex::new(State {
                up_to: None,
                follows: false,
                counts: KeptCounts::new(counts),
                forgotten: 0,
                last: VecDeque::new(),
            })),
        }
    }

    /// From where to ask for changes; none when all begins anew.
    pub(super) fn told(&self) -> Option<Told> {
        let state = self.state();
        let (up_to, at) = state.up_to.as_ref()?;
        let counts_from = state.counts.from();
        let keeps = self.posts.capacity() > 0 || counts_from.is_some();
        (keeps && at.elapsed() < BEHIND).then(|| Told { up_to: up_to.clone(), counts_from })
    }

    /// Forgets what changed up to a snapshot since the one that was told, and takes the counters told; forgets all, if it is
    /// unknown what changed.
    pub(super) fn catch_up(
        &self,
        told: Option<&Told>,
        up_to: UpTo,
        stale: Option<&[i64]>,
        counts: &IdMap<i64, Counts>,
    ) {
        let mut state = self.state();
        let known = state.up_to.as_ref().map(|(known, _)| known.server);
        let same = known == Some(up_to.server) && told.is_some_and(|told| told.up_to.server == up_to.server);
        let stale = stale.filter(|_| same);
        state.follows = stale.is_some();
        if let Some(stale) = stale {
            for id in stale.iter().filter(|id| **id != COUNTERS) {
                self.posts.remove(id);
                self.posts.remove(&own(*id));
                self.authors.remove(id);
                state.forget(*id);
            }
            state.counts.change(counts.iter().map(|(post, counts)| (*post, *counts)));
        } else {
            self.posts.clear();
            self.authors.clear();
            state.forget_all();
        }
        // Answers may overtake each other. An earlier snapshot only means that some changes are told again.
        state.up_to = Some((up_to, Instant::now()));
    }

    /// How much was forgotten so far: to be asked for before cards are read that shall be kept.
    pub(super) fn turn(&self) -> Turn {
        Turn(self.state().forgotten)
    }

    /// Keeps what everybody sees of cards that were read since a turn from a run of a server, except for what was forgotten
    /// meanwhile.
    pub(super) fn keep(&self, since: Turn, server: OffsetDateTime, cards: &[PostCard]) {
        self.keep_under(since, server, cards, |id| id);
    }

    /// The same of cards that were read by their author, who sees what was taken down: they are kept for the author alone.
    pub(super) fn keep_own(&self, since: Turn, server: OffsetDateTime, cards: &[PostCard]) {
        self.keep_under(since, server, cards, own);
    }

    fn keep_under(&self, since: Turn, server: OffsetDateTime, cards: &[PostCard], key: impl Fn(i64) -> i64) {
        let state = self.state();
        let here = state.up_to.as_ref().is_some_and(|(up_to, _)| up_to.server == server);
        let Some(forgotten) = state.since(since).filter(|_| here) else { return };
        for PostCard { post, author, .. } in cards {
            let (id, author_id) = (post.id.raw(), author.id.raw());
            let stranger = Audience { standing: author.standing, private: author.private, ..Audience::default() };
            if !forgotten.contains(&id) && !forgotten.contains(&author_id) && policy::sees(post, &stranger) {
                self.posts.insert(key(id), Arc::clone(post));
                self.authors.insert(author_id, Arc::clone(author));
            }
        }
    }

    /// A post and its author, if both are kept.
    pub(super) fn of(&self, post: i64) -> Option<(Arc<Post>, Arc<Profile>)> {
        let post = self.posts.get(&post)?;
        let author = self.authors.get(&post.author.raw())?;
        Some((post, author))
    }

    /// A post and its author as the author, who reads, sees them, if both are kept.
    pub(super) fn of_own(&self, post: i64) -> Option<(Arc<Post>, Arc<Profile>)> {
        self.of(own(post))
    }

    /// Puts the counters that are kept to those that were looked up, given from where they were not; whether all are known now.
    pub(super) fn complete(&self, posts: &[i64], asked_from: Option<i64>, counts: &mut IdMap<i64, Counts>) -> bool {
        self.state().counts.complete(posts, asked_from, counts)
    }

    /// Whoever gets this reads the counters of the newest posts. Who seldom asks, and therefore begins anew each time, keeps none.
    pub(super) fn begin_counts(&self) -> Option<Reading> {
        let mut state = self.state();
        if state.follows { state.counts.begin() } else { None }
    }

    /// Keeps counters that were read from a run of a server; nothing when the reading failed.
    pub(super) fn keep_counts(&self, reading: &Reading, read: Option<(OffsetDateTime, IdMap<i64, Counts>)>) {
        let mut state = self.state();
        let here = state.up_to.as_ref().map(|(up_to, _)| up_to.server);
        match read.filter(|(server, _)| Some(*server) == here) {
            Some((_, counts)) => state.counts.keep(reading, counts),
            None => state.counts.give_up(reading),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst changes that are told again.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a post is kept under for its author alone. Ids are positive.
fn own(post: i64) -> i64 {
    -post
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

    /// Is told what changed.
    fn hear(cards: &KeptCards, stale: Option<&[i64]>) {
        cards.catch_up(cards.told().as_ref(), at(1), stale, &IdMap::default());
    }

    /// Caught up with a server, with two posts of one author kept.
    fn caught_up() -> KeptCards {
        let cards = KeptCards::new(1 << 20, 100);
        assert_eq!(cards.told(), None);
        cards.catch_up(None, at(1), Some(&[]), &IdMap::default());
        let all = [(1, Visibility::Public), (2, Visibility::Unlisted), (3, Visibility::Followers)];
        cards.keep(cards.turn(), at(1).server, &all.map(|(id, visibility)| card(id, visibility, false)));
        assert_eq!(kept(&cards), [1, 2], "what everybody sees");
        cards
    }

    #[test]
    fn what_changed_is_forgotten() {
        let cards = caught_up();
        cards.keep(cards.turn(), at(1).server, &[card(4, Visibility::Public, true)]);
        assert_eq!(kept(&cards), [1, 2], "not what only followers see");
        assert_eq!(cards.told(), Some(Told { up_to: at(1), counts_from: Some(i64::MAX) }));
        hear(&cards, Some(&[2, 77]));
        assert_eq!(kept(&cards), [1]);
        hear(&cards, Some(&[AUTHOR]));
        assert!(kept(&cards).is_empty());
    }

    #[test]
    fn what_its_author_read_is_kept_for_its_author_alone() {
        let cards = caught_up();
        cards.keep_own(cards.turn(), at(1).server, &[card(7, Visibility::Public, false)]);
        assert_eq!(kept(&cards), [1, 2]);
        assert!(cards.of_own(7).is_some() && cards.of_own(1).is_none());
        hear(&cards, Some(&[7]));
        assert!(cards.of_own(7).is_none());
    }

    #[test]
    fn what_was_read_before_it_was_forgotten_is_not_kept() {
        let cards = caught_up();
        let turn = cards.turn();
        hear(&cards, Some(&[5]));
        let read = [5, 6].map(|id| card(id, Visibility::Public, false));
        cards.keep(turn, at(1).server, &read);
        assert_eq!(kept(&cards), [1, 2, 6]);
        hear(&cards, Some(&[AUTHOR]));
        cards.keep(turn, at(1).server, &read);
        assert!(kept(&cards).is_empty(), "the author was");
        let more: Vec<i64> = (100..).take(2 * REMEMBERED).collect();
        hear(&cards, Some(&more));
        cards.keep(turn, at(1).server, &[card(7, Visibility::Public, false)]);
        assert!(kept(&cards).is_empty(), "nobody remembers what was forgotten since");
    }

    #[test]
    fn all_begins_anew_where_nothing_can_be_told() {
        // Nothing was told, too much changed, or it was the run of another server: when asked, when answered, or both.
        for (told, up_to, stale) in [
            (None, at(1), Some(&[][..])),
            (Some(at(1)), at(1), None),
            (Some(at(1)), at(2), Some(&[])),
            (Some(at(2)), at(2), Some(&[])),
            (Some(at(2)), at(1), Some(&[])),
        ] {
            let cards = caught_up();
            let turn = cards.turn();
            let told = told.map(|up_to| Told { up_to, counts_from: None });
            cards.catch_up(told.as_ref(), up_to.clone(), stale, &IdMap::default());
            assert!(kept(&cards).is_empty());
            cards.keep(turn, up_to.server, &[card(1, Visibility::Public, false)]);
            assert!(kept(&cards).is_empty(), "read before");
            cards.keep(cards.turn(), at(3).server, &[card(1, Visibility::Public, false)]);
            assert!(kept(&cards).is_empty(), "read from another server");
            cards.keep(cards.turn(), up_to.server, &[card(1, Visibility::Public, false)]);
            assert_eq!(kept(&cards), [1]);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let cards = KeptCards::new(64 << 10, 0);
        cards.catch_up(None, at(1), None, &IdMap::default());
        for id in 0..1_000 {
            cards.keep(cards.turn(), at(1).server, &[card(id, Visibility::Public, false)]);
        }
        assert!(cards.posts.weight() <= 48 << 10);
        assert!((10..200).contains(&cards.posts.len()), "{}", cards.posts.len());
        let nothing = KeptCards::new(0, 0);
        nothing.catch_up(None, at(1), None, &IdMap::default());
        assert_eq!(nothing.told(), None);
        nothing.keep(nothing.turn(), at(1).server, &[card(1, Visibility::Public, false)]);
        assert!(kept(&nothing).is_empty());
    }
}
