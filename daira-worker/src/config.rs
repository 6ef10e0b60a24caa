//! The configuration of both programs: defaults, then one TOML file, then the environment. The only place that reads the
//! environment.
//!
//! Every setting has a default that runs on one machine with nothing installed but PostgreSQL. A setting `a.b` is `b` in
//! the table `[a]` of the file, and `DAIRA_A__B` in the environment; `DAIRA_A__B_FILE` names a file that holds the value,
//! for secrets. `DATABASE_URL` is understood as `database.url`. A setting that does not exist is an error that names it.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use daira_core::secret::Secret;
use daira_core::settings::{Limits, Settings};

/// Environment variables under our prefix that belong to the repository's own tools, not to the programs.
const NOT_OURS: &[&str] = &["cache", "config"];

/// Settings that hold secrets.
const SECRETS: &[&str] = &[
    "secret",
    "database.url",
    "database.worker_url",
    "database.direct_url",
    "database.replica_url",
    "database.owner_url",
    "redis.url",
];

/// A secret setting: read as text, shown as dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText(Secret);

impl SecretText {
    /// The text itself; call it only where it is used.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self(Secret::new(String::deserialize(d)?)))
    }
}

impl Serialize for SecretText {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("…")
    }
}

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
    /// Mail.
    pub mail: Mail,
    /// Logs.
    pub log: Log,
    /// The product's numbers.
    pub product: Product,
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
            mail: Mail::default(),
            log: Log::default(),
            product: Product::default(),
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

/// PostgreSQL.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Database {
    /// Address for the role that serves people, `postgres://daira_app:…@host/daira`. It may name several servers,
    /// `…@one:5432,two:5432/daira`: the one that takes writes is used, and when another one is promoted, that. When absent, a
    /// private PostgreSQL is set up in the data folder and started.
    pub url: Option<SecretText>,
    /// Address for the role that runs consumers and jobs; wanted when `url` is given.
    pub worker_url: Option<SecretText>,
    /// Address for the role that runs consumers and jobs, past any pooler: for what must keep a connection, which is the ticks
    /// of the event log and listening for them. When absent, `worker_url` is such an address.
    pub direct_url: Option<SecretText>,
    /// Address of one streaming replica, for the role that serves people: for reads that may lag behind. When absent, the
    /// primary answers them.
    pub replica_url: Option<SecretText>,
    /// How far the replica may lag behind and still be read, in milliseconds.
    pub replica_lag_ms: u64,
    /// How long a read waits for the replica, when its reader wrote just now and when it does not answer, before the primary is
    /// asked, in milliseconds.
    pub replica_wait_ms: u64,
    /// Address for the role that migrates, past any pooler; only `migrate` uses it.
    pub owner_url: Option<SecretText>,
    /// Most connections for serving people in transactions; a quarter as many more answer what is one statement.
    pub connections: u32,
    /// Most connections for consumers and jobs.
    pub worker_connections: u32,
    /// How many prepared statements a connection keeps; 0 behind a pooler in transaction mode, and `direct_url` is wanted then.
    pub statement_cache: usize,
    /// The folder of PostgreSQL's programs for the private one; found by itself when absent.
    pub binaries: Option<PathBuf>,
    /// Whether the private PostgreSQL writes every commit to the disk before it answers.
    pub durable: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            worker_url: None,
            direct_url: None,
            replica_url: None,
            replica_lag_ms: 5_000,
            replica_wait_ms: 100,
            owner_url: None,
            connections: 16,
            worker_connections: 4,
            statement_cache: 200,
            binaries: None,
            durable: true,
        }
    }
}

/// Redis.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Redis {
    /// Address of the Redis in which all nodes count their limits together: `redis://host:port`,
    /// `redis+sentinel://host:port,host:port/master` or `redis+cluster://host:port,host:port`. When absent, each node
    /// counts for itself.
    pub url: Option<SecretText>,
    /// What all keys begin with.
    pub prefix: String,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, prefix: "daira:".to_owned() }
    }
}

/// HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Http {
    /// Where to listen.
    pub listen: std::net::SocketAddr,
    /// The address that clients use, for media links; derived from `listen` when absent.
    pub public_url: Option<String>,
    /// Origins that browsers may call from; empty for none.
    pub cors_origins: Vec<String>,
    /// The most operations in one batch of GraphQL; 1 turns batches off.
    pub batch: usize,
    /// A request that takes longer is cancelled, in seconds.
    pub timeout_seconds: u64,
    /// Requests served at the same time; more get 503 with `Retry-After`.
    pub concurrency: usize,
    /// Streams at the same time on this node: connections over WebSocket, answers that go on, calls of gRPC that stream.
    pub streams: usize,
    /// Streams of one account at the same time.
    pub streams_per_account: usize,
    /// Networks of proxies in front of the server, for instance `["10.0.0.0/8"]`: what they say in `X-Forwarded-For` is
    /// believed, of HTTP and of gRPC.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8000).into(),
            public_url: None,
            cors_origins: Vec::new(),
            batch: 1,
            timeout_seconds: 10,
            concurrency: 512,
            streams: 10_000,
            streams_per_account: 20,
            trusted_proxies: Vec::new(),
        }
    }
}

