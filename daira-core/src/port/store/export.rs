//! Exports on their way, and the rows that they are made of.

use async_trait::async_trait;

use crate::error::Result;
use crate::id::{AccountId, ExportId};
use crate::record::{Export, ExportFile, ExportPart, ExportRow};
use crate::time::Timestamp;

/// Keeps exports. A member asks for and reads those of their own account; building them is the platform's.
#[async_trait]
pub trait ExportRepository: Send {
    /// Adds one that is to be built. While one of the account is being built, that is the conflict `export_open`.
    async fn insert_export(&mut self, export: &Export) -> Result<()>;
    /// An export.
    async fn export(&mut self, id: ExportId) -> Result<Option<Export>>;
    /// Those of an account, newest first, at most `limit`.
    async fn exports(&mut self, account: AccountId, limit: u32) -> Result<Vec<Export>>;
    /// Pieces of an export from a number on, in order, at most `limit`.
    async fn export_parts(&mut self, id: ExportId, from: u32, limit: u32) -> Result<Vec<ExportPart>>;
    /// Takes one that is to be built and that nobody is at, until an instant: its turn and its tries grow by one.
    async fn take_export(&mut self, now: Timestamp, until: Timestamp) -> Result<Option<Export>>;
    /// Moves one on, with the piece that is ready; `false` when somebody else took it meanwhile.
    async fn advance_export(&mut self, export: &Export, part: Option<&ExportPart>) -> Result<bool>;
    /// Those that were to be had until an instant, by their ids, at most `limit`, after one that was answered before.
    async fn exports_over(&mut self, now: Timestamp, after: Option<ExportId>, limit: u32) -> Result<Vec<Export>>;
    /// Says that one is gone, and forgets its pieces.
    async fn remove_export(&mut self, id: ExportId) -> Result<()>;
    /// Forgets those that are gone and were asked for before an instant, at most `limit`; answers how many.
    async fn forget_exports(&mut self, before: Timestamp, limit: u32) -> Result<u64>;

    /// The kinds of data that the store has of people; a file is called after each.
    fn export_kinds(&self) -> Vec<&'static str>;
    /// What there is of an account of one kind, after a mark (empty for the first), at most `limit`, as one JSON object each:
    /// only what is its own, no secrets, and of others only their public ids.
    async fn export_rows(&mut self, kind: &str, account: AccountId, after: &str, limit: u32) -> Result<Vec<ExportRow>>;
    /// The files that an account uploaded, after a mark, at most `limit`.
    async fn export_files(&mut self, account: AccountId, after: &str, limit: u32) -> Result<Vec<ExportFile>>;
}
