//! Classes of characters that several text rules share. A `char` in, a yes or no out.

use unicode_normalization::char::canonical_combining_class;

/// Whether the character draws nothing by itself: Unicode's `Default_Ignorable_Code_Point`, the interlinear annotation
/// controls and every control character that is not white space.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !c.is_whitespace())
}

/// Whether the character belongs to the Arabic script: letters, marks, digits, punctuation, presentation forms.
pub(super) fn is_arabic(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{61B}' | '\u{61D}'..='\u{6FF}' | '\u{750}'..='\u{77F}' | '\u{870}'..='\u{8FF}'
        | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

/// Whether the character belongs to a script that is written from right to left.
pub(super) fn is_right_to_left(c: char) -> bool {
    is_arabic(c)
        || matches!(c,
            '\u{590}'..='\u{5FF}' | '\u{700}'..='\u{86F}' | '\u{FB1D}'..='\u{FB4F}'
            | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Whether an emoji sequence may go on after this character: pictographs, skin tones, the emoji variation selector.
pub(super) fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{2BFF}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Whether the character is a virama, the sign after which Indic scripts steer a conjunct with a joiner.
pub(super) fn is_virama(c: char) -> bool {
    canonical_combining_class(c) == 9
}

/// Zero-width joiner or non-joiner.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}
