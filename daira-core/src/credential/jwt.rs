//! Access tokens as JWTs signed with Ed25519 (RFC 7519, 8037, 9068): claims in, a compact token out, and back.
//!
//! A token is believed only when all of this holds: at most [`MAX_TOKEN`] bytes; three parts of strict base64url; the
//! algorithm is `EdDSA` and the type `at+jwt`; `kid` names one of the keys this signer was given; the signature holds;
//! issuer and audience are ours; now is before `exp` and not before `nbf`, give or take the leeway. Keys and addresses of
//! keys inside a token (`jwk`, `jku`, `x5u`, `x5c`) are never looked at, and a JSON object that names a member twice is none.
//!
//! Checking a signature takes about 40 µs, so tokens that held are remembered by their SHA-256 in a bounded map; their
//! times are compared on every call all the same.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::account::AccountRefusal;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AppId, ProfileId, SessionId};
use crate::oauth::{Granted, Scopes};
use crate::port::{Claims, IdClaims, IdSource, PublicKey, TokenSigner};
use crate::recent::Recent;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 4_096;

/// The longest name of a key that is looked up, in bytes.
const MAX_KID: usize = 64;

/// The most that clocks may differ.
const MAX_LEEWAY: Duration = Duration::from_mins(1);

/// How many tokens that held are remembered.
const REMEMBERED: usize = 32_768;

/// The latest instant that a token may name, in seconds: the end of the year 9999.
const END_OF_TIME: i64 = 253_402_300_799;

/// What precedes the 32 secret bytes in PKCS #8, and the 32 public bytes in SPKI (RFC 8410).
const PRIVATE_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[derive(Serialize, Deserialize)]
struct Head {
    alg: String,
    typ: String,
    kid: String,
    /// Extensions that a reader must understand; we understand none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    sub: ProfileId,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: i32,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    /// The app of somebody else's, and what it may do (RFC 9068).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<AppId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// An ID token; its type and its audience keep it from passing as an access token.
#[derive(Serialize)]
struct IdBody<'a> {
    iss: &'a str,
    aud: AppId,
    sub: ProfileId,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    auth_time: i64,
    iat: i64,
    exp: i64,
}

/// A token whose signature held.
#[derive(Clone, Copy)]
struct Held {
    claims: Claims,
    not_before: Option<i64>,
}

/// Signs with one key and believes that one and those it was told to.
pub struct JwtSigner {
    issuer: String,
    audience: String,
    /// Seconds.
    leeway: i64,
    signing: EncodingKey,
    public: [u8; 32],
    kid: String,
    keys: HashMap<String, (DecodingKey, [u8; 32])>,
    held: Recent<[u8; 32], Held>,
}

impl fmt::Debug for JwtSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSigner").field("issuer", &self.issuer).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A fresh Ed25519 key as PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.
pub fn generate_signing_key(ids: &dyn IdSource) -> Secret {
    let mut seed = [0; 32];
    ids.fill(&mut seed);
    let mut der = PRIVATE_PREFIX.to_vec();
    der.extend_from_slice(&seed);
    Secret::new(pem("PRIVATE KEY", &der))
}

