//! Pages of lists in Relay's shape. Lists go forward only; every cursor is opaque, signed, and opens its own list alone.

use async_graphql::{Object, OutputType, SimpleObject};
use daira_core::page::Connection as Page;

use super::types::comment::Comment;
use super::types::feed::Feed;
use super::types::notification::Notification;
use super::types::post::{DeletedPost, Post};
use super::types::profile::Profile;
use super::types::reaction::ReactionKind;
use super::types::scalar::DateTime;
use super::types::search::SearchResult;

/// Where a page stands in its list.
pub(super) struct PageInfo {
    has_next: bool,
    has_previous: bool,
    ends: Ends,
}

/// The cursors of a page's first and last item; those of feeds are made only when they are asked for.
enum Ends {
    Made(Option<(String, String)>),
    Feed(Feed),
}

impl PageInfo {
    /// Of a feed's page.
    pub(super) fn of_feed(feed: Feed) -> Self {
        Self { has_next: feed.page.has_next, has_previous: feed.continued, ends: Ends::Feed(feed) }
    }
}

/// Where a page stands in its list.
#[Object(serial)]
impl PageInfo {
    /// Whether the list goes on after this page.
    async fn has_next_page(&self) -> bool {
        self.has_next
    }

    /// Whether this page was asked for with `after`, so that there is something before it.
    async fn has_previous_page(&self) -> bool {
        self.has_previous
    }

    /// The cursor of the first item.
    async fn start_cursor(&self) -> Option<String> {
        match &self.ends {
            Ends::Made(ends) => ends.as_ref().map(|ends| ends.0.clone()),
            Ends::Feed(feed) => feed.cursor(0),
        }
    }

    /// The cursor of the last item: pass it as `after` for the next page.
    async fn end_cursor(&self) -> Option<String> {
        match &self.ends {
            Ends::Made(ends) => ends.as_ref().map(|ends| ends.1.clone()),
            Ends::Feed(feed) => feed.page.items.len().checked_sub(1).and_then(|last| feed.cursor(last)),
        }
    }
}

/// A page of a list.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "ProfileConnection", params(ProfileEdge)),
    concrete(name = "PostConnection", params(PostEdge)),
    concrete(name = "DeletedPostConnection", params(DeletedPostEdge)),
    concrete(name = "CommentConnection", params(CommentEdge)),
    concrete(name = "ReactionConnection", params(ReactionEdge)),
    concrete(name = "NotificationConnection", params(NotificationEdge)),
    concrete(name = "SearchConnection", params(SearchEdge))
)]
pub(super) struct Connection<E: OutputType> {
    /// The items of the page, each with its cursor.
    pub edges: Vec<E>,
    /// Where the page stands in its list.
    pub page_info: PageInfo,
}

impl<E: OutputType> Connection<E> {
    /// A page as a use case gave it. `edge` makes an edge of an item and its cursor, or nothing for one that is hidden by
    /// now; the page's ends stay where they were.
    pub(super) fn new<T>(page: Page<T>, after: Option<&str>, mut edge: impl FnMut(T, String) -> Option<E>) -> Self {
        let ends = page.items.first().zip(page.items.last()).map(|(first, last)| (first.1.clone(), last.1.clone()));
        Self {
            page_info: PageInfo { has_next: page.has_next, has_previous: after.is_some(), ends: Ends::Made(ends) },
            edges: page.items.into_iter().filter_map(|(item, cursor)| edge(item, cursor)).collect(),
        }
    }
}

macro_rules! edges {
    ($($(#[$doc:meta])* $name:ident of $node:ty { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(super) struct $name {
            /// The cursor to go on after this item.
            pub(super) cursor: String,
            /// The item.
            pub(super) node: $node,
            $($(#[$field_doc])* pub(super) $field: $ty,)*
        }
    )*};
}

edges! {
    /// A profile in a list.
    ProfileEdge of Profile {
        /// Since when it stands in the list.
        since: DateTime,
    }
    /// A post in a list.
    PostEdge of Post {}
    /// A deleted post in its author's list.
    DeletedPostEdge of DeletedPost {}
    /// A comment in a list.
    CommentEdge of Comment {}
    /// Somebody who reacted.
    ReactionEdge of Profile {
        /// How they reacted.
        kind: Option<ReactionKind>,
        /// When they did.
        reacted_at: DateTime,
    }
    /// A line of notifications.
    NotificationEdge of Notification {}
    /// Something that was found.
    SearchEdge of SearchResult {}
}
