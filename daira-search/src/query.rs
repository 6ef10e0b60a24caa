//! What was typed, turned into the ranges to look through.

use daira_core::error::Result;
use daira_core::text::{TagKey, fold};

/// Longer queries are refused: no handle and no tag is longer.
const MAX_QUERY: usize = 256;

daira_core::refusals! {
    /// Why a search was refused.
    pub enum SearchRefusal {
        /// Nothing to look for.
        Empty = "search.empty", Invalid, "Type something to search for.", "اكتب حاجة تدوّر عليها.";
        /// Longer than any name.
        TooLong = "search.too_long", Invalid, "This is too long to search for.", "الكلام ده طويل على البحث.";
    }
}

/// What kinds of things are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kinds {
    /// People.
    pub profiles: bool,
    /// Hashtags.
    pub hashtags: bool,
}

impl Kinds {
    /// Everything.
    pub const ALL: Self = Self { profiles: true, hashtags: true };
}

/// One range to look through. The stages of a query follow each other in its results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Handles that begin so.
    Handles(String),
    /// Tag keys that begin so.
    Tags(String),
}

/// The stages of a query. A leading `@` asks for people, a leading `#` for tags.
pub(crate) fn stages(query: &str, kinds: Kinds) -> Result<Vec<Stage>> {
    if query.len() > MAX_QUERY {
        return Err(daira_core::Error::from(SearchRefusal::TooLong).on_field("query"));
    }
    let query = query.trim();
    let (people, tags, rest) = match query.strip_prefix('@') {
        Some(rest) => (true, false, rest),
        None => match query.strip_prefix(['#', '\u{ff03}']) {
            Some(rest) => (false, true, rest),
            None => (true, true, query),
        },
    };
    let rest = rest.trim();
    let mut stages = Vec::new();
    let folded = fold(rest);
    let handle = folded.as_str();
    let like_a_handle = !handle.is_empty()
        && handle.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.');
    if people && kinds.profiles && like_a_handle {
        stages.push(Stage::Handles(handle.to_owned()));
    }
    if tags && kinds.hashtags {
        stages.extend(TagKey::search_prefixes(rest).into_iter().filter(|p| !p.is_empty()).map(Stage::Tags));
    }
    if folded.as_str().trim().is_empty() {
        return Err(daira_core::Error::from(SearchRefusal::Empty).on_field("query"));
    }
    Ok(stages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signs_choose_the_kind() {
        assert_eq!(stages("@Mona.A", Kinds::ALL).unwrap(), [Stage::Handles("mona.a".to_owned())]);
        assert!(stages("#الأهلي", Kinds::ALL).unwrap().iter().all(|s| matches!(s, Stage::Tags(_))));
        assert!(stages("cairo", Kinds { profiles: false, hashtags: false }).unwrap().is_empty());
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for query in ["", "   ", "@", "#"] {
            assert!(stages(query, Kinds::ALL).is_err(), "{query:?}");
        }
        assert!(stages(&"ا".repeat(1_000_000), Kinds::ALL).is_err());
    }

    proptest! {
        #[test]
        fn no_query_panics(query in ".{0,80}") {
            let _ = stages(&query, Kinds::ALL);
        }
    }
}
