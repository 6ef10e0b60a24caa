//! The GraphQL schema as clients read it, printed by the server itself.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::run::{output, programs};

pub(super) fn generate(out: &Path) -> Result<()> {
    let schema = output(Command::new(programs()?.join("daira-server")).arg("schema"))?;
    Ok(std::fs::write(out, schema)?)
}
