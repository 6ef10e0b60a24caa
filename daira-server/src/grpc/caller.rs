//! Who calls, in which language, and how they are told of errors.

use std::borrow::Cow;
use std::time::Duration;

use daira_core::account::Pass;
use daira_core::actor::{Actor, Client};
use daira_core::error::{CommonRefusal, Error, Result};
use daira_core::id::Id;
use daira_core::idempotency::IdempotencyKey;
use daira_core::locale::Locale;
use daira_core::oauth::Scopes;
use daira_core::oauth::scope::needed;
use daira_core::page::Limit;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::Grpc;
use super::guard::Called;
use crate::door;
use crate::http::{RequestContext, admit, retry_seconds};

/// Who calls, and in which language they are answered.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) actor: Actor,
    pub(super) pass: Pass,
    pub(super) client: Client,
    pub(super) locale: Locale,
}

impl Grpc {
    /// Who calls, by the metadata: `authorization: Bearer …` and `accept-language`. Without a token the caller is anonymous;
    /// a token that does not hold is refused, never ignored, and so is an app of somebody else's that was not given what the call
    /// takes. Takes the price of a call.
    pub(super) async fn caller<T: Sync>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let locale = locale(request.metadata());
        let known = admit(&self.services.accounts, request.metadata().as_ref()).await;
        self.pay(known.as_ref().unwrap_or(&Pass::ANONYMOUS), request).await.map_err(|e| status(&e, locale))?;
        let pass = known.map_err(|e| status(&e, locale))?;
        let needs = request.extensions().get::<Called>().map_or(Scopes::CLOSED, |Called(method)| needed(method));
        pass.may(needs).map_err(|e| status(&e, locale))?;
        Ok(Caller { actor: pass.actor().clone(), pass, client: client(request), locale })
    }

    /// Somebody who calls to become somebody. Takes the price of a call.
    pub(super) async fn stranger<T: Sync>(&self, request: &Request<T>) -> Result<Stranger, Status> {
        let locale = locale(request.metadata());
        self.pay(&Pass::ANONYMOUS, request).await.map_err(|e| status(&e, locale))?;
        Ok(Stranger { client: client(request), locale })
    }

    async fn pay<T: Sync>(&self, payer: &Pass, request: &Request<T>) -> Result<()> {
        let left = self.door.charge(payer, address(request), door::CALL).await;
        left.map_or(Ok(()), door::Left::check)
    }
}

fn client<T>(request: &Request<T>) -> Client {
    Client { address: address(request), known_device: None }
}

fn address<T>(request: &Request<T>) -> Option<std::net::IpAddr> {
    request.extensions().get::<RequestContext>().and_then(|context| context.address)
}

/// Somebody whose identity is not asked for.
#[derive(Debug)]
pub(super) struct Stranger {
    pub(super) client: Client,
    locale: Locale,
}

impl Stranger {
    /// An error as they are told of it.
    pub(super) fn told(&self) -> impl Fn(Error) -> Status + use<> {
        let locale = self.locale;
        move |error| status(&error, locale)
    }
}

impl Caller {
    /// An error as this caller is told of it.
    pub(super) fn told(&self) -> impl Fn(Error) -> Status + use<> {
        let locale = self.locale;
        move |error| status(&error, locale)
    }
}

/// The language of a caller.
fn locale(metadata: &MetadataMap) -> Locale {
    let wish = metadata.get("accept-language").and_then(|v| v.to_str().ok());
    wish.map_or_else(Locale::default, Locale::negotiate)
}

/// An error as `google.rpc.Status`. What lies behind a fault goes to the log only.
pub(super) fn status(error: &Error, locale: Locale) -> Status {
    if !error.is_refusal() {
        tracing::error!(?error, "request failed");
    }
    status_as(Code::from(error.refused_as().class.grpc_code()), error, locale)
}

/// An error under a code of its own.
pub(super) fn status_as(code: Code, error: &Error, locale: Locale) -> Status {
    let refusal = error.refused_as();
    let mut details = ErrorDetails::new();
    let version = error.version().map(|version| ("current_version".to_owned(), version.to_string()));
    details.set_error_info(refusal.code, "daira", version.into_iter().collect::<std::collections::HashMap<_, _>>());
    details.set_localized_message(locale.tag(), refusal.text(locale));
    if let Some(field) = error.field() {
        details.add_bad_request_violation(field_name(field), refusal.text(locale));
    }
    if let Some(seconds) = retry_seconds(error) {
        details.set_retry_info(Some(Duration::from_secs(seconds)));
    }
    Status::with_error_details(code, refusal.text(locale), details)
}

/// A field as the contracts call it.
fn field_name(field: &str) -> Cow<'_, str> {
    match field {
        "after" => "page_token".into(),
        "first" => "page_size".into(),
        _ if field.bytes().any(|b| b.is_ascii_uppercase()) => {
            let snake =
                |c: char| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.into() };
            field.chars().map(snake).collect::<String>().into()
        }
        _ => field.into(),
    }
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

#[cfg(test)]
mod tests {
    use daira_core::error::ErrorKind;
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn a_refusal_carries_code_field_sentence_and_when_to_retry() {
        let error =
            Error::from(CommonRefusal::PageSize).on_field("first").with_retry_after(Duration::from_millis(1_200));
        let status = status(&error, Locale::En);
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "Ask for 1 to 100 items."));
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("page.size", "daira"));
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "page_size");
        let told = details.localized_message().unwrap();
        assert_eq!((told.locale.as_str(), told.message.as_str()), ("en", "Ask for 1 to 100 items."));
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_fault_says_nothing_of_its_cause() {
        let fault = Error::new(ErrorKind::Internal, "post.insert").with_source("duplicate key: mona@example.com");
        let status = status(&fault, Locale::Ar);
        assert_eq!((status.code(), status.message()), (Code::Internal, "حصلت مشكلة من عندنا."));
        assert!(!format!("{status:?}").contains("mona") && !format!("{status:?}").contains("post.insert"));
        let away = super::status(&Error::new(ErrorKind::Unavailable, "store.read"), Locale::En);
        assert_eq!(away.code(), Code::Unavailable);
        assert!(away.get_error_details().retry_info().is_some(), "somebody turned away may come again");
    }

    #[test]
    fn fields_are_called_as_in_the_contracts() {
        let names = ["after", "first", "birthDate", "circleId", "text"].map(field_name);
        assert_eq!(names, ["page_token", "page_size", "birth_date", "circle_id", "text"]);
    }

    #[test]
    fn empty_texts_and_zero_mean_nothing_given() {
        assert_eq!((key(String::new()).unwrap(), token("")), (None, None));
        assert_eq!(limit(0).unwrap(), Limit::DEFAULT);
        for size in [-1, 101, i32::MIN, i32::MAX] {
            assert_eq!(limit(size).unwrap_err().refused_as().code, "page.size", "{size}");
        }
    }
}
