//! Orthographic folding with an exact way back: [`fold()`] and [`fold_words`] give a [`Folded`] text, whose
//! [`Folded::original_range`] says which bytes of the original a match stands for.
//!
//! # The map
//! Most text folds byte for byte in step (an Arabic letter stays two bytes, a Latin one stays one), so the map is a list
//! of [`Segment`]s: either a stretch where folded and original advance together, or one grapheme that folds to something
//! of another shape (`أُ` → `ا`, `ﷲ` → `الله`) and is answered whole. Plain text needs one segment, whatever its length.
//! A grapheme that folds to nothing (a tatweel, a second space) belongs to no folded byte: it is part of a range only when
//! the range spans both its sides.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::letters::letter;

/// Folds Arabic and Latin spelling: one text for all the ways to write the same letters.
///
/// - hamza seats, alef forms and madda → ا و ي; alef maqsura → ي; taa marbuta → ه; Persian, Urdu and ornamental letters
///   → the Egyptian letter they look like
/// - diacritics, Quranic signs, tatweel, Latin accents, invisible characters: dropped
/// - Arabic-Indic and Persian digits → `0`–`9`; ، ؛ ؟ → `, ; ?`; typographic apostrophes → `'`
/// - presentation forms, ligatures, full-width and mathematical letters: by their compatibility decomposition
/// - upper case → lower case, every script; `ß æ ø ł …` → `ss ae o l …`
/// - white space: one space between words, none at the ends
///
/// Folding twice changes nothing more. Input that went through [`clean()`](super::clean()) is in NFC; of other input, marks of
/// scripts not named above are kept in the order in which they come.
///
/// ```
/// use daira_core::text::fold;
///
/// let folded = fold("مَكتبة  الإسكندريّة ٢٠٠٢ Café");
/// assert_eq!(folded.as_str(), "مكتبه الاسكندريه 2002 cafe");
/// ```
pub fn fold(text: &str) -> Folded {
    Builder::run(text, false)
}

/// Folds like [`fold()`] and keeps the words alone: punctuation, symbols and emoji become spaces, apostrophes vanish, and a
/// letter written three times or more is a letter drawn out (`لاااا`, `goooal`) and is written once.
///
/// ```
/// use daira_core::text::fold_words;
///
/// assert_eq!(fold_words("❤️ جوووول، يا أهلي!!").as_str(), "جول يا اهلي");
/// ```
pub fn fold_words(text: &str) -> Folded {
    Builder::run(text, true)
}

/// A folded text, and where each of its bytes came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    text: String,
    segments: Vec<Segment>,
}

/// A stretch of the folded text, up to the next segment's `folded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Where it begins in the folded text.
    folded: usize,
    /// Where it begins in the original.
    original: usize,
    /// 0: both advance byte for byte, and every character is a grapheme of its own. Else the length, in the original, of
    /// the one grapheme that the whole segment stands for.
    whole: usize,
}

impl Folded {
    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folded text alone, without its map.
    pub fn into_string(self) -> String {
        self.text
    }

    /// The bytes of the original that the bytes `folded` of the folded text stand for.
    ///
    /// Both ends lie between graphemes of the original: what touches part of a grapheme is given all of it. Ends beyond
    /// the text are taken as its end; an empty range between two characters gives an empty range.
    pub fn original_range(&self, folded: Range<usize>) -> Range<usize> {
        let start = floor_boundary(&self.text, folded.start);
        let end = ceil_boundary(&self.text, folded.end);
        if start >= end {
            let at = if start < self.text.len() { self.bounds_of(start).0 } else { self.bounds_of(start).1 };
            return at..at;
        }
        self.bounds_of(start).0..self.bounds_of(end - 1).1
    }

    /// Start and end, in the original, of the grapheme to which the folded byte `at` belongs; exact on the side where `at`
    /// is the first or the last byte of its character.
    fn bounds_of(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len().saturating_sub(1));
        let index = self.segments.partition_point(|segment| segment.folded <= at);
        match index.checked_sub(1).and_then(|index| self.segments.get(index)) {
            None => (0, 0),
            Some(segment) if segment.whole > 0 => (segment.original, segment.original + segment.whole),
            Some(segment) => {
                let original = segment.original + (at - segment.folded);
                (original, original + 1)
            }
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// Collects the folded text grapheme by grapheme.
struct Builder {
    text: String,
    segments: Vec<Segment>,
    words_only: bool,
    /// The length of the folded text that no character of the current grapheme has touched.
    untouched: usize,
    /// The last character written, and how many times in a row it came.
    run: (char, u32),
}

impl Builder {
    fn run(original: &str, words_only: bool) -> Folded {
        let mut builder = Self {
            text: String::with_capacity(original.len()),
            segments: Vec::new(),
            words_only,
            untouched: 0,
            run: (' ', 0),
        };
        let mut at = 0;
        while let Some(grapheme) = original.get(at..).and_then(first_grapheme) {
            builder.grapheme(grapheme, at);
            at += grapheme.len();
        }
        if builder.text.ends_with(' ') {
            builder.untouched = builder.text.len() - 1;
            builder.text.pop();
            builder.forget_touched_segments();
        }
        Folded { text: builder.text, segments: builder.segments }
    }

    fn grapheme(&mut self, grapheme: &str, original: usize) {
        self.untouched = self.text.len();
        for c in grapheme.chars() {
            letter(c, &mut |folded| self.write(folded));
        }
        self.forget_touched_segments();
        let written = self.text.get(self.untouched..).unwrap_or_default();
        if written.is_empty() {
            return;
        }
        let in_step = written.len() == grapheme.len() && is_one_char(written) && is_one_char(grapheme);
        let continues = in_step
            && self
                .segments
                .last()
                .is_some_and(|last| last.whole == 0 && last.original + (self.untouched - last.folded) == original);
        if !continues {
            let whole = if in_step { 0 } else { grapheme.len() };
            self.segments.push(Segment { folded: self.untouched, original, whole });
        }
    }

    fn write(&mut self, mut c: char) {
        if self.words_only && !c.is_alphanumeric() && !is_combining_mark(c) {
            if c == '\'' {
                return;
            }
            c = ' ';
        }
        if c == ' ' && (self.text.is_empty() || self.text.ends_with(' ')) {
            return;
        }
        self.run = (c, if self.run.0 == c { self.run.1.saturating_add(1) } else { 1 });
        if self.words_only && self.run.1 >= 3 && c.is_alphabetic() {
            if self.run.1 == 3 {
                self.text.pop();
                self.untouched = self.untouched.min(self.text.len());
            }
            return;
        }
        self.text.push(c);
    }

    /// Drops the segments of text that was taken back.
    fn forget_touched_segments(&mut self) {
        while self.segments.last().is_some_and(|last| last.folded >= self.untouched) {
            self.segments.pop();
        }
    }
}

/// The first grapheme cluster. Two ordinary characters in a row are always two graphemes, which spares most text the
/// look-up of break properties.
fn first_grapheme(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if is_ordinary(first) && chars.next().is_none_or(is_ordinary) {
        return text.get(..first.len_utf8());
    }
    text.graphemes(true).next()
}

/// Characters without any part in a grapheme rule of their own: printable ASCII, Arabic letters and digits.
fn is_ordinary(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{60C}' | '\u{61B}' | '\u{61F}'..='\u{64A}' | '\u{660}'..='\u{66F}' | '\u{671}'..='\u{6D5}')
}

fn is_one_char(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some() && chars.next().is_none()
}

#[cfg(test)]
mod tests;
