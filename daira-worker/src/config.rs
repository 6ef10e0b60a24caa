//! The configuration of both programs: defaults, then one TOML file, then the environment. Only here is the
//! environment read.
//!
//! Every setting has a default that runs on one machine with nothing installed but PostgreSQL. A setting `a.b` is `b` in
//! the table `[a]` of the file, and `DAIRA_A__B` in the environment; `DAIRA_A__B_FILE` names a file that holds the value,
//! for secrets. `DATABASE_URL` is understood as `database.url`. A setting that does not exist is an error that names it.

mod doors;
mod providers;
mod read;
mod servers;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use daira_core::record::TextVersions;
use daira_core::settings::{CacheSettings, Limits, Retention, Settings};

pub use doors::{Grpc, Http};
pub use providers::{ProviderSettings, Providers};
pub(crate) use read::master_key;
pub use read::{ConfigError, SecretText, colours};
pub use servers::{Database, Redis};

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// What kind of installation it is: `development` serves the `GraphiQL` page and introspection, `production` does not.
    pub environment: Environment,
    /// Where everything lives that is not in a server of its own: the private PostgreSQL, media, mails, keys.
    pub data: PathBuf,
    /// The master secret, 64 hexadecimal digits, from which all keys are derived. When absent it is made once and kept in
    /// the data folder.
    pub secret: Option<SecretText>,
    /// Access tokens.
    pub tokens: Tokens,
    /// PostgreSQL.
    pub database: Database,
    /// Redis.
    pub redis: Redis,
    /// HTTP.
    pub http: Http,
    /// gRPC.
    pub grpc: Grpc,
    /// Consumers and jobs.
    pub workers: Workers,
    /// Passkeys.
    pub passkeys: Passkeys,
    /// Providers of identities that people can sign in with, by name: `[providers.google]` and below it `issuer`, `client_id`,
    /// `client_secret`, and if need be `scopes` and `redirects`.
    pub providers: Providers,
    /// Mail.
    pub mail: Mail,
    /// Codes to phones.
    pub phone: Phone,
    /// Places of log-ins.
    pub places: PlacesSettings,
    /// Logs.
    pub log: Log,
    /// The product's numbers.
    pub product: Product,
    /// The versions of the texts that people consent to. Raise one when its text changes: who agreed to the old one is asked
    /// again.
    pub texts: TextVersions,
    /// What is kept for how long after it has served.
    pub retention: Retention,
    /// What is kept of answers that are asked for often.
    pub cache: CacheSettings,
    /// How often things may be done: `120/15m` is 120 at once, and 120 in each 15 minutes.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environment: Environment::Production,
            data: PathBuf::from("data"),
            secret: None,
            tokens: Tokens::default(),
            database: Database::default(),
            redis: Redis::default(),
            http: Http::default(),
            grpc: Grpc::default(),
            workers: Workers::default(),
            passkeys: Passkeys::default(),
            providers: Providers::new(),
            mail: Mail::default(),
            phone: Phone::default(),
            places: PlacesSettings::default(),
            log: Log::default(),
            product: Product::default(),
            texts: TextVersions::default(),
            retention: Retention::default(),
            cache: CacheSettings::default(),
            limits: Limits::default(),
        }
    }
}

/// What kind of installation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// For building: shows more, trusts more.
    Development,
    /// For people.
    Production,
}

/// Access tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Tokens {
    /// The number of the key that signs them; each is derived from the master secret. To change keys, raise it by one, node
    /// after node: every node believes the keys next to its own, so nobody is logged out. A token's life later the old key
    /// is not needed any more, and with the next change nobody believes it.
    pub key: u32,
}

/// Consumers and jobs.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Workers {
    /// Whether the server runs them in its own process. Turn it off where `daira-worker` runs beside it.
    pub in_server: bool,
    /// How long running work may take to finish at shutdown, in seconds.
    pub drain_seconds: u64,
    /// Where the worker program serves `/metrics` and `/livez`; nowhere when absent.
    pub listen: Option<std::net::SocketAddr>,
}

