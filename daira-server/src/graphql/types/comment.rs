//! Comments.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use daira_core::comment::{self, CommentCard};
use daira_core::id::{CommentId, PostId};
use daira_core::reaction::Target;

use super::post::Post;
use super::profile::Profile;
use super::reaction::{ReactionKind, reactions};
use super::scalar::DateTime;
use crate::graphql::connection::{CommentEdge, Connection, ReactionEdge};
use crate::graphql::scope::{InScope, Scope, limit};

/// A comment that the reader may see.
pub(crate) struct Comment(pub(in crate::graphql) Arc<CommentCard>);

/// The order of comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CommentOrder {
    /// Newest first.
    Newest,
    /// Those with most reactions first. Ends after three hundred.
    Top,
}

/// A comment. A deleted one is an empty place while answers hang on it.
#[Object]
impl Comment {
    /// Its id, for instance `cmt_0c5h2m9k1v3q8`.
    pub async fn id(&self) -> ID {
        self.0.comment.id.to_string().into()
    }

    /// The post it stands under.
    async fn post(&self, ctx: &Context<'_>) -> Result<Option<Post>> {
        Ok(Post::load(ctx.scope(), self.0.comment.post).await?)
    }

    /// The comment it answers, unless it answers the post itself.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Comment>> {
        let Some(parent) = self.0.comment.parent else { return Ok(None) };
        Ok(Self::load(ctx.scope(), parent).await?)
    }

    /// 1 for an answer to the post, one more for each level below, at most 10.
    async fn depth(&self) -> i32 {
        self.0.comment.depth.into()
    }

    /// Who wrote it; nobody when it is deleted.
    async fn author(&self) -> Option<Profile> {
        let author = self.0.author.as_ref()?;
        Some(Profile::Alone(Arc::new(author.clone())))
    }

    /// What it says, up to 1,000 characters; empty when it is deleted.
    async fn text(&self) -> &str {
        &self.0.comment.text
    }

    /// Whether it was deleted.
    async fn is_deleted(&self) -> bool {
        self.0.comment.deleted_at.is_some()
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.comment.created_at().into()
    }

    /// Its version, to base an edit on.
    async fn version(&self) -> i32 {
        self.0.comment.version
    }

    /// When it was last edited.
    async fn edited_at(&self) -> Option<DateTime> {
        self.0.comment.edited_at.map(Into::into)
    }

    /// How many reactions and answers it has. May lag behind by a moment.
    async fn counters(&self) -> CommentCounters {
        let comment::CommentCounters { reactions, replies } = self.0.counters;
        CommentCounters { reactions, replies }
    }

    /// The reader's own reaction.
    async fn viewer_reaction(&self) -> Option<ReactionKind> {
        self.0.viewer_reaction.and_then(ReactionKind::of)
    }

    /// The direct answers to it.
    async fn replies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In which order.", default_with = "CommentOrder::Newest")] order: CommentOrder,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<CommentEdge>>> {
        let comment = &self.0.comment;
        comments(ctx.scope(), comment.post, Some(comment.id), order, first, after.as_deref()).await
    }

    /// Who reacted, newest first.
    async fn reactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ReactionEdge>>> {
        reactions(ctx.scope(), Target::Comment(self.0.comment.id), first, after.as_deref()).await
    }
}

impl Comment {
    /// The visible comment with this id.
    pub(in crate::graphql) async fn load(scope: &Scope, id: CommentId) -> daira_core::Result<Option<Self>> {
        Ok(scope.reads.load(id).await?.map(Self))
    }
}

/// The answers to a post, or to a comment under it.
pub(crate) async fn comments(
    scope: &Scope,
    post: PostId,
    parent: Option<CommentId>,
    order: CommentOrder,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<Option<Connection<CommentEdge>>> {
    let limit = limit(first)?;
    let mut view = scope.reads.view().await?;
    let service = &scope.services.comments;
    let page = match order {
        CommentOrder::Newest => service.newest(view.as_mut(), post, parent, after, limit).await?,
        CommentOrder::Top => service.top(view.as_mut(), post, parent, after, limit).await?,
    };
    let edge = |card, cursor| Some(CommentEdge { cursor, node: Comment(Arc::new(card)) });
    Ok(Some(Connection::new(page, after, edge)))
}

/// Counters of a comment.
#[derive(SimpleObject)]
pub(crate) struct CommentCounters {
    /// Reactions of all kinds.
    reactions: i64,
    /// Living direct answers.
    replies: i64,
}
