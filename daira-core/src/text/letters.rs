//! The one table behind folding: what each single character becomes.
//!
//! [`letter`] works on one character at a time and knows nothing of its neighbours, so folding a text is folding its
//! characters one after the other. That is why folding is linear, why folding twice changes nothing more, and why a test
//! can try it on every character there is.
//!
//! Arabic letters fold to the 28 letters of an Egyptian keyboard. Where another language's letter has a sound of its own,
//! its **look** decides, because in Egypt these letters are typed for looks (`عليگم`, `حبيبگ`, `ۆالله`) or come from a
//! foreign keyboard (`کتاب`, `علی`): گ is therefore ك and not ج. The two that Egyptians do write for a sound follow the
//! plain spelling beside which they live: چ → ج (`چاكت`), ڤ → ف (`ڤيديو`); likewise پ → ب.
//! A hamza that sits on a letter goes; a hamza on the line (ء) is a letter and stays.

use unicode_normalization::char::{decompose_canonical, decompose_compatible};

use super::chars::is_invisible;

/// Hands `emit` the folded form of `c`: nothing, one character or several. Every white space comes out as `' '`.
pub(super) fn letter(c: char, emit: &mut impl FnMut(char)) {
    match c {
        '\0'..='\u{7F}' | '\u{621}'..='\u{6D3}' => plain(c, emit),
        _ if c.is_whitespace() => emit(' '),
        _ if is_spacing_mark_form(c) => {}
        _ => {
            let mut parts = 0;
            let mut accent = false;
            decompose_compatible(c, |part| {
                // `´` would become a space and an accent; it is punctuation and stays what it is.
                accent |= parts == 0 && part == ' ';
                parts += 1;
                if !accent {
                    plain(part, emit);
                }
            });
            if accent {
                decompose_canonical(c, |part| plain(part, emit));
            }
        }
    }
}

/// Folds a character that has no decomposition left.
fn plain(c: char, emit: &mut impl FnMut(char)) {
    match c {
        // Most of what is written here: letters that no other rule is about.
        'a'..='z' => emit(c),
        '\u{621}'..='\u{63F}' | '\u{641}'..='\u{64A}' => emit(arabic(c)),
        'A'..='Z' => emit(c.to_ascii_lowercase()),
        _ if c.is_whitespace() => emit(' '),
        '!'..='~' => emit(c),
        _ if is_dropped(c) => {}
        '\u{60C}'..='\u{6FF}' => emit(arabic(c)),
        _ => match latin(c) {
            "" => c.to_lowercase().for_each(emit),
            several => several.chars().for_each(emit),
        },
    }
}

/// Marks and signs that a reader can do without: accents of Latin, Greek and Cyrillic; Arabic vowels, hamzas that sit on
/// a letter, tatweel, number signs, Quranic annotation; and everything invisible.
fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
        | '\u{600}'..='\u{605}' | '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{674}'
        | '\u{6D6}'..='\u{6ED}' | '\u{890}'..='\u{891}' | '\u{897}'..='\u{89F}' | '\u{8CA}'..='\u{8FF}' | '\u{10EFC}'..='\u{10EFF}')
        || is_invisible(c)
}

/// Arabic presentation forms of a vowel mark standing alone.
fn is_spacing_mark_form(c: char) -> bool {
    matches!(c, '\u{FC5E}'..='\u{FC63}' | '\u{FE70}'..='\u{FE7F}')
}

