//! Errors: what went wrong for the machine, and what a person is told.
//!
//! One type crosses every port and service. A **refusal** is an expected answer ("the post is too long"): it has a
//! stable code, a class that decides HTTP and gRPC status in one table, and a sentence in Arabic and in English. Every
//! business module declares its own refusals with [`refusals!`](crate::refusals), and callers branch on the module's
//! enum through [`Error::refusal`]. Anything else is a **fault**: its kind says whether a retry can help, its source
//! goes to the log and never to a client.

use core::fmt;
use core::time::Duration;

use crate::locale::Locale;

/// The result of ports and services.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What kind of failure it is, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An expected refusal; [`Error::refused_as`] says which.
    Refused,
    /// A row with this unique key exists already; the constraint's name tells which key.
    Conflict(&'static str),
    /// A freshly drawn id was taken: run the unit again.
    IdCollision,
    /// The version that an update was based on is no longer the current one.
    Stale,
    /// The database could not serialise this unit with a concurrent one: run it again.
    Serialization,
    /// A dependency cannot be reached or is shutting down; nothing was changed.
    Unavailable,
    /// The commit's answer was lost: it may or may not have happened.
    Unknown,
    /// Stored data breaks an invariant.
    Corrupt,
    /// A bug or an unforeseen answer.
    Internal,
}

/// How a refusal is classed; one table turns it into transport statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The input breaks a rule.
    Invalid,
    /// Nobody is logged in, or the proof of identity does not hold.
    Unauthenticated,
    /// The actor may not do this.
    Forbidden,
    /// It does not exist, or the actor may not learn that it does.
    NotFound,
    /// It contradicts the present state.
    Conflict,
    /// The request contradicts an earlier one under the same key.
    Unprocessable,
    /// A limit is reached for now.
    TooMany,
    /// The input is larger than allowed.
    TooLarge,
    /// The media type is not accepted.
    UnsupportedMedia,
    /// A dependency is away.
    Unavailable,
    /// A fault on our side.
    Internal,
}

impl Class {
    /// The HTTP status.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Unprocessable => 422,
            Self::TooMany => 429,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// The gRPC status code, as numbered by the gRPC specification.
    pub const fn grpc_code(self) -> i32 {
        match self {
            Self::Invalid | Self::TooLarge | Self::UnsupportedMedia => 3,
            Self::Unauthenticated => 16,
            Self::Forbidden => 7,
            Self::NotFound => 5,
            Self::Conflict => 9,
            Self::Unprocessable => 6,
            Self::TooMany => 8,
            Self::Unavailable => 14,
            Self::Internal => 13,
        }
    }
}

/// One line of the catalogue of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// The stable code, `module.reason`.
    pub code: &'static str,
    /// The class that decides the status.
    pub class: Class,
    /// The sentence for people, in English.
    pub en: &'static str,
    /// The sentence for people, in Arabic.
    pub ar: &'static str,
}

impl Refusal {
    /// The sentence in a language.
    pub fn text(&self, locale: Locale) -> &'static str {
        locale.pick(self.ar, self.en)
    }
}

/// A module's own enum of refusals; made by [`refusals!`](crate::refusals).
pub trait RefusalEnum: Copy + Sized + 'static {
    /// All of them, in order of declaration.
    const ALL: &'static [Self];
    /// The catalogue line.
    fn refusal(self) -> &'static Refusal;
}

/// Declares a module's refusals: an enum whose variants carry code, class, English and Arabic text.
///
/// ```
/// daira_core::refusals! {
///     /// Why a kite was refused.
///     pub enum KiteRefusal {
///         /// The wind is too strong.
///         Windy = "kite.windy", Conflict, "The wind is too strong.", "الهوا جامد أوي.";
///     }
/// }
/// let error: daira_core::Error = KiteRefusal::Windy.into();
/// assert_eq!(error.refusal::<KiteRefusal>().map(|r| r.code()), Some("kite.windy"));
/// # use daira_core::error::RefusalEnum;
/// ```
#[macro_export]
macro_rules! refusals {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $class:ident, $en:literal, $ar:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The stable code that clients see.
            pub fn code(self) -> &'static str {
                $crate::error::RefusalEnum::refusal(self).code
            }
        }

        impl $crate::error::RefusalEnum for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            fn refusal(self) -> &'static $crate::error::Refusal {
                match self {
                    $(Self::$variant => {
                        const LINE: $crate::error::Refusal = $crate::error::Refusal {
                            code: $code, class: $crate::error::Class::$class, en: $en, ar: $ar,
                        };
                        &LINE
                    })*
                }
            }
        }

        impl From<$name> for $crate::Error {
            fn from(refusal: $name) -> Self {
                $crate::Error::refused($crate::error::RefusalEnum::refusal(refusal))
            }
        }
    };
}

