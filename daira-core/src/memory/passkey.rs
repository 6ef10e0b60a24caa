//! Passkeys without a further dependency: the ceremonies of the real ones over a shared secret. Whoever sees what is stored of
//! such a passkey could sign with it, so they are for tests and for small embedded worlds; where browsers sign, what they
//! sign is checked by an adapter of its own.

use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::error::Result;
use crate::port::{Ceremony, IdSource, PasskeyVerifier, PublicPart, Signed};
use crate::secret::{Key, Secret};

const KEY: usize = 32;

/// Checks what a [`MemoryAuthenticator`] signs.
pub struct MemoryPasskeys {
    ids: Arc<dyn IdSource>,
}

impl core::fmt::Debug for MemoryPasskeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MemoryPasskeys")
    }
}

impl MemoryPasskeys {
    /// With challenges from this source.
    pub fn new(ids: Arc<dyn IdSource>) -> Self {
        Self { ids }
    }

    fn begin(&self, user: Option<&[u8; 16]>, known: &[PublicPart]) -> Ceremony {
        let challenge = HEXLOWER.encode(&self.ids.bytes::<32>());
        let known: Vec<String> = known.iter().map(|passkey| HEXLOWER.encode(&passkey.credential)).collect();
        let user = user.map(|user| HEXLOWER.encode(user));
        let options = json!({ "challenge": challenge, "user": user, "known": known }).to_string();
        Ceremony { state: options.clone().into_bytes(), options }
    }
}

/// A member of a JSON text, as bytes from hexadecimal digits.
fn member(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    HEXLOWER.decode(value.get(name)?.as_str()?.as_bytes()).ok()
}

fn tag(key: &[u8; KEY], challenge: &[u8], count: u32) -> [u8; 32] {
    Key::new(*key).tag(&[b"passkey", challenge, &count.to_be_bytes()])
}

fn count(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

impl PasskeyVerifier for MemoryPasskeys {
    fn begin_registration(&self, user: &[u8; 16], _: &str, known: &[PublicPart]) -> Result<Ceremony> {
        Ok(self.begin(Some(user), known))
    }

    fn finish_registration(&self, state: &[u8], answer: &Secret) -> Result<Option<PublicPart>> {
        let of = |name| member(answer.expose().as_bytes(), name);
        let fits = member(state, "challenge").is_some_and(|challenge| of("challenge") == Some(challenge));
        let key = of("key").filter(|key| fits && key.len() == KEY);
        let kept = |key: Vec<u8>| [&key[..], &0_u32.to_be_bytes()].concat();
        Ok(of("credential").zip(key).map(|(credential, key)| PublicPart { credential, key: kept(key) }))
    }

    fn begin_signature(&self, known: &[PublicPart]) -> Result<Ceremony> {
        Ok(self.begin(None, known))
    }

    fn signer_of(&self, answer: &Secret) -> Option<(Vec<u8>, Option<[u8; 16]>)> {
        let of = |name| member(answer.expose().as_bytes(), name);
        Some((of("credential")?, of("user").and_then(|user| user.try_into().ok())))
    }

    fn finish_signature(&self, state: &[u8], passkey: &PublicPart, answer: &Secret) -> Result<Signed> {
        let of = |name| member(answer.expose().as_bytes(), name);
        let Some((key, before)) = passkey.key.split_first_chunk::<KEY>() else { return Ok(Signed::Bad) };
        let (Some(challenge), Some(tagged)) = (member(state, "challenge"), of("tag")) else { return Ok(Signed::Bad) };
        let (Some(before), Some(now)) = (count(before), of("count").and_then(|bytes| count(&bytes))) else {
            return Ok(Signed::Bad);
        };
        let named = of("credential").as_ref() == Some(&passkey.credential);
        let good = Key::new(*key).verify(&[b"passkey", &challenge, &now.to_be_bytes()], &tagged);
        if !named || !good {
            return Ok(Signed::Bad);
        }
        if now <= before {
            return Ok(Signed::Copied);
        }
        let key = [&key[..], &now.to_be_bytes()].concat();
        Ok(Signed::Good(PublicPart { credential: passkey.credential.clone(), key }))
    }
}

/// An authenticator for [`MemoryPasskeys`], with one passkey.
#[derive(Debug)]
pub struct MemoryAuthenticator {
    key: [u8; KEY],
    credential: [u8; 16],
    used: Mutex<(u32, Option<Vec<u8>>)>,
}

impl MemoryAuthenticator {
    /// With a key of its own.
    pub fn new(ids: &(dyn IdSource + 'static)) -> Self {
        Self { key: ids.bytes(), credential: ids.bytes(), used: Mutex::default() }
    }

    /// Answers the options of a registration.
    pub fn create(&self, options: &str) -> Secret {
        let of = |name| member(options.as_bytes(), name);
        self.used.lock().unwrap_or_else(PoisonError::into_inner).1 = of("user");
        let challenge = HEXLOWER.encode(&of("challenge").unwrap_or_default());
        let [credential, key] = [&self.credential[..], &self.key].map(|bytes| HEXLOWER.encode(bytes));
        Secret::new(json!({ "challenge": challenge, "credential": credential, "key": key }).to_string())
    }

    /// Answers the options of a signature.
    pub fn sign(&self, options: &str) -> Secret {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.0 += 1;
        let challenge = member(options.as_bytes(), "challenge").unwrap_or_default();
        let texts = [&self.credential[..], &used.0.to_be_bytes(), &tag(&self.key, &challenge, used.0)];
        let [credential, count, tag] = texts.map(|bytes| HEXLOWER.encode(bytes));
        let user = used.1.as_ref().map(|user| HEXLOWER.encode(user));
        Secret::new(json!({ "credential": credential, "count": count, "tag": tag, "user": user }).to_string())
    }
}
