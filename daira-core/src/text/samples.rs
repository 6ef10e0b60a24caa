//! Inputs for the tests of this module: text as it is typed, arbitrary text, and text that is meant to hurt.

use std::time::{Duration, Instant};

use proptest::prelude::*;

/// Text as people and attackers type it: the letters that folding knows, marks, joiners, spaces, emoji.
pub(super) fn typed_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::char::range('\u{620}', '\u{64A}').prop_map(String::from),
        4 => proptest::char::range('!', '~').prop_map(String::from),
        2 => proptest::char::range('\u{64B}', '\u{655}').prop_map(String::from),
        1 => proptest::char::range('\u{660}', '\u{6F9}').prop_map(String::from),
        1 => proptest::char::range('\u{C0}', '\u{17F}').prop_map(String::from),
        1 => proptest::char::range('\u{300}', '\u{36F}').prop_map(String::from),
        1 => proptest::char::range('\u{FB50}', '\u{FDFF}').prop_map(String::from),
        1 => proptest::char::range('\u{FE70}', '\u{FEFF}').prop_map(String::from),
        1 => proptest::char::range('\u{FF01}', '\u{FF5E}').prop_map(String::from),
        3 => proptest::sample::select(vec![
            " ", "  ", "\r\n", "\t", "\u{A0}", "ـ", "\u{200C}", "\u{200D}", "\u{200F}", "\u{202E}", "👍🏽", "🇪🇬", "❤️", "👩‍👩‍👧",
            "#", "@", "_", ".", "،", "؟", "#El", "#Al_", "#ال", "https://", "اا", "ooo", "ß", "ﷺ", "ﻻ", "1️⃣",
        ]).prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The same, mixed with arbitrary characters.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![typed_text(), any::<String>(), (typed_text(), any::<String>()).prop_map(|(a, b)| a + &b)]
}

/// Runs `work` on inputs of half a megabyte on which careless code is quadratic. Linear code takes some milliseconds
/// for each; the deadline forgives a busy machine and an unoptimised build, and no quadratic code meets it.
pub(super) fn is_linear_on_hostile_text(work: impl Fn(&str)) {
    for text in hostile_texts() {
        let start = Instant::now();
        work(&text);
        let start_of_text: String = text.chars().take(20).collect();
        assert!(start.elapsed() < Duration::from_secs(10), "{start_of_text:?}");
    }
}

fn hostile_texts() -> Vec<String> {
    const LENGTH: usize = 1 << 19;
    [
        "\u{301}",
        "🇪",
        "👩\u{200D}",
        "क्",
        "क\u{94D}\u{200D}",
        "ـ",
        " ",
        "\u{200D}",
        "ك\u{64B}",
        "o",
        "ﷺ",
        "\u{600}",
        "ㄱ",
        "#",
        "@",
        "@a.",
        "#أ",
        "#1",
        "http://",
        "https://a.b/",
        "https://a.b@",
        "@a@",
        "(((",
        "https://a.b/)))",
        "h",
        "\r\n",
        "\u{10FFFF}",
        "..",
        "_",
    ]
    .iter()
    .map(|piece| piece.repeat(LENGTH / piece.len()))
    .chain([
        format!("https://a.b/{}", ")".repeat(LENGTH)),
        format!("#{}", "ا".repeat(LENGTH / 2)),
        format!("@{}", ".".repeat(LENGTH)),
    ])
    .collect()
}
