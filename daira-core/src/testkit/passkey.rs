//! The kit of [`PasskeyVerifier`].

use std::sync::Arc;

use crate::memory::MemoryAuthenticator;
use crate::port::{PasskeyVerifier, PublicPart, Signed};
use crate::secret::Secret;

super::kit! { $
    /// Runs the [`passkey`](crate::testkit::passkey) kit on an adapter: `passkey_kit!(name, passkeys)`.
    passkey_kit, "passkey", single {
        passkey: a_passkey_signs_for_its_owner, an_answer_is_for_its_ceremony, a_passkey_signs_for_itself_alone,
            a_copy_is_noticed, any_passkey_answers_when_none_is_named, garbage_is_no_answer;
    }
}

/// A device with passkeys.
pub trait Authenticator: Send + Sync {
    /// Makes a passkey as the options of a registration ask.
    fn create(&self, options: &str) -> Secret;
    /// Signs as the options of a signature ask, with the passkey that it made last.
    fn sign(&self, options: &str) -> Secret;
}

impl Authenticator for MemoryAuthenticator {
    fn create(&self, options: &str) -> Secret {
        Self::create(self, options)
    }
    fn sign(&self, options: &str) -> Secret {
        Self::sign(self, options)
    }
}

/// What the kit is run on.
pub struct Passkeys {
    /// The verifier under test.
    pub verifier: Arc<dyn PasskeyVerifier>,
    /// A device that answers it.
    pub device: Box<dyn Authenticator>,
    /// Another one.
    pub other: Box<dyn Authenticator>,
}

impl core::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Passkeys")
    }
}

const USER: [u8; 16] = [7; 16];

fn made(verifier: &dyn PasskeyVerifier, device: &dyn Authenticator) -> PublicPart {
    let begun = verifier.begin_registration(&USER, "mona@example.com", &[]).unwrap();
    let answer = device.create(&begun.options);
    verifier.finish_registration(&begun.state, &answer).unwrap().unwrap()
}

fn good(signed: Signed) -> PublicPart {
    match signed {
        Signed::Good(kept) => kept,
        other => panic!("{other:?}"),
    }
}

/// A passkey that was made signs, again and again.
pub async fn a_passkey_signs_for_its_owner(passkeys: &Passkeys) {
    let verifier = passkeys.verifier.as_ref();
    let mut kept = made(verifier, passkeys.device.as_ref());
    for _ in 0..3 {
        let begun = verifier.begin_signature(core::slice::from_ref(&kept)).unwrap();
        let answer = passkeys.device.sign(&begun.options);
        assert_eq!(verifier.signer_of(&answer).unwrap().0, kept.credential);
        let now = good(verifier.finish_signature(&begun.state, &kept, &answer).unwrap());
        assert_eq!(now.credential, kept.credential);
        kept = now;
    }
}

/// An answer to one ceremony is none to another.
pub async fn an_answer_is_for_its_ceremony(passkeys: &Passkeys) {
    let verifier = passkeys.verifier.as_ref();
    let [one, other] = [1, 2].map(|_| verifier.begin_registration(&USER, "mona@example.com", &[]).unwrap());
    let answer = passkeys.device.create(&one.options);
    assert_eq!(verifier.finish_registration(&other.state, &answer).unwrap(), None);
    let kept = verifier.finish_registration(&one.state, &answer).unwrap().unwrap();
    let [one, other] = [1, 2].map(|_| verifier.begin_signature(core::slice::from_ref(&kept)).unwrap());
    let answer = passkeys.device.sign(&one.options);
    assert_eq!(verifier.finish_signature(&other.state, &kept, &answer).unwrap(), Signed::Bad);
    good(verifier.finish_signature(&one.state, &kept, &answer).unwrap());
}

/// What another passkey signed is nothing.
pub async fn a_passkey_signs_for_itself_alone(passkeys: &Passkeys) {
    let verifier = passkeys.verifier.as_ref();
    let mine = made(verifier, passkeys.device.as_ref());
    let theirs = made(verifier, passkeys.other.as_ref());
    assert_ne!(mine.credential, theirs.credential);
    let begun = verifier.begin_signature(core::slice::from_ref(&theirs)).unwrap();
    let answer = passkeys.other.sign(&begun.options);
    assert_eq!(verifier.finish_signature(&begun.state, &mine, &answer).unwrap(), Signed::Bad);
    let dressed = PublicPart { credential: theirs.credential.clone(), ..mine };
    assert_eq!(verifier.finish_signature(&begun.state, &dressed, &answer).unwrap(), Signed::Bad);
    good(verifier.finish_signature(&begun.state, &theirs, &answer).unwrap());
}

/// Whoever signs less often than the passkey itself has a copy of it.
pub async fn a_copy_is_noticed(passkeys: &Passkeys) {
    let verifier = passkeys.verifier.as_ref();
    let kept = made(verifier, passkeys.device.as_ref());
    let [early, late] = [1, 2].map(|_| verifier.begin_signature(core::slice::from_ref(&kept)).unwrap());
    let (before, after) = (passkeys.device.sign(&early.options), passkeys.device.sign(&late.options));
    let kept = good(verifier.finish_signature(&late.state, &kept, &after).unwrap());
    assert_eq!(verifier.finish_signature(&early.state, &kept, &before).unwrap(), Signed::Copied);
}

/// Where no passkey is named, the answer names one, and whose it is.
pub async fn any_passkey_answers_when_none_is_named(passkeys: &Passkeys) {
    let verifier = passkeys.verifier.as_ref();
    let kept = made(verifier, passkeys.device.as_ref());
    let begun = verifier.begin_signature(&[]).unwrap();
    let answer = passkeys.device.sign(&begun.options);
    assert_eq!(verifier.signer_of(&answer), Some((kept.credential.clone(), Some(USER))));
    good(verifier.finish_signature(&begun.state, &kept, &answer).unwrap());
}

/// What is no answer is refused, whatever it is.
pub async fn garbage_is_no_answer(passkeys: &Passkeys) {
    let verifier = passkeys.verifier.as_ref();
    let kept = made(verifier, passkeys.device.as_ref());
    let making = verifier.begin_registration(&USER, "mona@example.com", &[]).unwrap();
    let signing = verifier.begin_signature(core::slice::from_ref(&kept)).unwrap();
    let nested = "[".repeat(50_000);
    for text in ["", "{}", "null", "[]", "\"x\"", "{\"id\":1}", "\u{0}", &nested, &making.options, &signing.options] {
        let answer = Secret::new(text);
        assert_eq!(verifier.finish_registration(&making.state, &answer).unwrap(), None);
        assert_eq!(verifier.finish_signature(&signing.state, &kept, &answer).unwrap(), Signed::Bad);
        assert_eq!(verifier.signer_of(&answer), None);
    }
}
