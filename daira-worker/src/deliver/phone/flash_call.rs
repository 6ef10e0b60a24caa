//! Flash calls: the phone rings once, from a number whose last digits are the code. The format is that of DecisionTelecom's
//! Flash Call Verify; nothing is paid for a call that nobody answers, or little.

use core::time::Duration;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::{Handed, PhoneChannel, Text};
use daira_core::secret::Secret;
use serde_json::json;

use super::away;
use super::post::{Poster, Proof};

/// For how many minutes a call may wait to be made.
const VALID: u32 = 5;

/// Calls phones in Egypt.
pub struct FlashCall {
    poster: Poster,
    sender: String,
}

impl core::fmt::Debug for FlashCall {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FlashCall").finish_non_exhaustive()
    }
}

impl FlashCall {
    /// By the provider at an address, with its key, under a name that it knows.
    ///
    /// # Errors
    /// When the address is none, or not encrypted.
    pub fn new(url: &str, key: &Secret, sender: &str) -> Result<Self> {
        Ok(Self { poster: Poster::new(url, &Proof::Key(key))?, sender: sender.to_owned() })
    }

    /// Waits this long for an answer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { poster: self.poster.with_patience(patience), ..self }
    }
}

#[async_trait]
impl PhoneChannel for FlashCall {
    fn carries(&self, text: &Text) -> bool {
        text.code.is_some() && text.to.expose().starts_with("+20")
    }

    async fn send(&self, text: &Text) -> Result<Handed> {
        let Some(code) = &text.code else { return Ok(Handed::Refused("a flash call carries codes alone".to_owned())) };
        let phone: u64 = text.to.expose().trim_start_matches('+').parse().unwrap_or_default();
        // A text, for a number would lose the noughts that a code begins with.
        let body = json!({ "phone": phone, "sender": self.sender, "text": code.expose(), "validity_period": VALID });
        let answer = self.poster.json(&body).await?;
        let said =
            answer.body.get("status").and_then(|status| status.as_str()).unwrap_or_default().to_ascii_lowercase();
        match (answer.status, said.as_str()) {
            (200..=299, "accepted") => Ok(Handed::Over),
            (200..=299, "rejected" | "failed") => Ok(Handed::Refused(format!("flash call {said}"))),
            (status, _) => Err(away(format!("flash call: HTTP {status} without an answer that we know"))),
        }
    }
}
