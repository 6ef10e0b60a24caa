//! Phone numbers, and logging in with codes that are sent.

use async_graphql::{Context, ID, Object, Result};
use daira_core::account::LogInWithCode;
use daira_core::secret::Secret;

use super::account::{LogInPayload, entered, one_of};
use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::scalar::Language;

inputs! {
    /// A wish for a code to log in with.
    RequestLogInCodeInput {
        /// The e-mail address that it is sent to; this or the phone number.
        email: Option<String>,
        /// The phone number that it is sent to, as people type it; one of Egypt without its country.
        phone: Option<String>,
        /// The language of the message; that of the request when left out.
        language: Option<Language>,
        /// What an earlier log-in on this device answered as `deviceToken`.
        device_token: Option<String>,
    }
    /// A log-in with a code that was received.
    LogInWithCodeInput ["Not needed: a code works once, so the same request sent again is refused and has no second effect."] {
        /// What `requestLogInCode` answered.
        challenge_id: ID,
        /// The six digits: those of the message, or the last ones of the number that called.
        code: String,
        /// What an earlier log-in on this device answered as `deviceToken`.
        device_token: Option<String>,
        /// What the session is to be shown as, for instance "Firefox on Android"; up to 100 characters.
        device: Option<String>,
    }
    /// A wish for a phone number.
    ChangePhoneInput {
        /// The number as people type it, another one than that of the account; one of Egypt without its country. A code is sent there.
        phone: String,
    }
    /// The proof that the message to the number was received.
    ConfirmPhoneInput ["Not needed: a code works once, so the same request sent again is refused and has no second effect."] {
        /// What `changePhone` answered.
        challenge_id: ID,
        /// The six digits: those of the message, or the last ones of the number that called.
        code: String,
    }
    /// A wish to have no phone number any more.
    RemovePhoneInput {}
}

payloads! {
    /// What asking for a code came to. It is the same whether or not there is an account; where there is none, nothing is sent.
    RequestLogInCodePayload {
        /// The log-in, to be given back with the code.
        challenge_id: ID,
    }
    /// What asking for a number came to. It is the same whether or not the number has an account.
    ChangePhonePayload {
        /// The change, to confirm it by.
        challenge_id: ID,
    }
    /// What confirming the number came to.
    ConfirmPhonePayload {
        /// Whether the account has it from now on.
        changed: bool,
    }
    /// What removing the number came to.
    RemovePhonePayload {
        /// Whether there was one.
        changed: bool,
    }
}

/// Phone numbers, and logging in with codes that are sent.
#[derive(Debug, Default)]
pub(super) struct PhoneMutation;

/// Phone numbers, and logging in with codes that are sent.
#[Object]
impl PhoneMutation {
    /// Asks for a code to log in with. Asked for once more, a code for a phone goes another way: a call, WhatsApp, a text
    /// message.
    async fn request_log_in_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where it is sent.")] input: RequestLogInCodeInput,
    ) -> Result<Option<RequestLogInCodePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let to = one_of(input.email, input.phone)?;
            let locale = input.language.map_or(scope.locale, Into::into);
            let client = scope.client(input.device_token);
            let challenge = scope.services.accounts.request_log_in_code(&client, &to, locale, key).await?;
            Ok(RequestLogInCodePayload { challenge_id: Some(challenge.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Logs in with a code that was sent. An account with a second factor is entered by `verifySecondFactor` alone.
    async fn log_in_with_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The log-in and its code.")] input: LogInWithCodeInput,
    ) -> Result<Option<LogInPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let log_in = LogInWithCode {
                challenge: id(&input.challenge_id, "challengeId")?,
                code: Secret::new(input.code),
                device: input.device.unwrap_or_default(),
            };
            let client = scope.client(input.device_token);
            entered(scope, scope.services.accounts.log_in_with_code(&client, &log_in).await?).await
        })
        .await
    }

    /// Asks for a phone number, the first or another one. Until the code that is sent there is given to `confirmPhone`,
    /// nothing changes. It takes a fresh proof of who one is.
    async fn change_phone(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number.")] input: ChangePhoneInput,
    ) -> Result<Option<ChangePhonePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let challenge = scope.services.accounts.change_phone(&scope.actor, &input.phone, key).await?;
            Ok(ChangePhonePayload { challenge_id: Some(challenge.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Gives the account the number that the code was sent to. The owner is told by mail, and at the number before.
    async fn confirm_phone(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change and its code.")] input: ConfirmPhoneInput,
    ) -> Result<Option<ConfirmPhonePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            scope.member()?;
            let (challenge, code) = (id(&input.challenge_id, "challengeId")?, Secret::new(input.code));
            let client = scope.client(None);
            scope.services.accounts.confirm_phone(&scope.actor, &client, challenge, &code).await?;
            Ok(ConfirmPhonePayload { changed: Some(true), ..Default::default() })
        })
        .await
    }

    /// Takes the phone number away. It takes a fresh proof of who one is; the owner is told by mail, and at the number.
    async fn remove_phone(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "That the number is to go.")] input: RemovePhoneInput,
    ) -> Result<Option<RemovePhonePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let changed = scope.services.accounts.remove_phone(&scope.actor, key).await?;
            Ok(RemovePhonePayload { changed: Some(changed), ..Default::default() })
        })
        .await
    }
}
