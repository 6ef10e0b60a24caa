//! A provider of identities on this machine, for tests: it speaks over HTTP and signs as real ones do, lets in whoever a test says,
//! and misbehaves when told to. Its keys are in the repository, so nothing that it signs is worth anything.

mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use daira_core::port::{AuthorizationAnswer, Clock, IdSource, Provider};
use daira_core::secret::Secret;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use url::Url;

use super::Registration;
use super::token::half_hash;
use wire::{Asked, Reply};

const CLIENT: &str = "daira";
const SECRET: &str = "a secret+of/ours";

/// Where it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// What it says of itself.
    Document,
    /// Its keys.
    Keys,
    /// Its tokens.
    Tokens,
}

/// How it answers there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Never.
    Hang,
    /// With a status and no sense.
    Status(u16),
    /// With more than anybody reads.
    Endless,
    /// With what is no JSON.
    Garbage,
    /// With where else to ask.
    Redirect,
}

/// What is wrong with its ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// They are of another issuer.
    Issuer,
    /// They are for another client.
    Audience,
    /// They are for us and others, and by the wish of another.
    Party,
    /// They are for us and others, and do not say by whose wish.
    NoParty,
    /// They are for another request.
    Nonce,
    /// They are for no request.
    NoNonce,
    /// They have ended.
    Expired,
    /// They were made long ago.
    Old,
    /// They were made in time to come.
    Early,
    /// They came with another access token.
    AccessToken,
    /// They are not signed (`none`).
    Unsigned,
    /// They are signed with the public key as a shared secret (`HS256`).
    SharedSecret,
    /// They name a key that nobody knows.
    UnknownKey,
    /// They name a key of the provider's, and another one signed.
    ForeignKey,
    /// Their subject stands there twice.
    Doubled,
    /// They are longer than anybody reads.
    Long,
    /// Their numbers are as large as numbers can be; that alone is no forgery.
    Numbers,
}

/// How it behaves.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// Where it answers otherwise, and how.
    pub trouble: Option<(Place, Trouble)>,
    /// What is wrong with its ID tokens.
    pub forgery: Option<Forgery>,
    /// Members of what it says of itself, over what is right.
    pub says: Map<String, Value>,
    /// It does not say who it is when it sends somebody back.
    pub is_silent: bool,
    /// It does not say when they proved themselves.
    pub hides_when: bool,
    /// It does not vouch for addresses.
    pub is_unsure: bool,
}

/// A code that was given.
struct Given {
    subject: String,
    redirect: String,
    nonce: String,
    challenge: String,
}

#[derive(Default)]
struct State {
    manners: Manners,
    algorithm: Option<Algorithm>,
    /// Which of its keys signs.
    turn: usize,
    codes: BTreeMap<String, Given>,
    asked: BTreeMap<String, usize>,
}

struct Inner {
    issuer: String,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    state: Mutex<State>,
}

/// The provider. It ends when it is dropped.
pub struct Sandbox {
    inner: Arc<Inner>,
    _serving: JoinSet<()>,
}

impl core::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sandbox").field("issuer", &self.inner.issuer).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts one at a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let inner = Arc::new(Inner { issuer, clock, ids, state: Mutex::default() });
        let mut serving = JoinSet::new();
        let answering = inner.clone();
        serving.spawn(wire::serve(listener, move |asked| answering.answer(&asked)));
        Ok(Self { inner, _serving: serving })
    }

    /// Who it is.
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// How we are known to it, under a name of ours.
    pub fn registration(&self, name: &str, redirects: &[&str]) -> Registration {
        let redirects = redirects.iter().map(|one| (*one).to_owned()).collect();
        Registration {
            provider: Provider { name: name.to_owned(), issuer: self.inner.issuer.clone(), redirects },
            client_id: CLIENT.to_owned(),
            client_secret: Some(Secret::new(SECRET)),
            scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        }
    }

    /// Has it behave otherwise from now on.
    pub fn behave(&self, manners: Manners) {
        self.inner.state().manners = manners;
    }

    /// Has it sign by another algorithm: `EdDSA`, where nothing is said, `ES256` or `RS256`.
    pub fn sign_by(&self, algorithm: &str) {
        self.inner.state().algorithm = match algorithm {
            "ES256" => Some(Algorithm::ES256),
            "RS256" => Some(Algorithm::RS256),
            _ => None,
        };
    }

    /// Has it sign with its next key.
    pub fn rotate(&self) {
        self.inner.state().turn += 1;
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.inner.state().asked.get(path).copied().unwrap_or(0)
    }

    /// Goes to an address of its authorization endpoint as a browser does, as the person with this subject, who agrees; answers
    /// the address that it sends the browser back to.
    ///
    /// # Errors
    /// When it cannot be reached, or sends nobody anywhere.
    pub async fn sent_back(&self, url: &str, subject: &str) -> std::io::Result<String> {
        wire::location_of(&format!("{url}&as={subject}")).await
    }

    /// The state and the answer of such an address.
    ///
    /// # Errors
    /// As [`sent_back`](Self::sent_back).
    pub async fn agree(&self, url: &str, subject: &str) -> std::io::Result<(Secret, AuthorizationAnswer)> {
        let back = self.sent_back(url, subject).await?;
        let query = back.split_once('?').map_or("", |(_, query)| query);
        let members: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let of = |name: &str| Secret::new(members.get(name).cloned().unwrap_or_default());
        Ok((of("state"), AuthorizationAnswer { code: of("code"), issuer: members.get("iss").cloned() }))
    }
}