/// gRPC.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Grpc {
    /// Where to listen.
    pub listen: std::net::SocketAddr,
}

impl Default for Grpc {
    fn default() -> Self {
        Self { listen: ([127, 0, 0, 1], 50051).into() }
    }
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

/// Mail.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Mail {
    /// The sender of all mails.
    pub from: String,
    /// The folder that mails are put into, one `.eml` file each; `mail` in the data folder when absent.
    pub folder: Option<PathBuf>,
}

impl Default for Mail {
    fn default() -> Self {
        Self { from: "DAIRA <no-reply@daira.example>".to_owned(), folder: None }
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
}

impl Default for Product {
    fn default() -> Self {
        let settings = Settings::default();
        Self { pull_threshold: settings.pull_threshold, access_token_seconds: settings.access_token_life.as_secs() }
    }
}

/// A configuration that cannot be used; the text names the setting.
#[derive(Debug)]
pub struct ConfigError(String);

impl ConfigError {
    /// With the sentence that says what is wrong.
    pub fn new(told: impl Into<String>) -> Self {
        Self(told.into())
    }
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// Reads the file, if one is named, and the environment.
    ///
    /// # Errors
    /// For a file that cannot be read, and for a wrong or unknown setting, which is named.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let env: Vec<(String, String)> = environment();
        Self::from_sources(file, &env)
    }

    fn from_sources(file: Option<&Path>, env: &[(String, String)]) -> Result<Self, ConfigError> {
        let defaults = || Figment::from(Serialized::defaults(Self::default()));
        let mut figment = defaults();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("the configuration file {} cannot be read", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
            let read: Result<Self, _> = figment.extract();
            read.map_err(|e| ConfigError(format!("in {}: {}", file.display(), told(&e))))?;
        }
        for (name, value) in env {
            let Some(key) = setting_of(name) else { continue };
            let (key, value) = match key.strip_suffix("_file") {
                Some(key) => {
                    let text = std::fs::read_to_string(value)
                        .map_err(|e| ConfigError(format!("{name} names {value}, which cannot be read: {e}")))?;
                    (key.to_owned(), text.trim_end().to_owned())
                }
                None => (key, value.clone()),
            };
            // Figment's own parser turns `8000` into a number and `[a, b]` into a list; a secret is text whatever it looks like.
            let value: figment::value::Value = if SECRETS.contains(&key.as_str()) {
                value.into()
            } else {
                value.parse().map_err(|_| ConfigError(format!("{name} cannot be read")))?
            };
            let setting = Serialized::global(&key, value);
            // One by one, so that a wrong one is told by the name that it was set under.
            let alone: Result<Self, _> = defaults().merge(setting.clone()).extract();
            alone.map_err(|e| ConfigError(format!("{name}: {}", told(&e))))?;
            figment = figment.merge(setting);
        }
        let config: Self = figment.extract().map_err(|e| ConfigError(told(&e)))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError(what.to_owned()));
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
        if self.database.connections == 0 || self.database.worker_connections == 0 {
            return wrong("database.connections and database.worker_connections must be at least 1");
        }
        if let Some(secret) = &self.secret
            && master_key(secret.expose()).is_none()
        {
            return wrong("secret must have 64 hexadecimal digits");
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
        Ok(())
    }

    /// The kernel's settings with these numbers.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.pull_threshold = self.product.pull_threshold;
        settings.access_token_life = core::time::Duration::from_secs(self.product.access_token_seconds);
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

/// Whether texts on a terminal are coloured; `NO_COLOR` turns it off (<https://no-color.org>).
pub fn colours(terminal: bool) -> bool {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    let wanted = std::env::var("NO_COLOR").map_or(true, |set| set.is_empty());
    terminal && wanted
}

/// Reads 64 hexadecimal digits.
pub(crate) fn master_key(text: &str) -> Option<[u8; 32]> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?.try_into().ok()
}

