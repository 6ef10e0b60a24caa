//! Generates the Rust of the protobuf contracts, without `protoc`: protox compiles, prost and tonic write.
//!
//! In: `daira-core/proto/**/*.proto`. Out: a module a package, and the descriptor set for reflection.

use std::path::Path;

use anyhow::Result;

/// Asks for the contracts alone, into the folder that follows.
pub(super) const INTO: &str = "--contracts-into";

/// The protobuf compiler is far heavier than everything else here, so it is a feature: we run ourselves again with it.
#[cfg(not(feature = "proto"))]
pub(super) fn generate(out: &Path) -> Result<()> {
    let mut command = crate::run::cargo(&["run", "--quiet", "--package", "xtask", "--features", "proto", "--"])?;
    let status = command.args(["codegen", INTO]).arg(out).status()?;
    anyhow::ensure!(status.success(), "the contracts could not be compiled");
    Ok(())
}

#[cfg(feature = "proto")]
pub(super) fn generate(out: &Path) -> Result<()> {
    use anyhow::Context as _;
    use prost::Message as _;
    let contracts = crate::run::root().join("daira-core/proto");
    let mut files = Vec::new();
    collect(&contracts, &mut files)?;
    files.sort();
    let descriptors = protox::compile(&files, [&contracts]).context("compiling the contracts")?;
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .out_dir(out)
        .client_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .compile_fds(descriptors)
        .context("generating Rust")
}

#[cfg(feature = "proto")]
fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    use anyhow::Context as _;
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