impl Inner {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, asked: &Asked) -> Reply {
        *self.state().asked.entry(asked.path.clone()).or_default() += 1;
        let place = match asked.path.as_str() {
            "/authorize" => return self.authorize(asked),
            "/.well-known/openid-configuration" => Place::Document,
            "/keys" => Place::Keys,
            "/token" => Place::Tokens,
            _ => return Reply::status(404),
        };
        let trouble = self.state().manners.trouble;
        match trouble.filter(|(at, _)| *at == place).map(|(_, trouble)| trouble) {
            Some(Trouble::Hang) => Reply::never(),
            Some(Trouble::Status(status)) => Reply::status(status),
            Some(Trouble::Endless) => Reply::json(&json!({ "keys": "x".repeat(1 << 20) })),
            Some(Trouble::Garbage) => Reply::text("<html>{".to_owned()),
            Some(Trouble::Redirect) => Reply::redirect(format!("{}{}?again", self.issuer, asked.path)),
            None => match place {
                Place::Document => self.document(),
                Place::Keys => self.keys(),
                Place::Tokens => self.tokens(asked),
            },
        }
    }

    fn document(&self) -> Reply {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let state = self.state();
        let mut document = members(json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "ES256", "RS256"],
            "authorization_response_iss_parameter_supported": true,
        }));
        document.extend(state.manners.says.clone());
        Reply::json(&document.into())
    }

    fn keys(&self) -> Reply {
        let state = self.state();
        let (algorithm, turn) = (state.algorithm.unwrap_or(Algorithm::EdDSA), state.turn);
        // What no key is, and one that only encrypts, are among it, as real ones have them.
        let mut keys = vec![json!({ "kty": "lattice", "kid": "odd" })];
        if let Some((key, kid)) = signing(algorithm, turn)
            && let Ok(mut jwk) = Jwk::from_encoding_key(&key, algorithm)
        {
            jwk.common.key_id = Some(kid);
            jwk.common.public_key_use = Some(PublicKeyUse::Encryption);
            let mut other = jwk.clone();
            other.common.key_id = Some("encrypts".to_owned());
            jwk.common.public_key_use = Some(PublicKeyUse::Signature);
            keys.extend([other, jwk].iter().filter_map(|key| serde_json::to_value(key).ok()));
        }
        Reply::json(&json!({ "keys": keys }))
    }

    /// The person is logged in and agrees.
    fn authorize(&self, asked: &Asked) -> Reply {
        let of = |name: &str| asked.query.get(name).cloned().unwrap_or_default();
        let is_right = of("response_type") == "code"
            && of("client_id") == CLIENT
            && of("code_challenge_method") == "S256"
            && of("scope").split(' ').any(|scope| scope == "openid");
        let Some(mut back) = Url::parse(&of("redirect_uri")).ok().filter(|_| is_right) else {
            return Reply::status(400);
        };
        let bytes: [u8; 16] = self.ids.bytes();
        let code = HEXLOWER.encode(&bytes);
        let mut state = self.state();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &of("state"));
        if !state.manners.is_silent {
            back.query_pairs_mut().append_pair("iss", &self.issuer);
        }
        let given = Given {
            subject: of("as"),
            redirect: of("redirect_uri"),
            nonce: of("nonce"),
            challenge: of("code_challenge"),
        };
        state.codes.insert(code, given);
        Reply::redirect(back.into())
    }

    fn tokens(&self, asked: &Asked) -> Reply {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
        let of = |name: &str| form.get(name).map_or("", String::as_str);
        if asked.basic.as_ref() != Some(&(CLIENT.to_owned(), SECRET.to_owned())) {
            return Reply::refused(401, "invalid_client");
        }
        let given = self.state().codes.remove(of("code"));
        let proof = BASE64URL_NOPAD.encode(&Sha256::digest(of("code_verifier")));
        let fits = |given: &Given| given.redirect == of("redirect_uri") && given.challenge == proof;
        match given.filter(fits).filter(|_| of("grant_type") == "authorization_code") {
            Some(given) => {
                let access = "an access token of theirs";
                let id_token = self.id_token(&given, access);
                Reply::json(
                    &json!({ "access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": id_token }),
                )
            }
            None => Reply::refused(400, "invalid_grant"),
        }
    }

    fn id_token(&self, given: &Given, access: &str) -> String {
        let state = self.state();
        let (algorithm, manners) = (state.algorithm.unwrap_or(Algorithm::EdDSA), &state.manners);
        let now = self.clock.now().as_seconds();
        let mut claims = members(json!({
            "iss": self.issuer,
            "sub": given.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": given.nonce,
            "at_hash": half_hash(access, algorithm),
            "email": format!("{}@example.com", given.subject),
            "email_verified": !manners.is_unsure,
            "name": "منى علي",
        }));
        if !manners.hides_when {
            claims.insert("auth_time".to_owned(), json!(now));
        }
        claims.extend(forged(manners.forgery, now).into_iter().map(|(member, value)| (member.to_owned(), value)));
        let mut text = Value::from(claims).to_string();
        if manners.forgery == Some(Forgery::Doubled) {
            text = text.replacen('{', "{\"sub\":\"somebody\",", 1);
        }
        signed(&text, algorithm, state.turn, manners.forgery)
    }
}

