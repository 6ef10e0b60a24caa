//! Apps of others in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::rows::OF_ACCOUNT;
use super::world::Viewer;
use super::{MemoryUnit, MemoryView};
use crate::account::{AccountState, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, AppId, ChallengeId, Id, ProfileId, SessionId};
use crate::oauth::{App, Code, ConnectedApp, Grant};
use crate::port::store::{AppReads, AppRepository};
use crate::time::Timestamp;

#[async_trait]
impl AppRepository for MemoryUnit {
    async fn insert_app(&mut self, app: &App) -> Result<()> {
        self.may_write_account(app.owner)?;
        self.change().apps.insert(app.clone(), "app.insert")
    }

    async fn app(&mut self, id: AppId) -> Result<Option<App>> {
        Ok(self.world.apps.get(&id).cloned())
    }

    async fn living_app(&mut self, id: AppId, now: Timestamp) -> Result<Option<App>> {
        let found = self.world.apps.get(&id).filter(|app| app.deleted_at.is_none());
        let stands = |app: &&App| self.world.accounts.get(&app.owner).is_some_and(|owner| owner.state.may_enter(now));
        Ok(found.filter(stands).cloned())
    }

    async fn update_app(&mut self, app: &App) -> Result<()> {
        self.may_write_account(app.owner)?;
        self.change().apps.update(app.clone(), "app.update")
    }

    async fn app_count(&mut self, owner: AccountId) -> Result<usize> {
        self.may_write_account(owner)?;
        Ok(self.world.apps.by(OF_ACCOUNT, (owner.raw(), 0)).filter(|app| app.deleted_at.is_none()).count())
    }

    async fn grant(&mut self, profile: ProfileId, app: AppId) -> Result<Option<Grant>> {
        let found = self.world.grants.get(&(profile, app)).cloned();
        Ok(found.filter(|grant| self.may_write_account(grant.account).is_ok()))
    }

    async fn put_grant(&mut self, grant: &Grant) -> Result<()> {
        self.may_write_account(grant.account)?;
        self.change().grants.put(grant.clone(), "grant.put").map(drop)
    }

    async fn delete_grant(&mut self, profile: ProfileId, app: AppId) -> Result<bool> {
        let found = self.grant(profile, app).await?.is_some();
        if found {
            self.change().grants.remove(&(profile, app));
        }
        Ok(found)
    }

    async fn delete_grants(&mut self, account: AccountId) -> Result<Vec<(ProfileId, AppId)>> {
        self.may_write_account(account)?;
        let gone = self.change().grants.take_by(OF_ACCOUNT, (account.raw(), 0));
        Ok(gone.into_iter().map(|grant| (grant.profile, grant.app)).collect())
    }

    async fn dead_grants(
        &mut self,
        owner: Option<AccountId>,
        after: Option<(AppId, ProfileId)>,
        limit: u32,
    ) -> Result<Vec<Grant>> {
        self.platform_only()?;
        let is_gone = |owner| self.world.accounts.get(&owner).is_none_or(|a| a.state == AccountState::Deleted);
        let is_meant = |app: &App| owner.is_none_or(|owner| app.owner == owner);
        let is_dead = |app: &App| is_meant(app) && (app.deleted_at.is_some() || is_gone(app.owner));
        let dead = self.world.grants.iter().filter(|grant| self.world.apps.get(&grant.app).is_some_and(is_dead));
        let mut dead: Vec<Grant> = dead.filter(|grant| Some((grant.app, grant.profile)) > after).cloned().collect();
        dead.sort_by_key(|grant| (grant.app, grant.profile));
        dead.truncate(limit as usize);
        Ok(dead)
    }

    async fn revoke_granted(
        &mut self,
        account: AccountId,
        profile: ProfileId,
        app: AppId,
        at: Timestamp,
    ) -> Result<Vec<SessionId>> {
        self.may_write_account(account)?;
        let is_meant = |s: &Session| s.profile == profile && s.granted.is_some_and(|granted| granted.app == app);
        let living = self.world.sessions.by(OF_ACCOUNT, (account.raw(), 0));
        let ended: Vec<Session> = living.filter(|s| s.is_living(at) && is_meant(s)).cloned().collect();
        let ids = ended.iter().map(|s| s.id).collect();
        for session in ended {
            self.change().sessions.put(Session { revoked_at: Some(at), ..session }, "session.revoke")?;
        }
        Ok(ids)
    }

    async fn insert_code(&mut self, code: &Code) -> Result<()> {
        self.may_write_account(code.account)?;
        self.change().codes.insert(code.clone(), "code.insert")
    }

    async fn code(&mut self, id: ChallengeId) -> Result<Option<Code>> {
        Ok(self.world.codes.get(&id).cloned())
    }

    async fn spend_code(&mut self, id: ChallengeId, session: SessionId) -> Result<()> {
        let fresh = |code: &Code| code.session.is_none() && self.may_write_account(code.account).is_ok();
        let found = self.world.codes.get(&id).cloned().filter(fresh);
        let code = found.ok_or_else(|| Error::new(ErrorKind::Stale, "code.spend"))?;
        self.change().codes.put(Code { session: Some(session), ..code }, "code.spend").map(drop)
    }

    async fn purge_codes(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        Ok(self.change().codes.take(limit as usize, |code| code.expires_at < before).len() as u64)
    }
}

#[async_trait]
impl AppReads for MemoryView {
    async fn own_apps(&mut self) -> Result<Vec<App>> {
        let Viewer::Face(_, account) = self.viewer else { return Ok(Vec::new()) };
        let mut apps: Vec<App> = self.world.apps.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        apps.retain(|app| app.deleted_at.is_none());
        apps.sort_by_key(|app| (app.created_at, app.id));
        Ok(apps)
    }

    async fn connected_apps(&mut self) -> Result<Vec<ConnectedApp>> {
        let Viewer::Face(_, account) = self.viewer else { return Ok(Vec::new()) };
        let grants = self.world.grants.by(OF_ACCOUNT, (account.raw(), 0)).cloned();
        let named = |grant: Grant| Some(ConnectedApp { name: self.world.apps.get(&grant.app)?.name.clone(), grant });
        let mut connected: Vec<ConnectedApp> = grants.filter_map(named).collect();
        connected.sort_by_key(|one| Reverse((one.grant.created_at, one.grant.app, one.grant.profile)));
        Ok(connected)
    }
}
