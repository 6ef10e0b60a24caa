//! Tokens of apps: a code is exchanged once, refresh tokens are spent like anybody's, and what is copied ends all of it.

use super::super::{App, Code, Granted, OauthRefusal, Scopes, code};
use super::consent::shut_out;
use super::{Client, OauthService};
use crate::account::policy::{self, Refresh};
use crate::account::service::{DRAWS, audit, end_session, is_taken, note_reuse, out_of_draws};
use crate::account::{AccountRefusal, Origin, Pass, Profile, Session, Tokens};
use crate::actor::{Actor, Member};
use crate::error::{Error, Result};
use crate::id::{ProfileId, SessionId};
use crate::port::IdClaims;
use crate::port::store::{Access, Lock};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Where an app's own server is says nothing of the person.
const APP: Origin = Origin { place: None, known_device: true };

/// What an app is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The access token.
    pub access: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What it may do.
    pub scopes: Scopes,
    /// Exchanged for the next, once; only to an app that stays connected.
    pub refresh: Option<Secret>,
    /// Who logged in, signed.
    pub id_token: Option<Secret>,
}

/// What a token that an app presents is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// What it may do.
    pub scopes: Scopes,
    /// The profile it acts as.
    pub profile: ProfileId,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What an app learns of who logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The profile.
    pub profile: ProfileId,
    /// What others see of it, to an app that may see it.
    pub shown: Option<Profile>,
}

/// What an exchange comes to.
enum Exchanged {
    /// A session.
    New(Session),
    /// A code that was exchanged before: an answer was lost, or somebody has a copy. The session that it gave has ended.
    Again(SessionId),
    /// A code that holds no more.
    No,
}

impl OauthService {
    /// Exchanges a code, once. One that comes back may be in two hands: the session that it gave ends (RFC 6749 §4.1.2), and the
    /// app asks for another code, which takes nobody's consent again.
    ///
    /// # Errors
    /// [`OauthRefusal::ClientInvalid`], [`OauthRefusal::GrantInvalid`];
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many wrong secrets.
    pub async fn exchange(&self, client: &Client, given: &Secret, redirect: &str, verifier: &Secret) -> Result<Issued> {
        let refuse = || Error::from(OauthRefusal::GrantInvalid);
        let app = &self.client(client).await?;
        let id = code::named(given).ok_or_else(refuse)?;
        let found = self.ports.store.begin(&Actor::Anonymous).await?.apps().code(id).await?;
        let good = |kept: &Code| {
            kept.app == app.id
                && code::seal(&self.ports.keys.oauth, kept) == *given
                && kept.redirect == redirect
                && code::is_verifier(&kept.challenge, verifier)
        };
        let kept = &found.filter(good).ok_or_else(refuse)?;
        for _ in 0..DRAWS {
            let now = self.ports.clock.now();
            match self.spend(app, kept, now).await {
                outcome if is_taken(&outcome) => {}
                outcome => {
                    return match outcome? {
                        Exchanged::New(session) => {
                            let id_token = self.id_token(app, kept, now)?;
                            Ok(Issued { id_token, ..self.issued(&session, now)? })
                        }
                        Exchanged::Again(ended) => {
                            tracing::warn!(app = %app.id, "a code came back: what it gave ends");
                            self.accounts.tell_ended(&[ended], now).await;
                            Err(refuse())
                        }
                        Exchanged::No => Err(refuse()),
                    };
                }
            }
        }
        Err(out_of_draws())
    }

