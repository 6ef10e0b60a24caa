//! Mails as files: each becomes an `.eml` in a folder, from where a mail server may pick it up or a developer read it.

use std::path::Path;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::{AsyncFileTransport, AsyncTransport, Tokio1Executor};

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Channel, Handed, Message};

use super::compose::{mail, sender};

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
        let from = sender(from)?;
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::new(ErrorKind::Unavailable, "mail.folder").with_source(error))?;
        Ok(Self { from, transport: AsyncFileTransport::new(folder) })
    }
}

#[async_trait]
impl Channel for FolderMail {
    async fn send(&self, message: &Message) -> Result<Handed> {
        let sent = self.transport.send(mail(&self.from, message)?).await;
        sent.map_err(|error| Error::new(ErrorKind::Unavailable, "mail.send").with_source(error))?;
        Ok(Handed::Over)
    }
}
