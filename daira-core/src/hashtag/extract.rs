//! The hashtags of a text: what was written in, the keys and their spellings out.

use super::Tag;
use crate::text::{EntityKind, MAX_HASHTAGS, entities};

/// The hashtags of a text in the order of their first use, one per key, at most [`MAX_HASHTAGS`].
///
/// ```
/// use daira_core::hashtag::tags_of;
/// let tags = tags_of("#الأهلي يا #الاهلى! #Masr");
/// let spellings: Vec<_> = tags.iter().map(|tag| tag.spelling.as_str()).collect();
/// assert_eq!(spellings, ["الأهلي", "Masr"]);
/// ```
pub fn tags_of(text: &str) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    for entity in entities(text).items {
        let EntityKind::Hashtag(key) = entity.kind else { continue };
        if tags.len() < MAX_HASHTAGS && tags.iter().all(|tag| tag.key != key) {
            let written = text.get(entity.range).unwrap_or_default();
            tags.push(Tag { key, spelling: written.trim_start_matches(['#', '＃']).to_owned() });
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::TagKey;

    #[test]
    fn one_per_key_and_no_more_than_allowed() {
        assert!(tags_of("لا شيء هنا، ولا C# ولا #123").is_empty());
        let many: Vec<_> = (0..50).map(|n| format!("#tag{n}x")).collect();
        assert_eq!(tags_of(&many.join(" ")).len(), MAX_HASHTAGS);
        let full_width = tags_of("＃مصر");
        assert_eq!(full_width[0].spelling, "مصر");
    }

    proptest! {
        #[test]
        fn spellings_lead_to_their_keys(text in "[#a-zA-Zأهلي_0-9 ＃.]{0,80}") {
            let tags = tags_of(&text);
            for (n, tag) in tags.iter().enumerate() {
                prop_assert_eq!(&TagKey::new(&tag.spelling).unwrap(), &tag.key);
                prop_assert!(tags[..n].iter().all(|other| other.key != tag.key));
                prop_assert!(text.contains(&tag.spelling));
            }
        }
    }
}
