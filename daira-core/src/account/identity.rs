//! Who somebody is at another provider, linked to an account, and what goes out and comes back on the way there.
//!
//! Of a way to a provider only its id is kept by us. What the browser is sent with (`state`, `nonce`, the verifier of the code)
//! and what the client keeps meanwhile are computed from the id and a key, each under a name of its own, so a copy of the
//! database opens nothing, and whoever sees the address of the browser does not know what the client keeps.

use core::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ChallengeId, Id, SessionId};
use crate::port::{AuthorizationRequest, IdentityClaims};
use crate::secret::{Key, NONCE, Secret};
use crate::time::Timestamp;

/// The longest issuer and the longest subject, in bytes: `OpenID` Connect allows no longer subject.
pub(super) const LONGEST: usize = 255;

/// Who somebody is at a provider. A subject is never given to anybody else by its issuer; addresses are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// Who says so.
    pub issuer: String,
    /// The name that it gave them, which no one else there has.
    pub subject: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// An identity that opens an account. An account has at most one of each issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The account that it opens.
    pub account: AccountId,
    /// Who its owner is elsewhere.
    pub identity: Identity,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// When somebody last came in by it.
    pub used_at: Option<Timestamp>,
}

/// What is kept of a way to a provider until somebody comes back from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    pub(super) provider: String,
    pub(super) redirect: String,
    /// What a session is to be shown as.
    pub(super) device: String,
    /// The session that one by this way takes the place of.
    pub(super) replaces: Option<SessionId>,
}

impl Way {
    /// What the browser is sent with, the same whenever it is computed.
    pub(super) fn request(&self, key: &Key, id: ChallengeId, fresh: bool) -> AuthorizationRequest {
        let derived = |what: &[u8]| {
            Secret::new(BASE64URL_NOPAD.encode(&key.tag(&[what, &id.raw().to_be_bytes(), self.provider.as_bytes()])))
        };
        AuthorizationRequest {
            provider: self.provider.clone(),
            redirect: self.redirect.clone(),
            state: name(key, STATE, id),
            nonce: derived(b"nonce"),
            verifier: derived(b"verifier"),
            fresh,
        }
    }
}

/// The text that comes back with the browser.
const STATE: &str = "dis_";
/// The text that the client keeps, and that no address has.
const HELD: &str = "dic_";
const TICKET: &str = "dit_";
const TAG: usize = 16;

/// What the client keeps while its browser is away.
pub(super) fn held(key: &Key, id: ChallengeId) -> Secret {
    name(key, HELD, id)
}

/// The way that both texts name; nothing where they name different ones, or none.
pub(super) fn way(key: &Key, held: &Secret, state: &Secret) -> Option<ChallengeId> {
    let held = named(key, HELD, held)?;
    (named(key, STATE, state)? == held).then_some(held)
}

fn name(key: &Key, prefix: &str, id: ChallengeId) -> Secret {
    let raw = id.raw().to_be_bytes();
    let tag: [u8; TAG] = key.tag(&[prefix.as_bytes(), &raw]).first_chunk().copied().unwrap_or_default();
    Secret::new(format!("{prefix}{}", BASE64URL_NOPAD.encode(&[&raw[..], &tag].concat())))
}

fn named(key: &Key, prefix: &str, text: &Secret) -> Option<ChallengeId> {
    let text = text.expose().strip_prefix(prefix)?;
    if text.len() != BASE64URL_NOPAD.encode_len(8 + TAG) {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (raw, tag) = bytes.split_first_chunk::<8>()?;
    key.verify(&[prefix.as_bytes(), raw], tag).then(|| ChallengeId::from_raw(i64::from_be_bytes(*raw)))
}

/// What somebody who is new here brought from a provider, for them to join with. The client holds it, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) identity: Identity,
    pub(super) email: Option<String>,
    until: i64,
}

