//! A POST to a provider.

use core::time::Duration;

use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use serde_json::Value;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::secret::Secret;

use super::away;
use crate::outgoing::{Body, Outgoing, address};

/// How long a provider may take. There may be three of them, one after the other.
const PATIENCE: Duration = Duration::from_secs(15);

/// Posts to one address.
pub(super) struct Poster {
    outgoing: Outgoing,
    url: Uri,
    authorization: HeaderValue,
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
        let url = address(url).map_err(wrong)?;
        let text = match proof {
            Proof::Bearer(token) => format!("Bearer {}", token.expose()),
            Proof::Basic(user, password) => {
                format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()).as_bytes()))
            }
            Proof::Key(key) => format!("Basic {}", key.expose()),
        };
        let mut authorization = HeaderValue::try_from(text).map_err(|_| wrong("its key is none"))?;
        authorization.set_sensitive(true);
        Ok(Self { outgoing: Outgoing::new(PATIENCE), url, authorization })
    }

    /// Waits this long for an answer.
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { outgoing: self.outgoing.with_patience(patience), ..self }
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
        let answer = self.outgoing.send(request).await.map_err(away)?;
        Ok(Answer { status: answer.status, body: serde_json::from_slice(&answer.body).unwrap_or_default() })
    }
}
