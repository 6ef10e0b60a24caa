//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use daira_core::error::{CommonRefusal, Error};
use daira_core::page::Limit;
use daira_core::text::Handle;

use super::connection::{Connection, NotificationEdge, SearchEdge};
use super::scope::{InScope, limit};
use super::types::app::{AppRequest, scopes};
use super::types::feed::{Feed, FeedConnection, WhyThis};
use super::types::hashtag::Hashtag;
use super::types::identity::SignInProvider;
use super::types::me::{Session, Viewer};
use super::types::node::Node;
use super::types::notification::Notification;
use super::types::post::Post;
use super::types::profile::Profile;
use super::types::scalar::DateTime;
use super::types::search::{SearchResult, SearchType};
use super::types::staff::Staff;

/// What can be asked.
#[derive(Debug, Default)]
pub struct Query;

/// What can be asked. Whatever the reader may not see is answered like what does not exist.
#[Object]
impl Query {
    /// The logged-in person; null for strangers.
    async fn me(&self, ctx: &Context<'_>) -> Option<Viewer> {
        ctx.scope().viewer().map(|_| Viewer)
    }

    /// The providers that people can sign in with; `beginProvider` goes to one.
    async fn providers(&self, ctx: &Context<'_>) -> Vec<SignInProvider> {
        ctx.scope().services.accounts.providers().iter().map(Into::into).collect()
    }

    /// What staff can ask; null for strangers.
    async fn staff(&self, ctx: &Context<'_>) -> Option<Staff> {
        ctx.scope().viewer().map(|_| Staff)
    }

    /// What an app wants, for the person it is asked of: the first-party client shows it and then runs `authorizeApp`, or sends the
    /// person to `refusal`. An error where the request is not valid.
    async fn app_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The query of the address that the app sent the browser to.")] request: String,
    ) -> Result<Option<AppRequest>> {
        let scope = ctx.scope();
        let (asked, is_granted) = scope.services.oauth.asked(&scope.actor, &request).await?;
        Ok(Some(AppRequest {
            app_id: asked.app.id.to_string().into(),
            name: asked.app.name.clone(),
            redirect_uri: asked.redirect.clone(),
            scopes: scopes(asked.scopes, scope.locale),
            is_granted,
            refusal: scope.services.oauth.refusal(&asked),
        }))
    }

    /// The thing with a global id; null when there is none that the reader may see.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The global id.")] id: ID) -> Result<Option<Node>> {
        Ok(Node::load(ctx.scope(), &id).await?)
    }

    /// The things with global ids, in their order; null for those that there are none of.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 100 global ids.")] ids: Vec<ID>,
    ) -> Result<Option<Vec<Option<Node>>>> {
        if ids.len() > usize::from(Limit::MAX) {
            return Err(Error::from(CommonRefusal::PageSize).on_field("ids").into());
        }
        let nodes = ids.iter().map(|id| Node::load(ctx.scope(), id));
        Ok(Some(futures_util::future::try_join_all(nodes).await?))
    }

    /// The profile with a handle.
    async fn profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The handle, with or without @.")] handle: String,
    ) -> Result<Option<Profile>> {
        let Ok(handle) = Handle::existing(handle.strip_prefix('@').unwrap_or(&handle)) else { return Ok(None) };
        let scope = ctx.scope();
        let accounts = &scope.services.accounts;
        let bearer = match accounts.bearer_at_hand(&handle) {
            Some(known) => known,
            None => scope.reads.apart(accounts.bearer(&handle)).await?,
        };
        let Some(bearer) = bearer else { return Ok(None) };
        if let Some(profile) = scope.reads.load(bearer).await?
            && profile.handle == handle
        {
            return Ok(Some(Profile::Alone(profile)));
        }
        // Hidden from the reader, or it bears another one by now.
        let found = scope.reads.view().await?.accounts().profile_by_handle(&handle).await?;
        Ok(found.map(|profile| Profile::Alone(profile.into())))
    }

    /// The post with an id.
    async fn post(&self, ctx: &Context<'_>, #[graphql(desc = "The post's id.")] id: ID) -> Result<Option<Post>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(Post::load(ctx.scope(), id).await?)
    }

    /// The ranked home feed of the logged-in person.
    async fn home_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<FeedConnection>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = scope.reads.apart(scope.services.feed.home(&scope.actor, limit, after.as_deref())).await?;
        let services = Arc::clone(&scope.services);
        Ok(Some(FeedConnection(Feed { page: Arc::new(page), services, continued: after.is_some() })))
    }

    /// Posts of followed people and the own ones, newest first, unranked.
    async fn following_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<FeedConnection>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = scope.reads.apart(scope.services.feed.following(&scope.actor, limit, after.as_deref())).await?;
        let services = Arc::clone(&scope.services);
        Ok(Some(FeedConnection(Feed { page: Arc::new(page), services, continued: after.is_some() })))
    }

    /// How many posts by followed people came since an instant, at most 100.
    async fn new_posts_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instant, for instance `asOf` of a feed.")] since: DateTime,
    ) -> Result<Option<i64>> {
        let scope = ctx.scope();
        Ok(Some(scope.reads.apart(scope.services.feed.count_new(&scope.actor, since.0)).await?))
    }

    /// Why a post was on the page that last served it to the logged-in person.
    async fn why_this(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post's id.")] post: ID,
    ) -> Result<Option<WhyThis>> {
        let scope = ctx.scope();
        let post = post.parse().map_err(|_| Error::from(CommonRefusal::Id).on_field("post"))?;
        let (why, card) = scope.reads.apart(scope.services.feed.why(&scope.actor, post)).await?;
        Ok(Some(WhyThis { why, card: Arc::new(card) }))
    }

    /// The hashtag that a spelling is one of; null when nobody ever used it.
    async fn hashtag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Any spelling, with or without #.")] tag: String,
    ) -> Result<Option<Hashtag>> {
        let scope = ctx.scope();
        let mut view = scope.reads.view().await?;
        match scope.services.hashtags.get(view.as_mut(), &tag).await {
            Ok(tag) => Ok(Some(Hashtag { key: tag.key, spelling: tag.spelling })),
            Err(error) if error.refusal() == Some(CommonRefusal::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What begins with a query: people by handle, then hashtags. A leading @ or # asks for one kind.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was typed.")] query: String,
        #[graphql(desc = "The kinds to look for; all when left out.")] types: Option<Vec<SearchType>>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<SearchEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let (search, kinds) = (&scope.services.search, SearchType::kinds(types));
        let page = scope.reads.apart(search.search(&scope.actor, &query, kinds, limit, after.as_deref())).await?;
        Ok(Some(Connection::new(page, after.as_deref(), |hit, cursor| {
            Some(SearchEdge { cursor, node: SearchResult::of(hit)? })
        })))
    }

    /// The logged-in person's notifications, grouped, newest first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<NotificationEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let mut view = scope.reads.view().await?;
        let page = scope.services.notifications.list(&scope.actor, view.as_mut(), after.as_deref(), limit).await?;
        let edge = |group, cursor| Some(NotificationEdge { cursor, node: Notification(group) });
        Ok(Some(Connection::new(page, after.as_deref(), edge)))
    }

    /// Where the logged-in person is logged in, newest first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Option<Vec<Session>>> {
        Ok(Some(Session::all(ctx.scope()).await?))
    }
}
