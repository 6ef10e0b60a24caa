//! What folding does to spellings, and that its map always leads back.

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;
use crate::text::samples::{any_text, is_linear_on_hostile_text, typed_text};

fn folds(cases: &[(&str, &str)]) {
    for (text, folded) in cases {
        assert_eq!(fold(text).as_str(), *folded, "{text:?}");
    }
}

#[test]
fn arabic_spelling() {
    folds(&[
        ("أحمد إبراهيم آدم ٱلله", "احمد ابراهيم ادم الله"),
        ("مسؤول شاطئ رؤيا هيئة", "مسوول شاطي رويا هييه"),
        ("على موسى فتاة مدرسة", "علي موسي فتاه مدرسه"),
        ("شيء ماء ءامنة", "شيء ماء ءامنه"),
        ("مُحَمَّدٌ رَسُولُ ٱللَّهِ", "محمد رسول الله"),
        ("ذٰلك ٱلْكِتَٰبُ ۖ لَا رَيْبَ ۛ فِيهِ ۝", "ذلك الكتب لا ريب فيه"),
        ("جمـــــيل", "جميل"),
        ("کتاب علی گلاس حبيبگ", "كتاب علي كلاس حبيبك"),
        ("ڤيديو چاكت پيتزا ژاكت ۀ ە ہ ھ ې ے ۆ", "فيديو جاكت بيتزا زاكت ه ه ه ه ي ي و"),
        ("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹ ٪٥٠ ٣٫١٤", "0123456789 0123456789 %50 3.14"),
        ("إزيك؟ تمام، الحمد لله؛", "ازيك? تمام, الحمد لله;"),
        ("ا\u{653} ا\u{654} ا\u{655} و\u{654} ي\u{654} ى\u{654}", "ا ا ا و ي ي"),
    ]);
}

#[test]
fn presentation_forms_and_ligatures() {
    folds(&[
        ("ﻣﺼﺮ ﺃﻡ ﺍﻟﺪﻧﻴﺎ", "مصر ام الدنيا"),
        ("ﻻ ﻷ ﻹ ﻵ ﻼ", "لا لا لا لا لا"),
        ("ﷲ ﷳ ﷴ ﷺ", "الله اكبر محمد صلي الله عليه وسلم"),
        ("ﭖ ﭺ ﮎ ﮒ ﯾ ﯽ", "ب ج ك ك ي ي"),
        ("ا\u{FE70}\u{FC60}ب", "اب"),
    ]);
}

#[test]
fn latin_and_the_rest() {
    folds(&[
        ("ÉCOLE Straße Ærø Łódź İstanbul ıI", "ecole strasse aero lodz istanbul ii"),
        ("ＡＢＣ　１２３！", "abc 123!"),
        ("𝓜𝓪𝓼𝓻 ⓜⓐⓢⓡ ﬁ", "masr masr fi"),
        ("3’ada 7ʼob", "3'ada 7'ob"),
        ("ΟΔΟΣ οδος ЙОД", "οδοσ οδοσ иод"),
        ("a\u{200B}b\u{AD}c\u{FEFF}d\u{200F}", "abcd"),
        ("\u{FEFF} \t a \r\n\u{3000} b \u{2028}", "a b"),
        ("´ ¨ 👍🏽 🇪🇬", "´ ¨ 👍🏽 🇪🇬"),
    ]);
}

#[test]
fn words_alone() {
    for (text, folded) in [
        ("goooooal!!!", "goal"),
        ("صبااااح الخييير", "صباح الخير"),
        ("ههههههههه", "ه"),
        ("مصر،أسوان ❤️", "مصر اسوان"),
        ("book ١٠٠٠ 3'ada snake_case", "book 1000 3ada snake case"),
        ("aa'a b", "a b"),
        ("ไม่ ได้", "ไม่ ได้"),
        ("?!", ""),
    ] {
        assert_eq!(fold_words(text).as_str(), fold(folded).as_str(), "{text:?}");
    }
}

