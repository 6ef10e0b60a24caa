//! Apps of others, what people let them do, and codes on their way.

use crate::id::{AccountId, AppId, ChallengeId, ProfileId, SessionId};
use crate::time::Timestamp;

use super::scope::Scopes;

/// An app that somebody registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id, which it names itself by.
    pub id: AppId,
    /// The account of who registered it; never shown.
    pub owner: AccountId,
    /// What people see it as, 1 to 60 characters.
    pub name: String,
    /// Where answers may be sent, 1 to 10 addresses, to be met exactly.
    pub redirects: Vec<String>,
    /// Whether it can keep a secret: one that runs on a server, not in a browser or on a phone.
    pub confidential: bool,
    /// How often its secret was drawn; the secret itself is kept nowhere.
    pub secret: i32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// For optimistic locking; the first is 1.
    pub version: i32,
}

/// What one profile lets one app do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The app.
    pub app: AppId,
    /// The profile it acts as.
    pub profile: ProfileId,
    /// The account of the profile; for rules, never for answers.
    pub account: AccountId,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was first let in.
    pub created_at: Timestamp,
}

/// A code that was given to an app, to be exchanged once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its id, which the code names.
    pub id: ChallengeId,
    /// The app.
    pub app: AppId,
    /// The account of the profile.
    pub account: AccountId,
    /// The profile to act as.
    pub profile: ProfileId,
    /// What for.
    pub scopes: Scopes,
    /// Where it was sent.
    pub redirect: String,
    /// The SHA-256 of what the app must show (RFC 7636).
    pub challenge: [u8; 32],
    /// What the app wants to find in the ID token.
    pub nonce: Option<String>,
    /// The session that the person agreed on: a code is worth nothing once that has ended.
    pub agreed_on: SessionId,
    /// When the person last proved themselves on it.
    pub proven_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The session that it was exchanged for.
    pub session: Option<SessionId>,
}

/// What a session of an app is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Granted {
    /// The app.
    pub app: AppId,
    /// What it may do.
    pub scopes: Scopes,
}

/// An app that the account's owner lets act as one of their profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedApp {
    /// What it may do.
    pub grant: Grant,
    /// What it is called.
    pub name: String,
}
