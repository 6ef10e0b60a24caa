//! Inboxes, pull sources, affinity, feed sessions and the record of pages served.

use core::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::id::{FeedSessionId, PostId, ProfileId};
use crate::page::{Limit, Page};
use crate::post::MediaKind;
use crate::reaction::ReactionKind;
use crate::time::Timestamp;

/// How long a page that was served makes its posts "seen".
pub const SEEN_FOR: Duration = Duration::from_hours(72);
/// How many of somebody's latest pages are looked at for what was seen: of usual pages, as many as fill a frozen list.
pub const SEEN_PAGES: usize = 25;

/// Why a post stands in somebody's inbox or among their candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InboxReason {
    /// They follow the author.
    Follow,
    /// The author mentioned them.
    Mention,
    /// They are in the circle it was made for.
    Circle,
    /// It is their own.
    Own,
    /// Many people like it now.
    Popular,
}

impl InboxReason {
    /// The number as stored; append-only.
    pub const fn code(self) -> i16 {
        match self {
            Self::Follow => 1,
            Self::Mention => 2,
            Self::Circle => 3,
            Self::Own => 4,
            Self::Popular => 5,
        }
    }

    /// Reads a stored number.
    pub const fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Follow),
            2 => Some(Self::Mention),
            3 => Some(Self::Circle),
            4 => Some(Self::Own),
            5 => Some(Self::Popular),
            _ => None,
        }
    }
}

/// One chunk of a fan-out, or of its undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveredChunk {
    /// How many inbox rows came or went.
    pub rows: u64,
    /// Where the next chunk begins, or nothing when that was the last.
    pub next: Option<ProfileId>,
}

/// What a ranker needs to know of a candidate, as stored; decay is computed when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Signals {
    /// Reactions to the post.
    pub reactions: i64,
    /// Comments under the post.
    pub comments: i64,
    /// How often the post stood on a page that was served, [`in_steps`](Self::in_steps): that suffices to rank, and spares
    /// adapters that keep counters most of the changes.
    pub impressions: i64,
    /// Sum of the viewer's weighted interactions with the author, as of `affinity_at`.
    pub affinity: f64,
    /// When that sum was last brought forward.
    pub affinity_at: Timestamp,
    /// On how many of the viewer's latest [`SEEN_PAGES`] pages of the last [`SEEN_FOR`] this post was.
    pub seen: u16,
}

impl Signals {
    /// Impressions rounded down, by less than eight and from 64 on by less than an eighth.
    pub const fn in_steps(impressions: i64) -> i64 {
        let step = match impressions.checked_ilog2() {
            Some(bits @ 6..) => bits - 3,
            _ => 3,
        };
        impressions >> step << step
    }
}

/// A post that may stand in the viewer's home feed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The post; its id tells when it was published.
    pub post: PostId,
    /// Its author.
    pub author: ProfileId,
    /// Why it is a candidate.
    pub reason: InboxReason,
    /// When it became deliverable to this viewer.
    pub delivered_at: Timestamp,
    /// What kind of thing it shows.
    pub media: MediaKind,
    /// What ranks it.
    pub signals: Signals,
    /// What was found along with it in the same snapshot, if that was looked for.
    pub along: Option<Along>,
}

/// What a store found along with a candidate. Whoever has it may be shown the post as it was in that snapshot, so that a
/// store may put the card together from what it keeps; without, the card is read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Along {
    /// The viewer's own reaction to the post.
    pub viewer_reaction: Option<ReactionKind>,
}

/// How much a viewer has to do with an author: a sum of weighted interactions of which half is left after a fortnight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affinity {
    /// The sum.
    pub sum: f64,
    /// As of when.
    pub at: Timestamp,
}

impl Affinity {
    /// After this long half of a sum is left.
    pub const HALF_LIFE: Duration = Duration::from_hours(14 * 24);

    /// Both together, as of the later instant; in whatever order they are added, the sum is the same.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let at = self.at.max(other.at);
        Self { sum: self.left(at) + other.left(at), at }
    }

    fn left(self, at: Timestamp) -> f64 {
        self.sum * f64::exp2(-at.since(self.at).as_secs_f64() / Self::HALF_LIFE.as_secs_f64())
    }
}

