//! How often something may happen: quotas by the generic cell rate algorithm (GCRA, ITU-T I.371), counted per subject.
//!
//! A [`Quota`] is a bucket: so much at once, refilled evenly over its period. There is no window whose edge doubles it, and
//! all that is kept of a bucket is one instant: when it would be full again.

use core::net::IpAddr;
use core::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::id::{AccountId, SessionId};

crate::refusals! {
    /// Refusals of limits.
    pub enum LimitRefusal {
        /// It happened too often; `retry_after` tells when it may happen again.
        Reached = "limit.reached", TooMany, "That was too often; please wait a little.", "ده كتير أوي؛ استنى شوية وجرّب تاني.";
    }
}

/// How much may happen: `burst` at once, and over time no more than `burst` in each `period`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    burst: u32,
    period: Duration,
}

impl Quota {
    /// So much at once and in each period; at least one, and at least a millisecond.
    pub const fn new(burst: u32, period: Duration) -> Self {
        let burst = if burst == 0 { 1 } else { burst };
        let shortest = Duration::from_millis(1);
        let period = if period.as_nanos() < shortest.as_nanos() { shortest } else { period };
        Self { burst, period }
    }

    /// So much a minute.
    pub const fn a_minute(burst: u32) -> Self {
        Self::new(burst, Duration::from_mins(1))
    }

    /// So much an hour.
    pub const fn an_hour(burst: u32) -> Self {
        Self::new(burst, Duration::from_hours(1))
    }

    /// So much a day.
    pub const fn a_day(burst: u32) -> Self {
        Self::new(burst, Duration::from_hours(24))
    }

    /// So many thousandths of it: less at once and less in each period, at least one.
    #[must_use]
    pub fn scaled(self, thousandths: u32) -> Self {
        let burst = u64::from(self.burst) * u64::from(thousandths) / 1_000;
        Self::new(u32::try_from(burst).unwrap_or(u32::MAX), self.period)
    }

    /// What may happen at once.
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// In what time the burst may happen again.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// How long the bucket takes to refill what this much takes from it, in whole microseconds for each unit, rounded up. What
    /// asks for more than the whole bucket asks for all of it: it may happen, when nothing else did.
    pub fn refill(self, cost: u32) -> Duration {
        let each = self.period_micros().div_ceil(u64::from(self.burst));
        Duration::from_micros(each * u64::from(cost.min(self.burst)))
    }

    /// How long an empty bucket takes to be full: the period, and what rounding adds to it.
    pub fn capacity(self) -> Duration {
        self.refill(self.burst)
    }

    /// At most a century, so that all sums of instants stay far from their ends.
    fn period_micros(self) -> u64 {
        u64::try_from(self.period.as_micros().min(100 * 366 * 86_400 * 1_000_000)).unwrap_or(u64::MAX)
    }

    /// Takes from a bucket that is full again at `full_at`, both instants in microseconds of one clock: what is kept of it
    /// from now on, and what became of it. A refused one stays as it is.
    pub fn take(self, full_at: i64, now: i64, cost: u32) -> (i64, Bucket) {
        let micros_of = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let capacity = micros_of(self.capacity());
        // A clock set back must not lock anybody out for longer than the period.
        let full_at = full_at.clamp(now, now.saturating_add(capacity));
        let then = full_at.saturating_add(micros_of(self.refill(cost)));
        let early = then.saturating_sub(capacity).saturating_sub(now);
        let kept = if early > 0 { full_at } else { then };
        (kept, Bucket { quota: self, wait: micros(early), full_in: micros(kept.saturating_sub(now)) })
    }
}

/// Units of periods and their seconds, the longest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A quota as it is written: `120/15m` is 120 at once and in each 15 minutes; units are `s`, `m`, `h` and `d`.
impl core::str::FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let (burst, period) = text.split_once('/').ok_or(QuotaError)?;
        let unit = UNITS.iter().find(|(unit, _)| period.ends_with(*unit)).ok_or(QuotaError)?;
        let many: u64 = period.strip_suffix(unit.0).unwrap_or_default().parse().map_err(|_| QuotaError)?;
        let seconds = many.checked_mul(unit.1).filter(|seconds| (1..=366 * 86_400).contains(seconds));
        let burst = burst.parse().ok().filter(|burst| *burst > 0);
        Ok(Self::new(burst.ok_or(QuotaError)?, Duration::from_secs(seconds.ok_or(QuotaError)?)))
    }
}

impl core::fmt::Display for Quota {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let seconds = self.period.as_secs().max(1);
        let (unit, size) = UNITS.into_iter().find(|(_, size)| seconds.is_multiple_of(*size)).unwrap_or(('s', 1));
        write!(f, "{}/{}{unit}", self.burst, seconds / size)
    }
}

