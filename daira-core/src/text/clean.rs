//! The door for everything people write: [`clean()`] takes raw input and gives the text that is stored and shown.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::TextError;
use super::chars::{is_arabic, is_invisible, is_pictograph, is_right_to_left, is_virama};

/// Bytes a text may have for each grapheme it may have. A family emoji with skin tones takes 25 and more; no sentence
/// comes near it throughout.
pub const BYTES_PER_GRAPHEME: usize = 32;

/// Combining marks allowed in a row. Vocalised Arabic needs 3; stacks of dozens only spill over other people's posts.
pub const MAX_MARKS: usize = 16;

/// How long a text may be, in extended grapheme clusters (what readers count as one character), and whether it may
/// have more than one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The fewest graphemes; with 0 an empty text passes.
    pub min: usize,
    /// The most graphemes. The bytes are bounded too, by [`BYTES_PER_GRAPHEME`] for each.
    pub max: usize,
    /// Whether line breaks and tabs may stand in it.
    pub multiline: bool,
}

impl Bounds {
    /// One line, such as a name.
    pub const fn line(min: usize, max: usize) -> Self {
        Self { min, max, multiline: false }
    }

    /// Several lines, such as a post.
    pub const fn paragraphs(min: usize, max: usize) -> Self {
        Self { min, max, multiline: true }
    }
}

/// Brings `input` to NFC, trims white space at both ends and checks it. Cleaning twice changes nothing more.
///
/// # What is refused, and what passes
/// | characters | rule | why |
/// |---|---|---|
/// | control characters | refused; a [`Bounds::paragraphs`] text may hold `\n` and `\t`, and its `\r\n` is stored as `\n` | terminals, logs, line injection |
/// | U+2028, U+2029 | refused | line breaks that most code does not see |
/// | bidi embeddings, overrides, isolates (U+202A–202E, U+2066–2069) | refused | they can show a text in another order than it has, past its own end |
/// | U+206A–206F, U+FFF9–FFFB | refused | deprecated or internal formatting |
/// | LRM, RLM, ALM (U+200E, U+200F, U+061C) | pass in a text that holds a right-to-left character, else refused | Arabic keyboards insert them; alone they only nudge neighbouring punctuation |
/// | ZWNJ (U+200C) | passes after an Arabic-script character or a virama | Persian spelling, Indic conjuncts |
/// | ZWJ (U+200D) | the same, and after a pictograph | Arabic shaping (`ه‍`), emoji families |
/// | tag characters (U+E0020–E007F) | pass only behind a black flag (regional flags) | otherwise a channel for invisible text |
/// | other invisible characters (U+200B, soft hyphen, Hangul fillers …) | pass, but a text of nothing else is [`TextError::Empty`] | pasted text is full of them; a name must be visible |
///
/// # Errors
/// [`TextError::Empty`], [`TextError::TooShort`], [`TextError::TooLong`], [`TextError::TooManyBytes`],
/// [`TextError::TooManyMarks`] or [`TextError::ForbiddenCharacter`] with the first offender.
///
/// ```
/// use daira_core::text::{Bounds, TextError, clean};
///
/// assert_eq!(clean(" Cafe\u{301} ", Bounds::line(1, 4)).as_deref(), Ok("Café"));
/// assert_eq!(clean("invoice\u{202E}gpj.exe", Bounds::line(1, 50)), Err(TextError::ForbiddenCharacter('\u{202E}')));
/// ```
pub fn clean(input: &str, bounds: Bounds) -> Result<String, TextError> {
    let trimmed = input.trim();
    check_bytes(trimmed, bounds)?;
    let mut text = match is_nfc_quick(trimmed.chars()) {
        IsNormalized::Yes => trimmed.to_owned(),
        _ => trimmed.nfc().collect(),
    };
    if bounds.multiline && text.contains("\r\n") {
        text = text.replace("\r\n", "\n");
    }
    check_bytes(&text, bounds)?;
    check_characters(&text, bounds)?;
    if bounds.min > 0 && !text.chars().any(is_visible) {
        return Err(TextError::Empty);
    }
    let actual = text.graphemes(true).count();
    if actual < bounds.min {
        return Err(TextError::TooShort { min: bounds.min, actual });
    }
    if actual > bounds.max {
        return Err(TextError::TooLong { max: bounds.max, actual });
    }
    Ok(text)
}

