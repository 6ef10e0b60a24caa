//! What staff see of people and do to them: looking somebody up, ending sessions, restricting, suspending, banning, lifting.

use std::sync::{Mutex, PoisonError};

use super::super::{
    Permission, PrivateField, Reason, Sanction, StaffRefusal, StaffRole, Strike, Struck, Takedown, Why, policy,
};
use super::{Acting, StaffService, allowed, named, within_reach};
use crate::account::{
    self, Account, AccountRefusal, AccountState, Email, MailingKind, Profile, Session, Standing, audit, end_all,
    end_session, send, taken,
};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::{Error, Result};
use crate::id::{AccountId, Id, ProfileId, SessionId};
use crate::idempotency::IdempotencyKey;
use crate::port::UnitOfWork;
use crate::port::store::{Access, Lock};
use crate::proto::event::v1;
use crate::text::Handle;
use crate::time::{Date, Timestamp};

/// Whom staff mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonName {
    /// Who is behind a profile.
    Profile(ProfileId),
    /// Who is behind the profile with a handle.
    Handle(String),
    /// Who has an e-mail address; takes the right to see addresses.
    Email(String),
}

/// A wish to see somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// Whom.
    pub whom: PersonName,
    /// What of it that is private.
    pub fields: Vec<PrivateField>,
    /// Why.
    pub why: Why,
}

/// What guards an account besides its password, as staff see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// Whether digits of an app are asked for.
    pub authenticator: bool,
    /// How many passkeys there are.
    pub passkeys: usize,
}

/// Somebody as staff see them. A private field is there only when it was asked for and may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFile {
    /// The face that was meant; by an address, the oldest.
    pub profile: Profile,
    /// What the account is allowed at present.
    pub state: AccountState,
    /// When the person joined.
    pub joined_at: Timestamp,
    /// What they are among the staff.
    pub role: Option<StaffRole>,
    /// The e-mail address.
    pub email: Option<Email>,
    /// When the person was born.
    pub birth_date: Option<Date>,
    /// All faces that are not gone, oldest first.
    pub faces: Option<Vec<Profile>>,
    /// Living sessions, newest first.
    pub sessions: Option<Vec<Session>>,
    /// What guards the account.
    pub guards: Option<Guards>,
    /// What was done to the account.
    pub sanction: Option<Sanction>,
}

/// What is done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// It may read only.
    Restrict,
    /// Shut out until an instant.
    Suspend(Timestamp),
    /// Shut out for good.
    Ban,
}

impl Measure {
    fn state(self) -> AccountState {
        match self {
            Self::Restrict => AccountState::Restricted,
            Self::Suspend(until) => AccountState::Suspended(until),
            Self::Ban => AccountState::Banned,
        }
    }

    fn until(self) -> Option<Timestamp> {
        match self {
            Self::Suspend(until) => Some(until),
            Self::Restrict | Self::Ban => None,
        }
    }

    fn permission(self) -> Permission {
        match self {
            Self::Restrict => Permission::Restrict,
            Self::Suspend(_) => Permission::Suspend,
            Self::Ban => Permission::Ban,
        }
    }
}