impl Ticket {
    /// Of what a provider said. It lapses at an instant, to the second.
    pub(super) fn new(claims: &IdentityClaims, until: Timestamp) -> Self {
        Self { identity: claims.identity.clone(), email: claims.email.clone(), until: until.as_seconds() }
    }

    /// The text that the client holds.
    pub(super) fn seal(&self, key: &Key, nonce: [u8; NONCE]) -> Secret {
        // Texts and a number are always JSON.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Secret::new(format!("{TICKET}{}", BASE64URL_NOPAD.encode(&key.seal(nonce, &bytes, TICKET.as_bytes()))))
    }

    /// Reads such a text, if it has not lapsed.
    pub(super) fn open(key: &Key, text: &Secret, now: Timestamp) -> Option<Self> {
        const MOST: usize = 8_192;
        let sealed = text.expose().strip_prefix(TICKET).filter(|sealed| sealed.len() <= MOST)?;
        let bytes = key.open(&BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?, TICKET.as_bytes())?;
        let ticket: Self = serde_json::from_slice(&bytes).ok()?;
        (now < Timestamp::from_seconds(ticket.until)).then_some(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn key() -> Key {
        Key::new([5; 32])
    }

    fn ways() -> Way {
        let text = |text: &str| text.to_owned();
        Way { provider: text("one"), redirect: text("app:/in"), device: text("x"), replaces: None }
    }

    #[test]
    fn a_way_takes_both_of_its_texts() {
        let (id, other) = (ChallengeId::from_raw(7), ChallengeId::from_raw(8));
        let state = |id| ways().request(&key(), id, false).state;
        assert_eq!(way(&key(), &held(&key(), id), &state(id)), Some(id));
        assert_eq!(way(&key(), &held(&key(), other), &state(id)), None, "of another browser");
        assert_eq!(way(&key(), &state(id), &state(id)), None, "what the address has is not what the client keeps");
        assert_eq!(way(&key(), &held(&key(), id), &held(&key(), id)), None);
        assert_eq!(way(&Key::new([6; 32]), &held(&key(), id), &state(id)), None);
        for none in ["", "dic_", "dic_AAAA", &"dic_".repeat(100_000)] {
            assert_eq!(way(&key(), &Secret::new(none), &state(id)), None);
            assert_eq!(way(&key(), &held(&key(), id), &Secret::new(none)), None);
        }
    }

    #[test]
    fn what_a_browser_is_sent_with_is_the_same_again_and_different_for_each_way() {
        let request = |id| ways().request(&key(), ChallengeId::from_raw(id), false);
        let texts = |id| {
            let of = request(id);
            [of.state, of.nonce, of.verifier].map(|text| text.expose().to_owned())
        };
        assert_eq!(texts(7), texts(7));
        let all: std::collections::BTreeSet<String> = texts(7).into_iter().chain(texts(8)).collect();
        assert_eq!(all.len(), 6);
        assert!((43..=128).contains(&texts(7)[2].len()), "as RFC 7636 wants a verifier");
    }

    #[test]
    fn a_ticket_is_read_by_us_alone_and_lapses() {
        let identity = Identity { issuer: "https://id.example".to_owned(), subject: "7".to_owned() };
        let email = Some("mona@example.com".to_owned());
        let claims = IdentityClaims { identity, email, name: None, authenticated_at: None };
        let until = NOW + core::time::Duration::from_mins(10);
        let ticket = Ticket::new(&claims, until);
        let sealed = ticket.seal(&key(), [1; NONCE]);
        assert!(!sealed.expose().contains("mona"));
        assert_eq!(Ticket::open(&key(), &sealed, NOW), Some(ticket));
        assert_eq!(Ticket::open(&key(), &sealed, until), None);
        assert_eq!(Ticket::open(&Key::new([6; 32]), &sealed, NOW), None);
        for none in ["", "dit_", "dit_AAAA", &sealed.expose()[4..], &format!("dit_{}", "A".repeat(1 << 20))] {
            assert_eq!(Ticket::open(&key(), &Secret::new(none), NOW), None);
        }
    }
}