/// Refuses by bytes; run before normalisation too, which is the expensive step.
fn check_bytes(text: &str, bounds: Bounds) -> Result<(), TextError> {
    let max = bounds.max.saturating_mul(BYTES_PER_GRAPHEME);
    if text.len() <= max {
        return Ok(());
    }
    let graphemes = text.graphemes(true).count();
    Err(if graphemes > bounds.max {
        TextError::TooLong { max: bounds.max, actual: graphemes }
    } else {
        TextError::TooManyBytes { max, actual: text.len() }
    })
}

fn check_characters(text: &str, bounds: Bounds) -> Result<(), TextError> {
    let mut right_to_left: Option<bool> = None;
    let mut before = None;
    let mut marks = 0_usize;
    for c in text.chars() {
        let allowed = match c {
            '\n' | '\t' => bounds.multiline,
            '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}' => {
                false
            }
            '\u{200E}' | '\u{200F}' | '\u{61C}' => {
                *right_to_left.get_or_insert_with(|| text.chars().any(is_right_to_left))
            }
            '\u{200C}' => before.is_some_and(|b| is_arabic(b) || is_virama(b)),
            '\u{200D}' => before.is_some_and(|b| is_arabic(b) || is_virama(b) || is_pictograph(b)),
            '\u{E0000}'..='\u{E007F}' => before.is_some_and(|b| matches!(b, '\u{1F3F4}' | '\u{E0020}'..='\u{E007E}')),
            _ => !c.is_control(),
        };
        if !allowed {
            return Err(TextError::ForbiddenCharacter(c));
        }
        marks = if is_combining_mark(c) || matches!(c, '\u{E0000}'..='\u{E007F}') { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Err(TextError::TooManyMarks { max: MAX_MARKS });
        }
        before = Some(c);
    }
    Ok(())
}

