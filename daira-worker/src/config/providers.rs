//! Providers of identities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConfigError, SecretText};

/// Providers by the names that they have in addresses: `[providers.google]`.
pub type Providers = BTreeMap<String, ProviderSettings>;

/// A provider of identities, which speaks `OpenID` Connect.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProviderSettings {
    /// Who it is, exactly as it says itself: `https://accounts.google.com`.
    pub issuer: String,
    /// The name that it gave us.
    pub client_id: String,
    /// The secret that it gave us, where it gave one.
    pub client_secret: Option<SecretText>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Where it may send people back to besides `/auth/providers/{name}/callback` of this server: addresses of your apps and pages,
    /// each met exactly.
    pub redirects: Vec<String>,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        let scopes = ["openid", "email", "profile"].map(str::to_owned).to_vec();
        Self { issuer: String::new(), client_id: String::new(), client_secret: None, scopes, redirects: Vec::new() }
    }
}

/// What no setting alone shows.
pub(super) fn check(providers: &Providers) -> Result<(), ConfigError> {
    for (name, provider) in providers {
        let wrong = |what: &str| Err(ConfigError::new(format!("providers.{name}{what}")));
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 32 || !name.chars().all(is_plain) {
            return wrong(": a name has 1 to 32 of a-z, 0-9 and -");
        }
        if provider.issuer.is_empty() || provider.client_id.is_empty() {
            return wrong(".issuer and client_id are set together");
        }
        if !provider.scopes.iter().any(|scope| scope == "openid") {
            return wrong(".scopes must have `openid` among them");
        }
    }
    Ok(())
}