/// One page as it was served: what was on it and why, one byte string per item made by the ranker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageServed {
    /// Whose feed.
    pub viewer: ProfileId,
    /// When.
    pub at: Timestamp,
    /// The posts and their packed reasons.
    pub items: Vec<(PostId, Vec<u8>)>,
}

/// How many posts older than inboxes reach a home feed is filled up with.
pub const OLDER_MAX: usize = 100;

/// Changes feeds.
#[async_trait]
pub trait FeedRepository: Send {
    /// Delivers a post to the next of the people it is made for (by id, `from` on) who may see it, at most `chunk`: the
    /// author's followers, the circle's members or the mentioned, as its visibility says. Nobody gets a private one, or one
    /// that is gone. Repeating a chunk changes nothing.
    async fn deliver(
        &mut self,
        post: PostId,
        from: Option<ProfileId>,
        chunk: u32,
        at: Timestamp,
    ) -> Result<DeliveredChunk>;
    /// Brings the followed author's newest pushed posts, no older than `since` and at most `limit`, into the follower's
    /// inbox, if the follow still stands.
    async fn backfill(
        &mut self,
        follower: ProfileId,
        followee: ProfileId,
        since: Timestamp,
        limit: u16,
        at: Timestamp,
    ) -> Result<u64>;
    /// Takes an author's posts that came by a follow out of a profile's inbox, unless the follow stands (again).
    async fn withdraw_author(&mut self, profile: ProfileId, author: ProfileId) -> Result<u64>;
    /// Takes a post out of the inboxes of the next of those whom it may have reached (by id, `from` on), at most `chunk`: the
    /// author's followers, the members of their circles, the mentioned. What is left with somebody who is none of these
    /// any more counts for nothing, and goes with its day.
    async fn withdraw_post(&mut self, post: PostId, from: Option<ProfileId>, chunk: u32) -> Result<DeliveredChunk>;
    /// Adds to how much viewers have to do with authors, see [`Affinity::plus`]; each pair at most once.
    async fn add_affinity(&mut self, sums: &[(ProfileId, ProfileId, Affinity)]) -> Result<()>;
    /// Freezes a session's list of posts with their packed reasons (at most 500), unless another request did so first; answers
    /// the list that holds.
    async fn freeze(
        &mut self,
        session: FeedSessionId,
        viewer: ProfileId,
        list: &[(PostId, Vec<u8>)],
        at: Timestamp,
    ) -> Result<Vec<(PostId, Vec<u8>)>>;
    /// Records pages as served. For the platform's own actors only.
    async fn record_pages(&mut self, pages: &[PageServed]) -> Result<()>;
}

/// Looks at the actor's feeds. Only what the actor may see comes back: an inbox row counts only while the edge it came by
/// still stands.
#[async_trait]
pub trait FeedReads: Send {
    /// The newest candidates of the home feed that were deliverable at `as_of`: inbox, pulled authors and own posts,
    /// without posts of muted people, each once, at most `limit`, newest first. A post that came in several ways came by the
    /// first of them. When that is fewer than `limit`, whoever comes back after a long time still finds their people: up to
    /// [`OLDER_MAX`] posts of the same authors that inboxes do not reach back to. Then public posts of others that somebody
    /// reacted to fill up, those with most reactions and comments first; an adapter may look for those among the newest few
    /// thousand.
    ///
    /// Many are ranked and few are shown: whether an author still stands, and whether a post that came by a follow was
    /// deleted or shown to others since, may be left to the cards.
    async fn candidates(&mut self, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>>;
    /// The same sources at `now`, newest first, without ranking and without popular posts of strangers; beyond what
    /// inboxes hold it goes on to the first post of all.
    async fn newest(&mut self, now: Timestamp, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>>;
    /// How many posts by followed people came since an instant, at most 100: deliverable later than it, and visible.
    async fn count_new(&mut self, since: Timestamp) -> Result<i64>;
    /// A frozen list of the actor's, if it is younger than two hours at `now`.
    async fn frozen(&mut self, session: FeedSessionId, now: Timestamp) -> Result<Option<Vec<(PostId, Vec<u8>)>>>;
    /// Why a post was on the page that last served it to the actor, as packed by the ranker, and when that was.
    async fn served_reason(&mut self, post: PostId) -> Result<Option<(Timestamp, Vec<u8>)>>;
}
