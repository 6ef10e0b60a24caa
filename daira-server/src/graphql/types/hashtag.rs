//! Hashtags.

use async_graphql::{Context, Object, Result};
use daira_core::text::TagKey;

use super::post::Post;
use crate::graphql::connection::{Connection, PostEdge};
use crate::graphql::scope::{InScope, limit};

/// A hashtag in one of its spellings.
pub(crate) struct Hashtag {
    pub(in crate::graphql) key: TagKey,
    pub(in crate::graphql) spelling: String,
}

/// A hashtag. Many spellings are one tag.
#[Object]
impl Hashtag {
    /// Its spelling here, without the sign: as written in the post, or as it was first used.
    async fn name(&self) -> &str {
        &self.spelling
    }

    /// What all its spellings have in common.
    async fn key(&self) -> &str {
        self.key.as_str()
    }

    /// Public posts under it, newest first.
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<PostEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            scope.services.hashtags.posts(view.as_mut(), &self.key, after.as_deref(), limit).await?
        };
        Post::page(scope, page, after.as_deref()).await.map(Some)
    }
}
