//! A channel that keeps what it is handed.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::Result;
use crate::port::{Channel, Handed, Message};

/// Collects messages instead of sending them; one handed over twice under the same key is kept once.
#[derive(Debug, Default)]
pub struct MemoryMail {
    messages: Mutex<Vec<Message>>,
}

impl MemoryMail {
    /// Everything handed over so far, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Channel for MemoryMail {
    async fn send(&self, message: &Message) -> Result<Handed> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if !messages.iter().any(|m| m.key == message.key && m.to == message.to) {
            messages.push(message.clone());
        }
        Ok(Handed::Over)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_message_is_kept_once_under_its_key() {
        let mail = MemoryMail::default();
        for (to, key) in
            [("mona@example.com", "1"), ("mona@example.com", "1"), ("ali@example.com", "1"), ("ali@example.com", "2")]
        {
            let text = Secret::new("الكود ١٢٣٤٥٦");
            let message = Message { to: Secret::new(to), subject: "أهلاً".to_owned(), text, key: key.to_owned() };
            mail.send(&message).now_or_never().unwrap().unwrap();
        }
        let kept: Vec<_> = mail.messages().iter().map(|m| (m.to.expose().to_owned(), m.key.clone())).collect();
        let expected = [("mona@example.com", "1"), ("ali@example.com", "1"), ("ali@example.com", "2")];
        assert_eq!(kept, expected.map(|(to, key)| (to.to_owned(), key.to_owned())));
    }
}
