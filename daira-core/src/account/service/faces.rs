//! Several faces under one account: making one, and moving between them without logging in again.
//!
//! A face is a profile. What is public is keyed by it alone, and each has sessions and tokens of its own, so that nothing a
//! client shows or sends for one face tells of another. What belongs to the person behind them (log-ins, limits, blocks by
//! others, suspension) belongs to the account and holds for all of them.

use super::super::{AccountRefusal, Origin, Profile, ProfileKind, Session, Standing, forget_bearers, policy};
use super::profile::{NAME, new_handle};
use super::{AccountService, DEVICE, DRAWS, Tokens, audit, is_taken, out_of_draws};
use crate::actor::{Actor, Member};
use crate::checks::{acting, keyed};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Id, ProfileId, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::port::store::{HandleHolder, Lock};
use crate::proto::event::v1;

/// The most faces of one account that are not gone.
pub const MAX_FACES: usize = 5;

impl AccountService {
    /// Makes another face of the actor's account. Nothing links it to the others.
    ///
    /// # Errors
    /// [`AccountRefusal::HandleInvalid`], [`AccountRefusal::HandleTaken`], [`AccountRefusal::NameInvalid`],
    /// [`AccountRefusal::ForbiddenCharacter`], [`AccountRefusal::TooManyProfiles`], [`AccountRefusal::Restricted`].
    pub async fn create_profile(
        &self,
        actor: &Actor,
        handle: &str,
        name: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<ProfileId> {
        let member = *actor.member()?;
        let (handle, name) = (&new_handle(handle)?, &NAME.check(name)?);
        let taken = || Error::from(AccountRefusal::HandleTaken).on_field("handle");
        let keyed = keyed("account.create_profile", key, &(handle.as_str(), name));
        for _ in 0..DRAWS {
            // A shard of its own: not even the ids of two faces have anything in common.
            let (now, shard) = (self.ports.clock.now(), self.ports.ids.shard());
            let id: ProfileId = self.ports.ids.draw(now, shard);
            let outcome = self
                .ports
                .transact_once(actor, keyed.as_ref(), |mut unit| {
                    Box::pin(async move {
                        let unit = &mut *unit;
                        // Locked, so that two requests do not both find room for the last.
                        unit.accounts().account(member.account, Lock::Update).await?;
                        acting(unit, &member, now, AccountRefusal::Restricted).await?;
                        if unit.accounts().faces(member.account).await?.len() >= MAX_FACES {
                            return Err(AccountRefusal::TooManyProfiles.into());
                        }
                        let profile = Profile {
                            id,
                            account: member.account,
                            handle: handle.clone(),
                            name: name.clone(),
                            bio: String::new(),
                            links: Vec::new(),
                            avatar: None,
                            kind: ProfileKind::Regular,
                            private: false,
                            standing: Standing::Live,
                            created_at: now,
                            version: 1,
                        };
                        match unit.accounts().insert_profile(&profile).await {
                            Err(error) if error.kind() == ErrorKind::Conflict("handle") => return Err(taken()),
                            outcome => outcome?,
                        }
                        if !unit.accounts().claim_handle(handle, HandleHolder::Profile(id), None, now).await? {
                            return Err(taken());
                        }
                        unit.journal().append(&[v1::ProfileCreated { profile_id: id.raw() }.into()]).await?;
                        audit(unit, "account.profile_created", id, "", now).await?;
                        Ok(id)
                    })
                })
                .await;
            if !is_taken(&outcome) {
                forget_bearers(&self.ports, &[handle]).await;
                return outcome;
            }
        }
        Err(out_of_draws())
    }

    /// Begins a session as another face of the actor's account, on the same device; the one that asks goes on. It is of the
    /// same log-in: no younger, no longer, and no better proved than the one that asks. Under a key a repeated request gets
    /// the same session, as long as it lives.
    ///
    /// # Errors
    /// Not found for a face that is gone or somebody else's; [`AccountRefusal::DeviceInvalid`];
    /// [`AccountRefusal::TokenInvalid`] when the session of a repeated request has ended meanwhile;
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many.
    pub async fn switch_profile(
        &self,
        actor: &Actor,
        to: ProfileId,
        device: &str,
        key: Option<IdempotencyKey>,
    ) -> Result<(Member, Tokens)> {
        let member = *actor.member()?;
        let device = DEVICE.check(device)?;
        self.count_switch(member.account).await?;
        let keyed = keyed("account.switch_profile", key, &(to, &device));
        let settings = &self.ports.settings;
        for _ in 0..DRAWS {
            let now = self.ports.clock.now();
            let session: SessionId = self.ports.ids.draw(now, to.shard());
            let face = Member { profile: to, session, ..member };
            let new = &self.new_session(face, &device, Origin { place: None, known_device: true }, now);
            let outcome = self
                .ports
                .transact_once(actor, keyed.as_ref(), |mut unit| {
                    Box::pin(async move {
                        let unit = &mut *unit;
                        // Locked against whatever ends all sessions of the account, which this one must not outlive.
                        unit.accounts().account(member.account, Lock::Update).await?;
                        let asking = unit.accounts().session(member.session).await?;
                        let asking = asking.filter(|session| session.is_living(now));
                        let asking = asking.ok_or(AccountRefusal::SessionEnded)?;
                        let found = unit.accounts().profile(to, Lock::Share).await?;
                        let own = |face: &Profile| face.account == member.account && face.standing == Standing::Live;
                        found.filter(own).ok_or_else(Error::not_found)?;
                        let of_log_in = Session {
                            created_at: asking.created_at,
                            proven_at: asking.proven_at,
                            place: asking.place,
                            known_device: asking.known_device,
                            expires_at: policy::session_end(asking.created_at, now, settings),
                            ..new.clone()
                        };
                        unit.accounts().insert_session(&of_log_in).await?;
                        audit(unit, "account.profile_switched", new.id, "", now).await?;
                        Ok(new.id)
                    })
                })
                .await;
            if is_taken(&outcome) {
                continue;
            }
            let session = self.resume(Member { session: outcome?, ..face }).await?;
            return Ok((Member { session: session.id, ..face }, self.tokens(&session, now)?));
        }
        Err(out_of_draws())
    }
}
