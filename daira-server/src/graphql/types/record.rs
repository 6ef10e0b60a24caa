//! What is kept of somebody: what they consented to, and exports of all of it.

use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};
use daira_core::error::Error;
use daira_core::id::ExportId;
use daira_core::record::{self, ConsentState, Export, ExportState, WholeFile};

use super::scalar::DateTime;
use crate::graphql::scope::InScope;

/// What consent is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "record::Purpose")]
pub enum Purpose {
    /// The terms of use. Given by joining; to take it back is to delete the account.
    Terms,
    /// The privacy notice. Given by joining; to take it back is to delete the account.
    PrivacyNotice,
    /// Measuring how the product is used.
    Analytics,
    /// Choosing advertisements by what somebody does and likes.
    PersonalisedAds,
    /// Mail about news and offers.
    MarketingMail,
    /// Suggestions by where somebody is.
    LocationSuggestions,
}

/// How a purpose stands.
#[derive(SimpleObject)]
pub(crate) struct Consent {
    /// The purpose.
    purpose: Purpose,
    /// The version of its text in force, which `setConsent` names.
    version: i32,
    /// Whether it is consented to now, in the text in force.
    given: bool,
    /// What was said, newest first.
    history: Vec<ConsentEntry>,
}

/// Something that was said of a purpose.
#[derive(SimpleObject)]
pub(crate) struct ConsentEntry {
    /// Given, or taken back.
    given: bool,
    /// The version of the text that it was given to.
    version: i32,
    /// When.
    at: DateTime,
}

impl From<ConsentState> for Consent {
    fn from(state: ConsentState) -> Self {
        let entry = |said: record::Consent| ConsentEntry {
            given: said.given,
            version: i32::from(said.version),
            at: said.at.into(),
        };
        Self {
            purpose: state.purpose.into(),
            version: i32::from(state.current),
            given: state.given,
            history: state.history.into_iter().map(entry).collect(),
        }
    }
}

/// Where an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DataExportState {
    /// Being prepared.
    Preparing,
    /// To be downloaded.
    Ready,
    /// It failed; ask again.
    Failed,
    /// It was there, and was removed.
    Removed,
}

impl From<ExportState> for DataExportState {
    fn from(state: ExportState) -> Self {
        match state {
            ExportState::Building => Self::Preparing,
            ExportState::Ready => Self::Ready,
            ExportState::GivenUp => Self::Failed,
            ExportState::Gone => Self::Removed,
        }
    }
}

/// Everything that is kept of the person, as files to download.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct DataExport {
    /// Its id.
    id: ID,
    /// Where it is.
    state: DataExportState,
    /// When it was asked for.
    requested_at: DateTime,
    /// When it was ready.
    ready_at: Option<DateTime>,
    /// Until when it can be downloaded.
    expires_at: Option<DateTime>,
    /// How many bytes are ready so far, in decimal digits: they may be more than an Int holds.
    bytes: String,
    #[graphql(skip)]
    raw: ExportId,
}

impl From<Export> for DataExport {
    fn from(export: Export) -> Self {
        Self {
            id: export.id.to_string().into(),
            state: export.state.into(),
            requested_at: export.requested_at.into(),
            ready_at: export.ready_at.map(Into::into),
            expires_at: export.expires_at.map(Into::into),
            bytes: export.bytes.to_string(),
            raw: export.id,
        }
    }
}

#[ComplexObject]
impl DataExport {
    /// Its files, while they can be downloaded; the last one, `index.json`, lists them with their checksums.
    async fn files(&self, ctx: &Context<'_>) -> Result<Option<Vec<DataExportFile>>> {
        let scope = ctx.scope();
        match scope.services.exports.files(&scope.actor, self.raw).await {
            Ok(files) => Ok(Some(files.into_iter().map(|file| DataExportFile::new(self.raw, file)).collect())),
            Err(error) if error.kind() == Error::not_found().kind() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A file of an export.
#[derive(SimpleObject)]
pub(crate) struct DataExportFile {
    /// Its name, for instance `post.jsonl`.
    name: String,
    /// Its size in bytes, in decimal digits.
    bytes: String,
    /// How many lines are in it, in decimal digits; 0 for what is not made of lines.
    rows: String,
    /// Where it is downloaded from, with the access token of its owner, who proved themselves a short while ago.
    path: String,
}

impl DataExportFile {
    fn new(export: ExportId, file: WholeFile) -> Self {
        Self {
            path: format!("/exports/{export}/{}", file.name),
            bytes: file.bytes.to_string(),
            rows: file.rows.to_string(),
            name: file.name,
        }
    }
}