impl StaffService {
    /// Shows somebody, with the private fields that were asked for. The line in the audit trail (who, whom, which fields, why) is
    /// durable before anything is answered, and is there for whom nobody was found, too.
    ///
    /// # Errors
    /// [`StaffRefusal::NotAllowed`] also for a field that the role may not see, on `fields`; not found.
    pub async fn look_up(&self, actor: &Actor, wish: &LookUp) -> Result<PersonFile> {
        let (mut fields, now) = (wish.fields.clone(), self.ports.clock.now());
        if matches!(wish.whom, PersonName::Email(_)) {
            fields.push(PrivateField::Email);
        }
        fields.sort_unstable();
        fields.dedup();
        let fields = &fields;
        let staff = &named(actor)?;
        let found = self.ports.transact(staff, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, Permission::LookUp).await?;
                let role = acting.map_or(super::super::Role::Service, |(_, role)| role.into());
                if !fields.iter().all(|field| field.is_of(role)) {
                    return Err(Error::from(StaffRefusal::NotAllowed).on_field("fields"));
                }
                let found = meant(unit, &wish.whom).await?;
                let names: Vec<&str> = fields.iter().map(|field| field.code()).collect();
                let account = found.as_ref().map_or(0, |(account, _)| account.id.raw());
                let detail = format!("fields={} {}", names.join(","), wish.why);
                audit(unit, "staff.looked_up", AccountId::from_raw(account), &detail, now).await?;
                match found {
                    Some((account, profile)) => Ok(Some(file(unit, account, profile, fields, now).await?)),
                    None => Ok(None),
                }
            })
        });
        found.await?.ok_or_else(Error::not_found)
    }

    /// Restricts, suspends or bans the person behind a profile, in the place of what was done to them before. Whoever is shut
    /// out is out at once, with all faces and on every node, and hidden from everybody. They are told by mail, with the reason.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), [`StaffRefusal::OutOfReach`], [`StaffRefusal::UntilInvalid`] on `until`, not found.
    pub async fn sanction(
        &self,
        actor: &Actor,
        whom: ProfileId,
        measure: Measure,
        why: &Why,
        key: Option<IdempotencyKey>,
    ) -> Result<()> {
        self.admit(actor, measure.permission()).await?;
        let (name, until) = (measure.state().name(), measure.until().map(Timestamp::as_micros));
        let keyed = keyed("staff.sanction", key, &(whom, name, until, why));
        let (now, told) = (self.ports.clock.now(), &Mutex::new(Vec::new()));
        let by = actor.profile();
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, measure.permission()).await?;
                if let Some(until) = measure.until() {
                    policy::may_last(until, now)?;
                }
                let account = self.reached(unit, acting, whom).await?;
                let before = unit.staff().sanction(account.id).await?;
                if let Some(needed) = policy::permission_for(account.state) {
                    // What somebody above did is not weakened from below.
                    allowed(unit, actor, needed).await?;
                    policy::may_undo(acting, before.as_ref().and_then(|before| before.rank))?;
                }
                let asleep = is_asleep(unit, &account, before.as_ref()).await?;
                let (id, was) = (account.id, account.state);
                let rank = acting.map(|(_, role)| role);
                let sanction = Sanction { account: id, by, rank, why: why.clone(), at: now, asleep };
                if let Some(before) = before.filter(|_| is_sanctioned(was)) {
                    // One offence, however often what is done about it changes.
                    take_back(unit, Struck::Account(id), |strike| strike.at == before.at).await?;
                }
                unit.staff().put_strike(&Strike { account: id, what: None, at: now, rank }).await?;
                unit.staff().put_sanction(&sanction).await?;
                let leaving_at = match (account.leaving_at, measure.until()) {
                    (Some(at), Some(until)) => Some(account::policy::postponed(at, until)),
                    (at, _) => at,
                };
                let account = Account { leaving_at, ..account };
                let account = self.change_state(unit, account, (measure.state(), asleep), why, now).await?;
                if measure != Measure::Restrict {
                    let ended = end_all(unit, id, None, None, now, |_| "suspended").await?;
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = ended;
                }
                let detail = format!("from={} to={} {why}", state_text(was), state_text(account.state));
                audit(unit, "staff.sanctioned", id, &detail, now).await?;
                let notice = self.accounts.mailing(MailingKind::Sanctioned, account.email, Some(id), account.locale);
                send(unit, &notice).await
            })
        });
        done.await?;
        self.accounts.tell_ended(&taken(told), now).await;
        Ok(())
    }

    /// Lifts what was done to the person behind a profile. They are told by mail. What is lifted on [appeal](Reason::Appeal)
    /// weighs on them no more; where it was over already, the latest that still weighs is taken back, by a repeated request without
    /// a key the one before it, too. Where there was nothing, nothing changes.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit) for what is lifted, [`StaffRefusal::OutOfReach`], not found.
    pub async fn lift(&self, actor: &Actor, whom: ProfileId, why: &Why, key: Option<IdempotencyKey>) -> Result<()> {
        self.admit(actor, Permission::LookUp).await?;
        let keyed = keyed("staff.lift", key, &(whom, why));
        let now = self.ports.clock.now();
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, Permission::LookUp).await?;
                let account = self.reached(unit, acting, whom).await?;
                if let Some(needed) = policy::permission_for(account.state) {
                    allowed(unit, actor, needed).await?;
                    let done = unit.staff().sanction(account.id).await?;
                    policy::may_undo(acting, done.and_then(|done| done.rank))?;
                    self.release(unit, account, why, now).await
                } else if why.reason == Reason::Appeal {
                    allowed(unit, actor, Permission::Restrict).await?;
                    if take_back_over(unit, acting, account.id).await? {
                        audit(unit, "staff.strike_taken_back", account.id, &why.to_string(), now).await?;
                    }
                    Ok(())
                } else {
                    Ok(())
                }
            })
        });
        done.await
    }

    /// Lifts suspensions that are over, at most `limit`; answers how many. Their owners could come in before: this only lets others
    /// see them again, if they have not.
    ///
    /// # Errors
    /// The store's.
    pub async fn lift_what_is_over(&self, limit: u32) -> Result<usize> {
        let (system, now) = (Actor::System("suspensions-over"), self.ports.clock.now());
        let over = self.ports.store.begin(&system).await?.staff().suspensions_over(now, limit).await?;
        let why = &Why { reason: Reason::Other, reference: None };
        let mut failed = None;
        for id in &over {
            let done = self.ports.transact(&system, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let account = unit.accounts().account(*id, Lock::Update).await?;
                    let over =
                        |account: &Account| matches!(account.state, AccountState::Suspended(until) if until <= now);
                    match account.filter(over) {
                        Some(account) => self.release(unit, account, why, now).await,
                        None => Ok(()),
                    }
                })
            });
            if let Err(error) = done.await {
                // One that cannot be lifted holds up nobody else.
                tracing::error!(account = %id, ?error, "a suspension that is over could not be lifted");
                failed = Some(error);
            }
        }
        failed.map_or(Ok(over.len()), Err)
    }

    /// Ends a session of the person behind a profile, or all of them; answers how many ended.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), [`StaffRefusal::OutOfReach`], not found.
    pub async fn end_sessions(
        &self,
        actor: &Actor,
        whom: ProfileId,
        session: Option<SessionId>,
        why: &Why,
        key: Option<IdempotencyKey>,
    ) -> Result<u32> {
        self.admit(actor, Permission::EndSessions).await?;
        let keyed = keyed("staff.end_sessions", key, &(whom, session, why));
        let (now, told) = (self.ports.clock.now(), &Mutex::new(Vec::new()));
        let staff = &named(actor)?;
        let done = self.ports.transact_once(staff, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                let acting = allowed(unit, actor, Permission::EndSessions).await?;
                let account = self.reached(unit, acting, whom).await?;
                let ended = match session {
                    Some(id) => {
                        let found = unit.accounts().session(id).await?;
                        let found = found.filter(|s| s.account == account.id).ok_or_else(Error::not_found)?;
                        let living = found.is_living(now);
                        if living {
                            end_session(unit, found, now, "staff").await?;
                        }
                        if living { vec![id] } else { Vec::new() }
                    }
                    None => end_all(unit, account.id, None, None, now, |_| "staff").await?,
                };
                audit(unit, "staff.sessions_ended", account.id, &format!("count={} {why}", ended.len()), now).await?;
                let count = u32::try_from(ended.len()).unwrap_or(u32::MAX);
                *told.lock().unwrap_or_else(PoisonError::into_inner) = ended;
                Ok(count)
            })
        });
        let count = done.await?;
        self.accounts.tell_ended(&taken(told), now).await;
        Ok(count)
    }

    /// What was done to the actor's account, while it holds.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn own_sanction(&self, actor: &Actor) -> Result<Option<Sanction>> {
        actor.member()?;
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let account = view.accounts().own_account().await?.ok_or(AccountRefusal::TokenInvalid)?;
        // One that ended by itself left its reason behind.
        Ok(view.staff().own_sanction().await?.filter(|_| is_sanctioned(account.state)))
    }

    /// What was taken down of the acting profile's, newest first.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn own_takedowns(&self, actor: &Actor) -> Result<Vec<Takedown>> {
        actor.member()?;
        self.ports.store.read(actor, Access::Read).await?.staff().own_takedowns().await
    }

    /// The account behind a profile, locked, when it may be acted on.
    pub(super) async fn reached(&self, unit: &mut dyn UnitOfWork, acting: Acting, whom: ProfileId) -> Result<Account> {
        let profile = unit.accounts().profile(whom, Lock::None).await?.ok_or_else(Error::not_found)?;
        let account = unit.accounts().account(profile.account, Lock::Update).await?;
        let account = account.filter(|account| account.state != AccountState::Deleted).ok_or_else(Error::not_found)?;
        within_reach(unit, acting, account.id).await?;
        Ok(account)
    }

    async fn release(&self, unit: &mut dyn UnitOfWork, account: Account, why: &Why, now: Timestamp) -> Result<()> {
        let (id, was) = (account.id, account.state);
        let sanction = unit.staff().sanction(id).await?;
        let asleep = is_asleep(unit, &account, sanction.as_ref()).await?;
        unit.staff().remove_sanction(id).await?;
        if let Some(at) = sanction.map(|sanction| sanction.at).filter(|_| why.reason == Reason::Appeal) {
            // It was wrong, not only over.
            take_back(unit, Struck::Account(id), |strike| strike.at == at).await?;
        }
        let state = if asleep { AccountState::Deactivated } else { AccountState::Active };
        let account = self.change_state(unit, account, (state, asleep), why, now).await?;
        let detail = format!("from={} to={} {why}", state_text(was), state_text(state));
        audit(unit, "staff.lifted", id, &detail, now).await?;
        let notice = self.accounts.mailing(MailingKind::SanctionLifted, account.email, Some(id), account.locale);
        send(unit, &notice).await
    }

    /// Brings an account into a state, its faces to the standing that goes with it (what sleeps stays hidden), and says so.
    async fn change_state(
        &self,
        unit: &mut dyn UnitOfWork,
        account: Account,
        (state, asleep): (AccountState, bool),
        why: &Why,
        now: Timestamp,
    ) -> Result<Account> {
        let account = Account { state, version: account.version + 1, ..account };
        unit.accounts().update_account(&account).await?;
        let standing = if asleep { AccountState::Deactivated.standing() } else { account.standing() };
        for face in unit.staff().faces_of(account.id).await? {
            let Some(face) = unit.accounts().profile(face.id, Lock::Update).await? else { continue };
            if face.standing != standing {
                let face = Profile { standing, version: face.version + 1, ..face };
                unit.accounts().update_profile(&face).await?;
                unit.journal().append(&[v1::ProfileChanged { profile_id: face.id.raw() }.into()]).await?;
            }
        }
        let until_micros = match state {
            AccountState::Suspended(until) => until.as_micros(),
            _ => 0,
        };
        let event = v1::AccountStateChanged {
            account_id: account.id.raw(),
            state: state.name().to_owned(),
            until_micros,
            reason: why.reason.code().to_owned(),
            at_micros: now.as_micros(),
        };
        unit.journal().append(&[event.into()]).await?;
        Ok(account)
    }
}

