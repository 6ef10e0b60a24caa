//! Single-file examples, each a whole program: `cargo run -p daira-examples --example embed`.

/// The examples of the repository's first page, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FirstPage;
