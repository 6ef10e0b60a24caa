//! Scalars of our own: instants and languages.

use async_graphql::{Enum, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use daira_core::locale::Locale;
use daira_core::time::Timestamp;

/// An instant to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(pub Timestamp);

/// An instant in UTC to the microsecond, as in RFC 3339: `2026-11-23T20:15:00.000001Z`.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(Timestamp::parse(text)?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if Timestamp::parse(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Locale")]
pub enum Language {
    /// Arabic of Egypt.
    Ar,
    /// English.
    En,
}
