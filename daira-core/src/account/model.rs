//! People: the private account, its public profiles, registrations, sessions and credentials.

use crate::error::Result;
use crate::id::{AccountId, ChallengeId, MediaId, ProfileId, SessionId};
use crate::locale::Locale;
use crate::oauth::Granted;
use crate::place::Place;
use crate::text::Handle;
use crate::time::{Date, Timestamp};

use super::{AccountRefusal, Contact, Identity};

/// An e-mail address, trimmed and lower-cased: two spellings of one mailbox are one address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// Checks the shape `name@host.tld`, at most 254 bytes, ASCII host. Whether it exists only a mail can tell.
    ///
    /// # Errors
    /// [`AccountRefusal::EmailInvalid`].
    pub fn new(text: &str) -> Result<Self> {
        let refuse = || crate::Error::from(AccountRefusal::EmailInvalid).on_field("email");
        let text = text.trim();
        let (name, host) = text.rsplit_once('@').ok_or_else(refuse)?;
        let name_ok = !name.is_empty()
            && name.len() <= 64
            && !name.starts_with('.')
            && !name.ends_with('.')
            && !name.contains("..")
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b));
        let label_ok = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if text.len() > 254 || !name_ok || !host.contains('.') || !host.split('.').all(label_ok) {
            return Err(refuse());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Takes a stored address at its word.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Email {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Email(…)")
    }
}

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountState {
    /// Everything works.
    Active,
    /// May read but not write for now.
    Restricted,
    /// Shut out until an instant.
    Suspended(Timestamp),
    /// Shut out for good.
    Banned,
    /// Put to sleep by its owner; the next log-in wakes it.
    Deactivated,
    /// Gone.
    Deleted,
}

impl AccountState {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Suspended(_) => "suspended",
            Self::Banned => "banned",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the owner may log in and read at an instant.
    pub fn may_enter(self, now: Timestamp) -> bool {
        match self {
            Self::Active | Self::Restricted | Self::Deactivated => true,
            Self::Suspended(until) => until <= now,
            Self::Banned | Self::Deleted => false,
        }
    }

    /// How the account's profiles stand to others while it is in this state.
    pub fn standing(self) -> Standing {
        match self {
            Self::Active | Self::Restricted => Standing::Live,
            Self::Suspended(_) | Self::Banned | Self::Deactivated => Standing::Hidden,
            Self::Deleted => Standing::Gone,
        }
    }
}

/// The private root of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id; never shown.
    pub id: AccountId,
    /// Its verified e-mail.
    pub email: Email,
    /// Its state.
    pub state: AccountState,
    /// When it is to be erased, once its owner asked for that.
    pub leaving_at: Option<Timestamp>,
    /// When the person was born.
    pub birth_date: Date,
    /// Language of mails and of answers without a wish of their own.
    pub locale: Locale,
    /// When it was made.
    pub created_at: Timestamp,
    /// For optimistic locking; the first is 1.
    pub version: i32,
}

impl Account {
    /// How its profiles stand to others: as its state says, and hidden while it is about to be erased.
    pub fn standing(&self) -> Standing {
        match self.state.standing() {
            Standing::Live if self.leaving_at.is_some() => Standing::Hidden,
            standing => standing,
        }
    }
}

/// What a profile presents itself as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ProfileKind {
    /// A person.
    #[default]
    Regular,
    /// Somebody who makes things for an audience.
    Creator,
    /// A creator whose identity was checked.
    VerifiedCreator,
    /// A company or organisation.
    Brand,
}

/// Whether others can see a profile at all; follows the account's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    /// Yes.
    #[default]
    Live,
    /// Not for now.
    Hidden,
    /// Never again.
    Gone,
}

/// A public face of a person. All that is public is keyed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// The account behind it; for rules, never for answers.
    pub account: AccountId,
    /// Its unique handle.
    pub handle: Handle,
    /// The display name, 1 to 100 characters.
    pub name: String,
    /// What it says of itself, at most 500 characters.
    pub bio: String,
    /// At most five links.
    pub links: Vec<String>,
    /// Its picture.
    pub avatar: Option<MediaId>,
    /// What it presents itself as.
    pub kind: ProfileKind,
    /// Whether followers need approval and content is for followers only.
    pub private: bool,
    /// Whether others can see it.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
    /// For optimistic locking; the first is 1.
    pub version: i32,
}

/// Counters of a profile, kept by a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ProfileCounters {
    /// Living posts.
    pub posts: i64,
    /// Followers.
    pub followers: i64,
    /// Profiles followed.
    pub following: i64,
}

