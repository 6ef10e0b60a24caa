//! A POST to a provider: encrypted unless it is on this machine, within a time, and with an answer of a bounded size.

use core::net::IpAddr;
use core::time::Duration;

use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::secret::Secret;

use super::away;

/// How long a provider may take. There may be three of them, one after the other.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;

type Body = Full<bytes::Bytes>;

/// Posts to one address.
pub(super) struct Poster {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    url: Uri,
    authorization: HeaderValue,
    patience: Duration,
}

/// What a provider answered.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Its body; null where that was no JSON.
    pub(super) body: Value,
}

/// How a request proves whose it is.
pub(super) enum Proof<'a> {
    Bearer(&'a Secret),
    /// A user and a password.
    Basic(&'a str, &'a Secret),
    /// What stands behind `Basic` as it is.
    Key(&'a Secret),
}

impl Poster {
    /// To an address.
    ///
    /// # Errors
    /// With what is wrong with it; neither it nor the proof is repeated.
    pub(super) fn new(url: &str, proof: &Proof<'_>) -> Result<Self> {
        let wrong = |what: &str| Error::new(ErrorKind::Internal, "phone.provider").with_source(what.to_owned());
        let url: Uri = url.parse().map_err(|_| wrong("its address is none"))?;
        let host = url.host().ok_or_else(|| wrong("its address names no host"))?.trim_matches(['[', ']']);
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if is_here => {}
            _ => return Err(wrong("its address takes `https://`")),
        }
        let text = match proof {
            Proof::Bearer(token) => format!("Bearer {}", token.expose()),
            Proof::Basic(user, password) => {
                format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()).as_bytes()))
            }
            Proof::Key(key) => format!("Basic {}", key.expose()),
        };
        let mut authorization = HeaderValue::try_from(text).map_err(|_| wrong("its key is none"))?;
        authorization.set_sensitive(true);
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, url, authorization, patience: PATIENCE })
    }

    /// Waits this long for an answer.
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) async fn json(&self, body: &Value) -> Result<Answer> {
        self.post("application/json", body.to_string()).await
    }

    pub(super) async fn form(&self, fields: &[(&str, &str)]) -> Result<Answer> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post("application/x-www-form-urlencoded", body).await
    }

    async fn post(&self, kind: &'static str, body: String) -> Result<Answer> {
        let request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, kind)
            .header(AUTHORIZATION, self.authorization.clone())
            .body(Body::from(body))
            .map_err(|error| Error::new(ErrorKind::Internal, "phone.request").with_source(error))?;
        let answered = async {
            let response = self.client.request(request).await.map_err(|_| away("the provider cannot be reached"))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
            let body = body.map_err(|_| away("the provider's answer broke off, or has no end"))?.to_bytes();
            Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
        };
        tokio::time::timeout(self.patience, answered).await.unwrap_or_else(|_| Err(away("no answer in time")))
    }
}
