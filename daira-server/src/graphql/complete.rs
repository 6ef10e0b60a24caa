//! Makes the data of an answer with errors complete, as the specification wants it: a field that failed is null, and where
//! it must not be null, the nearest field above it that may be.
//!
//! The GraphQL library leaves failed fields out instead. Errors are rare and documents short, so the document is read a
//! second time for this rather than kept for every request.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    BaseType, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, Type,
};
use async_graphql::{Name, PathSegment, Value};

use super::document::{Shape, named};

/// The parts of a document that say what an object holds: the type they speak of, and the fields.
type Sets<'a> = Vec<(&'a str, &'a SelectionSet)>;

/// A position that must not be null came to be null: the one above it has to be.
struct MustRise;

/// Completes the data of an operation's answer; `paths` are those of its errors.
pub(super) fn complete<'a>(
    data: &mut Value,
    paths: impl IntoIterator<Item = &'a [PathSegment]>,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    shape: &Shape,
) {
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let root_type = Type { base: BaseType::Named(Name::new(root)), nullable: true };
    let mut completion = Completion { document, shape, gone: Vec::new() };
    for path in paths {
        if !completion.gone.iter().any(|gone| path.starts_with(gone)) {
            // The root may be null, so nothing rises above it.
            let _ = completion.descend(data, path, 0, &root_type, &vec![(root, &operation.selection_set.node)]);
        }
    }
}

struct Completion<'a> {
    document: &'a ExecutableDocument,
    shape: &'a Shape,
    /// Positions that were made null: errors below them have had their effect.
    gone: Vec<Vec<PathSegment>>,
}

impl<'a> Completion<'a> {
    /// Brings the value at `path[..at]`, of type `ty`, in order with an error at `path`.
    fn descend(
        &mut self,
        value: &mut Value,
        path: &[PathSegment],
        at: usize,
        ty: &Type,
        sets: &Sets<'a>,
    ) -> Result<(), MustRise> {
        let below = match (path.get(at), &ty.base) {
            (None, _) => Err(MustRise),
            (Some(PathSegment::Index(index)), BaseType::List(item)) => match value {
                Value::List(items) => match items.get_mut(*index) {
                    Some(value) => self.descend(value, path, at + 1, item, sets),
                    None => Ok(()),
                },
                _ => Err(MustRise),
            },
            (Some(PathSegment::Field(key)), BaseType::Named(_)) => {
                let Some((ty, sets)) = self.below(sets, key) else { return Ok(()) };
                // An object all of whose fields failed was left out as a whole.
                if !matches!(value, Value::Object(_)) {
                    *value = Value::Object(IndexMap::default());
                }
                let Value::Object(fields) = value else { return Ok(()) };
                let field = fields.entry(Name::new(key)).or_insert(Value::Null);
                self.descend(field, path, at + 1, ty, &sets)
            }
            _ => Ok(()),
        };
        if below.is_ok() {
            return Ok(());
        }
        if !ty.nullable {
            return Err(MustRise);
        }
        *value = Value::Null;
        self.gone.push(path.get(..at).unwrap_or_default().to_vec());
        Ok(())
    }

    /// The type of the field that answers under a key, and what is asked of it.
    fn below(&self, sets: &Sets<'a>, key: &str) -> Option<(&'a Type, Sets<'a>)> {
        let mut found = Vec::new();
        for (of_type, set) in sets {
            self.collect(of_type, set, key, &mut found);
        }
        let ty = found.first().map(|(ty, _)| *ty)?;
        Some((ty, found.into_iter().map(|(ty, set)| (named(ty), set)).collect()))
    }

    fn collect(&self, of_type: &str, set: &'a SelectionSet, key: &str, found: &mut Vec<(&'a Type, &'a SelectionSet)>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.response_key().node == key => {
                    if let Some(shape) = self.shape.field(of_type, &field.node.name.node) {
                        found.push((&shape.ty, &field.node.selection_set.node));
                    }
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let of_type = condition.map_or(of_type, |condition| condition.node.on.node.as_str());
                    self.collect(of_type, &fragment.node.selection_set.node, key, found);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let of_type = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(of_type, &fragment.node.selection_set.node, key, found);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn completed(text: &str, data: serde_json::Value, paths: &[serde_json::Value]) -> serde_json::Value {
        let shape = Shape::read(
            "type Query { a: A, b: B! } type A { c: Int, d: Int!, list: [B!], must: B! } type B { e: Int! f: Int, a: A }",
        );
        let document = parse_query(text).unwrap();
        let mut data = Value::from_json(data).unwrap();
        let paths: Vec<Vec<PathSegment>> =
            paths.iter().map(|path| serde_json::from_value(path.clone()).unwrap()).collect();
        let operation = document.operations.iter().next().unwrap().1;
        complete(&mut data, paths.iter().map(Vec::as_slice), &document, &operation.node, &shape);
        data.into_json().unwrap()
    }

    #[test]
    fn what_may_be_null_is_null() {
        let text = "{ a { c d } b { e } }";
        assert_eq!(
            completed(text, json!({"a": {"d": 1}, "b": {"e": 2}}), &[json!(["a", "c"])]),
            json!({"a": {"d": 1, "c": null}, "b": {"e": 2}})
        );
        assert_eq!(completed("{ x: a { y: c } }", json!({"x": null}), &[json!(["x", "y"])]), json!({"x": {"y": null}}));
        assert_eq!(completed(text, json!({"b": {"e": 2}}), &[json!(["a"])]), json!({"b": {"e": 2}, "a": null}));
    }

    #[test]
    fn what_must_not_be_null_rises() {
        assert_eq!(completed("{ a { c d } }", json!({"a": {"c": 1}}), &[json!(["a", "d"])]), json!({"a": null}));
        assert_eq!(completed("{ a { c } b { e } }", json!({"a": {"c": 1}}), &[json!(["b", "e"])]), json!(null));
        assert_eq!(
            completed(
                "{ a { must { e f } c } }",
                json!({"a": {"c": 1, "must": {"f": 1}}}),
                &[json!(["a", "must", "e"])]
            ),
            json!({"a": null})
        );
    }

    #[test]
    fn lists_are_followed_by_their_indexes() {
        let text = "{ a { list { e f } } }";
        let data = json!({"a": {"list": [{"e": 1, "f": 1}, {"e": 1}]}});
        assert_eq!(
            completed(text, data, &[json!(["a", "list", 1, "f"])]),
            json!({"a": {"list": [{"e": 1, "f": 1}, {"e": 1, "f": null}]}})
        );
        let data = json!({"a": {"list": [{"f": 1}, {"e": 1, "f": 1}]}});
        assert_eq!(completed(text, data, &[json!(["a", "list", 0, "e"])]), json!({"a": {"list": null}}));
        assert_eq!(completed(text, json!({"a": null}), &[json!(["a", "list", 3])]), json!({"a": {"list": null}}));
    }

    #[test]
    fn fragments_are_followed_and_later_errors_do_not_revive_what_is_gone() {
        let text = "{ ...F } fragment F on Query { a { ... on A { d c } } }";
        let paths = [json!(["a", "d"]), json!(["a", "c"])];
        assert_eq!(completed(text, json!({"a": null}), &paths), json!({"a": null}));
    }
}