    async fn spend(&self, app: &App, kept: &Code, now: Timestamp) -> Result<Exchanged> {
        let Code { id, account, profile, scopes, .. } = *kept;
        let session: SessionId = self.ports.ids.draw(now, crate::id::Id::shard(profile));
        let member = Member { account, profile, session };
        let settings = &self.ports.settings;
        let expires_at = if scopes.contains(Scopes::OFFLINE) {
            policy::session_end(now, now, settings)
        } else {
            now + settings.access_token_life
        };
        let granted = Some(Granted { app: app.id, scopes });
        let began = self.accounts.new_session(member, &app.name, APP, now);
        let new = &Session { granted, expires_at, proven_at: kept.proven_at, ..began };
        self.ports
            .transact(&Actor::Member(member), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    // Locked, so that whatever ends all sessions of the account comes wholly before or after this one.
                    let found = unit.accounts().account(account, Lock::Update).await?;
                    let agreed_on = unit.accounts().session(kept.agreed_on).await?;
                    let lives = found.is_some_and(|account| account.state.may_enter(now))
                        && agreed_on.is_some_and(|session| session.is_living(now));
                    let Some(code) = unit.apps().code(id).await? else { return Ok(Exchanged::No) };
                    if let Some(given) = code.session {
                        if let Some(given) = unit.accounts().session(given).await?.filter(|given| given.is_living(now))
                        {
                            end_session(unit, given, now, "app_code_reused").await?;
                        }
                        return Ok(Exchanged::Again(given));
                    }
                    let grant = unit.apps().grant(profile, app.id).await?;
                    let holds = grant.is_some_and(|grant| grant.scopes.contains(scopes));
                    if !lives || !holds || now >= code.expires_at {
                        return Ok(Exchanged::No);
                    }
                    unit.accounts().insert_session(new).await?;
                    unit.apps().spend_code(id, session).await?;
                    audit(unit, "app.log_in", session, "", now).await?;
                    Ok(Exchanged::New(new.clone()))
                })
            })
            .await
    }

    /// Exchanges a refresh token of the app for the next tokens, to do all that was agreed to or, where it says so, less. It is
    /// forgiven once and briefly like anybody's; a copy that comes back later ends all that the app has of this profile.
    ///
    /// # Errors
    /// [`OauthRefusal::ClientInvalid`], [`OauthRefusal::GrantInvalid`], [`OauthRefusal::ScopeInvalid`].
    pub async fn refresh(&self, client: &Client, refresh: &Secret, scope: Option<&str>) -> Result<Issued> {
        let refuse = || Error::from(OauthRefusal::GrantInvalid);
        let app = self.client(client).await?;
        // Before it is spent: a request for more than was given must not cost what was given.
        let asked = scope.map(|scope| Scopes::parse(scope).ok_or(OauthRefusal::ScopeInvalid)).transpose()?;
        let of_app = |session: &Session| session.granted.filter(|granted| granted.app == app.id);
        let given = self.accounts.session_of(refresh).await?.as_ref().and_then(of_app).ok_or_else(refuse)?;
        if !given.scopes.contains(Scopes::OFFLINE) {
            return Err(refuse());
        }
        let scopes = asked.unwrap_or(given.scopes);
        if !given.scopes.contains(scopes) {
            return Err(OauthRefusal::ScopeInvalid.into());
        }
        let now = self.ports.clock.now();
        let (session, verdict) = self.accounts.rotate(refresh, Some(app.id), None, now).await?.ok_or_else(refuse)?;
        if verdict == Refresh::Reuse {
            note_reuse(session.id);
            self.end_copied(&session, &app, now).await?;
            return Err(refuse());
        }
        let refresh = self.accounts.tokens(&session, now)?.refresh;
        let narrowed = Session { granted: Some(Granted { app: app.id, scopes }), ..session };
        Ok(Issued { refresh: Some(refresh), ..self.issued(&narrowed, now)? })
    }

    async fn end_copied(&self, copied: &Session, app: &App, now: Timestamp) -> Result<()> {
        let Session { id, account, profile, .. } = *copied;
        let of = Member { account, profile, session: id };
        let owner = Actor::Member(of);
        let ended = self.ports.transact(&owner, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                unit.accounts().account(account, Lock::Update).await?;
                let reason = move |session| if session == id { "refresh_reused" } else { "app_disconnected" };
                shut_out(unit, (copied.account, copied.profile), app.id, now, reason).await
            })
        });
        let ended = ended.await?.unwrap_or_default();
        self.accounts.tell_ended(&ended, now).await;
        Ok(())
    }

    /// Ends the session that a token of the app is of, whichever kind of token it is. One that is none is as good (RFC 7009).
    ///
    /// # Errors
    /// [`OauthRefusal::ClientInvalid`], and the store's.
    pub async fn revoke(&self, client: &Client, token: &Secret) -> Result<()> {
        let app = self.client(client).await?;
        let now = self.ports.clock.now();
        let session = match self.ports.signer.verify(token.expose(), now) {
            Ok(claims) => self.ports.store.begin(&Actor::Anonymous).await?.accounts().session(claims.session).await?,
            Err(_) => self.accounts.session_of(token).await?,
        };
        match session.filter(|session| session.granted.is_some_and(|granted| granted.app == app.id)) {
            Some(session) => self.accounts.end_as_owner(&session, "app_log_out").await,
            None => Ok(()),
        }
    }

    /// What a token of the app is worth; nothing for one that is none of its own, or is over (RFC 7662). Only an app with a secret
    /// may ask.
    ///
    /// # Errors
    /// [`OauthRefusal::ClientInvalid`], and the store's.
    pub async fn introspect(&self, client: &Client, token: &Secret) -> Result<Option<Presented>> {
        let app = self.client(client).await?;
        if !app.confidential {
            return Err(OauthRefusal::ClientInvalid.into());
        }
        let now = self.ports.clock.now();
        let pass = match self.accounts.admit(token).await {
            Ok(pass) => pass,
            Err(error) if error.refusal() == Some(AccountRefusal::TokenInvalid) => {
                let found = self.accounts.session_of(token).await?;
                let is_whole = |session: &Session| session.is_living(now) && self.is_newest(session, token);
                let living = found.filter(is_whole);
                return Ok(living.and_then(|session| {
                    let granted = session.granted.filter(|granted| granted.app == app.id)?;
                    let (profile, expires_at) = (session.profile, session.expires_at);
                    Some(Presented { scopes: granted.scopes, profile, expires_at })
                }));
            }
            Err(error) => return Err(error),
        };
        let granted = pass.granted().filter(|granted| granted.app == app.id);
        let parts = granted.zip(pass.actor().profile()).zip(pass.until());
        Ok(parts.map(|((granted, profile), expires_at)| Presented { scopes: granted.scopes, profile, expires_at }))
    }

    fn is_newest(&self, session: &Session, token: &Secret) -> bool {
        let (key, generation) = (&self.ports.keys.refresh, session.generation);
        crate::account::token::seal(key, session.id, generation, &session.salt) == *token
    }

    /// What the holder of a pass may learn of who it stands for.
    ///
    /// # Errors
    /// [`OauthRefusal::ScopeMissing`].
    pub async fn user_info(&self, pass: &Pass) -> Result<UserInfo> {
        pass.may(super::super::scope::needed("/oauth/userinfo"))?;
        let profile = pass.actor().member()?.profile;
        if pass.may(Scopes::READ_PROFILE).is_err() {
            return Ok(UserInfo { profile, shown: None });
        }
        let mut view = self.ports.store.read(pass.actor(), Access::Read).await?;
        let shown = view.accounts().profiles(&[profile]).await?.into_iter().next();
        Ok(UserInfo { profile, shown })
    }

    fn issued(&self, session: &Session, now: Timestamp) -> Result<Issued> {
        let scopes = session.granted.map_or(Scopes::NONE, |granted| granted.scopes);
        let Tokens { access, refresh, access_expires_at: expires_at, .. } = self.accounts.tokens(session, now)?;
        let refresh = scopes.contains(Scopes::OFFLINE).then_some(refresh);
        Ok(Issued { access, expires_at, scopes, refresh, id_token: None })
    }

    fn id_token(&self, app: &App, code: &Code, now: Timestamp) -> Result<Option<Secret>> {
        if !code.scopes.contains(Scopes::OPENID) {
            return Ok(None);
        }
        let claims = IdClaims {
            issuer: self.issuer.to_string(),
            app: app.id,
            profile: code.profile,
            nonce: code.nonce.clone(),
            proven_at: code.proven_at,
            issued_at: now,
            expires_at: now + self.ports.settings.access_token_life,
        };
        Ok(Some(Secret::new(self.ports.signer.sign_id(&claims)?)))
    }
}
