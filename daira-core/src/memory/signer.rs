//! Access tokens without a further dependency: claims sealed with HMAC-SHA-256.
//!
//! Whoever checks such a token could also make one, so they are for a single program; where several parties check
//! tokens, they are signed (feature `credential`).

use data_encoding::BASE64URL_NOPAD;

use crate::account::AccountRefusal;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AppId, Id, ProfileId, SessionId};
use crate::oauth::{Granted, Scopes};
use crate::port::{Claims, IdClaims, PublicKey, TokenSigner};
use crate::secret::Key;
use crate::time::Timestamp;

const KIND: &[u8] = b"daira.access.v1";
/// Claims of a client of the house, and what an app of somebody else's has besides.
const CLAIMS: usize = 36;
const GRANTED: usize = 12;
const TAG: usize = 32;

/// Seals the claims; a token is base64url of 36 bytes of claims and a 32-byte tag.
#[derive(Debug, Clone)]
pub struct HmacSigner {
    key: Key,
}

impl HmacSigner {
    /// With the key of this purpose.
    pub fn new(key: Key) -> Self {
        Self { key }
    }
}

fn read(bytes: &[u8]) -> Option<Claims> {
    let number = |at: usize| Some(i64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    Some(Claims {
        profile: ProfileId::from_raw(number(0)?),
        session: SessionId::from_raw(number(8)?),
        issued_at: Timestamp::from_micros(number(16)?),
        expires_at: Timestamp::from_micros(number(24)?),
        generation: i32::from_be_bytes(bytes.get(32..CLAIMS)?.try_into().ok()?),
        granted: match bytes.get(CLAIMS + 8..) {
            Some(scopes) => Some(Granted {
                app: AppId::from_raw(number(CLAIMS)?),
                scopes: Scopes::from_stored(i32::from_be_bytes(scopes.try_into().ok()?)),
            }),
            None => None,
        },
    })
}

impl TokenSigner for HmacSigner {
    fn sign(&self, claims: &Claims) -> Result<String> {
        let numbers =
            [claims.profile.raw(), claims.session.raw(), claims.issued_at.as_micros(), claims.expires_at.as_micros()];
        let mut bytes: Vec<u8> = numbers.into_iter().flat_map(i64::to_be_bytes).collect();
        bytes.extend(claims.generation.to_be_bytes());
        if let Some(granted) = claims.granted {
            bytes.extend(granted.app.raw().to_be_bytes());
            bytes.extend(granted.scopes.stored().to_be_bytes());
        }
        let tag = self.key.tag(&[KIND, &bytes]);
        bytes.extend(tag);
        Ok(BASE64URL_NOPAD.encode(&bytes))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let refused = || Error::from(AccountRefusal::TokenInvalid);
        // Nothing longer than a token is even decoded.
        if ![CLAIMS, CLAIMS + GRANTED].iter().any(|claims| token.len() == BASE64URL_NOPAD.encode_len(claims + TAG)) {
            return Err(refused());
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| refused())?;
        let (body, tag) = bytes.split_last_chunk::<TAG>().ok_or_else(refused)?;
        if !self.key.verify(&[KIND, body], tag) {
            return Err(refused());
        }
        read(body).filter(|claims| claims.issued_at <= now && now < claims.expires_at).ok_or_else(refused)
    }

    fn sign_id(&self, _: &IdClaims) -> Result<String> {
        Err(Error::new(ErrorKind::Internal, "signer.id_token").with_source("nobody else could check it"))
    }

    /// None: whoever can check such a token can make one.
    fn public_keys(&self) -> Vec<PublicKey> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_token_holds_from_its_first_to_before_its_last_instant() {
        let (issued_at, life) = (Timestamp::from_seconds(1_795_456_800), Duration::from_mins(15));
        let (profile, session) = (ProfileId::from_raw(1), SessionId::from_raw(2));
        let claims = Claims { profile, session, generation: 1, granted: None, issued_at, expires_at: issued_at + life };
        let signer = HmacSigner::new(Key::new([1; 32]));
        let token = signer.sign(&claims).unwrap();
        let tick = Duration::from_micros(1);
        for (now, holds) in
            [(issued_at - tick, false), (issued_at, true), (issued_at + life - tick, true), (issued_at + life, false)]
        {
            assert_eq!(signer.verify(&token, now).is_ok(), holds);
        }
    }
}
