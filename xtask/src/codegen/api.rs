//! The public interface of each library, an item a line: a review sees a change of it as a difference of a file, and a line
//! that goes or changes is a breaking change.
//!
//! Walks the modules as a user of the crate sees them: an item has the path that it is exported under. Left out are what
//! the compiler derives or implements by itself, and the modules that are generated from contracts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::rust::{self, at, list, text, under};
use super::rustdoc;
use crate::features::LIBRARIES;

/// Generated; their contract is the `.proto` file.
const NOT_LISTED: &str = "daira_core::proto";

pub(super) fn generate(out: &Path) -> Result<()> {
    let described = rustdoc::json()?;
    fs::create_dir_all(out)?;
    for name in LIBRARIES {
        let file = described.join(format!("{}.json", name.replace('-', "_")));
        let json = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let json: Value = serde_json::from_slice(&json)?;
        let mut listing = Listing { index: at(&json, "index"), lines: BTreeSet::new(), open: Vec::new() };
        let root = get(listing.index, at(&json, "root")).context("rustdoc lists no root")?;
        listing.module(root, text(root, "name"));
        let lines: Vec<_> = listing.lines.into_iter().map(|(path, line)| line.replace("{}", &path)).collect();
        fs::write(out.join(format!("{name}.txt")), lines.join("\n") + "\n")?;
    }
    Ok(())
}

/// The lines of one crate.
struct Listing<'a> {
    index: &'a Value,
    /// By path; the line has `{}` where the path goes.
    lines: BTreeSet<(String, String)>,
    /// The modules that are being walked: a module may export what it is in.
    open: Vec<&'a Value>,
}

fn get<'a>(index: &'a Value, id: &Value) -> Option<&'a Value> {
    index.get(id.to_string())
}

impl<'a> Listing<'a> {
    fn add(&mut self, path: &str, line: impl Into<String>) {
        self.lines.insert((path.to_owned(), line.into()));
    }

    fn module(&mut self, module: &'a Value, path: &str) {
        let index = self.index;
        if path.starts_with(NOT_LISTED) || self.open.contains(&at(module, "id")) {
            return;
        }
        self.open.push(at(module, "id"));
        for item in list(under(module, "/inner/module"), "items").iter().filter_map(|id| get(index, id)) {
            self.exported(item, path);
        }
        self.open.pop();
    }

    fn exported(&mut self, item: &'a Value, module: &str) {
        if text(item, "visibility") != "public" && at(item, "inner").get("macro").is_none() {
            return;
        }
        let within = |name: &str| format!("{module}::{name}");
        let Some((kind, inner)) = at(item, "inner").as_object().and_then(|inner| inner.iter().next()) else { return };
        if kind != "use" {
            return self.named(item, &within(text(item, "name")));
        }
        match get(self.index, at(inner, "id")) {
            Some(target) if at(inner, "is_glob") == true => self.module(target, module),
            Some(target) => self.named(target, &within(text(inner, "name"))),
            None => self.add(&within(text(inner, "name")), format!("pub use {{}} = {}", text(inner, "source"))),
        }
    }

