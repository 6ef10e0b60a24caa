//! The reference of settings: their names, defaults and meanings, out of the documented types of the configuration and the
//! program's own defaults.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::rustdoc;
use crate::run::{output, programs};

const HEAD: &str = "# Settings

Written by `cargo xtask codegen` from `daira-worker/src/config.rs`.

A setting comes from the file named by `--config` or `DAIRA_CONFIG`, and from the environment, which wins. In the file it is
TOML, `[http]` and below it `listen = \"0.0.0.0:8000\"`; in the environment it is in capitals with `DAIRA_` before it and two
underscores for each dot, `DAIRA_HTTP__LISTEN=0.0.0.0:8000`. With `_FILE` after its name, the variable names a file that holds
the value: for secrets. `DATABASE_URL` is `database.url`. An unknown or wrong setting is named and the program does not start;
`daira-server config check` tries them, `daira-server config dump` prints those in force.

| setting | default | what it is |
|---|---|---|
";

pub(super) fn generate(out: &Path) -> Result<()> {
    let described = std::fs::read(rustdoc::json()?.join("daira_worker.json"))?;
    let described: Value = serde_json::from_slice(&described)?;
    let index = described.get("index").context("rustdoc lists nothing")?;
    // Without anything of the developer's own environment.
    let mut dump = Command::new(programs()?.join("daira-server"));
    let defaults: Value = serde_json::from_str(&output(dump.args(["config", "dump"]).env_clear())?)?;
    let config = index.as_object().into_iter().flatten().find(|(_, item)| {
        item.get("name").and_then(Value::as_str) == Some("Config") && item.pointer("/inner/struct").is_some()
    });
    let (_, config) = config.context("there is no `Config`")?;
    let mut text = HEAD.to_owned();
    table(index, config, "", &defaults, &mut text)?;
    Ok(std::fs::write(out, text)?)
}

/// One line for each field, those of nested sections below the section's own.
fn table(index: &Value, section: &Value, prefix: &str, defaults: &Value, text: &mut String) -> Result<()> {
    let fields = section.pointer("/inner/struct/kind/plain/fields").and_then(Value::as_array);
    for id in fields.context("a section that is no struct with named fields")? {
        let field = index.get(id.to_string()).context("a field that rustdoc does not list")?;
        let name = field.get("name").and_then(Value::as_str).context("a field without a name")?;
        let docs = field.get("docs").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        let default = defaults.get(name).with_context(|| format!("`{prefix}{name}` is not dumped"))?;
        let of = field.pointer("/inner/struct_field/resolved_path/id").and_then(|id| index.get(id.to_string()));
        let inner = of.filter(|of| of.pointer("/inner/struct/kind/plain").is_some() && default.is_object());
        if let Some(inner) = inner {
            table(index, inner, &format!("{prefix}{name}."), default, text)?;
            continue;
        }
        let shown = match default {
            Value::Null => "none".to_owned(),
            other => format!("`{other}`"),
        };
        writeln!(text, "| `{prefix}{name}` | {shown} | {docs} |")?;
    }
    Ok(())
}
