//! Documents that were read lately, by their text.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{Refused, read};
use crate::graphql::Limits;

/// How many bytes of text are remembered; what is read from them takes some forty times as much.
const BYTES: u64 = 256 * 1024;

/// How long texts are, usually.
const USUAL: u64 = 512;

/// A text weighs its length, and no less than one.
#[derive(Debug, Clone, Copy)]
struct Length;

impl Weighter<Arc<str>, Arc<ExecutableDocument>> for Length {
    fn weight(&self, text: &Arc<str>, _: &Arc<ExecutableDocument>) -> u64 {
        text.len().max(1) as u64
    }
}

/// Reads documents, each once while it is remembered. Only those that are within the limits are.
#[derive(Debug)]
pub struct RecentDocuments(Cache<Arc<str>, Arc<ExecutableDocument>, Length>);

impl Default for RecentDocuments {
    fn default() -> Self {
        Self(Cache::with_weighter((BYTES / USUAL) as usize, BYTES, Length))
    }
}

impl RecentDocuments {
    /// The document that a text is.
    ///
    /// # Errors
    /// The refusal.
    pub fn read(&self, text: Arc<str>, limits: &Limits) -> Result<Arc<ExecutableDocument>, Refused> {
        if let Some(document) = self.0.get(&text) {
            return Ok(document);
        }
        let document = Arc::new(read(&text, limits)?);
        self.0.insert(text, Arc::clone(&document));
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_73_documents_take_bounded_memory() {
        let documents = RecentDocuments::default();
        let limits = Limits::default();
        let first = documents.read("{ me { id } }".into(), &limits).unwrap();
        assert!(Arc::ptr_eq(&first, &documents.read("{ me { id } }".into(), &limits).unwrap()));
        assert!(documents.read("{ me (".into(), &limits).is_err());
        for n in 0..2_000 {
            documents.read(format!("{{ me {{ a{n}: id }} }} # {}", "x".repeat(500)).into(), &limits).unwrap();
        }
        assert!(documents.0.weight() <= BYTES && documents.0.len() > 100);
    }
}
