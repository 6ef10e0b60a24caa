//! Passkeys of accounts, and ceremonies that wait for what one signs.

use core::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::id::{AccountId, ChallengeId, Id, PasskeyId, ProfileId};
use crate::port::PublicPart;
use crate::secret::{Key, Secret};
use crate::time::Timestamp;

/// A passkey of an account. Nothing secret is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// The account that it opens.
    pub account: AccountId,
    /// What its signatures are checked by.
    pub public: PublicPart,
    /// What its owner calls it, 1 to 100 characters.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last signed.
    pub used_at: Option<Timestamp>,
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passkey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A passkey that a stranger says is theirs, and the oldest face of its account that is not gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// The profile that a log-in acts as.
    pub profile: ProfileId,
}

/// What a ceremony is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CeremonyKind {
    /// A new passkey.
    Making,
    /// A log-in.
    LogIn,
    /// A proof on a session.
    Proof,
    /// A log-in by an identity at a provider.
    IdentityLogIn,
    /// A new identity of an account.
    IdentityLink,
    /// A proof on a session, by an identity.
    IdentityProof,
}

/// A ceremony that waits for its answer, and takes one.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingCeremony {
    /// Its id.
    pub id: ChallengeId,
    /// What it is for.
    pub kind: CeremonyKind,
    /// Whose passkeys or identities may answer; anybody's where nobody is named.
    pub account: Option<AccountId>,
    /// What the answer is checked by.
    pub state: Vec<u8>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

impl fmt::Debug for PendingCeremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCeremony").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

const PREFIX: &str = "dpk_";
const TAG: usize = 16;

/// The text by which a client names a ceremony: nobody else's can be guessed, and so used up.
pub(super) fn seal(key: &Key, id: ChallengeId) -> Secret {
    let raw = id.raw().to_be_bytes();
    let tag: [u8; TAG] = key.tag(&[b"ceremony", &raw]).first_chunk().copied().unwrap_or_default();
    Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&[&raw[..], &tag].concat())))
}

/// The ceremony that such a text names.
pub(super) fn open(key: &Key, text: &Secret) -> Option<ChallengeId> {
    let text = text.expose().strip_prefix(PREFIX)?;
    if text.len() != BASE64URL_NOPAD.encode_len(8 + TAG) {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (raw, tag) = bytes.split_first_chunk::<8>()?;
    key.verify(&[b"ceremony", raw], tag).then(|| ChallengeId::from_raw(i64::from_be_bytes(*raw)))
}

/// The handle of an account that authenticators keep and answer: it names the account to us alone.
pub(super) fn user_handle(key: &Key, account: AccountId) -> [u8; 16] {
    key.tag(&[b"passkey user", &account.raw().to_be_bytes()]).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceremony_is_named_by_its_text_alone() {
        let (key, id) = (Key::new([5; 32]), ChallengeId::from_raw(7));
        let text = seal(&key, id);
        assert_eq!(open(&key, &text), Some(id));
        assert_eq!(open(&Key::new([6; 32]), &text), None);
        for none in ["", "dpk_", "dpk_AAAA", &text.expose()[4..], &"dpk_".repeat(100_000)] {
            assert_eq!(open(&key, &Secret::new(none)), None);
        }
        for at in 4..text.expose().len() {
            let mut bent = text.expose().as_bytes().to_vec();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(&key, &Secret::new(String::from_utf8(bent).unwrap())), None, "{at}");
        }
    }
}
