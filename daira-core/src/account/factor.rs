//! Second factors: six digits that a device computes (TOTP, RFC 6238), and recovery codes for whoever lost it.
//!
//! The secret of the digits is kept encrypted; of recovery codes a keyed digest is kept, and each works once. Digits are good
//! for their own half minute and its two neighbours, and a half minute is taken once: the step it was taken in is kept, and
//! only later ones are taken after it.
//!
//! A log-in whose password was right and that waits for a second factor is held by the client alone, as an encrypted text that
//! lets nobody in.

use core::ops::RangeInclusive;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use totp_rs::{Builder, Totp};

use super::token::{is_typed, typed};
use super::{Email, Identity, LinkedIdentity, StoredCredential};
use crate::id::{AccountId, Id, ProfileId};
use crate::secret::{Key, NONCE, Secret};
use crate::time::Timestamp;

/// Bytes of a secret that digits are computed from: as many as HMAC-SHA-1 makes use of.
pub const SECRET: usize = 20;
/// Bytes of a recovery code.
pub const RECOVERY: usize = 10;
/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 10;
/// The length of a step, in seconds.
const STEP: u64 = 30;
/// Steps before and after the present one whose digits are good: clocks differ, and people type.
const NEIGHBOURS: RangeInclusive<i64> = -1..=1;
/// Who apps say that the digits are for.
const ISSUER: &str = "DAIRA";

/// A device that computes digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// Its secret, encrypted for the account.
    pub sealed: Vec<u8>,
    /// When the secret was shown.
    pub begun_at: Timestamp,
    /// When it was shown to work; before that it guards nothing.
    pub confirmed_at: Option<Timestamp>,
    /// The latest step whose digits were taken.
    pub step: i64,
}

impl core::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authenticator").field("confirmed_at", &self.confirmed_at).finish_non_exhaustive()
    }
}

/// What guards an account besides its password.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The account.
    pub account: AccountId,
    /// The device that computes digits, if there is one.
    pub authenticator: Option<Authenticator>,
    /// Digests of the recovery codes that are left.
    pub recovery: Vec<[u8; 32]>,
    /// How many passkeys the account has.
    pub passkeys: usize,
}

impl core::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SecondFactor").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What a second factor was proved with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The digits of a device.
    Digits,
    /// A recovery code, which is spent.
    Recovery,
}

impl SecondFactor {
    /// None yet.
    pub fn none(account: AccountId) -> Self {
        Self { account, authenticator: None, recovery: Vec::new(), passkeys: 0 }
    }

    /// The device that computes digits, if it was shown to work.
    pub fn confirmed(&self) -> Option<&Authenticator> {
        self.authenticator.as_ref().filter(|device| device.confirmed_at.is_some())
    }

    /// Whether a log-in takes more than the password.
    pub fn guards(&self) -> bool {
        self.confirmed().is_some() || self.passkeys > 0
    }

    /// The secret of the device, readable.
    pub fn secret(&self, key: &Key) -> Option<[u8; SECRET]> {
        let sealed = &self.authenticator.as_ref()?.sealed;
        key.open(sealed, &belongs_to(self.account))?.try_into().ok()
    }

    /// Takes what was typed, digits or a recovery code, and spends it; nothing when it is neither.
    pub fn take(&mut self, key: &Key, text: &Secret, now: Timestamp) -> Option<Proof> {
        if self.confirmed().is_some() && self.take_digits(key, text, now) {
            return Some(Proof::Digits);
        }
        let digest = recovery_digest(key, self.account, &recovery_bytes(text)?);
        let left =
            self.recovery.iter().filter(|kept| !bool::from(subtle::ConstantTimeEq::ct_eq(&kept[..], &digest[..])));
        let left: Vec<[u8; 32]> = left.copied().collect();
        if left.len() == self.recovery.len() {
            return None;
        }
        self.recovery = left;
        Some(Proof::Recovery)
    }

    /// Takes digits of the device, confirmed or not, and spends their step; says whether they were good.
    pub fn take_digits(&mut self, key: &Key, text: &Secret, now: Timestamp) -> bool {
        let Some(secret) = self.secret(key) else { return false };
        let Some(device) = &mut self.authenticator else { return false };
        let present = now.as_seconds().div_euclid(STEP.cast_signed());
        // All are compared, so that time does not tell which it was.
        let good = NEIGHBOURS.map(|by| present + by).filter(|step| is_typed(&digits(&secret, *step), text));
        let Some(step) = good.filter(|step| *step > device.step).min() else { return false };
        device.step = step;
        true
    }
}

/// Encrypts the secret of a device for an account.
pub fn seal_secret(key: &Key, nonce: [u8; NONCE], account: AccountId, secret: &[u8; SECRET]) -> Vec<u8> {
    key.seal(nonce, secret, &belongs_to(account))
}

fn belongs_to(account: AccountId) -> Vec<u8> {
    [b"authenticator", &account.raw().to_be_bytes()[..]].concat()
}

/// The six digits of a step.
pub fn digits(secret: &[u8; SECRET], step: i64) -> Secret {
    let device: Totp = Builder::new().with_secret(*secret).with_step_duration(STEP).build_noncompliant();
    Secret::new(device.generate(step.max(0).cast_unsigned().saturating_mul(STEP)).to_string())
}

/// The secret as people type it.
pub fn readable(secret: &[u8; SECRET]) -> Secret {
    Secret::new(BASE32_NOPAD.encode(secret))
}

