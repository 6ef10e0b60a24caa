//! The protobuf contracts and the Rust generated from them by `cargo xtask codegen`.
//!
//! Events are always here; the gRPC services need the feature `grpc`. The contracts live in `proto/`.

#[expect(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "generated code; its documentation is the contract's own"
)]
mod generated {
    pub mod event_v1 {
        include!("generated/daira.event.v1.rs");
    }
}

/// Events: `daira.event.v1`.
pub mod event {
    pub use super::generated::event_v1 as v1;
}

/// The compiled contracts, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");
