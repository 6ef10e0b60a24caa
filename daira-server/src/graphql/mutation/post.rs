//! Writing posts.

use async_graphql::{Context, ID, InputObject, Object, Result};
use daira_core::error::Error;
use daira_core::id::PostId;
use daira_core::post::{self, CreatePost, EditPost, PostRefusal};

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::post::{Post, ReplyRule, Visibility};

/// A picture to put into a post.
#[derive(InputObject)]
pub(super) struct AttachmentInput {
    /// One of the own uploads that hangs on nothing yet.
    pub media_id: ID,
    /// What it shows, for those who cannot see it; up to 1,000 characters.
    pub alt: Option<String>,
}

inputs! {
    /// A post to publish.
    CreatePostInput {
        /// What it says, up to 2,200 characters; beside pictures it may be left out.
        text: Option<String>,
        /// Who may see it; everybody when left out.
        visibility: Option<Visibility>,
        /// The own circle it is for, with the visibility `CIRCLE`.
        circle_id: Option<ID>,
        /// Who may comment; everybody who sees it when left out.
        replies: Option<ReplyRule>,
        /// Up to ten pictures.
        media: Option<Vec<AttachmentInput>>,
        /// A warning to show first, up to 200 characters.
        warning: Option<String>,
    }
    /// What a post is to be from now on. Its pictures stay.
    EditPostInput {
        /// One of the own posts.
        post_id: ID,
        /// What it says, up to 2,200 characters; beside pictures it may be left out.
        text: Option<String>,
        /// Who may see it; everybody when left out.
        visibility: Option<Visibility>,
        /// The own circle it is for, with the visibility `CIRCLE`.
        circle_id: Option<ID>,
        /// Who may comment; everybody who sees it when left out.
        replies: Option<ReplyRule>,
        /// A warning to show first, up to 200 characters; none when left out.
        warning: Option<String>,
        /// The version that the edit is based on; with none it goes on top of whatever is there.
        version: Option<i32>,
    }
    /// A post that something is done with.
    PostActionInput {
        /// One of the own posts.
        post_id: ID,
    }
}

payloads! {
    /// What publishing, editing or restoring a post came to.
    PostPayload {
        /// The post as it is now.
        post: Post,
    }
    /// What deleting a post came to.
    DeletePostPayload {
        /// The post that is gone; `restorePost` brings it back for thirty days.
        post_id: ID,
    }
}

/// Writing posts.
#[derive(Debug, Default)]
pub(super) struct PostMutation;

/// Writing posts.
#[Object]
impl PostMutation {
    /// Publishes a post. Mentions of people who do not exist, or who are hidden, stay plain text.
    async fn create_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] input: CreatePostInput,
    ) -> Result<Option<PostPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let media = input.media.unwrap_or_default().into_iter();
            let create = CreatePost {
                text: input.text.unwrap_or_default(),
                visibility: visibility(input.visibility, input.circle_id)?,
                replies: input.replies.map(Into::into).unwrap_or_default(),
                media: media.map(attachment).collect::<daira_core::Result<_>>()?,
                warning: input.warning,
            };
            let post = scope.services.posts.create(&scope.actor, &create, key).await?;
            Ok(PostPayload { post: Post::load(scope, post).await?, ..Default::default() })
        })
        .await
    }

    /// Changes one of the own posts. What it said before stays readable in `revisions`.
    async fn edit_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post as it is to be.")] input: EditPostInput,
    ) -> Result<Option<PostPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let post: PostId = id(&input.post_id, "postId")?;
            let edit = EditPost {
                text: input.text.unwrap_or_default(),
                visibility: visibility(input.visibility, input.circle_id)?,
                replies: input.replies.map(Into::into).unwrap_or_default(),
                warning: input.warning,
                version: input.version,
            };
            scope.services.posts.edit(&scope.actor, post, &edit, key).await?;
            Ok(PostPayload { post: Post::load(scope, post).await?, ..Default::default() })
        })
        .await
    }

    /// Deletes one of the own posts. For thirty days it can be restored, then it is purged.
    async fn delete_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] input: PostActionInput,
    ) -> Result<Option<DeletePostPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let post: PostId = id(&input.post_id, "postId")?;
            scope.services.posts.delete(&scope.actor, post, key).await?;
            Ok(DeletePostPayload { post_id: Some(post.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Brings one of the own deleted posts back.
    async fn restore_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The post.")] input: PostActionInput,
    ) -> Result<Option<PostPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let post: PostId = id(&input.post_id, "postId")?;
            scope.services.posts.restore(&scope.actor, post, key).await?;
            Ok(PostPayload { post: Post::load(scope, post).await?, ..Default::default() })
        })
        .await
    }
}

/// The visibility with its circle: one is named if, and only if, the post is for one.
fn visibility(kind: Option<Visibility>, circle: Option<ID>) -> daira_core::Result<post::Visibility> {
    let kind = match kind.unwrap_or(Visibility::Public) {
        Visibility::Circle => {
            let circle = circle.ok_or_else(|| Error::from(PostRefusal::CircleUnknown).on_field("circleId"))?;
            return Ok(post::Visibility::Circle(id(&circle, "circleId")?));
        }
        Visibility::Public => post::Visibility::Public,
        Visibility::Followers => post::Visibility::Followers,
        Visibility::Mentioned => post::Visibility::Mentioned,
        Visibility::Private => post::Visibility::Private,
        Visibility::Unlisted => post::Visibility::Unlisted,
    };
    // Better refused than shown to more people than was meant.
    if circle.is_some() { Err(Error::from(PostRefusal::CircleUnknown).on_field("circleId")) } else { Ok(kind) }
}

fn attachment(input: AttachmentInput) -> daira_core::Result<post::Attachment> {
    Ok(post::Attachment { media: id(&input.media_id, "media")?, alt: input.alt.unwrap_or_default() })
}
