//! Letting an app in, seeing which are in, and shutting one out.

use std::sync::{Mutex, PoisonError};

use super::super::request::{Parameters, answer};
use super::super::{App, Asked, Code, ConnectedApp, Grant, OauthRefusal, Request, Scopes, code};
use super::OauthService;
use crate::account::service::{DRAWS, audit, is_taken, out_of_draws, send, taken, tell_end};
use crate::account::{AccountRefusal, MailingKind, policy};
use crate::actor::{Actor, Member};
use crate::checks::{acting, keyed};
use crate::error::{Error, Result};
use crate::id::{AccountId, AppId, ChallengeId, Id, ProfileId, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::{Access, Lock};
use crate::proto::event::v1;
use crate::time::Timestamp;

/// How long a code waits to be exchanged.
const CODE_LIFE: core::time::Duration = core::time::Duration::from_mins(1);

impl OauthService {
    /// Reads what an app sent a browser with, the query of the address.
    ///
    /// # Errors
    /// [`OauthRefusal::AppUnknown`], [`OauthRefusal::RedirectUnknown`], [`OauthRefusal::RequestInvalid`]: for these the person is
    /// told and nobody is sent anywhere.
    pub async fn request(&self, query: &str) -> Result<Asked> {
        let parameters = Parameters::read(query)?;
        let app = self.living_app(parameters.app()?).await?.ok_or(OauthRefusal::AppUnknown)?;
        parameters.judge(app, &self.issuer, self.has_id_tokens())
    }

    /// The request that a person is asked about, and whether the profile that acts has agreed to all of it before, to an app that
    /// proves itself: of any other, somebody else's could say to be it (RFC 8252 §8.6).
    ///
    /// # Errors
    /// Those of [`request`](Self::request), and [`OauthRefusal::RequestInvalid`] for one that only the app is told about.
    pub async fn asked(&self, actor: &Actor, query: &str) -> Result<(Request, bool)> {
        let member = *actor.member()?;
        let request = self.for_person(query).await?;
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let connected = view.apps().connected_apps().await?;
        let agreed = connected.iter().any(|one| {
            let grant = &one.grant;
            grant.app == request.app.id && grant.profile == member.profile && grant.scopes.contains(request.scopes)
        });
        let agreed = agreed && request.app.confidential;
        Ok((request, agreed))
    }

    async fn for_person(&self, query: &str) -> Result<Request> {
        match self.request(query).await? {
            Asked::Person(request) => Ok(*request),
            Asked::App(_) => Err(OauthRefusal::RequestInvalid.into()),
        }
    }

    /// Where a person who does not agree is sent.
    pub fn refusal(&self, request: &Request) -> String {
        answer(&request.redirect, &[("error", "access_denied")], request.state.as_deref(), &self.issuer)
    }

    /// Lets an app act as the profile that acts, to do what it asks for; answers where the person is sent, with a code for the
    /// app. Its owner hears by mail of an app that was not in before, or may do more.
    ///
    /// # Errors
    /// Those of [`asked`](Self::asked); [`AccountRefusal::ProofNeeded`] where the app wants the person to have proved themselves
    /// more lately, or would stay connected without having been before: who took over a session must not plant what outlives
    /// it; [`AccountRefusal::Restricted`]; [`LimitRefusal::Reached`](crate::port::LimitRefusal).
    pub async fn authorize(&self, actor: &Actor, query: &str, key: Option<IdempotencyKey>) -> Result<String> {
        let member = *actor.member()?;
        let request = &self.for_person(query).await?;
        self.accounts.count_authorization(member.account).await?;
        let keyed = keyed("oauth.authorize", key, &query);
        for _ in 0..DRAWS {
            let now = self.ports.clock.now();
            let id: ChallengeId = self.ports.ids.draw(now, self.ports.ids.shard());
            let outcome = self
                .ports
                .transact_once(actor, keyed.as_ref(), |mut unit| {
                    Box::pin(async move {
                        self.let_in(&mut *unit, member, request, id, now).await?;
                        Ok(id)
                    })
                })
                .await;
            if is_taken(&outcome) {
                continue;
            }
            let id = outcome?;
            let kept = self.ports.store.begin(actor).await?.apps().code(id).await?;
            let kept = kept.ok_or(OauthRefusal::GrantInvalid)?;
            let sealed = code::seal(&self.ports.keys.oauth, &kept);
            let pairs = [("code", sealed.expose())];
            return Ok(answer(&request.redirect, &pairs, request.state.as_deref(), &self.issuer));
        }
        Err(out_of_draws())
    }

    async fn let_in(
        &self,
        unit: &mut dyn UnitOfWork,
        member: Member,
        request: &Request,
        id: ChallengeId,
        now: Timestamp,
    ) -> Result<()> {
        // Locked against whatever ends all sessions, and against itself.
        let account = unit.accounts().account(member.account, Lock::Update).await?;
        let account = account.ok_or(AccountRefusal::TokenInvalid)?;
        acting(unit, &member, now, AccountRefusal::Restricted).await?;
        let session = unit.accounts().session(member.session).await?.filter(|session| session.is_living(now));
        let session = session.ok_or(AccountRefusal::SessionEnded)?;
        if session.granted.is_some() {
            return Err(OauthRefusal::ScopeMissing.into());
        }
        if let Some(max_age) = request.max_age {
            // Whoever must prove themselves anew has a moment for it.
            let grace = max_age.max(CODE_LIFE);
            policy::may_change_ways_in(&session, now, grace)?;
        }
        let App { id: app, .. } = request.app;
        let before = unit.apps().grant(member.profile, app).await?;
        let stayed = before.as_ref().is_some_and(|grant| grant.scopes.contains(Scopes::OFFLINE));
        if request.scopes.contains(Scopes::OFFLINE) && !(stayed && request.app.confidential) {
            policy::may_change_ways_in(&session, now, self.ports.settings.proof_life)?;
        }
        if !before.as_ref().is_some_and(|grant| grant.scopes.contains(request.scopes)) {
            let grant = Grant {
                app,
                profile: member.profile,
                account: member.account,
                scopes: before.as_ref().map_or(request.scopes, |grant| grant.scopes.with(request.scopes)),
                created_at: before.map_or(now, |grant| grant.created_at),
            };
            unit.apps().put_grant(&grant).await?;
            let event = v1::AppConnected { profile_id: member.profile.raw(), app_id: app.raw() };
            unit.journal().append(&[event.into()]).await?;
            audit(unit, "app.connected", app, &grant.scopes.to_string(), now).await?;
            let notice =
                self.accounts.mailing(MailingKind::AppConnected, account.email, Some(account.id), account.locale);
            send(unit, &notice).await?;
        }
        let code = Code {
            id,
            app,
            account: member.account,
            profile: member.profile,
            scopes: request.scopes,
            redirect: request.redirect.clone(),
            challenge: request.challenge,
            nonce: request.nonce.clone(),
            agreed_on: session.id,
            proven_at: session.proven_at,
            expires_at: now + CODE_LIFE,
            session: None,
        };
        unit.apps().insert_code(&code).await
    }

    /// The apps that the account lets act as any of its profiles, newest first.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn connected_apps(&self, actor: &Actor) -> Result<Vec<ConnectedApp>> {
        actor.member()?;
        self.ports.store.read(actor, Access::Read).await?.apps().connected_apps().await
    }

    /// Shuts an app out of one of the account's profiles, the acting one where none is named: its tokens are worth nothing at
    /// once. Says whether it was in.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn disconnect(
        &self,
        actor: &Actor,
        app: AppId,
        profile: Option<ProfileId>,
        key: Option<IdempotencyKey>,
    ) -> Result<bool> {
        let (member, now) = (*actor.member()?, self.ports.clock.now());
        let profile = profile.unwrap_or(member.profile);
        let keyed = keyed("oauth.disconnect", key, &(app, profile));
        let told = &Mutex::new(Vec::new());
        let was_in = self
            .ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    unit.accounts().account(member.account, Lock::Update).await?;
                    let ended = shut_out(unit, (member.account, profile), app, now, |_| "app_disconnected").await?;
                    let was_in = ended.is_some();
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = ended.unwrap_or_default();
                    Ok(was_in)
                })
            })
            .await?;
        self.accounts.tell_ended(&taken(told), now).await;
        Ok(was_in)
    }
}

/// Takes from an app what a profile let it do, and ends its sessions; answers which, or nothing where it was not in. The account
/// is locked.
pub(super) async fn shut_out(
    unit: &mut dyn UnitOfWork,
    (account, profile): (AccountId, ProfileId),
    app: AppId,
    now: Timestamp,
    reason: impl Fn(SessionId) -> &'static str + Send,
) -> Result<Option<Vec<SessionId>>> {
    let Some(grant) = unit.apps().grant(profile, app).await? else { return Ok(None) };
    if grant.account != account {
        return Err(Error::not_found());
    }
    unit.apps().delete_grant(profile, app).await?;
    let ended = unit.apps().revoke_granted(account, profile, app, now).await?;
    for id in &ended {
        if let Some(session) = unit.accounts().session(*id).await? {
            tell_end(unit, &session, now, reason(*id)).await?;
        }
    }
    let event = v1::AppDisconnected { profile_id: profile.raw(), app_id: app.raw() };
    unit.journal().append(&[event.into()]).await?;
    audit(unit, "app.disconnected", app, "", now).await?;
    Ok(Some(ended))
}