/// The setting that an environment variable names, for instance `http.listen` for `DAIRA_HTTP__LISTEN`.
fn setting_of(name: &str) -> Option<String> {
    if name == "DATABASE_URL" {
        return Some("database.url".to_owned());
    }
    let rest = name.strip_prefix("DAIRA_")?.to_ascii_lowercase();
    (!NOT_OURS.contains(&rest.as_str()) && !rest.starts_with("test_")).then(|| rest.replace("__", "."))
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn environment() -> Vec<(String, String)> {
    std::env::vars().filter(|(name, _)| setting_of(name).is_some()).collect()
}

fn told(error: &figment::Error) -> String {
    let lines: Vec<_> = error
        .clone()
        .into_iter()
        .map(|e| {
            let path = e.path.join(".");
            if path.is_empty() { format!("configuration: {}", e.kind) } else { format!("setting {path}: {}", e.kind) }
        })
        .collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let env: Vec<_> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Config::from_sources(None, &env)
    }

    #[test]
    fn nothing_set_runs_on_one_machine() {
        let config = load(&[]).unwrap();
        assert!(config.database.url.is_none() && config.workers.in_server);
        assert_eq!(config.http.listen.port(), 8000);
    }

    #[test]
    fn the_environment_overrides_and_errors_name_the_setting() {
        assert_eq!(load(&[("DAIRA_HTTP__LISTEN", "127.0.0.1:9000")]).unwrap().http.listen.port(), 9000);
        assert_eq!(load(&[("DAIRA_PRODUCT__PULL_THRESHOLD", "200")]).unwrap().settings().pull_threshold, 200);
        let proxies =
            load(&[("DAIRA_HTTP__TRUSTED_PROXIES", "[10.0.0.0/8, \"2001:db8::/32\"]")]).unwrap().http.trusted_proxies;
        assert_eq!(proxies.len(), 2);
        let limits = load(&[("DAIRA_LIMITS__LOG_IN_DEVICE", "3/1h")]).unwrap().settings().limits;
        assert_eq!(limits.log_in_device, "3/1h".parse().unwrap());
        for (name, value, told) in [
            ("DAIRA_HTTP__LISTEN", "nowhere", "http.listen"),
            ("DAIRA_HTTP__LISTEN", "nowhere", "DAIRA_HTTP__LISTEN"),
            ("DAIRA_HTTP__LISTN", "127.0.0.1:1", "DAIRA_HTTP__LISTN: setting http.listn: unknown field: found `listn`"),
            ("DAIRA_NONSENSE", "1", "DAIRA_NONSENSE"),
            ("DAIRA_HTTP", "1", "DAIRA_HTTP"),
            ("DAIRA_LIMITS__MEMBER", "a lot", "not a quota such as `120/15m`"),
            ("DAIRA_HTTP__TRUSTED_PROXIES", "[nowhere]", "http.trusted_proxies"),
            ("DAIRA_SECRET", "abc", "secret"),
            ("DATABASE_URL", "postgres://x", "database.worker_url"),
            ("DAIRA_DATABASE__REPLICA_URL", "postgres://x", "database.url is not"),
            ("DAIRA_SECRET_FILE", "/nonexistent/file", "DAIRA_SECRET_FILE"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(told), "{name}: {error}");
        }
    }

    #[test]
    fn a_pooler_needs_a_way_past_it() {
        let pooled = [
            ("DATABASE_URL", "postgres://x"),
            ("DAIRA_DATABASE__WORKER_URL", "postgres://y"),
            ("DAIRA_DATABASE__STATEMENT_CACHE", "0"),
            ("DAIRA_DATABASE__DIRECT_URL", "postgres://z"),
        ];
        assert!(load(&pooled).is_ok());
        assert!(load(&pooled[..3]).unwrap_err().to_string().contains("database.direct_url is not set"));
    }

    #[test]
    fn a_wrong_setting_in_a_file_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("daira.toml");
        for (text, expected) in [
            ("[http]\ntimeout_secs = 5\n", "timeout_secs"),
            ("[http\n", "daira.toml"),
            ("[http]\ntimeout_seconds = \"long\"\n", "http.timeout_seconds"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Config::from_sources(Some(&file), &[]).unwrap_err().to_string();
            assert!(error.contains("daira.toml") && error.contains(expected), "{error}");
        }
        std::fs::write(&file, "[http]\ntimeout_seconds = 5\n").unwrap();
        assert_eq!(Config::from_sources(Some(&file), &[]).unwrap().http.timeout_seconds, 5);
        let error = Config::from_sources(Some(&folder.path().join("none.toml")), &[]).unwrap_err().to_string();
        assert!(error.contains("none.toml cannot be read"), "{error}");
    }

    #[test]
    fn security_127_secrets_are_not_shown() {
        let config = load(&[("DAIRA_SECRET", &"ab".repeat(32))]).unwrap();
        let shown = format!("{config:?}{}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("abab"));
    }
}
