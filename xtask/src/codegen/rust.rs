//! Writes Rust out of rustdoc's JSON: types, generics and signatures as one reads them, not as the compiler sees them.
//! What `async_trait` made of an asynchronous method becomes an asynchronous method again.

use serde_json::Value;

static NOTHING: Value = Value::Null;

pub(super) fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&NOTHING)
}

/// What a JSON pointer leads to.
pub(super) fn under<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&NOTHING)
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    at(value, key).as_str().unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    at(value, key).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An item's attributes, in whatever form.
pub(super) fn attributes(item: &Value) -> impl Iterator<Item = String> {
    list(item, "attrs").iter().map(ToString::to_string)
}

fn joined<'a>(values: impl IntoIterator<Item = &'a Value>, show: impl Fn(&Value) -> String, with: &str) -> String {
    values.into_iter().map(show).collect::<Vec<_>>().join(with)
}

/// The one key of an enum's value, and what is under it. A variant without content is a text.
fn variant(value: &Value) -> (&str, &Value) {
    match value {
        Value::String(name) => (name, &NOTHING),
        Value::Object(map) => map.iter().next().map_or(("", &NOTHING), |(name, inner)| (name.as_str(), inner)),
        _ => ("", &NOTHING),
    }
}

pub(super) fn ty(value: &Value) -> String {
    let (kind, inner) = variant(value);
    let lifetime = |of: &Value| of.as_str().map_or_else(String::new, |name| format!("{name} "));
    match kind {
        "resolved_path" => path(inner),
        "generic" | "primitive" => inner.as_str().unwrap_or_default().to_owned(),
        "tuple" => match inner.as_array().map(Vec::as_slice) {
            Some([one]) => format!("({},)", ty(one)),
            several => format!("({})", joined(several.unwrap_or_default(), ty, ", ")),
        },
        "slice" => format!("[{}]", ty(inner)),
        "array" => format!("[{}; {}]", ty(at(inner, "type")), text(inner, "len")),
        "impl_trait" => bounds(inner.as_array().map(Vec::as_slice).unwrap_or_default(), "impl "),
        "dyn_trait" => {
            let traits = joined(list(inner, "traits"), |one| path(at(one, "trait")), " + ");
            at(inner, "lifetime").as_str().map_or(format!("dyn {traits}"), |life| format!("dyn {traits} + {life}"))
        }
        "borrowed_ref" => {
            let mutable = if at(inner, "is_mutable") == true { "mut " } else { "" };
            let to = ty(at(inner, "type"));
            let to = if to.starts_with("dyn ") && to.contains(" + ") { format!("({to})") } else { to };
            format!("&{}{mutable}{to}", lifetime(at(inner, "lifetime")))
        }
        "raw_pointer" => {
            format!("*{} {}", if at(inner, "is_mutable") == true { "mut" } else { "const" }, ty(at(inner, "type")))
        }
        "qualified_path" => {
            let (of, name) = (ty(at(inner, "self_type")), text(inner, "name"));
            match path(at(inner, "trait")) {
                as_what if as_what.is_empty() => format!("{of}::{name}"),
                as_what => format!("<{of} as {as_what}>::{name}"),
            }
        }
        "function_pointer" => signature(at(inner, "sig"), "fn"),
        _ => "_".to_owned(),
    }
}

/// A path with its arguments, without the modules before its name: those are private as often as not.
pub(super) fn path(value: &Value) -> String {
    let full = text(value, "path");
    let name = full.rsplit("::").next().unwrap_or(full);
    format!("{name}{}", arguments(at(value, "args")))
}

fn arguments(value: &Value) -> String {
    let (kind, inner) = variant(value);
    if kind == "parenthesized" {
        let inputs = joined(list(inner, "inputs"), ty, ", ");
        return format!("({inputs}){}", output(at(inner, "output")));
    }
    let argument = |argument: &Value| match variant(argument) {
        ("type", inner) => ty(inner),
        ("const", inner) => text(inner, "expr").to_owned(),
        (_, inner) => inner.as_str().unwrap_or("_").to_owned(),
    };
    let constraint = |constraint: &Value| {
        let name = format!("{}{}", text(constraint, "name"), arguments(at(constraint, "args")));
        match variant(at(constraint, "binding")) {
            ("equality", to) => format!("{name} = {}", argument(to)),
            (_, inner) => bounds(inner.as_array().map(Vec::as_slice).unwrap_or_default(), &format!("{name}: ")),
        }
    };
    let mut all: Vec<_> = list(inner, "args").iter().map(argument).collect();
    all.extend(list(inner, "constraints").iter().map(constraint));
    if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
}

fn output(value: &Value) -> String {
    if value.is_null() { String::new() } else { format!(" -> {}", ty(value)) }
}

