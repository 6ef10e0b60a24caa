//! The logged-in person's own side: what nobody else is shown.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use daira_core::account::{self, Account, AccountState, VerifiedPhone};
use daira_core::error::Error;

use super::app::{ConnectedApp, OwnApp, scopes};
use super::circle::Circle;
use super::identity::WaysIn;
use super::profile::Profile;
use super::record::{Consent, DataExport};
use super::scalar::{DateTime, Language};
use super::staff::{Sanction, StaffRole, Takedown};
use crate::graphql::connection::{Connection, DeletedPostEdge, ProfileEdge};
use crate::graphql::scope::{InScope, Scope, limit};

/// The logged-in person. Only they ever get one.
pub(crate) struct Viewer;

/// The state of the own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OwnAccountState {
    /// Everything works.
    Active,
    /// Reading works, writing does not for now.
    Restricted,
    /// Shut out for now.
    Suspended,
    /// Shut out for good.
    Banned,
    /// Put to sleep; the next log-in wakes it.
    Deactivated,
    /// Gone.
    Deleted,
}

impl From<AccountState> for OwnAccountState {
    fn from(state: AccountState) -> Self {
        match state {
            AccountState::Active => Self::Active,
            AccountState::Restricted => Self::Restricted,
            AccountState::Suspended(_) => Self::Suspended,
            AccountState::Banned => Self::Banned,
            AccountState::Deactivated => Self::Deactivated,
            AccountState::Deleted => Self::Deleted,
        }
    }
}

/// The own account: private, and only ever shown to its owner.
#[derive(SimpleObject)]
pub(crate) struct OwnAccount {
    /// The verified e-mail address.
    email: String,
    /// The verified phone number, for instance `+201001234567`.
    phone: Option<String>,
    /// The date of birth, for instance `2001-09-30`.
    birth_date: String,
    /// The language of mails.
    language: Language,
    /// The state.
    state: OwnAccountState,
    /// When it is to be erased, once its owner asked for that; `cancelDeletion` keeps it.
    leaving_at: Option<DateTime>,
    /// When it was made.
    created_at: DateTime,
}

impl OwnAccount {
    fn of(account: &Account, phone: Option<VerifiedPhone>) -> Self {
        Self {
            email: account.email.as_str().to_owned(),
            phone: phone.map(|phone| phone.number.as_str().to_owned()),
            birth_date: account.birth_date.to_string(),
            language: account.locale.into(),
            state: account.state.into(),
            leaving_at: account.leaving_at.map(Into::into),
            created_at: account.created_at.into(),
        }
    }
}

/// The logged-in person, acting through one of their profiles.
#[Object]
impl Viewer {
    /// The profile they act as.
    async fn profile(&self, ctx: &Context<'_>) -> Result<Option<Profile>> {
        let scope = ctx.scope();
        Ok(Profile::load(scope, scope.member()?.profile).await?)
    }

    /// The version of the profile that acts, to base a change on.
    async fn profile_version(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let scope = ctx.scope();
        let me = scope.member()?.profile;
        let profiles = scope.reads.view().await?.accounts().own_profiles().await?;
        Ok(profiles.into_iter().find(|profile| profile.id == me).map(|profile| profile.version))
    }

    /// Whether those whom the acting profile follows may see that it is active.
    async fn shows_activity(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        let scope = ctx.scope();
        scope.member()?;
        Ok(Some(scope.reads.view().await?.accounts().shows_activity().await?))
    }

    /// All their profiles, oldest first.
    async fn profiles(&self, ctx: &Context<'_>) -> Result<Option<Vec<Profile>>> {
        let scope = ctx.scope();
        scope.member()?;
        let profiles = scope.reads.view().await?.accounts().own_profiles().await?;
        Ok(Some(profiles.into_iter().map(|profile| Profile::Alone(profile.into())).collect()))
    }

