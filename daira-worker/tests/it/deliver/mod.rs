//! Channels to people outside: a real mail server, wires that are cut, and servers that refuse.

mod smtp;
mod wire;

/// Where a server of the tests is.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by `cargo xtask test`"))
}
