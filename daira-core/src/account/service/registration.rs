//! Joining: a registration is opened, its code goes out by mail, and the code makes account, profile and first session.
//!
//! Whether an e-mail has an account already is told by the mail alone: `register` does the same work and gives the same
//! answer, and a code that comes too late is as wrong as any other.

use super::super::forget_bearers;
use super::super::{
    Account, AccountRefusal, AccountState, Email, Identity, LinkedIdentity, Origin, Profile, ProfileKind, Registration,
    Session, Standing, password, policy, token,
};
use super::profile::{NAME, new_handle};
use super::{AccountService, DEVICE, DRAWS, LoggedIn, audit, is_taken, out_of_draws};
use crate::actor::{Actor, Client, Member};
use crate::checks::keyed;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ChallengeId, Id};
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::locale::Locale;
use crate::port::UnitOfWork;
use crate::port::store::HandleHolder;
use crate::proto::event::v1;
use crate::record::{TextVersions, consent_to_join};
use crate::secret::Secret;
use crate::text::Handle;
use crate::time::{Date, Timestamp};

/// What somebody who wants to join says of themselves, as typed.
#[derive(Debug, Clone)]
pub struct Register {
    /// Their e-mail address.
    pub email: String,
    /// The password they choose.
    pub password: Secret,
    /// The handle they want.
    pub handle: String,
    /// Their display name.
    pub name: String,
    /// When they were born, for instance `2001-09-30`.
    pub birth_date: String,
    /// The language of mails to them.
    pub locale: Locale,
}

/// The proof that a registration's mail arrived.
#[derive(Debug, Clone)]
pub struct VerifyEmail {
    /// The registration.
    pub registration: ChallengeId,
    /// The six digits of the mail.
    pub code: Secret,
    /// What the session is to be shown as, for instance "Firefox on Android".
    pub device: String,
}

/// A registration's input, checked.
pub(super) struct Checked {
    pub(super) email: Email,
    pub(super) handle: Handle,
    pub(super) name: String,
    pub(super) birth_date: Date,
}

impl AccountService {
    /// Opens a registration, which holds the handle and waits for its code. Under a key, a repeated request gets the same
    /// registration.
    ///
    /// # Errors
    /// One of the [`AccountRefusal`]s about e-mail, handle, name, date of birth or password, with its field; a handle that
    /// somebody holds is [`AccountRefusal::HandleTaken`]. An e-mail that has an account is none.
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many.
    pub async fn register(&self, client: &Client, input: Register, key: Option<IdempotencyKey>) -> Result<ChallengeId> {
        let checked = self.joining(&input.email, &input.handle, &input.name, &input.birth_date)?;
        let mail_name = checked.email.as_str().split('@').next().unwrap_or_default();
        password::check(&input.password, &[checked.handle.as_str(), mail_name])?;
        self.count_registration(client).await?;
        // The stored fingerprint of the request must not let anybody who sees it try passwords.
        let fingerprint = self.ports.keys.challenge.tag(&[b"register", input.password.expose().as_bytes()]);
        let Checked { email, handle, name, birth_date } = &checked;
        let request = (email.as_str(), handle.as_str(), name, birth_date.to_string(), input.locale, fingerprint);
        let keyed = keyed("account.register", key, &request);
        let password_hash = self.ports.hasher.hash(&input.password).await?;
        self.open_registration(&checked, &password_hash, None, input.locale, keyed).await
    }

