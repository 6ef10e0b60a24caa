//! Proofs of identity, computed: password hashes and signed access tokens. Nothing here waits or does I/O.
//!
//! [`Argon2id`] hashes and checks passwords on the thread that calls it; the shell wraps it into the
//! [`PasswordHasher`](crate::port::PasswordHasher) port with a bounded pool of threads. [`JwtSigner`] is the
//! [`TokenSigner`](crate::port::TokenSigner) port as it stands. What makes a password acceptable is the account's
//! business: [`crate::account::password`].

mod argon2id;
mod jwt;

pub use argon2id::{Argon2id, Argon2idCost};
pub use jwt::{JwtSigner, MAX_TOKEN, generate_signing_key};
