//! What people type, made safe to keep and possible to compare.
//!
//! Text arrives in two lives. The **original** is what its author wrote and what readers see: [`clean()`] brings it to
//! NFC, trims it, checks its length in grapheme clusters and refuses what could deceive a reader, and changes nothing
//! else. The **key** is what a machine compares: [`fold()`] erases the differences that Egyptians do not hear or do not
//! type (hamza seats, taa marbuta, diacritics, elongation strokes, digit shapes, Latin case and accents) and remembers
//! where each byte came from, so that a match in the folded text can be shown on the original.
//!
//! ```text
//! input ──clean──▶ original ──fold────────▶ Folded     (search, highlighting)
//!                     │
//!                     └──────entities──▶ mentions ──▶ Handle     (who is meant)
//!                                        hashtags ──▶ TagKey     (one key, many spellings)
//!                                        links
//! Folded or TagKey ──prefix_range──▶ lower and upper bound of a B-tree scan
//! ```
//!
//! Everything here is pure, total (no input makes it panic) and linear in its input.
//!
//! ```
//! use daira_core::text::{Bounds, TagKey, clean, entities, fold};
//!
//! let post = clean("  أهلاً يا @Salma.M من #الإسكندرية ", Bounds::paragraphs(1, 2_200))?;
//! assert_eq!(post, "أهلاً يا @Salma.M من #الإسكندرية");
//!
//! let found = entities(&post);
//! assert_eq!(found.handles()[0].as_str(), "salma.m");
//! assert_eq!(found.tags()[0], &TagKey::new("#اسكندريه")?);
//!
//! let folded = fold(&post);
//! let at = folded.as_str().find("اسكندريه").expect("the folded form");
//! let shown = folded.original_range(at..at + "اسكندريه".len());
//! assert_eq!(&post[shown], "إسكندرية");
//! # Ok::<(), daira_core::text::TextError>(())
//! ```

mod chars;
mod clean;
mod entity;
mod fold;
mod handle;
mod letters;
mod prefix;
#[cfg(test)]
mod samples;
mod tag;

use std::fmt;

pub use clean::{BYTES_PER_GRAPHEME, Bounds, MAX_MARKS, clean};
pub use entity::{Entities, Entity, EntityKind, MAX_HASHTAGS, MAX_LINK_BYTES, MAX_LINKS, MAX_MENTIONS, entities};
pub use fold::{Folded, fold, fold_words};
pub use handle::{Handle, MAX_HANDLE, MIN_HANDLE};
pub use prefix::prefix_range;
pub use tag::{MAX_TAG, TagKey};

/// Why a text, a handle or a hashtag was refused. Lengths are grapheme clusters unless a variant says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing a reader could see is left.
    Empty,
    /// Shorter than allowed.
    TooShort {
        /// The fewest graphemes allowed.
        min: usize,
        /// The graphemes found.
        actual: usize,
    },
    /// Longer than allowed.
    TooLong {
        /// The most graphemes allowed.
        max: usize,
        /// The graphemes found.
        actual: usize,
    },
    /// Few enough graphemes, but blown up with combining characters.
    TooManyBytes {
        /// The most bytes allowed.
        max: usize,
        /// The bytes found.
        actual: usize,
    },
    /// More than [`MAX_MARKS`] combining marks in a row.
    TooManyMarks {
        /// The most marks allowed in a row.
        max: usize,
    },
    /// A character that may not stand here.
    ForbiddenCharacter(char),
    /// A handle that begins or ends with a dot or holds two in a row.
    MisplacedDot,
    /// A handle or hashtag without a letter (a handle may do with a digit).
    NoLetter,
    /// A handle that is kept for the house, or reads like one that is.
    ReservedHandle,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the text is empty"),
            Self::TooShort { min, actual } => write!(f, "{actual} characters are fewer than the minimum of {min}"),
            Self::TooLong { max, actual } => write!(f, "{actual} characters are more than the maximum of {max}"),
            Self::TooManyBytes { max, actual } => write!(f, "{actual} bytes are more than the maximum of {max}"),
            Self::TooManyMarks { max } => write!(f, "more than {max} combining marks in a row"),
            // By number: the character itself may be invisible or turn the line around.
            Self::ForbiddenCharacter(c) => write!(f, "the character U+{:04X} is not allowed here", u32::from(c)),
            Self::MisplacedDot => f.write_str("a dot may stand only between two other characters"),
            Self::NoLetter => f.write_str("at least one letter is needed"),
            Self::ReservedHandle => f.write_str("the handle is reserved"),
        }
    }
}

impl std::error::Error for TextError {}
