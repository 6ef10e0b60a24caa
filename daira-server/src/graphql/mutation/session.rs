//! Ending sessions.

use async_graphql::{Context, ID, Object, Result};

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;

inputs! {
    /// A log-out.
    LogOutInput ["Not needed: the session is its own key, and nobody is logged in any more when it is sent again."] {}
    /// A session to end.
    RevokeSessionInput {
        /// One of the own sessions.
        session_id: ID,
    }
    /// The end of all other sessions.
    RevokeOtherSessionsInput {}
}

payloads! {
    /// What logging out came to.
    LogOutPayload {
        /// Whether the session that asked has ended.
        logged_out: bool,
    }
    /// What ending a session came to.
    RevokeSessionPayload {
        /// The session that has ended.
        session_id: ID,
    }
    /// What ending all other sessions came to.
    RevokeOtherSessionsPayload {
        /// How many have ended.
        count: i64,
    }
}

/// Ending sessions.
#[derive(Debug, Default)]
pub(super) struct SessionMutation;

/// Ending sessions. An ended session's tokens are worth nothing at once.
#[Object]
impl SessionMutation {
    /// Ends the session that asks.
    async fn log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<LogOutInput>,
    ) -> Result<Option<LogOutPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            scope.key(key)?;
            scope.services.accounts.log_out(&scope.actor).await?;
            Ok(LogOutPayload { logged_out: Some(true), ..Default::default() })
        })
        .await
    }

    /// Ends one of the own sessions, for instance that of a lost phone.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] input: RevokeSessionInput,
    ) -> Result<Option<RevokeSessionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            scope.services.accounts.revoke_session(&scope.actor, id(&input.session_id, "sessionId")?, key).await?;
            Ok(RevokeSessionPayload { session_id: Some(input.session_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Ends all own sessions but the one that asks.
    async fn revoke_other_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<RevokeOtherSessionsInput>,
    ) -> Result<Option<RevokeOtherSessionsPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            let key = scope.key(key)?;
            let ended = scope.services.accounts.revoke_other_sessions(&scope.actor, key).await?;
            Ok(RevokeOtherSessionsPayload { count: Some(ended.into()), ..Default::default() })
        })
        .await
    }
}