#[test]
fn shows_matches_on_the_original() {
    let cases = [
        ("زار مَكتَبة الإسكندريّة", "مكتبه", "مَكتَبة"),
        ("قال ﷺ كذا", "الله", "ﷺ"),
        ("محـــمد صلاح", "محمد", "محـــمد"),
        ("صلاح محمدـــ", "محمد", "محمد"),
        ("le café\u{301} noir", "cafe", "café\u{301}"),
        ("a  \t b", "a b", "a  \t b"),
        ("Straße", "s", "S"),
        ("Straße", "ass", "aß"),
        ("x 👍🏽 y", "👍", "👍🏽"),
        ("  مصر  ", "مصر", "مصر"),
    ];
    for (text, needle, shown) in cases {
        let folded = fold(text);
        let at = folded.as_str().find(needle).unwrap();
        assert_eq!(&text[folded.original_range(at..at + needle.len())], shown, "{text:?}");
    }
    let drawn_out = "يا سلاااام";
    let folded = fold_words(drawn_out);
    assert_eq!(folded.as_str(), "يا سلام");
    assert_eq!(&drawn_out[folded.original_range(5..13)], "سلاااام");
    // The third lam comes with the ligature: it is taken back, and the alef still leads to the ligature.
    let ligature = "لل\u{FEFB}";
    let folded = fold_words(ligature);
    assert_eq!((folded.as_str(), folded.original_range(2..4)), ("لا", 4..7));
}

#[test]
fn plain_text_needs_one_segment() {
    assert_eq!(fold("الاهلى كسب الماتش 3-1 يا Salah").segments.len(), 1);
    assert_eq!(std::mem::size_of::<Segment>(), 24);
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "that is the case under test")]
fn odd_ranges_are_answered() {
    let folded = fold("  أُمّ ");
    assert_eq!(folded.original_range(0..0), 2..2);
    assert_eq!(folded.original_range(0..99), 2..10);
    assert_eq!(folded.original_range(1..1), 2..6, "inside a character: the whole of it");
    assert_eq!(folded.original_range(4..0), 10..10);
    assert_eq!(folded.original_range(usize::MAX..usize::MAX), 10..10);
    assert_eq!(fold(" ").original_range(0..9), 0..0);
}

#[test]
fn every_character_folds_once_and_for_all() {
    for c in '\0'..=char::MAX {
        let once = fold(c.encode_utf8(&mut [0; 4]));
        assert_eq!(fold(once.as_str()).as_str(), once.as_str(), "U+{:04X}", u32::from(c));
        let words = fold_words(c.encode_utf8(&mut [0; 4]));
        assert_eq!(fold_words(words.as_str()).as_str(), words.as_str(), "U+{:04X}", u32::from(c));
    }
}

#[test]
fn hostile_text_takes_linear_time() {
    is_linear_on_hostile_text(|text| {
        let folded = fold(text);
        assert!(folded.original_range(0..folded.as_str().len()).end <= text.len());
    });
    is_linear_on_hostile_text(|text| drop(fold_words(text)));
}

fn check_map(original: &str, folded: &Folded) -> Result<(), TestCaseError> {
    let boundaries: Vec<usize> = original.grapheme_indices(true).map(|(at, _)| at).chain([original.len()]).collect();
    let length = folded.as_str().len();
    let mut last = 0..0;
    for start in 0..length {
        let one = folded.original_range(start..start + 1);
        prop_assert!(boundaries.binary_search(&one.start).is_ok() && boundaries.binary_search(&one.end).is_ok());
        prop_assert!(!one.is_empty() && last.start <= one.start && last.end <= one.end, "{:?} then {:?}", last, one);
        let rest = folded.original_range(start..length);
        prop_assert_eq!(rest.start, one.start);
        last = one;
    }
    prop_assert_eq!(folded.original_range(0..length).end, last.end);
    Ok(())
}

proptest! {
    #[test]
    fn folding_is_idempotent(text in any_text()) {
        for folded in [fold(&text), fold_words(&text)] {
            prop_assert_eq!(fold(folded.as_str()).into_string(), folded.into_string());
        }
        let words = fold_words(&text);
        prop_assert_eq!(fold_words(words.as_str()).into_string(), words.as_str());
        prop_assert_eq!(fold_words(fold(&text).as_str()).into_string(), words.into_string());
    }

    #[test]
    fn canonically_equal_texts_fold_alike(text in typed_text()) {
        let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
        prop_assert_eq!(fold(&composed).into_string(), fold(&decomposed).into_string());
    }

    #[test]
    fn the_map_is_monotone_and_never_cuts_a_grapheme(text in any_text()) {
        check_map(&text, &fold(&text))?;
        check_map(&text, &fold_words(&text))?;
    }

    #[test]
    fn a_slice_of_the_original_folds_to_the_slice(text in typed_text(), from in 0..200_usize, to in 0..200_usize) {
        let folded = fold(&text);
        let shown = &text[folded.original_range(from..to)];
        if let Some(wanted) = folded.as_str().get(from..to) {
            prop_assert!(fold(shown).as_str().contains(wanted.trim()), "{:?} in {:?}", wanted, shown);
        }
    }

    #[test]
    fn any_range_is_answered(text in any_text(), from: usize, to: usize) {
        let folded = fold(&text);
        prop_assert!(text.get(folded.original_range(from..to)).is_some());
    }
}
