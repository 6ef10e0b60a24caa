//! Refresh tokens and e-mail codes: both are computed from keys, so that no row and no event holds one.
//!
//! A refresh token is `drt_` and base64url of *session id ‖ generation ‖ tag*, where the tag is HMAC-SHA-256 over the
//! session's random salt, its id and the generation. The database knows the salt but not the key: a copy of it opens
//! nothing. A code is six digits of the HMAC of the challenge's id.

use core::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::id::{AccountId, ChallengeId, Id, SessionId};
use crate::secret::{Key, Secret};
use crate::text::fold;
use crate::time::Timestamp;

const PREFIX: &str = "drt_";
const TAG: usize = 32;
const BYTES: usize = 8 + 4 + TAG;

/// A refresh token taken apart, its tag not yet checked: that takes the session's salt.
#[derive(Clone)]
pub struct RefreshToken {
    /// The session it refreshes.
    pub session: SessionId,
    /// The session's generation that it was issued for.
    pub generation: i32,
    tag: [u8; TAG],
}

impl core::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RefreshToken")
            .field("session", &self.session)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// The refresh token of a session's generation.
pub fn seal(key: &Key, session: SessionId, generation: i32, salt: &[u8; 16]) -> Secret {
    let tag = tag(key, session, generation, salt);
    let bytes = [&session.raw().to_be_bytes()[..], &generation.to_be_bytes(), &tag].concat();
    Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
}

/// Takes a token apart; nothing for a text that is none.
pub fn open(token: &Secret) -> Option<RefreshToken> {
    let text = token.expose().strip_prefix(PREFIX)?;
    if text.len() != BASE64URL_NOPAD.encode_len(BYTES) {
        return None;
    }
    let bytes: [u8; BYTES] = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?;
    let (session, rest) = bytes.split_first_chunk::<8>()?;
    let (generation, tag) = rest.split_first_chunk::<4>()?;
    Some(RefreshToken {
        session: SessionId::from_raw(i64::from_be_bytes(*session)),
        generation: i32::from_be_bytes(*generation),
        tag: tag.try_into().ok()?,
    })
}

impl RefreshToken {
    /// Whether it was made with this key for the session that has this salt, compared in constant time.
    pub fn is_genuine(&self, key: &Key, salt: &[u8; 16]) -> bool {
        tag(key, self.session, self.generation, salt).ct_eq(&self.tag).into()
    }
}

fn tag(key: &Key, session: SessionId, generation: i32, salt: &[u8; 16]) -> [u8; TAG] {
    key.tag(&[b"refresh", salt, &session.raw().to_be_bytes(), &generation.to_be_bytes()])
}

const RESET_PREFIX: &str = "drp_";
const RESET_BYTES: usize = 8 + TAG;

