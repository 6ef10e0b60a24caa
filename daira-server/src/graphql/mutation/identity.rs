//! Signing in with providers of identities: each is a way of two requests, with the browser at the provider between them.

use async_graphql::{Context, Enum, ID, Object, Result};
use daira_core::account::{BeginIdentity, IdentityAnswer, IdentityEntry, IdentityPurpose, JoinWithIdentity};
use daira_core::secret::Secret;

use super::account::shown;
use crate::graphql::input::inputs;
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::InScope;
use crate::graphql::types::identity::{LinkedProvider, Newcomer};
use crate::graphql::types::me::{SecondFactorChallenge, Tokens};
use crate::graphql::types::profile::Profile;
use crate::graphql::types::scalar::{DateTime, Language};

/// What somebody goes to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ProviderPurpose {
    /// To log in, or to join.
    LogIn,
    /// To link who they are there with their account. It takes a fresh proof.
    Link,
    /// To prove once more who they are, on the session that asks.
    Proof,
}

impl From<ProviderPurpose> for IdentityPurpose {
    fn from(purpose: ProviderPurpose) -> Self {
        match purpose {
            ProviderPurpose::LogIn => Self::LogIn,
            ProviderPurpose::Link => Self::Link,
            ProviderPurpose::Proof => Self::Proof,
        }
    }
}

inputs! {
    /// A wish to go to a provider.
    BeginProviderInput ["Not needed: whatever is begun changes nothing."] {
        /// Its name, as `providers` says it.
        provider: String,
        /// Where it sends the browser back to: one of the addresses that the operator set up, exactly.
        redirect_uri: String,
        /// What for.
        purpose: ProviderPurpose,
        /// What a session is to be shown as, for instance "Firefox on Android"; up to 100 characters.
        device: Option<String>,
    }
    /// A log-in by what a browser came back with.
    LogInWithProviderInput ["Not needed: a way takes one answer, so the same request sent again is refused and has no second effect."] {
        /// What `beginProvider` answered.
        ceremony: String,
        /// `state` of the address that the browser came back to.
        state: String,
        /// Its `code`.
        code: String,
        /// Its `iss`, where it has one.
        iss: Option<String>,
        /// What an earlier log-in on this device answered as `deviceToken`.
        device_token: Option<String>,
    }
    /// Who wants to join, coming from a provider.
    JoinWithProviderInput {
        /// What `logInWithProvider` answered.
        ticket: String,
        /// Their e-mail address; a code is sent there. The one that the provider told, when left out.
        email: Option<String>,
        /// The handle they want: 3 to 30 of a–z, 0–9, dot and underscore.
        handle: String,
        /// Their display name, 1 to 100 characters.
        name: String,
        /// When they were born, for instance `2001-09-30`.
        birth_date: String,
        /// The language of mails to them; that of the request when left out.
        language: Option<Language>,
    }
    /// A link with a provider.
    LinkProviderInput ["Not needed: a way takes one answer, so the same request sent again is refused and has no second effect."] {
        /// What `beginProvider` answered.
        ceremony: String,
        /// `state` of the address that the browser came back to.
        state: String,
        /// Its `code`.
        code: String,
        /// Its `iss`, where it has one.
        iss: Option<String>,
    }
    /// The end of a link.
    UnlinkProviderInput {
        /// The issuer of the link.
        issuer: String,
    }
    /// A proof of who one is, on the session that asks.
    ProveWithProviderInput ["Not needed: a way takes one answer, so the same request sent again is refused and has no second effect."] {
        /// What `beginProvider` answered.
        ceremony: String,
        /// `state` of the address that the browser came back to.
        state: String,
        /// Its `code`.
        code: String,
        /// Its `iss`, where it has one.
        iss: Option<String>,
        /// Digits of the authenticator app or a recovery code, where the account has a second factor.
        second_factor: Option<String>,
    }
    /// A first password.
    SetPasswordInput {
        /// 10 characters or more, at most 1,024 bytes, any script.
        password: String,
    }
}

payloads! {
    /// Where the browser goes.
    BeginProviderPayload {
        /// Kept by the client meanwhile, and given back with the answer; it must not be in any address.
        ceremony: String,
        /// The address of the provider.
        url: String,
        /// When it lapses.
        expires_at: DateTime,
    }
    /// What logging in with a provider came to: a session, a challenge where the account has a second factor, or somebody who is
    /// new.
    LogInWithProviderPayload {
        /// What is given to `verifySecondFactor` together with the code.
        second_factor: SecondFactorChallenge,
        /// Who has no account yet, to be given to `joinWithProvider`.
        newcomer: Newcomer,
        /// The tokens of the new session.
        tokens: Tokens,
        /// The profile that the session acts as; none while nobody is shown it.
        profile: Profile,
        /// By this the device is known at its next log-in. It lets nobody in.
        device_token: String,
    }
    /// What joining came to. It is the same whether or not the e-mail has an account; the mail tells.
    JoinWithProviderPayload {
        /// The registration, to verify the e-mail by.
        registration_id: ID,
    }
    /// What linking came to.
    LinkProviderPayload {
        /// The link.
        linked: LinkedProvider,
    }
    /// What unlinking came to.
    UnlinkProviderPayload {
        /// The issuer that lets in no more.
        issuer: String,
    }
    /// What proving oneself came to.
    ProveWithProviderPayload {
        /// Until when the session may change how the account is reached and guarded.
        proven_until: DateTime,
    }
    /// What setting a first password came to.
    SetPasswordPayload {
        /// How many other sessions ended.
        ended_sessions: i64,
    }
}

