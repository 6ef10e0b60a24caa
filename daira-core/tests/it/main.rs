//! The kernel's use cases over its in-memory adapters.

#[cfg(test)]
mod account;
#[cfg(feature = "testkit")]
mod conformance;
#[cfg(feature = "testkit")]
mod mutants;
