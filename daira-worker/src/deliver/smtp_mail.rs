//! Mails over SMTP, to a server that sends them on.
//!
//! Connections are kept for the next mail, but only those that ended their last one in order: one that was given up in the middle
//! may be anywhere, and whatever it says next could be the answer to something else. What the server says to the connection or
//! to our name concerns every mail, so it is a refusal for now, whatever its number; what it says to a recipient or to a
//! mail is final from 500 on.

use core::net::IpAddr;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use url::Url;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Channel, Handed, Message};
use daira_core::secret::Secret;

use super::compose::{mail, sender};

/// How long connecting may take, whether a kept connection still answers, and sending.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many connections are kept.
const KEPT: usize = 4;
/// How long one is kept without a mail; servers close theirs after minutes.
const IDLE: Duration = Duration::from_secs(30);

/// Whether a connection is encrypted.
enum Wire {
    /// From its first byte.
    Encrypted(TlsParameters),
    /// After a few words; else nothing is said.
    Upgraded(TlsParameters),
    /// Never: to this machine alone.
    Plain,
}

/// Sends mails over SMTP.
pub struct SmtpMail {
    from: Mailbox,
    host: String,
    port: u16,
    wire: Wire,
    credentials: Option<Credentials>,
    hello: ClientId,
    patience: Duration,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl core::fmt::Debug for SmtpMail {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SmtpMail").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// How a step of sending failed.
enum Failed {
    /// For now.
    Away(SmtpError),
    /// For good, by the server's number.
    Refused(u16),
    /// It took too long.
    Late,
}

impl SmtpMail {
    /// To the server at an address: `smtps://user:password@host` (port 465), or `smtp://host?tls=required` (port 587), where the
    /// connection is encrypted after its first words. `smtp://127.0.0.1:25` is not encrypted, and for this machine alone:
    /// mails hold what lets people in. `from` is `Name <name@host>`.
    ///
    /// # Errors
    /// With what is wrong with the address, which is not repeated: it may hold a password.
    pub fn new(address: &Secret, from: &str) -> Result<Self> {
        let wrong = |what: &str| Error::new(ErrorKind::Internal, "mail.smtp_url").with_source(what.to_owned());
        let url = Url::parse(address.expose()).map_err(|_| wrong("it is no address"))?;
        // In addresses of schemes that it does not know, the parser takes numbers for names.
        let name = url.host_str().ok_or_else(|| wrong("it names no host"))?.trim_matches(['[', ']']).to_owned();
        let is_here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let parameters = || TlsParameters::new(name.clone()).map_err(|_| wrong("a certificate cannot be for its host"));
        let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (wire, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) => (Wire::Encrypted(parameters()?), 465),
            ("smtp", Some("required")) => (Wire::Upgraded(parameters()?), 587),
            ("smtp", None) if is_here => (Wire::Plain, 25),
            ("smtp", None) => return Err(wrong("a server elsewhere takes `smtps://…` or `?tls=required`")),
            _ => {
                return Err(wrong(
                    "it begins neither with `smtps://` nor with `smtp://`, or its `tls` is not `required`",
                ));
            }
        };
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| wrong("its user or password is no UTF-8"))
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None if url.username().is_empty() => None,
            None => return Err(wrong("it names a user without a password")),
        };
        let from = sender(from)?;
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let port = url.port().unwrap_or(port);
        Ok(Self { from, host: name, port, wire, credentials, hello, patience: PATIENCE, kept: Mutex::default() })
    }

    /// Waits this long for connecting, and as long again for a mail to be taken.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn connect(&self) -> core::result::Result<AsyncSmtpConnection, SmtpError> {
        let (at, encrypted) = (
            (self.host.as_str(), self.port),
            match &self.wire {
                Wire::Encrypted(tls) => Some(tls.clone()),
                Wire::Upgraded(_) | Wire::Plain => None,
            },
        );
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(at, Some(self.patience), &self.hello, encrypted, None).await?;
        if let Wire::Upgraded(tls) = &self.wire {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// A kept connection that still answers, else a new one.
    async fn connection(&self) -> core::result::Result<AsyncSmtpConnection, Failed> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some((mut connection, since)) = kept() {
            let answers = since.elapsed() < IDLE
                && tokio::time::timeout(self.patience, connection.test_connected()).await.unwrap_or(false);
            if answers {
                return Ok(connection);
            }
        }
        match tokio::time::timeout(self.patience, self.connect()).await {
            Ok(connected) => connected.map_err(Failed::Away),
            Err(_) => Err(Failed::Late),
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push((connection, Instant::now()));
        }
    }

    async fn say(&self, to: lettre::Address, mail: &[u8]) -> core::result::Result<(), Failed> {
        let connection = self.connection().await?;
        let said = tokio::time::timeout(self.patience, self.say_over(connection, to, mail));
        said.await.unwrap_or(Err(Failed::Late))
    }

    /// Says a mail over a connection, and keeps it when all went well; else it is closed.
    async fn say_over(
        &self,
        mut connection: AsyncSmtpConnection,
        to: lettre::Address,
        mail: &[u8],
    ) -> core::result::Result<(), Failed> {
        let from = self.from.email.clone();
        connection.command(Mail::new(Some(from), Vec::new())).await.map_err(Failed::Away)?;
        connection.command(Rcpt::new(to, Vec::new())).await.map_err(judged)?;
        connection.command(Data).await.map_err(judged)?;
        connection.message(mail).await.map_err(judged)?;
        self.keep(connection);
        Ok(())
    }
}

