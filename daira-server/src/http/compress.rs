//! What is sent compressed: answers of a kilobyte and more, but never those of mutations.
//!
//! Compressing a secret beside text that an attacker chooses lets its length betray it. Here nobody but the holder of a
//! token can cause an answer that is meant for them, since no browser sends the token by itself; so queries may shrink,
//! which is worth much on a phone. Answers of mutations, which can hold tokens, stay as they are.

use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

/// Set on an answer that must not be compressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

/// The smallest body that is worth it, in bytes.
const WORTH_IT: u16 = 1_024;

/// The layer.
pub(super) fn layer() -> CompressionLayer<impl Predicate> {
    let allowed =
        |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| extensions.get::<Plain>().is_none();
    let predicate = DefaultPredicate::new().and(SizeAbove::new(WORTH_IT)).and(allowed);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(predicate)
}
