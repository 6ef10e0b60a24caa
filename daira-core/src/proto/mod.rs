//! The protobuf contracts and the Rust generated from them by `cargo xtask codegen`.
//!
//! Events are always here; the gRPC services need the feature `grpc`. The contracts live in `proto/`.

/// Generated modules, nested as the packages are, because generated code refers to its neighbours by `super`.
#[expect(missing_docs, clippy::pedantic, reason = "generated code; its documentation is the contract's own")]
#[cfg_attr(
    feature = "grpc",
    expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated code")
)]
mod generated {
    pub(super) mod daira {
        pub mod event {
            pub mod v1 {
                include!("generated/daira.event.v1.rs");
            }
        }
        #[cfg(feature = "grpc")]
        pub mod account {
            pub mod v1 {
                include!("generated/daira.account.v1.rs");
            }
        }
        #[cfg(feature = "grpc")]
        pub mod admin {
            pub mod v1 {
                include!("generated/daira.admin.v1.rs");
            }
        }
        #[cfg(feature = "grpc")]
        pub mod post {
            pub mod v1 {
                include!("generated/daira.post.v1.rs");
            }
        }
        #[cfg(feature = "grpc")]
        pub mod notification {
            pub mod v1 {
                include!("generated/daira.notification.v1.rs");
            }
        }
        #[cfg(feature = "grpc")]
        pub mod feed {
            pub mod v1 {
                include!("generated/daira.feed.v1.rs");
            }
        }
    }
}

pub use generated::daira::event;
#[cfg(feature = "grpc")]
pub use generated::daira::{account, admin, feed, notification, post};

/// The compiled contracts, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::DESCRIPTORS;

    /// What only looks.
    fn looks(method: &str) -> bool {
        ["Get", "List", "Watch", "HomeFeed", "FollowingFeed", "WhyThis"].iter().any(|start| method.starts_with(start))
    }

    #[test]
    fn security_84_every_call_that_changes_something_takes_a_key() {
        let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
        let mut changing = 0;
        for file in &files {
            for method in file.service.iter().flat_map(|service| &service.method) {
                let takes_a_key = file
                    .message_type
                    .iter()
                    .find(|message| method.input_type().ends_with(&format!(".{}", message.name())))
                    .is_some_and(|message| message.field.iter().any(|field| field.name() == "idempotency_key"));
                assert_ne!(takes_a_key, looks(method.name()), "{}", method.name());
                changing += usize::from(takes_a_key);
            }
        }
        assert!(changing >= 11, "{changing}");
    }
}
