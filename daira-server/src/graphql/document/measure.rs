//! What executing a document would cost at most, computed from its text alone.
//!
//! Fragments are measured once and remembered, so a document that unfolds to billions of fields is measured in the time it
//! takes to read it, and refused. Only after this may anything walk the unfolded document.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};
use daira_core::oauth::Scopes;
use daira_core::oauth::scope::needed_for_field;

use super::super::refusal::GraphqlRefusal;
use super::shape::{Shape, named};
use crate::graphql::Limits;

/// What a page costs besides its items: the look-up it makes.
const LOOK_UP: usize = 10;
/// What a page holds when nothing is asked.
const DEFAULT_PAGE: usize = 20;
/// What a page holds at most.
const MAX_PAGE: usize = 100;
/// Mutations that secrets could be guessed with: one of them in a request, whatever it is called there.
const GUESSABLE: [&str; 25] = [
    "logIn",
    "refreshSession",
    "register",
    "verifyEmail",
    "changePassword",
    "setPassword",
    "requestPasswordReset",
    "resetPassword",
    "changeEmail",
    "confirmEmail",
    "verifySecondFactor",
    "reauthenticate",
    "confirmAuthenticator",
    "addPasskey",
    "logInWithPasskey",
    "proveWithPasskey",
    "beginProvider",
    "logInWithProvider",
    "joinWithProvider",
    "linkProvider",
    "proveWithProvider",
    "requestLogInCode",
    "logInWithCode",
    "changePhone",
    "confirmPhone",
];

/// What a part of a document comes to once it is unfolded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extent {
    /// Levels of fields.
    pub depth: usize,
    /// Cost; see [`Limits::complexity`].
    pub cost: usize,
    /// Fields that ask for the schema itself.
    pub introspections: usize,
    /// Mutations that must not be repeated within a request.
    pub guesses: usize,
    /// What an app of somebody else's must have been given.
    pub needs: Scopes,
}

impl Extent {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            cost: self.cost.saturating_add(other.cost),
            introspections: self.introspections.saturating_add(other.introspections),
            guesses: self.guesses.saturating_add(other.guesses),
            needs: self.needs.with(other.needs),
        }
    }
}

/// Measures documents against one schema.
pub(super) struct Measure<'a> {
    document: &'a ExecutableDocument,
    shape: &'a Shape,
    variables: &'a Variables,
    /// Whether introspection may be as deep as it likes.
    free_introspection: bool,
    /// `None` while it is being measured: meeting it again means it contains itself.
    fragments: HashMap<&'a Name, Option<Extent>>,
}

impl<'a> Measure<'a> {
    /// Of one document, asked with these variables.
    pub(super) fn new(
        document: &'a ExecutableDocument,
        shape: &'a Shape,
        variables: &'a Variables,
        free_introspection: bool,
    ) -> Self {
        Self { document, shape, variables, free_introspection, fragments: HashMap::new() }
    }

    /// The extent of one of the document's operations.
    ///
    /// # Errors
    /// A fragment that contains itself.
    pub(super) fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Extent, GraphqlRefusal> {
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        self.set(&operation.selection_set.node, root)
    }

    fn set(&mut self, set: &'a SelectionSet, of_type: &'a str) -> Result<Extent, GraphqlRefusal> {
        let mut extent = Extent::default();
        for selection in &set.items {
            let part = match &selection.node {
                Selection::Field(field) => self.field(&field.node, of_type)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let of_type = condition.map_or(of_type, |condition| condition.node.on.node.as_str());
                    self.set(&fragment.node.selection_set.node, of_type)?
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            };
            extent = extent.beside(part);
        }
        Ok(extent)
    }

    fn fragment(&mut self, name: &Name) -> Result<Extent, GraphqlRefusal> {
        // One that does not exist is refused by the validation that follows.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return Ok(Extent::default()) };
        match self.fragments.get(name) {
            Some(Some(extent)) => return Ok(*extent),
            Some(None) => return Err(GraphqlRefusal::FragmentCycle),
            None => {}
        }
        self.fragments.insert(name, None);
        let extent = self.set(&fragment.node.selection_set.node, fragment.node.type_condition.node.on.node.as_str())?;
        self.fragments.insert(name, Some(extent));
        Ok(extent)
    }