impl Default for Workers {
    fn default() -> Self {
        Self { in_server: true, drain_seconds: 20, listen: None }
    }
}

/// Passkeys.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Passkeys {
    /// The domain that they are for, for instance `daira.example`; the host of the public address when absent, or `localhost`.
    /// Changing it makes all passkeys useless.
    pub domain: Option<String>,
    /// Origins below the domain that may ask for them, for instance `["https://daira.example"]`; the public address when empty.
    pub origins: Vec<String>,
}

/// Places of log-ins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PlacesSettings {
    /// A file in MaxMind's format (for instance GeoLite2 City) that says which country and governorate a network address is in.
    /// People are shown it for their sessions; without one they see no places.
    pub database: Option<PathBuf>,
}

/// Mail.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Mail {
    /// The sender of all mails.
    pub from: String,
    /// The server that sends them: `smtps://user:password@host`, or `smtp://user:password@host?tls=required` for a connection
    /// that is encrypted after its first words; a `%` in user or password is `%25`, an `@` is `%40`. When absent, mails
    /// are put into a folder.
    pub smtp_url: Option<SecretText>,
    /// The folder that mails are put into, one `.eml` file each, where no server is named; `mail` in the data folder when absent.
    pub folder: Option<PathBuf>,
}

impl Default for Mail {
    fn default() -> Self {
        Self { from: "DAIRA <no-reply@daira.example>".to_owned(), smtp_url: None, folder: None }
    }
}

/// Codes to phones. The ways that are set up are tried from the cheapest on: a flash call, to numbers in Egypt, then WhatsApp,
/// then a text message; who asks for another code begins with the next one. Where none is, messages are put into the folder
/// `phone` in the data folder.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Phone {
    /// The codes of the countries whose numbers codes are sent to. Each more is one that somebody may have expensive codes sent
    /// to, and be paid for it.
    pub countries: Vec<u16>,
    /// Where flash calls are asked for: `https://…/v1/api/flash-call` of a provider that speaks like DecisionTelecom.
    pub flash_call_url: Option<String>,
    /// The key that they are asked for with.
    pub flash_call_key: Option<SecretText>,
    /// The name that they are asked for under.
    pub flash_call_sender: String,
    /// Where WhatsApp's Cloud API takes messages: `https://graph.facebook.com/v21.0/<id of the number>/messages`.
    pub whatsapp_url: Option<String>,
    /// The token that they are sent with.
    pub whatsapp_token: Option<SecretText>,
    /// The authentication template for codes, approved in Arabic (`ar`) and in English (`en`).
    pub whatsapp_template: String,
    /// Where text messages are sent: `https://…/Messages.json` of Twilio, or of a gateway that speaks like it.
    pub sms_url: Option<String>,
    /// The user that they are sent as.
    pub sms_user: String,
    /// The user's password.
    pub sms_password: Option<SecretText>,
    /// The number or the name that they are sent from.
    pub sms_from: String,
}

impl Default for Phone {
    fn default() -> Self {
        Self {
            countries: Settings::default().phone_countries,
            flash_call_url: None,
            flash_call_key: None,
            flash_call_sender: "DAIRA".to_owned(),
            whatsapp_url: None,
            whatsapp_token: None,
            whatsapp_template: "daira_code".to_owned(),
            sms_url: None,
            sms_user: String::new(),
            sms_password: None,
            sms_from: "DAIRA".to_owned(),
        }
    }
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For the eye.
    Pretty,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Log {
    /// How logs look.
    pub format: LogFormat,
    /// What is logged, as `tracing` filters are written: `info,daira_store=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Json, filter: "info".to_owned() }
    }
}

/// The product's numbers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Product {
    /// Authors with at least this many followers are looked up at read time instead of written to inboxes.
    pub pull_threshold: i64,
    /// How long an access token is valid, in seconds.
    pub access_token_seconds: u64,
    /// How long somebody is still shown as active when the node that said so died, in seconds.
    pub activity_seconds: u64,
}

