//! Generates the Rust of the protobuf contracts, without `protoc`: protox compiles, prost and tonic write.
//!
//! In: `daira-core/proto/**/*.proto`. Out: `daira-core/src/proto/generated/*.rs` and the descriptor set for reflection.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use prost::Message;

/// Writes the generated files below `root`.
pub(crate) fn generate(root: &Path) -> Result<()> {
    let contracts = root.join("daira-core/proto");
    let out = root.join("daira-core/src/proto/generated");
    let mut files = Vec::new();
    collect(&contracts, &mut files)?;
    files.sort();
    let descriptors = protox::compile(&files, [&contracts]).context("compiling the contracts")?;
    std::fs::create_dir_all(&out)?;
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .out_dir(&out)
        .client_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .compile_fds(descriptors)
        .context("generating Rust")?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
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
