//! What the schema looks like, as far as documents are measured and answers completed by it: read once from its own SDL.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};

/// A field of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldShape {
    /// Its type.
    pub ty: Type,
    /// Whether it is a page of a list, with its size in `first`.
    pub paged: bool,
}

impl FieldShape {
    fn of(field: &FieldDefinition) -> Self {
        let paged = field.arguments.iter().any(|argument| argument.node.name.node == "first");
        Self { ty: field.ty.node.clone(), paged }
    }
}

/// The name of the type inside lists and non-nulls.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

/// The schema's fields by type, then by name.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    fields: HashMap<String, HashMap<String, FieldShape>>,
}

impl Shape {
    /// Reads SDL. One that is none gives an empty shape: every field is then unknown, as it would be to the schema.
    pub fn read(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        let mut fields = HashMap::new();
        for definition in definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let of_type = match &definition.node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => continue,
            };
            let shapes = of_type.iter().map(|field| (field.node.name.node.to_string(), FieldShape::of(&field.node)));
            fields.insert(definition.node.name.node.to_string(), shapes.collect());
        }
        Self { fields }
    }

    /// A field of a type, if there is one.
    pub fn field(&self, of_type: &str, name: &str) -> Option<&FieldShape> {
        self.fields.get(of_type)?.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_types_are_known() {
        let shape = Shape::read("type Query { a(first: Int): [B!]! } type B { c: Int }");
        let a = shape.field("Query", "a").unwrap();
        assert!(a.paged && named(&a.ty) == "B" && !a.ty.nullable);
        let c = shape.field("B", "c").unwrap();
        assert!(!c.paged && c.ty.nullable);
        assert!(shape.field("B", "d").is_none() && shape.field("C", "c").is_none());
        assert!(Shape::read("nonsense").field("Query", "a").is_none());
    }
}