    /// The private side of their account.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<OwnAccount>> {
        let scope = ctx.scope();
        scope.member()?;
        let mut view = scope.reads.view().await?;
        let account = view.accounts().own_account().await?.ok_or_else(Error::not_found)?;
        let phone = view.accounts().own_phone().await?;
        Ok(Some(OwnAccount::of(&account, phone)))
    }

    /// What guards their account besides the password.
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<Option<SecondFactor>> {
        let scope = ctx.scope();
        Ok(Some(scope.services.accounts.second_factor(&scope.actor).await?.into()))
    }

    /// Their passkeys, oldest first.
    async fn passkeys(&self, ctx: &Context<'_>) -> Result<Option<Vec<Passkey>>> {
        let scope = ctx.scope();
        let passkeys = scope.services.accounts.passkeys(&scope.actor).await?;
        Ok(Some(passkeys.into_iter().map(Passkey).collect()))
    }

    /// What lets in to their account, besides passkeys.
    async fn ways_in(&self, ctx: &Context<'_>) -> Result<Option<WaysIn>> {
        let (scope, accounts) = (ctx.scope(), &ctx.scope().services.accounts);
        Ok(Some(WaysIn::of(accounts.ways_in(&scope.actor).await?, accounts.providers())))
    }

    /// The apps that they registered, oldest first.
    async fn apps(&self, ctx: &Context<'_>) -> Result<Option<Vec<OwnApp>>> {
        let scope = ctx.scope();
        let apps = scope.services.oauth.apps(&scope.actor).await?;
        Ok(Some(apps.into_iter().map(OwnApp::from).collect()))
    }

    /// The apps of others that they let act as any of their profiles, newest first.
    async fn connected_apps(&self, ctx: &Context<'_>) -> Result<Option<Vec<ConnectedApp>>> {
        let scope = ctx.scope();
        let connected = scope.services.oauth.connected_apps(&scope.actor).await?;
        let mut shown = Vec::with_capacity(connected.len());
        for one in connected {
            shown.push(ConnectedApp {
                app_id: one.grant.app.to_string().into(),
                name: one.name,
                profile: Profile::load(scope, one.grant.profile).await?,
                scopes: scopes(one.grant.scopes, scope.locale),
                since: one.grant.created_at.into(),
            });
        }
        Ok(Some(shown))
    }

    /// What consent is asked for, and how each purpose stands, for all their profiles.
    async fn consents(&self, ctx: &Context<'_>) -> Result<Option<Vec<Consent>>> {
        let scope = ctx.scope();
        let consents = scope.services.consents.consents(&scope.actor).await?;
        Ok(Some(consents.into_iter().map(Into::into).collect()))
    }

    /// The last exports of everything that is kept of them, newest first.
    async fn exports(&self, ctx: &Context<'_>) -> Result<Option<Vec<DataExport>>> {
        let scope = ctx.scope();
        let exports = scope.services.exports.exports(&scope.actor).await?;
        Ok(Some(exports.into_iter().map(Into::into).collect()))
    }

    /// Where they are logged in, newest first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Option<Vec<Session>>> {
        Ok(Some(Session::all(ctx.scope()).await?))
    }

    /// What staff did to their account, while it holds.
    async fn sanction(&self, ctx: &Context<'_>) -> Result<Option<Sanction>> {
        let scope = ctx.scope();
        Ok(scope.services.staff.own_sanction(&scope.actor).await?.map(Into::into))
    }

    /// What staff took down of the profile they act as, newest first, at most a hundred.
    async fn takedowns(&self, ctx: &Context<'_>) -> Result<Option<Vec<Takedown>>> {
        let scope = ctx.scope();
        let takedowns = scope.services.staff.own_takedowns(&scope.actor).await?;
        Ok(Some(takedowns.into_iter().map(Into::into).collect()))
    }

    /// What they are among the staff; it counts only in a session on which a second factor was proved.
    async fn staff_role(&self, ctx: &Context<'_>) -> Result<Option<StaffRole>> {
        let scope = ctx.scope();
        Ok(scope.services.staff.own_role(&scope.actor).await?.map(Into::into))
    }

    /// Their circles, by name.
    async fn circles(&self, ctx: &Context<'_>) -> Result<Option<Vec<Circle>>> {
        Ok(Some(Circle::all(ctx.scope()).await?))
    }

    /// How many lines of notifications are unread, at most 100, which stands for that many or more: show it as "99+".
    async fn unread_notifications(&self, ctx: &Context<'_>) -> Result<Option<i64>> {
        let scope = ctx.scope();
        let mut view = scope.reads.view().await?;
        Ok(Some(scope.services.notifications.unread(&scope.actor, view.as_mut()).await?))
    }

    /// Who asks to follow them, newest first.
    async fn follow_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ProfileEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            scope.services.graph.requests(&scope.actor, view.as_mut(), after.as_deref(), limit).await?
        };
        Profile::page(scope, page, after.as_deref()).await.map(Some)
    }

    /// Whom they mute, newest first; what is muted is in `relation`.
    async fn mutes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ProfileEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let page = {
            let mut view = scope.reads.view().await?;
            scope.services.graph.mutes(&scope.actor, view.as_mut(), after.as_deref(), limit).await?
        };
        Profile::page(scope, page, after.as_deref()).await.map(Some)
    }

    /// Whom they block, newest first. Blocked profiles are shown here and nowhere else.
    async fn blocks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<ProfileEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let mut view = scope.reads.view().await?;
        let page = scope.services.graph.blocks(&scope.actor, view.as_mut(), after.as_deref(), limit).await?;
        Ok(Some(Connection::new(page, after.as_deref(), |(edge, profile), cursor| {
            Some(ProfileEdge { cursor, node: Profile::Alone(profile.into()), since: edge.at.into() })
        })))
    }

    /// Their deleted posts that can still be restored, newest first.
    async fn deleted_posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Option<Connection<DeletedPostEdge>>> {
        let (scope, limit) = (ctx.scope(), limit(first)?);
        let mut view = scope.reads.view().await?;
        let page = scope.services.posts.deleted(&scope.actor, view.as_mut(), after.as_deref(), limit).await?;
        let edge = |post: daira_core::post::Post, cursor| Some(DeletedPostEdge { cursor, node: post.into() });
        Ok(Some(Connection::new(page, after.as_deref(), edge)))
    }
}

