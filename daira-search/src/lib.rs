#![doc = include_str!("../README.md")]

mod query;
mod service;

pub use query::{Kinds, SearchRefusal};
pub use service::{Hit, SearchService};