/// What the server said to a recipient or to a mail.
fn judged(error: SmtpError) -> Failed {
    match error.status().filter(|_| error.is_permanent()) {
        Some(code) => Failed::Refused(code.into()),
        None => Failed::Away(error),
    }
}

#[async_trait]
impl Channel for SmtpMail {
    async fn send(&self, message: &Message) -> Result<Handed> {
        let mail = mail(&self.from, message)?;
        let to = mail.envelope().to().first().cloned().ok_or_else(|| Error::new(ErrorKind::Corrupt, "mail.address"))?;
        match self.say(to, &mail.formatted()).await {
            Ok(()) => Ok(Handed::Over),
            Err(Failed::Refused(code)) => Ok(Handed::Refused(format!("SMTP {code}"))),
            Err(Failed::Away(error)) => {
                // Servers repeat addresses in what they say, so that only its number is passed on.
                let told = error.status().map_or_else(|| kind(&error).to_owned(), |code| format!("SMTP {code}"));
                Err(Error::new(ErrorKind::Unavailable, "mail.send").with_source(told))
            }
            Err(Failed::Late) => Err(Error::new(ErrorKind::Unavailable, "mail.send").with_source("no answer in time")),
        }
    }
}

fn kind(error: &SmtpError) -> &'static str {
    if error.is_tls() {
        "the connection could not be encrypted"
    } else if error.is_response() || error.is_client() {
        "the server speaks no SMTP that we understand"
    } else {
        "the server cannot be reached"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> core::result::Result<SmtpMail, String> {
        SmtpMail::new(&Secret::new(address), "DAIRA <no-reply@daira.example>").map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn addresses_are_understood_and_never_repeated() {
        for (address, host, port) in [
            ("smtps://mona:p%40ss@mail.example", "mail.example", 465),
            ("smtps://mona:pass@mail.example:4650", "mail.example", 4650),
            ("smtp://mail.example?tls=required", "mail.example", 587),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025),
            ("smtp://localhost", "localhost", 25),
            ("smtp://[::1]:25", "::1", 25),
        ] {
            let smtp = at(address).unwrap();
            assert_eq!((smtp.host.as_str(), smtp.port), (host, port), "{address}");
            assert!(!format!("{smtp:?}").contains("ss@"));
        }
        let credentials = at("smtps://mona:p%40ss@mail.example").unwrap().credentials;
        assert_eq!(credentials, Some(Credentials::new("mona".to_owned(), "p@ss".to_owned())));
        for wrong in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://hunter2:hunter2@mail.example",
            "smtp://mail.example?tls=opportunistic",
            "smtps://mail.example?tls=none",
            "smtps://hunter2@mail.example",
        ] {
            let told = at(wrong).unwrap_err();
            assert!(told.contains("mail.smtp_url") && !told.contains("hunter2"), "{wrong}: {told}");
        }
        assert!(SmtpMail::new(&Secret::new("smtp://localhost"), "nobody").is_err());
    }
}
