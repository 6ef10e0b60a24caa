//! What mutations take: one object each, with the two fields that all of them have. Unknown fields are refused, and there is
//! none that the server alone may set.

use async_graphql::ID;
use daira_core::error::{CommonRefusal, Error, Result};
use daira_core::id::Id;

/// Input types. What is said in brackets behind a name is how its key differs from that of others.
macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident $([$key:tt])? { $($fields:tt)* })*) => {$(
        $crate::graphql::input::input! { [$($key)?] $(#[$doc])* $name { $($fields)* } }
    )*};
}

/// One of them.
macro_rules! input {
    ([] $($input:tt)*) => {
        $crate::graphql::input::input! {
            ["The same request sent again under the same key within 24 hours has no second effect and the same answer."]
            $($input)*
        }
    };
    ([$key:tt] $(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(async_graphql::InputObject)]
        pub(super) struct $name {
            $($(#[$field_doc])* pub(super) $field: $ty,)*
            #[doc = $key]
            /// 1 to 128 printable ASCII characters.
            pub(super) idempotency_key: Option<String>,
            /// Comes back in the answer.
            pub(super) client_mutation_id: Option<String>,
        }
    };
}

pub(crate) use {input, inputs};

/// An id of one kind from an input field.
///
/// # Errors
/// `common.id` for anything else.
pub(super) fn id<I: Id + core::str::FromStr>(id: &ID, field: &'static str) -> Result<I> {
    id.parse().map_err(|_| Error::from(CommonRefusal::Id).on_field(field))
}