/// Whether an account's owner had put it to sleep and has not been in since. Somebody restricted may come in, which shows their
/// faces again.
async fn is_asleep(unit: &mut dyn UnitOfWork, account: &Account, before: Option<&Sanction>) -> Result<bool> {
    let slept = before.is_some_and(|before| before.asleep);
    Ok(match account.state {
        AccountState::Deactivated => true,
        AccountState::Restricted if slept => {
            let faces = unit.staff().faces_of(account.id).await?;
            faces.iter().all(|face| face.standing != Standing::Live)
        }
        state => slept && is_sanctioned(state),
    })
}

/// Takes back the latest of what was done to an account and is over; says whether there was something.
async fn take_back_over(unit: &mut dyn UnitOfWork, acting: Acting, account: AccountId) -> Result<bool> {
    let strike = unit.staff().latest_strike(Struck::Account(account)).await?;
    // One that ended by itself left its row behind, of which a back-fill makes a strike.
    let over = unit.staff().sanction(account).await?;
    let over = over.filter(|over| strike.is_none_or(|strike| strike.at == over.at));
    let rank = strike.and_then(|strike| strike.rank).or(over.as_ref().and_then(|over| over.rank));
    policy::may_undo(acting, rank)?;
    let mut was_there = false;
    if let Some(over) = &over {
        was_there = unit.staff().remove_sanction(account).await?;
        take_back(unit, Struck::Account(account), |strike| strike.at == over.at).await?;
    }
    match strike {
        Some(strike) => Ok(unit.staff().remove_strike(&strike).await? || was_there),
        None => Ok(was_there),
    }
}

