//! Who is active now: whose notifications are watched on some node.
//!
//! In: streams that open and close on this node. Out: beats of [`Presence`], and the answer for a reader. It is shown to people
//! whom the profile itself follows and who may see it, if its owner lets it; for everybody else it is as if nobody were there, and
//! costs as much: who may know is asked before who is there.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::Pass;
use crate::error::Result;
use crate::id::ProfileId;
use crate::port::{Clock, Node, Presence, ReadView};
use crate::time::Timestamp;

/// How often it is looked who came and left.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many beats there are in the life of one: two may be lost.
const BEATS: u32 = 3;

/// Who is here, and who is anywhere. Cloning is cheap: clones are one.
#[derive(Clone)]
pub struct Activity(Arc<Inner>);

struct Inner {
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    node: Node,
    life: Duration,
    here: Mutex<Here>,
}

/// Who is on this node.
#[derive(Default)]
struct Here {
    /// How many streams each has.
    streams: HashMap<ProfileId, usize>,
    /// Those of whom something changed since it was last said.
    changed: BTreeSet<ProfileId>,
    said: Option<Timestamp>,
}

/// A stream of somebody who is here, until dropped.
#[derive(Debug)]
pub struct Present {
    of: Activity,
    profile: ProfileId,
}

impl core::fmt::Debug for Activity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Activity").field("life", &self.0.life).finish_non_exhaustive()
    }
}

impl Activity {
    /// Of this node, whose word holds for `life` when it dies.
    pub fn new(presence: Arc<dyn Presence>, clock: Arc<dyn Clock>, node: Node, life: Duration) -> Self {
        Self(Arc::new(Inner { presence, clock, node, life, here: Mutex::default() }))
    }

    /// Whoever has this pass opened a stream on this node. Strangers are nobody, and an app of somebody else's that listens says
    /// nothing of its owner.
    pub fn enter(&self, pass: &Pass) -> Option<Present> {
        let profile = pass.actor().profile().filter(|_| pass.granted().is_none())?;
        Some(self.join(profile))
    }

    fn join(&self, profile: ProfileId) -> Present {
        let mut here = self.here();
        let streams = here.streams.entry(profile).or_default();
        *streams += 1;
        if *streams == 1 {
            here.changed.insert(profile);
        }
        Present { of: self.clone(), profile }
    }

    /// Those of these profiles who are active and whose activity the view's actor may know of.
    ///
    /// # Errors
    /// The store's.
    pub async fn of(&self, view: &mut dyn ReadView, profiles: &[ProfileId]) -> Result<Vec<ProfileId>> {
        let shown = view.graph().showing_activity(profiles).await?;
        // Asked for all of them: how long an answer takes does not tell who hides from whom.
        let mut active = self.0.presence.present(profiles).await;
        active.retain(|profile| shown.contains(profile));
        Ok(active)
    }

    /// Says who is here until dropped: who came or left within a moment, everybody several times in the life of a beat.
    pub async fn attend(&self) {
        loop {
            self.say().await;
            self.0.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Says what is to be said now.
    pub async fn say(&self) {
        let now = self.0.clock.now();
        let (beats, leaves) = {
            let mut here = self.here();
            let changed = core::mem::take(&mut here.changed);
            let is_here = |profile: &ProfileId| here.streams.contains_key(profile);
            let (mut beats, leaves): (Vec<_>, Vec<_>) = changed.into_iter().partition(is_here);
            // What was said when the clock was ahead counts for nothing.
            let is_due = here.said.is_none_or(|said| now < said || said + self.0.life / BEATS <= now);
            if is_due {
                here.said = Some(now);
                beats = here.streams.keys().copied().collect();
            }
            (beats, leaves)
        };
        let Inner { presence, node, life, .. } = &*self.0;
        if !beats.is_empty() {
            presence.beat(*node, &beats, *life).await;
        }
        if !leaves.is_empty() {
            presence.leave(*node, &leaves).await;
        }
    }

    /// Whoever panicked while holding it left at worst one stream uncounted.
    fn here(&self) -> MutexGuard<'_, Here> {
        self.0.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut here = self.of.here();
        let left = here.streams.get(&self.profile).map_or(0, |streams| streams - 1);
        if left > 0 {
            here.streams.insert(self.profile, left);
        } else {
            here.streams.remove(&self.profile);
            here.changed.insert(self.profile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::memory::{ManualClock, MemoryPresence};

    const LIFE: Duration = Duration::from_secs(45);

    #[tokio::test]
    async fn who_is_here_is_said_again_and_who_left_is_gone_at_once() {
        let clock = Arc::new(ManualClock::default());
        let presence = Arc::new(MemoryPresence::new(clock.clone()));
        let node = |n| Activity::new(presence.clone(), clock.clone(), Node([n; 8]), LIFE);
        let (one, other) = (node(1), node(2));
        let [mona, ali] = [1, 2].map(ProfileId::from_raw);
        let there = async || presence.present(&[mona, ali]).await;

        let first = one.join(mona);
        let second = one.join(mona);
        let elsewhere = other.join(ali);
        assert!(there().await.is_empty(), "nothing was said yet");
        one.say().await;
        other.say().await;
        assert_eq!(there().await, [mona, ali]);
        for _ in 0..20 {
            clock.advance(LIFE / BEATS);
            one.say().await;
        }
        assert_eq!(there().await, [mona], "the other node died");
        other.say().await;
        assert_eq!(there().await, [mona, ali], "it only slept");

        drop(first);
        one.say().await;
        assert_eq!(there().await, [mona, ali], "there is another stream");
        drop((second, elsewhere));
        one.say().await;
        other.say().await;
        assert!(there().await.is_empty());
        let back = one.join(mona);
        drop(back);
        let _back = one.join(mona);
        one.say().await;
        assert_eq!(there().await, [mona], "who leaves and comes back is there");
        assert!(other.here().streams.is_empty() && one.here().changed.is_empty());
    }
}
