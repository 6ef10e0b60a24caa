//! Feeds, and why a post stood in one.
//!
//! A feed's page comes with all that is shown of its posts: asking for authors, counters and own reactions costs no further
//! look-up. A cursor can be a kilobyte, so one is made only when it is asked for.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use daira_core::port::store::InboxReason;
use daira_core::post::PostCard;
use daira_feed::FeedPage;
use daira_feed::explain::{PartCode, Why};

use super::post::Post;
use super::scalar::{DateTime, Language};
use crate::graphql::connection::PageInfo;
use crate::graphql::scope::InScope;
use crate::state::Services;

/// A page of a feed, with what makes its cursors. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(in crate::graphql) page: Arc<FeedPage>,
    pub(in crate::graphql) services: Arc<Services>,
    pub(in crate::graphql) continued: bool,
}

impl Feed {
    /// The cursor to go on after the item at an index.
    pub(crate) fn cursor(&self, index: usize) -> Option<String> {
        self.services.feed.cursor(&self.page, index)
    }
}

/// A page of a feed.
pub(crate) struct FeedConnection(pub(in crate::graphql) Feed);

/// A page of a feed. Pages neither repeat nor skip a post, whatever is published meanwhile.
#[Object(serial)]
impl FeedConnection {
    /// The items of the page, in order.
    async fn edges(&self) -> Vec<FeedEdge> {
        let feed = &self.0;
        let cards = feed.page.items.iter().enumerate();
        cards.map(|(index, item)| FeedEdge { feed: feed.clone(), index, card: Arc::clone(&item.card) }).collect()
    }

    /// Where the page stands in the feed.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of_feed(self.0.clone())
    }

    /// The instant whose posts the feed is made of: pass it to `newPostsCount` to learn of later ones.
    async fn as_of(&self) -> DateTime {
        self.0.page.as_of.into()
    }
}

/// A post in a feed.
pub(crate) struct FeedEdge {
    feed: Feed,
    index: usize,
    card: Arc<PostCard>,
}

/// A post in a feed.
#[Object(serial)]
impl FeedEdge {
    /// The cursor to go on after this item.
    async fn cursor(&self) -> String {
        self.feed.cursor(self.index).unwrap_or_default()
    }

    /// The post.
    async fn node(&self) -> Post {
        Post(Arc::clone(&self.card))
    }
}

/// By what way a post came into a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FeedSource {
    /// The reader follows the author.
    Follow,
    /// It mentions the reader.
    Mention,
    /// The reader is in the circle it was made for.
    Circle,
    /// It is the reader's own.
    Own,
    /// Many people like it now.
    Popular,
}

impl FeedSource {
    fn of(reason: InboxReason) -> Option<Self> {
        Some(match reason {
            InboxReason::Follow => Self::Follow,
            InboxReason::Mention => Self::Mention,
            InboxReason::Circle => Self::Circle,
            InboxReason::Own => Self::Own,
            InboxReason::Popular => Self::Popular,
            _ => return None,
        })
    }
}

/// What a score is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ScorePart {
    /// How close the reader is to the author.
    Affinity,
    /// How well the post does per impression.
    Quality,
    /// How young it is.
    Freshness,
    /// How unlike its neighbours it is.
    Diversity,
    /// When it was published.
    Prior,
    /// That it was served before.
    Seen,
}

impl ScorePart {
    fn of(code: PartCode) -> Option<Self> {
        Some(match code {
            PartCode::Affinity => Self::Affinity,
            PartCode::Quality => Self::Quality,
            PartCode::Freshness => Self::Freshness,
            PartCode::Diversity => Self::Diversity,
            PartCode::Prior => Self::Prior,
            PartCode::Seen => Self::Seen,
            _ => return None,
        })
    }
}

/// Why a post stood in the reader's feed.
pub(crate) struct WhyThis {
    pub(in crate::graphql) why: Why,
    pub(in crate::graphql) card: Arc<PostCard>,
}

/// Why a post stood in the reader's feed, from the very numbers that ranked it.
#[Object]
impl WhyThis {
    /// The post.
    async fn post(&self) -> Post {
        Post(Arc::clone(&self.card))
    }

    /// By what way it came in.
    async fn source(&self) -> Option<FeedSource> {
        FeedSource::of(self.why.source)
    }

    /// The reasons in words: how it came in, then every part worth telling, the largest effect first.
    async fn sentences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The language; that of the request when left out.")] language: Option<Language>,
    ) -> Vec<String> {
        let locale = language.map_or(ctx.scope().locale, Into::into);
        self.why.sentences(&self.card.author.name, locale)
    }

    /// What the score was made of, the largest effect first.
    async fn parts(&self) -> Vec<ScoreContribution> {
        let parts = self.why.contributions().into_iter();
        parts.filter_map(|(code, by)| Some(ScoreContribution { part: ScorePart::of(code)?, by })).collect()
    }

    /// The score: the sum of its parts.
    async fn score(&self) -> f64 {
        self.why.parts.total()
    }

    /// When the page with the post was served.
    async fn served_at(&self) -> DateTime {
        self.why.served_at.into()
    }
}

/// One part of a score.
#[derive(SimpleObject)]
pub(crate) struct ScoreContribution {
    /// Which.
    part: ScorePart,
    /// What it adds to the score, or takes from it.
    by: f64,
}
