//! The graph: who follows, blocks and mutes whom, and the circles people draw.
//!
//! `model` holds the types, `policy` the pure decisions, `service` the use cases.

mod model;
pub mod policy;
mod reach;
mod service;

pub use model::{Block, Circle, Edge, Follow, Mute, Relation};
pub(crate) use reach::reach;
pub use service::{FollowOutcome, GraphService, MAX_CIRCLE_NAME, MAX_CIRCLES, MuteWhat};

crate::refusals! {
    /// Why something about edges was refused.
    pub enum GraphRefusal {
        /// Nobody follows, blocks or mutes themselves.
        Yourself = "graph.yourself", Invalid, "You cannot do this to yourself.", "مينفعش تعمل ده مع نفسك.";
        /// The circle's name is empty or too long.
        CircleNameInvalid = "graph.circle_name_invalid", Invalid, "A circle's name has 1 to 50 characters.", "اسم الدايرة من حرف لـ ٥٠ حرف.";
        /// The circle's name holds characters that could disguise it.
        ForbiddenCharacter = "graph.forbidden_character", Invalid, "The name holds characters that are not allowed.", "الاسم فيه رموز مش مسموح بيها.";
        /// Too many circles.
        TooManyCircles = "graph.too_many_circles", Conflict, "You can have up to 100 circles.", "أقصى عدد دواير ١٠٠.";
        /// The account is restricted and cannot do this now.
        Restricted = "graph.restricted", Forbidden, "Your account cannot do this for now.", "حسابك مش هيقدر يعمل ده دلوقتي.";
    }
}