/// Whether a reader can see the character. U+2800 is the blank Braille pattern, a well-known way to an empty name.
fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !is_invisible(c) && !is_combining_mark(c) && c != '\u{2800}'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::fold;
    use crate::text::samples::{any_text, is_linear_on_hostile_text, typed_text};

    const NAME: Bounds = Bounds::line(1, 100);
    const POST: Bounds = Bounds::paragraphs(1, 2_200);

    #[test]
    fn keeps_the_original_but_for_nfc_and_trimming() {
        for kept in [
            "مُحَمَّد صلاح",
            "José  Ñandú",
            "x\u{200B}y",
            "سنة ١٩٥٢",
            "👩🏽‍👩🏽‍👧🏽‍👦🏽",
            "🇪🇬",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        ] {
            assert_eq!(clean(kept, NAME).as_deref(), Ok(kept));
            assert_eq!(clean(&format!("\u{3000} {kept}\n"), NAME).as_deref(), Ok(kept));
        }
        assert_eq!(clean("e\u{301}", NAME).as_deref(), Ok("é"));
        assert_eq!(clean("ا\u{653}", NAME).as_deref(), Ok("آ"));
        assert_eq!(clean("سطر\r\nتاني\tهنا\n", POST).as_deref(), Ok("سطر\nتاني\tهنا"));
    }

    #[test]
    fn counts_graphemes_and_bounds_bytes() {
        let family = "👩🏽‍👩🏽‍👧🏽";
        assert!(clean(&family.repeat(3), Bounds::line(3, 3)).is_ok());
        assert_eq!(clean(&family.repeat(4), Bounds::line(1, 3)), Err(TextError::TooLong { max: 3, actual: 4 }));
        assert_eq!(clean("مش", Bounds::line(3, 9)), Err(TextError::TooShort { min: 3, actual: 2 }));
        assert_eq!(clean(&"ب".repeat(2_200), POST).map(|text| text.len()), Ok(4_400));
        assert_eq!(clean(&"ب".repeat(2_201), POST), Err(TextError::TooLong { max: 2_200, actual: 2_201 }));
        assert_eq!(clean(&"x".repeat(1 << 20), POST), Err(TextError::TooLong { max: 2_200, actual: 1 << 20 }));
        let zalgo = format!("z{}", "\u{336}".repeat(17));
        assert_eq!(clean(&zalgo, NAME), Err(TextError::TooManyMarks { max: 16 }));
        assert_eq!(clean(&zalgo[..zalgo.len() - 2], NAME).as_deref(), Ok(&zalgo[..zalgo.len() - 2]));
        let one_grapheme = format!("z{}", "\u{336}".repeat(50_000));
        assert_eq!(clean(&one_grapheme, POST), Err(TextError::TooManyBytes { max: 70_400, actual: 100_001 }));
    }

    #[test]
    fn an_invisible_text_is_empty() {
        for blank in ["", " \u{A0}\n", "\u{3164}", "\u{2800}\u{2800}", "\u{200B}\u{FEFF}", "\u{AD}", "\u{301}"] {
            assert_eq!(clean(blank, NAME), Err(TextError::Empty), "{blank:?}");
        }
        assert_eq!(clean("  ", Bounds::line(0, 5)).as_deref(), Ok(""));
    }

    #[test]
    fn refuses_what_deceives() {
        let cases = [
            ("a\u{0}b", '\u{0}'),
            ("a\u{1B}[31m", '\u{1B}'),
            ("a\nb", '\n'),
            ("a\tb", '\t'),
            ("a\u{85}b", '\u{85}'),
            ("a\u{2028}b", '\u{2028}'),
            ("abc\u{202E}fed", '\u{202E}'),
            ("\u{202B}مصر\u{202C}", '\u{202B}'),
            ("مصر\u{2067}abc\u{2069}", '\u{2067}'),
            ("مصر\u{206A}", '\u{206A}'),
            ("only\u{200E} Latin", '\u{200E}'),
            ("pay\u{200D}pal", '\u{200D}'),
            ("pay\u{200C}pal", '\u{200C}'),
            ("👍\u{200C}", '\u{200C}'),
            ("👍\u{200D}\u{200D}👍", '\u{200D}'),
            ("hi\u{E0068}\u{E0069}", '\u{E0068}'),
        ];
        for (text, offender) in cases {
            assert_eq!(clean(text, NAME), Err(TextError::ForbiddenCharacter(offender)), "{text:?}");
        }
        assert_eq!(clean("a\rb", POST), Err(TextError::ForbiddenCharacter('\r')));
    }

    #[test]
    fn lets_arabic_and_emoji_have_their_joiners() {
        for text in
            ["می\u{200C}خواهم", "١٤٤٨ ه\u{200D}", "❤\u{FE0F}\u{200D}🔥", "قال\u{200F}: C++\u{200E}!", "क्\u{200D}ष"]
        {
            assert_eq!(clean(text, NAME).as_deref(), Ok(text));
        }
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        let roomy = Bounds::paragraphs(0, 1 << 21);
        is_linear_on_hostile_text(|text| drop(clean(text, roomy)));
        is_linear_on_hostile_text(|text| assert!(clean(text, NAME).is_err()));
    }

    proptest! {
        #[test]
        fn cleaning_does_not_change_the_folded_form(text in typed_text()) {
            if let Ok(cleaned) = clean(&text, Bounds::paragraphs(0, 500)) {
                prop_assert_eq!(fold(&cleaned).into_string(), fold(&text).into_string());
            }
        }

        #[test]
        fn cleaning_is_idempotent_and_total(text in any_text(), multiline: bool) {
            let bounds = Bounds { min: 0, max: 80, multiline };
            if let Ok(once) = clean(&text, bounds) {
                prop_assert_eq!(clean(&once, bounds), Ok(once.clone()));
                prop_assert!(once.graphemes(true).count() <= 80 && once.len() <= 80 * BYTES_PER_GRAPHEME);
                prop_assert!(unicode_normalization::is_nfc(&once));
            }
        }
    }
}