impl JwtSigner {
    /// Signs with an Ed25519 key given as PKCS #8 in PEM. The key's name (`kid`) is the beginning of its public half's
    /// SHA-256, so it is the same on every node.
    ///
    /// # Errors
    /// When the key is not such a key.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, signing_key: &Secret) -> Result<Self> {
        let signing = EncodingKey::from_ed_pem(signing_key.expose().as_bytes()).map_err(bad_key)?;
        let public = public_half(&signing)?;
        let signer = Self {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: 30,
            signing,
            public,
            kid: kid(&public),
            keys: HashMap::new(),
            held: Recent::new(REMEMBERED),
        };
        Ok(signer.believing(public))
    }

    /// Also believes tokens signed by another key, given as PEM, its private or its public half. To rotate keys: first
    /// let every node believe the new one, then sign with it, and drop the old one when its last token has lapsed.
    ///
    /// # Errors
    /// When it is not an Ed25519 key.
    pub fn also_accepting(self, key: &Secret) -> Result<Self> {
        let pem = key.expose().as_bytes();
        let public = if key.expose().contains("PRIVATE KEY") {
            public_half(&EncodingKey::from_ed_pem(pem).map_err(bad_key)?)?
        } else {
            let key = DecodingKey::from_ed_pem(pem).map_err(bad_key)?;
            key.try_get_as_bytes().map_err(bad_key)?.try_into().map_err(bad_key)?
        };
        Ok(self.believing(public))
    }

    /// How far clocks may differ; 30 s unless set, never more than 60 s.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = i64::try_from(leeway.min(MAX_LEEWAY).as_secs()).unwrap_or(0);
        self
    }

    /// The public half of the signing key as PEM, for [`also_accepting`](Self::also_accepting) elsewhere.
    pub fn public_key(&self) -> String {
        let mut der = PUBLIC_PREFIX.to_vec();
        der.extend_from_slice(&self.public);
        pem("PUBLIC KEY", &der)
    }

    fn believing(mut self, public: [u8; 32]) -> Self {
        self.keys.insert(kid(&public), (DecodingKey::from_ed_der(&public), public));
        self
    }

    /// Everything about a token that does not change with time.
    fn open(&self, token: &str) -> Option<Held> {
        let (message, signature) = token.rsplit_once('.')?;
        let (head, body) = message.split_once('.')?;
        let head: Head = read_part(head)?;
        if head.alg != "EdDSA" || head.typ != "at+jwt" || head.crit.is_some() || head.kid.len() > MAX_KID {
            return None;
        }
        let (key, _) = self.keys.get(&head.kid)?;
        let holds = jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, Algorithm::EdDSA);
        if !matches!(holds, Ok(true)) {
            return None;
        }
        let body: Body = read_part(body)?;
        let times = 0..=END_OF_TIME;
        let granted = match (body.client_id, body.scope) {
            (None, None) => None,
            (Some(app), Some(scopes)) => Some(Granted { app, scopes: Scopes::parse(&scopes)? }),
            _ => return None,
        };
        if body.iss != self.issuer
            || body.aud != self.audience
            || !times.contains(&body.exp)
            || !times.contains(&body.iat)
        {
            return None;
        }
        let claims = Claims {
            profile: body.sub,
            session: body.sid,
            generation: body.generation,
            granted,
            issued_at: Timestamp::from_seconds(body.iat),
            expires_at: Timestamp::from_seconds(body.exp),
        };
        Some(Held { claims, not_before: body.nbf })
    }

    /// A body of a type, signed.
    fn seal(&self, typ: &str, body: &impl Serialize) -> Result<String> {
        let fail = |e: &dyn fmt::Display| Error::new(ErrorKind::Internal, "credential.sign").with_source(e.to_string());
        let head = Head { alg: "EdDSA".to_owned(), typ: typ.to_owned(), kid: self.kid.clone(), crit: None };
        let part =
            |json: serde_json::Result<Vec<u8>>| json.map(|json| BASE64URL_NOPAD.encode(&json)).map_err(|e| fail(&e));
        let message = format!("{}.{}", part(serde_json::to_vec(&head))?, part(serde_json::to_vec(body))?);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.signing, Algorithm::EdDSA).map_err(|e| fail(&e))?;
        Ok(format!("{message}.{signature}"))
    }

    fn is_timely(&self, held: &Held, now: i64) -> bool {
        now < held.claims.expires_at.as_seconds().saturating_add(self.leeway)
            && held.not_before.is_none_or(|start| start <= now.saturating_add(self.leeway))
    }
}

impl TokenSigner for JwtSigner {
    fn sign(&self, claims: &Claims) -> Result<String> {
        let granted = claims.granted;
        let body = Body {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: claims.profile,
            sid: claims.session,
            generation: claims.generation,
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
            nbf: None,
            client_id: granted.map(|granted| granted.app),
            scope: granted.map(|granted| granted.scopes.to_string()),
        };
        self.seal("at+jwt", &body)
    }

    fn sign_id(&self, claims: &IdClaims) -> Result<String> {
        let body = IdBody {
            iss: &claims.issuer,
            aud: claims.app,
            sub: claims.profile,
            nonce: claims.nonce.as_deref(),
            auth_time: claims.proven_at.as_seconds(),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        };
        self.seal("JWT", &body)
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let refuse = || Error::from(AccountRefusal::TokenInvalid);
        if token.len() > MAX_TOKEN {
            return Err(refuse());
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self.held.get(&digest);
        let held = known.or_else(|| self.open(token)).ok_or_else(refuse)?;
        if !self.is_timely(&held, now.as_seconds()) {
            return Err(refuse());
        }
        if known.is_none() {
            self.held.insert(digest, held);
        }
        Ok(held.claims)
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        let key =
            |(id, (_, public)): (&String, &(DecodingKey, [u8; 32]))| PublicKey { id: id.clone(), ed25519: *public };
        let mut keys: Vec<_> = self.keys.iter().map(key).collect();
        keys.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        keys
    }
}

/// Reads one part: strict base64url of a JSON object with every member we need and none of them twice.
fn read_part<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok()
}

fn public_half(signing: &EncodingKey) -> Result<[u8; 32]> {
    let jwk = Jwk::from_encoding_key(signing, Algorithm::EdDSA).map_err(bad_key)?;
    let AlgorithmParameters::OctetKeyPair(pair) = jwk.algorithm else { return Err(bad_key("not an Ed25519 key")) };
    BASE64URL_NOPAD.decode(pair.x.as_bytes()).map_err(bad_key)?.try_into().map_err(|_| bad_key("not 32 bytes"))
}

fn kid(public: &[u8; 32]) -> String {
    let digest: [u8; 32] = Sha256::digest(public).into();
    BASE64URL_NOPAD.encode(&digest).chars().take(16).collect()
}

/// The reason says what is wrong with the form and never holds key material.
fn bad_key(reason: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, "credential.signing_key")
        .with_source(format!("not an Ed25519 key in PEM: {reason}"))
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}

#[cfg(test)]
mod tests;