/// The members of an object.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What a forgery says instead.
fn forged(forgery: Option<Forgery>, now: i64) -> Vec<(&'static str, Value)> {
    match forgery {
        Some(Forgery::Issuer) => vec![("iss", json!("https://other.example"))],
        Some(Forgery::Audience) => vec![("aud", json!("somebody else"))],
        Some(Forgery::Party) => vec![("aud", json!([CLIENT, "other"])), ("azp", json!("other"))],
        Some(Forgery::NoParty) => vec![("aud", json!([CLIENT, "other"]))],
        Some(Forgery::Nonce) => vec![("nonce", json!("another"))],
        Some(Forgery::NoNonce) => vec![("nonce", Value::Null)],
        Some(Forgery::Expired) => vec![("exp", json!(now - 61))],
        Some(Forgery::Old) => vec![("iat", json!(now - 601))],
        Some(Forgery::Early) => vec![("iat", json!(now + 61))],
        Some(Forgery::AccessToken) => vec![("at_hash", json!(half_hash("another", Algorithm::EdDSA)))],
        Some(Forgery::Long) => vec![("name", json!("x".repeat(20_000)))],
        Some(Forgery::Numbers) => ["exp", "auth_time"].map(|name| (name, json!(i64::MAX))).to_vec(),
        _ => Vec::new(),
    }
}

/// Its key of a turn, and the key's name.
fn signing(algorithm: Algorithm, turn: usize) -> Option<(EncodingKey, String)> {
    let key = match (algorithm, turn % 2) {
        (Algorithm::RS256, _) => EncodingKey::from_rsa_pem(include_bytes!("rsa.pem")),
        (Algorithm::ES256, _) => EncodingKey::from_ec_pem(include_bytes!("ec.pem")),
        (_, 0) => EncodingKey::from_ed_pem(include_bytes!("ed.pem")),
        _ => EncodingKey::from_ed_pem(include_bytes!("ed_next.pem")),
    };
    Some((key.ok()?, format!("key-{turn}")))
}

fn signed(claims: &str, algorithm: Algorithm, turn: usize, forgery: Option<Forgery>) -> String {
    let mut head = Header::new(algorithm);
    let Some((mut key, kid)) = signing(algorithm, turn) else { return String::new() };
    head.kid = Some(kid);
    match forgery {
        Some(Forgery::UnknownKey) => head.kid = Some("nobody's".to_owned()),
        Some(Forgery::ForeignKey) => {
            if let Some((other, _)) = signing(algorithm, turn + 1) {
                key = other;
            }
        }
        Some(Forgery::SharedSecret) => {
            let public =
                Jwk::from_encoding_key(&key, algorithm).and_then(|jwk| serde_json::to_vec(&jwk).map_err(Into::into));
            head.alg = Algorithm::HS256;
            key = EncodingKey::from_secret(&public.unwrap_or_default());
        }
        _ => {}
    }
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let head_text = match forgery {
        Some(Forgery::Unsigned) => json!({ "alg": "none", "typ": "JWT", "kid": head.kid }).to_string(),
        _ => serde_json::to_string(&head).unwrap_or_default(),
    };
    let message = format!("{}.{}", part(&head_text), part(claims));
    let signature = match forgery {
        Some(Forgery::Unsigned) => String::new(),
        _ => jsonwebtoken::crypto::sign(message.as_bytes(), &key, head.alg).unwrap_or_default(),
    };
    format!("{message}.{signature}")
}
