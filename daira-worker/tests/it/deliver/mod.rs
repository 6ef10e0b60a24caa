//! Channels to people outside: a real mail server, wires that are cut, and servers that refuse.

#[cfg(feature = "phone")]
mod phones;
mod smtp;
mod wire;

/// Where a server of the tests is.
#[expect(clippy::disallowed_methods, reason = "tests find their servers in the environment")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by `cargo xtask test`"))
}