/// One of the reader's own sessions.
pub(crate) struct Session(pub(in crate::graphql) account::Session);

/// A place where the reader is logged in.
#[Object]
impl Session {
    /// Its id, for instance `ses_0c5h2m9k1v3q8`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is shown as, for instance "Firefox on Android".
    async fn device(&self) -> &str {
        &self.0.device
    }

    /// The profile that it acts as.
    async fn profile_id(&self) -> ID {
        self.0.profile.to_string().into()
    }

    /// Where it was used last, as far as that is known.
    async fn place(&self) -> Option<SessionPlace> {
        self.0.place.map(SessionPlace)
    }

    /// Whether somebody had logged in on this device before; the owner was told by mail where not.
    async fn is_known_device(&self) -> bool {
        self.0.known_device
    }

    /// Whether it is the one that asks.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        ctx.scope().member().is_ok_and(|member| member.session == self.0.id)
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last refreshed or used.
    async fn last_used_at(&self) -> DateTime {
        self.0.last_used_at.into()
    }

    /// When it ends unless it is refreshed.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }
}

impl Session {
    /// All living ones of the reader's account.
    pub(in crate::graphql) async fn all(scope: &Scope) -> daira_core::Result<Vec<Self>> {
        scope.member()?;
        let sessions = scope.reads.view().await?.accounts().own_sessions(scope.now()).await?;
        Ok(sessions.into_iter().map(Self).collect())
    }
}

/// Roughly where a session is used: a country, and in Egypt a governorate. It comes from the network address, which is not kept.
pub(crate) struct SessionPlace(daira_core::place::Place);

/// Roughly where a session is used: a country, and in Egypt a governorate. It comes from the network address, which is not kept.
#[Object]
impl SessionPlace {
    /// The country, for instance `EG` (ISO 3166-1).
    async fn country(&self) -> &str {
        self.0.country()
    }

    /// The part of the country, for instance `ALX` (ISO 3166-2).
    async fn region(&self) -> Option<&str> {
        Some(self.0.region()).filter(|region| !region.is_empty())
    }

    /// What it is called in the language of the request; a country by its code.
    async fn name(&self, ctx: &Context<'_>) -> &str {
        self.0.name(ctx.scope().locale)
    }
}

/// A log-in whose password was right, and that waits for the second factor.
#[derive(SimpleObject)]
pub(crate) struct SecondFactorChallenge {
    /// Lets nobody in; to be given to `verifySecondFactor`.
    challenge: String,
    /// When it lapses.
    expires_at: DateTime,
    /// Whether the digits of an authenticator app will do.
    authenticator: bool,
    /// Whether a passkey will do: `beginPasskeyLogIn` with the challenge.
    passkey: bool,
}

impl From<account::Waited> for SecondFactorChallenge {
    fn from(waited: account::Waited) -> Self {
        Self {
            challenge: waited.challenge.expose().to_owned(),
            expires_at: waited.expires_at.into(),
            authenticator: waited.authenticator,
            passkey: waited.passkey,
        }
    }
}

/// One of the reader's own passkeys.
pub(crate) struct Passkey(pub(in crate::graphql) account::Passkey);

/// A passkey of the own account.
#[Object]
impl Passkey {
    /// Its id, for instance `psk_0c5h2m9k1v3q8`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What its owner calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it last signed.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.used_at.map(Into::into)
    }
}

/// What guards the own account besides its password.
#[derive(SimpleObject)]
pub(crate) struct SecondFactor {
    /// Since when the digits of an authenticator app are asked for; nothing when they are not.
    authenticator_since: Option<DateTime>,
    /// How many passkeys there are.
    passkeys: i64,
    /// How many recovery codes are left.
    recovery_codes_left: i64,
}

impl From<account::FactorStatus> for SecondFactor {
    fn from(status: account::FactorStatus) -> Self {
        Self {
            authenticator_since: status.authenticator_since.map(Into::into),
            passkeys: i64::try_from(status.passkeys).unwrap_or(i64::MAX),
            recovery_codes_left: i64::try_from(status.recovery_codes).unwrap_or(i64::MAX),
        }
    }
}

/// What a logged-in client keeps.
#[derive(SimpleObject)]
pub(crate) struct Tokens {
    /// Proves who asks, for a quarter of an hour: `Authorization: Bearer …`.
    access_token: String,
    /// Exchanged for new tokens by `refreshSession`, once.
    refresh_token: String,
    /// When the access token ends.
    access_expires_at: DateTime,
    /// When the session ends unless it is refreshed.
    session_expires_at: DateTime,
}

impl From<account::Tokens> for Tokens {
    fn from(tokens: account::Tokens) -> Self {
        Self {
            access_token: tokens.access.expose().to_owned(),
            refresh_token: tokens.refresh.expose().to_owned(),
            access_expires_at: tokens.access_expires_at.into(),
            session_expires_at: tokens.session_expires_at.into(),
        }
    }
}