crate::refusals! {
    /// Refusals that belong to no single module.
    pub enum CommonRefusal {
        /// The thing does not exist, or the actor may not learn that it does.
        NotFound = "common.not_found", NotFound, "This does not exist or is not available to you.", "ده مش موجود أو مش متاح ليك.";
        /// The actor may not do this.
        Forbidden = "common.forbidden", Forbidden, "You may not do this.", "مش مسموحلك تعمل ده.";
        /// A page size outside 1 to 100.
        PageSize = "page.size", Invalid, "Ask for 1 to 100 items.", "اطلب من ١ لـ ١٠٠ عنصر.";
        /// A cursor that was not made by us, or for another list.
        Cursor = "page.cursor", Invalid, "This page marker is not valid here.", "علامة الصفحة دي مش صالحة هنا.";
        /// A malformed id.
        Id = "common.id", Invalid, "This is not a valid id.", "المعرّف ده مش صحيح.";
        /// Not an instant.
        Time = "common.time", Invalid, "This is not a valid time; write 2026-11-27T18:00:00Z.", "الوقت ده مش صحيح؛ اكتبه كده 2026-11-27T18:00:00Z.";
        /// The version an edit was based on is no longer current.
        Stale = "common.stale", Conflict, "Someone changed this meanwhile; load it again.", "حد غيّر ده في نفس الوقت؛ حمّله تاني.";
        /// The same idempotency key is being worked on right now.
        KeyInFlight = "idempotency.in_flight", Conflict, "The same request is still running.", "نفس الطلب لسه شغال.";
        /// The same idempotency key came with another request.
        KeyReused = "idempotency.key_reused", Unprocessable, "This key was used for another request.", "المفتاح ده اتستخدم لطلب تاني.";
        /// An idempotency key that is empty, too long or not printable.
        KeyInvalid = "idempotency.key_invalid", Invalid, "The idempotency key must be 1 to 128 printable characters.", "مفتاح منع التكرار لازم يكون من ١ لـ ١٢٨ حرف.";
        /// A dependency is away.
        Unavailable = "common.unavailable", Unavailable, "The service is busy; please try again.", "الخدمة مشغولة؛ جرّب تاني بعد شوية.";
        /// A fault on our side.
        Internal = "common.internal", Internal, "Something went wrong on our side.", "حصلت مشكلة من عندنا.";
    }
}

/// The one error type of ports and services. See the [module](self).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    refusal: Option<&'static Refusal>,
    field: Option<&'static str>,
    retry_after: Option<Duration>,
    version: Option<i32>,
    source: Option<Box<dyn core::error::Error + Send + Sync>>,
}

impl Error {
    /// A fault of some kind in an operation, named `module.verb`.
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            refusal: None,
            field: None,
            retry_after: None,
            version: None,
            source: None,
        }))
    }

    /// An expected refusal.
    pub fn refused(refusal: &'static Refusal) -> Self {
        let mut error = Self::new(ErrorKind::Refused, refusal.code);
        error.0.refusal = Some(refusal);
        error
    }

    /// The answer for everything that is missing or hidden: always the same.
    pub fn not_found() -> Self {
        CommonRefusal::NotFound.into()
    }

    /// Keeps the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the input field that the refusal is about.
    #[must_use]
    pub fn on_field(mut self, field: &'static str) -> Self {
        self.0.field = Some(field);
        self
    }

    /// Says when a retry can succeed.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Says which version there is in the place of the one that was expected.
    #[must_use]
    pub fn with_version(mut self, current: i32) -> Self {
        self.0.version = Some(current);
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, `module.verb`; for a refusal, its code.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The input field a refusal is about.
    pub fn field(&self) -> Option<&'static str> {
        self.0.field
    }

    /// When a retry can succeed.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The version that there is in the place of the one that was expected.
    pub fn version(&self) -> Option<i32> {
        self.0.version
    }

    /// The refusal as a module's own enum, to branch on.
    pub fn refusal<R: RefusalEnum>(&self) -> Option<R> {
        let code = self.0.refusal?.code;
        R::ALL.iter().copied().find(|r| r.refusal().code == code)
    }

    /// The catalogue line a client is shown: the refusal itself, or what a fault is shown as.
    pub fn refused_as(&self) -> &'static Refusal {
        match (self.0.refusal, self.0.kind) {
            (Some(refusal), _) => refusal,
            (None, ErrorKind::Unavailable | ErrorKind::Serialization | ErrorKind::Unknown) => {
                CommonRefusal::Unavailable.refusal()
            }
            (None, ErrorKind::Stale) => CommonRefusal::Stale.refusal(),
            _ => CommonRefusal::Internal.refusal(),
        }
    }

    /// Whether this is an expected answer rather than a fault.
    pub fn is_refusal(&self) -> bool {
        self.0.kind == ErrorKind::Refused
    }

    /// Whether the same unit of work may simply be run again: it certainly did not commit.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Serialization | ErrorKind::IdCollision)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("field", &self.0.field)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.refusal {
            Some(refusal) => write!(f, "{}: {}", refusal.code, refusal.en),
            None => write!(f, "{}: {:?}", self.0.operation, self.0.kind),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_shown_as_something_harmless() {
        let fault =
            Error::new(ErrorKind::Internal, "post.insert").with_source("duplicate key value: secret@example.com");
        assert_eq!(fault.refused_as().code, "common.internal");
        assert!(!fault.to_string().contains("secret"));
    }

    #[test]
    fn callers_branch_on_their_module() {
        let error: Error = CommonRefusal::KeyReused.into();
        assert_eq!(error.refusal::<CommonRefusal>(), Some(CommonRefusal::KeyReused));
        assert_eq!(error.refused_as().class.http_status(), 422);
    }
}