/// Forgets the latest strike for something, if it is the one.
pub(super) async fn take_back(
    unit: &mut dyn UnitOfWork,
    of: Struck,
    is_it: impl Fn(&Strike) -> bool + Send,
) -> Result<()> {
    if let Some(strike) = unit.staff().latest_strike(of).await?.filter(is_it) {
        unit.staff().remove_strike(&strike).await?;
    }
    Ok(())
}

/// Whether staff brought an account into its state.
fn is_sanctioned(state: AccountState) -> bool {
    policy::permission_for(state).is_some()
}

fn state_text(state: AccountState) -> String {
    match state {
        AccountState::Suspended(until) => format!("suspended until={until}"),
        other => other.name().to_owned(),
    }
}

/// The account and the face that staff mean, whatever becomes of it.
async fn meant(unit: &mut dyn UnitOfWork, whom: &PersonName) -> Result<Option<(Account, Profile)>> {
    let profile = match whom {
        PersonName::Profile(id) => Some(*id),
        PersonName::Handle(handle) => match Handle::existing(handle) {
            Ok(handle) => unit.accounts().profiles_by_handle(&[handle]).await?.pop(),
            Err(_) => None,
        },
        PersonName::Email(email) => {
            let Ok(email) = Email::new(email) else { return Ok(None) };
            let Some(account) = unit.accounts().account_by_email(&email).await? else { return Ok(None) };
            let oldest = unit.staff().faces_of(account.id).await?.into_iter().next();
            return Ok(oldest.map(|profile| (account, profile)));
        }
    };
    let Some(profile) = profile else { return Ok(None) };
    let Some(profile) = unit.accounts().profile(profile, Lock::None).await? else { return Ok(None) };
    let account = unit.accounts().account(profile.account, Lock::None).await?;
    Ok(account.map(|account| (account, profile)))
}

