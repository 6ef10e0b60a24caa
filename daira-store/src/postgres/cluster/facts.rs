//! How to connect to the running cluster.

use std::{
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The name of the cluster's superuser.
pub(super) const SUPERUSER: &str = "postgres";

/// Where the cluster listens, and its superuser. The password is not shown by `Debug`.
#[derive(Clone)]
pub struct ConnectionFacts {
    pub(super) socket_dir: PathBuf,
    pub(super) port: u16,
    pub(super) major: u32,
    pub(super) password: String,
}

impl ConnectionFacts {
    /// The private folder that holds the Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The number in the socket's name; no TCP port is open.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The superuser's name.
    pub fn superuser(&self) -> &'static str {
        SUPERUSER
    }

    /// The superuser's password.
    pub fn superuser_password(&self) -> &str {
        &self.password
    }

    /// A connection URL for any role, as `psql`, libpq and sqlx take it. It holds the password: do not log it.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!(
            "postgres://{}:{}@{}:{}/{}",
            encode(role.as_bytes()),
            encode(password.as_bytes()),
            encode(self.socket_dir.as_os_str().as_bytes()),
            self.port,
            encode(database.as_bytes()),
        )
    }

    /// The superuser's connection URL. It holds the password: do not log it.
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(SUPERUSER, &self.password, database)
    }

    /// The same for the adapters of this crate, without the detour through text.
    pub(crate) fn options(&self, role: &str, password: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(self.port)
            .username(role)
            .password(password)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }
}

impl fmt::Debug for ConnectionFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionFacts")
            .field("socket_dir", &self.socket_dir)
            .field("port", &self.port)
            .field("major", &self.major)
            .finish_non_exhaustive()
    }
}

/// Percent-encodes everything but letters and digits.
fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ConnectionFacts {
        ConnectionFacts { socket_dir: "/d a/run".into(), port: 5432, major: 18, password: "s3cret".into() }
    }

    #[test]
    fn urls_survive_any_character() {
        let url = facts().url("app", "p@ss/w:rd", "daira");
        assert_eq!(url, "postgres://app:p%40ss%2Fw%3Ard@%2Fd%20a%2Frun:5432/daira");
        let options: PgConnectOptions = url.parse().unwrap();
        assert_eq!(options.get_socket().unwrap(), Path::new("/d a/run"));
        assert_eq!(options.get_username(), "app");
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", facts()).contains("s3cret"));
    }
}
