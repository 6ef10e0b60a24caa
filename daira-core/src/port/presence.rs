//! Who is there at the moment, on any node.
//!
//! Nodes say again and again who is on them, and what they say holds for a while: whoever was on a node that died is gone when it
//! ends. This is a view and nothing else. While it cannot be reached, nobody is there, and neither saying nor asking can fail; both
//! wait for a moment at most.

use core::time::Duration;

use async_trait::async_trait;

use crate::id::ProfileId;

/// A process, as long as it runs; no two have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(pub [u8; 8]);

/// Knows who is there.
#[async_trait]
pub trait Presence: Send + Sync {
    /// These are on a node for so long from now on, whatever was said before, or until they leave it.
    async fn beat(&self, node: Node, profiles: &[ProfileId], life: Duration);
    /// These are on a node no more. On which others they are does not change.
    async fn leave(&self, node: Node, profiles: &[ProfileId]);
    /// Those of these who are on some node, in ascending order, each once. Takes one round trip.
    async fn present(&self, profiles: &[ProfileId]) -> Vec<ProfileId>;
}
