//! Documents before they are executed: counted, parsed, measured, and refused when they are too much.
//!
//! ```text
//! text ──scan──▶ counted ──parse, count──▶ document ──measure──▶ Checked ──▶ execution
//! ```
//!
//! What depends on the text alone is done once while the text is remembered: clients send the same few again and again.
//! Every step is linear in the text, and each protects the next: the parser never sees a text that is too long or nested
//! too deeply, and nothing that walks an unfolded document sees one that unfolds too far.

mod measure;
mod recent;
mod scan;
mod shape;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use async_graphql::parser::{Error as ParseError, parse_query};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::refusal::GraphqlRefusal;
use crate::graphql::Limits;
use daira_core::oauth::Scopes;
use measure::{Extent, Measure, count};

pub use recent::RecentDocuments;
pub use shape::{FieldShape, Shape, named};

/// What an operation that may be executed is.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// What kind of operation was asked for.
    pub kind: OperationType,
    /// Whether it asks for the schema itself.
    pub introspects: bool,
    /// How many mutations it holds that must not be repeated within a request.
    pub guesses: usize,
    /// What executing it costs, in points.
    pub cost: usize,
    /// What an app of somebody else's must have been given to have it executed.
    pub needs: Scopes,
}

/// Why a document was refused, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The refusal.
    pub refusal: GraphqlRefusal,
    /// The places it is about.
    pub at: Vec<Pos>,
}

impl From<GraphqlRefusal> for Refused {
    fn from(refusal: GraphqlRefusal) -> Self {
        Self { refusal, at: Vec::new() }
    }
}

/// Reads a document that is no longer than it may be.
///
/// # Errors
/// The refusal.
pub fn read(text: &str, limits: &Limits) -> Result<ExecutableDocument, Refused> {
    scan::scan(text, limits)?;
    let document = parse_query(text).map_err(|error| syntax(&error))?;
    count(&document, limits)?;
    Ok(document)
}

/// Checks that executing the named operation of a document stays within the limits.
///
/// # Errors
/// The refusal.
pub fn check(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
    shape: &Shape,
    limits: &Limits,
    free_introspection: bool,
) -> Result<Checked, Refused> {
    let chosen = choose(&document.operations, operation)?;
    if let Some(at) = left_out(chosen, variables) {
        return Err(Refused { refusal: GraphqlRefusal::Invalid, at: vec![at] });
    }
    if chosen.ty == OperationType::Subscription && !asks_one_thing(chosen) {
        return Err(GraphqlRefusal::OneField.into());
    }
    let mut measure = Measure::new(document, shape, variables, free_introspection);
    // All of them are validated, whichever is executed.
    for (_, operation) in document.operations.iter() {
        let extent = measure.operation(&operation.node)?;
        if extent.depth > limits.depth {
            return Err(GraphqlRefusal::TooDeep.into());
        }
        if extent.cost > limits.complexity {
            return Err(GraphqlRefusal::TooComplex.into());
        }
    }
    let extent = measure.operation(chosen)?;
    let kind = chosen.ty;
    let Extent { introspections, guesses, cost, needs, .. } = extent;
    Ok(Checked { kind, introspects: introspections > 0, guesses, cost, needs })
}

/// Whether a subscription asks for one field of its own, as the specification wants it. The library would take more.
fn asks_one_thing(operation: &OperationDefinition) -> bool {
    match operation.selection_set.node.items.as_slice() {
        [one] => matches!(&one.node, Selection::Field(field) if !field.node.name.node.starts_with("__")),
        _ => false,
    }
}

/// A variable that must be given and is not. The library notices it only where the variable is used, and then answers as if
/// the document had fitted.
fn left_out(operation: &OperationDefinition, variables: &Variables) -> Option<Pos> {
    let must = operation
        .variable_definitions
        .iter()
        .filter(|definition| !definition.node.var_type.node.nullable && definition.node.default_value.is_none());
    let given = |name: &Name| variables.get(name).is_some_and(|value| *value != Value::Null);
    must.filter(|definition| !given(&definition.node.name.node)).map(|definition| definition.pos).next()
}

/// Where the parser stopped; what it says quotes the document and is left out.
fn syntax(error: &ParseError) -> Refused {
    let refusal = match error {
        ParseError::RecursionLimitExceeded => GraphqlRefusal::TooDeep,
        _ => GraphqlRefusal::Syntax,
    };
    Refused { refusal, at: error.positions().collect() }
}

