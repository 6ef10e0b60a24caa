//! Password hashing: Argon2id for all new hashes, bcrypt for checking hashes that were brought from elsewhere.
//!
//! Hashes are PHC strings (`$argon2id$v=19$m=…`). Passwords are hashed in their prepared form
//! ([`prepare`]); a brought bcrypt hash is checked against the bytes as typed, because that is
//! what other systems hashed. bcrypt reads at most 72 bytes: longer passwords never match one, instead of being cut.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::account::password::{MAX_PASSWORD_BYTES, prepare};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// The most bytes bcrypt reads.
const BCRYPT_BYTES: usize = 72;

/// The highest bcrypt cost that is computed, about a second; a stored hash above it must not be able to hold a thread.
const MAX_BCRYPT_COST: u32 = 14;

/// The most memory that a stored hash may ask for, in KiB.
const MAX_MEMORY_KIB: u32 = 256 * 1024;

/// What one hash costs. The default, 19 MiB and two passes on one lane, is OWASP's minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2idCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Argon2idCost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// Hashes and checks passwords, blocking the calling thread: about 20 ms and 19 MiB a call at the default cost.
#[derive(Debug, Clone)]
pub struct Argon2id {
    argon2: Argon2<'static>,
    /// A hash of no known password, checked when there is no hash, so that both take the same work.
    decoy: String,
}

impl Argon2id {
    /// With this cost for new hashes.
    ///
    /// # Errors
    /// When Argon2 does not allow the cost, or it exceeds 256 MiB.
    pub fn new(cost: Argon2idCost) -> Result<Self> {
        let refuse = || Error::new(ErrorKind::Internal, "credential.argon2_cost");
        if cost.memory_kib > MAX_MEMORY_KIB {
            return Err(refuse());
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
            .map_err(|e| refuse().with_source(e.to_string()))?;
        let mut scheme =
            Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), decoy: String::new() };
        scheme.decoy = scheme.hash(&Secret::new("no password hashes to this answer"), [0; 16])?;
        Ok(scheme)
    }

    /// Hashes a new password with a fresh random salt.
    ///
    /// # Errors
    /// Only for a password longer than the rules allow.
    pub fn hash(&self, password: &Secret, salt: [u8; 16]) -> Result<String> {
        let fail = || Error::new(ErrorKind::Internal, "credential.hash");
        if password.expose().len() > MAX_PASSWORD_BYTES {
            return Err(fail().with_source("the password is too long"));
        }
        let prepared = prepare(password.expose());
        let hash: PasswordHash = self
            .argon2
            .hash_password_with_salt(prepared.as_bytes(), &salt)
            .map_err(|e| fail().with_source(e.to_string()))?;
        Ok(hash.to_string())
    }

    /// Checks a password against a stored hash; with `None`, and for a password that cannot match, the same work is done
    /// against a decoy and the answer is `false`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] for a stored hash of an unknown form.
    pub fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        let typed = password.expose();
        match hash {
            Some(hash) if typed.len() <= MAX_PASSWORD_BYTES && is_bcrypt(hash) => {
                if typed.len() > BCRYPT_BYTES {
                    return self.decline(typed);
                }
                verify_bcrypt(typed, hash)
            }
            Some(hash) if typed.len() <= MAX_PASSWORD_BYTES => self.verify_argon2(&prepare(typed), hash),
            _ => self.decline(typed),
        }
    }

    /// Whether a stored hash is of an older kind or another cost than new ones.
    pub fn is_outdated(&self, hash: &str) -> bool {
        let Ok(parsed) = PasswordHash::new(hash) else { return true };
        let same_cost = Params::try_from(&parsed).is_ok_and(|params| {
            let wanted = self.argon2.params();
            (params.m_cost(), params.t_cost(), params.p_cost()) == (wanted.m_cost(), wanted.t_cost(), wanted.p_cost())
        });
        parsed.algorithm.as_str() != "argon2id" || !same_cost
    }

    fn verify_argon2(&self, prepared: &str, hash: &str) -> Result<bool> {
        let corrupt = || Error::new(ErrorKind::Corrupt, "credential.stored_hash");
        let parsed = PasswordHash::new(hash).map_err(|e| corrupt().with_source(e.to_string()))?;
        let memory = Params::try_from(&parsed).map_err(|e| corrupt().with_source(e.to_string()))?.m_cost();
        if parsed.algorithm.as_str() != "argon2id" || memory > MAX_MEMORY_KIB {
            return Err(corrupt().with_source("not an argon2id hash of an allowed cost"));
        }
        Ok(self.argon2.verify_password(prepared.as_bytes(), &parsed).is_ok())
    }

    /// Does the work of a check and says no.
    fn decline(&self, typed: &str) -> Result<bool> {
        let bounded = typed.get(..typed.len().min(BCRYPT_BYTES)).unwrap_or_default();
        self.verify_argon2(&prepare(bounded), &self.decoy)?;
        Ok(false)
    }
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

