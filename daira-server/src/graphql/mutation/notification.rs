//! Reading notifications.

use async_graphql::{Context, Object, Result};

use crate::graphql::input::inputs;
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::scalar::DateTime;

inputs! {
    /// How far notifications were read.
    MarkNotificationsReadInput {
        /// The instant up to which they were; now when left out. It never goes back.
        up_to: Option<DateTime>,
    }
}

payloads! {
    /// What marking notifications as read came to.
    MarkNotificationsReadPayload {
        /// How many lines are still unread, counted as in `unreadNotifications`.
        unread: i64,
    }
}

/// Reading notifications.
#[derive(Debug, Default)]
pub(super) struct NotificationMutation;

/// Reading notifications.
#[Object]
impl NotificationMutation {
    /// Moves the read marker forward.
    async fn mark_notifications_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How far.")] input: Option<MarkNotificationsReadInput>,
    ) -> Result<Option<MarkNotificationsReadPayload>> {
        let scope = ctx.scope();
        let input = input.map(|input| (input.up_to, input.idempotency_key, input.client_mutation_id));
        let (up_to, key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            let key = scope.key(key)?;
            scope.services.notifications.mark_read(&scope.actor, up_to.map(|up_to| up_to.0), key).await?;
            let mut view = scope.reads.view().await?;
            let unread = scope.services.notifications.unread(&scope.actor, view.as_mut()).await?;
            Ok(MarkNotificationsReadPayload { unread: Some(unread), ..Default::default() })
        })
        .await
    }
}
