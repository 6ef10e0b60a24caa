//! Apps of others, as their owners see them and as people who are asked about them do.

use async_graphql::{ID, SimpleObject};
use daira_core::locale::Locale;
use daira_core::oauth::{self, Scopes};

use super::profile::Profile;
use super::scalar::DateTime;

/// An app that the reader registered.
#[derive(SimpleObject)]
pub(crate) struct OwnApp {
    /// Its id, which is its `client_id`, for instance `app_0c5h2m9k1v3q8`.
    id: ID,
    /// What people see it as.
    name: String,
    /// Where answers may be sent.
    redirect_uris: Vec<String>,
    /// Whether it has a secret.
    is_confidential: bool,
    /// When it was registered.
    created_at: DateTime,
}

impl From<oauth::App> for OwnApp {
    fn from(app: oauth::App) -> Self {
        Self {
            id: app.id.to_string().into(),
            name: app.name,
            redirect_uris: app.redirects,
            is_confidential: app.confidential,
            created_at: app.created_at.into(),
        }
    }
}

/// Something that an app may do, or wants to.
#[derive(SimpleObject)]
pub(crate) struct AppScope {
    /// Its name, for instance `read:feed`.
    name: &'static str,
    /// What a person reads of it, in the language of the request.
    text: &'static str,
}

/// The lines of a set, as they are shown.
pub(in crate::graphql) fn scopes(of: Scopes, locale: Locale) -> Vec<AppScope> {
    of.lines().map(|scope| AppScope { name: scope.name, text: scope.text(locale) }).collect()
}

/// An app that the reader lets act as one of their profiles.
#[derive(SimpleObject)]
pub(crate) struct ConnectedApp {
    /// The app.
    pub(in crate::graphql) app_id: ID,
    /// What it is called.
    pub(in crate::graphql) name: String,
    /// The profile it acts as.
    pub(in crate::graphql) profile: Option<Profile>,
    /// What it may do.
    pub(in crate::graphql) scopes: Vec<AppScope>,
    /// When it was first let in.
    pub(in crate::graphql) since: DateTime,
}

/// What an app wants, for the person who is asked.
#[derive(SimpleObject)]
pub(crate) struct AppRequest {
    /// The app.
    pub(in crate::graphql) app_id: ID,
    /// What it is called.
    pub(in crate::graphql) name: String,
    /// Where the person is sent in either case, for instance `https://app.example`.
    pub(in crate::graphql) redirect_uri: String,
    /// What it wants to do.
    pub(in crate::graphql) scopes: Vec<AppScope>,
    /// Whether the profile that asks has agreed to all of it before.
    pub(in crate::graphql) is_granted: bool,
    /// Where a person who does not agree is sent.
    pub(in crate::graphql) refusal: String,
}
