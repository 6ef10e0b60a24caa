//! The kernel's use cases over its in-memory adapters.

#[cfg(test)]
mod account;
