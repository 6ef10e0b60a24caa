//! Staff, sanctions and takedowns in memory.

use core::cmp::Reverse;

use async_trait::async_trait;

use super::rows::{OF_ACCOUNT, OF_PROFILE};
use super::table::Row as _;
use super::world::Viewer;
use super::{MemoryUnit, MemoryView};
use crate::account::{AccountState, Profile, Session, Standing};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ChallengeId, Id};
use crate::port::store::{Lock, StaffReads, StaffRepository};
use crate::staff::{Sanction, StaffMember, StaffRole, Strike, Struck, Takedown, Target};
use crate::time::Timestamp;

/// How many takedowns their owner is told of.
const TOLD: usize = 100;

#[async_trait]
impl StaffRepository for MemoryUnit {
    async fn role(&mut self, account: AccountId, _: Lock) -> Result<Option<StaffRole>> {
        self.platform_only()?;
        Ok(self.world.staff.get(&account).map(|member| member.role))
    }

    async fn staff(&mut self) -> Result<Vec<StaffMember>> {
        self.platform_only()?;
        let mut staff: Vec<StaffMember> = self.world.staff.iter().copied().collect();
        staff.sort_by_key(|member| (Reverse(member.role), member.since, member.account));
        Ok(staff)
    }

    async fn admins(&mut self) -> Result<Vec<AccountId>> {
        self.platform_only()?;
        let admins = self.world.staff.iter().filter(|member| member.role == StaffRole::Admin);
        Ok(admins.map(|member| member.account).collect())
    }

    async fn put_role(&mut self, member: &StaffMember) -> Result<()> {
        self.platform_only()?;
        self.change().staff.put(*member, "staff.put").map(drop)
    }

    async fn remove_role(&mut self, account: AccountId) -> Result<bool> {
        self.platform_only()?;
        Ok(self.change().staff.remove(&account).is_some())
    }

    async fn faces_of(&mut self, account: AccountId) -> Result<Vec<Profile>> {
        self.platform_only()?;
        let mut faces: Vec<Profile> = self.world.profiles.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        faces.retain(|face| face.standing != Standing::Gone);
        faces.sort_by_key(|face| (face.created_at, face.id));
        Ok(faces)
    }

    async fn sessions_of(&mut self, account: AccountId, now: Timestamp) -> Result<Vec<Session>> {
        self.platform_only()?;
        let mut sessions: Vec<Session> = self.world.sessions.by(OF_ACCOUNT, (account.raw(), 0)).cloned().collect();
        sessions.retain(|session| session.is_living(now));
        sessions.sort_by_key(|session| Reverse((session.created_at, session.id)));
        Ok(sessions)
    }

    async fn sanction(&mut self, account: AccountId) -> Result<Option<Sanction>> {
        self.platform_only()?;
        Ok(self.world.sanctions.get(&account).cloned())
    }

    async fn put_sanction(&mut self, sanction: &Sanction) -> Result<()> {
        self.platform_only()?;
        self.change().sanctions.put(sanction.clone(), "sanction.put").map(drop)
    }

    async fn remove_sanction(&mut self, account: AccountId) -> Result<bool> {
        self.platform_only()?;
        Ok(self.change().sanctions.remove(&account).is_some())
    }

    async fn put_strike(&mut self, strike: &Strike) -> Result<()> {
        self.platform_only()?;
        if self.world.strikes.has(&strike.key()) {
            return Ok(());
        }
        self.change().strikes.put(*strike, "strike.put").map(drop)
    }

    async fn remove_strike(&mut self, strike: &Strike) -> Result<bool> {
        self.platform_only()?;
        Ok(self.change().strikes.remove(&strike.key()).is_some())
    }

    async fn latest_strike(&mut self, of: Struck) -> Result<Option<Strike>> {
        self.platform_only()?;
        let is_meant = |strike: &&Strike| match of {
            Struck::Account(account) => strike.account == account && strike.what.is_none(),
            Struck::Content(target) => strike.what == Some(target),
        };
        Ok(self.world.strikes.iter().filter(is_meant).max_by_key(|strike| strike.at).copied())
    }

    async fn suspensions_over(&mut self, now: Timestamp, limit: u32) -> Result<Vec<AccountId>> {
        self.platform_only()?;
        let over = |state| matches!(state, AccountState::Suspended(until) if until <= now);
        let over = self.world.accounts.iter().filter(|account| over(account.state)).map(|account| account.id);
        Ok(over.take(limit as usize).collect())
    }

    async fn take_down(&mut self, takedown: &Takedown) -> Result<()> {
        self.platform_only()?;
        if self.world.takedowns.has(&takedown.target) {
            return Err(Error::new(ErrorKind::Conflict("takedown"), "takedown.insert"));
        }
        self.change().takedowns.put(takedown.clone(), "takedown.insert").map(drop)
    }

    async fn put_back(&mut self, target: Target) -> Result<bool> {
        self.platform_only()?;
        Ok(self.change().takedowns.remove(&target).is_some())
    }

    async fn takedown(&mut self, target: Target) -> Result<Option<Takedown>> {
        let viewer = self.viewer();
        Ok(self.world.takedowns.get(&target).filter(|takedown| viewer.is(takedown.owner)).cloned())
    }

    async fn takedown_told_by(&mut self, notice: ChallengeId) -> Result<Option<Takedown>> {
        self.platform_only()?;
        Ok(self.world.takedowns.iter().find(|takedown| takedown.notice == notice).cloned())
    }
}

#[async_trait]
impl StaffReads for MemoryView {
    async fn own_role(&mut self) -> Result<Option<StaffRole>> {
        let Viewer::Face(_, account) = self.viewer else { return Ok(None) };
        Ok(self.world.staff.get(&account).map(|member| member.role))
    }

    async fn own_sanction(&mut self) -> Result<Option<Sanction>> {
        let Viewer::Face(_, account) = self.viewer else { return Ok(None) };
        Ok(self.world.sanctions.get(&account).cloned())
    }

    async fn own_takedowns(&mut self) -> Result<Vec<Takedown>> {
        let Some(me) = self.viewer.profile() else { return Ok(Vec::new()) };
        let mut own: Vec<Takedown> = self.world.takedowns.by(OF_PROFILE, (me.raw(), 0)).cloned().collect();
        own.sort_by_key(|takedown| Reverse((takedown.at, takedown.target)));
        own.truncate(TOLD);
        Ok(own)
    }
}