    fn field(&mut self, field: &'a Field, of_type: &'a str) -> Result<Extent, GraphqlRefusal> {
        let name = field.name.node.as_str();
        let shape = self.shape.field(of_type, name);
        let below = self.set(&field.selection_set.node, shape.map_or("", |shape| named(&shape.ty)))?;
        let paged = shape.is_some_and(|shape| shape.paged);
        let own = match name {
            _ if paged => LOOK_UP,
            // The frame of a page is part of the page.
            "edges" | "node" if of_type != "Query" => 0,
            _ if field.selection_set.node.items.is_empty() => 1,
            _ => 2,
        };
        let times = if paged { self.page_size(field) } else { self.list_size(field) };
        let introspects = of_type == "Query" && matches!(name, "__schema" | "__type");
        let guesses = of_type == "Mutation" && GUESSABLE.contains(&name);
        let depth = if introspects && self.free_introspection { 0 } else { below.depth };
        Ok(Extent {
            depth: depth + 1,
            cost: below.cost.saturating_mul(times).saturating_add(own),
            introspections: below.introspections.saturating_add(usize::from(introspects)),
            guesses: below.guesses.saturating_add(usize::from(guesses)),
            needs: below.needs.with(needed_for_field(of_type, name)),
        })
    }

    /// How many items a page is asked for; what is no such number counts as the most, and is refused later.
    fn page_size(&self, field: &Field) -> usize {
        match self.argument(field, "first") {
            None | Some(Value::Null) => DEFAULT_PAGE,
            Some(Value::Number(size)) => size
                .as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .map_or(MAX_PAGE, |size| size.clamp(1, MAX_PAGE)),
            Some(_) => MAX_PAGE,
        }
    }

    /// How many things a field that takes ids gives.
    fn list_size(&self, field: &Field) -> usize {
        match self.argument(field, "ids") {
            Some(Value::List(ids)) => ids.len().clamp(1, MAX_PAGE),
            _ => 1,
        }
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = &field.get_argument(name)?.node;
        let resolve = |name: Name| Ok::<_, ()>(self.variable(&name).unwrap_or_default());
        value.clone().into_const_with(resolve).ok()
    }

    /// What a variable stands for: what came with the request, or else the largest default that any operation gives it.
    fn variable(&self, name: &Name) -> Option<Value> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        let definitions =
            self.document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
        let defaults = definitions.filter(|definition| definition.node.name.node == *name);
        let defaults = defaults.filter_map(|definition| definition.node.default_value.as_ref());
        defaults.map(|value| value.node.clone()).max_by_key(|value| match value {
            Value::Number(number) => number.as_u64().unwrap_or(u64::MAX),
            Value::List(list) => list.len() as u64,
            _ => 0,
        })
    }
}

