//! The kit of [`TokenSigner`].

use core::time::Duration;
use std::sync::Arc;

use crate::account::AccountRefusal;
use crate::id::{Id, ProfileId, SessionId};
use crate::port::{Claims, TokenSigner};
use crate::time::Timestamp;

super::kit! { $
    /// Runs the [`signer`](crate::testkit::signer) kit on an adapter: `signer_kit!(name, signers)`.
    signer_kit, "signer", single {
        signer: claims_come_back, a_token_ends, a_changed_token_does_not_hold, another_keys_token_does_not_hold,
            garbage_is_no_token, a_token_is_made_for_headers;
    }
}

/// What the kit is run on.
pub struct Signers {
    /// The signer under test.
    pub signer: Arc<dyn TokenSigner>,
    /// One of the same kind with another key.
    pub other: Arc<dyn TokenSigner>,
}

impl core::fmt::Debug for Signers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Signers")
    }
}

const ISSUED: Timestamp = Timestamp::from_seconds(1_795_456_800);
const LIFE: Duration = Duration::from_mins(15);

fn claims(n: i64) -> Claims {
    Claims {
        profile: ProfileId::from_raw(0x0123_4567_89ab_cdef - n),
        session: SessionId::from_raw(0x00fe_dcba_9876_5432 + n),
        generation: 7,
        granted: None,
        issued_at: ISSUED,
        expires_at: ISSUED + LIFE,
    }
}

fn refused(result: crate::Result<Claims>) -> bool {
    result.is_err_and(|error| error.refusal() == Some(AccountRefusal::TokenInvalid))
}

/// The claims of a token are those that were signed, as long as it lives.
pub async fn claims_come_back(signers: &Signers) {
    for claims in [claims(0), Claims { generation: 0, ..claims(1) }, Claims { generation: i32::MAX, ..claims(2) }] {
        let token = signers.signer.sign(&claims).unwrap();
        for now in [ISSUED, ISSUED + Duration::from_secs(1), ISSUED + LIFE - Duration::from_secs(1)] {
            assert_eq!(signers.signer.verify(&token, now).unwrap(), claims);
        }
    }
    assert_ne!(signers.signer.sign(&claims(0)).unwrap(), signers.signer.sign(&claims(1)).unwrap());
}

/// A token that has ended holds no more. An adapter may bear with clocks that are up to a minute apart.
pub async fn a_token_ends(signers: &Signers) {
    let token = signers.signer.sign(&claims(0)).unwrap();
    for late in [LIFE + Duration::from_secs(61), LIFE * 2, LIFE * 1_000] {
        assert!(refused(signers.signer.verify(&token, ISSUED + late)), "{late:?}");
    }
}

/// No character of a token can be changed, left out or added.
pub async fn a_changed_token_does_not_hold(signers: &Signers) {
    let token = signers.signer.sign(&claims(0)).unwrap();
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'Q' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(changed == token || refused(signers.signer.verify(&changed, ISSUED)), "at {at}");
        let (before, after) = token.split_at(at);
        assert!(refused(signers.signer.verify(before, ISSUED)), "cut at {at}");
        assert!(refused(signers.signer.verify(&format!("{before}A{after}"), ISSUED)), "longer at {at}");
    }
}

/// A token of another key is refused.
pub async fn another_keys_token_does_not_hold(signers: &Signers) {
    let token = signers.other.sign(&claims(0)).unwrap();
    assert!(refused(signers.signer.verify(&token, ISSUED)));
    assert!(signers.other.verify(&token, ISSUED).is_ok());
}

/// What is no token is refused like one that does not hold: empty, huge, of another kind, unsigned.
pub async fn garbage_is_no_token(signers: &Signers) {
    let huge = "A".repeat(1_000_000);
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJwcmZfMDAwMDAwMDAwMDAwMCJ9.";
    for garbage in ["", ".", "..", "...", "a.b.c", " ", "\0", "توكن", unsigned, "Bearer x", huge.as_str()] {
        assert!(refused(signers.signer.verify(garbage, ISSUED)));
    }
}

/// A token is one word of characters that a header may hold, and of a size that it bears.
pub async fn a_token_is_made_for_headers(signers: &Signers) {
    let token = signers.signer.sign(&claims(0)).unwrap();
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~+/=".contains(&b)));
    assert!((20..=1_000).contains(&token.len()));
}
