//! What rustdoc knows of our crates, as JSON. That is a preview which stable toolchains keep locked; the key goes to
//! rustdoc alone, through a wrapper, so that cargo finds everything else built already. The format belongs to the
//! toolchain, whose version the repository pins.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Result, ensure};

use crate::lint::DOCUMENTED;
use crate::run::{cargo, target};

/// Writes the JSON of all crates, once in a run; the folder it is in.
pub(super) fn json() -> Result<PathBuf> {
    static DONE: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = DONE.get() {
        return Ok(folder.clone());
    }
    let wrapper = target()?.join("rustdoc-json.sh");
    fs::write(&wrapper, "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n")?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    let mut command = cargo(&["doc", "--quiet"])?;
    command.args(DOCUMENTED).env("RUSTDOC", &wrapper).env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json");
    ensure!(command.status()?.success(), "rustdoc failed");
    Ok(DONE.get_or_init(|| wrapper.with_file_name("doc")).clone())
}
