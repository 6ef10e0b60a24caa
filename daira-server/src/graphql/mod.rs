//! GraphQL: documents, the engine that runs them, and the schema.
//!
//! ```text
//! http ─▶ Engine: find the document ─▶ check it ─▶ execute within time ─▶ complete ─▶ Answer
//!                                                     │
//!                    schema: query, mutation, types ──┤ resolvers reach the Scope: who asks, use cases,
//!                                                     └ and Reads, one view with batches over it
//! ```
//!
//! No business rule lives here: a resolver calls a use case and shows what it answers. Expected refusals of mutations are
//! data (`userErrors`); everything else becomes a GraphQL error in one place, [`answer`].

pub mod answer;
mod complete;
mod connection;
pub mod document;
mod engine;
mod input;
mod loaders;
mod mutation;
mod payload;
mod persisted;
mod query;
mod refusal;
pub mod schema;
mod scope;
mod settings;
mod subscription;
mod types;

pub use answer::Answer;
pub(crate) use engine::Asked;
pub use engine::{Caller, Engine, Operation};
pub use refusal::GraphqlRefusal;
pub use settings::{Documents, GraphqlSettings, Limits};