impl Default for Product {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            pull_threshold: settings.pull_threshold,
            access_token_seconds: settings.access_token_life.as_secs(),
            activity_seconds: settings.activity_life.as_secs(),
        }
    }
}

impl Config {
    /// What no setting alone shows.
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::new(what));
        if self.database.url.is_some() && self.database.worker_url.is_none() {
            return wrong(
                "database.url is set but database.worker_url is not: consumers and jobs need a role of their own",
            );
        }
        if self.database.url.is_some() && self.database.statement_cache == 0 && self.database.direct_url.is_none() {
            return wrong(
                "database.statement_cache is 0, as for a pooler, but database.direct_url is not set: listening needs a connection past it",
            );
        }
        if self.database.replica_url.is_some() && self.database.url.is_none() {
            return wrong("database.replica_url is set but database.url is not: the private PostgreSQL has no replica");
        }
        if self.database.replica_url.is_some()
            && (self.database.replica_lag_ms == 0 || self.database.replica_wait_ms == 0)
        {
            return wrong(
                "database.replica_lag_ms and database.replica_wait_ms must be at least 1, or no read is served by the replica",
            );
        }
        if self.database.connections == 0 || self.database.worker_connections == 0 {
            return wrong("database.connections and database.worker_connections must be at least 1");
        }
        if let Some(secret) = &self.secret
            && master_key(secret.expose()).is_none()
        {
            return wrong("secret must have 64 hexadecimal digits");
        }
        for (url, secret, told) in [
            (&self.phone.flash_call_url, &self.phone.flash_call_key, "phone.flash_call_url and phone.flash_call_key"),
            (&self.phone.whatsapp_url, &self.phone.whatsapp_token, "phone.whatsapp_url and phone.whatsapp_token"),
            (&self.phone.sms_url, &self.phone.sms_password, "phone.sms_url and phone.sms_password"),
        ] {
            if url.is_some() != secret.is_some() {
                return wrong(&format!("{told} are set together or not at all"));
            }
        }
        providers::check(&self.providers)?;
        if self.http.web_origins.iter().any(|origin| origin == "*") {
            return wrong("http.web_origins cannot be \"*\": pages of anybody would keep sessions; name your own");
        }
        if !(1..=10).contains(&self.http.batch) {
            return wrong("http.batch must be 1 to 10");
        }
        if self.http.timeout_seconds == 0 || self.http.concurrency == 0 {
            return wrong("http.timeout_seconds and http.concurrency must be at least 1");
        }
        if self.product.pull_threshold < 1 {
            return wrong("product.pull_threshold must be at least 1");
        }
        if !(60..=3600).contains(&self.product.access_token_seconds) {
            return wrong("product.access_token_seconds must be 60 to 3600");
        }
        if !(2..=3600).contains(&self.product.activity_seconds) {
            return wrong("product.activity_seconds must be 2 to 3600");
        }
        Ok(())
    }

    /// The kernel's settings with these numbers.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.pull_threshold = self.product.pull_threshold;
        settings.activity_life = core::time::Duration::from_secs(self.product.activity_seconds);
        settings.access_token_life = core::time::Duration::from_secs(self.product.access_token_seconds);
        settings.phone_countries.clone_from(&self.phone.countries);
        settings.texts = self.texts.clone();
        settings.retention = self.retention.clone();
        settings.cache = self.cache.clone();
        settings.limits = self.limits.clone();
        settings
    }

    /// The folder of mails.
    pub fn mail_folder(&self) -> PathBuf {
        self.mail.folder.clone().unwrap_or_else(|| self.data.join("mail"))
    }

    /// The address that clients use.
    pub fn public_url(&self) -> String {
        self.http.public_url.clone().unwrap_or_else(|| format!("http://{}", self.http.listen))
    }
}
