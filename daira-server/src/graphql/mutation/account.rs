//! Joining and logging in.

use async_graphql::{Context, ID, Object, Result};
use daira_core::account::{AccountRefusal, Entry, LogIn, LoggedIn, Register, VerifyEmail};
use daira_core::actor::Actor;
use daira_core::error::CommonRefusal;
use daira_core::error::Error;
use daira_core::secret::Secret;

use crate::graphql::input::{id, inputs};
use crate::graphql::payload::{change, payloads};
use crate::graphql::scope::{InScope, Scope};
use crate::graphql::types::me::{SecondFactorChallenge, Tokens};
use crate::graphql::types::profile::Profile;
use crate::graphql::types::scalar::{DateTime, Language};

inputs! {
    /// Who wants to join.
    RegisterInput {
        /// Their e-mail address; a code is sent there.
        email: String,
        /// The password they choose: 10 characters or more, at most 1,024 bytes, any script.
        password: String,
        /// The handle they want: 3 to 30 of a–z, 0–9, dot and underscore.
        handle: String,
        /// Their display name, 1 to 100 characters.
        name: String,
        /// When they were born, for instance `2001-09-30`.
        birth_date: String,
        /// The language of mails to them; that of the request when left out.
        language: Option<Language>,
    }
    /// The proof that a mail was received.
    VerifyEmailInput ["Not needed: a code works once, so the same request sent again is refused and has no second effect."] {
        /// The registration that `register` answered.
        registration_id: ID,
        /// The six digits of the mail.
        code: String,
        /// What the session is to be shown as, for instance "Firefox on Android"; up to 100 characters.
        device: Option<String>,
    }
    /// A log-in.
    LogInInput {
        /// The e-mail address; this or the phone number.
        email: Option<String>,
        /// The phone number as people type it; one of Egypt without its country.
        phone: Option<String>,
        /// The password.
        password: String,
        /// What an earlier log-in on this device answered as `deviceToken`. Strangers who try passwords elsewhere do not keep
        /// a known device out.
        device_token: Option<String>,
        /// What the session is to be shown as, for instance "Firefox on Android"; up to 100 characters.
        device: Option<String>,
    }
    /// A refresh of a session.
    RefreshSessionInput ["Not needed: the refresh token is its own key, and is answered again for a moment."] {
        /// The session's refresh token.
        refresh_token: String,
    }
}

payloads! {
    /// What registering came to. It is the same whether or not the e-mail has an account; the mail tells.
    RegisterPayload {
        /// The registration, to verify the e-mail by.
        registration_id: ID,
    }
    /// What verifying an e-mail came to.
    VerifyEmailPayload {
        /// The tokens of the first session.
        tokens: Tokens,
        /// The new profile.
        profile: Profile,
        /// By this the device is known at its next log-in. It lets nobody in.
        device_token: String,
    }
    /// What logging in came to: a session or, where the account has a second factor, a challenge.
    LogInPayload {
        /// What is given to `verifySecondFactor` together with the code.
        second_factor: SecondFactorChallenge,
        /// The tokens of the new session.
        tokens: Tokens,
        /// The profile that the session acts as; none while nobody is shown it, because the account is about to be erased.
        profile: Profile,
        /// By this the device is known at its next log-in. It lets nobody in.
        device_token: String,
        /// When the account is erased, where its owner asked for that; `cancelDeletion` keeps it.
        leaving_at: DateTime,
    }
    /// What refreshing a session came to.
    RefreshSessionPayload {
        /// The next tokens; the spent refresh token is worth nothing any more.
        tokens: Tokens,
    }
}

/// Joining and logging in.
#[derive(Debug, Default)]
pub(super) struct AccountMutation;

