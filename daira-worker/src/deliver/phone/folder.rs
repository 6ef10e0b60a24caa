//! Messages to phones as files: each becomes a `.txt` in a folder, for a developer to read.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::{Handed, PhoneChannel, Text};

/// Puts messages into a folder.
#[derive(Debug)]
pub struct FolderPhone {
    folder: PathBuf,
}

impl FolderPhone {
    /// Into a folder, which is made when absent.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::new(ErrorKind::Unavailable, "phone.folder").with_source(error))?;
        Ok(Self { folder: folder.to_owned() })
    }
}

#[async_trait]
impl PhoneChannel for FolderPhone {
    fn carries(&self, _: &Text) -> bool {
        true
    }

    async fn send(&self, text: &Text) -> Result<Handed> {
        let written = format!("To: {}\n\n{}\n", text.to.expose(), text.words.expose());
        std::fs::write(self.folder.join(format!("{}.txt", text.key)), written)
            .map_err(|error| Error::new(ErrorKind::Unavailable, "phone.folder").with_source(error))?;
        Ok(Handed::Over)
    }
}
