//! The installation's master secret and what is derived from it, so that there is one secret to keep and to copy.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use daira_core::credential::generate_signing_key;
use daira_core::memory::RandomIds;
use daira_core::port::IdSource;
use daira_core::secret::{Key, Secret};
use data_encoding::HEXLOWER;

use crate::config::{Config, master_key};

/// The master secret: as configured, or kept in the data folder, where the first start makes it.
pub(super) fn master(config: &Config) -> Result<Key> {
    if let Some(secret) = &config.secret {
        return master_key(secret.expose()).map(Key::new).context("secret must have 64 hexadecimal digits");
    }
    let path = config.data.join("secret");
    make(&path).with_context(|| format!("the master secret cannot be kept in {}", path.display()))?;
    let mut text = String::new();
    // Another process may be writing it at this moment; it does so at once or never.
    for _ in 0..50 {
        text.clear();
        File::open(&path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .with_context(|| format!("reading {}", path.display()))?;
        if let Some(bytes) = master_key(&text) {
            return Ok(Key::new(bytes));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    bail!(
        "{} does not hold 64 hexadecimal digits: restore it from your copy; a new one would end all sessions",
        path.display()
    )
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            let ids: &dyn IdSource = &RandomIds;
            file.write_all(HEXLOWER.encode(&ids.bytes::<32>()).as_bytes())?;
            file.sync_all()
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The key that signs access tokens; all nodes with the same master secret have the same.
pub(super) fn signing(master: &Key) -> Secret {
    generate_signing_key(&Fixed(*master.derive("signing").as_bytes()))
}

/// The password of one of the private database's roles.
pub(super) fn password(master: &Key, role: &str) -> Secret {
    Secret::new(HEXLOWER.encode(master.derive(&format!("database/{role}")).as_bytes()))
}

/// A source that gives the same derived bytes each time it is asked for that many.
struct Fixed([u8; 32]);

impl IdSource for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        for (to, from) in buffer.iter_mut().zip(self.0.iter().cycle()) {
            *to = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_gives_the_same_keys_everywhere() {
        let key = || Key::new([9; 32]);
        assert_eq!(signing(&key()).expose(), signing(&key()).expose());
        assert_ne!(password(&key(), "app").expose(), password(&key(), "worker").expose());
    }
}
