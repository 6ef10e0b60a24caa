//! The reference of settings: their names, defaults and meanings, out of the documented types of the configuration and the
//! program's own defaults.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::rustdoc;
use crate::run::{output, programs};

const HEAD: &str = "# Settings

Written by `cargo xtask codegen` from `daira-worker/src/config.rs` and `daira-core/src/settings.rs`.

A setting comes from the file named by `--config` or `DAIRA_CONFIG`, and from the environment, which wins. In the file it is
TOML, `[http]` and below it `listen = \"0.0.0.0:8000\"`; in the environment it is in capitals with `DAIRA_` before it and two
underscores for each dot, `DAIRA_HTTP__LISTEN=0.0.0.0:8000`. With `_FILE` after its name, the variable names a file that holds
the value: for secrets. `DATABASE_URL` is `database.url`. An unknown or wrong setting is named and the program does not start;
`daira-server config check` tries them, `daira-server config dump` prints those in force.

| setting | default | what it is |
|---|---|---|
";

pub(super) fn generate(out: &Path) -> Result<()> {
    let [worker, core] = ["daira_worker", "daira_core"].map(described);
    let (worker, core) = (worker?, core?);
    // Without anything of the developer's own environment.
    let mut dump = Command::new(programs()?.join("daira-server"));
    let defaults: Value = serde_json::from_str(&output(dump.args(["config", "dump"]).env_clear())?)?;
    let mut text = HEAD.to_owned();
    let index = worker.as_object().context("rustdoc lists nothing")?;
    table([&worker, &core], record(index, "Config").context("there is no `Config`")?, "", &defaults, &mut text)?;
    Ok(std::fs::write(out, text)?)
}

/// Everything that rustdoc lists of a crate, by its number.
fn described(name: &str) -> Result<Value> {
    let mut all: Value = serde_json::from_slice(&std::fs::read(rustdoc::json()?.join(format!("{name}.json")))?)?;
    all.get_mut("index").map(Value::take).context("rustdoc lists nothing")
}

/// A struct with named fields, by its name.
fn record<'a>(index: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    index.values().find(|item| {
        item.get("name").and_then(Value::as_str) == Some(name) && item.pointer("/inner/struct/kind/plain").is_some()
    })
}

/// One line for each field, those of nested sections below the section's own. The section is of the first crate; its fields
/// may be sections of the second.
fn table(crates: [&Value; 2], section: &Value, prefix: &str, defaults: &Value, text: &mut String) -> Result<()> {
    let [index, other] = crates;
    let fields = section.pointer("/inner/struct/kind/plain/fields").and_then(Value::as_array);
    for id in fields.context("a section that is no struct with named fields")? {
        let field = index.get(id.to_string()).context("a field that rustdoc does not list")?;
        let name = field.get("name").and_then(Value::as_str).context("a field without a name")?;
        let docs = field.get("docs").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        let default = defaults.get(name).with_context(|| format!("`{prefix}{name}` is not dumped"))?;
        let kind = field.pointer("/inner/struct_field/resolved_path").filter(|_| default.is_object());
        let kind = kind.and_then(|kind| kind.get("path")?.as_str()?.rsplit("::").next());
        let section = crates.into_iter().find_map(|of| Some((of, record(of.as_object()?, kind?)?)));
        if let Some((of, section)) = section {
            table([of, other], section, &format!("{prefix}{name}."), default, text)?;
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