/// A text that is no quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaError;

impl core::fmt::Display for QuotaError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a quota such as `120/15m`: so many at once and in each so many s, m, h or d, at most 366 days")
    }
}

impl core::error::Error for QuotaError {}

impl serde::Serialize for Quota {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Quota {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Who or what a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A place in the internet, as [`Subject::address`] makes it.
    Address(IpAddr),
    /// A person.
    Account(AccountId),
    /// One device of a person.
    Session(SessionId),
    /// What must not be kept as it is, for instance an e-mail address: the beginning of its keyed digest.
    Digest([u8; 16]),
}

/// For logs, which hold no addresses.
impl core::fmt::Debug for Subject {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Address(_) => "Address(…)",
            Self::Account(_) => "Account(…)",
            Self::Session(_) => "Session(…)",
            Self::Digest(_) => "Digest(…)",
        })
    }
}

/// As a key in a shared store: `account:acc_…`, `address:203.0.113.9`.
impl core::fmt::Display for Subject {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Session(session) => write!(f, "session:{session}"),
            Self::Digest(digest) => write!(f, "digest:{}", data_encoding::HEXLOWER.encode(digest)),
        }
    }
}

impl Subject {
    /// A client's address: an IPv4 address (also where it comes as IPv6), or the /64 network of an IPv6 one, within which a
    /// client has as many addresses as it likes.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                core::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Something that counts against one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The limit's name, for instance `log_in.address`.
    pub limit: &'static str,
    /// Whose.
    pub subject: Subject,
    /// How much there is.
    pub quota: Quota,
    /// How much is asked for.
    pub cost: u32,
    /// Whether nobody is let in while a count that all nodes share is out of reach; else each node counts for itself then.
    pub strict: bool,
}

/// A bucket after somebody asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its quota.
    pub quota: Quota,
    /// How long to wait until what was asked for is there; zero when it was.
    pub wait: Duration,
    /// How long until it is full.
    pub full_in: Duration,
}

impl Bucket {
    /// Whether it had too little.
    pub fn is_refused(&self) -> bool {
        !self.wait.is_zero()
    }

    /// How much is left.
    pub fn remaining(&self) -> u32 {
        let (capacity, each) = (self.quota.capacity(), self.quota.refill(1));
        let left = capacity.saturating_sub(self.full_in).as_micros() / each.as_micros().max(1);
        u32::try_from(left).unwrap_or(self.quota.burst)
    }

    /// The error of a refused one.
    ///
    /// # Errors
    /// [`LimitRefusal::Reached`] with when to come again.
    pub fn check(self) -> Result<Self> {
        if self.is_refused() { Err(Error::from(LimitRefusal::Reached).with_retry_after(self.wait)) } else { Ok(self) }
    }
}

/// Counts how often something happens, on one node or for all of them.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes from each bucket in order. The first that has too little ends it: what was taken from those before stays taken,
    /// those behind it are not touched. So what anybody may try at will stands first, and what belongs to somebody behind it.
    ///
    /// Answers with a bucket for each charge that was looked at; only the last can be refused.
    ///
    /// # Errors
    /// When nobody can say; the caller decides whether that lets in or not.
    async fn charge(&self, charges: &[Charge]) -> Result<Vec<Bucket>>;
}