/// Bounds after something that leads to them; nothing when there are none.
pub(super) fn bounds(values: &[Value], lead: &str) -> String {
    let shown: Vec<_> = values
        .iter()
        .filter_map(|value| match variant(value) {
            ("trait_bound", inner) => {
                let maybe = if text(inner, "modifier") == "maybe" { "?" } else { "" };
                Some(format!("{}{maybe}{}", higher_ranked(inner), path(at(inner, "trait"))))
            }
            ("outlives", inner) => inner.as_str().map(ToOwned::to_owned),
            _ => None,
        })
        .collect();
    if shown.is_empty() { String::new() } else { format!("{lead}{}", shown.join(" + ")) }
}

fn higher_ranked(value: &Value) -> String {
    let lives = joined(list(value, "generic_params"), |one| text(one, "name").to_owned(), ", ");
    if lives.is_empty() { lives } else { format!("for<{lives}> ") }
}

/// Parameters in brackets, and the conditions on them.
pub(super) fn generics(value: &Value) -> (String, String) {
    let param = |param: &Value| {
        let name = text(param, "name");
        match variant(at(param, "kind")) {
            // `impl Trait` in an argument has a parameter of its own, which nobody writes.
            ("type", kind) if at(kind, "is_synthetic") == true => None,
            ("type", kind) => Some(format!("{name}{}", bounds(list(kind, "bounds"), ": "))),
            ("const", kind) => Some(format!("const {name}: {}", ty(at(kind, "type")))),
            _ => Some(name.to_owned()),
        }
    };
    let params: Vec<_> = list(value, "params").iter().filter_map(param).collect();
    let params = if params.is_empty() { String::new() } else { format!("<{}>", params.join(", ")) };
    let condition = |predicate: &Value| match variant(predicate) {
        ("bound_predicate", inner) => bounds(list(inner, "bounds"), &format!("{}: ", ty(at(inner, "type")))),
        _ => String::new(),
    };
    let conditions: Vec<_> =
        list(value, "where_predicates").iter().map(condition).filter(|shown| !shown.is_empty()).collect();
    let conditions = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(", ")) };
    (params, conditions)
}

/// The fields of a tuple, those that are nobody's business as `_`; nothing for other shapes.
pub(super) fn tuple<'a>(shape: &'a Value, item: impl Fn(&Value) -> Option<&'a Value>) -> String {
    let Some(fields) = at(shape, "tuple").as_array() else { return String::new() };
    let field = |id: &Value| match item(id) {
        Some(field) if text(field, "visibility") != "crate" && !at(field, "visibility").is_object() => {
            ty(at(at(field, "inner"), "struct_field"))
        }
        _ => "_".to_owned(),
    };
    format!("({})", joined(fields, field, ", "))
}

/// A function under a name.
pub(super) fn function(value: &Value, name: &str) -> String {
    let (header, sig) = (at(value, "header"), at(value, "sig"));
    let word = |key: &str, word: &'static str| if at(header, key) == true { word } else { "" };
    let words = [word("is_const", "const "), word("is_unsafe", "unsafe ")].concat();
    let boxed = list(at(value, "generics"), "params").iter().any(|param| text(param, "name") == "'async_trait");
    if boxed {
        let future = ty(at(sig, "output"));
        // `Pin<Box<dyn Future<Output = …> + Send + 'async_trait>>`
        let inner = future.split_once("Output = ").and_then(|(_, rest)| rest.rsplit_once("> + "));
        let inner = inner.map_or(future.as_str(), |(inner, _)| inner.trim_end_matches("> + Send"));
        let output = if inner == "()" { String::new() } else { format!(" -> {inner}") };
        let shown = signature(sig, &format!("{words}async fn {name}"));
        let inputs = shown.rsplit_once(" -> ").map_or(shown.as_str(), |(inputs, _)| inputs);
        return without_made_lifetimes(inputs) + &output;
    }
    let (params, conditions) = generics(at(value, "generics"));
    let lead = format!("{words}{}fn {name}{params}", word("is_async", "async "));
    format!("{}{conditions}", signature(sig, &lead))
}

fn signature(sig: &Value, lead: &str) -> String {
    let input = |input: &Value| {
        let (name, of) = (input.get(0).and_then(Value::as_str).unwrap_or("_"), input.get(1).unwrap_or(&NOTHING));
        match (name, ty(of).as_str()) {
            ("self", "Self") => "self".to_owned(),
            ("self", "&Self") => "&self".to_owned(),
            ("self", "&mut Self") => "&mut self".to_owned(),
            ("" | "_", of) => of.to_owned(),
            (name, of) => format!("{name}: {of}"),
        }
    };
    format!("{lead}({}){}", joined(list(sig, "inputs"), input, ", "), output(at(sig, "output")))
}

/// Without the lifetimes that `async_trait` writes: `'life0`, `'life1`, ….
fn without_made_lifetimes(signature: &str) -> String {
    let mut words = signature.split("'life");
    let mut shown = words.next().unwrap_or_default().to_owned();
    for word in words {
        shown += word.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(' ');
    }
    shown.replace("self: &Self", "&self").replace("self: &mut Self", "&mut self")
}
