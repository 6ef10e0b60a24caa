//! What the database holds of people, as a page: out of the store's data map.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Error, Result};

use data_map::Link;

#[expect(unreachable_pub, reason = "the store's public module, compiled here by itself: the store takes minutes")]
#[path = "../../../daira-store/src/postgres/data_map.rs"]
mod data_map;

const HEAD: &str = "# Data

Written by `cargo xtask codegen data` from `daira-store/src/postgres/data_map.txt`, whose head explains the words. A test
holds that the map names every column of the database and no other; another erases a person who has a row in every table
and looks for them in every column ([ADR 15](adr/0015-erasure.md)).

Files of pictures lie in the blob store under keys that stand in `media.variants`, and go with their row. Redis holds
buckets of limits under ids and keyed digests, for as long as they fill up again; the ids of profiles under their handles, for
minutes, forgotten when somebody is erased; which profiles have a stream open, for less than a minute after the last word of their
node; and hints that nobody keeps. Logs hold ids and codes.
";

pub(super) fn generate(out: &Path) -> Result<()> {
    let mut page = HEAD.to_owned();
    for table in data_map::tables().map_err(Error::msg)? {
        let erased = match table.erasure {
            "delete" => "deleted",
            "keep" => "kept: ids and codes",
            "fall" => "falls with its time",
            "blank" => "deleted, or left without text and author",
            _ => "not about people",
        };
        let by = |links: &[Link]| -> String {
            let all: Vec<String> = links.iter().map(|link| format!("{} `{}`", link.kind, link.column)).collect();
            if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
        };
        writeln!(
            page,
            "\n## {}\n\nWhy: {}. How long: {}. When an account is erased: {erased}.",
            table.name, table.why, table.until
        )?;
        if table.links().next().is_some() {
            writeln!(page, "Whose: {}. Names: {}.", by(&table.owners), by(&table.named))?;
        }
        page.push_str("\n| column | what it is |\n|---|---|\n");
        for column in &table.columns {
            let other = if column.erasure == table.erasure { String::new() } else { format!(", {}", column.erasure) };
            writeln!(page, "| `{}` | {}{other} |", column.name, column.class)?;
        }
    }
    Ok(std::fs::write(out, page)?)
}
