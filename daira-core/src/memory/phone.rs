//! A way to phones that keeps what it is handed.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::Result;
use crate::port::{Handed, PhoneChannel, Text};

/// Collects messages instead of sending them; one handed over twice under the same key is kept once.
#[derive(Debug, Default)]
pub struct MemoryPhone {
    texts: Mutex<Vec<Text>>,
}

impl MemoryPhone {
    /// Everything handed over so far, oldest first.
    pub fn texts(&self) -> Vec<Text> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl PhoneChannel for MemoryPhone {
    fn carries(&self, _: &Text) -> bool {
        true
    }

    async fn send(&self, text: &Text) -> Result<Handed> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if !texts.iter().any(|kept| kept.key == text.key && kept.to == text.to) {
            texts.push(text.clone());
        }
        Ok(Handed::Over)
    }
}
