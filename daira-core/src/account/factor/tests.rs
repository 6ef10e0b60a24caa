//! What second factors take and what they do not.

use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::account::AccountState;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_015);
const BYTES: [u8; SECRET] = *b"12345678901234567890";

fn account() -> AccountId {
    AccountId::from_raw(7)
}

fn key() -> Key {
    Key::new([5; 32])
}

fn factor() -> SecondFactor {
    let sealed = seal_secret(&key(), [3; NONCE], account(), &BYTES);
    let authenticator = Authenticator { sealed, begun_at: NOW, confirmed_at: Some(NOW), step: 0 };
    SecondFactor { account: account(), authenticator: Some(authenticator), recovery: Vec::new(), passkeys: 0 }
}

fn at(step: i64) -> Timestamp {
    Timestamp::from_seconds(step * 30 + 15)
}

#[test]
fn security_13_digits_are_those_of_the_rfc() {
    // RFC 6238, appendix B, the last six of eight digits for SHA-1.
    for (seconds, expected) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(digits(&BYTES, seconds / 30).expose(), expected, "{seconds}");
    }
}

#[test]
fn security_13_digits_are_good_for_their_step_and_its_neighbours() {
    let step = NOW.as_seconds() / 30;
    for (by, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false), (40, false)] {
        let taken = factor().take(&key(), &digits(&BYTES, step + by), NOW);
        assert_eq!(taken, good.then_some(Proof::Digits), "{by}");
    }
}

#[test]
fn security_13_a_step_is_taken_once_and_none_before_it_afterwards() {
    let (mut factor, step) = (factor(), NOW.as_seconds() / 30);
    let mut take = |of: i64, now: i64| factor.take(&key(), &digits(&BYTES, of), at(now)).is_some();
    assert!(take(step, step) && !take(step, step), "a replay");
    assert!(!take(step - 1, step), "an older one that was never used");
    assert!(!take(step, step + 1), "in the next half minute neither");
    assert!(take(step + 1, step + 1) && take(step + 3, step + 2));
    assert!(!take(step + 2, step + 2), "overtaken");
}

#[test]
fn security_13_a_recovery_code_works_once_in_any_spelling() {
    let mut factor = factor();
    let codes: Vec<[u8; RECOVERY]> = (0..3).map(|n| [n * 40 + 17; RECOVERY]).collect();
    factor.recovery = codes.iter().map(|code| recovery_digest(&key(), account(), code)).collect();
    let shown = recovery_code(codes[1]);
    assert_eq!((shown.expose().len(), shown.expose().matches('-').count()), (19, 3));
    let spelled = Secret::new(format!(" {} ", shown.expose().to_uppercase().replace('-', " ")));
    assert_eq!(factor.take(&key(), &spelled, NOW), Some(Proof::Recovery));
    assert_eq!(factor.recovery.len(), 2);
    assert_eq!(factor.take(&key(), &shown, NOW), None, "spent");
    assert_eq!(factor.take(&key(), &recovery_code([9; RECOVERY]), NOW), None, "never given");
    let mut other = SecondFactor { account: AccountId::from_raw(8), ..factor.clone() };
    assert_eq!(other.take(&key(), &recovery_code(codes[0]), NOW), None, "somebody else's");
}

#[test]
fn what_was_not_confirmed_guards_nothing() {
    let mut factor = factor();
    factor.authenticator.as_mut().unwrap().confirmed_at = None;
    let now = digits(&BYTES, NOW.as_seconds() / 30);
    assert_eq!((factor.take(&key(), &now, NOW), factor.confirmed(), factor.guards()), (None, None, false));
    assert!(SecondFactor { passkeys: 1, ..factor.clone() }.guards());
    assert!(factor.take_digits(&key(), &now, NOW), "but it can be confirmed");
}

#[test]
fn security_30_a_secret_is_kept_encrypted_for_its_account() {
    let factor = factor();
    let sealed = &factor.authenticator.as_ref().unwrap().sealed;
    assert!(!sealed.windows(4).any(|part| BYTES.windows(4).any(|of| of == part)));
    assert_eq!(factor.secret(&key()), Some(BYTES));
    assert_eq!(
        SecondFactor { account: AccountId::from_raw(8), ..factor.clone() }.secret(&key()),
        None,
        "moved to another"
    );
    assert_eq!(factor.secret(&Key::new([6; 32])), None);
    assert!(!format!("{factor:?} {:?}", factor.authenticator).contains(&format!("{:?}", &sealed[..4])));
}

#[test]
fn an_app_can_read_the_address() {
    let email = Email::new("mona+1@example.com").unwrap();
    assert_eq!(
        address(&BYTES, &email).expose(),
        "otpauth://totp/DAIRA:mona%2B1%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=DAIRA&algorithm=SHA1&digits=6&period=30"
    );
}

fn stored() -> StoredCredential {
    StoredCredential {
        account: account(),
        profile: ProfileId::from_raw(9),
        password_hash: "hash".to_owned(),
        state: AccountState::Active,
    }
}

#[test]
fn a_waiting_log_in_is_opaque_lapses_and_ends_with_the_password() {
    let waiting = Waiting::new(&key(), &stored(), "موبايل منى", NOW + Duration::from_mins(1));
    let text = waiting.seal(&key(), [4; NONCE]);
    assert_eq!(Waiting::open(&key(), &text, NOW).as_ref(), Some(&waiting));
    assert!(waiting.is_of(&key(), "hash") && !waiting.is_of(&key(), "another"));
    let identity = |subject: &str| Identity { issuer: "https://id.example".to_owned(), subject: subject.to_owned() };
    let linked =
        |subject| LinkedIdentity { account: account(), identity: identity(subject), linked_at: NOW, used_at: None };
    assert!(waiting.is_linked(&key(), &[]), "by a password");
    let by = waiting.clone().proving(&key(), NOW, Some(&identity("7")));
    let by = Waiting::open(&key(), &by.seal(&key(), [5; NONCE]), NOW).unwrap();
    assert!(by.proven_at == NOW && by.is_linked(&key(), &[linked("8"), linked("7")]));
    assert!(!by.is_linked(&key(), &[linked("8")]) && !by.is_linked(&key(), &[]));
    assert_eq!(Waiting::open(&key(), &text, NOW + Duration::from_mins(1)), None);
    assert_eq!(Waiting::open(&Key::new([6; 32]), &text, NOW), None);
    for none in ["", "dsf_", "dsf_AAAA", &text.expose()[4..], &text.expose()[..60], &"dsf_".repeat(100_000)] {
        assert_eq!(Waiting::open(&key(), &Secret::new(none), NOW), None);
    }
    let readable = BASE64URL_NOPAD.decode(&text.expose().as_bytes()[4..]).unwrap();
    assert!(!readable.windows(8).any(|part| part == account().raw().to_be_bytes()), "no account is in it");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let typed = Secret::new(&text);
        prop_assert_eq!(factor().take(&key(), &typed, NOW), None);
        prop_assert_eq!(Waiting::open(&key(), &Secret::new(format!("{PREFIX}{text}")), NOW), None);
    }
}
