//! Profiles: the public faces of people.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use daira_core::account::{self, Profile as Model};
use daira_core::graph::{self, Edge};
use daira_core::id::ProfileId;
use daira_core::page::Connection as Page;
use daira_core::post::PostCard;

use super::media::Picture;
use super::post::Post;
use super::scalar::DateTime;
use crate::graphql::connection::{Connection, PostEdge, ProfileEdge};
use crate::graphql::loaders::{ActiveNow, CountersOf, RelationTo};
use crate::graphql::scope::{InScope, Scope, limit};

/// A profile, wherever it was read with.
pub(crate) enum Profile {
    /// By itself.
    Alone(Arc<Model>),
    /// As the author of a post.
    OfPost(Arc<PostCard>),
}

impl Profile {
    pub(in crate::graphql) fn model(&self) -> &Model {
        match self {
            Self::Alone(profile) => profile,
            Self::OfPost(card) => &card.author,
        }
    }

    /// The visible profile with this id.
    pub(in crate::graphql) async fn load(scope: &Scope, id: ProfileId) -> daira_core::Result<Option<Self>> {
        Ok(scope.reads.load(id).await?.map(Self::Alone))
    }
}

/// What a profile presents itself as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "account::ProfileKind")]
pub enum ProfileKind {
    /// A person.
    Regular,
    /// Somebody who makes things for an audience.
    Creator,
    /// A creator whose identity was checked.
    VerifiedCreator,
    /// A company or organisation.
    Brand,
}

/// A public face of a person. All that is public belongs to one.
#[Object(serial)]
impl Profile {
    /// Its id, for instance `prf_0c5h2m9k1v3q8`.
    pub async fn id(&self) -> ID {
        self.model().id.to_string().into()
    }

    /// Its unique handle.
    async fn handle(&self) -> &str {
        self.model().handle.as_str()
    }

    /// Its display name, up to 100 characters in any script.
    async fn name(&self) -> &str {
        &self.model().name
    }

    /// What it says of itself, up to 500 characters.
    async fn bio(&self) -> &str {
        &self.model().bio
    }

    /// Up to five links.
    async fn links(&self) -> &[String] {
        &self.model().links
    }

    /// Its picture.
    async fn avatar(&self, ctx: &Context<'_>) -> Result<Option<Picture>> {
        let Some(id) = self.model().avatar else { return Ok(None) };
        Ok(ctx.scope().reads.load(id).await?.map(|media| Picture { media, everybody: true }))
    }

    /// What it presents itself as.
    async fn kind(&self) -> ProfileKind {
        self.model().kind.into()
    }

    /// Whether followers need approval and posts are for followers only.
    async fn is_private(&self) -> bool {
        self.model().private
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.model().created_at.into()
    }

    /// How many posts, followers and followed profiles it has. May lag behind by a moment.
    async fn counters(&self, ctx: &Context<'_>) -> Result<Option<ProfileCounters>> {
        let counters = ctx.scope().reads.load(CountersOf(self.model().id)).await?.unwrap_or_default();
        Ok(Some(counters.into()))
    }

    /// How the reader stands to it; nothing for strangers and for the own profile.
    async fn relation(&self, ctx: &Context<'_>) -> Result<Option<Relation>> {
        let (scope, id) = (ctx.scope(), self.model().id);
        match scope.viewer() {
            None => Ok(None),
            Some(viewer) if viewer == id => Ok(None),
            Some(_) => Ok(Some(scope.reads.load(RelationTo(id)).await?.unwrap_or_default().into())),
        }
    }

    /// Whether it is active now, for those whom it follows and if it lets them see; false for everybody else and where nobody
    /// can say.
    async fn active_now(&self, ctx: &Context<'_>) -> Result<bool> {
        let (scope, id) = (ctx.scope(), self.model().id);
        match scope.viewer() {
            Some(viewer) if viewer != id => Ok(scope.reads.load(ActiveNow(id)).await?.is_some()),
            _ => Ok(false),
        }
    }

    /// Its posts that the reader may see, newest first.
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<PostEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            scope.services.posts.by_author(view.as_mut(), self.model().id, after.as_deref(), limit).await?
        };
        Post::page(scope, page, after.as_deref()).await.map(Some)
    }

    /// Who follows it, newest first. The list of a private profile is for itself and its followers.
    async fn followers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ProfileEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            scope.services.graph.followers(view.as_mut(), self.model().id, after.as_deref(), limit).await?
        };
        Self::page(scope, page, after.as_deref()).await.map(Some)
    }

    /// Whom it follows, newest first. The list of a private profile is for itself and its followers.
    async fn following(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ProfileEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            scope.services.graph.following(view.as_mut(), self.model().id, after.as_deref(), limit).await?
        };
        Self::page(scope, page, after.as_deref()).await.map(Some)
    }
}

impl Profile {
    /// A page of edges with their profiles, read together.
    pub(in crate::graphql) async fn page(
        scope: &Scope,
        page: Page<Edge>,
        after: Option<&str>,
    ) -> Result<Connection<ProfileEdge>> {
        let profiles = scope.reads.load_all(page.items.iter().map(|(edge, _)| edge.profile)).await?;
        let mut profiles = profiles.into_iter().peekable();
        Ok(Connection::new(page, after, |edge, cursor| {
            let profile = profiles.next_if(|profile| profile.id == edge.profile)?;
            Some(ProfileEdge { cursor, node: Self::Alone(profile), since: edge.at.into() })
        }))
    }
}

/// Counters of a profile.
#[derive(SimpleObject)]
pub(crate) struct ProfileCounters {
    /// Living posts.
    posts: i64,
    /// Followers.
    followers: i64,
    /// Profiles it follows.
    following: i64,
}

impl From<account::ProfileCounters> for ProfileCounters {
    fn from(counters: account::ProfileCounters) -> Self {
        let account::ProfileCounters { posts, followers, following } = counters;
        Self { posts, followers, following }
    }
}

/// How the reader stands to a profile.
#[expect(clippy::struct_excessive_bools, reason = "independent facts; any grouping would invent a meaning")]
#[derive(SimpleObject)]
pub(crate) struct Relation {
    /// The reader follows it.
    follows: bool,
    /// It follows the reader.
    followed_by: bool,
    /// The reader asked to follow it.
    requested: bool,
    /// It asked to follow the reader.
    requested_by: bool,
    /// The two follow each other.
    friends: bool,
    /// The reader blocks it.
    blocks: bool,
    /// The reader mutes its posts.
    mutes_posts: bool,
    /// The reader mutes its stories.
    mutes_stories: bool,
    /// The reader mutes notifications of what it does.
    mutes_notifications: bool,
}

impl From<graph::Relation> for Relation {
    fn from(relation: graph::Relation) -> Self {
        Self {
            follows: relation.follows,
            followed_by: relation.followed_by,
            requested: relation.requested,
            requested_by: relation.requested_by,
            friends: relation.friends(),
            blocks: relation.blocks,
            mutes_posts: relation.mutes_posts,
            mutes_stories: relation.mutes_stories,
            mutes_notifications: relation.mutes_notifications,
        }
    }
}
