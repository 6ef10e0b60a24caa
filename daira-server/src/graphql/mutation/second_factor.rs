//! Second factors, and proving oneself once more.

use async_graphql::{Context, Object, Result};
use daira_core::secret::Secret;

use super::account::shown;
use crate::graphql::input::inputs;
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::me::Tokens;
use crate::graphql::types::profile::Profile;
use crate::graphql::types::scalar::DateTime;

inputs! {
    /// The second step of a log-in.
    VerifySecondFactorInput ["Not needed: a code works once, so the same request sent again is refused and has no second effect."] {
        /// What `logIn` answered as `secondFactor`.
        challenge: String,
        /// The six digits of the authenticator app, or a recovery code.
        code: String,
        /// What an earlier log-in on this device answered as `deviceToken`.
        device_token: Option<String>,
    }
    /// A proof of who one is, on the session that asks.
    ReauthenticateInput ["Not needed: what was proved once more stays proved."] {
        /// The password.
        password: String,
        /// The six digits of the authenticator app, or a recovery code, where the account has a second factor.
        code: Option<String>,
    }
    /// A wish for an authenticator app as second factor.
    BeginAuthenticatorInput ["Not needed: asked for again before it is confirmed, the answer is the same for a quarter of an hour."] {}
    /// The proof that the app was set up.
    ConfirmAuthenticatorInput ["Not needed: a code works once, so the same request sent again is refused and has no second effect."] {
        /// The six digits that it shows.
        code: String,
    }
    /// The end of the second factor.
    RemoveAuthenticatorInput {}
    /// A wish for other recovery codes.
    RenewRecoveryCodesInput ["Not needed: whichever answer comes last holds the codes that work."] {}
}

payloads! {
    /// What the second step came to.
    VerifySecondFactorPayload {
        /// The tokens of the new session.
        tokens: Tokens,
        /// The profile that the session acts as.
        profile: Profile,
        /// By this the device is known at its next log-in. It lets nobody in.
        device_token: String,
    }
    /// What proving oneself once more came to.
    ReauthenticatePayload {
        /// Until when the session may change how the account is reached and guarded.
        proven_until: DateTime,
    }
    /// What an authenticator app is set up with.
    BeginAuthenticatorPayload {
        /// The secret, for typing it.
        secret: String,
        /// The `otpauth:` address, to be shown as a picture for the app.
        address: String,
    }
    /// What setting up the app came to.
    ConfirmAuthenticatorPayload {
        /// Ten codes, each of which works once instead of the app. They are shown this once.
        recovery_codes: Vec<String>,
    }
    /// What ending the second factor came to.
    RemoveAuthenticatorPayload {
        /// Whether there was one.
        changed: bool,
    }
    /// What asking for other recovery codes came to.
    RenewRecoveryCodesPayload {
        /// Ten codes, each of which works once instead of the app; those before work no more. They are shown this once.
        recovery_codes: Vec<String>,
    }
}

/// Second factors, and proving oneself once more.
#[derive(Debug, Default)]
pub(super) struct SecondFactorMutation;

/// Second factors, and proving oneself once more.
#[Object]
impl SecondFactorMutation {
    /// Completes a log-in whose password was right, with the second factor.
    async fn verify_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The log-in, and the code.")] input: VerifySecondFactorInput,
    ) -> Result<Option<VerifySecondFactorPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let (challenge, code) = (Secret::new(input.challenge), Secret::new(input.code));
            let client = scope.client(input.device_token);
            let entered = scope.services.accounts.verify_second_factor(&client, &challenge, &code).await?;
            let device_token = Some(entered.device.expose().to_owned());
            let (tokens, profile) = shown(scope, entered).await?;
            Ok(VerifySecondFactorPayload { tokens: Some(tokens), profile, device_token, ..Default::default() })
        })
        .await
    }

    /// Proves once more who one is: with the password, and the second factor where there is one. For a while after it, or
    /// after logging in, the session may change how the account is reached and guarded.
    async fn reauthenticate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: ReauthenticateInput,
    ) -> Result<Option<ReauthenticatePayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let (password, code) = (Secret::new(input.password), input.code.map(Secret::new));
            let accounts = &scope.services.accounts;
            let until = accounts.reauthenticate(&scope.actor, &password, code.as_ref()).await?;
            Ok(ReauthenticatePayload { proven_until: Some(until.into()), ..Default::default() })
        })
        .await
    }

    /// Begins to set up an authenticator app as second factor. Until its digits are given to `confirmAuthenticator`, nothing
    /// changes.
    async fn begin_authenticator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<BeginAuthenticatorInput>,
    ) -> Result<Option<BeginAuthenticatorPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            scope.key(key)?;
            let enrolment = scope.services.accounts.begin_authenticator(&scope.actor).await?;
            let [secret, address] = [enrolment.secret, enrolment.address].map(|text| Some(text.expose().to_owned()));
            Ok(BeginAuthenticatorPayload { secret, address, ..Default::default() })
        })
        .await
    }

    /// Turns the second factor on. From then on a log-in takes it after the password.
    async fn confirm_authenticator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The digits of the app.")] input: ConfirmAuthenticatorInput,
    ) -> Result<Option<ConfirmAuthenticatorPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let code = Secret::new(input.code);
            let codes = scope.services.accounts.confirm_authenticator(&scope.actor, &code).await?;
            Ok(ConfirmAuthenticatorPayload { recovery_codes: Some(texts(&codes)), ..Default::default() })
        })
        .await
    }

    /// Takes the second factor and its recovery codes away.
    async fn remove_authenticator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<RemoveAuthenticatorInput>,
    ) -> Result<Option<RemoveAuthenticatorPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            let key = scope.key(key)?;
            let changed = scope.services.accounts.remove_authenticator(&scope.actor, key).await?;
            Ok(RemoveAuthenticatorPayload { changed: Some(changed), ..Default::default() })
        })
        .await
    }

    /// Makes other recovery codes in the place of those there are.
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<RenewRecoveryCodesInput>,
    ) -> Result<Option<RenewRecoveryCodesPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            scope.key(key)?;
            let codes = scope.services.accounts.renew_recovery_codes(&scope.actor).await?;
            Ok(RenewRecoveryCodesPayload { recovery_codes: Some(texts(&codes)), ..Default::default() })
        })
        .await
    }
}

fn texts(codes: &[Secret]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}
