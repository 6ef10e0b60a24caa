//! Keys derived from one master secret, each for a single purpose, and the message authentication and encryption they are
//! used for.

use core::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, Payload};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bytes of a nonce of [`Key::seal`], to be drawn anew each time.
pub const NONCE: usize = 24;

/// A 32-byte key for one purpose. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// Takes key material as it is.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for libraries that take keys.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Derives the key of one purpose: HMAC-SHA-256 over its name, the extract-free form of HKDF for a uniform key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.tag(&[b"daira.key.v1", purpose.as_bytes()]))
    }

    /// HMAC-SHA-256 over length-prefixed parts, so that no two lists of parts have the same input.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes keys of any length, so this arm cannot be reached; an empty tag would verify nothing.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Compares a tag, or the beginning of one (at least 16 bytes), in constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let expected = self.tag(parts);
        tag.len() >= 16 && expected.get(..tag.len()).is_some_and(|e| bool::from(e.ct_eq(tag)))
    }

    /// Encrypts and authenticates a short text together with what it belongs to (XChaCha20-Poly1305): the nonce, and 16 bytes
    /// more than the text.
    pub fn seal(&self, nonce: [u8; NONCE], text: &[u8], belongs_to: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: text, aad: belongs_to };
        // It fails for texts of hundreds of gigabytes alone; nothing opens an empty one.
        let sealed = XChaCha20Poly1305::new(&self.0.into()).encrypt(&nonce.into(), payload).unwrap_or_default();
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed with this key for what it belongs to; nothing for anything else.
    pub fn open(&self, sealed: &[u8], belongs_to: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: text, aad: belongs_to };
        XChaCha20Poly1305::new(&self.0.into()).decrypt(&(*nonce).into(), payload).ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A string that must not be printed: a password, a code, a token. Two are compared in constant time.
#[derive(Clone)]
pub struct Secret(String);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; call it only where it is used.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_separate_purposes_and_parts() {
        let master = Key::new([7; 32]);
        assert_ne!(master.derive("cursor").as_bytes(), master.derive("refresh").as_bytes());
        assert_ne!(master.tag(&[b"ab", b"c"]), master.tag(&[b"a", b"bc"]));
        let tag = master.tag(&[b"x"]);
        assert!(master.verify(&[b"x"], &tag) && master.verify(&[b"x"], &tag[..16]));
        assert!(
            !master.verify(&[b"x"], &tag[..15]) && !master.verify(&[b"y"], &tag) && !master.verify(&[b"x"], &[0; 40])
        );
    }

    #[test]
    fn what_is_sealed_opens_whole_with_its_key_and_for_its_owner_only() {
        let (key, sealed) = (Key::new([7; 32]), Key::new([7; 32]).seal([1; NONCE], b"secret", b"mona"));
        assert_eq!(key.open(&sealed, b"mona").as_deref(), Some(&b"secret"[..]));
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(key.open(&sealed, b"omar"), None);
        assert_eq!(Key::new([8; 32]).open(&sealed, b"mona"), None);
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!((key.open(&bent, b"mona"), key.open(&sealed[..at], b"mona")), (None, None), "{at}");
        }
    }

    #[test]
    fn security_33_secrets_are_equal_when_all_of_them_is() {
        for (one, other, same) in [("", "", true), ("ab", "ab", true), ("ab", "ac", false), ("ab", "a", false)] {
            assert_eq!(Secret::new(one) == Secret::new(other), same, "{one} and {other}");
        }
    }

    #[test]
    fn nothing_is_printed() {
        assert!(!format!("{:?}{:?}", Key::new([65; 32]), Secret::new("hunter2")).contains("hunter2"));
    }
}
