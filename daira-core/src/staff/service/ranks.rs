//! Who is staff: the list, making somebody staff and taking that away; and what a profile presents itself as.

use super::super::{Permission, StaffMember, StaffRefusal, StaffRole, Why};
use super::{StaffService, allowed, named};
use crate::account::{AccountState, Email, Profile, ProfileKind, audit};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::{Error, Result};
use crate::id::{AccountId, Id, ProfileId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::{Access, Lock};
use crate::proto::event::v1;

impl StaffService {
    /// What the actor is among the staff, whether or not it counts in this session.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn own_role(&self, actor: &Actor) -> Result<Option<StaffRole>> {
        actor.member()?;
        self.ports.store.read(actor, Access::Read).await?.staff().own_role().await
    }

    /// The staff, by rank from above, each with their oldest face. Looking leaves a line in the audit trail.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit).
    pub async fn list(&self, actor: &Actor) -> Result<Vec<(StaffMember, Profile)>> {
        let now = self.ports.clock.now();
        let staff = &named(actor)?;
        let found = self.ports.transact(staff, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                allowed(unit, actor, Permission::ListStaff).await?;
                let mut list = Vec::new();
                for member in unit.staff().staff().await? {
                    let face = unit.staff().faces_of(member.account).await?.into_iter().next();
                    list.extend(face.map(|face| (member, face)));
                }
                audit(unit, "staff.listed", AccountId::from_raw(0), "", now).await?;
                Ok(list)
            })
        });
        found.await
    }

    /// Makes the person behind a profile staff of a rank, or takes them from the staff. It holds at once, whatever sessions
    /// they have; it counts only in sessions where they proved a second factor.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), [`StaffRefusal::OutOfReach`] for oneself, [`StaffRefusal::LastAdmin`], and not found for
    /// whom nobody can find or who is not active.
    pub async fn set_role(
        &self,
        actor: &Actor,
        whom: ProfileId,
        role: Option<StaffRole>,
        why: &Why,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        self.admit(actor, Permission::SetRole).await?;
        let keyed = keyed("staff.set_role", key, &(whom, role, why));
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let profile = unit.accounts().profile(whom, Lock::None).await?.ok_or_else(Error::not_found)?;
                self.put_role(unit, actor, profile.account, role, why).await
            })
        });
        done.await
    }

    /// The same for whoever has an e-mail address; for operators, who make the first admin so.
    ///
    /// # Errors
    /// Those of [`set_role`](Self::set_role).
    pub async fn set_role_by_email(
        &self,
        actor: &Actor,
        email: &str,
        role: Option<StaffRole>,
        why: &Why,
    ) -> Result<()> {
        let email = &Email::new(email)?;
        let staff = &named(actor)?;
        let done = self.ports.transact(staff, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                allowed(unit, actor, Permission::SetRole).await?;
                let account = unit.accounts().account_by_email(email).await?.ok_or_else(Error::not_found)?;
                self.put_role(unit, actor, account.id, role, why).await
            })
        });
        done.await
    }

    async fn put_role(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        whom: AccountId,
        role: Option<StaffRole>,
        why: &Why,
    ) -> Result<()> {
        let now = self.ports.clock.now();
        // The admins first, in one order: of two who would take each other away one is left.
        let admins = unit.staff().admins().await?;
        let acting = allowed(unit, actor, Permission::SetRole).await?;
        if acting.is_some_and(|(account, _)| account == whom) {
            return Err(StaffRefusal::OutOfReach.into());
        }
        let account = unit.accounts().account(whom, Lock::Update).await?.ok_or_else(Error::not_found)?;
        let was = unit.staff().role(whom, Lock::Update).await?;
        if role.is_some() && account.state != AccountState::Active {
            return Err(Error::not_found());
        }
        if was == role {
            return Ok(());
        }
        if was == Some(StaffRole::Admin) && admins == [whom] {
            return Err(StaffRefusal::LastAdmin.into());
        }
        match role {
            Some(role) => unit.staff().put_role(&StaffMember { account: whom, role, since: now }).await?,
            None => drop(unit.staff().remove_role(whom).await?),
        }
        let name = |role: Option<StaffRole>| role.map_or("none", StaffRole::name);
        let event =
            v1::StaffRoleChanged { account_id: whom.raw(), role: name(role).to_owned(), at_micros: now.as_micros() };
        unit.journal().append(&[event.into()]).await?;
        let detail = format!("from={} to={} {why}", name(was), name(role));
        audit(unit, "staff.role_set", whom, &detail, now).await
    }

    /// Says what a profile presents itself as.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), [`StaffRefusal::OutOfReach`], not found.
    pub async fn set_kind(
        &self,
        actor: &Actor,
        whom: ProfileId,
        kind: ProfileKind,
        why: &Why,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        self.admit(actor, Permission::SetKind).await?;
        let keyed = keyed("staff.set_kind", key, &(whom, kind_name(kind), why));
        let now = self.ports.clock.now();
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, Permission::SetKind).await?;
                self.reached(unit, acting, whom).await?;
                let profile = unit.accounts().profile(whom, Lock::Update).await?.ok_or_else(Error::not_found)?;
                if profile.kind == kind {
                    return Ok(());
                }
                let detail = format!("from={} to={} {why}", kind_name(profile.kind), kind_name(kind));
                let profile = Profile { kind, version: profile.version + 1, ..profile };
                unit.accounts().update_profile(&profile).await?;
                unit.journal().append(&[v1::ProfileChanged { profile_id: whom.raw() }.into()]).await?;
                audit(unit, "staff.kind_set", whom, &detail, now).await
            })
        });
        done.await
    }
}

fn kind_name(kind: ProfileKind) -> &'static str {
    super::super::Role::from(kind).name()
}