fn verify_bcrypt(typed: &str, hash: &str) -> Result<bool> {
    let corrupt = || Error::new(ErrorKind::Corrupt, "credential.stored_hash");
    let cost = hash.get(4..6).and_then(|digits| digits.parse::<u32>().ok());
    if cost.is_none_or(|cost| cost > MAX_BCRYPT_COST) {
        return Err(corrupt().with_source("bcrypt cost is missing or too high"));
    }
    // The plain `verify`: the other one counts bcrypt's closing NUL and would refuse 72 bytes. Longer ones are refused above.
    bcrypt::verify(typed, hash).map_err(|e| corrupt().with_source(e.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cheap() -> Argon2id {
        Argon2id::new(Argon2idCost { memory_kib: 64, passes: 1, lanes: 1 }).unwrap()
    }

    fn matches(typed: &str, hash: &str) -> bool {
        cheap().verify(&Secret::new(typed), Some(hash)).unwrap()
    }

    #[test]
    fn security_01_the_default_cost_is_owasps_minimum_and_stands_in_the_hash() {
        let hash =
            Argon2id::new(Argon2idCost::default()).unwrap().hash(&Secret::new("kahwa sada 3al nil"), [7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches("kahwa sada 3al nil", &hash), "the cost is taken from the hash");
    }

    /// An unknown e-mail must not be told from a wrong password by the time it takes, so both compute one hash of one cost.
    #[test]
    fn security_06_the_decoy_costs_what_a_stored_hash_costs() {
        for scheme in [Argon2id::new(Argon2idCost::default()).unwrap(), cheap()] {
            let stored = scheme.hash(&Secret::new("kahwa sada 3al nil"), [7; 16]).unwrap();
            let [stored, decoy] = [&stored, &scheme.decoy].map(|hash| PasswordHash::new(hash).unwrap());
            assert_eq!((decoy.algorithm, decoy.version), (stored.algorithm, stored.version));
            assert_eq!(decoy.params, stored.params, "memory, passes and lanes");
            assert_eq!(
                (decoy.salt.unwrap().len(), decoy.hash.unwrap().len()),
                (stored.salt.unwrap().len(), stored.hash.unwrap().len())
            );
        }
    }

    #[test]
    fn security_01_passwords_equal_in_72_bytes_do_not_open_each_other() {
        let (one, other) = (format!("{}A", "x".repeat(72)), format!("{}B", "x".repeat(72)));
        let hash = cheap().hash(&Secret::new(&one), [1; 16]).unwrap();
        assert!(matches(&one, &hash) && !matches(&other, &hash));
        let brought = bcrypt::hash("x".repeat(72), 4).unwrap();
        assert!(matches(&"x".repeat(72), &brought));
        assert!(!matches(&one, &brought) && !matches(&other, &brought), "bcrypt would have cut them");
    }

    #[test]
    fn a_brought_bcrypt_hash_verifies_and_is_outdated() {
        // Of the reference vectors of crypt_blowfish.
        for (typed, hash) in [
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ] {
            assert!(matches(typed, hash) && !matches("U*V", hash));
            assert!(cheap().is_outdated(hash));
        }
        assert!(matches("كلمة طويلة", &bcrypt::hash("كلمة طويلة", 4).unwrap()));
    }

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        let hash = cheap().hash(&Secret::new("kahwa sada"), [2; 16]).unwrap();
        assert!(!cheap().is_outdated(&hash));
        assert!(Argon2id::new(Argon2idCost::default()).unwrap().is_outdated(&hash));
        assert!(cheap().is_outdated("plain"));
    }

    #[test]
    fn stored_rubbish_is_a_fault_and_never_a_match() {
        let sane = cheap().hash(&Secret::new("kahwa sada"), [2; 16]).unwrap();
        for hash in [
            "",
            "plain",
            "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$",
            "$2b$xx$short",
            &sane.replace("m=64", "m=4294967295"),
        ] {
            let error = cheap().verify(&Secret::new("kahwa sada"), Some(hash)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{hash}");
        }
    }

    #[test]
    fn no_hash_and_endless_passwords_are_declined() {
        assert!(!cheap().verify(&Secret::new("kahwa sada"), None).unwrap());
        let endless = Secret::new("ب".repeat(1 << 20));
        assert!(!cheap().verify(&endless, Some(&cheap().hash(&Secret::new("kahwa sada"), [3; 16]).unwrap())).unwrap());
        assert!(cheap().hash(&endless, [0; 16]).is_err());
        assert!(!cheap().verify(&Secret::new("no password hashes to this answer"), None).unwrap(), "the decoy's own");
    }

    #[test]
    fn security_03_composed_and_decomposed_spellings_are_one_password() {
        for (composed, decomposed) in [
            ("أحلى قهوة آخر الليل", "ا\u{654}حلى قهوة ا\u{653}خر الليل"),
            ("crème brûlée", "cre\u{300}me bru\u{302}le\u{301}e"),
        ] {
            let hash = cheap().hash(&Secret::new(decomposed), [4; 16]).unwrap();
            assert!(matches(composed, &hash) && matches(decomposed, &hash));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn security_02_any_password_opens_its_own_hash_only(password in "[\\PC\u{600}-\u{6FF}🌙-🌞]{10,64}", other in "\\PC{10,64}", salt: [u8; 16]) {
            let hash = cheap().hash(&Secret::new(&password), salt).unwrap();
            prop_assert!(matches(&password, &hash));
            prop_assert_eq!(matches(&other, &hash), prepare(&other) == prepare(&password));
        }
    }
}
