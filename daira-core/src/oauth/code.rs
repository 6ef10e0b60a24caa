//! Codes and secrets of apps: both are computed from a key, so that no row holds one and a copy of the database opens nothing.
//!
//! A code is `dac_` and base64url of *id ‖ tag*, the tag over the id and what the app must show; a secret is `das_` and base64url
//! of the tag over the app and how often its secret was drawn.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::model::{App, Code};
use crate::id::{ChallengeId, Id};
use crate::secret::{Key, Secret};

const CODE: &str = "dac_";
const SECRET: &str = "das_";
const CODE_BYTES: usize = 8 + 32;

/// The code of a row.
pub(crate) fn seal(key: &Key, code: &Code) -> Secret {
    let id = code.id.raw().to_be_bytes();
    let tag = key.tag(&[b"code", &id, &code.app.raw().to_be_bytes(), &code.challenge]);
    Secret::new(format!("{CODE}{}", BASE64URL_NOPAD.encode(&[&id[..], &tag].concat())))
}

/// The row that a code names; nothing for a text that is none. Whether it is genuine takes the row.
pub(crate) fn named(code: &Secret) -> Option<ChallengeId> {
    let text = code.expose().strip_prefix(CODE)?;
    if text.len() != BASE64URL_NOPAD.encode_len(CODE_BYTES) {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    Some(ChallengeId::from_raw(i64::from_be_bytes(*bytes.first_chunk()?)))
}

/// The secret of an app that can keep one.
pub(crate) fn secret(key: &Key, app: &App) -> Option<Secret> {
    let tag = key.tag(&[b"secret", &app.id.raw().to_be_bytes(), &app.secret.to_be_bytes()]);
    app.confidential.then(|| Secret::new(format!("{SECRET}{}", BASE64URL_NOPAD.encode(&tag))))
}

/// Whether a verifier is the one whose SHA-256 was shown before (RFC 7636, method S256).
pub(crate) fn is_verifier(challenge: &[u8; 32], verifier: &Secret) -> bool {
    let text = verifier.expose();
    let well_formed =
        (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    well_formed && digest == *challenge
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, AppId, ProfileId, SessionId};
    use crate::oauth::Scopes;
    use crate::time::Timestamp;

    #[test]
    fn a_code_names_its_row_and_is_of_its_key_app_and_challenge() {
        let row = Code {
            id: ChallengeId::from_raw(7),
            app: AppId::from_raw(8),
            account: AccountId::from_raw(1),
            profile: ProfileId::from_raw(2),
            scopes: Scopes::OPENID,
            redirect: String::new(),
            challenge: [3; 32],
            nonce: None,
            agreed_on: SessionId::from_raw(4),
            proven_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
            session: None,
        };
        let code = seal(&Key::new([5; 32]), &row);
        assert_eq!(named(&code), Some(row.id));
        assert_ne!(code, seal(&Key::new([6; 32]), &row));
        assert_ne!(code, seal(&Key::new([5; 32]), &Code { app: AppId::from_raw(9), ..row.clone() }));
        assert_ne!(code, seal(&Key::new([5; 32]), &Code { challenge: [4; 32], ..row }));
        for none in ["", "dac_", "dac_AAAA", &code.expose()[4..], &"dac_".repeat(100_000)] {
            assert_eq!(named(&Secret::new(none)), None);
        }
    }

    #[test]
    fn the_example_of_the_rfc_verifies() {
        let challenge = BASE64URL_NOPAD.decode(b"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        let challenge: [u8; 32] = challenge.try_into().unwrap();
        assert!(is_verifier(&challenge, &Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
        for wrong in ["", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
        {
            assert!(!is_verifier(&challenge, &Secret::new(wrong)), "{wrong}");
        }
    }
}