/// The address that an app reads from a picture of it.
pub fn address(secret: &[u8; SECRET], email: &Email) -> Secret {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let name: String = email
        .as_str()
        .bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let secret = readable(secret);
    Secret::new(format!(
        "otpauth://totp/{ISSUER}:{name}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period={STEP}",
        secret.expose()
    ))
}

/// A recovery code as it is shown: four groups of four letters and digits.
pub fn recovery_code(bytes: [u8; RECOVERY]) -> Secret {
    let text = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    let groups: Vec<&str> = (0..4).filter_map(|n| text.get(n * 4..n * 4 + 4)).collect();
    Secret::new(groups.join("-"))
}

/// What is kept of a recovery code.
pub fn recovery_digest(key: &Key, account: AccountId, code: &[u8; RECOVERY]) -> [u8; 32] {
    key.tag(&[b"recovery", &account.raw().to_be_bytes(), code])
}

fn recovery_bytes(text: &Secret) -> Option<[u8; RECOVERY]> {
    let typed = typed(text)?.to_ascii_uppercase();
    BASE32_NOPAD.decode(typed.as_bytes()).ok()?.try_into().ok()
}

const PREFIX: &str = "dsf_";
/// What is sealed along with it: the form that the bytes have.
const SEALED: &[u8] = b"dsf_2";
const HASH: usize = 16;

/// A log-in whose password was right, and that waits for a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The account.
    pub account: AccountId,
    /// The face that will be acted as.
    pub profile: ProfileId,
    /// Which password it was, without telling it.
    password: [u8; HASH],
    /// The latest instant that a session by this log-in may count as proved at: what was shown first may prove less than a
    /// password does.
    pub proven_at: Timestamp,
    /// By which identity at a provider, without telling it; nothing but zeros by none.
    identity: [u8; HASH],
    /// When it lapses, to the second.
    pub expires_at: Timestamp,
    /// What the session is to be shown as.
    pub device: String,
}

impl Waiting {
    /// For an account whose password was proved.
    pub fn new(key: &Key, stored: &StoredCredential, device: &str, expires_at: Timestamp) -> Self {
        let expires_at = Timestamp::from_seconds(expires_at.as_seconds());
        let password = password_mark(key, &stored.password_hash);
        let (proven_at, identity) = (Timestamp::from_micros(i64::MAX), [0; HASH]);
        let device = device.to_owned();
        Self { account: stored.account, profile: stored.profile, password, proven_at, identity, expires_at, device }
    }

    /// The same for what proves no later than an instant, by an identity where it was one.
    #[must_use]
    pub fn proving(mut self, key: &Key, proven_at: Timestamp, identity: Option<&Identity>) -> Self {
        self.proven_at = proven_at;
        self.identity = identity.map_or([0; HASH], |identity| identity_mark(key, identity));
        self
    }

    /// Whether the account is still opened by what was shown first, as far as that was an identity.
    pub fn is_linked(&self, key: &Key, linked: &[LinkedIdentity]) -> bool {
        self.identity == [0; HASH] || linked.iter().any(|one| identity_mark(key, &one.identity) == self.identity)
    }

    /// Whether the account still has the password that was proved.
    pub fn is_of(&self, key: &Key, password_hash: &str) -> bool {
        self.password == password_mark(key, password_hash)
    }

    /// The text that the client holds.
    pub fn seal(&self, key: &Key, nonce: [u8; NONCE]) -> Secret {
        let numbers =
            [self.account.raw(), self.profile.raw(), self.expires_at.as_seconds(), self.proven_at.as_micros()]
                .map(i64::to_be_bytes);
        let bytes = [numbers.as_flattened(), &self.password[..], &self.identity[..], self.device.as_bytes()].concat();
        Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&key.seal(nonce, &bytes, SEALED))))
    }

    /// Reads such a text, if it has not lapsed.
    pub fn open(key: &Key, text: &Secret, now: Timestamp) -> Option<Self> {
        const LONGEST: usize = 8_192;
        let sealed = text.expose().strip_prefix(PREFIX).filter(|sealed| sealed.len() <= LONGEST)?;
        let bytes = key.open(&BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?, SEALED)?;
        let (account, rest) = bytes.split_first_chunk::<8>()?;
        let (profile, rest) = rest.split_first_chunk::<8>()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let (proven_at, rest) = rest.split_first_chunk::<8>()?;
        let (password, rest) = rest.split_first_chunk::<HASH>()?;
        let (identity, device) = rest.split_first_chunk::<HASH>()?;
        let waiting = Self {
            account: AccountId::from_raw(i64::from_be_bytes(*account)),
            profile: ProfileId::from_raw(i64::from_be_bytes(*profile)),
            password: *password,
            proven_at: Timestamp::from_micros(i64::from_be_bytes(*proven_at)),
            identity: *identity,
            expires_at: Timestamp::from_seconds(i64::from_be_bytes(*expires_at)),
            device: core::str::from_utf8(device).ok()?.to_owned(),
        };
        (now < waiting.expires_at).then_some(waiting)
    }
}

fn identity_mark(key: &Key, identity: &Identity) -> [u8; HASH] {
    let parts = [b"identity", identity.issuer.as_bytes(), b"\n", identity.subject.as_bytes()];
    key.tag(&parts).first_chunk().copied().unwrap_or_default()
}

fn password_mark(key: &Key, hash: &str) -> [u8; HASH] {
    key.tag(&[b"password", hash.as_bytes()]).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
