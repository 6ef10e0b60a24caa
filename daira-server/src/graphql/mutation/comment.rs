//! Writing comments.

use async_graphql::{Context, ID, Object, Result};
use daira_core::id::{CommentId, PostId};

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::comment::Comment;

inputs! {
    /// A comment to write.
    CommentInput {
        /// The post it stands under.
        post_id: ID,
        /// The comment it answers, unless it answers the post itself.
        parent_id: Option<ID>,
        /// What it says, 1 to 1,000 characters.
        text: String,
    }
    /// What a comment is to say from now on.
    EditCommentInput {
        /// One of the own comments.
        comment_id: ID,
        /// What it says, 1 to 1,000 characters.
        text: String,
        /// The version that the edit is based on; with none it goes on top of whatever is there.
        version: Option<i32>,
    }
    /// A comment to delete.
    DeleteCommentInput {
        /// One of the own comments, or one under an own post.
        comment_id: ID,
    }
}

payloads! {
    /// What writing or editing a comment came to.
    CommentPayload {
        /// The comment as it is now.
        comment: Comment,
    }
    /// What deleting a comment came to.
    DeleteCommentPayload {
        /// The comment that is gone.
        comment_id: ID,
    }
}

/// Writing comments.
#[derive(Debug, Default)]
pub(super) struct CommentMutation;

/// Writing comments.
#[Object]
impl CommentMutation {
    /// Answers a post, or a comment under it, down to the tenth level.
    async fn comment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The comment.")] input: CommentInput,
    ) -> Result<Option<CommentPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let post: PostId = id(&input.post_id, "postId")?;
            let parent = input.parent_id.as_ref().map(|parent| id(parent, "parentId")).transpose()?;
            let comment = scope.services.comments.create(&scope.actor, post, parent, &input.text, key).await?;
            Ok(CommentPayload { comment: Comment::load(scope, comment).await?, ..Default::default() })
        })
        .await
    }

    /// Changes one of the own comments.
    async fn edit_comment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The comment as it is to be.")] input: EditCommentInput,
    ) -> Result<Option<CommentPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let comment: CommentId = id(&input.comment_id, "commentId")?;
            scope.services.comments.edit(&scope.actor, comment, &input.text, input.version, key).await?;
            Ok(CommentPayload { comment: Comment::load(scope, comment).await?, ..Default::default() })
        })
        .await
    }

    /// Deletes one of the own comments, or one under an own post. While answers hang on it, its place stays.
    async fn delete_comment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The comment.")] input: DeleteCommentInput,
    ) -> Result<Option<DeleteCommentPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let comment: CommentId = id(&input.comment_id, "commentId")?;
            scope.services.comments.delete(&scope.actor, comment, key).await?;
            Ok(DeleteCommentPayload { comment_id: Some(comment.to_string().into()), ..Default::default() })
        })
        .await
    }
}
