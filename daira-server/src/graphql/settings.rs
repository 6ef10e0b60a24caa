//! What an operator may set of the GraphQL endpoint. The defaults are those of production.

use std::time::Duration;

/// Settings of the GraphQL endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlSettings {
    /// Whether queries may come by GET. Mutations never may.
    pub get: bool,
    /// How many operations one request may hold as a JSON array, at most 10; 0 turns arrays off.
    pub batch: usize,
    /// How long an operation may run before it is cancelled.
    pub timeout: Duration,
    /// Which documents are taken.
    pub documents: Documents,
    /// How large a document may be.
    pub limits: Limits,
}

impl GraphqlSettings {
    /// The most operations that a batch can be set to.
    pub const MAX_BATCH: usize = 10;
}

impl Default for GraphqlSettings {
    fn default() -> Self {
        Self {
            get: true,
            batch: 0,
            timeout: Duration::from_secs(10),
            documents: Documents::default(),
            limits: Limits::default(),
        }
    }
}

/// Which documents are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Documents {
    /// Any; a client may also name one that was sent before by its SHA-256 (automatic persisted queries).
    #[default]
    Any,
    /// Only these, sent whole or named by their SHA-256.
    Only(Vec<String>),
}

/// How large a GraphQL document may be; what is larger is refused before it is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters of its text.
    pub characters: usize,
    /// Lexical tokens.
    pub tokens: usize,
    /// Fields with an alias.
    pub aliases: usize,
    /// Directives.
    pub directives: usize,
    /// Levels of fields.
    pub depth: usize,
    /// Cost: a field with fields below it costs 2, any other 1; a page costs its own look-up and its size times what is
    /// asked of each item.
    pub complexity: usize,
    /// Bytes of one string among the variables.
    pub variable: usize,
    /// Items of one list among the variables.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            characters: 15_000,
            tokens: 1_000,
            aliases: 15,
            directives: 50,
            depth: 12,
            complexity: 5_000,
            variable: 72 * 1024,
            items: 1_000,
        }
    }
}
