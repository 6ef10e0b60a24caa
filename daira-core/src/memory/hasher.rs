//! Password hashing without a further dependency: PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2).
//!
//! It is honest but cheap, meant for embedding and tests: a graphics card tries such hashes by the million. What faces
//! the open internet uses Argon2id (feature `credential`).

use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::BASE64_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::error::{Error, ErrorKind, Result};
use crate::port::{IdSource, PasswordHasher};
use crate::secret::Secret;

const NAME: &str = "pbkdf2-sha256";

/// Hashes as `$pbkdf2-sha256$i=ROUNDS$SALT$HASH`, sixteen bytes of salt. It computes on the calling thread.
#[derive(Clone)]
pub struct HmacHasher {
    ids: Arc<dyn IdSource>,
    rounds: u32,
}

impl core::fmt::Debug for HmacHasher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HmacHasher").field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

impl HmacHasher {
    /// What embedding in memory uses: about ten milliseconds.
    pub const ROUNDS: u32 = 10_000;

    /// With salts from a source and so many rounds, at least one.
    pub fn new(ids: Arc<dyn IdSource>, rounds: u32) -> Self {
        Self { ids, rounds: rounds.max(1) }
    }
}

/// The first block of PBKDF2, which is all that a 32-byte hash needs.
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> Result<[u8; 32]> {
    let keyed = Hmac::<Sha256>::new_from_slice(password)
        .map_err(|e| Error::new(ErrorKind::Internal, "password.key").with_source(e.to_string()))?;
    let mut block: [u8; 32] =
        keyed.clone().chain_update(salt).chain_update(1_u32.to_be_bytes()).finalize().into_bytes().into();
    let mut sum = block;
    for _ in 1..rounds {
        block = keyed.clone().chain_update(block).finalize().into_bytes().into();
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    Ok(sum)
}

/// Rounds, salt and hash of a stored string.
fn parse(stored: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let mut parts = stored.strip_prefix('$')?.split('$');
    let (name, rounds, salt, hash) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if name != NAME || parts.next().is_some() {
        return None;
    }
    let decode = |text: &str| BASE64_NOPAD.decode(text.as_bytes()).ok();
    Some((rounds.strip_prefix("i=")?.parse().ok().filter(|rounds| *rounds > 0)?, decode(salt)?, decode(hash)?))
}

#[async_trait]
impl PasswordHasher for HmacHasher {
    async fn hash(&self, password: &Secret) -> Result<String> {
        let salt: [u8; 16] = self.ids.bytes();
        let hash = pbkdf2(password.expose().as_bytes(), &salt, self.rounds)?;
        Ok(format!("${NAME}$i={}${}${}", self.rounds, BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&hash)))
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        let decoy = || (self.rounds, vec![0; 16], Vec::new());
        let (rounds, salt, expected) = match hash {
            Some(stored) => parse(stored).ok_or_else(|| Error::new(ErrorKind::Corrupt, "password.stored"))?,
            None => decoy(),
        };
        let actual = pbkdf2(password.expose().as_bytes(), &salt, rounds)?;
        Ok(bool::from(actual.ct_eq(expected.as_slice())))
    }

    fn is_outdated(&self, hash: &str) -> bool {
        parse(hash).is_none_or(|(rounds, ..)| rounds < self.rounds)
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn it_is_pbkdf2() {
        // RFC 7914, section 11.
        let one = pbkdf2(b"passwd", b"salt", 1).unwrap();
        assert_eq!(HEXLOWER.encode(&one), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
        let many = pbkdf2(b"Password", b"NaCl", 80_000).unwrap();
        assert_eq!(HEXLOWER.encode(&many), "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    }
}
