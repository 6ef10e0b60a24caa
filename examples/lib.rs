//! Single-file examples, each a whole program: `cargo run -p daira-examples --example embed`.