/// Signing in with providers of identities.
#[derive(Debug, Default)]
pub(super) struct IdentityMutation;

fn answer(ceremony: String, state: String, code: String, issuer: Option<String>) -> IdentityAnswer {
    IdentityAnswer { ceremony: Secret::new(ceremony), state: Secret::new(state), code: Secret::new(code), issuer }
}

/// Signing in with providers of identities.
#[Object]
impl IdentityMutation {
    /// Begins a way to a provider: open the address in the system's browser.
    async fn begin_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to, and what for.")] input: BeginProviderInput,
    ) -> Result<Option<BeginProviderPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let begin = BeginIdentity {
                provider: input.provider,
                redirect: input.redirect_uri,
                purpose: input.purpose.into(),
                device: input.device.unwrap_or_default(),
                replaces: None,
            };
            let begun = scope.services.accounts.begin_identity(&scope.actor, &scope.client(None), &begin).await?;
            let text = |secret: &Secret| Some(secret.expose().to_owned());
            let (ceremony, url, expires_at) = (text(&begun.ceremony), text(&begun.url), Some(begun.expires_at.into()));
            Ok(BeginProviderPayload { ceremony, url, expires_at, ..Default::default() })
        })
        .await
    }

    /// Logs in with what a browser came back with. Who has no account yet may join.
    async fn log_in_with_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The way and its answer.")] input: LogInWithProviderInput,
    ) -> Result<Option<LogInWithProviderPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let answer = answer(input.ceremony, input.state, input.code, input.iss);
            let client = scope.client(input.device_token);
            let entry = scope.services.accounts.log_in_with_identity(&client, &answer).await?;
            let payload = LogInWithProviderPayload::default();
            Ok(match entry {
                IdentityEntry::Waits(waited) => {
                    LogInWithProviderPayload { second_factor: Some(waited.into()), ..payload }
                }
                IdentityEntry::New(new) => LogInWithProviderPayload { newcomer: Some(new.into()), ..payload },
                IdentityEntry::In(entered) => {
                    let device_token = Some(entered.device.expose().to_owned());
                    let (tokens, profile) = shown(scope, *entered).await?;
                    LogInWithProviderPayload { tokens: Some(tokens), profile, device_token, ..payload }
                }
            })
        })
        .await
    }

    /// Asks to join, coming from a provider. The account is made when the code that is sent to the e-mail address is given to
    /// `verifyEmail`, and has no password.
    async fn join_with_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to join.")] input: JoinWithProviderInput,
    ) -> Result<Option<JoinWithProviderPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let join = JoinWithIdentity {
                ticket: Secret::new(input.ticket),
                email: input.email,
                handle: input.handle,
                name: input.name,
                birth_date: input.birth_date,
                locale: input.language.map_or(scope.locale, Into::into),
            };
            let registration = scope.services.accounts.join_with_identity(&scope.client(None), join, key).await?;
            Ok(JoinWithProviderPayload { registration_id: Some(registration.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Links who somebody is at a provider with the own account: it lets in from now on. The owner is told by mail.
    async fn link_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The way and its answer.")] input: LinkProviderInput,
    ) -> Result<Option<LinkProviderPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let answer = answer(input.ceremony, input.state, input.code, input.iss);
            let accounts = &scope.services.accounts;
            let linked = accounts.link_identity(&scope.actor, &scope.client(None), &answer).await?;
            let linked = Some(LinkedProvider::of(linked, accounts.providers()));
            Ok(LinkProviderPayload { linked, ..Default::default() })
        })
        .await
    }

    /// Unlinks a provider from the own account. Sessions go on; the owner is told by mail.
    async fn unlink_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The issuer.")] input: UnlinkProviderInput,
    ) -> Result<Option<UnlinkProviderPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            scope.services.accounts.unlink_identity(&scope.actor, &input.issuer, key).await?;
            Ok(UnlinkProviderPayload { issuer: Some(input.issuer), ..Default::default() })
        })
        .await
    }

    /// Proves once more who one is, at a provider that says when that was: as good as `reauthenticate`.
    async fn prove_with_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The way and its answer.")] input: ProveWithProviderInput,
    ) -> Result<Option<ProveWithProviderPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let answer = answer(input.ceremony, input.state, input.code, input.iss);
            let (accounts, code) = (&scope.services.accounts, input.second_factor.map(Secret::new));
            let client = scope.client(None);
            let until = accounts.prove_with_identity(&scope.actor, &client, &answer, code.as_ref()).await?;
            Ok(ProveWithProviderPayload { proven_until: Some(until.into()), ..Default::default() })
        })
        .await
    }

    /// Sets the first password of an account that has none. All other sessions end.
    async fn set_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: SetPasswordInput,
    ) -> Result<Option<SetPasswordPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let password = Secret::new(input.password);
            let ended = scope.services.accounts.set_password(&scope.actor, &password, key).await?;
            Ok(SetPasswordPayload { ended_sessions: Some(ended.into()), ..Default::default() })
        })
        .await
    }
}
