//! Documents known by their SHA-256, so that a client need not send them whole each time.
//!
//! By default clients register what they send (automatic persisted queries), and the least used of a thousand is forgotten.
//! An operator may instead name the documents that are taken; then there are no others.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::HEXLOWER_PERMISSIVE;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::refusal::GraphqlRefusal;
use super::settings::Documents;

/// How many registered documents are remembered.
const REMEMBERED: usize = 1_000;

type Hash = [u8; 32];

/// The documents known by their hash.
#[derive(Debug)]
pub(super) enum Persisted {
    /// Whatever clients registered of late.
    Automatic(Cache<Hash, Arc<str>>),
    /// These and no others.
    Only(HashMap<Hash, Arc<str>>),
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

impl Persisted {
    /// As the settings say.
    pub(super) fn new(documents: &Documents) -> Self {
        match documents {
            Documents::Any => Self::Automatic(Cache::new(REMEMBERED)),
            Documents::Only(known) => Self::Only(known.iter().map(|text| (hash(text), text.as_str().into())).collect()),
        }
    }

    /// The document of a request that sends it, names it by its hash in hexadecimal digits, or both.
    ///
    /// # Errors
    /// The refusal: nothing sent, nothing known, a hash of something else, or a document that is not taken.
    pub(super) fn find(&self, text: Option<String>, named: Option<&str>) -> Result<Arc<str>, GraphqlRefusal> {
        let named = named.map(read_hash).transpose()?;
        match (text, named) {
            (None, None) => Err(GraphqlRefusal::NoDocument),
            (None, Some(hash)) => match self {
                Self::Automatic(cache) => cache.get(&hash).ok_or(GraphqlRefusal::PersistedUnknown),
                Self::Only(known) => known.get(&hash).cloned().ok_or(GraphqlRefusal::PersistedOnly),
            },
            (Some(text), Some(named)) if hash(&text) != named => Err(GraphqlRefusal::PersistedMismatch),
            (Some(text), _) => match self {
                Self::Automatic(_) => Ok(text.into()),
                Self::Only(known) => known.get(&hash(&text)).cloned().ok_or(GraphqlRefusal::PersistedOnly),
            },
        }
    }

    /// Remembers a document that was sent with its hash and found good.
    pub(super) fn remember(&self, text: &Arc<str>, named: Option<&str>) {
        if let (Self::Automatic(cache), Some(Ok(hash))) = (self, named.map(read_hash))
            && !cache.contains_key(&hash)
        {
            cache.insert(hash, Arc::clone(text));
        }
    }
}

fn read_hash(text: &str) -> Result<Hash, GraphqlRefusal> {
    let bytes = if text.len() == 64 { HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok() } else { None };
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(GraphqlRefusal::PersistedMismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        HEXLOWER_PERMISSIVE.encode(&hash(text))
    }

    #[test]
    fn registered_documents_are_found_and_wrong_hashes_refused() {
        let persisted = Persisted::new(&Documents::Any);
        let (text, named) = ("{ me { id } }", name("{ me { id } }"));
        assert_eq!(persisted.find(None, Some(&named)), Err(GraphqlRefusal::PersistedUnknown));
        let found = persisted.find(Some(text.to_owned()), Some(&named)).unwrap();
        persisted.remember(&found, Some(&named));
        assert_eq!(&*persisted.find(None, Some(&named)).unwrap(), text);
        for wrong in [name("{ other }"), String::new(), "zz".repeat(32), named[..63].to_owned()] {
            let answer = persisted.find(Some(text.to_owned()), Some(&wrong));
            assert_eq!(answer, Err(GraphqlRefusal::PersistedMismatch), "{wrong}");
        }
        assert_eq!(persisted.find(None, None), Err(GraphqlRefusal::NoDocument));
    }

    #[test]
    fn security_73_the_store_of_documents_is_bounded() {
        let persisted = Persisted::new(&Documents::Any);
        for n in 0..5_000 {
            let text: Arc<str> = format!("{{ a{n} }}").into();
            persisted.remember(&text, Some(&name(&text)));
        }
        let Persisted::Automatic(cache) = &persisted else { unreachable!() };
        assert!((REMEMBERED / 2..=REMEMBERED).contains(&cache.len()), "{}", cache.len());
    }

    #[test]
    fn a_closed_list_takes_nothing_else() {
        let persisted = Persisted::new(&Documents::Only(vec!["{ a }".to_owned()]));
        assert!(persisted.find(Some("{ a }".to_owned()), None).is_ok());
        assert!(persisted.find(None, Some(&name("{ a }"))).is_ok());
        for (text, hash) in [
            (Some("{ b }".to_owned()), None),
            (None, Some(name("{ b }"))),
            (Some("{ b }".to_owned()), Some(name("{ b }"))),
        ] {
            assert_eq!(persisted.find(text, hash.as_deref()), Err(GraphqlRefusal::PersistedOnly));
        }
    }
}
