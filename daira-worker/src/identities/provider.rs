//! One provider: what it says of itself, its keys, and the exchange of a code.
//!
//! Its issuer is the operator's word; all other addresses are the provider's own, so they are asked only where they are encrypted
//! and not inside a private network, unless the provider is there itself. What it says is remembered for an hour. A key that is
//! not known is looked for at once, but not more than once a minute, so that forged tokens make us ask nobody.

use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{AuthorizationAnswer, AuthorizationRequest, Clock, IdentityClaims};
use daira_core::time::Timestamp;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::Registration;
use super::token::{self, Expected, Keys, Refused};
use crate::outgoing::{Body, Outgoing, address, host_of, is_public};

/// How long a provider may take for one answer; a person waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what it says of itself is remembered.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How long nobody looks for keys again.
const PAUSE: Duration = Duration::from_mins(1);
/// How long a provider that failed is not asked again: who waits behind somebody who waited in vain does not wait as well.
const REST: Duration = Duration::from_secs(5);

/// What a provider says of itself (`OpenID` Connect Discovery 1.0), as far as it matters.
#[derive(Debug, Clone, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207: whether it always says who it is when it sends somebody back.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// What is remembered of it.
#[derive(Default)]
struct Known {
    document: Option<(Arc<Document>, Timestamp)>,
    keys: Option<(Arc<Keys>, Timestamp)>,
    /// When newer keys were last looked for.
    looked_at: Option<Timestamp>,
    /// When it last failed.
    failed_at: Option<Timestamp>,
}

/// A provider, and how we are known to it.
pub(super) struct Party {
    registration: Registration,
    issuer: Uri,
    outgoing: Outgoing,
    clock: Arc<dyn Clock>,
    /// Held while the provider is asked, so that many who come at once ask it once.
    known: Mutex<Known>,
}

/// A failure of the provider, with what the operator is told.
fn away(told: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, "identity.provider").with_source(told.into())
}