/// Joining and logging in.
#[Object]
impl AccountMutation {
    /// Asks to join. The account is made when the code that is sent to the e-mail address is given to `verifyEmail`.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to join.")] input: RegisterInput,
    ) -> Result<Option<RegisterPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let register = Register {
                email: input.email,
                password: Secret::new(input.password),
                handle: input.handle,
                name: input.name,
                birth_date: input.birth_date,
                locale: input.language.map_or(scope.locale, Into::into),
            };
            let registration = scope.services.accounts.register(&scope.client(None), register, key).await?;
            Ok(RegisterPayload { registration_id: Some(registration.to_string().into()), ..Default::default() })
        })
        .await
    }

    /// Completes a registration with the code of its mail, and logs in.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The registration and its code.")] input: VerifyEmailInput,
    ) -> Result<Option<VerifyEmailPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let verify = VerifyEmail {
                registration: id(&input.registration_id, "registrationId")?,
                code: Secret::new(input.code),
                device: input.device.unwrap_or_default(),
            };
            let joined = scope.services.accounts.verify_email(&scope.client(None), verify).await?;
            let device_token = Some(joined.device.expose().to_owned());
            let (tokens, profile) = shown(scope, joined).await?;
            Ok(VerifyEmailPayload { tokens: Some(tokens), profile, device_token, ..Default::default() })
        })
        .await
    }

    /// Logs in with e-mail or phone number and password. An account with a second factor is entered by `verifySecondFactor` alone.
    async fn log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and from where.")] input: LogInInput,
    ) -> Result<Option<LogInPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            let key = scope.key(input.idempotency_key)?;
            let (email, password) = (one_of(input.email, input.phone)?, Secret::new(input.password));
            let log_in = LogIn { email, password, device: input.device.unwrap_or_default() };
            let client = scope.client(input.device_token);
            entered(scope, scope.services.accounts.log_in(&client, log_in, key).await?).await
        })
        .await
    }

    /// Exchanges a refresh token for the next tokens. Repeating it because the answer was lost is safe for a moment; a copy
    /// that comes back later ends the session.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: RefreshSessionInput,
    ) -> Result<Option<RefreshSessionPayload>> {
        let scope = ctx.scope();
        change(ctx, input.client_mutation_id, async {
            scope.key(input.idempotency_key)?;
            let tokens =
                scope.services.accounts.refresh(&scope.client(None), &Secret::new(input.refresh_token)).await?;
            Ok(RefreshSessionPayload { tokens: Some(tokens.into()), ..Default::default() })
        })
        .await
    }
}

/// What was typed to be known by: an e-mail address or a phone number, and not both.
pub(super) fn one_of(email: Option<String>, phone: Option<String>) -> daira_core::Result<String> {
    match (email, phone) {
        (Some(one), None) | (None, Some(one)) => Ok(one),
        _ => Err(Error::from(AccountRefusal::EmailInvalid).on_field("email")),
    }
}

/// What somebody who proved themselves is answered: a session, or what it waits for.
pub(super) async fn entered(scope: &Scope, entry: Entry) -> daira_core::Result<LogInPayload> {
    let logged_in = match entry {
        Entry::In(logged_in) => *logged_in,
        Entry::Waits(waited) => {
            return Ok(LogInPayload { second_factor: Some(waited.into()), ..Default::default() });
        }
    };
    let device_token = Some(logged_in.device.expose().to_owned());
    let me = Actor::Member(logged_in.member);
    let (tokens, profile) = shown(scope, logged_in).await?;
    let leaving_at = match profile {
        Some(_) => None,
        // The session has begun, whatever can be said of it.
        None => scope.services.accounts.me(&me).await.ok().and_then(|me| me.account.leaving_at),
    };
    let leaving_at = leaving_at.map(Into::into);
    Ok(LogInPayload { tokens: Some(tokens), profile, device_token, leaving_at, ..Default::default() })
}

/// The tokens, and the profile as everybody sees it: whoever asks here is still a stranger.
pub(super) async fn shown(scope: &Scope, logged_in: LoggedIn) -> daira_core::Result<(Tokens, Option<Profile>)> {
    let profile = match Profile::load(scope, logged_in.member.profile).await {
        Err(error) if error.refusal() != Some(CommonRefusal::NotFound) => {
            // The session has begun: its tokens must not be lost because its profile could not be read.
            tracing::warn!(operation = Error::operation(&error), "the profile of a new session could not be read");
            None
        }
        found => found.unwrap_or_default(),
    };
    Ok((logged_in.tokens.into(), profile))
}
