//! What the database answers when something goes wrong, as the kernel's kinds. Texts of the database go to the log only.

use daira_core::error::{Error, ErrorKind};
use sqlx::error::DatabaseError;

/// Primary keys whose values are drawn at random: a duplicate says draw again.
const DRAWN: &[&str] = &[
    "account_pkey",
    "registration_pkey",
    "mailing_pkey",
    "profile_pkey",
    "session_pkey",
    "circle_pkey",
    "post_pkey",
    "comment_pkey",
    "media_pkey",
    "breach_pkey",
    "export_pkey",
    "ceremony_pkey",
    "passkey_pkey",
];

/// Other unique keys that a use case may branch on, by the name it knows.
const KEYS: &[(&str, &str)] = &[
    ("account_email", "account_email"),
    ("profile_handle", "handle"),
    ("passkey_credential", "passkey_credential"),
    ("identity_subject", "identity_subject"),
    ("identity_pkey", "identity_issuer"),
    ("phone_number", "phone_number"),
    ("circle_name", "circle_name"),
    ("export_open", "export_open"),
];

/// What a failed statement means to the kernel.
pub(crate) fn fault(operation: &'static str, error: sqlx::Error) -> Error {
    Error::new(kind(&error), operation).with_source(error)
}

/// Whether the connection was gone before anything was asked on it: broken, ended by the server, whose farewell is read
/// only now, or one of many that were left behind for those to another server.
pub(crate) fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(answer) => {
            matches!(answer.code().as_deref(), Some("57P01" | "57P02" | "57P05" | "25P03" | "25P04"))
        }
        _ => false,
    }
}

/// What a failed commit means: when the connection broke, nobody knows whether it happened.
pub(crate) fn commit_fault(error: sqlx::Error) -> Error {
    let kind = match &error {
        sqlx::Error::Database(answer) => match answer.code().as_deref() {
            // The server went away while it was committing, or a pooler says that it did.
            Some(code) if matches!(code, "57P01" | "57P02") || code.starts_with("08") => ErrorKind::Unknown,
            _ => kind(&error),
        },
        _ => ErrorKind::Unknown,
    };
    Error::new(kind, "store.commit").with_source(error)
}

/// A stored value that no version of the program writes.
pub(crate) fn corrupt(operation: &'static str, what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corrupt, operation).with_source(what.into())
}

fn kind(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::Database(answer) => database_kind(answer.as_ref()),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ErrorKind::Unavailable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}

fn database_kind(answer: &dyn DatabaseError) -> ErrorKind {
    let code = answer.code().unwrap_or_default();
    match code.as_ref() {
        "40001" | "40P01" => ErrorKind::Serialization,
        "23505" => unique_kind(answer.constraint().unwrap_or_default()),
        // Cancelled by a time limit, locked out, idle for too long, shutting down or starting up, or a replica that is about to
        // be promoted.
        "25006" | "57014" | "55P03" | "25P03" | "25P04" | "57P01" | "57P02" | "57P03" | "57P05" => {
            ErrorKind::Unavailable
        }
        // Broken connections, exhausted resources, a failing disk.
        _ if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

fn unique_kind(constraint: &str) -> ErrorKind {
    if DRAWN.contains(&constraint) {
        return ErrorKind::IdCollision;
    }
    match KEYS.iter().find(|(name, _)| *name == constraint) {
        Some((_, key)) => ErrorKind::Conflict(key),
        None => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() {
        assert_eq!(unique_kind("post_pkey"), ErrorKind::IdCollision);
        assert_eq!(unique_kind("account_email"), ErrorKind::Conflict("account_email"));
        assert_eq!(unique_kind("follow_pkey"), ErrorKind::Internal);
    }

    #[test]
    fn a_lost_commit_is_unknown_and_a_lost_statement_is_not() {
        let broken = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(commit_fault(broken()).kind(), ErrorKind::Unknown);
        assert_eq!(fault("post.insert", broken()).kind(), ErrorKind::Unavailable);
        assert_eq!(fault("post.insert", sqlx::Error::PoolTimedOut).kind(), ErrorKind::Unavailable);
    }
}
