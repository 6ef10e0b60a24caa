//! Comments: a tree of answers under a post, at most ten levels deep.
//!
//! `model` holds the types, `policy` the pure decisions, `service` the use cases.

mod model;
pub mod policy;
mod reach;
mod service;

pub use model::{Comment, CommentCard, CommentCounters};
pub(crate) use reach::{post_of, seen_comment};
pub use service::{CommentService, MAX_TOP};

/// The deepest level of an answer; a comment on the post itself is level 1.
pub const MAX_DEPTH: u8 = 10;
/// The longest comment, in characters as people count them.
pub const MAX_TEXT: usize = 1_000;

crate::refusals! {
    /// Why something about a comment was refused.
    pub enum CommentRefusal {
        /// Nothing written.
        Empty = "comment.empty", Invalid, "Write something first.", "اكتب حاجة الأول.";
        /// Too long.
        TooLong = "comment.too_long", Invalid, "A comment has up to 1,000 characters.", "الكومنت أقصاه ١٠٠٠ حرف.";
        /// The text holds characters that could disguise it.
        ForbiddenCharacter = "comment.forbidden_character", Invalid, "The text holds characters that are not allowed.", "النص فيه رموز مش مسموح بيها.";
        /// The branch is as deep as it can be.
        TooDeep = "comment.too_deep", Conflict, "This conversation cannot go deeper; answer further up.", "الردود وصلت لآخرها؛ رد على كومنت أعلى.";
        /// The author limits who may comment.
        NotAllowed = "comment.not_allowed", Forbidden, "The author limits who may comment here.", "صاحب البوست محدد مين يقدر يعلّق.";
        /// The account is restricted and cannot comment now.
        Restricted = "comment.restricted", Forbidden, "Your account cannot comment for now.", "حسابك مش هيقدر يعلّق دلوقتي.";
    }
}
