//! Reads the configuration: defaults, the file, the environment, each laid over the one before, every mistake told by the name
//! that it was set under.

use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use daira_core::secret::Secret;

use super::Config;

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
    "mail.smtp_url",
    "phone.flash_call_key",
    "phone.whatsapp_token",
    "phone.sms_password",
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
            let is_secret =
                SECRETS.contains(&key.as_str()) || (key.starts_with("providers.") && key.ends_with(".client_secret"));
            let value: figment::value::Value = if is_secret {
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
            ("DAIRA_PHONE__SMS_URL", "https://sms.example", "phone.sms_password are set together"),
            ("DATABASE_URL", "postgres://x", "database.worker_url"),
            ("DAIRA_DATABASE__REPLICA_URL", "postgres://x", "database.url is not"),
            ("DAIRA_SECRET_FILE", "/nonexistent/file", "DAIRA_SECRET_FILE"),
            ("DAIRA_PROVIDERS__GOOGLE__ISSUER", "https://accounts.google.com", "providers.google.issuer and client_id"),
            ("DAIRA_PROVIDERS__GOOGLE__ISSUR", "x", "DAIRA_PROVIDERS__GOOGLE__ISSUR"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(told), "{name}: {error}");
        }
    }

    #[test]
    fn a_provider_is_set_up_by_the_environment_too() {
        let google = [
            ("DAIRA_PROVIDERS__GOOGLE__ISSUER", "https://accounts.google.com"),
            ("DAIRA_PROVIDERS__GOOGLE__CLIENT_ID", "daira.apps.example"),
            ("DAIRA_PROVIDERS__GOOGLE__CLIENT_SECRET", "1234"),
            ("DAIRA_PROVIDERS__GOOGLE__REDIRECTS", "[\"example.daira:/in\"]"),
        ];
        let config = load(&google).unwrap();
        let provider = &config.providers["google"];
        assert_eq!(provider.client_secret.as_ref().unwrap().expose(), "1234", "a text, whatever it looks like");
        assert_eq!((&*provider.redirects[0], provider.scopes.len()), ("example.daira:/in", 3));
        assert!(!format!("{config:?}{}", serde_json::to_string(&config).unwrap()).contains("1234"));
        let told = load(&[&google[..], &[("DAIRA_PROVIDERS__GOOGLE__SCOPES", "[email]")]].concat()).unwrap_err();
        assert!(told.to_string().contains("providers.google.scopes"));
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
