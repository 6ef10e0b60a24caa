//! Time: whole microseconds UTC, taken only from a [`Clock`](crate::port::Clock), and the days of Cairo.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

use jiff::tz::TimeZone;

/// An instant: whole microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The wall clock of Cairo at this instant, daylight saving included.
    pub fn in_cairo(self) -> CairoTime {
        // The zone ships inside the library; were it missing, Egypt's standard offset is the honest fallback.
        let zone = TimeZone::get("Africa/Cairo").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(2)));
        let local = self.to_jiff().to_zoned_datetime(zone);
        CairoTime {
            year: local.year(),
            month: local.month().unsigned_abs(),
            day: local.day().unsigned_abs(),
            hour: local.hour().unsigned_abs(),
            weekday: local.weekday().to_sunday_zero_offset().unsigned_abs(),
        }
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// Reads RFC 3339, for instance `2026-11-23T20:15:00.000001Z`.
    ///
    /// # Errors
    /// When the text is no such instant.
    pub fn parse(text: &str) -> Result<Self, ParseTimeError> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_microsecond())).map_err(|_| ParseTimeError)
    }
}

/// A text that is not an RFC 3339 instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseTimeError;

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 instant")
    }
}

impl core::error::Error for ParseTimeError {}

/// A wall-clock reading in Cairo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CairoTime {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The day of the week, 0 (Sunday) to 6 (Saturday).
    pub weekday: u8,
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_jiff(), f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A calendar date, such as a birthday: no time, no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: i16,
    month: u8,
    day: u8,
}

impl Date {
    /// A date that exists in the Gregorian calendar, or nothing.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        Some(Self { year, month, day })
    }

    /// Reads `2001-09-30`.
    pub fn parse(text: &str) -> Option<Self> {
        let date: jiff::civil::Date = text.parse().ok()?;
        Self::new(date.year(), date.month().unsigned_abs(), date.day().unsigned_abs())
    }

    /// Year, month and day.
    pub fn parts(self) -> (i16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Completed years at an instant, by Cairo's calendar; negative for a date to come.
    pub fn age_at(self, at: Timestamp) -> i32 {
        let today = at.in_cairo();
        let had_birthday = (today.month, today.day) >= (self.month, self.day);
        i32::from(today.year) - i32::from(self.year) - i32::from(!had_birthday)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_to_the_microsecond() {
        let at = Timestamp::parse("2026-11-23T20:15:00.000001Z").unwrap();
        assert_eq!(Timestamp::parse(&at.to_string()).unwrap(), at);
    }

    #[test]
    fn cairo_has_summer_time() {
        assert_eq!(Timestamp::parse("2026-07-01T12:00:00Z").unwrap().in_cairo().hour, 15);
        assert_eq!(Timestamp::parse("2026-12-01T12:00:00Z").unwrap().in_cairo().hour, 14);
    }

    #[test]
    fn age_turns_on_the_birthday_in_cairo() {
        let born = Date::new(2013, 11, 24).unwrap();
        assert_eq!(born.age_at(Timestamp::parse("2026-11-23T21:00:00Z").unwrap()), 12);
        assert_eq!(born.age_at(Timestamp::parse("2026-11-23T22:30:00Z").unwrap()), 13);
        assert!(Date::new(2026, 2, 29).is_none());
    }

    #[test]
    fn extremes_do_not_panic() {
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            let _ = (at.to_string(), at.in_cairo(), at + Duration::MAX, at - Duration::MAX);
        }
    }
}
