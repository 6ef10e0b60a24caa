//! What is kept so that it can be proved later: the audit trail and its seals, what people consented to, breaches and their
//! clock; and everything that is kept of a person, handed to them.
//!
//! ```text
//! every use case ──▶ lines of the audit trail ──▶ seal over the lines and the seal before ──▶ verify
//! set_consents ──▶ history ──▶ Consented<P> ──▶ the code that processes for that purpose
//! open ──▶ 72 hours ──▶ report ──▶ close
//! ```
//!
//! `seal` is the chain's arithmetic, `audit` makes and checks it; `consent` and `breach` hold their rules and use cases; `export` builds what
//! people ask for; `retention` says what is let go after how long.

mod audit;
mod breach;
mod consent;
mod export;
mod retention;
mod seal;

pub use audit::{AuditBreak, AuditService, AuditVerdict, Head};
pub use breach::{Breach, BreachNote, BreachService, BreachStep, REPORT_WITHIN};
pub(crate) use consent::join as consent_to_join;
pub use consent::{Consent, ConsentService, ConsentState, Consented, Purpose, SetConsent, TextVersions, purpose};
pub use export::{
    Export, ExportFile, ExportPart, ExportRefusal, ExportRow, ExportService, ExportState, OpenFile, PIECE, WholeFile,
};
pub use retention::{Kept, RetentionService};
pub use seal::{AuditLine, LineIds, Month, NoLineIds, Seal};

crate::refusals! {
    /// Why a record was refused.
    pub enum RecordRefusal {
        /// A purpose that there is none of.
        PurposeUnknown = "consent.purpose_unknown", Invalid, "This is no purpose that consent is asked for.", "مفيش غرض بالاسم ده.";
        /// What the account rests on: without it there is no account.
        Needed = "consent.needed", Conflict, "Your account rests on this. To take it back, delete the account.", "حسابك قايم على الموافقة دي. لو عايز تسحبها، امسح الحساب.";
        /// The text that was agreed to is not the one in force.
        TextChanged = "consent.text_changed", Conflict, "The text has changed. Read it again.", "النص اتغيّر. اقراه تاني.";
        /// The same purpose twice, or no purpose at all.
        Unclear = "consent.unclear", Invalid, "Name each purpose once.", "اكتب كل غرض مرة واحدة.";
        /// A breach that is closed is not written to.
        BreachClosed = "breach.closed", Conflict, "This breach is closed.", "الحادثة دي اتقفلت.";
        /// It was reported before.
        BreachReported = "breach.reported", Conflict, "This breach was reported before.", "الحادثة دي اتبلّغ عنها قبل كده.";
        /// A breach that became known in the future, or long ago.
        BreachTime = "breach.time_invalid", Invalid, "Say when it became known: within the last ten years, and not in the future.", "قول اتعرفت إمتى: مش في المستقبل ولا من أكتر من عشر سنين.";
        /// A note that is empty or too long.
        BreachText = "breach.text_invalid", Invalid, "Write 1 to 2,000 characters, without control characters.", "اكتب من حرف لـ ٢٠٠٠ حرف.";
    }
}
