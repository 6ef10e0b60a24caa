//! Posts: writing, editing with history, deleting and restoring, and who may see and answer them.
//!
//! `model` holds the types, `policy` the pure decisions, `service` the use cases.

mod model;
pub mod policy;
mod reach;
mod service;

pub use model::{
    Attachment, Audience, Delivery, MediaKind, Post, PostCard, PostCounters, ReplyRule, Revision, Visibility,
};

pub(crate) use reach::seen_post;
pub use service::{CreatePost, EditPost, PostService, alt_text};

/// The longest post, in characters as people count them.
pub const MAX_TEXT: usize = 2_200;
/// The most pictures in a post.
pub const MAX_MEDIA: usize = 10;
/// The longest alternative text of a picture, in characters.
pub const MAX_ALT: usize = 1_000;
/// The longest content warning, in characters.
pub const MAX_WARNING: usize = 200;

crate::refusals! {
    /// Why something about a post was refused.
    pub enum PostRefusal {
        /// Neither words nor pictures.
        Empty = "post.empty", Invalid, "Write something or add a picture.", "اكتب حاجة أو حط صورة.";
        /// The text is too long.
        TooLong = "post.too_long", Invalid, "A post has up to 2,200 characters.", "البوست أقصاه ٢٢٠٠ حرف.";
        /// The text holds characters that could disguise it.
        ForbiddenCharacter = "post.forbidden_character", Invalid, "The text holds characters that are not allowed.", "النص فيه رموز مش مسموح بيها.";
        /// Too many pictures.
        TooManyMedia = "post.too_many_media", Invalid, "A post has up to ten pictures.", "البوست أقصاه عشر صور.";
        /// A picture that is not the author's, or is used already.
        MediaUnavailable = "post.media_unavailable", Invalid, "One of the pictures cannot be used.", "فيه صورة مينفعش تتستخدم.";
        /// A circle that is not the author's.
        CircleUnknown = "post.circle_unknown", Invalid, "Choose one of your circles.", "اختار دايرة من دوايرك.";
        /// The time to restore it is over.
        RestoreLate = "post.restore_late", Conflict, "It is too late to restore this post.", "فات وقت استرجاع البوست.";
        /// The account is restricted and cannot post now.
        Restricted = "post.restricted", Forbidden, "Your account cannot post for now.", "حسابك مش هيقدر ينزّل بوستات دلوقتي.";
        /// The alternative text or warning is too long.
        LabelTooLong = "post.label_too_long", Invalid, "The description or warning is too long.", "الوصف أو التنبيه طويل زيادة.";
    }
}
