//! What an author hands in, checked: text, pictures, warning.

use crate::checks::Writing;
use crate::error::{Error, Result};
use crate::post::{Attachment, MAX_ALT, MAX_MEDIA, MAX_TEXT, MAX_WARNING, PostRefusal};
use crate::text::Bounds;

const TEXT: Writing<PostRefusal> = Writing {
    field: "text",
    bounds: Bounds::paragraphs(1, MAX_TEXT),
    empty: PostRefusal::Empty,
    too_long: PostRefusal::TooLong,
    forbidden: PostRefusal::ForbiddenCharacter,
};

const WARNING: Writing<PostRefusal> =
    Writing { field: "warning", bounds: Bounds::line(1, MAX_WARNING), too_long: PostRefusal::LabelTooLong, ..TEXT };

const ALT: Writing<PostRefusal> =
    Writing { field: "media", bounds: Bounds::paragraphs(1, MAX_ALT), too_long: PostRefusal::LabelTooLong, ..TEXT };

/// The text as it is kept; beside pictures it may be empty.
pub(super) fn text(input: &str, has_media: bool) -> Result<String> {
    if has_media { unless_empty(&TEXT, input) } else { TEXT.check(input) }
}

/// The warning as it is kept; an empty one is none.
pub(super) fn warning(input: Option<&str>) -> Result<Option<String>> {
    let text = unless_empty(&WARNING, input.unwrap_or_default())?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// What a picture shows, as it is kept; nothing for nothing readable.
///
/// # Errors
/// [`PostRefusal::LabelTooLong`], [`PostRefusal::ForbiddenCharacter`].
pub fn alt_text(input: &str) -> Result<String> {
    unless_empty(&ALT, input)
}

/// The pictures, each once, with alternative texts as they are kept.
pub(super) fn media(input: &[Attachment]) -> Result<Vec<Attachment>> {
    if input.len() > MAX_MEDIA {
        return Err(Error::from(PostRefusal::TooManyMedia).on_field("media"));
    }
    let mut kept: Vec<Attachment> = Vec::with_capacity(input.len());
    for attachment in input {
        if kept.iter().any(|other| other.media == attachment.media) {
            return Err(Error::from(PostRefusal::MediaUnavailable).on_field("media"));
        }
        kept.push(Attachment { media: attachment.media, alt: alt_text(&attachment.alt)? });
    }
    Ok(kept)
}

/// The text as it is kept, nothing when nothing readable is in it.
fn unless_empty(rule: &Writing<PostRefusal>, input: &str) -> Result<String> {
    match rule.check(input) {
        Err(error) if error.refusal() == Some(PostRefusal::Empty) => Ok(String::new()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, MediaId};

    fn picture(id: i64, alt: &str) -> Attachment {
        Attachment { media: MediaId::from_raw(id), alt: alt.to_owned() }
    }

    #[test]
    fn a_post_needs_words_or_pictures() {
        assert_eq!(text(" \u{200B}\n", false).unwrap_err().refusal(), Some(PostRefusal::Empty));
        assert_eq!(text(" \u{200B}\n", true).unwrap(), "");
        assert_eq!(text(&"ب".repeat(MAX_TEXT), false).unwrap().chars().count(), MAX_TEXT);
        for has_media in [false, true] {
            let too_long = text(&"ب".repeat(MAX_TEXT + 1), has_media).unwrap_err();
            assert_eq!(too_long.refusal(), Some(PostRefusal::TooLong));
            let disguised = text("a\u{202E}b", has_media).unwrap_err();
            assert_eq!(disguised.refusal(), Some(PostRefusal::ForbiddenCharacter));
        }
    }

    #[test]
    fn warnings_are_one_short_line() {
        assert_eq!(warning(None).unwrap(), None);
        assert_eq!(warning(Some("  ")).unwrap(), None);
        assert_eq!(warning(Some(" حرق ")).unwrap().as_deref(), Some("حرق"));
        assert_eq!(warning(Some(&"ح".repeat(201))).unwrap_err().refusal(), Some(PostRefusal::LabelTooLong));
        assert_eq!(warning(Some("سطر\nوسطر")).unwrap_err().field(), Some("warning"));
    }

    #[test]
    fn pictures_are_few_and_distinct() {
        assert_eq!(media(&[picture(1, " البحر "), picture(2, "")]).unwrap(), [picture(1, "البحر"), picture(2, "")]);
        let twice = media(&[picture(1, ""), picture(1, "")]).unwrap_err();
        assert_eq!((twice.refusal(), twice.field()), (Some(PostRefusal::MediaUnavailable), Some("media")));
        let many: Vec<_> = (0..11).map(|id| picture(id, "")).collect();
        assert_eq!(media(&many).unwrap_err().refusal(), Some(PostRefusal::TooManyMedia));
        let wordy = media(&[picture(1, &"و".repeat(1_001))]).unwrap_err();
        assert_eq!(wordy.refusal(), Some(PostRefusal::LabelTooLong));
    }
}
