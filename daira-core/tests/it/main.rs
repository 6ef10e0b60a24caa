//! The kernel's use cases over its in-memory adapters.

mod account;
