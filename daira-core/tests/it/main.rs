//! The kernel's use cases over its in-memory adapters.

#[cfg(test)]
mod account;
#[cfg(test)]
mod comment;
#[cfg(feature = "testkit")]
mod conformance;
#[cfg(test)]
mod events;
#[cfg(test)]
mod graph;
#[cfg(feature = "testkit")]
mod mutants;
#[cfg(test)]
mod notification;
#[cfg(test)]
mod post;
#[cfg(test)]
mod reaction;
#[cfg(test)]
mod source;
#[cfg(test)]
mod world;