/// The operation that is meant.
fn choose<'a>(
    operations: &'a DocumentOperations,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, GraphqlRefusal> {
    let found: Option<&Positioned<OperationDefinition>> = match (operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => {
            operations.values().next().filter(|_| operations.len() == 1)
        }
    };
    found.map(|operation| &operation.node).ok_or(GraphqlRefusal::Operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str, operation: Option<&str>) -> Option<GraphqlRefusal> {
        let shape = Shape::read("type Query { me: P } type P { me: P, id: ID }");
        let variables = Variables::default();
        let document = read(text, &Limits::default());
        let checked = document.and_then(|d| check(&d, operation, &variables, &shape, &Limits::default(), false));
        checked.err().map(|refused| refused.refusal)
    }

    #[test]
    fn operations_are_chosen_by_name() {
        assert_eq!(refusal("{ me { id } }", None), None);
        assert_eq!(refusal("query A { me { id } }", None), None);
        assert_eq!(refusal("query A { me { id } } query B { me { id } }", Some("B")), None);
        for (text, name) in [
            ("{ me { id } }", Some("A")),
            ("query A { me { id } }", Some("B")),
            ("query A { me { id } } query B { me { id } }", None),
        ] {
            assert_eq!(refusal(text, name), Some(GraphqlRefusal::Operation), "{text}");
        }
    }

    #[test]
    fn a_subscription_asks_one_thing() {
        let refused = |text: &str| {
            let shape = Shape::read("type Query { a: Int } type Subscription { a: Int, b: Int }");
            let document = read(text, &Limits::default()).unwrap();
            check(&document, None, &Variables::default(), &shape, &Limits::default(), false).err()
        };
        assert_eq!(refused("subscription { a }"), None);
        for text in [
            "subscription { a b }",
            "subscription { a x: a }",
            "subscription { __typename }",
            "subscription { ...F } fragment F on Subscription { a b }",
        ] {
            assert_eq!(refused(text).map(|refused| refused.refusal), Some(GraphqlRefusal::OneField), "{text}");
        }
    }

    #[test]
    fn variables_that_must_be_given_are_missed() {
        let refused = |variables: serde_json::Value| {
            let shape = Shape::read("type Query { me(a: Int, b: Int, c: Int): Int }");
            let text = "query ($a: Int!, $b: Int! = 2, $c: Int) { me(a: $a, b: $b, c: $c) }";
            let variables = Variables::from_json(variables);
            let document = read(text, &Limits::default()).unwrap();
            check(&document, None, &variables, &shape, &Limits::default(), false).err()
        };
        assert_eq!(refused(serde_json::json!({ "a": 1 })), None);
        for variables in [serde_json::json!({}), serde_json::json!({ "a": null }), serde_json::json!({ "b": 1 })] {
            let refused = refused(variables).unwrap();
            assert_eq!((refused.refusal, refused.at[0].column), (GraphqlRefusal::Invalid, 8));
        }
    }

    #[test]
    fn each_limit_has_its_refusal() {
        let nested =
            |levels: usize| format!("{}id{}", "{ me ".repeat(levels), "}".repeat(levels)).replace("me id", "me { id }");
        assert_eq!(
            refusal(&format!("{{ me {} }}", "{ me ".repeat(11) + "{ id }" + &"}".repeat(11)), None),
            Some(GraphqlRefusal::TooDeep)
        );
        assert_eq!(refusal(&nested(100), None), Some(GraphqlRefusal::TooDeep), "before it is parsed");
        assert_eq!(
            refusal(&format!("{{ me {{ {} }} }}", "a: id ".repeat(16)), None),
            Some(GraphqlRefusal::TooManyAliases)
        );
        assert_eq!(refusal(&format!("{{ {} }}", "__typename ".repeat(10_000)), None), Some(GraphqlRefusal::TooLong));
        assert_eq!(
            refusal(&format!("{{ {} }}", "__typename ".repeat(1_200)), None),
            Some(GraphqlRefusal::TooManyTokens)
        );
        assert_eq!(refusal("{", None), Some(GraphqlRefusal::Syntax));
        assert_eq!(refusal("", None), Some(GraphqlRefusal::Syntax));
    }

    #[test]
    fn syntax_errors_say_where_and_quote_nothing() {
        let refused = read("{ me ( }", &Limits::default()).unwrap_err();
        assert_eq!(refused.refusal, GraphqlRefusal::Syntax);
        assert_eq!(refused.at.first().map(|pos| pos.line), Some(1));
    }
}
