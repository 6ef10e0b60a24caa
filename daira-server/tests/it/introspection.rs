//! The schema as a client learns it, and requests generated from it: what a test says of every field then holds for fields
//! that come later, too.

use daira_server::http::HttpSettings;
use serde_json::{Map, Value, json};

use crate::harness::Stage;

const QUERY: &str = "{ __schema { types { kind name description possibleTypes { name } \
     fields { name description type { ...T } args { name description type { ...T } } } \
     inputFields { name description type { ...T } } enumValues { name description } } } } \
     fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The schema.
pub(crate) struct Schema {
    pub types: Vec<Value>,
}

/// One argument of a root field, or one field of its input at whatever depth, and the variables that set it to something.
pub(crate) struct Aim {
    /// Where it is, for instance `createPost.input.media.alt`.
    pub at: String,
    /// The document, with all arguments as variables.
    pub document: String,
    pub variables: Value,
}

impl Schema {
    pub(crate) async fn read() -> Self {
        let stage = Stage::with(HttpSettings::development());
        let types = stage.ask(QUERY).await.data("/__schema/types");
        let ours = |ty: &&Value| !name(ty).starts_with("__");
        Self { types: types.as_array().unwrap().iter().filter(ours).cloned().collect() }
    }

    pub(crate) fn find(&self, wanted: &str) -> &Value {
        self.types.iter().find(|ty| name(ty) == wanted).unwrap_or_else(|| panic!("there is no type {wanted}"))
    }

    /// The types that a value of an interface or union may have; an object alone is its own.
    pub(crate) fn possible(&self, of: &str) -> Vec<&str> {
        match list(self.find(of), "possibleTypes") {
            [] => vec![name(self.find(of))],
            types => types.iter().map(name).collect(),
        }
    }

    /// Requests that set each argument and input field of one of the named scalars to a value, one at a time; what is
    /// required beside it gets a filler.
    pub(crate) fn aims(&self, scalars: &[&str], value: &Value) -> Vec<Aim> {
        let mut aims = Vec::new();
        for (root, operation) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in list(self.find(root), "fields") {
                let document = self.document(operation, field);
                for argument in list(field, "args") {
                    for (path, aimed) in self.settings(argument, scalars, value) {
                        let mut variables = Map::new();
                        for other in list(field, "args") {
                            if name(other) != name(argument) && other["type"]["kind"] == "NON_NULL" {
                                variables.insert(name(other).to_owned(), self.filler(other));
                            }
                        }
                        variables.insert(name(argument).to_owned(), aimed);
                        let at = format!("{}.{path}", name(field));
                        aims.push(Aim { at, document: document.clone(), variables: Value::Object(variables) });
                    }
                }
            }
        }
        aims
    }

    fn document(&self, operation: &str, field: &Value) -> String {
        let variables = list(field, "args").iter().map(|a| format!("${}: {}", name(a), written(&a["type"])));
        let passed = list(field, "args").iter().map(|a| format!("{0}: ${0}", name(a)));
        let selection = match self.find(named(&field["type"]))["kind"].as_str() {
            Some("SCALAR") => "",
            _ if operation == "mutation" => "{ userErrors { code field message } }",
            _ => "{ __typename }",
        };
        let (variables, passed) = (variables.collect::<Vec<_>>().join(", "), passed.collect::<Vec<_>>().join(", "));
        format!("{operation} ({variables}) {{ {}({passed}) {selection} }}", name(field))
    }

    /// All ways to set one part of an argument or input field to a value: where, and the whole argument.
    fn settings(&self, part: &Value, scalars: &[&str], value: &Value) -> Vec<(String, Value)> {
        let ty = &part["type"];
        let wrap = |inner: Value| if written(ty).starts_with('[') { json!([inner]) } else { inner };
        if scalars.contains(&named(ty)) {
            return vec![(name(part).to_owned(), wrap(value.clone()))];
        }
        let input = self.find(named(ty));
        let mut all = Vec::new();
        for inner in list(input, "inputFields") {
            for (path, aimed) in self.settings(inner, scalars, value) {
                let mut object = self.required(input);
                object.insert(name(inner).to_owned(), aimed);
                all.push((format!("{}.{path}", name(part)), wrap(Value::Object(object))));
            }
        }
        all
    }

    fn required(&self, input: &Value) -> Map<String, Value> {
        let required = list(input, "inputFields").iter().filter(|field| field["type"]["kind"] == "NON_NULL");
        required.map(|field| (name(field).to_owned(), self.filler(field))).collect()
    }

    /// A value for a part that is required; an id is of the kind that the part is about.
    fn filler(&self, part: &Value) -> Value {
        let ty = &part["type"];
        let prefix = match name(part) {
            "profileId" => "prf",
            "commentId" | "parentId" => "cmt",
            "circleId" => "cir",
            "sessionId" => "ses",
            "mediaId" => "med",
            "registrationId" => "chl",
            _ => "pst",
        };
        let one = match named(ty) {
            "ID" => json!(format!("{prefix}_0000000000001")),
            "DateTime" => json!("2026-01-01T00:00:00Z"),
            "Int" => json!(1),
            "Boolean" => json!(true),
            "String" => json!("x"),
            other => match list(self.find(other), "enumValues") {
                [] => Value::Object(self.required(self.find(other))),
                [first, ..] => json!(name(first)),
            },
        };
        if matches!(ty["kind"].as_str(), Some("LIST")) || ty["ofType"]["kind"] == "LIST" { json!([one]) } else { one }
    }

    /// Everything that can be asked of a type without arguments, `depth` levels down, but for fields of these names.
    pub(crate) fn everything(&self, of: &str, depth: usize, but: &[&str]) -> String {
        let ty = self.find(of);
        if ty["kind"] == "UNION" || ty["kind"] == "INTERFACE" {
            let parts = self.possible(of).into_iter();
            let parts = parts.map(|part| format!("... on {part} {{ {} }}", self.everything(part, depth, but)));
            return format!("__typename {}", parts.collect::<Vec<_>>().join(" "));
        }
        let mut selection = String::from("__typename");
        for field in list(ty, "fields") {
            let needs = list(field, "args").iter().any(|argument| argument["type"]["kind"] == "NON_NULL");
            if needs || but.contains(&name(field)) {
                continue;
            }
            let target = named(&field["type"]);
            match self.find(target)["kind"].as_str() {
                Some("SCALAR" | "ENUM") => selection.extend([" ", name(field)]),
                // The same field of two types of a union must not differ, so one that leads on is named by its type.
                _ if depth > 0 => {
                    let below = self.everything(target, depth - 1, but);
                    let field = name(field);
                    selection.extend([" ", of, "_", field, ": ", field, " { ", &below, " }"]);
                }
                _ => {}
            }
        }
        selection
    }
}

pub(crate) fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The name of a type without its wrappers.
pub(crate) fn named(ty: &Value) -> &str {
    if ty["ofType"].is_null() { name(ty) } else { named(&ty["ofType"]) }
}

/// A type as it is written in a document.
pub(crate) fn written(ty: &Value) -> String {
    match ty["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&ty["ofType"])),
        Some("LIST") => format!("[{}]", written(&ty["ofType"])),
        _ => name(ty).to_owned(),
    }
}
