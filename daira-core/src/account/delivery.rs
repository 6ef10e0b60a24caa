//! What is to be delivered to somebody outside the platform, and when it is tried next. Nothing of what is delivered stands
//! here: it is composed when it is sent.

use core::time::Duration;

use crate::id::{ChallengeId, SessionId};
use crate::time::Timestamp;

/// The first pause after a delivery was refused for now; doubled at each further one.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// For how long a delivery is tried. What lapses before, a code or a token, is not tried any more then.
const PATIENCE: Duration = Duration::from_hours(7 * 24);

/// What somebody is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// The code of a registration, or that its address has an account.
    Registration(ChallengeId),
    /// A [mailing](super::Mailing).
    Mailing(ChallengeId),
    /// The notice that a copy of a session's refresh token was used.
    CopyNotice(SessionId),
    /// The notice that a session began on a device that was not known.
    DeviceNotice(SessionId),
}

/// A delivery that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// What is due.
    pub due: Due,
    /// How often it was tried, a try that is going on included.
    pub tries: u16,
    /// Since when it is due.
    pub since: Timestamp,
    /// When it is tried next.
    pub at: Timestamp,
}

impl Delivery {
    /// When a delivery that was refused for now is tried again; never, once it was tried for long enough. `chance` is drawn
    /// evenly from 0 to 1, so that what failed together does not come back together.
    pub fn again(&self, now: Timestamp, chance: f64) -> Option<Timestamp> {
        let doubled = PAUSE.saturating_mul(1 << self.tries.saturating_sub(1).min(16));
        let pause = doubled.min(LONGEST_PAUSE).mul_f64(0.75 + chance.clamp(0.0, 1.0) / 2.0);
        Some(now + pause).filter(|at| *at < self.since + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn pauses_grow_to_an_hour_and_end_after_a_week() {
        let since = Timestamp::from_seconds(1_800_000_000);
        let mut delivery = Delivery { due: Due::Mailing(ChallengeId::from_raw(1)), tries: 0, since, at: since };
        let mut pauses = Vec::new();
        let mut now = since;
        loop {
            delivery.tries += 1;
            let Some(at) = delivery.again(now, 0.5) else { break };
            pauses.push(at.since(now).as_secs());
            now = at;
        }
        assert_eq!(pauses[..11], [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600]);
        assert!(pauses[11..].iter().all(|pause| *pause == 3_600) && (170..180).contains(&pauses.len()), "{pauses:?}");
        let spread = [0.0, 1.0].map(|chance| {
            let first = Delivery { tries: 1, ..delivery };
            first.again(since, chance).unwrap().since(since).as_millis()
        });
        assert_eq!(spread, [3_750, 6_250]);
    }
}
