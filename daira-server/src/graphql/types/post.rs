//! Posts.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use daira_core::id::PostId;
use daira_core::page::Connection as Page;
use daira_core::post::{self, PostCard};
use daira_core::reaction::Target;
use daira_media::MediaService;

use super::comment::{CommentOrder, comments};
use super::hashtag::Hashtag;
use super::media::Picture;
use super::profile::Profile;
use super::reaction::{ReactionKind, reactions};
use super::scalar::DateTime;
use crate::graphql::connection::{CommentEdge, Connection, PostEdge, ReactionEdge};
use crate::graphql::scope::{InScope, Scope};

/// A post that the reader may see.
pub(crate) struct Post(pub(in crate::graphql) Arc<PostCard>);

/// Who may see a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// People who follow the author.
    Followers,
    /// People in one of the author's circles.
    Circle,
    /// People it mentions.
    Mentioned,
    /// The author alone.
    Private,
    /// Everybody who comes by it, but no tag, search or popular list shows it.
    Unlisted,
}

impl From<post::Visibility> for Visibility {
    fn from(visibility: post::Visibility) -> Self {
        match visibility {
            post::Visibility::Public => Self::Public,
            post::Visibility::Followers => Self::Followers,
            post::Visibility::Circle(_) => Self::Circle,
            post::Visibility::Mentioned => Self::Mentioned,
            post::Visibility::Private => Self::Private,
            post::Visibility::Unlisted => Self::Unlisted,
        }
    }
}

/// Who may comment on a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "post::ReplyRule")]
pub enum ReplyRule {
    /// Everybody who sees it.
    Everyone,
    /// People who follow the author.
    Followers,
    /// People the author follows.
    Following,
    /// People it mentions.
    Mentioned,
    /// Nobody but the author.
    Nobody,
}

/// A post.
#[Object(serial)]
impl Post {
    /// Its id, for instance `pst_0c5h2m9k1v3q8`.
    pub async fn id(&self) -> ID {
        self.0.post.id.to_string().into()
    }

    /// Who wrote it.
    async fn author(&self) -> Profile {
        Profile::OfPost(Arc::clone(&self.0))
    }

    /// What it says, up to 2,200 characters.
    async fn text(&self) -> &str {
        &self.0.post.text
    }

    /// Who may see it.
    async fn visibility(&self) -> Visibility {
        self.0.post.visibility.into()
    }

    /// The circle it is for; only its author is told.
    async fn circle_id(&self, ctx: &Context<'_>) -> Option<ID> {
        let is_author = ctx.scope().viewer() == Some(self.0.post.author);
        match self.0.post.visibility {
            post::Visibility::Circle(circle) if is_author => Some(circle.to_string().into()),
            _ => None,
        }
    }

    /// Who may comment.
    async fn replies(&self) -> ReplyRule {
        self.0.post.replies.into()
    }

    /// A warning to show instead of the content until the reader asks for it.
    async fn warning(&self) -> Option<&str> {
        self.0.post.warning.as_deref()
    }

    /// Its pictures, up to ten.
    async fn media(&self, ctx: &Context<'_>) -> Result<Option<Vec<Attachment>>> {
        let attached = &self.0.post.media;
        if attached.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let everybody = MediaService::is_everybodys(self.0.post.visibility, self.0.author.private);
        let found = ctx.scope().reads.load_all(attached.iter().map(|attachment| attachment.media)).await?;
        let attachment = |media: Arc<daira_core::media::Media>| {
            let alt = attached.iter().find(|attachment| attachment.media == media.id).map(|found| found.alt.clone());
            Attachment { alt: alt.unwrap_or_default(), picture: Picture { media, everybody } }
        };
        Ok(Some(found.into_iter().map(attachment).collect()))
    }

    /// The people it mentions, as far as the reader sees them.
    async fn mentions(&self, ctx: &Context<'_>) -> Result<Option<Vec<Profile>>> {
        let found = ctx.scope().reads.load_all(self.0.post.mentions.iter().copied()).await?;
        Ok(Some(found.into_iter().map(Profile::Alone).collect()))
    }

    /// Its hashtags.
    async fn hashtags(&self) -> Vec<Hashtag> {
        let tags = self.0.post.tags.iter();
        tags.map(|tag| Hashtag { key: tag.key.clone(), spelling: tag.spelling.clone() }).collect()
    }

