//! Use cases of apps of others: `apps` registers them, `consent` lets them in and shuts them out, `tokens` gives them tokens.

mod apps;
mod consent;
mod tokens;

use std::sync::Arc;

use super::{App, OauthRefusal, code};
use crate::account::AccountService;
use crate::error::Result;
use crate::id::AppId;
use crate::port::Ports;
use crate::secret::Secret;

pub use apps::{AppSettings, RegisteredApp, close_dead_apps};
pub use tokens::{Issued, Presented, UserInfo};

/// Apps of others. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct OauthService {
    accounts: AccountService,
    ports: Ports,
    issuer: Arc<str>,
}

/// What an app proves itself with.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id, as it names itself.
    pub id: String,
    /// Its secret, where it has one.
    pub secret: Option<Secret>,
    /// Where it comes from, for limits alone.
    pub from: crate::actor::Client,
}

impl OauthService {
    /// Over accounts; the issuer is the public address of the server, which apps know it by.
    pub fn new(accounts: AccountService, issuer: impl Into<Arc<str>>) -> Self {
        Self { ports: accounts.ports.clone(), accounts, issuer: issuer.into() }
    }

    /// The public address of the server, which apps know it by.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether there are ID tokens: others must be able to check them.
    pub fn has_id_tokens(&self) -> bool {
        !self.ports.signer.public_keys().is_empty()
    }

    /// An app that is not deleted, and whose owner was not shut out.
    async fn living_app(&self, id: AppId) -> Result<Option<App>> {
        let now = self.ports.clock.now();
        self.ports.store.begin(&crate::Actor::Anonymous).await?.apps().living_app(id, now).await
    }

    /// The app that proved itself: by its secret, or by nothing where it could not keep one. Who brings a wrong secret counts
    /// against the address, and guesses no further.
    async fn client(&self, client: &Client) -> Result<App> {
        let found = match client.id.parse() {
            Ok(id) => self.living_app(id).await?,
            Err(_) => None,
        };
        let proves = |app: &App| client.secret == code::secret(&self.ports.keys.oauth, app);
        if let Some(app) = found.filter(proves) {
            return Ok(app);
        }
        self.accounts.count_code(&client.from).await?;
        Err(OauthRefusal::ClientInvalid.into())
    }
}