    /// Keeps a registration, which holds the handle, and has its mail sent.
    pub(super) async fn open_registration(
        &self,
        checked: &Checked,
        password_hash: &str,
        identity: Option<&Identity>,
        locale: Locale,
        keyed: Option<Keyed>,
    ) -> Result<ChallengeId> {
        let Checked { email, handle, name, birth_date } = checked;
        let (clock, ids, settings) = (&self.ports.clock, &self.ports.ids, &self.ports.settings);
        self.ports
            .transact_once(&Actor::Anonymous, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    let now = clock.now();
                    let registration = Registration {
                        id: ids.draw(now, ids.shard()),
                        email: email.clone(),
                        password_hash: password_hash.to_owned(),
                        identity: identity.cloned(),
                        handle: handle.clone(),
                        name: name.clone(),
                        birth_date: *birth_date,
                        locale,
                        attempts: 0,
                        created_at: now,
                        expires_at: now + settings.code_life,
                    };
                    unit.accounts().insert_registration(&registration).await?;
                    let holder = HandleHolder::Registration(registration.id, registration.expires_at);
                    if !unit.accounts().claim_handle(handle, holder, None, now).await? {
                        return Err(Error::from(AccountRefusal::HandleTaken).on_field("handle"));
                    }
                    // Only now it is certain that a mail goes out for this request, and that it did not before.
                    self.count_mail(email).await?;
                    let event = v1::RegistrationOpened { registration_id: registration.id.raw() };
                    unit.journal().append(&[event.into()]).await?;
                    Ok(registration.id)
                })
            })
            .await
    }

    /// What somebody says of themselves who joins, looked at.
    pub(super) fn joining(&self, email: &str, handle: &str, name: &str, birth_date: &str) -> Result<Checked> {
        let email = Email::new(email)?;
        let handle = new_handle(handle)?;
        let name = NAME.check(name)?;
        let birth_date = Date::parse(birth_date)
            .ok_or_else(|| Error::from(AccountRefusal::BirthDateInvalid).on_field("birthDate"))?;
        policy::may_join(birth_date, self.ports.clock.now(), self.ports.settings.minimum_age)?;
        Ok(Checked { email, handle, name, birth_date })
    }

    /// Completes a registration with the code of its mail and logs its owner in. Wrong codes are counted even though they
    /// are refused; after a few, or when its time is over, no code is right any more.
    ///
    /// # Errors
    /// [`AccountRefusal::CodeInvalid`] for every reason to do with code, registration or e-mail;
    /// [`AccountRefusal::DeviceInvalid`], [`AccountRefusal::ForbiddenCharacter`];
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many tries.
    pub async fn verify_email(&self, client: &Client, input: VerifyEmail) -> Result<LoggedIn> {
        let refuse = || Error::from(AccountRefusal::CodeInvalid).on_field("code");
        let device = DEVICE.check(&input.device)?;
        self.count_code(client).await?;
        for _ in 0..DRAWS {
            let outcome = self.open_account(client, &input, &device).await;
            if is_taken(&outcome) {
                continue;
            }
            return match outcome {
                Ok(Some((session, email, handle))) => {
                    forget_bearers(&self.ports, &[&handle]).await;
                    self.logged_in(&session, self.device_token(client, email.as_str(), &session))
                }
                Ok(None) => Err(refuse()),
                // The address, or the identity, got its account after this registration was opened.
                Err(error) if matches!(error.kind(), ErrorKind::Conflict("account_email" | "identity_subject")) => {
                    Err(refuse())
                }
                Err(error) => Err(error),
            };
        }
        Err(out_of_draws())
    }

    /// Counts a wrong code and answers nothing, or makes the account. The unit runs as the member that it brings into
    /// being: every row it adds is its actor's own.
    async fn open_account(
        &self,
        client: &Client,
        input: &VerifyEmail,
        device: &str,
    ) -> Result<Option<(Session, Email, Handle)>> {
        let (ids, shard, now) = (&self.ports.ids, self.ports.ids.shard(), self.ports.clock.now());
        let member =
            Member { account: ids.draw(now, shard), profile: ids.draw(now, shard), session: ids.draw(now, shard) };
        // The first device is the one that is known.
        let origin = Origin { place: self.place(client), known_device: true };
        let session = &self.new_session(member, device, origin, now);
        let (settings, keys) = (&self.ports.settings, &self.ports.keys);
        self.ports
            .transact(&Actor::Member(member), |mut unit| {
                Box::pin(async move {
                    let Some(registration) = unit.accounts().registration(input.registration).await? else {
                        return Ok(None);
                    };
                    if registration.expires_at <= now || registration.attempts >= settings.code_attempts {
                        return Ok(None);
                    }
                    if !token::is_code(&keys.challenge, registration.id, &input.code) {
                        unit.accounts().set_attempts(registration.id, registration.attempts + 1).await?;
                        return Ok(None);
                    }
                    let (email, handle) = (registration.email.clone(), registration.handle.clone());
                    settle(&mut *unit, registration, session, &settings.texts, now).await?;
                    Ok(Some((session.clone(), email, handle)))
                })
            })
            .await
    }
}

/// Turns a registration into account, profile and session.
async fn settle(
    unit: &mut dyn UnitOfWork,
    registration: Registration,
    session: &Session,
    texts: &TextVersions,
    now: Timestamp,
) -> Result<()> {
    let Registration { id, email, password_hash, identity, handle, name, birth_date, locale, .. } = registration;
    let account = Account {
        id: session.account,
        email,
        state: AccountState::Active,
        leaving_at: None,
        birth_date,
        locale,
        created_at: now,
        version: 1,
    };
    unit.accounts().insert_account(&account, &password_hash).await?;
    let profile = Profile {
        id: session.profile,
        account: account.id,
        handle,
        name,
        bio: String::new(),
        links: Vec::new(),
        avatar: None,
        kind: ProfileKind::Regular,
        private: false,
        standing: Standing::Live,
        created_at: now,
        version: 1,
    };
    consent_to_join(unit, account.id, texts, now).await?;
    unit.accounts().insert_profile(&profile).await?;
    if !unit.accounts().claim_handle(&profile.handle, HandleHolder::Profile(profile.id), Some(id), now).await? {
        return Err(Error::from(AccountRefusal::HandleTaken).on_field("handle"));
    }
    if let Some(identity) = identity {
        let linked = LinkedIdentity { account: account.id, identity, linked_at: now, used_at: None };
        unit.factors().insert_identity(&linked).await?;
    }
    unit.accounts().insert_session(session).await?;
    unit.accounts().delete_registration(id).await?;
    unit.journal().append(&[v1::ProfileCreated { profile_id: profile.id.raw() }.into()]).await?;
    audit(unit, "account.registered", account.id, "", now).await
}
