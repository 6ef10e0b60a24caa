//! Which role may do what, printed by the server itself from the kernel's tables.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::run::{output, programs};

pub(super) fn generate(out: &Path) -> Result<()> {
    let page = output(Command::new(programs()?.join("daira-server")).args(["admin", "permissions"]).env_clear())?;
    Ok(std::fs::write(out, page)?)
}
