//! `daira.post.v1.PostService`.

use async_trait::async_trait;
use daira_core::error::Result as Outcome;
use daira_core::id::PostId;
use daira_core::page::Connection;
use daira_core::port::ReadView;
use daira_core::port::store::Access;
use daira_core::post::{CreatePost, EditPost, PostCard};
use daira_core::proto::post::v1::post_service_server::PostService;
use daira_core::proto::post::v1::{
    CreatePostRequest, CreatePostResponse, DeletePostRequest, DeletePostResponse, EditPostRequest, EditPostResponse,
    GetPostRequest, GetPostResponse, ListPostsRequest, ListPostsResponse, Post, ReactRequest, ReactResponse,
    RestorePostRequest, RestorePostResponse,
};
use daira_core::reaction::Target;
use tonic::{Request, Response, Status};

use super::caller::{Caller, id, key, limit, token};
use super::{Grpc, convert};

impl Grpc {
    /// Cards as messages, with the counters of their authors.
    pub(super) async fn posts_out(
        &self,
        view: &mut dyn ReadView,
        caller: &Caller,
        cards: &[PostCard],
    ) -> Outcome<Vec<Post>> {
        let mut authors: Vec<_> = cards.iter().map(|c| c.author.id).collect();
        authors.sort_unstable();
        authors.dedup();
        let counters = view.accounts().profile_counters(&authors).await?;
        let of = |card: &PostCard| counters.iter().find(|c| c.0 == card.author.id).map(|c| c.1).unwrap_or_default();
        Ok(cards.iter().map(|card| convert::post(card, &caller.actor, of(card))).collect())
    }

    async fn post_out(&self, caller: &Caller, post: PostId) -> Outcome<Option<Post>> {
        let mut view = self.ports.store.read(&caller.actor, Access::Read).await?;
        let card = self.services.posts.get(view.as_mut(), post).await?;
        Ok(self.posts_out(view.as_mut(), caller, &[card]).await?.pop())
    }

    async fn list(&self, caller: &Caller, r: &ListPostsRequest) -> Outcome<ListPostsResponse> {
        let (author, limit) = (id(&r.profile_id, "profile_id")?, limit(r.page_size)?);
        let mut view = self.ports.store.read(&caller.actor, Access::Read).await?;
        let page = self.services.posts.by_author(view.as_mut(), author, token(&r.page_token), limit).await?;
        let next_page_token = Connection::next(&page).unwrap_or_default().to_owned();
        let cards = self.services.posts.cards(view.as_mut(), &page.into_nodes()).await?;
        Ok(ListPostsResponse { posts: self.posts_out(view.as_mut(), caller, &cards).await?, next_page_token })
    }

    async fn create(&self, caller: &Caller, r: CreatePostRequest) -> Outcome<Option<Post>> {
        let input = CreatePost {
            text: r.text,
            visibility: convert::visibility(r.visibility, &r.circle_id)?,
            replies: convert::replies(r.replies)?,
            media: convert::attachments(r.media)?,
            warning: Some(r.warning).filter(|w| !w.is_empty()),
        };
        let post = self.services.posts.create(&caller.actor, &input, key(r.idempotency_key)?).await?;
        self.post_out(caller, post).await
    }

    async fn edit(&self, caller: &Caller, r: EditPostRequest) -> Outcome<Option<Post>> {
        let post = id(&r.id, "id")?;
        let input = EditPost {
            text: r.text,
            visibility: convert::visibility(r.visibility, &r.circle_id)?,
            replies: convert::replies(r.replies)?,
            warning: Some(r.warning).filter(|w| !w.is_empty()),
            version: Some(r.version).filter(|v| *v != 0),
        };
        self.services.posts.edit(&caller.actor, post, &input, key(r.idempotency_key)?).await?;
        self.post_out(caller, post).await
    }

    async fn react_or_not(&self, caller: &Caller, r: ReactRequest) -> Outcome<()> {
        let (target, key) = (Target::Post(id(&r.post_id, "post_id")?), key(r.idempotency_key)?);
        match convert::reaction(r.kind)? {
            Some(kind) => self.services.reactions.react(&caller.actor, target, kind, key).await,
            None => self.services.reactions.unreact(&caller.actor, target, key).await.map(|_was_there| ()),
        }
    }
}

#[async_trait]
impl PostService for Grpc {
    async fn create_post(&self, request: Request<CreatePostRequest>) -> Result<Response<CreatePostResponse>, Status> {
        let caller = self.caller(&request).await?;
        let post = self.create(&caller, request.into_inner()).await.map_err(caller.told())?;
        Ok(Response::new(CreatePostResponse { post }))
    }

    async fn get_post(&self, request: Request<GetPostRequest>) -> Result<Response<GetPostResponse>, Status> {
        let caller = self.caller(&request).await?;
        let post = id(&request.into_inner().id, "id").map_err(caller.told())?;
        let post = self.post_out(&caller, post).await.map_err(caller.told())?;
        Ok(Response::new(GetPostResponse { post }))
    }

    async fn edit_post(&self, request: Request<EditPostRequest>) -> Result<Response<EditPostResponse>, Status> {
        let caller = self.caller(&request).await?;
        let post = self.edit(&caller, request.into_inner()).await.map_err(caller.told())?;
        Ok(Response::new(EditPostResponse { post }))
    }

    async fn delete_post(&self, request: Request<DeletePostRequest>) -> Result<Response<DeletePostResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let post = id(&r.id, "id").map_err(caller.told())?;
        let key = key(r.idempotency_key).map_err(caller.told())?;
        self.services.posts.delete(&caller.actor, post, key).await.map_err(caller.told())?;
        Ok(Response::new(DeletePostResponse {}))
    }

    async fn restore_post(
        &self,
        request: Request<RestorePostRequest>,
    ) -> Result<Response<RestorePostResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let post = id(&r.id, "id").map_err(caller.told())?;
        let key = key(r.idempotency_key).map_err(caller.told())?;
        self.services.posts.restore(&caller.actor, post, key).await.map_err(caller.told())?;
        let post = self.post_out(&caller, post).await.map_err(caller.told())?;
        Ok(Response::new(RestorePostResponse { post }))
    }

    async fn list_posts(&self, request: Request<ListPostsRequest>) -> Result<Response<ListPostsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let page = self.list(&caller, request.get_ref()).await.map_err(caller.told())?;
        Ok(Response::new(page))
    }

    async fn react(&self, request: Request<ReactRequest>) -> Result<Response<ReactResponse>, Status> {
        let caller = self.caller(&request).await?;
        self.react_or_not(&caller, request.into_inner()).await.map_err(caller.told())?;
        Ok(Response::new(ReactResponse {}))
    }
}
