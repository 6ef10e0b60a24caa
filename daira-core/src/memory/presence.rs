//! Who is there, as far as this process knows.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::id::ProfileId;
use crate::port::{Clock, Node, Presence};
use crate::time::Timestamp;

/// Presence within one process: for a single node, and for tests. What ended is dropped when its profile is said or asked next.
pub struct MemoryPresence {
    clock: Arc<dyn Clock>,
    here: Mutex<HashMap<ProfileId, HashMap<Node, Timestamp>>>,
}

impl core::fmt::Debug for MemoryPresence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryPresence").finish_non_exhaustive()
    }
}

impl MemoryPresence {
    /// With nobody there.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, here: Mutex::default() }
    }

    /// Whoever panicked while holding it left at worst a beat out.
    fn here(&self) -> MutexGuard<'_, HashMap<ProfileId, HashMap<Node, Timestamp>>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Presence for MemoryPresence {
    async fn beat(&self, node: Node, profiles: &[ProfileId], life: Duration) {
        let until = self.clock.now() + life;
        let mut here = self.here();
        for profile in profiles {
            here.entry(*profile).or_default().insert(node, until);
        }
    }

    async fn leave(&self, node: Node, profiles: &[ProfileId]) {
        let mut here = self.here();
        for profile in profiles {
            if let Some(nodes) = here.get_mut(profile) {
                nodes.remove(&node);
                if nodes.is_empty() {
                    here.remove(profile);
                }
            }
        }
    }

    async fn present(&self, profiles: &[ProfileId]) -> Vec<ProfileId> {
        let now = self.clock.now();
        let mut here = self.here();
        let asked: BTreeSet<ProfileId> = profiles.iter().copied().collect();
        let is_here = |profile: &ProfileId| {
            let Some(nodes) = here.get_mut(profile) else { return false };
            nodes.retain(|_, until| now < *until);
            let is_here = !nodes.is_empty();
            if !is_here {
                here.remove(profile);
            }
            is_here
        };
        asked.into_iter().filter(is_here).collect()
    }
}
