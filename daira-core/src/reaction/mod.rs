//! Reactions: like, love, laugh, sad, angry; one per person and target, changeable.
//!
//! `model` holds the types, `service` the use cases; whether somebody may react is what the target's own policy says of
//! seeing it.

mod model;
mod service;

pub use model::{Reaction, ReactionKind, Target};
pub use service::ReactionService;

crate::refusals! {
    /// Why a reaction was refused.
    pub enum ReactionRefusal {
        /// The account is restricted and cannot react now.
        Restricted = "reaction.restricted", Forbidden, "Your account cannot react for now.", "حسابك مش هيقدر يتفاعل دلوقتي.";
    }
}
