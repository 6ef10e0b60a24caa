//! Identities: 64-bit numbers that say when a thing was born and which logical shard owns it.
//!
//! Layout, from the highest bit: one zero, 41 bits of milliseconds since 2025-01-01T00:00:00Z, 10 bits of the owner's
//! shard, 12 bits that start at random in each millisecond. A profile draws its shard at birth and everything it owns
//! copies it, so an id finds its shard without a directory. Nothing guarantees uniqueness but the primary key: a
//! collision re-runs the unit of work.
//!
//! In Postgres an id is a `bigint`; everywhere a client can see it, it is a prefix and thirteen Crockford base32
//! digits: `pst_0c5h2m9k1v3q8`. Parsing is strict: one spelling per id.

use core::fmt;
use core::str::FromStr;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::time::Timestamp;

/// A map by ids. Nobody outside chooses ids, so it hashes fast rather than against attacks.
pub type IdMap<K, V> = HashMap<K, V, RandomState>;

/// A set of ids, likewise.
pub type IdSet<K> = HashSet<K, RandomState>;

/// Milliseconds between the Unix epoch and the first instant an id can name, 2025-01-01T00:00:00Z.
pub const EPOCH_MS: i64 = 1_735_689_600_000;
const SHARD_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED: usize = 13;

/// The logical shard of an owner, `0..1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u16);

impl Shard {
    /// How many logical shards there are.
    pub const COUNT: u16 = 1 << SHARD_BITS;

    /// The shard that a random number falls on.
    pub fn from_random(random: u16) -> Self {
        Self(random % Self::COUNT)
    }

    /// The shard's number.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// Puts an id together; `sequence` keeps its low twelve bits. Instants before the epoch count as the epoch.
pub fn compose(at: Timestamp, shard: Shard, sequence: u16) -> i64 {
    let ms = (at.as_micros() / 1000 - EPOCH_MS).clamp(0, (1 << 41) - 1);
    (ms << (SHARD_BITS + SEQUENCE_BITS)) | (i64::from(shard.0) << SEQUENCE_BITS) | i64::from(sequence & 0x0fff)
}

/// The smallest id that an instant can have: the bound that turns a time into a range of ids.
pub fn floor(at: Timestamp) -> i64 {
    compose(at, Shard(0), 0)
}

fn encode(raw: i64) -> [u8; ENCODED] {
    let mut out = [b'0'; ENCODED];
    let mut rest = raw.cast_unsigned();
    for slot in out.iter_mut().rev() {
        *slot = DIGITS.get((rest & 31) as usize).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    out
}

fn decode(text: &str) -> Option<i64> {
    if text.len() != ENCODED {
        return None;
    }
    let mut value: u64 = 0;
    for byte in text.bytes() {
        let digit = DIGITS.iter().position(|d| *d == byte)? as u64;
        value = value.checked_mul(32)?.checked_add(digit)?;
    }
    i64::try_from(value).ok()
}

/// A text that is not the public form of the wanted kind of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseIdError {
    /// The prefix that was wanted, without the underscore.
    pub expected: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an id of the form {}_ and thirteen base32 digits", self.expected)
    }
}

impl core::error::Error for ParseIdError {}

/// What every typed id can do.
pub trait Id: Copy + Eq + Ord + core::hash::Hash + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The prefix of the public form, without the underscore.
    const PREFIX: &'static str;
    /// Takes a stored number at its word.
    fn from_raw(raw: i64) -> Self;
    /// The number as it is stored.
    fn raw(self) -> i64;
    /// When the thing was born, to the millisecond.
    fn at(self) -> Timestamp {
        Timestamp::from_micros(((self.raw() >> (SHARD_BITS + SEQUENCE_BITS)) + EPOCH_MS) * 1000)
    }
    /// The owner's shard.
    fn shard(self) -> Shard {
        Shard(u16::try_from((self.raw() >> SEQUENCE_BITS) & 0x3ff).unwrap_or_default())
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(i64);

            impl Id for $name {
                const PREFIX: &'static str = $prefix;
                fn from_raw(raw: i64) -> Self { Self(raw) }
                fn raw(self) -> i64 { self.0 }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!($prefix, "_"))?;
                    f.write_str(core::str::from_utf8(&encode(self.0)).unwrap_or_default())
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
            }

            impl FromStr for $name {
                type Err = ParseIdError;
                fn from_str(text: &str) -> core::result::Result<Self, ParseIdError> {
                    text.strip_prefix(concat!($prefix, "_")).and_then(decode).map(Self)
                        .ok_or(ParseIdError { expected: $prefix })
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, s: S) -> core::result::Result<S::Ok, S::Error> {
                    s.collect_str(self)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(d: D) -> core::result::Result<Self, D::Error> {
                    <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
                }
            }
        )*

        /// Every prefix in use, in alphabetical order of the types.
        pub const PREFIXES: &[(&str, &str)] = &[$((stringify!($name), $prefix)),*];
    };
}

// Append-only and alphabetical: a prefix, once given, never means anything else.
ids! {
    /// The private root of a person: login, sessions, limits. Never leaves the server.
    AccountId = "acc";
    /// An app of somebody else's.
    AppId = "app";
    /// A breach of personal data.
    BreachId = "bch";
    /// One proof that a person was asked for, such as an e-mail code.
    ChallengeId = "chl";
    /// A named circle of people.
    CircleId = "cir";
    /// A comment.
    CommentId = "cmt";
    /// Everything about a person, on its way to them.
    ExportId = "exp";
    /// A frozen home feed that its pages are cut from.
    FeedSessionId = "fss";
    /// An uploaded picture.
    MediaId = "med";
    /// A passkey.
    PasskeyId = "psk";
    /// A post.
    PostId = "pst";
    /// A public face of a person.
    ProfileId = "prf";
    /// A logged-in device of one profile.
    SessionId = "ses";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_come_back_and_spelling_is_unique() {
        let at = Timestamp::from_micros(1_800_000_000_123_000);
        let id = PostId::from_raw(compose(at, Shard::from_random(777), 0xabc));
        assert_eq!(id.at(), at);
        assert_eq!(id.shard().get(), 777);
        let text = id.to_string();
        assert_eq!(text.parse::<PostId>().unwrap(), id);
        assert!(text.to_uppercase().parse::<PostId>().is_err(), "one spelling only");
        assert!(text.parse::<ProfileId>().is_err(), "the prefix is part of the type");
    }

    #[test]
    fn prefixes_are_alphabetical_and_distinct() {
        assert!(PREFIXES.windows(2).all(|w| w[0].0 < w[1].0));
        let mut prefixes: Vec<_> = PREFIXES.iter().map(|p| p.1).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), PREFIXES.len());
    }

    proptest! {
        #[test]
        fn any_positive_number_survives(raw in 0..i64::MAX) {
            let id = CommentId::from_raw(raw);
            prop_assert_eq!(id.to_string().parse::<CommentId>().unwrap(), id);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<PostId>();
        }

        #[test]
        fn order_of_text_is_order_of_time(a in 0..i64::MAX, b in 0..i64::MAX) {
            prop_assert_eq!(a < b, PostId::from_raw(a).to_string() < PostId::from_raw(b).to_string());
        }
    }
}
