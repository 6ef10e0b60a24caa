//! What mutations answer: the result, or why nothing was done, as data.
//!
//! A refusal that a client must expect (a handle that is taken, a text that is too long, a post that is gone) is a
//! [`UserError`] in the payload. Having to log in first, and faults, are GraphQL errors.

use async_graphql::{Context, Result, SimpleObject};
use daira_core::actor::ActorRefusal;
use daira_core::error::Error;
use daira_core::locale::Locale;

use super::refusal::GraphqlRefusal;
use super::scope::InScope;
use crate::http::retry_seconds;

/// The longest `clientMutationId`, in bytes.
const MAX_CLIENT_ID: usize = 256;

/// Why nothing was done.
#[derive(SimpleObject)]
pub(super) struct UserError {
    /// The stable code, for instance `post.too_long`.
    code: String,
    /// The sentence for people, in the language of the request.
    message: String,
    /// The input field it is about.
    field: Option<String>,
    /// In how many seconds it may be tried again, where time is what was missing.
    retry_after: Option<i64>,
    /// The version that there is by now, where the request was based on another.
    current_version: Option<i32>,
}

impl UserError {
    fn of(error: &Error, locale: Locale) -> Self {
        let refusal = error.refused_as();
        let field = error.field().map(str::to_owned);
        let retry_after = retry_seconds(error).and_then(|seconds| i64::try_from(seconds).ok());
        let (code, message) = (refusal.code.to_owned(), refusal.text(locale).to_owned());
        Self { code, message, field, retry_after, current_version: error.version() }
    }
}

/// What a mutation answers.
pub(super) trait Payload: Default {
    /// Puts in why nothing was done.
    fn refuse(&mut self, error: UserError);
    /// Puts in what the client sent to know the answer by.
    fn answer_to(&mut self, client_mutation_id: Option<String>);
}

/// Runs a mutation: the use case, and reading what its answer shows. What is read is the truth after the change.
///
/// # Errors
/// To log in first, and faults.
pub(super) async fn change<P: Payload>(
    ctx: &Context<'_>,
    client_mutation_id: Option<String>,
    work: impl Future<Output = daira_core::Result<P>>,
) -> Result<Option<P>> {
    let scope = ctx.scope();
    if client_mutation_id.as_ref().is_some_and(|id| id.len() > MAX_CLIENT_ID) {
        return Err(Error::from(GraphqlRefusal::VariableTooLong).on_field("clientMutationId").into());
    }
    scope.reads.renew().await;
    let mut payload = match work.await {
        Ok(payload) => payload,
        Err(error) if error.is_refusal() && error.refusal::<ActorRefusal>().is_none() => {
            let mut payload = P::default();
            payload.refuse(UserError::of(&error, scope.locale));
            payload
        }
        Err(error) => return Err(error.into()),
    };
    payload.answer_to(client_mutation_id);
    Ok(Some(payload))
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject, Default)]
        pub(super) struct $name {
            $($(#[$field_doc])* pub(super) $field: Option<$ty>,)*
            /// Why nothing was done; empty when it was.
            pub(super) user_errors: Vec<crate::graphql::payload::UserError>,
            /// What the client sent to know this answer by.
            pub(super) client_mutation_id: Option<String>,
        }

        impl crate::graphql::payload::Payload for $name {
            fn refuse(&mut self, error: crate::graphql::payload::UserError) {
                self.user_errors.push(error);
            }
            fn answer_to(&mut self, client_mutation_id: Option<String>) {
                self.client_mutation_id = client_mutation_id;
            }
        }
    )*};
}

pub(crate) use payloads;
