//! ID tokens: text, the provider's keys and what was asked for in; claims, or why they are not believed, out.
//!
//! A token is believed only when all of this holds: its algorithm is one of ours, none of which has a secret in common with the
//! provider; a key of the provider's is of that very kind and has signed it; it is from the issuer, for us and by our wish (`aud`,
//! `azp`), for this request (`nonce`), with this access token (`at_hash`), and now (`exp`, `iat`, `nbf`). Keys and addresses of keys
//! inside a token are never looked at, and a JSON object that names a member twice is none.

use daira_core::account::Identity;
use daira_core::port::IdentityClaims;
use daira_core::secret::Secret;
use daira_core::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};

/// What we take; no algorithm with a shared secret is among it, and none that is none.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16 << 10;
/// How many keys of a provider are looked at.
const MOST_KEYS: usize = 32;
/// The fewest bytes of an RSA modulus.
const SHORTEST_RSA: usize = 2_048 / 8;
/// How far clocks may differ, and how old a token for a code may be, in seconds.
const SKEW: i64 = 60;
const OLDEST: i64 = 10 * 60;
/// The latest instant that a token may name, in seconds: the end of the year 9999.
const END_OF_TIME: i64 = 253_402_300_799;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It names a key that is not known, or not known yet.
    UnknownKey,
    /// Anything else.
    Because(&'static str),
}

impl Refused {
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::UnknownKey => "no key of the provider's signed it",
            Self::Because(why) => why,
        }
    }
}

/// A provider's keys, by algorithm and name.
pub(super) struct Keys(Vec<(Option<String>, Algorithm, DecodingKey)>);

/// A set of keys; one that cannot be read is none, and takes none of the others along.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    /// Those of a set that we can use.
    pub(super) fn of(set: KeySet) -> Self {
        let read = set.keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let usable = read.filter_map(|key| {
            let algorithm = algorithm(&key)?;
            let decoding = DecodingKey::from_jwk(&key).ok()?;
            Some((key.common.key_id, algorithm, decoding))
        });
        Self(usable.collect())
    }

    /// The key that a token names; the only one of its kind where it names none.
    fn named(&self, name: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let mut fitting = self.0.iter().filter(|(_, kind, _)| *kind == algorithm);
        match name {
            Some(name) => fitting.find(|(held, ..)| held.as_deref() == Some(name)).map(|(.., key)| key),
            None => fitting.next().filter(|_| fitting.next().is_none()).map(|(.., key)| key),
        }
    }
}

/// The one algorithm that a key is for.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    if key.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
        return None;
    }
    let (algorithm, named) = match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = BASE64URL_NOPAD.decode(rsa.n.as_bytes()).ok()?;
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            (length >= SHORTEST_RSA).then_some((Algorithm::RS256, KeyAlgorithm::RS256))?
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    key.common.key_algorithm.is_none_or(|said| said == named).then_some(algorithm)
}

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a Secret,
    pub(super) access_token: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// For one, or for several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Some providers write what is true as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Truth {
    Said(bool),
    Written(String),
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    at_hash: Option<String>,
    #[serde(default)]
    auth_time: Option<i64>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<Truth>,
    #[serde(default)]
    name: Option<String>,
}

/// Reads a token.
pub(super) fn read(text: &str, keys: &Keys, expected: &Expected<'_>) -> Result<IdentityClaims, Refused> {
    let refuse = |why| Err(Refused::Because(why));
    if text.len() > LONGEST {
        return refuse("it is too long");
    }
    let Ok(head) = jsonwebtoken::decode_header(text) else { return refuse("its head is none that we take") };
    if !ALGORITHMS.contains(&head.alg) {
        return refuse("its algorithm is none that we take");
    }
    let key = keys.named(head.kid.as_deref(), head.alg).ok_or(Refused::UnknownKey)?;
    // What it says is compared below, with our clock; here only who said it.
    let mut signature_alone = Validation::new(head.alg);
    signature_alone.required_spec_claims.clear();
    (signature_alone.validate_exp, signature_alone.validate_nbf, signature_alone.validate_aud) = (false, false, false);
    let Ok(decoded) = jsonwebtoken::decode::<Body>(text, key, &signature_alone) else {
        return refuse("its signature or its form does not hold");
    };
    believe(decoded.claims, head.alg, expected)
}

fn believe(body: Body, algorithm: Algorithm, expected: &Expected<'_>) -> Result<IdentityClaims, Refused> {
    let refuse = |why| Err(Refused::Because(why));
    if body.iss != expected.issuer {
        return refuse("it is of another issuer");
    }
    let (is_ours, others) = match &body.aud {
        Audience::One(one) => (one == expected.client_id, false),
        Audience::Several(all) => {
            (all.iter().any(|one| one == expected.client_id), all.iter().any(|one| one != expected.client_id))
        }
    };
    if !is_ours || body.azp.as_ref().map_or(others, |party| party != expected.client_id) {
        return refuse("it is for somebody else");
    }
    let now = expected.now.as_seconds();
    let is_present = now < body.exp.saturating_add(SKEW)
        && body.iat <= now.saturating_add(SKEW)
        && now.saturating_sub(OLDEST) <= body.iat
        && body.nbf.is_none_or(|from| from <= now.saturating_add(SKEW));
    if !is_present {
        return refuse("it is not of now");
    }
    if body.nonce.is_none_or(|nonce| Secret::new(nonce) != *expected.nonce) {
        return refuse("it is for another request");
    }
    if let Some(hash) = &body.at_hash
        && expected.access_token.is_none_or(|token| *hash != half_hash(token, algorithm))
    {
        return refuse("it came with another access token");
    }
    let is_verified = match body.email_verified {
        Some(Truth::Said(said)) => said,
        Some(Truth::Written(written)) => written == "true",
        None => false,
    };
    Ok(IdentityClaims {
        identity: Identity { issuer: body.iss, subject: body.sub },
        email: body.email.filter(|_| is_verified),
        name: body.name,
        authenticated_at: body.auth_time.filter(|at| (0..=END_OF_TIME).contains(at)).map(Timestamp::from_seconds),
    })
}

/// The left half of a token's hash, as the algorithm of the ID token hashes.
pub(super) fn half_hash(token: &str, algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::EdDSA => BASE64URL_NOPAD.encode(Sha512::digest(token).get(..32).unwrap_or_default()),
        _ => BASE64URL_NOPAD.encode(Sha256::digest(token).get(..16).unwrap_or_default()),
    }
}
