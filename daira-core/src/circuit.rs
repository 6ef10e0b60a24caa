//! Leaving alone what has just failed, so that an outage does not cost everybody a timeout each.

use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;
use std::sync::Arc;

use crate::port::Clock;

/// How long something rests after it failed, before it is tried again.
const REST: Duration = Duration::from_secs(1);

/// Whether something is asked: always while it answers, once after each second of rest when it failed.
pub struct Circuit {
    clock: Arc<dyn Clock>,
    /// When it is to be tried again, in microseconds; 0 while it answers.
    again_at: AtomicI64,
}

/// What a circuit says to somebody who would ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It answers.
    Whole,
    /// It failed, and is to be tried by this one.
    Trial,
    /// It failed and rests.
    Open,
}

impl core::fmt::Debug for Circuit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Circuit").field("open", &(self.again_at.load(Ordering::Relaxed) != 0)).finish_non_exhaustive()
    }
}

impl Circuit {
    /// Of something that answers.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, again_at: AtomicI64::new(0) }
    }

    /// Whether to ask now.
    pub fn ask(&self) -> Passage {
        let (again_at, now) = (self.again_at.load(Ordering::Acquire), self.clock.now());
        if again_at == 0 {
            return Passage::Whole;
        }
        let next = (now + REST).as_micros();
        // What is further ahead than a rest was written before the clock was set back.
        let is_due = again_at <= now.as_micros() || again_at > next;
        if is_due && self.again_at.compare_exchange(again_at, next, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            return Passage::Trial;
        }
        Passage::Open
    }

    /// It answered; says whether it had failed before.
    pub fn answered(&self) -> bool {
        self.again_at.swap(0, Ordering::AcqRel) != 0
    }

    /// It failed; says whether it had answered before.
    pub fn failed(&self) -> bool {
        let again_at = (self.clock.now() + REST).as_micros();
        self.again_at.swap(again_at, Ordering::AcqRel) == 0
    }
}
