//! Seals of the audit trail: a stretch of lines in, a tag over them and over the seal before out.
//!
//! Lines commit in any order and are never changed, so a seal names the ids that it covers instead of an end up to which it
//! covers all. Its tag takes a key that the store does not have: who owns the database alone can neither change what is sealed
//! nor make a chain anew.

use core::fmt;
use core::str::FromStr;

use jiff::civil::Date as CivilDate;
use jiff::tz::TimeZone;

use crate::secret::Key;
use crate::time::Timestamp;

/// A month of UTC: what the trail is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// A month that exists, or nothing.
    pub fn new(year: i16, month: i8) -> Option<Self> {
        CivilDate::new(year, month, 1).ok().map(|_| Self { year, month })
    }

    /// The one that an instant lies in.
    pub fn of(at: Timestamp) -> Self {
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::MAX);
        let date = TimeZone::UTC.to_datetime(instant).date();
        Self { year: date.year(), month: date.month() }
    }

    /// Year and month.
    pub fn parts(self) -> (i16, i8) {
        (self.year, self.month)
    }

    /// Whole months from another one to this one; negative when that one is later.
    pub fn since(self, earlier: Self) -> i32 {
        let count = |month: Self| i32::from(month.year) * 12 + i32::from(month.month);
        count(self) - count(earlier)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// Ids of lines as sorted stretches that do not touch, each from its first id to before its second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineIds(Vec<(i64, i64)>);

impl LineIds {
    /// Of ids in any order.
    pub fn of(ids: impl IntoIterator<Item = i64>) -> Self {
        let mut ids: Vec<i64> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for id in ids {
            match stretches.last_mut() {
                Some((_, end)) if *end == id => *end = id + 1,
                _ => stretches.push((id, id + 1)),
            }
        }
        Self(stretches)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an id is among them.
    pub fn contains(&self, id: i64) -> bool {
        let next = self.0.partition_point(|(from, _)| *from <= id);
        next.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, end)| id < *end)
    }

    /// The last of them.
    pub fn last(&self) -> Option<i64> {
        self.0.last().map(|(_, end)| end - 1)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().flat_map(|(from, end)| *from..*end)
    }
}

/// The form that `PostgreSQL` writes its multiranges in, for instance `{[1,5),[7,8)}`.
impl fmt::Display for LineIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, (from, end)) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}[{from},{end})")?;
        }
        f.write_str("}")
    }
}

/// A text that is no list of stretches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLineIds;

impl fmt::Display for NoLineIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no list of stretches of ids")
    }
}

impl core::error::Error for NoLineIds {}

impl FromStr for LineIds {
    type Err = NoLineIds;

    fn from_str(text: &str) -> Result<Self, NoLineIds> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or(NoLineIds)?;
        let mut stretches = Vec::new();
        for stretch in inner.split_terminator(')') {
            let (from, end) =
                stretch.trim_start_matches(',').strip_prefix('[').and_then(|s| s.split_once(',')).ok_or(NoLineIds)?;
            stretches.push((from.parse().map_err(|_| NoLineIds)?, end.parse().map_err(|_| NoLineIds)?));
        }
        Ok(Self(stretches))
    }
}

/// A line of the audit trail as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number; numbers are not dense.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub action: String,
    /// Raw id of what it was done to.
    pub subject: i64,
    /// Further codes.
    pub detail: String,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its number: the one before plus one.
    pub n: i64,
    /// When it was made.
    pub at: Timestamp,
    /// The month whose lines it covers.
    pub month: Month,
    /// Which lines; none says that the month was let go.
    pub ids: LineIds,
    /// How many they are.
    pub lines: u32,
    /// The digest of the lines.
    pub digest: [u8; 32],
    /// The tag of the seal before; zeros before the first.
    pub before: [u8; 32],
    /// The tag over all of this.
    pub tag: [u8; 32],
}

impl Seal {
    /// Seals lines of one month after the seal before. No lines at all let the month go.
    pub fn new(key: &Key, before: Option<&Self>, at: Timestamp, month: Month, lines: &[AuditLine]) -> Self {
        let unsealed = Self {
            n: before.map_or(1, |seal| seal.n + 1),
            at,
            month,
            ids: LineIds::of(lines.iter().map(|line| line.id)),
            lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            digest: digest(key, lines),
            before: before.map_or([0; 32], |seal| seal.tag),
            tag: [0; 32],
        };
        Self { tag: key.tag(&unsealed.parts().each_ref().map(Vec::as_slice)), ..unsealed }
    }

