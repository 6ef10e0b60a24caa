//! Reacting to posts and comments.

use async_graphql::{Context, ID, Object, Result};
use daira_core::error::{CommonRefusal, Error};
use daira_core::reaction::Target;

use crate::graphql::input::inputs;
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::{InScope, Scope};
use crate::graphql::types::comment::Comment;
use crate::graphql::types::post::Post;
use crate::graphql::types::reaction::ReactionKind;

inputs! {
    /// A reaction.
    ReactInput {
        /// The post or comment.
        subject_id: ID,
        /// How; a like when left out.
        kind: Option<ReactionKind>,
    }
    /// A reaction to take back.
    UnreactInput {
        /// The post or comment.
        subject_id: ID,
    }
}

payloads! {
    /// What reacting came to. Counters follow in a moment.
    ReactionPayload {
        /// Whether anything changed; repeating it changes nothing.
        changed: bool,
        /// The post, when it was one.
        post: Post,
        /// The comment, when it was one.
        comment: Comment,
    }
}

/// Reacting.
#[derive(Debug, Default)]
pub(super) struct ReactionMutation;

/// Reacting: one reaction per person and thing, changeable.
#[Object]
impl ReactionMutation {
    /// Reacts to a post or comment, in place of an earlier reaction.
    async fn react(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How, and to what.")] input: ReactInput,
    ) -> Result<Option<ReactionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let target = target(&input.subject_id)?;
            let kind = input.kind.unwrap_or(ReactionKind::Like).into();
            scope.services.reactions.react(&scope.actor, target, kind, key).await?;
            shown(scope, target, true).await
        })
        .await
    }

    /// Takes the own reaction back.
    async fn unreact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From what.")] input: UnreactInput,
    ) -> Result<Option<ReactionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let target = target(&input.subject_id)?;
            let changed = scope.services.reactions.unreact(&scope.actor, target, key).await?;
            shown(scope, target, changed).await
        })
        .await
    }
}

fn target(id: &ID) -> daira_core::Result<Target> {
    let target = id.parse().map(Target::Post).or_else(|_| id.parse().map(Target::Comment));
    target.map_err(|_| Error::from(CommonRefusal::Id).on_field("subjectId"))
}

async fn shown(scope: &Scope, target: Target, changed: bool) -> daira_core::Result<ReactionPayload> {
    let (post, comment) = match target {
        Target::Post(id) => (Post::load(scope, id).await?, None),
        Target::Comment(id) => (None, Comment::load(scope, id).await?),
        _ => (None, None),
    };
    Ok(ReactionPayload { changed: Some(changed), post, comment, ..Default::default() })
}
