//! The schema, put together, and its SDL.

use async_graphql::EmptySubscription;

use super::mutation::Mutation;
use super::query::Query;

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// Puts the schema together. What is missing from it is not suggested to whoever guesses.
pub fn build() -> Schema {
    Schema::build(Query, Mutation::default(), EmptySubscription).disable_suggestions().finish()
}

/// The schema as clients read it, one trailing newline.
pub fn sdl() -> String {
    let sdl = build().sdl();
    format!("{}\n", sdl.trim_end())
}