/// Counts aliases and directives as they are written, each fragment once.
///
/// # Errors
/// Too many of either.
pub(super) fn count(document: &ExecutableDocument, limits: &Limits) -> Result<(), GraphqlRefusal> {
    let mut written = Written::default();
    for (_, operation) in document.operations.iter() {
        written.directives += operation.node.directives.len();
        written.directives +=
            operation.node.variable_definitions.iter().map(|v| v.node.directives.len()).sum::<usize>();
        written.set(&operation.node.selection_set);
    }
    for fragment in document.fragments.values() {
        written.directives += fragment.node.directives.len();
        written.set(&fragment.node.selection_set);
    }
    match written {
        Written { aliases, .. } if aliases > limits.aliases => Err(GraphqlRefusal::TooManyAliases),
        Written { directives, .. } if directives > limits.directives => Err(GraphqlRefusal::TooManyDirectives),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Written {
    aliases: usize,
    directives: usize,
}

impl Written {
    fn set(&mut self, set: &Positioned<SelectionSet>) {
        for selection in &set.node.items {
            self.directives += selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.set(&field.node.selection_set);
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    const SDL: &str = "type Query { me: P, node: P, ps(first: Int): C!, nodes(ids: [ID!]!): [P]! } type Mutation { logIn: P } \
         type C { edges: [E!]! } type E { node: P! } type P { id: ID, name: String, friends(first: Int): C! }";

    fn measure(text: &str, variables: &str) -> Result<Extent, GraphqlRefusal> {
        let (document, shape) = (parse_query(text).unwrap(), Shape::read(SDL));
        let variables: Variables = serde_json::from_str(variables).unwrap();
        let mut measure = Measure::new(&document, &shape, &variables, false);
        let operation = document.operations.iter().next().unwrap().1;
        measure.operation(&operation.node)
    }

    fn cost(text: &str) -> usize {
        measure(text, "{}").unwrap().cost
    }

    #[test]
    fn fields_cost_and_pages_multiply() {
        assert_eq!(cost("{ me { id name __typename } }"), 5);
        assert_eq!(cost("{ me { id id id } }"), 5, "duplicates count");
        assert_eq!(cost("{ ps(first: 7) { edges { node { id name } } } }"), 10 + 7 * 2);
        assert_eq!(cost("{ ps { edges { node { id } } } }"), 10 + 20);
        assert_eq!(
            cost("{ ps(first: 5) { edges { node { friends(first: 3) { edges { node { id } } } } } } }"),
            10 + 5 * (10 + 3)
        );
        assert_eq!(cost(r#"{ nodes(ids: ["a", "b"]) { id name } }"#), 2 + 4);
        assert_eq!(cost("{ ps(first: 1000000) { edges { node { id } } } }"), 110, "no page is larger");
    }

    #[test]
    fn sizes_may_come_by_variable() {
        let text = "query ($n: Int = 50) { ps(first: $n) { edges { node { id } } } }";
        assert_eq!(measure(text, r#"{"n": 2}"#).unwrap().cost, 12);
        assert_eq!(measure(text, "{}").unwrap().cost, 60);
        assert_eq!(measure(text, r#"{"n": "x"}"#).unwrap().cost, 110);
    }

    #[test]
    fn fragments_unfold_without_being_unfolded() {
        let spread = |n| format!(" fragment F{n} on P {{ {} }}", format!("...F{} ", n + 1).repeat(10));
        let bomb = ["{ me { ...F0 } } fragment F40 on P { id }".to_owned()].into_iter().chain((0..40).map(spread));
        let bomb: String = bomb.collect();
        assert_eq!(measure(&bomb, "{}").unwrap().cost, usize::MAX);
        let cycle = "{ me { ...A } } fragment A on P { ...B } fragment B on P { id ...A }";
        assert_eq!(measure(cycle, "{}"), Err(GraphqlRefusal::FragmentCycle));
        assert_eq!(measure("{ me { ...Nowhere } }", "{}").unwrap().cost, 2);
    }

    #[test]
    fn depth_counts_fields_through_fragments() {
        assert_eq!(
            measure("{ me { ... on P { ...F } } } fragment F on P { friends { edges { node { id } } } }", "{}")
                .unwrap()
                .depth,
            5
        );
    }

    #[test]
    fn the_schema_and_guesses_are_noticed_under_any_name() {
        let extent =
            measure("{ a: __schema { x } ...F } fragment F on Query { b: __type(name: \"P\") { y } }", "{}").unwrap();
        assert_eq!(extent.introspections, 2);
        let extent = measure("mutation { a: logIn { id } ... on Mutation { b: logIn { id } } }", "{}").unwrap();
        assert_eq!(extent.guesses, 2);
    }

    #[test]
    fn what_an_app_needs_is_noticed_under_any_name_and_through_fragments() {
        let sdl = "type Query { me: Viewer, node: Node } type Viewer { account: Int, profile: Profile } interface Node { id: ID } \
             type Session implements Node { device: String } type Profile { id: ID, posts: Int } type Mutation { createPost: Int }";
        let needs = |text: &str| {
            let (document, shape, variables) = (parse_query(text).unwrap(), Shape::read(sdl), Variables::default());
            let mut measure = Measure::new(&document, &shape, &variables, false);
            measure.operation(&document.operations.iter().next().unwrap().1.node).unwrap().needs
        };
        assert_eq!(needs("{ x: me { __typename } }"), Scopes::NONE);
        assert_eq!(needs("{ me { y: profile { id } } }"), Scopes::READ_PROFILE);
        assert_eq!(needs("{ me { profile { posts } } }"), Scopes::READ_PROFILE.with(Scopes::READ_FEED));
        assert_eq!(needs("mutation { ...F } fragment F on Mutation { z: createPost }"), Scopes::WRITE_POSTS);
        for closed in [
            "{ me { ... on Viewer { a: account } } }",
            "{ me { ...F } } fragment F on Viewer { account }",
            "{ node { ... on Session { device } } }",
            "{ node { ...F } } fragment F on Session { device }",
        ] {
            assert!(needs(closed).contains(Scopes::CLOSED), "{closed}");
        }
    }

    #[test]
    fn what_is_written_is_counted() {
        let check =
            |text: &str| count(&parse_query(text).unwrap(), &Limits { aliases: 2, directives: 2, ..Limits::default() });
        assert_eq!(check("{ a: me { b: id } }"), Ok(()));
        assert_eq!(check("{ a: me { b: id } } fragment F on P { c: id }"), Err(GraphqlRefusal::TooManyAliases));
        assert_eq!(check("{ me @a @b { id @c } }"), Err(GraphqlRefusal::TooManyDirectives));
    }
}
