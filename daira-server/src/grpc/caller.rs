//! Who calls, in which language, and how they are told of errors.

use daira_core::account::{AccountRefusal, AccountService};
use daira_core::actor::Actor;
use daira_core::error::{CommonRefusal, Error, Result};
use daira_core::id::Id;
use daira_core::idempotency::IdempotencyKey;
use daira_core::locale::Locale;
use daira_core::page::Limit;
use daira_core::secret::Secret;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Who calls, and in which language they are answered.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) actor: Actor,
    pub(super) locale: Locale,
}

impl Caller {
    /// From the metadata: `authorization: Bearer …` and `accept-language`. Without a token the caller is anonymous; a
    /// token that does not hold is refused, never ignored.
    pub(super) async fn of(metadata: &MetadataMap, accounts: &AccountService) -> Result<Self, Status> {
        let text = |name| metadata.get(name).and_then(|v| v.to_str().ok());
        let locale = Locale::negotiate(text("accept-language").unwrap_or_default());
        let actor = if metadata.contains_key("authorization") {
            let token =
                text("authorization").and_then(|v| v.strip_prefix("Bearer ").or_else(|| v.strip_prefix("bearer ")));
            let token = token.ok_or_else(|| status(&AccountRefusal::TokenInvalid.into(), locale))?;
            accounts.authenticate(&Secret::new(token)).await.map_err(|e| status(&e, locale))?
        } else {
            Actor::Anonymous
        };
        Ok(Self { actor, locale })
    }

    /// An error as this caller is told of it.
    pub(super) fn told(&self) -> impl Fn(Error) -> Status + use<> {
        let locale = self.locale;
        move |error| status(&error, locale)
    }
}

/// The language of a caller who needs no identity.
pub(super) fn locale(metadata: &MetadataMap) -> Locale {
    Locale::negotiate(metadata.get("accept-language").and_then(|v| v.to_str().ok()).unwrap_or_default())
}

/// An error as `google.rpc.Status`. What lies behind a fault goes to the log only.
pub(super) fn status(error: &Error, locale: Locale) -> Status {
    let refusal = error.refused_as();
    if !error.is_refusal() {
        tracing::error!(?error, "request failed");
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(refusal.code, "daira", std::collections::HashMap::new());
    details.set_localized_message(locale.tag(), refusal.text(locale));
    if let Some(field) = error.field() {
        details.add_bad_request_violation(field, refusal.text(locale));
    }
    if let Some(after) = error.retry_after() {
        details.set_retry_info(Some(after));
    }
    Status::with_error_details(Code::from(refusal.class.grpc_code()), refusal.text(locale), details)
}

/// A public id of a field.
pub(super) fn id<I: Id + core::str::FromStr>(text: &str, field: &'static str) -> Result<I> {
    text.parse().map_err(|_| Error::from(CommonRefusal::Id).on_field(field))
}

/// An idempotency key; empty is none.
pub(super) fn key(text: String) -> Result<Option<IdempotencyKey>> {
    if text.is_empty() { Ok(None) } else { IdempotencyKey::new(text).map(Some) }
}

/// A page size; zero is the default.
pub(super) fn limit(size: i32) -> Result<Limit> {
    if size == 0 { Ok(Limit::DEFAULT) } else { Limit::new(size.into()).map_err(|e| e.on_field("page_size")) }
}

/// A page token; empty is the first page.
pub(super) fn token(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
