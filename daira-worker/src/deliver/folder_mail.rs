//! Mails as files: each becomes an `.eml` in a folder, from where a mail server may pick it up or a developer read it.

use std::path::Path;

use async_trait::async_trait;
use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor};

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Channel, Message};

/// Puts mails into a folder.
#[derive(Debug)]
pub struct FolderMail {
    from: Mailbox,
    transport: AsyncFileTransport<Tokio1Executor>,
}

impl FolderMail {
    /// Into a folder, which is made when absent; `from` is `Name <name@host>`.
    ///
    /// # Errors
    /// When the sender is no address, or the folder cannot be made.
    pub fn new(folder: &Path, from: &str) -> Result<Self> {
        let fault = |source: Box<dyn core::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Unavailable, "mail.folder").with_source(source)
        };
        let from = from.parse().map_err(|e| fault(Box::new(e)))?;
        std::fs::create_dir_all(folder).map_err(|e| fault(Box::new(e)))?;
        Ok(Self { from, transport: AsyncFileTransport::new(folder) })
    }
}

#[async_trait]
impl Channel for FolderMail {
    async fn send(&self, message: &Message) -> Result<()> {
        let fault =
            |kind, source: Box<dyn core::error::Error + Send + Sync>| Error::new(kind, "mail.send").with_source(source);
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(message.to.expose().parse().map_err(|_| Error::new(ErrorKind::Corrupt, "mail.address"))?)
            .subject(&message.subject)
            .message_id(Some(format!("<{}@daira>", message.key)))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.expose().to_owned())
            .map_err(|e| fault(ErrorKind::Internal, Box::new(e)))?;
        self.transport.send(mail).await.map_err(|e| fault(ErrorKind::Unavailable, Box::new(e)))?;
        Ok(())
    }
}