impl dyn RateLimiter {
    /// Counts, and refuses when one of them was too much.
    ///
    /// # Errors
    /// [`LimitRefusal::Reached`] with when to come again; the limiter's.
    pub async fn admit(&self, charges: &[Charge]) -> Result<()> {
        self.charge(charges).await?.into_iter().try_for_each(|bucket| bucket.check().map(drop))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_then_an_even_flow() {
        let quota = Quota::a_minute(6);
        let mut full_at = 0;
        for left in (0..6).rev() {
            let (kept, bucket) = quota.take(full_at, 1_000_000, 1);
            assert_eq!((bucket.remaining(), bucket.is_refused()), (left, false));
            full_at = kept;
        }
        let (kept, refused) = quota.take(full_at, 1_000_000, 1);
        assert_eq!((kept, refused.wait, refused.remaining()), (full_at, Duration::from_secs(10), 0));
        let error = refused.check().unwrap_err();
        assert_eq!((error.refusal(), error.retry_after()), (Some(LimitRefusal::Reached), Some(refused.wait)));
        assert!(!quota.take(full_at, 11_000_000, 1).1.is_refused(), "coming when told is enough");
        assert!(quota.take(full_at, 10_999_999, 1).1.is_refused());
    }

    #[test]
    fn more_than_the_whole_is_the_whole() {
        let quota = Quota::a_minute(10);
        let (kept, bucket) = quota.take(0, 1, 1_000);
        assert_eq!((bucket.is_refused(), bucket.remaining()), (false, 0));
        assert!(quota.take(kept, 1, 1).1.is_refused());
    }

    #[test]
    fn uneven_quotas_hold_their_burst_and_huge_ones_do_not_overflow() {
        for text in ["7/90s", "3/1s", "4294967295/366d", "1/366d", "4294967295/1s"] {
            let quota: Quota = text.parse().unwrap();
            let (mut full_at, burst) = (0, quota.burst().min(100));
            for n in 1..=burst {
                let (kept, bucket) = quota.take(full_at, 1, 1);
                assert_eq!((bucket.is_refused(), bucket.remaining()), (false, quota.burst() - n), "{text}");
                full_at = kept;
            }
            let (_, all) = quota.take(0, 1, u32::MAX);
            assert_eq!((all.is_refused(), all.remaining(), all.full_in), (false, 0, quota.capacity()), "{text}");
            assert!(quota.capacity() < quota.period() + Duration::from_micros(quota.burst().into()));
        }
        let endless = Quota::new(u32::MAX, Duration::MAX);
        assert!(!endless.take(i64::MAX, i64::MAX - 1, 1).1.full_in.is_zero());
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_long() {
        let quota = Quota::a_minute(1);
        let (kept, _) = quota.take(0, 3_600_000_000, 1);
        assert_eq!(quota.take(kept, 0, 1).1.wait, Duration::from_mins(1));
    }

    #[test]
    fn nothing_at_all_is_no_quota() {
        assert_eq!(Quota::new(0, Duration::ZERO), Quota::new(1, Duration::from_millis(1)));
    }

    #[test]
    fn quotas_are_written_as_they_are_read() {
        for text in ["120/15m", "1/1s", "5/1h", "60000/1m", "200/1d", "7/90s", "4294967295/366d"] {
            assert_eq!(text.parse::<Quota>().unwrap().to_string(), text);
        }
        assert_eq!("24/24h".parse(), Ok(Quota::a_day(24)));
        for none in
            ["", "/", "5", "5/", "0/1m", "5/0s", "5/1y", "-5/1m", "5/m", "5/1.5h", "5/367d", "5/99999999999999999999d"]
        {
            assert_eq!(none.parse::<Quota>(), Err(QuotaError), "{none}");
        }
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let subject = |text: &str| Subject::address(text.parse().unwrap());
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::9"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
        assert_eq!(subject("::ffff:203.0.113.9"), subject("203.0.113.9"));
        assert_ne!(subject("203.0.113.9"), subject("203.0.113.8"));
    }

    proptest! {
        /// Whatever the pattern of asking, no span of time sees more than the burst and what flowed in meanwhile.
        #[test]
        fn never_more_than_the_quota(burst in 1..50_u32, ms in 1..10_000_u64, asks in prop::collection::vec((0..2_000_000_i64, 1..5_u32), 1..200)) {
            let quota = Quota::new(burst, Duration::from_millis(ms));
            let (mut full_at, mut now) = (0, 1_000);
            let mut granted: Vec<(i64, u32)> = Vec::new();
            for (pause, cost) in asks {
                now += pause;
                let (kept, bucket) = quota.take(full_at, now, cost);
                full_at = kept;
                if !bucket.is_refused() {
                    granted.push((now, cost.min(burst)));
                }
            }
            for (at, _) in &granted {
                let since: u64 = granted.iter().filter(|(then, _)| then >= at).map(|(_, cost)| u64::from(*cost)).sum();
                let span = u64::try_from(now - at).unwrap();
                let flowed = u64::from(burst) * span / (ms * 1_000);
                prop_assert!(since <= u64::from(burst) + flowed + 1, "{} in {} µs", since, span);
            }
        }

        /// Coming back when told is always early enough, and never earlier than needed.
        #[test]
        fn the_wait_is_exact(burst in 1..50_u32, ms in 1..10_000_u64, ahead in 0..20_000_000_i64, cost in 1..60_u32) {
            let quota = Quota::new(burst, Duration::from_millis(ms));
            let (kept, bucket) = quota.take(ahead, 0, cost);
            if bucket.is_refused() {
                let wait = i64::try_from(bucket.wait.as_micros()).unwrap();
                prop_assert!(!quota.take(kept, wait, cost).1.is_refused());
                prop_assert!(quota.take(kept, wait - 1, cost).1.is_refused());
            }
        }
    }
}
