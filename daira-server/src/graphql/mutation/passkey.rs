//! Passkeys: each is a ceremony of two requests, with the client's authenticator between them.

use async_graphql::{Context, ID, Object, Result};
use daira_core::account::BegunCeremony;
use daira_core::secret::Secret;

use super::account::shown;
use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::me::{Passkey, Tokens};
use crate::graphql::types::profile::Profile;
use crate::graphql::types::scalar::DateTime;

inputs! {
    /// A wish for a new passkey.
    BeginPasskeyInput ["Not needed: whatever is begun changes nothing."] {}
    /// A new passkey, as the authenticator made it.
    AddPasskeyInput ["Not needed: a ceremony takes one answer, so the same request sent again is refused and has no second effect."] {
        /// What `beginPasskey` answered.
        ceremony: String,
        /// What `navigator.credentials.create` answered, as JSON.
        answer: String,
        /// What its owner calls it, 1 to 100 characters.
        name: String,
    }
    /// Another name for a passkey.
    RenamePasskeyInput {
        /// One of the own passkeys.
        passkey_id: ID,
        /// What its owner calls it, 1 to 100 characters.
        name: String,
    }
    /// The end of a passkey.
    RemovePasskeyInput {
        /// One of the own passkeys.
        passkey_id: ID,
    }
    /// A wish to log in by passkey.
    BeginPasskeyLogInInput ["Not needed: whatever is begun changes nothing."] {
        /// What `logIn` answered as `secondFactor`, where the password came first.
        challenge: Option<String>,
    }
    /// A log-in by passkey.
    LogInWithPasskeyInput ["Not needed: a ceremony takes one answer, so the same request sent again is refused and has no second effect."] {
        /// What `beginPasskeyLogIn` answered.
        ceremony: String,
        /// What `navigator.credentials.get` answered, as JSON.
        answer: String,
        /// What an earlier log-in on this device answered as `deviceToken`.
        device_token: Option<String>,
        /// What the session is to be shown as, for instance "Firefox on Android"; up to 100 characters.
        device: Option<String>,
    }
    /// A wish to prove oneself by passkey.
    BeginPasskeyProofInput ["Not needed: whatever is begun changes nothing."] {}
    /// A proof of who one is, on the session that asks.
    ProveWithPasskeyInput ["Not needed: a ceremony takes one answer, so the same request sent again is refused and has no second effect."] {
        /// What `beginPasskeyProof` answered.
        ceremony: String,
        /// What `navigator.credentials.get` answered, as JSON.
        answer: String,
    }
}

payloads! {
    /// What the client's authenticator is asked to make.
    BeginPasskeyPayload {
        /// To be given back with the answer.
        ceremony: String,
        /// What `navigator.credentials.create` is asked with, as JSON.
        options: String,
        /// When it lapses.
        expires_at: DateTime,
    }
    /// What adding a passkey came to.
    AddPasskeyPayload {
        /// The passkey.
        passkey: Passkey,
        /// Ten codes, each of which works once instead of a passkey; none where there are some already. They are shown this once.
        recovery_codes: Vec<String>,
    }
    /// What renaming a passkey came to.
    RenamePasskeyPayload {
        /// The passkey.
        passkey_id: ID,
    }
    /// What removing a passkey came to.
    RemovePasskeyPayload {
        /// The passkey that is gone.
        passkey_id: ID,
    }
    /// What the client's authenticator is asked to sign.
    BeginPasskeyLogInPayload {
        /// To be given back with the answer.
        ceremony: String,
        /// What `navigator.credentials.get` is asked with, as JSON.
        options: String,
        /// When it lapses.
        expires_at: DateTime,
    }
    /// What logging in by passkey came to.
    LogInWithPasskeyPayload {
        /// The tokens of the new session.
        tokens: Tokens,
        /// The profile that the session acts as.
        profile: Profile,
        /// By this the device is known at its next log-in. It lets nobody in.
        device_token: String,
    }
    /// What the client's authenticator is asked to sign.
    BeginPasskeyProofPayload {
        /// To be given back with the answer.
        ceremony: String,
        /// What `navigator.credentials.get` is asked with, as JSON.
        options: String,
        /// When it lapses.
        expires_at: DateTime,
    }
    /// What proving oneself by passkey came to.
    ProveWithPasskeyPayload {
        /// Until when the session may change how the account is reached and guarded.
        proven_until: DateTime,
    }
}

/// Passkeys.
#[derive(Debug, Default)]
pub(super) struct PasskeyMutation;

fn parts(begun: BegunCeremony) -> (Option<String>, Option<String>, Option<DateTime>) {
    (Some(begun.ceremony.expose().to_owned()), Some(begun.options), Some(begun.expires_at.into()))
}

