//! Reactions: like, love, laugh, sad, angry; one per person and target, changeable.
//!
//! `model` holds the types, `service` the use cases; whether somebody may react is what the target's own policy says of
//! seeing it.

mod model;

pub use model::{Reaction, ReactionKind, Target};
