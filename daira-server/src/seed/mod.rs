//! The demo world: an Egypt of a thousand people that talk like people, made from a seed.
//!
//! [`World::plan`] draws it as plain data, without ids of the platform and without any input or output; bringing it
//! into a store is [`load`]'s work. From top to bottom:
//!
//! - [`world`](World): the plan, and the iterators it is read with;
//! - `people`: names, homes, interests and habits; `names` and `places` hold what they are drawn from;
//! - `graph`: who follows whom;
//! - `schedule`: who posts which line when, so that no feed repeats itself;
//! - `talk`: comments and reactions;
//! - `voice`: the texts, and how a line becomes the words of one person;
//! - `draw`: randomness that is the same on every machine.
//!
//! The same [`WorldOptions`] give the same world; a golden in the tests holds its digest. A changed text or rule
//! changes the digest, and that is all right: it is there so that the change is seen.

mod draw;
mod graph;
mod load;
mod names;
mod people;
mod places;
mod schedule;
mod talk;
mod voice;
mod world;

#[cfg(test)]
mod tests;

pub use graph::Graph;
pub use load::{HOST, Loaded, PASSWORD, Stage, email, is_loaded, load};
pub use people::Person;
pub use talk::{Comment, Reaction, ReactionKind};
pub use voice::{Gender, PostKind, Script, Topic};
pub use world::{Post, World, WorldOptions};
