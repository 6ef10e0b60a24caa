//! Changing the password, losing it, and moving to another address.

use async_graphql::{Context, ID, Object, Result};
use daira_core::account::ChangePassword;
use daira_core::secret::Secret;

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::scalar::Language;

inputs! {
    /// A wish for another password.
    ChangePasswordInput {
        /// The one that holds now.
        current_password: String,
        /// The one that is to hold: 10 characters or more, at most 1,024 bytes, any script.
        password: String,
    }
    /// A wish for a new password by somebody who lost theirs.
    RequestPasswordResetInput {
        /// The e-mail address of the account.
        email: String,
        /// The language of a mail to an address that has no account; that of the request when left out.
        language: Option<Language>,
    }
    /// A password chosen by who received the mail.
    ResetPasswordInput ["Not needed: a token works once, so the same request sent again is refused and has no second effect."] {
        /// The line of the mail that begins with `drp_`.
        token: String,
        /// The password that is to hold: 10 characters or more, at most 1,024 bytes, any script.
        password: String,
    }
    /// A wish for another e-mail address.
    ChangeEmailInput {
        /// The address, another one than that of the account; a code is sent there.
        email: String,
        /// The password that holds now.
        current_password: String,
    }
    /// The proof that the mail to the new address was received.
    ConfirmEmailInput ["Not needed: a code works once, so the same request sent again is refused and has no second effect."] {
        /// What `changeEmail` answered.
        challenge_id: ID,
        /// The six digits of the mail.
        code: String,
    }
}

payloads! {
    /// What changing the password came to.
    ChangePasswordPayload {
        /// How many other sessions have ended.
        ended_sessions: i64,
    }
    /// What asking for a new password came to. It is the same whether or not the e-mail has an account; the mail tells.
    RequestPasswordResetPayload {
        /// Whether a mail is on its way.
        sent: bool,
    }
    /// What choosing a new password came to.
    ResetPasswordPayload {
        /// Whether the password holds from now on. Log in with it.
        changed: bool,
    }
    /// What asking for another address came to. It is the same whether or not the address has an account; the mail tells.
    ChangeEmailPayload {
        /// The change, to confirm it by.
        challenge_id: ID,
    }
    /// What confirming the new address came to.
    ConfirmEmailPayload {
        /// Whether the account has it from now on.
        changed: bool,
    }
}

/// Changing the password, losing it, and moving to another address.
#[derive(Debug, Default)]
pub(super) struct RecoveryMutation;

/// Changing the password, losing it, and moving to another address.
#[Object]
impl RecoveryMutation {
    /// Changes the own password and ends all other sessions.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old and the new one.")] input: ChangePasswordInput,
    ) -> Result<Option<ChangePasswordPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let wish =
                ChangePassword { current: Secret::new(input.current_password), new: Secret::new(input.password) };
            let ended = scope.services.accounts.change_password(&scope.actor, &wish, key).await?;
            Ok(ChangePasswordPayload { ended_sessions: Some(ended.into()), ..Default::default() })
        })
        .await
    }

    /// Asks for a mail that lets choose a new password.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For which account.")] input: RequestPasswordResetInput,
    ) -> Result<Option<RequestPasswordResetPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let locale = input.language.map_or(scope.locale, Into::into);
            let client = scope.client(None);
            scope.services.accounts.request_password_reset(&client, &input.email, locale, key).await?;
            Ok(RequestPasswordResetPayload { sent: Some(true), ..Default::default() })
        })
        .await
    }

    /// Sets a new password with the token of the mail and ends all sessions.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and the new password.")] input: ResetPasswordInput,
    ) -> Result<Option<ResetPasswordPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let (token, password) = (Secret::new(input.token), Secret::new(input.password));
            scope.services.accounts.reset_password(&scope.client(None), &token, &password).await?;
            Ok(ResetPasswordPayload { changed: Some(true), ..Default::default() })
        })
        .await
    }

    /// Asks for another e-mail address. Until the code that is sent there is given to `confirmEmail`, nothing changes.
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address, and the password as proof.")] input: ChangeEmailInput,
    ) -> Result<Option<ChangeEmailPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let current = Secret::new(input.current_password);
            let challenge = scope.services.accounts.change_email(&scope.actor, &input.email, &current, key).await?;
            Ok(ChangeEmailPayload { challenge_id: Some(challenge.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Moves the account to the address that the code was sent to. The old address is told.
    async fn confirm_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change and its code.")] input: ConfirmEmailInput,
    ) -> Result<Option<ConfirmEmailPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            scope.member()?;
            let (challenge, code) = (id(&input.challenge_id, "challengeId")?, Secret::new(input.code));
            let client = scope.client(None);
            scope.services.accounts.confirm_email(&scope.actor, &client, challenge, &code).await?;
            Ok(ConfirmEmailPayload { changed: Some(true), ..Default::default() })
        })
        .await
    }
}