    /// When it was published.
    async fn created_at(&self) -> DateTime {
        self.0.post.created_at().into()
    }

    /// When it was last edited.
    async fn edited_at(&self) -> Option<DateTime> {
        self.0.post.edited_at.map(Into::into)
    }

    /// Its version, to base an edit on.
    async fn version(&self) -> i32 {
        self.0.post.version
    }

    /// How many reactions and comments it has. May lag behind by a moment.
    async fn counters(&self) -> PostCounters {
        let post::PostCounters { reactions, comments } = self.0.counters;
        PostCounters { reactions, comments }
    }

    /// The reader's own reaction.
    async fn viewer_reaction(&self) -> Option<ReactionKind> {
        self.0.viewer_reaction.and_then(ReactionKind::of)
    }

    /// What it said before, newest first; at most the hundred latest.
    async fn revisions(&self, ctx: &Context<'_>) -> Result<Option<Vec<PostRevision>>> {
        if self.0.post.edited_at.is_none() {
            return Ok(Some(Vec::new()));
        }
        let scope = ctx.scope();
        let mut view = scope.reads.view().await?;
        let revisions = scope.services.posts.revisions(view.as_mut(), self.0.post.id).await?;
        Ok(Some(revisions.into_iter().map(PostRevision::from).collect()))
    }

    /// The comments on it, answers to comments left out.
    async fn comments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In which order.", default_with = "CommentOrder::Newest")] order: CommentOrder,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<CommentEdge>>> {
        comments(ctx.scope(), self.0.post.id, None, order, first, after.as_deref()).await
    }

    /// Who reacted, newest first.
    async fn reactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ReactionEdge>>> {
        reactions(ctx.scope(), Target::Post(self.0.post.id), first, after.as_deref()).await
    }
}

impl Post {
    /// The visible post with this id.
    pub(in crate::graphql) async fn load(scope: &Scope, id: PostId) -> daira_core::Result<Option<Self>> {
        Ok(scope.reads.load(id).await?.map(Self))
    }

    /// A page of ids with their posts, read together.
    pub(in crate::graphql) async fn page(
        scope: &Scope,
        page: Page<PostId>,
        after: Option<&str>,
    ) -> Result<Connection<PostEdge>> {
        let cards = scope.reads.load_all(page.items.iter().map(|(id, _)| *id)).await?;
        let mut cards = cards.into_iter().peekable();
        Ok(Connection::new(page, after, |id, cursor| {
            let card = cards.next_if(|card| card.post.id == id)?;
            Some(PostEdge { cursor, node: Self(card) })
        }))
    }
}

/// A picture in a post.
#[derive(SimpleObject)]
pub(crate) struct Attachment {
    /// The picture.
    picture: Picture,
    /// What it shows, for those who cannot see it.
    alt: String,
}

/// Counters of a post.
#[derive(SimpleObject)]
#[graphql(serial)]
pub(crate) struct PostCounters {
    /// Reactions of all kinds.
    reactions: i64,
    /// Living comments, at any depth.
    comments: i64,
}

/// What a post said before an edit.
#[derive(SimpleObject)]
pub(crate) struct PostRevision {
    /// The version that said so.
    version: i32,
    /// The text then.
    text: String,
    /// The warning then.
    warning: Option<String>,
    /// When it was replaced.
    replaced_at: DateTime,
}

impl From<post::Revision> for PostRevision {
    fn from(revision: post::Revision) -> Self {
        let post::Revision { version, text, warning, replaced_at, .. } = revision;
        Self { version, text, warning, replaced_at: replaced_at.into() }
    }
}

/// A deleted post, as its author finds it until it is purged.
#[derive(SimpleObject)]
pub(crate) struct DeletedPost {
    /// Its id, to restore it by.
    id: ID,
    /// What it said.
    text: String,
    /// When it was published.
    created_at: DateTime,
    /// When it was deleted.
    deleted_at: Option<DateTime>,
}

impl From<post::Post> for DeletedPost {
    fn from(post: post::Post) -> Self {
        let (id, created_at) = (post.id.to_string().into(), post.created_at().into());
        Self { id, text: post.text, created_at, deleted_at: post.deleted_at.map(Into::into) }
    }
}