/// The token that lets choose a new password. It is bound to the old one: changing the password spends all of them.
pub fn reset(key: &Key, mailing: ChallengeId, account: AccountId, password_hash: &str) -> Secret {
    let bytes = [&mailing.raw().to_be_bytes()[..], &reset_tag(key, mailing, account, password_hash)].concat();
    Secret::new(format!("{RESET_PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
}

/// The mailing that such a token names; nothing for a text that is none. Whether it was made by us takes
/// [`is_reset`].
pub fn reset_mailing(token: &Secret) -> Option<ChallengeId> {
    let text = token.expose().trim().strip_prefix(RESET_PREFIX)?;
    if text.len() != BASE64URL_NOPAD.encode_len(RESET_BYTES) {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    Some(ChallengeId::from_raw(i64::from_be_bytes(*bytes.first_chunk()?)))
}

/// Whether this is the token of a mailing for an account with this password hash, compared in constant time.
pub fn is_reset(key: &Key, token: &Secret, mailing: ChallengeId, account: AccountId, password_hash: &str) -> bool {
    let given = Secret::new(token.expose().trim());
    given == reset(key, mailing, account, password_hash)
}

fn reset_tag(key: &Key, mailing: ChallengeId, account: AccountId, password_hash: &str) -> [u8; TAG] {
    let parts = [b"reset".as_slice(), &mailing.raw().to_be_bytes(), &account.raw().to_be_bytes()];
    key.tag(&[&parts[..], &[password_hash.as_bytes()]].concat())
}

const DEVICE_PREFIX: &str = "ddt_";
const DEVICE_BYTES: usize = 16 + 8 + TAG;
/// For how long a device is known after a log-in.
const DEVICE_LIFE: Duration = Duration::from_hours(180 * 24);

/// The name of a device that somebody logs in on for the first time: the same for the same session.
pub fn device_name(key: &Key, session: SessionId, salt: &[u8; 16]) -> [u8; 16] {
    let tag = key.tag(&[b"name", &session.raw().to_be_bytes(), salt]);
    tag.first_chunk().copied().unwrap_or_default()
}

/// The token that lets a device be known again when the same e-mail address logs in there: its name and the time, to the
/// second, authenticated.
pub fn device(key: &Key, name: [u8; 16], at: Timestamp, email: &str) -> Secret {
    let at = at.as_seconds().to_be_bytes();
    let bytes = [&name[..], &at, &key.tag(&[b"token", &name, &at, email.as_bytes()])].concat();
    Secret::new(format!("{DEVICE_PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
}

/// The device's name, when its token was made with this key for this e-mail address, and not too long ago.
pub fn known_device(key: &Key, token: &Secret, email: &str, now: Timestamp) -> Option<[u8; 16]> {
    let text = token.expose().strip_prefix(DEVICE_PREFIX)?;
    if text.len() != BASE64URL_NOPAD.encode_len(DEVICE_BYTES) {
        return None;
    }
    let bytes: [u8; DEVICE_BYTES] = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?;
    let (name, rest) = bytes.split_first_chunk::<16>()?;
    let (at, tag) = rest.split_first_chunk::<8>()?;
    let lives = || now.since(Timestamp::from_seconds(i64::from_be_bytes(*at))) < DEVICE_LIFE;
    (key.verify(&[b"token", name, at, email.as_bytes()], tag) && lives()).then_some(*name)
}

/// The six digits that prove a challenge was received.
pub fn code(key: &Key, challenge: ChallengeId) -> Secret {
    digits(&key.tag(&[b"code", &challenge.raw().to_be_bytes()]))
}

/// The six digits that move an account to another address. They are bound to how it is reached now: a new password or
/// another move spends them.
pub fn email_code(key: &Key, challenge: ChallengeId, email: &str, password_hash: &str) -> Secret {
    digits(&key.tag(&[b"email", &challenge.raw().to_be_bytes(), email.as_bytes(), password_hash.as_bytes()]))
}

/// The six digits that let in who is reached this way. They are bound to the account and its password: a new one spends them.
pub fn log_in_code(key: &Key, challenge: ChallengeId, account: AccountId, to: &str, password_hash: &str) -> Secret {
    let (challenge, account) = (challenge.raw().to_be_bytes(), account.raw().to_be_bytes());
    digits(&key.tag(&[b"log_in", &challenge, &account, to.as_bytes(), password_hash.as_bytes()]))
}

/// The six digits that give an account a phone number. They are bound to the number it has now, if any, and its password: a new
/// password or another number spends them.
pub fn phone_code(
    key: &Key,
    challenge: ChallengeId,
    number: &str,
    before: Option<&str>,
    password_hash: &str,
) -> Secret {
    let (challenge, before) = (challenge.raw().to_be_bytes(), before.unwrap_or_default().as_bytes());
    digits(&key.tag(&[b"phone", &challenge, number.as_bytes(), before, password_hash.as_bytes()]))
}

fn digits(tag: &[u8; 32]) -> Secret {
    // 2⁶⁴ is so much larger than 10⁶ that the digits are even to one part in 10¹³.
    let number = tag.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    Secret::new(format!("{:06}", number % 1_000_000))
}

/// Whether these are the challenge's digits, compared in constant time.
pub fn is_code(key: &Key, challenge: ChallengeId, typed: &Secret) -> bool {
    is_typed(&code(key, challenge), typed)
}

/// Whether these digits were typed, compared in constant time. Arabic-Indic digits, spaces and hyphens are as good as what
/// the mail shows.
pub fn is_typed(code: &Secret, typed: &Secret) -> bool {
    self::typed(typed).is_some_and(|typed| typed.as_bytes().ct_eq(code.expose().as_bytes()).into())
}

/// What was typed, folded and without spaces and hyphens; nothing for what is much longer than any code: that is no slip of the
/// keyboard and not worth folding.
pub(super) fn typed(text: &Secret) -> Option<String> {
    let folded = (text.expose().len() <= 64).then(|| fold(text.expose()))?;
    Some(folded.as_str().chars().filter(|c| !c.is_ascii_whitespace() && *c != '-').collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn key() -> Key {
        Key::new([5; 32])
    }

    #[test]
    fn a_token_is_opaque_text_that_is_not_printed() {
        let token = seal(&key(), SessionId::from_raw(7), 1, &[1; 16]);
        assert_eq!(token.expose().len(), 4 + 59);
        let opened = open(&token).unwrap();
        assert!(!format!("{token:?} {opened:?}").contains(&token.expose()[30..]));
    }

    #[test]
    fn a_reset_is_for_one_mailing_account_and_password() {
        let (mailing, account) = (ChallengeId::from_raw(7), AccountId::from_raw(8));
        let token = reset(&key(), mailing, account, "hash");
        assert_eq!(reset_mailing(&token), Some(mailing));
        assert!(is_reset(&key(), &Secret::new(format!(" {}\n", token.expose())), mailing, account, "hash"));
        assert!(!is_reset(&key(), &token, ChallengeId::from_raw(9), account, "hash"));
        assert!(!is_reset(&key(), &token, mailing, AccountId::from_raw(9), "hash"));
        assert!(!is_reset(&key(), &token, mailing, account, "another hash"), "a changed password spends it");
        assert!(!is_reset(&Key::new([6; 32]), &token, mailing, account, "hash"));
        for none in ["", "drp_", "drp_AAAA", &token.expose()[4..], &"drp_".repeat(100_000)] {
            assert_eq!(reset_mailing(&Secret::new(none)), None);
        }
    }

    #[test]
    fn a_device_is_known_for_one_address_only() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let token = device(&key(), [9; 16], now, "mona@example.com");
        let known = |key: &Key, token: &Secret, email: &str| known_device(key, token, email, now);
        assert_eq!(known(&key(), &token, "mona@example.com"), Some([9; 16]));
        assert_eq!(known(&key(), &token, "nour@example.com"), None);
        assert_eq!(known(&Key::new([6; 32]), &token, "mona@example.com"), None);
        for none in ["", "ddt_", "ddt_AAAA", &token.expose()[4..], &"ddt_".repeat(100_000)] {
            assert_eq!(known(&key(), &Secret::new(none), "mona@example.com"), None);
        }
        assert_eq!(known_device(&key(), &token, "mona@example.com", now + DEVICE_LIFE), None, "half a year is long");
        let first = device_name(&key(), SessionId::from_raw(1), &[1; 16]);
        assert_ne!(first, device_name(&key(), SessionId::from_raw(2), &[1; 16]));
    }

    #[test]
    fn codes_are_six_digits_in_any_spelling() {
        let id = ChallengeId::from_raw(42);
        let digits = code(&key(), id);
        assert!(digits.expose().len() == 6 && digits.expose().bytes().all(|b| b.is_ascii_digit()));
        let arabic: String =
            digits.expose().bytes().map(|b| char::from_u32(0x660 + u32::from(b - b'0')).unwrap()).collect();
        let spaced = format!(" {} {}-{} ", &digits.expose()[..2], &digits.expose()[2..4], &digits.expose()[4..]);
        for typed in [digits.expose(), &arabic, &spaced] {
            assert!(is_code(&key(), id, &Secret::new(typed)), "{typed}");
        }
        for typed in
            ["", "0", "000000000000", &format!("{}0", digits.expose()), &digits.expose()[1..], &"1".repeat(1 << 20)]
        {
            assert!(!is_code(&key(), id, &Secret::new(typed)));
        }
        assert!(!is_code(&Key::new([6; 32]), id, &digits) && !is_code(&key(), ChallengeId::from_raw(43), &digits));
    }

    #[test]
    fn codes_are_spread() {
        let codes: HashSet<String> =
            (0..2_000).map(|n| code(&key(), ChallengeId::from_raw(n)).expose().to_owned()).collect();
        assert!(codes.len() > 1_980, "{}", codes.len());
    }

    proptest! {
        #[test]
        fn sealed_tokens_open(session in 0..i64::MAX, generation in 0..i32::MAX, salt: [u8; 16]) {
            let opened = open(&seal(&key(), SessionId::from_raw(session), generation, &salt)).unwrap();
            prop_assert_eq!((opened.session.raw(), opened.generation), (session, generation));
            prop_assert!(opened.is_genuine(&key(), &salt));
            prop_assert!(!opened.is_genuine(&Key::new([6; 32]), &salt));
        }

        #[test]
        fn any_flipped_bit_is_noticed(at in 0..BYTES, bit in 0..8_u8) {
            let token = seal(&key(), SessionId::from_raw(7), 1, &[1; 16]);
            let mut bytes = BASE64URL_NOPAD.decode(&token.expose().as_bytes()[4..]).unwrap();
            bytes[at] ^= 1 << bit;
            let forged = Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)));
            prop_assert!(open(&forged).is_none_or(|t| !t.is_genuine(&key(), &[1; 16])));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let dressed = Secret::new(format!("{PREFIX}{text}"));
            prop_assert!(open(&Secret::new(&text)).is_none() && open(&dressed).is_none());
            let _ = is_code(&key(), ChallengeId::from_raw(1), &Secret::new(text));
        }
    }
}
