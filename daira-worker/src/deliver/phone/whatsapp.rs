//! WhatsApp, by the Cloud API: a code goes as an authentication template with a button that copies it.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::{Handed, PhoneChannel, Text};
use daira_core::secret::Secret;
use serde_json::{Value, json};

use super::away;
use super::post::{Poster, Proof};

/// What the API says of numbers that it will never reach: nobody there has WhatsApp, or it is not among those that may be written to.
const UNREACHABLE: [i64; 2] = [131_026, 131_030];

/// Writes by WhatsApp.
pub struct WhatsApp {
    poster: Poster,
    template: String,
}

impl core::fmt::Debug for WhatsApp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WhatsApp").finish_non_exhaustive()
    }
}

impl WhatsApp {
    /// From the business number whose `…/messages` this address is, with a token that may send, in the words of an approved
    /// authentication template that there is in Arabic and in English.
    ///
    /// # Errors
    /// When the address is none, or not encrypted.
    pub fn new(url: &str, token: &Secret, template: &str) -> Result<Self> {
        Ok(Self { poster: Poster::new(url, &Proof::Bearer(token))?, template: template.to_owned() })
    }

    /// Waits this long for an answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { poster: self.poster.with_patience(patience), ..self }
    }
}

#[async_trait]
impl PhoneChannel for WhatsApp {
    fn carries(&self, text: &Text) -> bool {
        text.code.is_some()
    }

    async fn send(&self, text: &Text) -> Result<Handed> {
        let Some(code) = &text.code else { return Ok(Handed::Refused("the template is for codes alone".to_owned())) };
        let parameters = json!([{ "type": "text", "text": code.expose() }]);
        let answer = self
            .poster
            .json(&json!({
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": text.to.expose().trim_start_matches('+'),
                "type": "template",
                "template": {
                    "name": self.template,
                    "language": { "code": text.locale.tag() },
                    "components": [
                        { "type": "body", "parameters": parameters },
                        { "type": "button", "sub_type": "url", "index": "0", "parameters": parameters },
                    ],
                },
            }))
            .await?;
        let sent = answer.body.pointer("/messages/0/id").is_some_and(Value::is_string);
        let error = answer.body.pointer("/error/code").and_then(Value::as_i64);
        match (answer.status, error) {
            (200..=299, None) if sent => Ok(Handed::Over),
            (_, Some(code)) if UNREACHABLE.contains(&code) => Ok(Handed::Refused(format!("WhatsApp {code}"))),
            (status, Some(code)) => Err(away(format!("WhatsApp: HTTP {status}, error {code}"))),
            (status, None) => Err(away(format!("WhatsApp: HTTP {status} without an answer that we know"))),
        }
    }
}