/// Passkeys: each is a ceremony of two requests, with the client's authenticator between them.
#[Object]
impl PasskeyMutation {
    /// Begins to make a passkey.
    async fn begin_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<BeginPasskeyInput>,
    ) -> Result<Option<BeginPasskeyPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            scope.key(key)?;
            let (ceremony, options, expires_at) = parts(scope.services.accounts.begin_passkey(&scope.actor).await?);
            Ok(BeginPasskeyPayload { ceremony, options, expires_at, ..Default::default() })
        })
        .await
    }

    /// Adds the passkey that the authenticator made. It lets in alone; a log-in by password takes it, or another second factor,
    /// besides.
    async fn add_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passkey.")] input: AddPasskeyInput,
    ) -> Result<Option<AddPasskeyPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let (ceremony, answer) = (Secret::new(input.ceremony), Secret::new(input.answer));
            let added = scope.services.accounts.add_passkey(&scope.actor, &ceremony, &answer, &input.name).await?;
            let codes = added.recovery_codes.iter().map(|code| code.expose().to_owned()).collect();
            let passkey = Some(Passkey(added.passkey));
            Ok(AddPasskeyPayload { passkey, recovery_codes: Some(codes), ..Default::default() })
        })
        .await
    }

    /// Calls an own passkey otherwise.
    async fn rename_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passkey and its name.")] input: RenamePasskeyInput,
    ) -> Result<Option<RenamePasskeyPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let passkey = id(&input.passkey_id, "passkeyId")?;
            scope.services.accounts.rename_passkey(&scope.actor, passkey, &input.name, key).await?;
            Ok(RenamePasskeyPayload { passkey_id: Some(input.passkey_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Takes an own passkey away.
    async fn remove_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The passkey.")] input: RemovePasskeyInput,
    ) -> Result<Option<RemovePasskeyPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.member()?;
            let passkey = id(&input.passkey_id, "passkeyId")?;
            scope.services.accounts.remove_passkey(&scope.actor, passkey, key).await?;
            Ok(RemovePasskeyPayload { passkey_id: Some(input.passkey_id.clone()), ..Default::default() })
        })
        .await
    }

    /// Begins a log-in by passkey, alone or after the password.
    async fn begin_passkey_log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came before, if anything did.")] input: Option<BeginPasskeyLogInInput>,
    ) -> Result<Option<BeginPasskeyLogInPayload>> {
        let scope = ctx.scope();
        let input = input.map(|input| (input.idempotency_key, input.client_mutation_id, input.challenge));
        let (key, client_mutation_id, challenge) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            scope.key(key)?;
            let (client, challenge) = (scope.client(None), challenge.map(Secret::new));
            let begun = scope.services.accounts.begin_passkey_log_in(&client, challenge.as_ref()).await?;
            let (ceremony, options, expires_at) = parts(begun);
            Ok(BeginPasskeyLogInPayload { ceremony, options, expires_at, ..Default::default() })
        })
        .await
    }

    /// Logs in with what a passkey signed.
    async fn log_in_with_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ceremony and its answer.")] input: LogInWithPasskeyInput,
    ) -> Result<Option<LogInWithPasskeyPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let (ceremony, answer) = (Secret::new(input.ceremony), Secret::new(input.answer));
            let (client, device) = (scope.client(input.device_token), input.device.unwrap_or_default());
            let accounts = &scope.services.accounts;
            let entered = accounts.log_in_with_passkey(&client, &ceremony, &answer, &device).await?;
            let device_token = Some(entered.device.expose().to_owned());
            let (tokens, profile) = shown(scope, entered).await?;
            Ok(LogInWithPasskeyPayload { tokens: Some(tokens), profile, device_token, ..Default::default() })
        })
        .await
    }

    /// Begins a proof of who one is by passkey, on the session that asks.
    async fn begin_passkey_proof(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing needs to be said.")] input: Option<BeginPasskeyProofInput>,
    ) -> Result<Option<BeginPasskeyProofPayload>> {
        let (scope, input) = (ctx.scope(), input.map(|input| (input.idempotency_key, input.client_mutation_id)));
        let (key, client_mutation_id) = input.unwrap_or_default();
        change(ctx, client_mutation_id, async {
            scope.key(key)?;
            let begun = scope.services.accounts.begin_passkey_proof(&scope.actor).await?;
            let (ceremony, options, expires_at) = parts(begun);
            Ok(BeginPasskeyProofPayload { ceremony, options, expires_at, ..Default::default() })
        })
        .await
    }

    /// Proves once more who one is, with what a passkey signed: as good as `reauthenticate`.
    async fn prove_with_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ceremony and its answer.")] input: ProveWithPasskeyInput,
    ) -> Result<Option<ProveWithPasskeyPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let (ceremony, answer) = (Secret::new(input.ceremony), Secret::new(input.answer));
            let until = scope.services.accounts.prove_with_passkey(&scope.actor, &ceremony, &answer).await?;
            Ok(ProveWithPasskeyPayload { proven_until: Some(until.into()), ..Default::default() })
        })
        .await
    }
}
