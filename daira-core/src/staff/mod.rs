//! Staff: who may act on other people, with what right, and what they do: look somebody up, end their sessions, restrict,
//! suspend and ban, take content down and put it back, and make others staff.
//!
//! `permission` holds two tables, what each role may do and who may see each private field; `policy` the decisions that no
//! table tells; `service` the use cases. Each use case looks at the role, the account and the second factor of whoever asks in
//! the very unit that does the work, and holds them until it ends: a role that was taken away is worth nothing at once. The unit
//! is then the platform's own, in that person's name ([`Actor::Staff`](crate::Actor::Staff)), and leaves a line in the audit
//! trail with what it did.
//!
//! ```text
//! Actor::Member ──▶ role? active? second factor proved on this session? permission? ──▶ Actor::Staff ──▶ effect + event + line
//! ```

mod model;
pub(crate) mod notice;
pub mod permission;
pub mod policy;
mod service;

pub use model::{Reason, Reference, Sanction, StaffMember, StaffRole, Strike, Struck, Takedown, Target, Why};
pub use permission::{Permission, PrivateField, Role};
pub use service::{LookUp, Measure, PersonFile, PersonName, StaffService};
pub(crate) use service::{admitted, named};

crate::refusals! {
    /// Why something was refused to staff.
    pub enum StaffRefusal {
        /// The actor's role does not allow this.
        NotAllowed = "staff.not_allowed", Forbidden, "You may not do this.", "مش مسموحلك تعمل ده.";
        /// Staff guard their account with a second factor.
        FactorMissing = "staff.second_factor_missing", Forbidden, "Set up a second factor first.", "شغّل التأكيد بخطوتين الأول.";
        /// The person is the actor, or of the same rank or above.
        OutOfReach = "staff.out_of_reach", Forbidden, "You may not do this to this person.", "مش مسموحلك تعمل ده مع الشخص ده.";
        /// Somebody has to be left who can make others staff.
        LastAdmin = "staff.last_admin", Conflict, "The last admin has to stay.", "لازم يفضل أدمن واحد على الأقل.";
        /// A reference is no free text: it names a case elsewhere.
        ReferenceInvalid = "staff.reference_invalid", Invalid, "A reference has 1 to 64 letters, digits and -._:/#.", "المرجع من حرف لـ ٦٤ حرف إنجليزي أو رقم.";
        /// A suspension ends in the future, within a year.
        UntilInvalid = "staff.until_invalid", Invalid, "A suspension ends within a year from now.", "الإيقاف لازم ينتهي خلال سنة من دلوقتي.";
        /// A role, a measure, a reason, a field or a kind that there is none of.
        WordUnknown = "staff.word_unknown", Invalid, "This is not one of the words that can stand here.", "الكلمة دي مش معروفة هنا.";
        /// There is nothing to take down.
        NothingThere = "staff.nothing_there", Conflict, "There is nothing to take down.", "مفيش حاجة تتشال.";
    }
}