/// What is shown of somebody: the only place where a private field gets into an answer for others than its owner.
async fn file(
    unit: &mut dyn UnitOfWork,
    account: Account,
    profile: Profile,
    fields: &[PrivateField],
    now: Timestamp,
) -> Result<PersonFile> {
    let mut file = PersonFile {
        profile,
        state: account.state,
        joined_at: account.created_at,
        role: unit.staff().role(account.id, Lock::None).await?,
        email: None,
        birth_date: None,
        faces: None,
        sessions: None,
        guards: None,
        sanction: None,
    };
    for field in fields {
        match field {
            PrivateField::Email => file.email = Some(account.email.clone()),
            PrivateField::BirthDate => file.birth_date = Some(account.birth_date),
            PrivateField::Faces => file.faces = Some(unit.staff().faces_of(account.id).await?),
            PrivateField::Sessions => file.sessions = Some(unit.staff().sessions_of(account.id, now).await?),
            PrivateField::SecondFactor => {
                let factor = unit.factors().second_factor(account.id).await?;
                let authenticator = factor.is_some_and(|factor| factor.confirmed().is_some());
                let passkeys = unit.factors().passkeys(account.id).await?.len();
                file.guards = Some(Guards { authenticator, passkeys });
            }
            PrivateField::Sanction if is_sanctioned(account.state) => {
                file.sanction = unit.staff().sanction(account.id).await?;
            }
            PrivateField::Sanction => {}
        }
    }
    Ok(file)
}