    /// Whether it is one of ours, unchanged.
    pub fn is_sound(&self, key: &Key) -> bool {
        key.verify(&self.parts().each_ref().map(Vec::as_slice), &self.tag)
    }

    /// Whether these are the lines that it covers, unchanged.
    pub fn covers(&self, key: &Key, lines: &[AuditLine]) -> bool {
        digest(key, lines) == self.digest
    }

    /// Whether it says that its month was let go.
    pub fn lets_go(&self) -> bool {
        self.ids.is_empty()
    }

    fn parts(&self) -> [Vec<u8>; 7] {
        [
            self.n.to_be_bytes().to_vec(),
            self.at.as_micros().to_be_bytes().to_vec(),
            self.month.to_string().into_bytes(),
            self.ids.to_string().into_bytes(),
            self.lines.to_be_bytes().to_vec(),
            self.digest.to_vec(),
            self.before.to_vec(),
        ]
    }
}

/// One line after the other, so that neither their order nor a border between them can be moved.
fn digest(key: &Key, lines: &[AuditLine]) -> [u8; 32] {
    lines.iter().fold([0; 32], |so_far, line| {
        key.tag(&[
            b"line",
            &so_far,
            &line.id.to_be_bytes(),
            &line.at.as_micros().to_be_bytes(),
            line.who.as_bytes(),
            line.action.as_bytes(),
            &line.subject.to_be_bytes(),
            line.detail.as_bytes(),
        ])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(id: i64) -> AuditLine {
        AuditLine {
            id,
            at: Timestamp::from_seconds(1_795_000_000 + id),
            who: "system:test".to_owned(),
            action: "test.done".to_owned(),
            subject: 7,
            detail: "code".to_owned(),
        }
    }

    #[test]
    fn a_seal_notices_every_change() {
        let key = &Key::new([7; 32]);
        let (month, at) = (Month::new(2026, 11).unwrap(), Timestamp::from_seconds(1_795_000_100));
        let lines = [line(3), line(4), line(9)];
        let first = Seal::new(key, None, at, month, &lines);
        let second = Seal::new(key, Some(&first), at, month, &[line(10)]);
        assert!(first.is_sound(key) && second.is_sound(key) && first.covers(key, &lines));
        assert_eq!((second.n, second.before, first.ids.to_string().as_str()), (2, first.tag, "{[3,5),[9,10)}"));
        let other = |change: fn(&mut AuditLine)| {
            let mut lines = lines.clone();
            change(&mut lines[1]);
            lines
        };
        for changed in [
            other(|l| l.id += 1),
            other(|l| l.at = Timestamp::EPOCH),
            other(|l| l.who.push('x')),
            other(|l| l.action.push('x')),
            other(|l| l.subject += 1),
            other(|l| l.detail.clear()),
            other(|l| (l.who, l.action) = ("system:testt".to_owned(), "est.done".to_owned())),
            [line(4), line(3), line(9)],
        ] {
            assert!(!first.covers(key, &changed), "{changed:?}");
        }
        assert!(!first.covers(key, &lines[..2]));
        for forged in [
            Seal { n: 2, ..first.clone() },
            Seal { at: Timestamp::EPOCH, ..first.clone() },
            Seal { month: Month::new(2026, 10).unwrap(), ..first.clone() },
            Seal { ids: LineIds::of([3, 4]), ..first.clone() },
            Seal { lines: 2, ..first.clone() },
            Seal { digest: [1; 32], ..first.clone() },
            Seal { before: [1; 32], ..first.clone() },
            Seal::new(&Key::new([8; 32]), None, at, month, &lines),
        ] {
            assert!(!forged.is_sound(key), "{forged:?}");
        }
    }

    #[test]
    fn months_are_those_of_utc() {
        let month = |text| Month::of(Timestamp::parse(text).unwrap()).to_string();
        assert_eq!(month("2026-11-30T23:59:59.999999Z"), "2026-11");
        assert_eq!(month("2026-12-01T00:00:00Z"), "2026-12");
        assert_eq!(Month::new(2027, 2).unwrap().since(Month::new(2026, 11).unwrap()), 3);
        assert_eq!(Month::new(2026, 13), None);
    }

    proptest! {
        #[test]
        fn stretches_are_the_ids(ids in proptest::collection::btree_set(-50_i64..50, 0..40)) {
            let stretches = LineIds::of(ids.iter().copied().rev());
            prop_assert_eq!(stretches.iter().collect::<Vec<_>>(), ids.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(stretches.to_string().parse::<LineIds>(), Ok(stretches.clone()));
            for id in -60..60 {
                prop_assert_eq!(stretches.contains(id), ids.contains(&id));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = text.parse::<LineIds>();
        }
    }
}
