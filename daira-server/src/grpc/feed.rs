//! `daira.feed.v1.FeedService`.

use async_trait::async_trait;
use daira_core::error::Result as Outcome;
use daira_core::port::store::Access;
use daira_core::post::PostCard;
use daira_core::proto::feed::v1::feed_service_server::FeedService;
use daira_core::proto::feed::v1::{
    Contribution, FollowingFeedRequest, FollowingFeedResponse, HomeFeedRequest, HomeFeedResponse, WhyThisRequest,
    WhyThisResponse,
};
use daira_core::proto::post::v1::Post;
use daira_feed::FeedPage;
use tonic::{Request, Response, Status};

use super::Grpc;
use super::caller::{Caller, id, limit, token};

impl Grpc {
    async fn page_out(&self, caller: &Caller, page: &FeedPage) -> Outcome<(Vec<Post>, String)> {
        let cards: Vec<PostCard> = page.items.iter().map(|i| PostCard::clone(&i.card)).collect();
        let mut view = self.ports.store.read(&caller.actor, Access::ReadStale).await?;
        let posts = self.posts_out(view.as_mut(), caller, &cards).await?;
        let last = page.items.len().checked_sub(1).filter(|_| page.has_next);
        Ok((posts, last.and_then(|last| self.services.feed.cursor(page, last)).unwrap_or_default()))
    }
}

#[async_trait]
impl FeedService for Grpc {
    async fn home_feed(&self, request: Request<HomeFeedRequest>) -> Result<Response<HomeFeedResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let first = limit(r.page_size).map_err(caller.told())?;
        let page = self.services.feed.home(&caller.actor, first, token(&r.page_token)).await.map_err(caller.told())?;
        let (posts, next_page_token) = self.page_out(&caller, &page).await.map_err(caller.told())?;
        Ok(Response::new(HomeFeedResponse { posts, next_page_token, as_of: page.as_of.to_string() }))
    }

    async fn following_feed(
        &self,
        request: Request<FollowingFeedRequest>,
    ) -> Result<Response<FollowingFeedResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let first = limit(r.page_size).map_err(caller.told())?;
        let page =
            self.services.feed.following(&caller.actor, first, token(&r.page_token)).await.map_err(caller.told())?;
        let (posts, next_page_token) = self.page_out(&caller, &page).await.map_err(caller.told())?;
        Ok(Response::new(FollowingFeedResponse { posts, next_page_token }))
    }

    async fn why_this(&self, request: Request<WhyThisRequest>) -> Result<Response<WhyThisResponse>, Status> {
        let caller = self.caller(&request).await?;
        let post = id(&request.into_inner().post_id, "post_id").map_err(caller.told())?;
        let (why, card) = self.services.feed.why(&caller.actor, post).await.map_err(caller.told())?;
        let contributions =
            why.contributions().into_iter().map(|(code, by)| Contribution { code: code.as_str().to_owned(), by });
        Ok(Response::new(WhyThisResponse {
            sentences: why.sentences(&card.author.name, caller.locale),
            contributions: contributions.collect(),
            score: why.parts.total(),
        }))
    }
}
