//! Leaving: having the account erased, and staying after all.

use async_graphql::{Context, Object, Result};

use crate::graphql::input::inputs;
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::scalar::DateTime;

inputs! {
    /// A wish to have the account erased.
    RequestDeletionInput {}
    /// A wish to stay after all.
    CancelDeletionInput {}
}

payloads! {
    /// What asking to be erased came to.
    RequestDeletionPayload {
        /// When the account is erased. Until then logging in and `cancelDeletion` keep it.
        leaving_at: DateTime,
    }
    /// What staying came to.
    CancelDeletionPayload {
        /// Whether the account is kept.
        kept: bool,
    }
}

/// Leaving, and staying after all.
#[derive(Debug, Default)]
pub(super) struct LeavingMutation;

/// Leaving, and staying after all.
#[Object]
impl LeavingMutation {
    /// Asks to have the account erased once thirty days are over. It takes a fresh proof of who one is. All sessions end, the one
    /// that asks included, apps are shut out, and nobody sees the profiles any more; the owner is told by mail.
    async fn request_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "That the account is to go.")] input: RequestDeletionInput,
    ) -> Result<Option<RequestDeletionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let at = scope.services.accounts.request_deletion(&scope.actor, key).await?;
            Ok(RequestDeletionPayload { leaving_at: Some(at.into()), ..Default::default() })
        })
        .await
    }

    /// Keeps the account that was to be erased: everything is as it was, but sessions and apps.
    async fn cancel_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "That the account is to stay.")] input: CancelDeletionInput,
    ) -> Result<Option<CancelDeletionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.services.accounts.cancel_deletion(&scope.actor, key).await?;
            Ok(CancelDeletionPayload { kept: Some(true), ..Default::default() })
        })
        .await
    }
}
