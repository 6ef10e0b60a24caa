//! Use cases of accounts. Joining, sessions and profiles have files of their own; here is what they share, and the question
//! every request begins with: whose token is this?

mod codes;
mod delivery;
mod faces;
mod identity;
mod leaving;
mod limits;
mod passes;
mod passkey;
mod phone;
mod profile;
mod recovery;
mod registration;
mod second_factor;
mod sessions;

use std::sync::{Arc, Mutex, PoisonError};

use super::{AccountRefusal, Origin, Session, SessionDirectory, policy, token};
use crate::actor::{Actor, Client, Member};
use crate::checks::Writing;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, Id, SessionId};
use crate::place::Place;
use crate::port::store::AuditRecord;
use crate::port::{Claims, Ports, UnitOfWork};
use crate::proto::event::v1;
use crate::secret::Secret;
use crate::text::Bounds;
use crate::time::Timestamp;
use crate::trust::{STRIKE_LIFE, Trust};

pub use codes::LogInWithCode;
pub use faces::MAX_FACES;
pub use identity::{
    BeginIdentity, BegunIdentity, IdentityAnswer, IdentityEntry, IdentityPurpose, JoinWithIdentity, NewIdentity, WaysIn,
};
pub use passes::Pass;
pub use passkey::{AddedPasskey, BegunCeremony};
pub use profile::{Me, UpdateProfile};
pub use recovery::ChangePassword;
pub(crate) use recovery::send;
pub use registration::{Register, VerifyEmail};
pub use second_factor::{Enrolment, FactorStatus};
pub use sessions::{Entry, LogIn, Waited};

/// How often a use case that draws its actor's own ids draws them anew when they are taken.
pub(crate) const DRAWS: usize = 3;

/// The longest device name, in characters as people count them.
const MAX_DEVICE: usize = 100;

/// What a session is to be shown as.
const DEVICE: Writing<AccountRefusal> = Writing {
    field: "device",
    bounds: Bounds::line(0, MAX_DEVICE),
    empty: AccountRefusal::DeviceInvalid,
    too_long: AccountRefusal::DeviceInvalid,
    forbidden: AccountRefusal::ForbiddenCharacter,
};

/// Joining, logging in, sessions and the own profile. Cloning is cheap; clones share what they remember of sessions.
#[derive(Debug, Clone)]
pub struct AccountService {
    pub(crate) ports: Ports,
    directory: Arc<SessionDirectory>,
}

/// What a logged-in client keeps. Neither is stored anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Proves who asks, for a quarter of an hour.
    pub access: Secret,
    /// Exchanged for new tokens, once.
    pub refresh: Secret,
    /// When the access token ends.
    pub access_expires_at: Timestamp,
    /// When the session ends unless it is refreshed.
    pub session_expires_at: Timestamp,
}

/// Somebody who just came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// Who they are from now on; `Actor::Member(member)` is who asks.
    pub member: Member,
    /// Their tokens.
    pub tokens: Tokens,
    /// By this the device is known at its next log-in ([`Client::known_device`](crate::actor::Client)). It lets nobody in.
    pub device: Secret,
}

impl AccountService {
    /// Over these ports.
    pub fn new(ports: Ports) -> Self {
        Self { ports, directory: Arc::default() }
    }

    /// What this node remembers of sessions.
    pub fn directory(&self) -> &SessionDirectory {
        &self.directory
    }

    /// Learns of sessions revoked on other nodes: to be called once before a node says that it is ready; then
    /// [`keep_up`](Self::keep_up) does. A program that never calls either pays a look-up for every request instead.
    ///
    /// # Errors
    /// The store's.
    pub async fn poll_revocations(&self) -> Result<()> {
        self.directory.poll(&self.ports).await
    }

    /// Asks the store, which notes that this generation's token is in use.
    async fn resolve(&self, claims: &Claims, now: Timestamp) -> Result<Option<(Member, Trust)>> {
        let Claims { session, generation, .. } = *claims;
        let found = self
            .ports
            .transact(&Actor::Anonymous, |mut unit| {
                Box::pin(async move {
                    let unit = &mut *unit;
                    let Some(member) = unit.accounts().resolve_session(session, generation, now).await? else {
                        return Ok(None);
                    };
                    let facts = unit.accounts().trust_facts(member.account, now - STRIKE_LIFE).await?;
                    Ok(facts.map(|facts| (member, Trust::of(&facts, now))))
                })
            })
            .await?;
        if let Some((member, trust)) = found {
            self.directory.remember(member, trust, generation);
        }
        Ok(found)
    }

