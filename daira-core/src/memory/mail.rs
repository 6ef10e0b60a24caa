//! A channel that keeps what it is handed.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::Result;
use crate::port::{Channel, Message};

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
    async fn send(&self, message: &Message) -> Result<()> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if !messages.iter().any(|m| m.key == message.key && m.to == message.to) {
            messages.push(message.clone());
        }
        Ok(())
    }
}
