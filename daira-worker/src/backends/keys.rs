//! The installation's master secret and what is derived from it, so that there is one secret to keep and to copy.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use daira_core::credential::{JwtSigner, generate_signing_key};
use daira_core::memory::RandomIds;
use daira_core::port::IdSource;
use daira_core::secret::{Key, Secret};
use data_encoding::HEXLOWER;

use crate::config::{Config, master_key};

/// The master secret: as configured, or kept in the data folder, where the first start makes it, and the folder before it.
pub(super) fn master(config: &Config) -> Result<Key> {
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("the data folder {} cannot be made", config.data.display()))?;
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

/// Signs access tokens with the key of a number, and believes its neighbours as well: nodes that are a step ahead or behind
/// while the number is raised. All nodes with the same master secret have the same keys.
pub(super) fn signer(master: &Key, number: u32) -> daira_core::Result<JwtSigner> {
    let key = |number: u32| generate_signing_key(&Fixed(*master.derive(&format!("signing/{number}")).as_bytes()));
    let neighbours = [number.checked_sub(1), number.checked_add(1)].into_iter().flatten();
    let signer = JwtSigner::new("daira", "daira", &key(number))?;
    neighbours.into_iter().try_fold(signer, |signer, neighbour| signer.also_accepting(&key(neighbour)))
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

    use daira_core::id::{Id, ProfileId, SessionId};
    use daira_core::port::{Claims, TokenSigner};
    use daira_core::time::Timestamp;

    #[test]
    fn security_23_neighbouring_keys_believe_each_other_and_no_further() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let claims = Claims {
            profile: ProfileId::from_raw(1),
            session: SessionId::from_raw(2),
            generation: 1,
            granted: None,
            issued_at: now,
            expires_at: now + core::time::Duration::from_mins(15),
        };
        let node = |number| signer(&Key::new([9; 32]), number).unwrap();
        for (signed_by, read_by, holds) in
            [(0, 0, true), (0, 1, true), (1, 0, true), (0, 2, false), (2, 0, false), (u32::MAX, u32::MAX - 1, true)]
        {
            let token = node(signed_by).sign(&claims).unwrap();
            assert_eq!(node(read_by).verify(&token, now).is_ok(), holds, "{signed_by} read by {read_by}");
        }
        let stranger = signer(&Key::new([8; 32]), 0).unwrap();
        assert!(stranger.verify(&node(0).sign(&claims).unwrap(), now).is_err());
    }

    #[test]
    fn one_secret_gives_the_same_keys_everywhere() {
        let key = || Key::new([9; 32]);
        let public = |number| signer(&key(), number).unwrap().public_key();
        assert_eq!(public(0), public(0));
        assert_ne!(public(0), public(1));
        assert_ne!(password(&key(), "app").expose(), password(&key(), "worker").expose());
    }
}