    /// A session that begins now, with its first tokens in generation 1.
    pub(crate) fn new_session(&self, member: Member, device: &str, origin: Origin, now: Timestamp) -> Session {
        Session {
            id: member.session,
            account: member.account,
            profile: member.profile,
            device: device.to_owned(),
            salt: self.ports.ids.bytes(),
            generation: 1,
            seen_generation: 0,
            rotated_at: now,
            created_at: now,
            proven_at: now,
            last_used_at: now,
            expires_at: policy::session_end(now, now, &self.ports.settings),
            revoked_at: None,
            granted: None,
            place: origin.place,
            known_device: origin.known_device,
        }
    }

    /// Where a client is, coarsely.
    pub(crate) fn place(&self, client: &Client) -> Option<Place> {
        self.ports.places.place(client.address?)
    }

    /// The tokens of a session's living generation.
    pub(crate) fn tokens(&self, session: &Session, now: Timestamp) -> Result<Tokens> {
        let end = (now + self.ports.settings.access_token_life).min(session.expires_at);
        let claims = Claims {
            profile: session.profile,
            session: session.id,
            generation: session.generation,
            granted: session.granted,
            issued_at: Timestamp::from_seconds(now.as_seconds()),
            expires_at: Timestamp::from_seconds(end.as_seconds()),
        };
        Ok(Tokens {
            access: Secret::new(self.ports.signer.sign(&claims)?),
            refresh: token::seal(&self.ports.keys.refresh, session.id, session.generation, &session.salt),
            access_expires_at: claims.expires_at,
            session_expires_at: session.expires_at,
        })
    }

    fn logged_in(&self, session: &Session, device: Secret) -> Result<LoggedIn> {
        let member = Member { account: session.account, profile: session.profile, session: session.id };
        Ok(LoggedIn { member, tokens: self.tokens(session, session.created_at)?, device })
    }
}

/// What a unit left behind for what follows its commit.
pub(crate) fn taken<T>(left: &Mutex<Vec<T>>) -> Vec<T> {
    core::mem::take(&mut left.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether one of the ids that a use case drew for its own actor was taken.
pub(crate) fn is_taken<T>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(error) if error.kind() == ErrorKind::IdCollision)
}

pub(crate) fn out_of_draws() -> Error {
    Error::new(ErrorKind::IdCollision, "account.draw")
}

/// Ends a session before its time and says so in the log and the audit trail.
pub(crate) async fn end_session(
    unit: &mut dyn UnitOfWork,
    session: Session,
    at: Timestamp,
    reason: &'static str,
) -> Result<()> {
    let ended = Session { revoked_at: Some(at), ..session };
    unit.accounts().update_session(&ended).await?;
    tell_end(unit, &ended, at, reason).await
}

/// Ends the account's living sessions but one, or of those only the ones of the log-in at an instant, and says so of each.
/// The account is locked, so that none is added meanwhile.
pub(crate) async fn end_all(
    unit: &mut dyn UnitOfWork,
    account: AccountId,
    keep: Option<SessionId>,
    of_log_in: Option<Timestamp>,
    at: Timestamp,
    reason: impl Fn(SessionId) -> &'static str + Send,
) -> Result<Vec<SessionId>> {
    let ended = unit.accounts().revoke_sessions(account, keep, of_log_in, at).await?;
    for id in &ended {
        if let Some(session) = unit.accounts().session(*id).await? {
            tell_end(unit, &session, at, reason(*id)).await?;
        }
    }
    Ok(ended)
}

pub(crate) async fn tell_end(
    unit: &mut dyn UnitOfWork,
    session: &Session,
    at: Timestamp,
    reason: &'static str,
) -> Result<()> {
    let event = v1::SessionRevoked {
        session_id: session.id.raw(),
        profile_id: session.profile.raw(),
        reason: reason.to_owned(),
    };
    unit.journal().append(&[event.into()]).await?;
    audit(unit, "session.revoked", session.id, reason, at).await
}

/// A line in the audit trail: ids and codes only.
pub(crate) async fn audit<I: Id>(
    unit: &mut dyn UnitOfWork,
    action: &'static str,
    subject: I,
    detail: &str,
    at: Timestamp,
) -> Result<()> {
    unit.journal().audit(&AuditRecord { action, subject: subject.raw(), detail: detail.to_owned(), at }).await
}

/// For the programs' logs, which hold ids only.
pub(crate) fn note_reuse(session: SessionId) {
    tracing::warn!(%session, "a spent refresh token came back: the session ends");
}
