//! What there is to know of an export.

use crate::id::{AccountId, ExportId};
use crate::locale::Locale;
use crate::time::Timestamp;

/// Where an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportState {
    /// Being built.
    Building,
    /// To be downloaded.
    Ready,
    /// It failed too often.
    GivenUp,
    /// It was there, and is not any more.
    Gone,
}

impl ExportState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Building, Self::Ready, Self::GivenUp, Self::Gone];

    /// Its stored number.
    pub const fn number(self) -> i16 {
        match self {
            Self::Building => 1,
            Self::Ready => 2,
            Self::GivenUp => 3,
            Self::Gone => 4,
        }
    }

    /// The one with a stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// Whose.
    pub account: AccountId,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Where it is.
    pub state: ExportState,
    /// Which kind of data is next; after the last one come files, and then the index.
    pub stage: u16,
    /// How far it is with that.
    pub after: String,
    /// Pieces so far.
    pub parts: u32,
    /// Bytes so far.
    pub bytes: u64,
    /// How often somebody went on with it since the last piece.
    pub tries: u16,
    /// How often somebody went on with it: who is at it by an older turn moves nothing.
    pub turn: u32,
    /// Nobody else goes on with it before.
    pub until: Timestamp,
    /// When it was ready.
    pub ready_at: Option<Timestamp>,
    /// Until when it can be downloaded.
    pub expires_at: Option<Timestamp>,
    /// The language of the mail.
    pub locale: Locale,
}

/// A piece of an export; its bytes are a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPart {
    /// The export.
    pub export: ExportId,
    /// Whose.
    pub account: AccountId,
    /// Its place.
    pub n: u32,
    /// The file that it is a piece of, for instance `post.jsonl`.
    pub file: String,
    /// The blob's key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// How many lines are in it.
    pub rows: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// One thing that is kept of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// The mark to go on after.
    pub mark: String,
    /// A JSON object, in one line.
    pub json: String,
}

/// A file that somebody uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// The mark to go on after.
    pub mark: String,
    /// What it is called in the export, for instance `media/med_….webp`.
    pub name: String,
    /// The blob's key.
    pub key: String,
}