/// Letters, digits and punctuation of the Arabic block, by the nearest Egyptian letter.
fn arabic(c: char) -> char {
    match c {
        '\u{622}' | '\u{623}' | '\u{625}' | '\u{671}'..='\u{673}' | '\u{675}' => '\u{627}', // آ أ إ ٱ ٲ ٳ ٵ → ا
        '\u{66E}' | '\u{67B}' | '\u{67E}' | '\u{680}' => '\u{628}',                         // ٮ ٻ پ ڀ → ب
        '\u{679}' | '\u{67A}' | '\u{67C}' | '\u{67D}' => '\u{62A}',                         // ٹ ٺ ټ ٽ → ت
        '\u{67F}' => '\u{62B}',                                                             // ٿ → ث
        '\u{683}' | '\u{684}' | '\u{686}' | '\u{687}' | '\u{6BF}' => '\u{62C}',             // ڃ ڄ چ ڇ ڿ → ج
        '\u{681}' | '\u{682}' => '\u{62D}',                                                 // ځ ڂ → ح
        '\u{685}' => '\u{62E}',                                                             // څ → خ
        '\u{688}'..='\u{68B}' | '\u{68D}' | '\u{6EE}' => '\u{62F}',                         // ڈ ډ ڊ ڋ ڍ ۮ → د
        '\u{68C}' | '\u{68E}'..='\u{690}' => '\u{630}',                                     // ڌ ڎ ڏ ڐ → ذ
        '\u{691}'..='\u{696}' | '\u{6EF}' => '\u{631}',                                     // ڑ ڒ ړ ڔ ڕ ږ ۯ → ر
        '\u{697}'..='\u{699}' => '\u{632}',                                                 // ڗ ژ ڙ → ز
        '\u{69A}' | '\u{69B}' => '\u{633}',                                                 // ښ ڛ → س
        '\u{69C}' | '\u{6FA}' => '\u{634}',                                                 // ڜ ۺ → ش
        '\u{69D}' => '\u{635}',                                                             // ڝ → ص
        '\u{69E}' | '\u{6FB}' => '\u{636}',                                                 // ڞ ۻ → ض
        '\u{69F}' => '\u{637}',                                                             // ڟ → ط
        '\u{6A0}' | '\u{6FC}' => '\u{63A}',                                                 // ڠ ۼ → غ
        '\u{6A1}'..='\u{6A6}' => '\u{641}',                                                 // ڡ ڢ ڣ ڤ ڥ ڦ → ف
        '\u{66F}' | '\u{6A7}' | '\u{6A8}' => '\u{642}',                                     // ٯ ڧ ڨ → ق
        '\u{63B}' | '\u{63C}' | '\u{6A9}'..='\u{6B4}' => '\u{643}', // ػ ؼ ک ڪ ګ ڬ ڭ ڮ گ ڰ ڱ ڲ ڳ ڴ → ك
        '\u{6B5}'..='\u{6B8}' => '\u{644}',                         // ڵ ڶ ڷ ڸ → ل
        '\u{6FE}' => '\u{645}',                                     // ۾ → م
        '\u{6B9}'..='\u{6BD}' => '\u{646}',                         // ڹ ں ڻ ڼ ڽ → ن
        // ة ھ ہ ۃ ە ۿ, and with hamza ۀ ۂ → ه
        '\u{629}' | '\u{6BE}' | '\u{6C0}'..='\u{6C3}' | '\u{6D5}' | '\u{6FF}' => '\u{647}',
        // ؤ ۄ ۅ ۆ ۇ ۈ ۉ ۊ ۋ ۏ, and with high hamza ٶ ٷ → و
        '\u{624}' | '\u{676}' | '\u{677}' | '\u{6C4}'..='\u{6CB}' | '\u{6CF}' => '\u{648}',
        // ئ ى ؠ ؽ ؾ ؿ ی ۍ ێ ې ۑ ے ۓ ٸ → ي
        '\u{620}'
        | '\u{626}'
        | '\u{63D}'..='\u{63F}'
        | '\u{649}'
        | '\u{678}'
        | '\u{6CC}'..='\u{6CE}'
        | '\u{6D0}'..='\u{6D3}' => '\u{64A}',
        '\u{660}'..='\u{669}' => digit(u32::from(c) - 0x660),
        '\u{6F0}'..='\u{6F9}' => digit(u32::from(c) - 0x6F0),
        '\u{60C}' | '\u{66C}' => ',',
        '\u{61B}' => ';',
        '\u{61F}' => '?',
        '\u{66A}' => '%',
        '\u{66B}' | '\u{6D4}' => '.',
        '\u{66D}' => '*',
        _ => c,
    }
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

/// Letters whose folded form no decomposition gives, and the apostrophes of Arabizi (`3'`, `7’`); `""` for the others.
fn latin(c: char) -> &'static str {
    match c {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'þ' | 'Þ' => "th",
        'ł' | 'Ł' => "l",
        'ħ' | 'Ħ' => "h",
        'ŋ' | 'Ŋ' => "n",
        'ŧ' | 'Ŧ' => "t",
        'ı' => "i",
        'ς' => "σ",
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2BB}' | '\u{2BC}' | '\u{2BE}' | '\u{2BF}' => "'",
        _ => "",
    }
}