impl Party {
    pub(super) fn new(registration: Registration, clock: Arc<dyn Clock>) -> core::result::Result<Self, &'static str> {
        let issuer = address(&registration.provider.issuer)?;
        if issuer.query().is_some() || registration.provider.issuer.contains('#') {
            return Err("an issuer has no query and no fragment");
        }
        let outgoing = Outgoing::beside(host_of(&issuer).unwrap_or_default(), PATIENCE);
        Ok(Self { registration, issuer, outgoing, clock, known: Mutex::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.registration.provider.name
    }

    pub(super) async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String> {
        let document = self.document().await?;
        let mut url =
            Url::parse(&document.authorization_endpoint).map_err(|_| away("its authorization endpoint is none"))?;
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(request.verifier.expose()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("redirect_uri", &request.redirect)
            .append_pair("scope", &self.registration.scopes.join(" "))
            .append_pair("state", request.state.expose())
            .append_pair("nonce", request.nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if request.fresh {
            url.query_pairs_mut().append_pair("prompt", "login").append_pair("max_age", "0");
        }
        Ok(url.into())
    }

    pub(super) async fn redeem(
        &self,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<Option<IdentityClaims>> {
        let document = self.document().await?;
        let is_its_own = match &answer.issuer {
            Some(issuer) => *issuer == document.issuer,
            None => !document.authorization_response_iss_parameter_supported,
        };
        if !is_its_own {
            return Ok(self.refused("somebody else says that it sent this answer"));
        }
        let Some(tokens) = self.exchanged(&document, request, answer).await? else { return Ok(None) };
        let expected = Expected {
            issuer: &document.issuer,
            client_id: &self.registration.client_id,
            nonce: &request.nonce,
            access_token: tokens.access_token.as_deref(),
            now: self.clock.now(),
        };
        let keys = self.keys(&document, None).await?;
        let mut read = token::read(&tokens.id_token, &keys, &expected);
        if matches!(read, Err(Refused::UnknownKey)) {
            let keys = self.keys(&document, Some(&keys)).await?;
            read = token::read(&tokens.id_token, &keys, &expected);
        }
        Ok(match read {
            Ok(claims) => Some(claims),
            Err(why) => self.refused(why.told()),
        })
    }

    /// What the provider gives for a code; nothing where it refuses it.
    async fn exchanged(
        &self,
        document: &Document,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<Option<Tokens>> {
        let answer = self.outgoing.send(self.token_request(document, request, answer)?).await.map_err(away)?;
        match answer.status {
            200 => Ok(Some(serde_json::from_slice(&answer.body).map_err(|_| away("its tokens cannot be read"))?)),
            400 | 401 | 403 => {
                let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
                let about_us = ["invalid_client", "unauthorized_client", "unsupported_grant_type"];
                if refusal.is_some_and(|refusal| !about_us.contains(&refusal.error.as_str())) {
                    // What a stale, forged or malformed code gets.
                    self.refused("it does not take the code");
                    return Ok(None);
                }
                // Nobody gets in until the operator mends it.
                tracing::error!(
                    provider = self.name(),
                    status = answer.status,
                    "a provider refuses us: look at its settings"
                );
                Err(away("it refuses us"))
            }
            status => Err(away(format!("it answers {status}"))),
        }
    }

    fn token_request(
        &self,
        document: &Document,
        request: &AuthorizationRequest,
        answer: &AuthorizationAnswer,
    ) -> Result<Request<Body>> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", answer.code.expose())
            .append_pair("redirect_uri", &request.redirect)
            .append_pair("code_verifier", request.verifier.expose());
        let id = &self.registration.client_id;
        let mut post = Request::post(self.endpoint(&document.token_endpoint)?);
        match &self.registration.client_secret {
            // `client_secret_basic` is what holds where nothing is said.
            Some(secret) if document.takes("client_secret_basic") => {
                let quoted = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = BASE64.encode(format!("{}:{}", quoted(id), quoted(secret.expose())).as_bytes());
                let mut header =
                    HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| away("our secret is none"))?;
                header.set_sensitive(true);
                post = post.header(AUTHORIZATION, header);
            }
            Some(secret) => {
                form.append_pair("client_id", id).append_pair("client_secret", secret.expose());
            }
            None => {
                form.append_pair("client_id", id);
            }
        }
        let post = post.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, "application/json");
        post.body(Body::from(form.finish())).map_err(|error| away(error.to_string()))
    }

    async fn document(&self) -> Result<Arc<Document>> {
        let (mut known, now) = (self.known.lock().await, self.clock.now());
        if let Some((document, at)) = &known.document
            && now < *at + REMEMBERED
        {
            return Ok(document.clone());
        }
        let issuer = &self.registration.provider.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document: Document = self.fetched(&mut known, &url).await?;
        if document.issuer != *issuer {
            return Err(away("it says that it is somebody else"));
        }
        for endpoint in [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri] {
            self.endpoint(endpoint)?;
        }
        let document = Arc::new(document);
        known.document = Some((document.clone(), now));
        Ok(document)
    }

    /// The provider's keys, or newer ones than these, if it is not too soon to ask.
    async fn keys(&self, document: &Document, than: Option<&Arc<Keys>>) -> Result<Arc<Keys>> {
        let (mut known, now) = (self.known.lock().await, self.clock.now());
        if let Some((keys, at)) = &known.keys {
            let is_newer = than.is_none_or(|old| !Arc::ptr_eq(old, keys));
            let is_too_soon = known.looked_at.is_some_and(|last| now < last + PAUSE);
            if (is_newer && now < *at + REMEMBERED) || (!is_newer && is_too_soon) {
                return Ok(keys.clone());
            }
        }
        known.looked_at = Some(now);
        let keys = Arc::new(Keys::of(self.fetched(&mut known, &document.jwks_uri).await?));
        known.keys = Some((keys.clone(), now));
        Ok(keys)
    }

    async fn fetched<T: DeserializeOwned>(&self, known: &mut Known, url: &str) -> Result<T> {
        if known.failed_at.is_some_and(|last| self.clock.now() < last + REST) {
            return Err(away("it failed a moment ago"));
        }
        let fetched = self.asked(url).await;
        known.failed_at = fetched.is_err().then(|| self.clock.now());
        fetched
    }

    async fn asked<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        let get = Request::get(self.endpoint(url)?).header(ACCEPT, "application/json");
        let get = get.body(Body::default()).map_err(|error| away(error.to_string()))?;
        let answer = self.outgoing.send(get).await.map_err(away)?;
        if answer.status != 200 {
            return Err(away(format!("it answers {}", answer.status)));
        }
        serde_json::from_slice(&answer.body).map_err(|_| away("what it says of itself cannot be read"))
    }

    /// An address of the provider's, if it may be asked.
    fn endpoint(&self, url: &str) -> Result<Uri> {
        let url = address(url).map_err(away)?;
        let host = host_of(&url).unwrap_or_default();
        let own = host_of(&self.issuer).unwrap_or_default();
        let leads_inside = host.parse::<IpAddr>().is_ok_and(|at| !is_public(at)) || host == "localhost";
        let is_plain = url.scheme_str() == Some("http") && self.issuer.scheme_str() != Some("http");
        if is_plain || (leads_inside && !host.eq_ignore_ascii_case(own)) {
            return Err(away("it names an address inside a private network"));
        }
        Ok(url)
    }

    fn refused(&self, why: &str) -> Option<IdentityClaims> {
        tracing::info!(provider = self.name(), why, "what came back from a provider is not believed");
        None
    }
}

impl Document {
    fn takes(&self, method: &str) -> bool {
        self.token_endpoint_auth_methods_supported.as_ref().is_none_or(|all| all.iter().any(|one| one == method))
    }
}
