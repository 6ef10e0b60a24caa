//! What people write under each other's posts.
//!
//! A remark is read like a line of a post, with one more sign: what stands in `<masculine|feminine>` follows the
//! gender of the person spoken to — the author of the post, the friend who is called, the commenter who is answered.

use super::{PostKind, Script, Topic};

mod kinds;
mod topics;

/// One comment to be filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remark {
    pub(crate) script: Script,
    pub(crate) text: &'static str,
    /// The kinds of post it fits; empty: every kind of its list.
    kinds: &'static [PostKind],
    /// Said among women, or among men.
    close: bool,
}

impl Remark {
    const fn new(script: Script, text: &'static str) -> Self {
        Self { script, text, kinds: &[], close: false }
    }

    /// Fits only posts of these kinds.
    const fn on(mut self, kinds: &'static [PostKind]) -> Self {
        self.kinds = kinds;
        self
    }

    /// Said among women, or among men.
    const fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// True when it may stand under a post of that kind, said to somebody of the same gender or not.
    pub(crate) fn fits(&self, kind: PostKind, same_gender: bool) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind)) && (same_gender || !self.close)
    }

    /// True when it laughs.
    pub(crate) fn laughs(&self) -> bool {
        self.text.contains("😂")
    }
}

const fn ar(text: &'static str) -> Remark {
    Remark::new(Script::Masry, text)
}

const fn az(text: &'static str) -> Remark {
    Remark::new(Script::Arabizi, text)
}

const fn en(text: &'static str) -> Remark {
    Remark::new(Script::English, text)
}

const fn mx(text: &'static str) -> Remark {
    Remark::new(Script::Mixed, text)
}

/// What a comment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Answers the mood of the post.
    Mood,
    /// Answers its topic.
    Topic,
    /// Calls a friend to look.
    Call,
    /// The author thanks.
    Thanks,
    /// The author answers a question.
    Details,
    /// The author laughs or sighs along.
    Agrees,
}

/// The remarks for a purpose under a post.
pub(crate) const fn remarks(purpose: Purpose, kind: PostKind, topic: Topic) -> &'static [Remark] {
    match purpose {
        Purpose::Mood => kinds::remarks(kind),
        Purpose::Topic => topics::remarks(topic),
        Purpose::Call => topics::CALLS,
        Purpose::Thanks => topics::THANKS,
        Purpose::Details => topics::DETAILS,
        Purpose::Agrees => topics::AGREES,
    }
}