/// A registration that waits for its e-mail to be verified. The account is made only then, so registering with an
/// address that has one already looks and costs exactly the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its id, which the verification names.
    pub id: ChallengeId,
    /// The address to verify.
    pub email: Email,
    /// The hash of the chosen password, or what stands in its place.
    pub password_hash: String,
    /// Who the person is at a provider, if they came from one: it opens the account that is made.
    pub identity: Option<Identity>,
    /// The wanted handle, held while the registration lives.
    pub handle: Handle,
    /// The display name.
    pub name: String,
    /// When the person was born.
    pub birth_date: Date,
    /// The language of the mail.
    pub locale: Locale,
    /// Wrong codes so far.
    pub attempts: u16,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// What a mail is due for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailingKind {
    /// Somebody asked to choose a new password for the account with this address, if there is one.
    PasswordReset,
    /// The account's owner wants this address, and has to show that it is theirs.
    NewEmail,
    /// The account's password was changed.
    PasswordChanged,
    /// The account has another address now; this is the old one.
    EmailChanged,
    /// A second factor guards the account from now on.
    SecondFactorOn,
    /// None does any more.
    SecondFactorOff,
    /// A recovery code was used instead of the device.
    RecoveryCodeUsed,
    /// There are other recovery codes now.
    RecoveryCodesRenewed,
    /// The account has one more passkey.
    PasskeyAdded,
    /// It has one less.
    PasskeyRemoved,
    /// A copy of a passkey was used, and refused.
    PasskeyCopied,
    /// Staff restricted, suspended or banned the account.
    Sanctioned,
    /// What staff did to the account is over.
    SanctionLifted,
    /// Staff took something of the person's down.
    TakenDown,
    /// An app of somebody else's was let in, or let do more.
    AppConnected,
    /// Somebody asked for a code to log in with, for the account that is reached this way, if there is one.
    LogInCode,
    /// The account's owner wants this number, and has to show that it is theirs.
    NewPhone,
    /// The account has another number now, its first one, or none.
    PhoneChanged,
    /// The account's owner wants it erased.
    DeletionAsked,
    /// The account is gone; the last that is heard of it.
    Erased,
    /// What the person asked to have of everything that is kept of them is ready.
    ExportReady,
    /// An identity at a provider opens the account from now on.
    IdentityLinked,
    /// One does not any more.
    IdentityUnlinked,
}

impl MailingKind {
    /// Whether it only tells something, so that nothing can be done with it.
    pub fn is_notice(self) -> bool {
        !matches!(self, Self::PasswordReset | Self::NewEmail | Self::LogInCode | Self::NewPhone)
    }
}

/// A message that is due, and what can be done by who receives it until it lapses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailing {
    /// Its id, from which its code or token is derived.
    pub id: ChallengeId,
    /// What it is for.
    pub kind: MailingKind,
    /// Where it goes.
    pub to: Contact,
    /// Whose it is; nobody's where that must not be looked up yet.
    pub account: Option<AccountId>,
    /// The language of the mail.
    pub locale: Locale,
    /// Wrong codes so far.
    pub attempts: u16,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// What a log-in needs to know of an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// The account.
    pub account: AccountId,
    /// The profile that a log-in without a wish acts as: the oldest.
    pub profile: ProfileId,
    /// The stored password hash.
    pub password_hash: String,
    /// The account's state.
    pub state: AccountState,
}

/// A logged-in device of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, which tokens carry.
    pub id: SessionId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The profile it acts as.
    pub profile: ProfileId,
    /// What its owner sees it as, for instance "Firefox on Android"; at most 100 characters.
    pub device: String,
    /// Random bytes without which a refresh token cannot be computed.
    pub salt: [u8; 16],
    /// How often it was refreshed: the living refresh token's number.
    pub generation: i32,
    /// The newest generation whose access token was seen in use.
    pub seen_generation: i32,
    /// When the living refresh token was issued.
    pub rotated_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When its owner last proved themselves on it.
    pub proven_at: Timestamp,
    /// When it was last refreshed or resolved.
    pub last_used_at: Timestamp,
    /// When it ends unless refreshed.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// The app of somebody else's that it belongs to, and what that may do; nothing for a client of the house.
    pub granted: Option<Granted>,
    /// Where it was used last, coarsely, where that is known.
    pub place: Option<Place>,
    /// Whether somebody had logged in on its device before. It is a hint, and bars nobody.
    pub known_device: bool,
}

/// Where a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) place: Option<Place>,
    pub(crate) known_device: bool,
}

impl Session {
    /// Whether it can be used at an instant.
    pub fn is_living(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_folded() {
        assert_eq!(Email::new("  Mona.Ali@Example.COM ").unwrap().as_str(), "mona.ali@example.com");
        for bad in [
            "",
            "@",
            "a@b",
            "a b@example.com",
            "a@@example.com",
            "a@-x.com",
            "a..b@example.com",
            "منى@example.com",
            "a@example..com",
        ] {
            assert!(Email::new(bad).is_err(), "{bad}");
        }
        assert!(Email::new(&format!("{}@example.com", "a".repeat(300))).is_err());
    }
}
