//! Prefix search without LIKE: the two bounds between which every string with a given prefix sorts.

/// The inclusive lower and the exclusive upper bound of the strings that begin with `prefix`, in byte order (which is code
/// point order, and PostgreSQL's `COLLATE "C"`). Without an upper bound, everything from the lower one on begins with it.
///
/// ```
/// use daira_core::text::prefix_range;
///
/// assert_eq!(prefix_range("sal"), ("sal".to_owned(), Some("sam".to_owned())));
/// assert_eq!(prefix_range(""), (String::new(), None));
/// ```
pub fn prefix_range(prefix: &str) -> (String, Option<String>) {
    let mut head = prefix.chars();
    let mut upper = None;
    while let Some(last) = head.next_back() {
        if let Some(next) = successor(last) {
            upper = Some(format!("{}{next}", head.as_str()));
            break;
        }
    }
    (prefix.to_owned(), upper)
}

/// The next character there is: the surrogates between U+D7FF and U+E000 are none.
fn successor(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::samples::any_text;

    #[test]
    fn steps_over_the_gaps_of_unicode() {
        for (prefix, upper) in [
            ("اه", Some("او")),
            ("a\u{7F}", Some("a\u{80}")),
            ("a\u{7FF}", Some("a\u{800}")),
            ("a\u{D7FF}", Some("a\u{E000}")),
            ("a\u{FFFF}", Some("a\u{10000}")),
            ("a\u{10FFFF}\u{10FFFF}", Some("b")),
            ("\u{10FFFF}", None),
        ] {
            assert_eq!(prefix_range(prefix), (prefix.to_owned(), upper.map(str::to_owned)));
        }
    }

    fn text_near_the_gaps() -> impl Strategy<Value = String> {
        let piece = proptest::sample::select(vec!['a', 'b', 'ا', '\u{D7FF}', '\u{E000}', '\u{10FFFE}', '\u{10FFFF}']);
        proptest::collection::vec(piece, 0..5).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn holds_exactly_the_strings_with_the_prefix(
            (prefix, text) in prop_oneof![
                (text_near_the_gaps(), text_near_the_gaps()),
                (any_text(), any_text()),
                (any_text(), any_text()).prop_map(|(a, b)| (a.clone(), a + &b)),
            ],
        ) {
            let (lower, upper) = prefix_range(&prefix);
            let inside = text >= lower && upper.is_none_or(|upper| text < upper);
            prop_assert_eq!(inside, text.starts_with(&prefix));
        }
    }
}
