//! Text messages, by the Messages API of Twilio, which other gateways speak as well.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::{Handed, PhoneChannel, Text};
use daira_core::secret::Secret;
use serde_json::Value;

use super::away;
use super::post::{Poster, Proof};

/// What the API says of numbers that it will never reach: none, none that takes messages from here, one whose owner wants
/// none, no mobile phone.
const UNREACHABLE: [i64; 4] = [21_211, 21_612, 21_610, 21_614];

/// Sends text messages.
pub struct Sms {
    poster: Poster,
    from: String,
}

impl core::fmt::Debug for Sms {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sms").finish_non_exhaustive()
    }
}

impl Sms {
    /// By the gateway whose `…/Messages.json` this address is, as a user with a password, from a number or a name.
    ///
    /// # Errors
    /// When the address is none, or not encrypted.
    pub fn new(url: &str, user: &str, password: &Secret, from: &str) -> Result<Self> {
        Ok(Self { poster: Poster::new(url, &Proof::Basic(user, password))?, from: from.to_owned() })
    }

    /// Waits this long for an answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { poster: self.poster.with_patience(patience), ..self }
    }
}

#[async_trait]
impl PhoneChannel for Sms {
    fn carries(&self, _: &Text) -> bool {
        true
    }

    async fn send(&self, text: &Text) -> Result<Handed> {
        let fields = [("To", text.to.expose()), ("From", self.from.as_str()), ("Body", text.words.expose())];
        let answer = self.poster.form(&fields).await?;
        let sent = answer.body.get("sid").is_some_and(Value::is_string);
        let failed = answer.body.get("status").is_some_and(|status| status == "failed" || status == "undelivered");
        let error = ["error_code", "code"].iter().find_map(|name| answer.body.get(*name)?.as_i64());
        match (answer.status, error) {
            (200..=299, None) if sent && !failed => Ok(Handed::Over),
            (_, Some(code)) if UNREACHABLE.contains(&code) => Ok(Handed::Refused(format!("SMS {code}"))),
            (status, Some(code)) => Err(away(format!("SMS: HTTP {status}, error {code}"))),
            (status, None) => Err(away(format!("SMS: HTTP {status} without an answer that we know"))),
        }
    }
}