    /// An item under the path that a user knows it by.
    fn named(&mut self, item: &'a Value, path: &str) {
        let index = self.index;
        let Some((kind, inner)) = at(item, "inner").as_object().and_then(|inner| inner.iter().next()) else { return };
        let mark = if rust::attributes(item).any(|a| a.contains("non_exhaustive")) { "#[non_exhaustive] " } else { "" };
        let (params, bounds) = rust::generics(at(inner, "generics"));
        match kind.as_str() {
            "module" => {
                self.add(path, "pub mod {}");
                self.module(item, path);
            }
            "struct" => {
                let tuple = rust::tuple(at(inner, "kind"), |id| get(index, id));
                self.add(path, format!("{mark}pub struct {{}}{params}{tuple}{bounds}"));
                self.fields(under(inner, "/kind/plain"), path);
                self.impls(inner, path);
            }
            "enum" => {
                self.add(path, format!("{mark}pub enum {{}}{params}{bounds}"));
                for variant in list(inner, "variants").iter().filter_map(|id| get(index, id)) {
                    let (path, shape) =
                        (format!("{path}::{}", text(variant, "name")), under(variant, "/inner/variant/kind"));
                    let tuple = rust::tuple(shape, |id| get(index, id));
                    self.add(&path, format!("{{}}{tuple}"));
                    self.fields(at(shape, "struct"), &path);
                }
                self.impls(inner, path);
            }
            "trait" => {
                let supertraits = rust::bounds(list(inner, "bounds"), ": ");
                self.add(path, format!("pub trait {{}}{params}{supertraits}{bounds}"));
                self.members(list(inner, "items"), path, true);
            }
            "function" => self.add(path, format!("pub {}", rust::function(inner, "{}"))),
            "type_alias" => self.add(path, format!("pub type {{}}{params} = {}", rust::ty(at(inner, "type")))),
            "constant" => self.add(path, format!("pub const {{}}: {}", rust::ty(at(inner, "type")))),
            "static" => self.add(path, format!("pub static {{}}: {}", rust::ty(at(inner, "type")))),
            "macro" => self.add(path, "macro_rules! {}"),
            "proc_macro" => {}
            other => self.add(path, format!("pub {other} {{}}")),
        }
    }

    fn fields(&mut self, shape: &'a Value, path: &str) {
        let index = self.index;
        for field in list(shape, "fields").iter().filter_map(|id| get(index, id)) {
            let of_variant = text(field, "visibility") == "default";
            if of_variant || text(field, "visibility") == "public" {
                let name = format!("{path}::{}", text(field, "name"));
                self.add(
                    &name,
                    format!(
                        "{}{{}}: {}",
                        if of_variant { "" } else { "pub " },
                        rust::ty(under(field, "/inner/struct_field"))
                    ),
                );
            }
        }
    }

    /// Inherent methods, and the traits that somebody implemented by hand.
    fn impls(&mut self, of: &'a Value, path: &str) {
        let index = self.index;
        for block in list(of, "impls").iter().filter_map(|id| get(index, id)) {
            let inner = under(block, "/inner/impl");
            let derived = rust::attributes(block).any(|attribute| attribute.contains("automatically_derived"));
            if at(inner, "is_synthetic") == true || !at(inner, "blanket_impl").is_null() || derived {
                continue;
            }
            if at(inner, "trait").is_null() {
                self.members(list(inner, "items"), path, false);
            } else {
                let (params, bounds) = rust::generics(at(inner, "generics"));
                let (of, to) = (rust::path(at(inner, "trait")), rust::ty(at(inner, "for")));
                self.add(path, format!("impl{params} {of} for {to}{bounds}"));
            }
        }
    }

    fn members(&mut self, ids: &'a [Value], path: &str, of_trait: bool) {
        let index = self.index;
        for member in ids.iter().filter_map(|id| get(index, id)) {
            if !of_trait && text(member, "visibility") != "public" {
                continue;
            }
            let Some((kind, inner)) = at(member, "inner").as_object().and_then(|inner| inner.iter().next()) else {
                continue;
            };
            let name = format!("{path}::{}", text(member, "name"));
            let line = match kind.as_str() {
                // A method that must be written is another matter than one with a body.
                "function" if of_trait && at(inner, "has_body") == true => {
                    format!("provided {}", rust::function(inner, "{}"))
                }
                "function" => format!("{}{}", if of_trait { "" } else { "pub " }, rust::function(inner, "{}")),
                "assoc_const" => format!("const {{}}: {}", rust::ty(at(inner, "type"))),
                "assoc_type" => format!("type {{}}{}", rust::bounds(list(inner, "bounds"), ": ")),
                other => format!("{other} {{}}"),
            };
            self.add(&name, line);
        }
    }
}
