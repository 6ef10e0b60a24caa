//! Everything that is kept of a person, handed to them.
//!
//! An export is a row that says how far it is. A job takes one, makes one piece after the other of bounded size, puts each among
//! the blobs and moves the row on in the unit that notes the piece; a worker that is killed leaves a row that the next one goes
//! on from. Pieces of one file follow one another: the file is what they make together, whatever its size.
//!
//! ```text
//! request ─▶ rows of each kind, a line each ─▶ files they uploaded ─▶ index.json ─▶ mail ─▶ download ─▶ gone after days
//! ```

mod build;
mod model;
mod service;

pub use build::PIECE;
pub use model::{Export, ExportFile, ExportPart, ExportRow, ExportState};
pub use service::{ExportService, OpenFile, WholeFile};

crate::refusals! {
    /// Why an export was refused.
    pub enum ExportRefusal {
        /// One is being built.
        Running = "export.running", Conflict, "Your export is being prepared already.", "نسخة بياناتك بتتجهّز بالفعل.";
    }
}
